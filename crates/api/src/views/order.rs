//! An order as callers see it.

use std::collections::BTreeMap;

use domain::{BatchId, Order, OrderId, OrderStatus, Outcome, Purpose, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::{CheckView, Reveal, Sharers, SubjectView};

/// Everything wanted known about one subject.
#[derive(Serialize, ToSchema)]
#[schema(as = Order)]
pub struct OrderView {
    pub id: OrderId,
    /// The caller's own id for it. Not unique.
    #[schema(required)]
    pub external_id: Option<String>,
    pub status: OrderStatus,
    /// Set once every check is final and one completed.
    #[schema(required)]
    pub outcome: Option<Outcome>,
    /// How many checks ended without a result.
    pub incomplete_checks: usize,
    #[schema(required)]
    pub batch_id: Option<BatchId>,
    #[schema(required)]
    pub parent_order_id: Option<OrderId>,
    /// Masked, unless revealed.
    pub subject: SubjectView,
    pub purpose: Purpose,
    pub checks: Vec<CheckView>,
    pub metadata: BTreeMap<String, String>,
    /// Grows by one with each change.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    #[schema(required)]
    pub completed_at: Option<Timestamp>,
}

impl OrderView {
    pub fn of(order: &Order, reveal: Reveal) -> Self {
        let input = order.input.expose();
        Self {
            id: order.id,
            external_id: order.external_id.clone(),
            status: order.status(),
            outcome: order.outcome(),
            incomplete_checks: order.incomplete_checks(),
            batch_id: order.batch_id,
            parent_order_id: order.parent_order_id,
            subject: SubjectView::of(&input.subject, reveal),
            purpose: input.purpose,
            checks: order.checks.iter().map(CheckView::of).collect(),
            metadata: order.metadata.clone(),
            version: order.version,
            created_at: order.created_at,
            updated_at: order.updated_at,
            completed_at: order.completed_at,
        }
    }

    /// The same, saying of each check with whom its vendor's object is shared.
    #[must_use]
    pub fn sharing(mut self, sharers: &Sharers) -> Self {
        self.checks = self.checks.into_iter().map(|check| check.sharing(sharers)).collect();
        self
    }

    pub fn masked(order: &Order) -> Self {
        Self::of(order, Reveal::Masked)
    }
}
