//! Answering what a vendor waits for, where it takes an answer.

use async_trait::async_trait;
use domain::{ActionAnswer, CheckInput, Reason, VendorRef};

use crate::call::{CallContext, CallError};
use crate::snapshot::Snapshot;
use crate::submit::SubmissionItem;

/// The part of an adapter that answers actions.
///
/// An answer is given because a caller asks for it, and may be given again: nothing of it is ordered or paid for by itself,
/// and one whose own answer was lost has changed nothing that anybody here knows of.
#[async_trait]
pub trait Actions: Send + Sync {
    /// Whether this kind of answer means anything for this check.
    fn takes(&self, check: &CheckInput, answer: &ActionAnswer) -> bool;

    /// Gives the answer, after a look whether it still makes sense: what went on meanwhile is told as it is.
    async fn act(
        &self,
        ctx: &CallContext,
        item: &SubmissionItem,
        vendor: &VendorRef,
        answer: &ActionAnswer,
    ) -> Result<Acted, CallError>;
}

/// What came of an answer.
#[derive(Debug, Clone)]
pub enum Acted {
    /// How the check stands now: with a new action, or further on than anybody here knew.
    Seen(Box<Snapshot>),
    /// The vendor does not take it.
    Refused(Reason),
}
