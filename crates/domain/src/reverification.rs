//! A result that is verified again by the vendor that gave it.

use serde::{Deserialize, Serialize};

use crate::id::CheckId;
use crate::observation::VendorRef;

/// Which result a check verifies again, and how.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reverified {
    /// The check that has the result.
    pub check_id: CheckId,
    /// What the vendor is asked to verify again. `None`: it is ordered like any other check.
    pub report: Option<PriorReport>,
}

/// A report that the vendor is asked to verify again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriorReport {
    /// The vendor's object that the report is of.
    pub vendor: VendorRef,
    /// The adapter's own name for the report; opaque to everybody else.
    pub report: String,
}
