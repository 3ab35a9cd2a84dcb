//! The create call: what goes in, and the four classes it can end in.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::{AfterAbsence, CheckInput, OrderInput, Reason, Reference, Sensitive, SubmissionId, VendorRef};
use url::Url;

use crate::call::CallError;
use crate::snapshot::{Carries, Snapshot};

/// One create call.
#[derive(Clone)]
pub struct Submission {
    pub id: SubmissionId,
    /// One, or as many as the vendor takes in one call. Of one tenant.
    pub items: Vec<SubmissionItem>,
    /// The items are of one order, and become parts of one object ([`Joining`](crate::Joining)).
    pub joint: bool,
    /// Where the vendor may send its hooks, for vendors that are told with each order.
    pub hook_url: Option<Url>,
}

#[derive(Clone)]
pub struct SubmissionItem {
    /// What the vendor must be given to know it by.
    pub reference: Reference,
    pub order: Arc<OrderInput>,
    pub check: Arc<CheckInput>,
    /// Make a new object even where the vendor would answer with an older one.
    pub force_new: bool,
}

/// How a create call ended.
#[derive(Debug, Clone)]
pub struct SubmitReport {
    /// One per item, in their order.
    pub items: Vec<ItemOutcome>,
    pub evidence: Evidence,
}

#[derive(Debug, Clone)]
pub enum ItemOutcome {
    /// The vendor's ids are in hand.
    Accepted(Box<Accepted>),
    /// Provably nothing was made, and sending again cannot help.
    Rejected(Reason),
    /// Provably nothing was made, and sending again can help.
    NotSent { why: Reason, retry_after: Option<Duration> },
    /// Everything else. `then`: what follows once absence is shown.
    Unknown { why: Reason, then: AfterAbsence },
}

#[derive(Debug, Clone)]
pub struct Accepted {
    pub vendor: VendorRef,
    /// Matched by its position in the answer only, or known to be the order of a joint call whose part was not seen yet.
    pub provisional: bool,
    /// The vendor answered with an object that it had made before this call.
    pub reused: bool,
    /// Whose reference the answer shows on the object, also where it gives no snapshot.
    pub carries: Carries,
    /// The answer already told how it stands.
    pub snapshot: Option<Snapshot>,
}

/// What is kept of a create call, for those who must decide later.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// The HTTP status, where an answer came.
    pub status: Option<u16>,
    pub took: Duration,
    /// The answer's first bytes, kept encrypted.
    pub answer: Sensitive<Bytes>,
}

impl Evidence {
    /// The most of an answer that is kept.
    pub const MOST: usize = 64 * 1024;

    pub fn of(answer: &crate::http::VendorAnswer) -> Self {
        let kept = answer.body.slice(..answer.body.len().min(Self::MOST));
        Self { answer: Sensitive::new(kept), ..Self::without_answer(answer) }
    }

    /// For answers that hold the data of many: nothing of them is kept.
    pub fn without_answer(answer: &crate::http::VendorAnswer) -> Self {
        Self { status: Some(answer.status.as_u16()), took: answer.took, ..Self::default() }
    }
}

impl SubmitReport {
    /// The same outcome for every item.
    pub fn all(submission: &Submission, outcome: &ItemOutcome, evidence: Evidence) -> Self {
        Self { items: vec![outcome.clone(); submission.items.len()], evidence }
    }

    /// What a call without an answer means: not sent means not made; anything else is unknown and sent again once
    /// absence is shown.
    pub fn of_error(submission: &Submission, error: &CallError, took: Duration) -> Self {
        let outcome = match error {
            CallError::NotSent { why, retry_after } => {
                ItemOutcome::NotSent { why: Reason::new(why.code(), error.to_string()), retry_after: *retry_after }
            }
            CallError::Lost { why } => {
                ItemOutcome::Unknown { why: Reason::new(why.code(), error.to_string()), then: AfterAbsence::Resend }
            }
        };
        Self::all(submission, &outcome, Evidence { took, ..Evidence::default() })
    }
}
