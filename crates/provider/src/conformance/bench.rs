//! What the rules work with: an adapter, its simulator, and samples of what can be ordered.

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::case::Sightings;
use domain::{CheckId, CheckInput, OrderInput, Outcome, Reference, Standing, SubmissionId, Timestamp, VendorRef};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use super::control::Control;
use crate::call::Budget;
use crate::{
    Accepted, CallContext, CallError, Fetched, HookRequest, ItemOutcome, LocateQuery, Provider, Share, Snapshot,
    Sought, Submission, SubmissionItem, SubmitReport, SweepQuery,
};

/// An adapter at its simulator.
pub struct Bench {
    pub provider: Arc<dyn Provider>,
    /// The same, with credentials that the vendor refuses.
    pub with_bad_credentials: Arc<dyn Provider>,
    /// The same, with base URLs where nobody listens: [`nowhere`].
    pub unreachable: Arc<dyn Provider>,
    pub control: Control,
    /// What can be ordered. The first is the plainest one; more than one make the suite stronger.
    pub samples: Vec<Sample>,
    pub hooks: HookSamples,
    /// Whether this vendor's 429 proves that nothing was made, as it does where limits are known to be enforced before the
    /// work. Where it is not, a create that meets one is unknown.
    pub rate_limit_is_proof: bool,
    /// Whatever must live as long as the bench, such as the running simulator.
    pub keep: Box<dyn Any + Send + Sync>,
}

/// One kind of check that can be ordered, with synthetic data.
#[derive(Clone)]
pub struct Sample {
    pub name: &'static str,
    pub order: OrderInput,
    pub check: CheckInput,
    /// How the simulator makes it end.
    pub ends: Ends,
}

/// Where a check comes to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    Completed(Outcome),
    Canceled,
    Failed,
    /// It waits for somebody, for good.
    Waiting,
}

impl Ends {
    pub(super) fn are_reached(self, standing: &Standing) -> bool {
        match standing {
            Standing::Completed { outcome, .. } => self == Self::Completed(*outcome),
            Standing::Canceled { .. } => self == Self::Canceled,
            Standing::Failed { .. } => self == Self::Failed,
            Standing::Waiting { .. } => self == Self::Waiting,
            _ => false,
        }
    }
}

/// Hooks of the vendor, for `receive_hook`.
#[derive(Default)]
pub struct HookSamples {
    /// Rightly signed, or with the right token.
    pub authentic: Vec<HookRequest>,
    /// Wrong in whatever way the vendor's scheme can be wrong.
    pub forged: Vec<HookRequest>,
}

/// A loopback URL where nobody listens.
pub fn nowhere() -> Url {
    // The port is free again once the listener is dropped, and the system hands out others first.
    let address = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    Url::parse(&format!("http://{}/", address.expect("a free port"))).expect("a URL")
}

/// A time-out that is never reached, and the one for calls that are never answered.
pub(super) const LONG: Duration = Duration::from_mins(1);
pub(super) const SHORT: Duration = Duration::from_millis(1500);

/// A budget without limits that remembers the rests it was asked for.
#[derive(Default)]
pub(super) struct Watched(Mutex<Vec<Duration>>);

impl Watched {
    pub(super) fn rests(&self) -> Vec<Duration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Budget for Watched {
    async fn take(&self, _: Share, _: Duration) -> Result<(), Duration> {
        Ok(())
    }

    async fn pause(&self, rest: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(rest);
    }
}

pub(super) fn context(share: Share, timeout: Duration) -> CallContext {
    let ctx = CallContext::new(share, timeout, Arc::new(Watched::default()));
    if share == Share::Create { ctx.with_lease(Instant::now() + timeout + Duration::from_secs(5)) } else { ctx }
}

#[expect(clippy::disallowed_methods, reason = "the simulators run by the wall clock")]
pub(super) fn now() -> Timestamp {
    Timestamp::new(time::OffsetDateTime::now_utc())
}

/// A submission of these samples, one item each, under new references.
pub(super) fn submission<'a>(samples: impl IntoIterator<Item = &'a Sample>) -> Submission {
    let item = |sample: &Sample| SubmissionItem {
        reference: Reference::first(CheckId::from_uuid(Uuid::now_v7())),
        order: Arc::new(sample.order.clone()),
        check: Arc::new(sample.check.clone()),
        force_new: false,
    };
    Submission {
        id: SubmissionId::from_uuid(Uuid::now_v7()),
        items: samples.into_iter().map(item).collect(),
        joint: false,
        hook_url: None,
    }
}

/// The question for the items of these submissions.
pub(super) fn query<'a>(submissions: impl IntoIterator<Item = &'a Submission>, since: Timestamp) -> LocateQuery {
    let sought = |item: &SubmissionItem| Sought {
        reference: item.reference,
        sent_at: since,
        order: Arc::clone(&item.order),
        check: Arc::clone(&item.check),
    };
    LocateQuery {
        sought: submissions.into_iter().flat_map(|submission| submission.items.iter().map(sought)).collect(),
        since: since - Duration::from_mins(5),
        until: since + Duration::from_mins(15),
        started_at: now(),
        settled: BTreeSet::new(),
    }
}

impl Bench {
    pub(super) fn plain(&self) -> &Sample {
        self.samples.first().expect("at least one sample")
    }

    pub(super) async fn submit(&self, submission: &Submission) -> SubmitReport {
        let report = self.provider.submit(&context(Share::Create, LONG), submission).await;
        assert_eq!(report.items.len(), submission.items.len(), "one outcome per item");
        report
    }

    /// Orders one check and takes it for granted that this works.
    pub(super) async fn order(&self, sample: &Sample) -> (Submission, Accepted) {
        let submission = submission([sample]);
        let mut report = self.submit(&submission).await;
        match report.items.swap_remove(0) {
            ItemOutcome::Accepted(accepted) => (submission, *accepted),
            other => panic!("{}: not accepted: {}", sample.name, told(&other)),
        }
    }

    pub(super) async fn locate(&self, query: &LocateQuery) -> Sightings {
        self.provider.locate(&context(Share::LookUp, LONG), query).await
    }

    pub(super) async fn sweep(&self, query: &SweepQuery) -> Sightings {
        self.provider.sweep(&context(Share::LookUp, LONG), query).await
    }

    pub(super) async fn fetch(&self, vendor: &VendorRef) -> Result<Fetched, CallError> {
        self.provider.fetch(&context(Share::Poll, LONG), vendor).await
    }

    pub(super) async fn look(&self, sample: &Sample, vendor: &VendorRef) -> Snapshot {
        match self.fetch(vendor).await {
            Ok(Fetched::Found(snapshot)) => {
                assert!(!snapshot.native_status.is_empty(), "{}: a snapshot without the vendor's word", sample.name);
                self.provider.compare(&sample.check, *snapshot)
            }
            other => panic!("{}: not found: {other:?}", sample.name),
        }
    }

    /// Lets time go by until the check has come to rest.
    pub(super) async fn settle(&self, sample: &Sample, vendor: &VendorRef) -> Snapshot {
        let mut step = Duration::from_secs(1);
        let mut snapshot = self.look(sample, vendor).await;
        for _ in 0..30 {
            let at_rest = snapshot.standing.is_final() || sample.ends.are_reached(&snapshot.standing);
            if at_rest {
                return snapshot;
            }
            self.control.advance(step).await;
            step = (step * 2).min(Duration::from_hours(24));
            snapshot = self.look(sample, vendor).await;
        }
        panic!("{}: still {:?} ({:?}) after weeks", sample.name, snapshot.native_status, snapshot.standing);
    }
}

/// An outcome with the sentence that its `Debug` rightly hides; all data here is synthetic.
pub(super) fn told(outcome: &ItemOutcome) -> String {
    match outcome {
        ItemOutcome::Rejected(why) | ItemOutcome::NotSent { why, .. } | ItemOutcome::Unknown { why, .. } => {
            format!("{outcome:?}: {}", why.message)
        }
        ItemOutcome::Accepted(_) => format!("{outcome:?}"),
    }
}

impl Sample {
    /// The values that must not show in anything printed.
    fn personal(&self) -> Vec<String> {
        let mut values = Vec::new();
        let subject = serde_json::to_value(&self.order.subject).expect("a subject");
        collect_personal(&subject, &mut values);
        values
    }

    /// Fails if a text that anybody may read holds personal data.
    pub(super) fn is_not_in(&self, text: &str) {
        for value in self.personal() {
            assert!(!text.contains(&value), "{}: a text that may be logged holds personal data: {text}", self.name);
        }
    }
}

fn collect_personal(value: &Value, into: &mut Vec<String>) {
    /// Words of small vocabularies say nothing about a person by themselves, and occur in other words.
    const PLAIN: [&str; 6] = ["type", "country", "nationality", "gender", "region", "city"];
    match value {
        Value::String(text) if text.chars().count() > 3 => into.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| collect_personal(value, into)),
        Value::Object(fields) => {
            fields
                .iter()
                .filter(|(key, _)| !PLAIN.contains(&key.as_str()))
                .for_each(|(_, v)| collect_personal(v, into));
        }
        _ => {}
    }
}
