//! One look at a vendor's object, in our words.

use bytes::Bytes;
use domain::observation::Standing;
use domain::{Reference, Sensitive, Timestamp};
use serde::{Deserialize, Serialize};

/// What a vendor's answer or signed hook says about one check. An observation, never a decision.
#[derive(Clone)]
pub struct Snapshot {
    /// The id of our part of the vendor's order, where the vendor has parts.
    pub part_id: Option<String>,
    /// The reference that the vendor's object was seen to carry.
    pub reference: Option<Reference>,
    /// The vendor's own time of this state. `None`: the time of the look counts.
    pub vendor_time: Option<Timestamp>,
    /// The vendor's own word, unchanged.
    pub native_status: String,
    pub standing: Standing,
    pub documents: Vec<DocumentRef>,
    /// The vendor's answer, unchanged. Kept encrypted.
    pub payload: Sensitive<Bytes>,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Snapshot({:?}, {:?})", self.native_status, self.standing)
    }
}

/// What came of a fetch.
#[derive(Debug, Clone)]
pub enum Fetched {
    Found(Box<Snapshot>),
    /// The vendor does not know the object (any more). Says nothing about whether it was made.
    Missing,
}

/// A document at the vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentRef {
    /// The adapter's own name for it; opaque to everybody else.
    pub locator: String,
    /// `report`, `attachment`, …
    pub kind: String,
    pub media_type: String,
    pub filename: String,
}
