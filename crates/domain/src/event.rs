//! What is told to the outside when something changes. Ids and statuses, never personal data.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::check::{CheckState, Stage};
use crate::id::{CheckId, OrderId};
use crate::observation::Standing;
use crate::status::{CheckStatus, OrderStatus, words};
use crate::time::Timestamp;

macro_rules! event_types {
    ($($variant:ident = $word:literal,)+) => {
        /// The kinds of events.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum EventType { $(#[serde(rename = $word)] $variant,)+ }
        words!(EventType { $($variant = $word),+ });

        // By hand: the derived schema does not see through the macro to the renamed words.
        impl utoipa::PartialSchema for EventType {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .enum_values(Some([$($word),+]))
                    .into()
            }
        }
        impl utoipa::ToSchema for EventType {}
    };
}

event_types! {
    OrderCreated = "order.created",
    OrderActionRequired = "order.action_required",
    OrderNeedsReview = "order.needs_review",
    OrderCompleted = "order.completed",
    OrderCanceled = "order.canceled",
    OrderFailed = "order.failed",
    OrderRedacted = "order.redacted",
    CheckSubmitted = "check.submitted",
    CheckUnconfirmed = "check.unconfirmed",
    CheckConfirmed = "check.confirmed",
    CheckInProgress = "check.in_progress",
    CheckActionRequired = "check.action_required",
    CheckNeedsReview = "check.needs_review",
    CheckUpdated = "check.updated",
    CheckCompleted = "check.completed",
    CheckRevised = "check.revised",
    CheckCanceled = "check.canceled",
    CheckFailed = "check.failed",
    CheckVendorStatusUnknown = "check.vendor_status_unknown",
    CheckNotification = "check.notification",
    BatchCreated = "batch.created",
    BatchCompleted = "batch.completed",
    BatchCanceled = "batch.canceled",
    ReconciliationOpened = "reconciliation.opened",
    ReconciliationResolved = "reconciliation.resolved",
    ReconciliationDuplicateFound = "reconciliation.duplicate_found",
    ReconciliationOrphanFound = "reconciliation.orphan_found",
    MonitorChanged = "monitor.changed",
}

/// One entry of an order's timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub order_id: OrderId,
    pub check_id: Option<CheckId>,
    pub kind: EventType,
    /// The order's version after the change.
    pub version: i64,
    pub at: Timestamp,
    /// Ids, statuses and words; no personal data.
    pub data: Map<String, Value>,
}

/// The events that the change of a check's state makes.
pub(crate) fn of_check(before: &CheckState, after: &CheckState) -> Vec<EventType> {
    use EventType as E;
    let mut events = Vec::new();
    let was_bound = before.binding().is_some();
    if !was_bound && after.binding().is_some() {
        // Bound by the answer itself (or by the vendor, which asked nobody), or found again afterwards.
        let by_answer = matches!(before.stage, Stage::Submitting { .. } | Stage::Queued { submission: None, .. });
        events.push(if by_answer { E::CheckSubmitted } else { E::CheckConfirmed });
    }
    let (old, new) = (before.status(), after.status());
    if after.tried.len() > before.tried.len() {
        // The next vendor has its turn.
        events.push(E::CheckUpdated);
    } else if old != new {
        match new {
            CheckStatus::Unconfirmed => events.push(E::CheckUnconfirmed),
            CheckStatus::NeedsReview => events.push(E::CheckNeedsReview),
            CheckStatus::InProgress if was_bound => events.push(E::CheckInProgress),
            CheckStatus::ActionRequired => events.push(E::CheckActionRequired),
            CheckStatus::Completed => events.push(E::CheckCompleted),
            CheckStatus::Canceled => events.push(E::CheckCanceled),
            CheckStatus::Failed => events.push(E::CheckFailed),
            CheckStatus::Queued | CheckStatus::Submitting | CheckStatus::InProgress => {}
        }
    } else if new == CheckStatus::Completed
        && (before.result() != after.result() || before.outcome() != after.outcome())
    {
        events.push(E::CheckRevised);
    } else if was_bound && !new.is_final() && has_new_word(before, after) {
        events.push(E::CheckUpdated);
    }
    if is_unknown_word(after) && has_new_word(before, after) {
        events.push(E::CheckVendorStatusUnknown);
    }
    events
}

fn has_new_word(before: &CheckState, after: &CheckState) -> bool {
    before.native_status() != after.native_status() || before.action() != after.action()
}

fn is_unknown_word(state: &CheckState) -> bool {
    state.binding().and_then(|binding| binding.latest.as_ref()).is_some_and(|look| look.standing == Standing::Unknown)
}

/// The event that an order's new status makes, if it makes one.
pub(crate) const fn of_order(status: OrderStatus) -> Option<EventType> {
    match status {
        OrderStatus::ActionRequired => Some(EventType::OrderActionRequired),
        OrderStatus::NeedsReview => Some(EventType::OrderNeedsReview),
        OrderStatus::Completed => Some(EventType::OrderCompleted),
        OrderStatus::Canceled => Some(EventType::OrderCanceled),
        OrderStatus::Failed => Some(EventType::OrderFailed),
        OrderStatus::Queued | OrderStatus::Submitting | OrderStatus::InProgress | OrderStatus::Unconfirmed => None,
    }
}
