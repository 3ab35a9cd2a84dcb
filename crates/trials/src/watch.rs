//! A witness between the engine and the vendors: which create calls were really made, when, and how each ended. What the
//! engine writes down itself is not asked.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::case::Sightings;
use domain::{CheckInput, Clock as _, FieldError, OrderInput, Reason, Reference, Timestamp, VendorRef};
use provider::{
    Actions, Administration, Bulk, ByteStream, CallContext, CallError, CancelAnswer, Descriptor, DocumentRef, Fetched,
    HookLog, HookNews, HookRefused, HookRequest, ItemOutcome, Joining, LocateQuery, Monitoring, ProbeFault, Provider,
    Reverification, Snapshot, Submission, SubmitReport, SweepQuery, Timeline,
};

use crate::clock::TestClock;

/// One check in one create call.
#[derive(Debug, Clone)]
pub struct Sent {
    pub reference: Reference,
    /// How many checks the call carried.
    pub together: usize,
    pub at: Timestamp,
    /// When and how it ended. `None`: whoever made the call is gone.
    pub ended: Option<(Timestamp, Class)>,
}

/// What the end of a call proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Accepted,
    Rejected,
    NotSent,
    Unknown,
}

/// Every create call of a world, in the order of their beginnings. Clones share it.
#[derive(Clone, Default)]
pub struct Wire(Arc<Mutex<Vec<Sent>>>);

impl Wire {
    pub fn all(&self) -> Vec<Sent> {
        self.with(|sent| sent.clone())
    }

    pub fn count(&self) -> usize {
        self.with(|sent| sent.len())
    }

    fn with<T>(&self, look: impl FnOnce(&mut Vec<Sent>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An adapter whose create calls are noted.
pub(crate) struct Watched {
    pub provider: Arc<dyn Provider>,
    pub wire: Wire,
    pub clock: TestClock,
}

#[async_trait]
impl Provider for Watched {
    fn descriptor(&self) -> &Descriptor {
        self.provider.descriptor()
    }

    fn validate(&self, order: &OrderInput, check: &CheckInput) -> Vec<FieldError> {
        self.provider.validate(order, check)
    }

    async fn submit(&self, ctx: &CallContext, submission: &Submission) -> SubmitReport {
        let (at, together) = (self.clock.now(), submission.items.len());
        let first = self.wire.with(|sent| {
            let first = sent.len();
            let items = submission.items.iter();
            sent.extend(items.map(|item| Sent { reference: item.reference, together, at, ended: None }));
            first
        });
        let report = self.provider.submit(ctx, submission).await;
        let now = self.clock.now();
        self.wire.with(|sent| {
            for (sent, outcome) in sent[first..].iter_mut().zip(&report.items) {
                sent.ended = Some((now, class_of(outcome)));
            }
        });
        report
    }

    async fn locate(&self, ctx: &CallContext, query: &LocateQuery) -> Sightings {
        self.provider.locate(ctx, query).await
    }

    async fn sweep(&self, ctx: &CallContext, query: &SweepQuery) -> Sightings {
        self.provider.sweep(ctx, query).await
    }

    async fn fetch(&self, ctx: &CallContext, vendor: &VendorRef) -> Result<Fetched, CallError> {
        self.provider.fetch(ctx, vendor).await
    }

    async fn cancel(&self, ctx: &CallContext, vendor: &VendorRef, reason: &Reason) -> Result<CancelAnswer, CallError> {
        self.provider.cancel(ctx, vendor, reason).await
    }

    async fn document(&self, ctx: &CallContext, document: &DocumentRef) -> Result<ByteStream, CallError> {
        self.provider.document(ctx, document).await
    }

    fn settle_window(&self, check: &CheckInput) -> Duration {
        self.provider.settle_window(check)
    }

    fn compare(&self, check: &CheckInput, snapshot: Snapshot) -> Snapshot {
        self.provider.compare(check, snapshot)
    }

    fn receive_hook(&self, request: &HookRequest) -> Result<Vec<HookNews>, HookRefused> {
        self.provider.receive_hook(request)
    }

    fn monitoring(&self) -> Option<&dyn Monitoring> {
        self.provider.monitoring()
    }

    fn bulk(&self) -> Option<&dyn Bulk> {
        self.provider.bulk()
    }

    fn joining(&self) -> Option<&dyn Joining> {
        self.provider.joining()
    }

    fn actions(&self) -> Option<&dyn Actions> {
        self.provider.actions()
    }

    fn administration(&self) -> Option<&dyn Administration> {
        self.provider.administration()
    }

    fn reverification(&self) -> Option<&dyn Reverification> {
        self.provider.reverification()
    }

    fn hook_log(&self) -> Option<&dyn HookLog> {
        self.provider.hook_log()
    }

    fn timeline(&self) -> Option<&dyn Timeline> {
        self.provider.timeline()
    }

    fn products(&self) -> &'static [&'static str] {
        self.provider.products()
    }

    fn as_product(&self, product: &str, check: &CheckInput) -> Result<CheckInput, FieldError> {
        self.provider.as_product(product, check)
    }

    async fn probe(&self, ctx: &CallContext) -> Result<(), ProbeFault> {
        self.provider.probe(ctx).await
    }
}

const fn class_of(outcome: &ItemOutcome) -> Class {
    match outcome {
        ItemOutcome::Accepted(_) => Class::Accepted,
        ItemOutcome::Rejected(_) => Class::Rejected,
        ItemOutcome::NotSent { .. } => Class::NotSent,
        ItemOutcome::Unknown { .. } => Class::Unknown,
    }
}
