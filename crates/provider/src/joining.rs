//! Several checks of one order as parts of one object of the vendor's, for vendors whose orders have parts.
//!
//! Such checks go out in one create call ([`Submission::joint`](crate::Submission)), end in one object, and are told apart
//! by their references alone. What the object as a whole says is nobody's result.

use async_trait::async_trait;
use domain::{CheckInput, Reference, VendorRef};

use crate::call::{CallContext, CallError};
use crate::snapshot::Snapshot;

#[async_trait]
pub trait Joining: Send + Sync {
    /// Whether the caller asked that this check share its object with others of its order that ask for it too. Such a check
    /// goes in no file.
    fn joins(&self, check: &CheckInput) -> bool;

    /// How the part of the object stands that carries this reference. Asked of every check that joins, whether it came to
    /// share its object or not. Never guesses: what does not carry the reference is not shown.
    async fn fetch_part(&self, ctx: &CallContext, vendor: &VendorRef, reference: Reference) -> Result<Part, CallError>;
}

/// What came of a look at a part.
#[derive(Debug, Clone)]
pub enum Part {
    Found(Box<Snapshot>),
    /// The object is there, and shows no part with the reference. It may come yet, as parts can appear one after the other.
    /// The snapshot is never final.
    NotShown(Box<Snapshot>),
    /// The vendor does not know the object (any more).
    Missing,
}
