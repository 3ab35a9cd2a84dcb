//! A vendor's own batches: many like checks go to it as one file, in steps that each can be resumed.
//!
//! The engine drives the steps and knows none of them by what it does: before each call it writes down that the call is
//! about to be made, after it what came of it. Where a call's outcome is not known – its answer was lost, or the process
//! died – the same step is asked for again with `in_doubt` set, and the adapter looks before it repeats anything.
//!
//! To the engine the whole of it is one submission: it ends with one [`RowOutcome`] per check.

use std::time::Duration;

use async_trait::async_trait;
use domain::{CheckInput, OrderInput, Reason, Sensitive, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call::{CallContext, CallError};
use crate::submit::{Accepted, Evidence, SubmissionItem};

/// The part of an adapter that sends files. See the module's documentation.
#[async_trait]
pub trait Bulk: Send + Sync {
    /// The most checks in one file.
    fn most_rows(&self) -> usize;

    /// From this many like checks of one batch on they go as a file; `None`: only where the caller asks for it.
    fn used_from(&self) -> Option<usize>;

    /// Whether, and with what others, this check can go in a file; `None`: it goes singly.
    fn kinship(&self, order: &OrderInput, check: &CheckInput) -> Option<Kinship>;

    /// Makes the next call. At most one that changes anything at the vendor.
    async fn step(&self, ctx: &CallContext, state: &BulkState, items: &[SubmissionItem]) -> BulkProgress;

    /// Asks the vendor to work on no more rows. What it has begun goes on; the rows' outcomes still come by
    /// [`step`](Self::step). It may be asked for more than once, and what has ended already is fine.
    async fn stop(&self, ctx: &CallContext, state: &BulkState) -> Result<(), CallError>;

    /// The vendor's own id of the batch, once the memory holds it. Shown to people, who look for it in its dashboard.
    fn vendor_batch_id(&self, _memory: &Value) -> Option<String> {
        None
    }
}

/// What decides which checks share a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kinship {
    /// Checks with the same one may share a file.
    pub file: String,
    /// A digest of what the vendor would know the subject by. Two with the same one never share a file: its rows could
    /// not be told apart.
    pub identity: [u8; 32],
    /// The caller asked for a file, however few the rows are.
    pub asked_for: bool,
}

/// The steps, in their order. Which calls they take is the adapter's own affair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BulkStage {
    /// The vendor is told that a file will come. Nothing is ordered by it.
    Create,
    /// The file is handed over. Nothing is ordered by it.
    Upload,
    /// The vendor is told to begin: from here on rows may become checks.
    Start,
    /// The vendor works on the rows.
    Run,
    /// The vendor is asked to write down what became of each row.
    Report,
    /// That is fetched and read.
    Read,
}

impl BulkStage {
    pub const ALL: [Self; 6] = [Self::Create, Self::Upload, Self::Start, Self::Run, Self::Report, Self::Read];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Upload => "upload",
            Self::Start => "start",
            Self::Run => "run",
            Self::Report => "report",
            Self::Read => "read",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == word)
    }
}

/// Where a file stands.
#[derive(Clone)]
pub struct BulkState {
    pub stage: BulkStage,
    /// What the adapter wants to know at the next step: ids, links, what it saw. Kept encrypted.
    pub memory: Sensitive<Value>,
    /// A call of this stage may have reached the vendor, and nobody knows what came of it.
    pub in_doubt: bool,
    /// When the stage was entered.
    pub entered_at: Timestamp,
    /// When the latest call whose outcome is not known ended, or its lease did. `None` where nothing is in doubt.
    pub doubtful_since: Option<Timestamp>,
    pub now: Timestamp,
    /// How long a call whose answer was lost may take to show its effect.
    pub settle: Duration,
}

impl BulkState {
    /// Whether a call in doubt would have shown its effect by now.
    pub fn is_settled(&self) -> bool {
        self.doubtful_since.is_none_or(|since| self.now >= since + self.settle)
    }
}

/// What a step came to.
#[derive(Clone)]
pub enum BulkProgress {
    /// The stage is over, and no call of it is in doubt any more. Also back to an earlier one: a file that provably was not
    /// begun is abandoned, and made anew. And also to the same one: a call in doubt was shown to have had no effect, and is
    /// made again.
    Next { stage: BulkStage, memory: Sensitive<Value> },
    /// Nothing new; ask again then. A doubt stays a doubt.
    Wait { after: Duration, memory: Sensitive<Value> },
    /// Provably without effect; try again.
    NotSent { why: Reason, retry_after: Option<Duration> },
    /// The call's outcome is not known: the same stage again, in doubt.
    Doubt { why: Reason },
    /// It is over: one outcome per item, in their order.
    Done { rows: Vec<RowOutcome>, evidence: Evidence },
}

/// What became of one check of a file.
#[derive(Debug, Clone)]
pub enum RowOutcome {
    /// The vendor made this object for it.
    Made(Box<Accepted>),
    /// Provably nothing was made, and sending again cannot help.
    Refused(Reason),
    /// Provably nothing was made, since the vendor never began; it is sent singly.
    NotBegun(Reason),
    /// Something may have been made: it is looked for by its reference, and sent again singly once it is shown to be
    /// nowhere.
    Missing(Reason),
    /// Something was made, and which of the rows it belongs to cannot be told: a person must decide. Never sent again by
    /// itself.
    Ambiguous(Reason),
}
