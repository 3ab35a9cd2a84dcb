//! The adapter for Theary (SNH AI): verifications of employments and educations in the US.
//!
//! Each check becomes one Theary order with exactly one search, whose `externalSearchId` is the check's reference: one
//! id then means one record, and a lost create can be found again. Where the caller asks for it, checks of one order share
//! a Theary order, each with a search of its own ([`submit`], [`part`]). `docs/vendors/theary.md` lists every quirk of the
//! vendor and where it is handled; [`submit`] says what each answer to a create proves, [`locate`] how an order is found.

mod client;
mod fetch;
mod hooks;
mod listing;
mod locate;
mod mapping;
mod options;
mod part;
mod passthrough;
mod releases;
mod settings;
pub mod submit;
mod tokens;
mod validate;
mod wire;

#[cfg(test)]
#[path = "../tests/conformance/samples.rs"]
mod samples;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::{CheckInput, CheckType, FieldError, OrderInput, ProviderId, Reason, Reference, VendorRef};
use provider::{
    ByteStream, CallContext, CallError, CancelAnswer, CancelSupport, Descriptor, DocumentRef, Fetched,
    HookAuthentication, HookNews, HookRefused, HookRequest, Joining, LocateQuery, Part, Passthrough, ProbeFault,
    Product, Provider, Submission, SubmitReport, SweepQuery, Timing, VendorHttp,
};

use crate::client::Client;
use crate::releases::Releases;
pub use crate::releases::UploadHosts;
pub use crate::settings::{AccountSettings, Credentials, Environment, OAuthClient};
pub use crate::tokens::TimeSource;
use crate::tokens::Tokens;

/// The word for Theary in settings and the API.
pub const ID: &str = "theary";

/// One account at Theary.
pub struct Theary {
    client: Client,
    /// `None`: releases stand in the orders.
    releases: Option<Releases>,
    settings: AccountSettings,
    descriptor: Descriptor,
}

impl Theary {
    /// `http` may be shared with other accounts and vendors.
    pub fn new(settings: AccountSettings, http: VendorHttp) -> Self {
        Self::with_clock(settings, http, Arc::new(Instant::now))
    }

    /// The same with a clock of its own, by which tokens end.
    pub fn with_clock(settings: AccountSettings, http: VendorHttp, clock: TimeSource) -> Self {
        let tokens = Tokens::new(settings.credentials.clone(), Arc::clone(&clock));
        Self {
            releases: settings.upload_hosts.clone().map(|hosts| Releases::new(hosts, clock)),
            client: Client::new(http, settings.base_url.clone(), tokens),
            descriptor: descriptor(settings.batch_size),
            settings,
        }
    }
}

fn descriptor(batch_size: usize) -> Descriptor {
    let always = [
        "person: subject.first_name, subject.last_name, subject.identifiers[ssn, US]",
        "addresses, if any: exactly one without `to`; line1, city, region, postal_code, from",
        "position.company, position.title, position.city, position.region (two letters), position.salary (USD, above zero)",
    ];
    let product = |check_type, own: &str| Product {
        check_type,
        countries: Vec::new(),
        required_inputs: always.iter().copied().chain([own]).map(str::to_owned).collect(),
    };
    Descriptor {
        id: ProviderId::new(ID),
        display_name: "Theary",
        products: vec![
            product(CheckType::EmploymentVerification, "check: employer.name, title"),
            product(CheckType::EducationVerification, "check: institution.name, qualification"),
        ],
        batch_size: batch_size.max(1),
        cancel: CancelSupport::Yes,
        hooks: HookAuthentication::SignedBody,
        reuses_objects: false,
        timing: Timing {
            // Longer than any server's time-out: siblings of a failed batch are made after the answer.
            settle: Duration::from_mins(15),
            timeout: Duration::from_mins(1),
            poll_min: Duration::from_mins(5),
            poll_max: Duration::from_hours(2),
            // None is documented.
            rate: None,
        },
    }
}

#[async_trait]
impl Provider for Theary {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn validate(&self, order: &OrderInput, check: &CheckInput) -> Vec<FieldError> {
        validate::validate(order, check, self.settings.environment.is_production())
    }

    async fn submit(&self, ctx: &CallContext, submission: &Submission) -> SubmitReport {
        submit::submit(&self.client, &self.settings, self.releases.as_ref(), ctx, submission).await
    }

    async fn locate(&self, ctx: &CallContext, query: &LocateQuery) -> domain::case::Sightings {
        locate::locate(&self.client, ctx, query).await
    }

    async fn sweep(&self, ctx: &CallContext, query: &SweepQuery) -> domain::case::Sightings {
        locate::locate(&self.client, ctx, &query.clone().into()).await
    }

    async fn fetch(&self, ctx: &CallContext, vendor: &VendorRef) -> Result<Fetched, CallError> {
        fetch::fetch(&self.client, ctx, vendor).await
    }

    async fn cancel(&self, ctx: &CallContext, vendor: &VendorRef, _reason: &Reason) -> Result<CancelAnswer, CallError> {
        fetch::cancel(&self.client, ctx, vendor).await
    }

    async fn document(&self, _ctx: &CallContext, _document: &DocumentRef) -> Result<ByteStream, CallError> {
        // The vendor hands out no documents, and no snapshot of this adapter names one.
        Err(client::bad_request())
    }

    fn receive_hook(&self, request: &HookRequest) -> Result<Vec<HookNews>, HookRefused> {
        hooks::receive(self.settings.hook_secret.as_ref(), request)
    }

    fn joining(&self) -> Option<&dyn Joining> {
        Some(self)
    }

    fn passthrough(&self) -> Option<&dyn Passthrough> {
        Some(self)
    }

    async fn probe(&self, ctx: &CallContext) -> Result<(), ProbeFault> {
        fetch::probe(&self.client, ctx).await
    }
}

#[async_trait]
impl Joining for Theary {
    fn joins(&self, check: &CheckInput) -> bool {
        options::ask_for_one_order(&check.vendor_options)
    }

    async fn fetch_part(&self, ctx: &CallContext, vendor: &VendorRef, reference: Reference) -> Result<Part, CallError> {
        part::fetch(&self.client, ctx, vendor, reference).await
    }
}
