//! Theirs → ours: what an order of the vendor means. Pure.
//!
//! An order has no state of its own. It is rolled up from its verifications: any open one keeps the order open; of the
//! ended ones completed goes before canceled, and canceled before invalid. A verification request of an older version is
//! read as an order of the one verification.

use std::time::Duration;

use bytes::Bytes;
use domain::observation::Standing;
use domain::result::{Inquiry, Statement};
use domain::{Action, ActionKind, Certainty, Money, Outcome, Reason, Sensitive, Timestamp, Verdict};
use domain::{CheckResult, VerificationResult};
use provider::http::read_json;
use provider::{CallError, Carries, DocumentRef, Snapshot, VendorAnswer, native_status, vendor_id};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::compare::{self, Claim};
use crate::found;
use crate::inquiries;
use crate::settings::Version;
use crate::submit;
use crate::wire::{ANALYTICS_KEY, Direct, Order, OrderHead, OrderPage, Report, Verification, Word, older};

/// By what a payload is recognized: the order beside the reports that were read one by one, an order, or a verification
/// request of an older version. Its own keys tell, since a payload may be older than the version that is set.
#[derive(Deserialize)]
struct Shape {
    order: Option<Box<RawValue>>,
    reports: Option<Box<RawValue>>,
    /// Only a verification has a state or a target; an order has verifications that have.
    state: Option<IgnoredAny>,
    target: Option<IgnoredAny>,
    verification_requests: Option<IgnoredAny>,
    /// Whatever has come of a session, each as it was read.
    of_session: Option<Vec<Box<RawValue>>>,
}

/// Reads what proves that an order exists, and nothing else.
pub fn head(version: Version, answer: &VendorAnswer) -> Result<OrderHead, CallError> {
    if version.has_orders() { answer.json() } else { answer.json::<older::Head>().map(OrderHead::from) }
}

/// Reads a page of the list.
pub fn page(version: Version, answer: &VendorAnswer) -> Result<OrderPage, CallError> {
    if version.has_orders() { answer.json() } else { answer.json::<older::Page>().map(OrderPage::from) }
}

/// Reads what [`Snapshot::payload`] keeps: the vendor's answer, unchanged.
pub fn read(payload: &[u8]) -> Option<Order> {
    let shape: Shape = read_json(payload)?;
    if let Some(made) = shape.of_session {
        let orders: Option<Vec<Order>> = made.iter().map(|one| read(one.get().as_bytes())).collect();
        let verifications = orders?.into_iter().flat_map(|order| order.verification_requests.unwrap_or_default());
        return Some(Order { verification_requests: Some(verifications.collect()), ..Order::default() });
    }
    if let Some(order) = shape.order {
        let mut order = serde_json::from_str(order.get()).ok()?;
        let reports: Vec<Report> = serde_json::from_str(shape.reports?.get()).ok()?;
        for report in reports {
            replace(&mut order, report);
        }
        return Some(order);
    }
    if shape.verification_requests.is_none() && (shape.state.is_some() || shape.target.is_some()) {
        return serde_json::from_slice(payload).ok().map(|old: older::Verification| old.into());
    }
    serde_json::from_slice(payload).ok()
}

/// Puts a report that was read on its own in the place of the same report inside the order.
fn replace(order: &mut Order, report: Report) {
    let verifications = order.verification_requests.iter_mut().flatten();
    let mut reports = verifications.flat_map(|verification| verification.reports.iter_mut().flatten());
    if let Some(same) = reports.find(|known| known.id.is_some() && known.id == report.id) {
        *same = report;
    }
}

/// An order and its separately read reports as one payload. The parts are the vendor's bytes.
pub fn with_reports(order: &[u8], reports: &[Bytes]) -> Bytes {
    let mut payload = Vec::from(b"{\"order\":");
    payload.extend_from_slice(order);
    payload.extend_from_slice(b",\"reports\":[");
    payload.extend_from_slice(&reports.join(&b',')[..]);
    payload.extend_from_slice(b"]}");
    payload.into()
}

/// What has come of one session as one payload. The parts are the vendor's bytes.
pub fn together(made: &[Bytes]) -> Bytes {
    let mut payload = Vec::from(b"{\"of_session\":[");
    payload.extend_from_slice(&made.join(&b',')[..]);
    payload.extend_from_slice(b"]}");
    payload.into()
}

/// The reports that have to be read one by one: those of income analytics that the caller asked for, which an order's GET
/// never holds and which exist for active employees only.
pub fn lacking_analytics(order: &Order) -> Vec<String> {
    let verifications = order.verification_requests.iter().flatten().filter(|verification| {
        let asked = verification.metadata.as_ref().and_then(|metadata| metadata.get(ANALYTICS_KEY));
        state(verification) == State::Completed && asked.is_some()
    });
    let reports = verifications.flat_map(|verification| verification.reports.iter().flatten()).filter(|report| {
        let status = report.employee.as_ref().and_then(|employee| employee.status.as_ref());
        report.income_analytics.is_none() && status.is_some_and(|status| status.canonical() == "active")
    });
    reports.filter_map(|report| vendor_id(report.id.as_deref()?)).collect()
}

/// One look at an order. Without a claim nothing can be compared, and a completed order's result is of partial certainty.
pub fn snapshot(order: Order, claim: Option<&Claim>, payload: Bytes) -> Snapshot {
    Snapshot {
        part_id: only_verification(&order),
        carries: Carries::read(order.reference()),
        // The vendor's times do not move when a report is corrected or disputed, so a revision could lose against the
        // result it revises. The start of the fetch orders looks correctly, since every look is a GET.
        vendor_time: None,
        native_status: native_status(&states(&order)),
        documents: documents(&order),
        standing: standing(order, claim),
        payload: Sensitive::new(payload),
    }
}

/// What is left to see of an order whose subject froze their social security number: the vendor answers 451 until they
/// lift that, whatever becomes of the order meanwhile.
pub fn frozen(payload: Bytes) -> Snapshot {
    let action = Action::of(ActionKind::Human, submit::ssn_frozen().message);
    Snapshot {
        part_id: None,
        carries: Carries::Nothing,
        vendor_time: None,
        native_status: "frozen-ssn".to_owned(),
        documents: Vec::new(),
        standing: Standing::Waiting { action },
        payload: Sensitive::new(payload),
    }
}

fn only_verification(order: &Order) -> Option<String> {
    match order.verification_requests.as_deref() {
        // In older versions the verification is all there is, and not a part of anything.
        Some([only]) if only.id != order.id => vendor_id(only.id.as_deref()?),
        _ => None,
    }
}

/// The states of the verifications in the vendor's words, each once; `none` while there is no verification.
fn states(order: &Order) -> String {
    let states = order.verification_requests.iter().flatten().filter_map(|verification| verification.state.as_ref());
    let mut words: Vec<&str> = Vec::new();
    for word in states.map(Word::telling) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    if words.is_empty() { "none".to_owned() } else { words.join("+") }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    ActionRequired,
    Unknown,
    Completed,
    NoMatch,
    Canceled,
    Invalid,
}

fn state(verification: &Verification) -> State {
    match verification.state.as_ref().map_or("", Word::canonical) {
        // Approval may be waited for again after processing began; either way the vendor works on it.
        "pending-approval" | "processing" => State::Open,
        // The vendor's own list of hook states misspells it.
        "action-required" | "action-requred" => State::ActionRequired,
        "completed" => State::Completed,
        "canceled" => match verification.cancellation_reason.as_ref().map(Word::canonical) {
            Some("no-match") => State::NoMatch,
            _ => State::Canceled,
        },
        "invalid" => State::Invalid,
        _ => State::Unknown,
    }
}

fn standing(order: Order, claim: Option<&Claim>) -> Standing {
    let link = order.truework_direct_session_link;
    let direct = order.truework_direct;
    let verifications = order.verification_requests.unwrap_or_default();
    let has = |wanted| verifications.iter().any(|verification| state(verification) == wanted);

    if verifications.is_empty() && direct.is_some() || has(State::ActionRequired) {
        return Standing::Waiting { action: action(link, direct) };
    }
    if has(State::Unknown) {
        return Standing::Unknown;
    }
    if verifications.is_empty() || has(State::Open) {
        return Standing::Working { estimated_completion_at: verifications.iter().filter_map(estimate).max() };
    }
    if has(State::Completed) {
        return completed(verifications, claim);
    }
    if has(State::Canceled) {
        return Standing::Canceled { reason: cancellation(&verifications) };
    }
    if has(State::NoMatch) {
        return no_match(&verifications, claim);
    }
    Standing::Failed {
        reason: Reason::new(
            "invalid",
            "Truework could not find the employee or the employer, or the data given were wrong.",
        ),
    }
}

/// The way in for the applicant: the link that is mailed to them, and the token with which a page of ours opens the
/// vendor's widget. The order's own link goes before the target's.
fn action(link: Option<String>, direct: Option<Direct>) -> Action {
    let target = direct.and_then(|direct| direct.targets?.into_iter().next());
    let (own, token) =
        target.map_or((None, None), |to| (to.truework_direct_session_link, to.truework_direct_session_token));
    let url = link.or(own);
    if url.is_none() && token.is_none() {
        return Action::of(ActionKind::Dashboard, "Truework asks for something; see the order in its dashboard.");
    }
    let message = match url {
        Some(_) => "The applicant must follow Truework's link and sign in.",
        None => "The applicant must sign in through Truework's widget, opened with the token.",
    };
    Action { url, token, ..Action::of(ActionKind::ApplicantLink, message) }
}

/// When the vendor expects to be done: its best estimate counts hours from the beginning.
fn estimate(verification: &Verification) -> Option<Timestamp> {
    let created: Timestamp = verification.created.as_deref()?.parse().ok()?;
    let hours: f64 = verification.turnaround_time.as_ref()?.best_estimate.clone()?.into_string().parse().ok()?;
    Some(created + Duration::try_from_secs_f64(hours * 3_600.0).ok()?)
}

fn completed(verifications: Vec<Verification>, claim: Option<&Claim>) -> Standing {
    let around = Around::of(&verifications);
    let (completed, others): (Vec<_>, Vec<_>) =
        verifications.into_iter().partition(|verification| state(verification) == State::Completed);
    let flagged = completed.iter().any(found::has_failed_detection);
    let reports = completed.into_iter().flat_map(|verification| verification.reports.unwrap_or_default());
    let mut judged = compare::judge(claim, reports.map(found::of_report).collect());
    if flagged && claim.is_some() {
        judged.worsen(Outcome::Consider, "document_flagged", "A check of the applicant's documents failed.");
    }
    if !others.is_empty() && judged.outcome == Outcome::Clear {
        // Nobody is cleared by what was never checked.
        judged.worsen(Outcome::Unresolved, "partly_completed", "A part of the order ended without a result.");
    }
    Standing::Completed {
        outcome: judged.outcome,
        result: Some(CheckResult::Verification(Box::new(around.put_into(judged.result)))),
        reason: judged.reason,
        certainty: if claim.is_some() { Certainty::Full } else { Certainty::Partial },
    }
}

/// What a result holds besides what the reports say.
struct Around {
    inquiries: Vec<Inquiry>,
    unverified: Vec<Statement>,
    price: Option<Money>,
}

impl Around {
    fn of(verifications: &[Verification]) -> Self {
        Self {
            inquiries: inquiries::of_order(verifications),
            unverified: inquiries::statements(verifications),
            price: inquiries::only_price(verifications),
        }
    }

    fn put_into(self, result: VerificationResult) -> VerificationResult {
        let Self { inquiries, unverified, price } = self;
        VerificationResult { inquiries, unverified, price, ..result }
    }
}

/// The vendor has nothing on this person: an ending with an answer, unlike other cancellations.
fn no_match(verifications: &[Verification], claim: Option<&Claim>) -> Standing {
    let result = VerificationResult {
        verdict: Some(Verdict::NoRecord),
        claimed: claim.map(Claim::facts),
        ..VerificationResult::default()
    };
    Standing::Completed {
        outcome: Outcome::Unresolved,
        result: Some(CheckResult::Verification(Box::new(Around::of(verifications).put_into(result)))),
        reason: Some(Reason::new("no_match", "Truework found nothing on this person.")),
        certainty: if claim.is_some() { Certainty::Full } else { Certainty::Partial },
    }
}

/// The vendor's reason as a code; `canceled` where it gives none (real answers leave it out). Its `cancellation_details`
/// are a sentence about the person, and stay in the payload.
fn cancellation(verifications: &[Verification]) -> Reason {
    let canceled = verifications.iter().find(|verification| state(verification) == State::Canceled);
    let code = canceled.and_then(inquiries::reason_code).unwrap_or_else(|| "canceled".to_owned());
    Reason::new(code, "Truework canceled it.")
}

const REPORT: &str = "report:";
const OLDER_REPORT: &str = "verification-report:";
const ATTACHMENT: &str = "applicant-document:";

/// A document's place at the vendor.
#[derive(Debug, PartialEq, Eq)]
pub enum Place {
    Report(String),
    /// In older versions a report is read under its verification.
    OlderReport {
        verification: String,
        report: String,
    },
    Link(String),
}

impl Place {
    /// Reads a locator back.
    pub fn read(locator: &str) -> Option<Self> {
        if let Some(id) = locator.strip_prefix(REPORT) {
            return Some(Self::Report(id.to_owned()));
        }
        if let Some(ids) = locator.strip_prefix(OLDER_REPORT) {
            let (verification, report) = serde_json::from_str(ids).ok()?;
            return Some(Self::OlderReport { verification, report });
        }
        locator.strip_prefix(ATTACHMENT).map(|link| Self::Link(link.to_owned()))
    }

    pub fn locator(&self) -> String {
        match self {
            Self::Report(id) => format!("{REPORT}{id}"),
            // As JSON, since ids may hold whatever would part them.
            Self::OlderReport { verification, report } => {
                format!("{OLDER_REPORT}{}", serde_json::json!([verification, report]))
            }
            Self::Link(link) => format!("{ATTACHMENT}{link}"),
        }
    }
}

/// The reports of completed verifications; any other's cannot be read, the vendor answers 400 or 404 to it.
pub fn reports(order: &Order) -> Vec<Place> {
    let mut places = Vec::new();
    for verification in order.verification_requests.iter().flatten() {
        let reports = verification.reports.iter().flatten().filter(|_| state(verification) == State::Completed);
        // What an older version gave without an order around it.
        let parent = verification.id.as_deref().filter(|id| order.id.as_deref().is_none_or(|order| order == *id));
        places.extend(reports.filter_map(|report| vendor_id(report.id.as_deref()?)).map(|id| match parent {
            Some(verification) => Place::OlderReport { verification: verification.to_owned(), report: id },
            None => Place::Report(id),
        }));
    }
    places
}

fn documents(order: &Order) -> Vec<DocumentRef> {
    let mut documents = Vec::new();
    for place in reports(order) {
        documents.push(DocumentRef {
            locator: place.locator(),
            kind: "report".to_owned(),
            media_type: "application/pdf".to_owned(),
            filename: format!("truework-report-{}.pdf", documents.len() + 1),
        });
    }
    // Also canceled verifications can have documents of the applicant; the same one may be named at both levels.
    for link in found::applicant_documents(order) {
        let locator = Place::Link(link.to_owned()).locator();
        if documents.iter().all(|known| known.locator != locator) {
            documents.push(DocumentRef {
                locator,
                kind: "attachment".to_owned(),
                // The vendor does not say of what type they are.
                media_type: "application/octet-stream".to_owned(),
                filename: format!("applicant-document-{}", documents.len() + 1),
            });
        }
    }
    documents
}

#[cfg(test)]
mod older_tests;
#[cfg(test)]
mod tests;
