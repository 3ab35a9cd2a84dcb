//! Reconciliation cases: submissions whose outcome is unknown, and what was found out about them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::{CaseId, CheckId, OrderId, Reference, ScanId, SubmissionId};
use crate::observation::VendorRef;
use crate::party::{AccountKey, TenantId};
use crate::result::Reason;
use crate::status::words;
use crate::time::Timestamp;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// The gateway is looking.
    Open,
    /// At least one item waits for a person.
    NeedsReview,
    /// Nothing is left to find out.
    Resolved,
}

words!(CaseState { Open = "open", NeedsReview = "needs_review", Resolved = "resolved" });

/// A submission whose outcome is unknown.
#[derive(Debug, Clone)]
pub struct Case {
    pub id: CaseId,
    pub tenant: TenantId,
    pub account: AccountKey,
    pub submission: SubmissionId,
    pub state: CaseState,
    /// Why the outcome is unknown.
    pub why: Reason,
    /// When the create call began (t0).
    pub sent_at: Timestamp,
    /// The end of the settle window: nothing counts as absent before it.
    pub window_ends_at: Timestamp,
    /// After this a person must look if no scan could settle it.
    pub deadline: Timestamp,
    pub next_scan_at: Option<Timestamp>,
    pub opened_at: Timestamp,
    pub resolved_at: Option<Timestamp>,
    pub items: Vec<CaseItem>,
}

/// One check of such a submission.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseItem {
    pub check_id: CheckId,
    pub order_id: OrderId,
    pub reference: Reference,
    pub state: ItemState,
    pub after_absence: AfterAbsence,
    /// The vendor's object it was bound to.
    pub bound: Option<VendorRef>,
    /// Further objects of the vendor that carry its reference.
    pub duplicates: Vec<VendorRef>,
    /// Why a person must decide, while one must.
    pub review: Option<Reason>,
    /// When the call that sent it again had ended. A late scan follows it.
    pub resent_at: Option<Timestamp>,
    /// From when on: the settle window of that call is over, however long the one in doubt took.
    pub late_scan_at: Option<Timestamp>,
    /// Whether that late scan is over.
    pub late_scanned: bool,
}

impl Case {
    /// From the call in doubt to the end of its settle window: how long its object may take to come to light.
    pub fn window(&self) -> std::time::Duration {
        self.window_ends_at.since(self.sent_at)
    }
}

impl CaseItem {
    /// Whether there is nothing left to find out about it.
    pub const fn is_settled(&self) -> bool {
        match self.state {
            ItemState::Unknown | ItemState::Proven => false,
            ItemState::Absent => match self.after_absence {
                AfterAbsence::Fail { .. } => true,
                AfterAbsence::Resend => self.late_scanned,
            },
            ItemState::Bound | ItemState::Duplicate => self.resent_at.is_none() || self.late_scanned,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ItemState {
    /// Nothing is known.
    Unknown,
    /// The vendor told us of it by our reference, but its order is not found yet. Never sent again.
    Proven,
    /// Found, and bound to the check.
    Bound,
    /// The vendor does not have it.
    Absent,
    /// Bound, and the vendor has more than one.
    Duplicate,
}

words!(ItemState { Unknown = "unknown", Proven = "proven", Bound = "bound", Absent = "absent", Duplicate = "duplicate" });

/// What follows once absence is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "then", rename_all = "snake_case")]
pub enum AfterAbsence {
    /// Send it again, singly, with the same reference.
    Resend,
    /// The vendor's answer was a refusal that proved nothing by itself; with nothing there, it stands.
    Fail { reason: Reason },
}

/// A vendor's object that carries one of our references.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    pub reference: Reference,
    pub vendor: VendorRef,
    pub created_at: Option<Timestamp>,
}

/// A vendor's object that agrees with an item in what can be seen, and carries no reference at all. Evidence, never proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookAlike {
    pub reference: Reference,
    pub vendor_order_id: String,
    pub created_at: Option<Timestamp>,
    /// The names of the fields that agree, never their values.
    pub agrees_in: Vec<String>,
}

/// A vendor's object that could be what a create call in doubt has made, of a kind that never shows a reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    pub reference: Reference,
    pub vendor_order_id: String,
    pub created_at: Option<Timestamp>,
    /// It shows that it was made of what was asked for. Else nothing shows what it was made of.
    pub fits: bool,
}

/// An object of the vendor's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    pub id: String,
    pub created_at: Option<Timestamp>,
}

/// What one scan of a vendor account saw.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sightings {
    /// Whether everything that had to be read was read, without an error.
    pub complete: bool,
    /// What was missing, where it is not complete.
    pub incomplete_because: Option<String>,
    /// It ended before the last page, at one wholly older than what is looked for.
    pub stopped_early: bool,
    pub pages: u32,
    /// Candidates that were read in full. A scan costs `pages` + `read` calls, however many items are looked for.
    #[serde(default)]
    pub read: u32,
    /// Calls that were made, repeated ones included.
    pub calls: u32,
    /// Objects listed.
    pub objects: u32,
    /// The listed objects that could be of the time that is looked at.
    pub listed: Vec<Listed>,
    /// Every object that was seen to carry a reference of our form, looked for or not.
    pub found: Vec<Sighting>,
    pub look_alikes: Vec<LookAlike>,
    /// Of what never shows a reference: every object that could be it, bound to a check or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Candidate>,
    /// References whose objects cannot be told from others at all, so that the scan says nothing of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unrecognizable: Vec<Reference>,
    /// Objects that were read in full, are none of ours, and need not be read again.
    pub dismissed: Vec<String>,
    /// The account was seen to give back references of our form.
    pub echoes: bool,
}

/// A scan as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanReport {
    pub id: ScanId,
    pub account: AccountKey,
    pub started_at: Timestamp,
    pub ended_at: Timestamp,
    pub seen: Sightings,
}
