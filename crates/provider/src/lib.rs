//! The contract between the engine and the vendors.
//!
//! The engine knows vendors only through [`Provider`]. An adapter knows neither the database nor the API: it turns our
//! words into a vendor's calls and its answers into ours, and says honestly what a failed call proves and what it does not.
//!
//! A new vendor is one crate that implements [`Provider`], one simulator, and a run of the conformance suite.

pub mod action;
pub mod administration;
pub mod bulk;
pub mod call;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod descriptor;
pub mod document;
pub mod findings;
pub mod hook;
pub mod hook_log;
pub mod http;
pub mod joining;
pub mod language;
pub mod locate;
pub mod monitoring;
pub mod order_of_rows;
pub mod passthrough;
pub mod reverification;
pub mod snapshot;
pub mod submit;
pub mod text;
pub mod timeline;

use std::time::Duration;

use async_trait::async_trait;
use domain::{CheckInput, FieldError, OrderInput, Reason, VendorRef};

pub use crate::action::{Acted, Actions};
pub use crate::administration::{
    Administration, AdministrationFault, CustomType, NamesMatching, Objection, SettingsChange, Source, SourceHour,
};
pub use crate::bulk::{Bulk, BulkProgress, BulkStage, BulkState, Kinship, RowOutcome};
pub use crate::call::{Budget, CallContext, CallError, LostReason, NotSentReason, Share};
pub use crate::descriptor::{CancelSupport, Descriptor, HookAuthentication, Product, Timing};
pub use crate::document::opened;
pub use crate::findings::{AllDetails, DetailsPage, Findings, FindingsError};
pub use crate::hook::{HookNews, HookRefused, HookRequest, HookSays};
pub use crate::hook_log::{HookLog, LogEntry, LogReading};
pub use crate::http::{ByteStream, VendorAnswer, VendorHttp, VendorRequest};
pub use crate::joining::{Joining, Part};
pub use crate::language::Language;
pub use crate::locate::{LocateQuery, Sought, SweepQuery};
pub use crate::monitoring::{MonitorChange, MonitorCreated, MonitorUpdated, Monitoring, VendorMonitor, VendorRun};
pub use crate::order_of_rows::RowOrder;
pub use crate::passthrough::{PassRefusal, Passed, PassedBody, PassedCall, Passthrough};
pub use crate::reverification::{Completed, Reverification};
pub use crate::snapshot::{Carries, DocumentRef, Fetched, Snapshot};
pub use crate::submit::{Accepted, Evidence, ItemOutcome, Submission, SubmissionItem, SubmitReport};
pub use crate::text::{native_status, vendor_code, vendor_id};
pub use crate::timeline::{Note, Timeline};

/// One account at one vendor.
#[async_trait]
pub trait Provider: Send + Sync {
    /// What the vendor can do, and how.
    fn descriptor(&self) -> &Descriptor;

    /// Everything the vendor will demand of this check, before the order is accepted. One entry per fault; empty: fine.
    fn validate(&self, order: &OrderInput, check: &CheckInput) -> Vec<FieldError>;

    /// The create call, made exactly once and never repeated in here. Gives one outcome per item, in their order.
    async fn submit(&self, ctx: &CallContext, submission: &Submission) -> SubmitReport;

    /// "Which of these are yours?" Looks for the references, reads as much as it takes to say that something is not
    /// there, and counts its calls. A failure makes the sightings incomplete; what was seen until then stays.
    async fn locate(&self, ctx: &CallContext, query: &LocateQuery) -> domain::case::Sightings;

    /// Reads everything that the account has of a stretch of time and is not settled. What carries a reference of our
    /// form is `found`, what was read and is none of ours is `dismissed`. Complete if all of it could be read.
    ///
    /// Nothing is sought, so nothing is a look-alike: what is dismissed here for want of any reference may still be like a
    /// check whose outcome is unknown, and is not to be kept from the looks for that check.
    async fn sweep(&self, ctx: &CallContext, query: &SweepQuery) -> domain::case::Sightings;

    /// How the vendor's object stands now.
    async fn fetch(&self, ctx: &CallContext, vendor: &VendorRef) -> Result<Fetched, CallError>;

    /// Asks the vendor to stop. Asking again for what is stopped already is fine.
    async fn cancel(&self, ctx: &CallContext, vendor: &VendorRef, reason: &Reason) -> Result<CancelAnswer, CallError>;

    /// The bytes of a document that a snapshot or [`documents`](Self::documents) named, in the language that the context
    /// asks for where the vendor can choose.
    async fn document(&self, ctx: &CallContext, document: &DocumentRef) -> Result<ByteStream, CallError>;

    /// What the vendor holds about an object beside what its snapshots name. Asked of a finished check, when somebody
    /// wants to see its documents.
    async fn documents(&self, _ctx: &CallContext, _vendor: &VendorRef) -> Result<Vec<DocumentRef>, CallError> {
        Ok(Vec::new())
    }

    /// How long this check may take to appear after a create call whose outcome is unknown.
    fn settle_window(&self, _check: &CheckInput) -> Duration {
        self.descriptor().timing.settle
    }

    /// Holds what a look found against what the subject claimed, for vendors that report and compare nothing themselves.
    /// Pure, and the same for a snapshot that was compared already. To be called on every snapshot of a fetch before it
    /// becomes an observation; a snapshot that was not is of partial certainty at such a vendor. Of a check that verifies a
    /// report again it also says whether the object shows that it was [made of that report's](Carries::Descent).
    fn compare(&self, _check: &CheckInput, snapshot: Snapshot) -> Snapshot {
        snapshot
    }

    /// Verifies a hook of the vendor and says what is in it. Pure: no I/O, and the same answer for the same request.
    fn receive_hook(&self, request: &HookRequest) -> Result<Vec<HookNews>, HookRefused>;

    /// The names of the vendor's own products that a caller may ask for, as in `truework:employer-search`.
    fn products(&self) -> &'static [&'static str] {
        &[]
    }

    /// The check as one of those products carries it out.
    fn as_product(&self, _product: &str, check: &CheckInput) -> Result<CheckInput, FieldError> {
        Ok(check.clone())
    }

    /// Its own batches, where the vendor has them and this adapter uses them.
    fn bulk(&self) -> Option<&dyn Bulk> {
        None
    }

    /// Several checks of one order as one object, where the vendor's objects have parts.
    fn joining(&self) -> Option<&dyn Joining> {
        None
    }

    /// Its own monitors, where the vendor has them and this adapter uses them.
    fn monitoring(&self) -> Option<&dyn Monitoring> {
        None
    }

    /// What its sources say beside a result, where the vendor tells.
    fn findings(&self) -> Option<&dyn Findings> {
        None
    }

    /// Its own calls that may be made through the gateway.
    fn passthrough(&self) -> Option<&dyn Passthrough> {
        None
    }

    /// Answers to actions, where the vendor takes any.
    fn actions(&self) -> Option<&dyn Actions> {
        None
    }

    /// What the account's owner can set up at the vendor, where the vendor offers it.
    fn administration(&self) -> Option<&dyn Administration> {
        None
    }

    /// The vendor's own log of its hooks, where it keeps one.
    fn hook_log(&self) -> Option<&dyn HookLog> {
        None
    }

    /// What the vendor verifies again more cheaply than it checks it, where it does and this adapter uses it.
    fn reverification(&self) -> Option<&dyn Reverification> {
        None
    }

    /// The vendor's own record of what it did for an order, where it keeps one.
    fn timeline(&self) -> Option<&dyn Timeline> {
        None
    }

    /// A cheap call that shows whether the vendor is reachable and the credentials are good. Makes nothing.
    async fn probe(&self, ctx: &CallContext) -> Result<(), ProbeFault>;
}

/// What a vendor said to a cancel call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancelAnswer {
    /// It stops; a fetch will show it.
    Agreed,
    /// There is nothing left to stop.
    AlreadyEnded,
    /// It cannot or will not.
    Refused(Reason),
}

/// What is wrong with an account's settings or the way to the vendor, in a sentence for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeFault {
    #[error("the vendor cannot be reached: {0}")]
    Unreachable(String),
    #[error("the vendor refuses the credentials: {0}")]
    Credentials(String),
    #[error("the vendor answers, but not as expected: {0}")]
    Unexpected(String),
}

impl From<CallError> for ProbeFault {
    fn from(error: CallError) -> Self {
        Self::Unreachable(error.to_string())
    }
}
