//! Adapter for Truework: employment and income verifications in the US.
//!
//! The rooms: [`settings`], `client` (the calls; the only I/O), `wire` (the vendor's JSON), `validate` and `options` (what
//! is refused before acceptance), `request` (ours → theirs), `mapping`, `found` and `compare` (theirs → ours), `submit`
//! (what a create's answer proves), `locate` (finding a lost create again), `hooks`. `docs/vendors/truework.md` lists every
//! quirk of the vendor with the room that knows it.

mod client;
mod compare;
mod found;
mod hooks;
mod locate;
mod mapping;
mod options;
mod passthrough;
mod products;
mod request;
#[cfg(test)]
mod samples;
pub mod settings;
mod submit;
mod validate;
mod wire;

use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use domain::case::Sightings;
use domain::{CheckInput, CheckType, FieldError, OrderInput, ProviderId, Reason, VendorRef};
use provider::{
    ByteStream, CallContext, CallError, CancelAnswer, CancelSupport, Descriptor, DocumentRef, Evidence, Fetched,
    HookAuthentication, HookNews, HookRefused, HookRequest, ItemOutcome, LocateQuery, LostReason, Passthrough,
    ProbeFault, Product, Provider, Snapshot, Submission, SubmissionItem, SubmitReport, SweepQuery,
};

use crate::client::{Client, bad_request, unexpected};
use crate::compare::Claim;
use crate::mapping::Place;
use crate::request::{Asked, Mode};
pub use crate::settings::{Settings, SettingsError, Version};
use crate::wire::CancelOrder;

/// The word for this vendor in settings and in the API.
pub const ID: &str = "truework";

/// One account at Truework.
pub struct Truework {
    descriptor: Descriptor,
    settings: Settings,
    client: Client,
}

impl Truework {
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        Ok(Self { descriptor: descriptor(&settings), client: Client::new(&settings)?, settings })
    }

    async fn create(
        &self,
        ctx: &CallContext,
        submission: &Submission,
        item: &SubmissionItem,
    ) -> (ItemOutcome, Evidence) {
        let Some(create) = request::create(&item.order, &item.check, item.reference) else {
            let why = Reason::new("input_missing", "The check lacks something that Truework needs.");
            return (ItemOutcome::Rejected(why), Evidence::default());
        };
        let Ok(body) = serde_json::to_vec(&create.body) else {
            let why = Reason::new("input_unusable", "The check cannot be written as JSON.");
            return (ItemOutcome::Rejected(why), Evidence::default());
        };
        let started = Instant::now();
        let answer = match create.mode {
            Mode::TargetEmployer => self.client.create_target_employer(ctx, body).await,
            Mode::EmployerSearch { analytics } => self.client.create_employer_search(ctx, body, analytics).await,
        };
        match answer {
            Ok(answer) => {
                let claim = Claim::of(&item.check);
                let outcome = submit::classify(&answer, item.reference, claim.as_ref(), self.settings.is_sandbox());
                (outcome, Evidence::of(&answer))
            }
            Err(error) => {
                let mut report = SubmitReport::of_error(submission, &error, started.elapsed());
                (report.items.swap_remove(0), report.evidence)
            }
        }
    }

    /// The reports with the income analytics that were asked for. A report that is refused is done without.
    async fn analytics(&self, ctx: &CallContext, reports: &[String]) -> Result<Vec<Bytes>, CallError> {
        let mut bodies = Vec::new();
        for id in reports {
            let answer = self.client.report(ctx, id).await?;
            match answer.status.as_u16() {
                200 => {
                    answer.json::<wire::Report>()?;
                    bodies.push(answer.body);
                }
                400 | 403 | 404 => {}
                _ => return Err(unexpected(&answer)),
            }
        }
        Ok(bodies)
    }
}

#[async_trait]
impl Provider for Truework {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn validate(&self, order: &OrderInput, check: &CheckInput) -> Vec<FieldError> {
        validate::validate(order, check, self.settings.is_sandbox())
    }

    fn products(&self) -> &'static [&'static str] {
        products::PRODUCTS
    }

    fn as_product(&self, product: &str, check: &CheckInput) -> Result<CheckInput, FieldError> {
        products::as_product(product, check)
    }

    async fn submit(&self, ctx: &CallContext, submission: &Submission) -> SubmitReport {
        let Some((first, rest)) = submission.items.split_first() else {
            return SubmitReport { items: Vec::new(), evidence: Evidence::default() };
        };
        let (outcome, evidence) = self.create(ctx, submission, first).await;
        // The vendor has no batches; what should not have come along goes back.
        let alone = ItemOutcome::NotSent {
            why: Reason::new("one_per_call", "Truework takes one check per call."),
            retry_after: None,
        };
        let items = std::iter::once(outcome).chain(rest.iter().map(|_| alone.clone())).collect();
        SubmitReport { items, evidence }
    }

    async fn locate(&self, ctx: &CallContext, query: &LocateQuery) -> Sightings {
        locate::locate(&self.client, ctx, query).await
    }

    async fn sweep(&self, ctx: &CallContext, query: &SweepQuery) -> Sightings {
        locate::sweep(&self.client, ctx, query).await
    }

    async fn fetch(&self, ctx: &CallContext, vendor: &VendorRef) -> Result<Fetched, CallError> {
        let answer = self.client.order(ctx, &vendor.order_id).await?;
        match answer.status.as_u16() {
            200 => {}
            404 => return Ok(Fetched::Missing),
            _ => return Err(unexpected(&answer)),
        }
        let unreadable = CallError::Lost { why: LostReason::Unreadable };
        let order = mapping::read(&answer.body).ok_or(unreadable.clone())?;
        if order.id.as_deref() != Some(&vendor.order_id) {
            return Err(unreadable);
        }
        let lacking = mapping::lacking_analytics(&order);
        let reports = self.analytics(ctx, &lacking).await?;
        if reports.is_empty() {
            return Ok(Fetched::Found(Box::new(mapping::snapshot(order, None, answer.body))));
        }
        let payload = mapping::with_reports(&answer.body, &reports);
        let order = mapping::read(&payload).ok_or(unreadable)?;
        Ok(Fetched::Found(Box::new(mapping::snapshot(order, None, payload))))
    }

    async fn cancel(&self, ctx: &CallContext, vendor: &VendorRef, reason: &Reason) -> Result<CancelAnswer, CallError> {
        let order = CancelOrder {
            cancellation_reason: cancellation_reason(&reason.code),
            cancellation_details: reason.message.clone(),
        };
        let body = serde_json::to_vec(&order).map_err(|_| bad_request())?;
        let answer = self.client.cancel(ctx, &vendor.order_id, body).await?;
        match answer.status.as_u16() {
            // The answer is a part of the order, and once was empty: a fetch shows what became of it.
            200..=204 => Ok(CancelAnswer::Agreed),
            // Which of them an order gets that has ended already is not documented, so it is looked at.
            400 | 403 | 404 | 409 => match self.fetch(ctx, vendor).await? {
                Fetched::Found(snapshot) if snapshot.standing.is_final() => Ok(CancelAnswer::AlreadyEnded),
                Fetched::Found(_) => Ok(CancelAnswer::Refused(Reason::new(
                    "not_cancelable",
                    format!("Truework answered {} to the cancellation.", answer.status.as_u16()),
                ))),
                Fetched::Missing | Fetched::NotBegun => {
                    Ok(CancelAnswer::Refused(Reason::new("not_found", "Truework does not know the order.")))
                }
            },
            _ => Err(unexpected(&answer)),
        }
    }

    async fn document(&self, ctx: &CallContext, document: &DocumentRef) -> Result<ByteStream, CallError> {
        match mapping::place(&document.locator) {
            Some(Place::Report(id)) => self.client.report_pdf(ctx, id).await,
            Some(Place::Link(link)) => self.client.applicant_document(ctx, link).await,
            None => Err(bad_request()),
        }
    }

    fn settle_window(&self, check: &CheckInput) -> Duration {
        match Asked::of(check) {
            Some(asked) if asked.employer.is_none() => self.settings.search_settle,
            _ => self.settings.timing.settle,
        }
    }

    fn compare(&self, check: &CheckInput, snapshot: Snapshot) -> Snapshot {
        let claim = Claim::of(check);
        match mapping::read(snapshot.payload.expose()) {
            Some(order) if claim.is_some() => {
                let payload = snapshot.payload.expose().clone();
                mapping::snapshot(order, claim.as_ref(), payload)
            }
            _ => snapshot,
        }
    }

    fn receive_hook(&self, request: &HookRequest) -> Result<Vec<HookNews>, HookRefused> {
        hooks::receive(&self.settings.hook_tokens, request)
    }

    fn passthrough(&self) -> Option<&dyn Passthrough> {
        Some(self)
    }

    async fn probe(&self, ctx: &CallContext) -> Result<(), ProbeFault> {
        let answer = self.client.orders(ctx, None, 1, 0).await?;
        match answer.status.as_u16() {
            200 => {
                answer.json::<wire::OrderPage>().map(|_| ()).map_err(|error| ProbeFault::Unexpected(error.to_string()))
            }
            401 | 403 => Err(ProbeFault::Credentials(format!("it answers {}", answer.status.as_u16()))),
            406 => Err(ProbeFault::Credentials(format!(
                "the API key is pinned to a newer version than {}",
                self.settings.version.as_str()
            ))),
            status => Err(ProbeFault::Unexpected(format!("it answers {status} to a list of orders"))),
        }
    }
}

/// The caller's reason in the vendor's words. Anything else is `immediate`: by an older rule of the vendor the other
/// reasons are taken only from two days after the creation. The caller's own words go into the details.
fn cancellation_reason(code: &str) -> &'static str {
    match code {
        "high_turnaround_time" | "high-turnaround-time" => "high-turnaround-time",
        "competitor" => "competitor",
        "wrong_info" | "wrong-info" => "wrong-info",
        "other" => "other",
        _ => "immediate",
    }
}

fn descriptor(settings: &Settings) -> Descriptor {
    // Not bound to countries: neither product names one, and it is the social security number that makes it the US.
    let product =
        |check_type| Product { check_type, countries: Vec::new(), required_inputs: validate::required_inputs() };
    Descriptor {
        id: ProviderId::new(ID),
        display_name: "Truework",
        products: vec![product(CheckType::EmploymentVerification), product(CheckType::IncomeVerification)],
        batch_size: 1,
        cancel: CancelSupport::Yes,
        hooks: HookAuthentication::StaticToken,
        reuses_objects: false,
        timing: settings.timing,
    }
}
