//! Monitors: an order that is run again and again, and what changed between its runs.
//!
//! A run is an order of its own, so that its result, documents and events are what they are for every order. Run 0 is
//! the order that the monitor began with.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::check::Check;
use crate::frequency::Frequency;
use crate::id::{CheckId, MonitorId, OrderId};
use crate::order::Order;
use crate::party::{AccountKey, TenantId};
use crate::result::{CheckResult, Outcome, ResultDigest};
use crate::status::words;
use crate::time::{Date, Timestamp};

/// Where a monitor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MonitorStatus {
    /// It runs.
    Enabled,
    /// No run begins; by the caller, or for the reason that is given.
    Paused,
    /// Its end date is over.
    Ended,
}

words!(MonitorStatus { Enabled = "enabled", Paused = "paused", Ended = "ended" });

/// Who makes the runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MonitorMethod {
    /// A monitor of the vendor's own.
    Vendor,
    /// The gateway orders again.
    Reorder,
}

words!(MonitorMethod { Vendor = "vendor", Reorder = "reorder" });

/// Why a monitor is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PauseReason {
    /// The caller paused it.
    Caller,
    /// The subject's consent ends before the next run.
    ConsentExpired,
    /// The first order ended without a result.
    FirstOrderFailed,
    /// The subject was erased.
    Erased,
    /// The vendor refuses to monitor this check.
    VendorRefused,
    /// The vendor's monitor was switched off there, or is gone.
    VendorStopped,
    /// The order cannot be made any more as it was: the vendor account is gone, closed to this tenant, or asks for more.
    CannotBeOrdered,
}

words!(PauseReason {
    Caller = "caller",
    ConsentExpired = "consent_expired",
    FirstOrderFailed = "first_order_failed",
    Erased = "erased",
    VendorRefused = "vendor_refused",
    VendorStopped = "vendor_stopped",
    CannotBeOrdered = "cannot_be_ordered",
});

impl PauseReason {
    /// For people: what happened, and what to do.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Caller => "Paused by the caller.",
            Self::ConsentExpired => {
                "The subject's consent ends before the next run. Obtain it anew, and make a new monitor with it."
            }
            Self::FirstOrderFailed => "The first order ended without a result: there is nothing to compare runs with.",
            Self::Erased => "The subject was erased.",
            Self::VendorRefused => "The vendor refuses to monitor this check.",
            Self::VendorStopped => "The vendor's monitor was switched off there, or is gone. Enable it to begin anew.",
            Self::CannotBeOrdered => {
                "The order cannot be made any more as it was; look at the vendor's account and inputs."
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Monitor {
    pub id: MonitorId,
    pub tenant: TenantId,
    /// The order that it began with: run 0.
    pub order_id: OrderId,
    pub frequency: Frequency,
    /// The last day on which a run may begin.
    pub end_date: Date,
    pub status: MonitorStatus,
    pub pause: Option<PauseReason>,
    /// What due times are counted from.
    pub anchor_at: Timestamp,
    /// When the next run is due, as far as it is known.
    pub next_run_at: Option<Timestamp>,
    /// The number of the latest run.
    pub runs: u32,
    /// The vendor's own monitor; `None`: the gateway orders again.
    pub vendor: Option<VendorSide>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
}

/// What is known of the vendor's own monitor.
#[derive(Debug, Clone, PartialEq)]
pub struct VendorSide {
    pub account: AccountKey,
    /// The check that the vendor repeats.
    pub check_id: CheckId,
    pub monitor_id: Option<String>,
    /// What the vendor has been told.
    pub told: Option<Told>,
    /// A create call was begun, and what it made is not known; it has ended by then.
    pub in_doubt_since: Option<Timestamp>,
    /// That call was answered with a refusal.
    pub was_refused: bool,
    /// How often in a row a call failed.
    pub failures: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    pub frequency: Frequency,
    pub enabled: bool,
}

impl Monitor {
    pub const fn method(&self) -> MonitorMethod {
        if self.vendor.is_some() { MonitorMethod::Vendor } else { MonitorMethod::Reorder }
    }

    /// Whether runs are wanted.
    pub fn is_wanted(&self) -> bool {
        self.status == MonitorStatus::Enabled && self.deleted_at.is_none()
    }

    /// No run begins until somebody enables it.
    pub fn pause(&mut self, reason: PauseReason) {
        self.status = MonitorStatus::Paused;
        self.pause = Some(reason);
        self.next_run_at = None;
    }

    pub fn end(&mut self) {
        self.status = MonitorStatus::Ended;
        self.pause = None;
        self.next_run_at = None;
    }

    /// The first run after this time; `None`: none before its end.
    pub fn run_after(&self, now: Timestamp) -> Option<Timestamp> {
        let next = self.frequency.next(self.anchor_at, now);
        (next.date() <= self.end_date).then_some(next)
    }
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Its order is under way.
    Open,
    /// Its order is final.
    Ended,
    /// It was due while the run before was still open, and was left out.
    Skipped,
}

words!(RunState { Open = "open", Ended = "ended", Skipped = "skipped" });

#[derive(Debug, Clone, PartialEq)]
pub struct MonitorRun {
    pub monitor_id: MonitorId,
    /// From 0, the order that the monitor began with.
    pub number: u32,
    pub state: RunState,
    /// `None`: it was skipped.
    pub order_id: Option<OrderId>,
    /// When it was due, or when the vendor made it.
    pub due_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// Whether its result differs from the one before; `None`: there is nothing to compare.
    pub changed: Option<bool>,
}

/// What is compared of two runs: each check's outcome and the substance of its result.
pub fn differs(one: &Order, other: &Order) -> bool {
    let substance = |order: &Order| -> Vec<(Option<Outcome>, ResultDigest)> {
        let of = |check: &Check| {
            let result = check.state.result().map(substance_of);
            (check.state.outcome(), ResultDigest::of(check.state.outcome(), result.as_ref()))
        };
        order.checks.iter().map(of).collect()
    };
    substance(one) != substance(other)
}

/// A result without what differs at every look though nothing has changed: the day of the answer, how many sources
/// happened to be up, and which inputs they happened to lack.
fn substance_of(result: &CheckResult) -> CheckResult {
    let mut result = result.clone();
    match &mut result {
        CheckResult::Verification(verification) => verification.as_of = None,
        CheckResult::Background(background) => {
            background.sources = crate::result::Sources::default();
            background.invalid_inputs = Vec::new();
            for found in &mut background.names_found {
                found.count = None;
            }
        }
        // Each run is an act of the subject's own: all of it is substance.
        CheckResult::Identity(_) => {}
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::{BackgroundResult, NameFound, Sources, VerificationResult};

    fn same(one: CheckResult, other: CheckResult) -> bool {
        let digest = |result| ResultDigest::of(None, Some(&substance_of(&result)));
        digest(one) == digest(other)
    }

    fn background(change: impl FnOnce(&mut BackgroundResult)) -> CheckResult {
        let name = NameFound { first_name: Some("Ana".into()), count: Some(3), ..NameFound::default() };
        let mut result = BackgroundResult { score: Some(1.0), names_found: vec![name], ..BackgroundResult::default() };
        change(&mut result);
        CheckResult::Background(Box::new(result))
    }

    fn verification(change: impl FnOnce(&mut VerificationResult)) -> CheckResult {
        let mut result = VerificationResult { as_of: Some("2026-01-01".into()), ..VerificationResult::default() };
        change(&mut result);
        CheckResult::Verification(Box::new(result))
    }

    #[test]
    fn what_differs_at_every_look_is_no_change_and_everything_else_is() {
        let plain = || background(|_| {});
        assert!(same(plain(), background(|result| result.sources = Sources { failed: 2, ..Sources::default() })));
        assert!(same(plain(), background(|result| result.names_found[0].count = Some(4))));
        assert!(same(plain(), background(|result| result.invalid_inputs = vec!["issued_on".into()])));
        assert!(!same(plain(), background(|result| result.score = Some(0.9))));
        assert!(!same(plain(), background(|result| result.names_found.clear())));
        assert!(!same(plain(), background(|result| result.wrong_inputs = vec!["last_name".into()])));
        let plain = || verification(|_| {});
        assert!(same(plain(), verification(|result| result.as_of = Some("2026-02-01".into()))));
        assert!(!same(plain(), verification(|result| result.comments = Some("Left in May.".into()))));
    }
}
