//! A check and the states it can be in, each with its data inside.

use serde::{Deserialize, Serialize};

use crate::id::{CheckId, OrderId, Reference, SubmissionId};
use crate::input::{CheckInput, CheckType};
use crate::observation::{Action, Certainty, ObservedAt, Standing, VendorRef};
use crate::party::AccountKey;
use crate::result::{CheckResult, Outcome, Reason, ResultDigest};
use crate::sensitive::Sensitive;
use crate::status::CheckStatus;
use crate::time::Timestamp;
use crate::waterfall::{Leg, Tried};

/// One product about the subject of an order, fulfilled by one vendor account.
#[derive(Debug, Clone)]
pub struct Check {
    pub id: CheckId,
    pub order_id: OrderId,
    /// Its place in the order, from 0.
    pub position: u16,
    pub kind: CheckType,
    pub account: AccountKey,
    /// 1, and one more for each further vendor and each retry with corrections.
    pub attempt: u16,
    pub input: Sensitive<CheckInput>,
    pub state: CheckState,
    pub created_at: Timestamp,
}

impl Check {
    pub const fn reference(&self) -> Reference {
        Reference { check: self.id, attempt: self.attempt }
    }

    pub fn status(&self) -> CheckStatus {
        self.state.status()
    }
}

/// Everything about a check that changes, and changes only in [`reduce`](crate::reduce()). Kept encrypted.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckState {
    pub stage: Stage,
    /// How many create calls may have reached the vendor.
    pub sends: u32,
    /// How often in a row it could not be sent at all.
    #[serde(default)]
    pub waits: u32,
    /// The vendor answered with an older object that may not be used: the next create must make a new one.
    #[serde(default)]
    pub force_new: bool,
    /// Set once, never taken back.
    pub cancel: Option<CancelIntent>,
    /// When the vendor's object was first known.
    pub submitted_at: Option<Timestamp>,
    /// When it became final.
    pub ended_at: Option<Timestamp>,
    /// The vendors that it is tried at in turn; none where there is one only, asked for none of its own products.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub legs: Vec<Leg>,
    /// Those that gave way to the next, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<Tried>,
}

impl std::fmt::Debug for CheckState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CheckState({})", self.status())
    }
}

/// The caller wants it stopped.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct CancelIntent {
    pub requested_at: Timestamp,
    pub reason: Reason,
    /// The vendor has been asked and agreed; a fetch will confirm it.
    pub asked: bool,
    /// The vendor cannot, or would not. The check goes on.
    pub refused: Option<Reason>,
}

impl CancelIntent {
    /// Whether the vendor must still be asked.
    pub const fn is_due(&self) -> bool {
        !self.asked && self.refused.is_none()
    }
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    /// Waits to be sent; `last` is why it waits again, `submission` the call before, if there was one.
    Queued { submission: Option<SubmissionId>, last: Option<Reason> },
    /// A create call is in flight, or was when its process died.
    Submitting { submission: SubmissionId },
    /// Nobody knows whether the create call made anything.
    Unconfirmed { submission: SubmissionId, why: Reason },
    /// Only a person can tell.
    NeedsReview { submission: SubmissionId, why: Reason },
    /// The vendor has it.
    Bound(Box<Binding>),
    /// It ended without a vendor's object.
    Closed { status: ClosedStatus, reason: Reason },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedStatus {
    Canceled,
    Failed,
}

/// A check that a vendor works on, and all that was seen of it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Binding {
    pub vendor: VendorRef,
    pub submission: SubmissionId,
    /// Bound by position in a batch's answer only, until the vendor's object was seen to carry our reference.
    pub provisional: bool,
    /// The latest look.
    pub latest: Option<Look>,
    pub ending: Option<Ending>,
    /// Each different result that was ever seen, by time. The ending's own is among them.
    pub results: Vec<Revision>,
}

/// The latest non-final look at the vendor's object.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Look {
    pub observed: ObservedAt,
    pub native_status: String,
    pub standing: Standing,
}

/// How the vendor's work ended.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Ending {
    pub observed: ObservedAt,
    pub native_status: String,
    pub standing: Standing,
}

/// A result as it was seen at some time.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Revision {
    pub digest: ResultDigest,
    /// The earliest sight of it.
    pub observed: ObservedAt,
    pub outcome: Outcome,
    pub certainty: Certainty,
    pub result: Option<CheckResult>,
}

impl CheckState {
    pub const fn new() -> Self {
        Self {
            stage: Stage::Queued { submission: None, last: None },
            sends: 0,
            waits: 0,
            force_new: false,
            cancel: None,
            submitted_at: None,
            ended_at: None,
            legs: Vec::new(),
            tried: Vec::new(),
        }
    }

    /// Whether `other` differs from this in nothing but when the same things were seen again.
    pub(crate) fn is_same_but_for_time(&self, other: &Self) -> bool {
        let mut other = other.clone();
        if let (Stage::Bound(ours), Stage::Bound(theirs)) = (&self.stage, &mut other.stage)
            && let (Some(ours), Some(theirs)) = (&ours.latest, &mut theirs.latest)
        {
            theirs.observed = ours.observed;
        }
        *self == other
    }

    pub fn status(&self) -> CheckStatus {
        match &self.stage {
            Stage::Queued { .. } => CheckStatus::Queued,
            Stage::Submitting { .. } => CheckStatus::Submitting,
            Stage::Unconfirmed { .. } => CheckStatus::Unconfirmed,
            Stage::NeedsReview { .. } => CheckStatus::NeedsReview,
            Stage::Closed { status: ClosedStatus::Canceled, .. } => CheckStatus::Canceled,
            Stage::Closed { status: ClosedStatus::Failed, .. } => CheckStatus::Failed,
            Stage::Bound(binding) => binding.status(),
        }
    }

    pub const fn binding(&self) -> Option<&Binding> {
        if let Stage::Bound(binding) = &self.stage { Some(binding) } else { None }
    }

    /// The submission that this state goes back to.
    pub const fn submission(&self) -> Option<SubmissionId> {
        match &self.stage {
            Stage::Queued { submission, .. } => *submission,
            Stage::Submitting { submission }
            | Stage::Unconfirmed { submission, .. }
            | Stage::NeedsReview { submission, .. } => Some(*submission),
            Stage::Bound(binding) => Some(binding.submission),
            Stage::Closed { .. } => None,
        }
    }

    pub fn outcome(&self) -> Option<Outcome> {
        match &self.binding()?.ending.as_ref()?.standing {
            Standing::Completed { outcome, .. } => Some(*outcome),
            _ => None,
        }
    }

    pub fn result(&self) -> Option<&CheckResult> {
        match &self.binding()?.ending.as_ref()?.standing {
            Standing::Completed { result, .. } => result.as_ref(),
            _ => None,
        }
    }

    /// What the vendor waits for, while it does.
    pub fn action(&self) -> Option<&Action> {
        let binding = self.binding()?;
        match (&binding.ending, &binding.latest) {
            (None, Some(Look { standing: Standing::Waiting { action }, .. })) => Some(action),
            _ => None,
        }
    }

    pub fn estimated_completion_at(&self) -> Option<Timestamp> {
        let binding = self.binding()?;
        match (&binding.ending, &binding.latest) {
            (None, Some(Look { standing: Standing::Working { estimated_completion_at }, .. })) => {
                *estimated_completion_at
            }
            _ => None,
        }
    }

    /// The vendor's own word for where it stands.
    pub fn native_status(&self) -> Option<&str> {
        let binding = self.binding()?;
        let ending = binding.ending.as_ref().map(|ending| ending.native_status.as_str());
        ending.or_else(|| binding.latest.as_ref().map(|look| look.native_status.as_str()))
    }

    /// Why it stands where it does, if there is more to say than the status says.
    pub fn status_reason(&self) -> Option<&Reason> {
        match &self.stage {
            Stage::Queued { last, .. } => last.as_ref(),
            Stage::Unconfirmed { why, .. } | Stage::NeedsReview { why, .. } => Some(why),
            Stage::Closed { reason, .. } => Some(reason),
            Stage::Submitting { .. } => None,
            Stage::Bound(binding) => match binding.ending.as_ref().map(|ending| &ending.standing) {
                Some(Standing::Canceled { reason } | Standing::Failed { reason }) => Some(reason),
                Some(Standing::Completed { reason, .. }) => reason.as_ref(),
                _ => self.cancel.as_ref().and_then(|cancel| cancel.refused.as_ref()),
            },
        }
    }

    /// How many different results were seen; 0 before the first.
    pub fn revision(&self) -> u32 {
        self.binding().map_or(0, |binding| u32::try_from(binding.results.len()).unwrap_or(u32::MAX))
    }

    /// Whether the vendor must be asked to cancel.
    pub fn cancel_is_due(&self) -> bool {
        self.cancel.as_ref().is_some_and(CancelIntent::is_due)
            && self.binding().is_some_and(|binding| binding.ending.is_none())
    }
}

impl Default for CheckState {
    fn default() -> Self {
        Self::new()
    }
}

impl Binding {
    fn status(&self) -> CheckStatus {
        match (&self.ending, &self.latest) {
            (Some(ending), _) => match ending.standing {
                Standing::Canceled { .. } => CheckStatus::Canceled,
                Standing::Failed { .. } => CheckStatus::Failed,
                _ => CheckStatus::Completed,
            },
            (None, Some(Look { standing: Standing::Waiting { .. }, .. })) => CheckStatus::ActionRequired,
            (None, _) => CheckStatus::InProgress,
        }
    }
}
