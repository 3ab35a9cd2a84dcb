//! What a vendor did for an order, step by step, where it keeps a record of it.
//!
//! The engine asks when a look of its own finds that the vendor's word for an object has changed, or that the object has
//! ended, and puts what is new into the check's timeline.

use async_trait::async_trait;
use domain::{Timestamp, VendorRef};

use crate::call::{CallContext, CallError};

/// The part of an adapter that reads such a record. See the module's documentation.
#[async_trait]
pub trait Timeline: Send + Sync {
    /// Everything that the vendor has noted of an object until now, in the vendor's order. What it does not know (any more)
    /// has no notes.
    async fn notes(&self, ctx: &CallContext, vendor: &VendorRef) -> Result<Vec<Note>, CallError>;
}

/// One step of the vendor's work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The same at every reading, and different for different notes of an object.
    pub dedupe_key: String,
    /// The vendor's own word for it, as [`vendor_code`](crate::vendor_code) lets it through: never a sentence.
    pub code: String,
    /// The vendor's own word for the way it went about it, likewise.
    pub strategy: Option<String>,
    /// The vendor's own time.
    pub at: Option<Timestamp>,
    /// The part of the vendor's order that it is about, as [`vendor_id`](crate::vendor_id) lets it through.
    pub part: Option<String>,
}
