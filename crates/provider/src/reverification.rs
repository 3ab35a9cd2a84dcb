//! Asking a vendor whether a result still holds, at a lower price than a new check.
//!
//! Such a check goes the way of every other: [`submit`](crate::Provider::submit) sees what it
//! [verifies again](CheckInput::prior_report) and makes the vendor's call for that; [`locate`](crate::Provider::locate) finds
//! it again. Where nothing of ours travels with the call, `locate` tells of every object that could be it as a
//! [candidate](domain::case::Candidate), and the engine takes out those that fulfil checks.

use domain::{CheckInput, PriorReport, Reason, Timestamp, VendorRef};

/// The part of an adapter that knows what its vendor verifies again.
pub trait Reverification: Send + Sync {
    /// What there is to verify again of a completed check, or why it can only be ordered anew. Pure.
    fn prior_report(&self, completed: &Completed<'_>, now: Timestamp) -> Result<PriorReport, Reason>;
}

/// A check that a vendor has completed.
pub struct Completed<'a> {
    pub check: &'a CheckInput,
    pub vendor: &'a VendorRef,
    /// The vendor's last answer about it, as [`Snapshot::payload`](crate::Snapshot::payload) kept it; empty: there is none.
    pub payload: &'a [u8],
    /// When the gateway saw it completed. The vendor may have completed it earlier.
    pub seen_at: Timestamp,
}
