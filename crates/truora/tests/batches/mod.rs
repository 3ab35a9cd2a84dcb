//! The vendor's own batches, over sockets: each step, each doubt, each shape of report.

mod doubts;
mod kinship;
mod links;
mod reports;
mod shapes;
mod steps;

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{CheckId, Reference, Sensitive, Timestamp};
use provider::call::Unlimited;
use provider::{
    Bulk, BulkProgress, BulkStage, BulkState, CallContext, Provider as _, RowOutcome, Share, SubmissionItem,
};
use sandbox::truora::Config;
use sandbox::{Books, Running, SimClock};
use serde_json::{Value, json};
use truora::Truora;
use uuid::Uuid;

use crate::support::{check, colombian, order, truora};

/// How long a lost call may take to show its effect.
const SETTLE: Duration = Duration::from_mins(2);

/// An adapter at a simulator of its own, and one file on its way as an engine would drive it.
struct Site {
    simulator: Running,
    truora: Truora,
}

/// A file, and where it stands.
struct File {
    items: Vec<SubmissionItem>,
    state: BulkState,
    /// The stages it went through.
    stages: Vec<BulkStage>,
}

impl Site {
    async fn start() -> Self {
        let config = Config::default();
        let simulator = sandbox::truora::start(0, SimClock::wall(), config.clone()).await.expect("a simulator");
        let truora = truora(simulator.base_url(), &config.api_key, &config.hook_key);
        Self { simulator, truora }
    }

    /// With these switches of batches.
    async fn with(batches: Value) -> Self {
        let site = Self::start().await;
        site.behave(&json!({ "batches": batches }));
        site
    }

    fn behave(&self, behavior: &Value) {
        self.simulator.control().set_behavior(behavior.clone()).expect("known switches");
    }

    fn arm(&self, fault: &Value) {
        self.simulator.control().arm(serde_json::from_value(fault.clone()).expect("a fault"));
    }

    fn books(&self) -> Books {
        self.simulator.control().books()
    }

    fn bulk(&self) -> &dyn Bulk {
        self.truora.bulk().expect("it has batches")
    }

    /// One step; a wait goes by at once.
    async fn step(&self, file: &mut File) -> BulkProgress {
        let progress = self.bulk().step(&context(), &file.state, &file.items).await;
        match &progress {
            BulkProgress::Next { stage, memory } => file.enter(*stage, memory.clone()),
            BulkProgress::Wait { after, memory } => {
                file.state.memory = memory.clone();
                self.pass(file, *after);
            }
            BulkProgress::NotSent { retry_after, .. } => {
                self.pass(file, retry_after.unwrap_or(Duration::from_secs(1)));
            }
            BulkProgress::Doubt { .. } => {
                (file.state.in_doubt, file.state.doubtful_since) = (true, Some(file.state.now));
                self.pass(file, Duration::from_secs(1));
            }
            BulkProgress::Done { .. } => {}
        }
        progress
    }

    fn pass(&self, file: &mut File, time: Duration) {
        self.simulator.control().advance(time);
        file.state.now = file.state.now + time;
    }

    /// Steps until the file is in this stage.
    async fn bring_to(&self, file: &mut File, stage: BulkStage) {
        for _ in 0..500 {
            if file.state.stage == stage {
                return;
            }
            assert!(!matches!(self.step(file).await, BulkProgress::Done { .. }), "over before {stage:?}");
        }
        panic!("never in {stage:?}");
    }

    /// Steps until it is over.
    async fn finish(&self, file: &mut File) -> Vec<RowOutcome> {
        for _ in 0..2_000 {
            if let BulkProgress::Done { rows, .. } = self.step(file).await {
                assert_eq!(rows.len(), file.items.len());
                return rows;
            }
        }
        panic!("it never ends");
    }

    /// The reference of the check that each row was given; `None` for rows without one.
    fn made(&self, rows: &[RowOutcome]) -> Vec<Option<String>> {
        let books = self.books();
        let reference = |row: &RowOutcome| {
            let RowOutcome::Made(made) = row else { return None };
            let object = books.objects.iter().find(|object| object.id == made.vendor.order_id).expect("a check");
            object.references.first().cloned()
        };
        rows.iter().map(reference).collect()
    }
}

impl File {
    fn of(items: Vec<SubmissionItem>) -> Self {
        let now = now();
        let state = BulkState {
            stage: BulkStage::Create,
            memory: Sensitive::new(Value::Null),
            in_doubt: false,
            entered_at: now,
            doubtful_since: None,
            now,
            settle: SETTLE,
        };
        Self { items, state, stages: vec![BulkStage::Create] }
    }

    /// Colombians with these numbers.
    fn of_numbers(numbers: &[&str]) -> Self {
        Self::of(numbers.iter().map(|number| item(&colombian(number), &json!({ "country": "CO" }))).collect())
    }

    fn enter(&mut self, stage: BulkStage, memory: Sensitive<Value>) {
        self.stages.push(stage);
        let now = self.state.now;
        self.state =
            BulkState { stage, memory, in_doubt: false, entered_at: now, doubtful_since: None, ..self.state.clone() };
    }

    fn references(&self) -> Vec<Option<String>> {
        self.items.iter().map(|item| Some(item.reference.to_string())).collect()
    }
}

fn context() -> CallContext {
    let timeout = Duration::from_secs(30);
    CallContext::new(Share::Create, timeout, Arc::new(Unlimited)).with_lease(Instant::now() + timeout * 2)
}

#[expect(clippy::disallowed_methods, reason = "the simulator runs by the wall clock")]
fn now() -> Timestamp {
    Timestamp::new(time::OffsetDateTime::now_utc())
}

fn item(subject: &Value, fields: &Value) -> SubmissionItem {
    SubmissionItem {
        reference: Reference::first(CheckId::from_uuid(Uuid::now_v7())),
        order: Arc::new(order(subject)),
        check: Arc::new(check(fields)),
        force_new: false,
    }
}

/// Each outcome as a word, and its reason's code.
fn words(rows: &[RowOutcome]) -> Vec<String> {
    let word = |row: &RowOutcome| match row {
        RowOutcome::Made(made) if made.reused => "reused".to_owned(),
        RowOutcome::Made(_) => "made".to_owned(),
        RowOutcome::Refused(why) => format!("refused {}", why.code),
        RowOutcome::NotBegun(why) => format!("not begun {}", why.code),
        RowOutcome::Missing(why) => format!("missing {}", why.code),
        RowOutcome::Ambiguous(why) => format!("ambiguous {}", why.code),
    };
    rows.iter().map(word).collect()
}
