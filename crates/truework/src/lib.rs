//! Adapter for Truework: employment and income verifications in the US.
//!
//! The rooms: [`settings`], `client` (the calls; the only I/O), `signature` (whether an answer is the vendor's), `wire` (the
//! vendor's JSON, by version), `validate` and `options` (what is refused before acceptance), `request` (ours → theirs),
//! `mapping`, `found`, `details`, `inquiries` and `compare` (theirs → ours), `submit` (what a create's answer proves), `locate`
//! (finding a lost create again), `hooks`, `timeline`; and what the vendor has beyond checks: [`reverify`], [`session`].
//! `docs/vendors/truework.md` lists every quirk of the vendor with the room that knows it.

mod client;
mod compare;
mod details;
mod found;
mod hooks;
mod inquiries;
mod locate;
mod mapping;
mod options;
mod passthrough;
mod products;
mod request;
pub mod reverify;
#[cfg(test)]
mod samples;
pub mod session;
pub mod settings;
pub mod signature;
mod submit;
mod timeline;
mod validate;
mod wire;

use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use domain::case::Sightings;
use domain::{CheckInput, CheckType, FieldError, OrderInput, ProviderId, Reason, Standing, VendorRef};
use provider::{
    ByteStream, CallContext, CallError, CancelAnswer, CancelSupport, Descriptor, DocumentRef, Evidence, Fetched,
    HookAuthentication, HookNews, HookRefused, HookRequest, ItemOutcome, LocateQuery, LostReason, Passthrough,
    ProbeFault, Product, Provider, Snapshot, Submission, SubmissionItem, SubmitReport, SweepQuery, Timeline, vendor_id,
};

use crate::client::{Client, bad_request, unexpected};
use crate::compare::Claim;
use crate::locate::Shelf;
use crate::mapping::Place;
use crate::request::{Asked, Mode};
pub use crate::reverify::Reverification;
pub use crate::settings::{Settings, SettingsError, Version};
pub use crate::signature::{SignatureKey, SignatureMode};
use crate::submit::Account;
use crate::wire::CancelOrder;

/// The word for this vendor in settings and in the API.
pub const ID: &str = "truework";

/// One account at Truework.
pub struct Truework {
    descriptor: Descriptor,
    settings: Settings,
    is_sandbox: bool,
    client: Client,
}

impl Truework {
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        Ok(Self {
            descriptor: descriptor(&settings),
            client: Client::new(&settings)?,
            is_sandbox: settings.is_sandbox(),
            settings,
        })
    }

    async fn create(
        &self,
        ctx: &CallContext,
        submission: &Submission,
        item: &SubmissionItem,
    ) -> (ItemOutcome, Evidence) {
        let version = self.settings.version;
        let Some(create) = request::create(version, &item.order, &item.check, item.reference) else {
            let why = Reason::new("input_missing", "The check lacks something that Truework needs.");
            return (ItemOutcome::Rejected(why), Evidence::default());
        };
        let Ok(body) = serde_json::to_vec(&create.body) else {
            let why = Reason::new("input_unusable", "The check cannot be written as JSON.");
            return (ItemOutcome::Rejected(why), Evidence::default());
        };
        let started = Instant::now();
        match self.client.create(ctx, create.mode, body).await {
            Ok(answer) => {
                let claim = Claim::of(&item.check);
                let mut outcome = submit::classify(&answer, self.account(), item.reference, claim.as_ref());
                if let ItemOutcome::Accepted(accepted) = &mut outcome
                    && !version.has_orders()
                    && create.mode == (Mode::EmployerSearch { analytics: true })
                {
                    // An older version's create gives no analytics, so its answer is not the whole result: a fetch is.
                    accepted.snapshot = None;
                }
                (outcome, Evidence::of(&answer))
            }
            Err(error) => {
                let mut report = SubmitReport::of_error(submission, &error, started.elapsed());
                (report.items.swap_remove(0), report.evidence)
            }
        }
    }

    const fn account(&self) -> Account {
        Account { version: self.settings.version, is_sandbox: self.is_sandbox }
    }

    const fn shelf(&self) -> Shelf<'_> {
        Shelf { client: &self.client, version: self.settings.version }
    }

    /// The order that holds this verification, with its id: checks that were made while an older version was set are known
    /// by their verification.
    async fn order_of(&self, ctx: &CallContext, verification: &str) -> Result<Option<(String, Bytes)>, CallError> {
        if !self.settings.version.has_orders() {
            return Ok(None);
        }
        let answer = self.client.orders_of(ctx, verification).await?;
        if answer.status.as_u16() != 200 {
            return Err(unexpected(&answer));
        }
        let page: wire::RawPage = answer.json()?;
        for row in page.results.into_iter().flatten() {
            let order = mapping::read(row.get().as_bytes());
            // The filter is not trusted.
            let id = order.filter(|order| order.has(verification)).and_then(|order| order.id);
            if let Some(id) = id.as_deref().and_then(vendor_id) {
                return Ok(Some((id, Bytes::copy_from_slice(row.get().as_bytes()))));
            }
        }
        Ok(None)
    }

    /// An order as it was read, completed by what was asked for and is to be read elsewhere.
    async fn whole(&self, ctx: &CallContext, id: &str, body: Bytes) -> Result<Snapshot, CallError> {
        let unreadable = CallError::Lost { why: LostReason::Unreadable };
        let order = mapping::read(&body).ok_or(unreadable.clone())?;
        if order.id.as_deref() != Some(id) {
            return Err(unreadable);
        }
        // An older version has given all in the one call.
        let lacking = if self.settings.version.has_orders() { mapping::lacking_analytics(&order) } else { Vec::new() };
        let reports = self.analytics(ctx, &lacking).await?;
        if reports.is_empty() {
            return Ok(mapping::snapshot(order, None, body));
        }
        let payload = mapping::with_reports(&body, &reports);
        let order = mapping::read(&payload).ok_or(unreadable)?;
        Ok(mapping::snapshot(order, None, payload))
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
        validate::validate(order, check, self.settings.version, self.is_sandbox)
    }

    fn products(&self) -> &'static [&'static str] {
        products::PRODUCTS
    }

    fn as_product(&self, product: &str, check: &CheckInput) -> Result<CheckInput, FieldError> {
        products::as_product(product, check, self.settings.version)
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
        locate::locate(self.shelf(), ctx, query).await
    }

    async fn sweep(&self, ctx: &CallContext, query: &SweepQuery) -> Sightings {
        locate::sweep(self.shelf(), ctx, query).await
    }

    async fn fetch(&self, ctx: &CallContext, vendor: &VendorRef) -> Result<Fetched, CallError> {
        let answer = self.client.order(ctx, &vendor.order_id).await?;
        let found = match answer.status.as_u16() {
            200 => Some((vendor.order_id.clone(), answer.body)),
            404 => self.order_of(ctx, &vendor.order_id).await?,
            451 => return Ok(Fetched::Found(Box::new(mapping::frozen(answer.body)))),
            _ => return Err(unexpected(&answer)),
        };
        match found {
            Some((id, body)) => self.whole(ctx, &id, body).await.map(|snapshot| Fetched::Found(Box::new(snapshot))),
            None => Ok(Fetched::Missing),
        }
    }

    async fn cancel(&self, ctx: &CallContext, vendor: &VendorRef, reason: &Reason) -> Result<CancelAnswer, CallError> {
        let order = CancelOrder {
            cancellation_reason: cancellation_reason(&reason.code),
            cancellation_details: reason.message.clone(),
        };
        let body = serde_json::to_vec(&order).map_err(|_| bad_request())?;
        let mut answer = self.client.cancel(ctx, &vendor.order_id, body.clone()).await?;
        if answer.status.as_u16() == 404
            && let Some((id, _)) = self.order_of(ctx, &vendor.order_id).await?
        {
            answer = self.client.cancel(ctx, &id, body).await?;
        }
        match answer.status.as_u16() {
            // The answer is a part of the order, and once was empty: a fetch shows what became of it. Only where there is
            // nothing to stop, it never would.
            200..=204 => {
                let stopped = mapping::read(&answer.body).and_then(|order| order.verification_requests);
                Ok(if stopped.is_some_and(|stopped| stopped.is_empty()) {
                    CancelAnswer::Refused(Reason::new(
                        "nothing_to_stop",
                        "The applicant has not signed in, so Truework has nothing to stop yet. Do not hand the link on.",
                    ))
                } else {
                    CancelAnswer::Agreed
                })
            }
            451 => Ok(CancelAnswer::Refused(submit::ssn_frozen())),
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
        match Place::read(&document.locator) {
            Some(Place::Report(id)) => self.client.report_pdf(ctx, &id).await,
            // Ids of reports stay what they are when a newer version is set.
            Some(Place::OlderReport { report, .. }) if self.settings.version.has_orders() => {
                self.client.report_pdf(ctx, &report).await
            }
            Some(Place::OlderReport { verification, report }) => {
                self.client.older_report_pdf(ctx, &verification, &report).await
            }
            Some(Place::Link(link)) => self.client.applicant_document(ctx, &link).await,
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
        // Nothing else depends on the claim, and not every payload is an order.
        let is_completed = matches!(snapshot.standing, Standing::Completed { .. });
        match mapping::read(snapshot.payload.expose()) {
            Some(order) if claim.is_some() && is_completed => {
                let payload = snapshot.payload.expose().clone();
                mapping::snapshot(order, claim.as_ref(), payload)
            }
            _ => snapshot,
        }
    }

    fn receive_hook(&self, request: &HookRequest) -> Result<Vec<HookNews>, HookRefused> {
        hooks::receive(&self.settings.hook_tokens, self.settings.version, request)
    }

    fn passthrough(&self) -> Option<&dyn Passthrough> {
        Some(self)
    }

    fn timeline(&self) -> Option<&dyn Timeline> {
        self.settings.version.has_orders().then_some(self as &dyn Timeline)
    }

    async fn probe(&self, ctx: &CallContext) -> Result<(), ProbeFault> {
        let (answer, signature) = self.client.probe(ctx).await?;
        if let Some(fault) = signature
            && self.settings.signature == SignatureMode::Require
        {
            return Err(ProbeFault::Unexpected(format!(
                "truework.signature is \"require\", and of an answer with {} {fault}; check truework.signature_keys, or set \
                 truework.signature to \"warn\"",
                answer.status.as_u16()
            )));
        }
        match answer.status.as_u16() {
            200 => mapping::page(self.settings.version, &answer)
                .map(|_| ())
                .map_err(|error| ProbeFault::Unexpected(error.to_string())),
            401 | 403 => Err(ProbeFault::Credentials(format!("it answers {}", answer.status.as_u16()))),
            406 => Err(ProbeFault::Credentials(format!(
                "it answers 406: {}",
                submit::version_refused(self.settings.version)
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
