//! Orders with their checks, events and the work that follows from them.

use domain::{
    BatchId, CheckId, CheckStatus, CheckType, Event, EventId, IdentifierType, Order, OrderId, OrderStatus, Outcome,
    ProviderId, Timestamp,
};

use crate::error::{Result, StoreError};
use crate::tx::{Scope, Tx};

/// What a worker must do for a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Work {
    /// Make the create call.
    Send,
    /// Look at the vendor's object, or cancel it.
    Follow,
}

/// What is to be done for a check next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    pub check_id: CheckId,
    /// The work and when it is due; `None`: nothing to do.
    pub work: Option<(Work, Timestamp)>,
}

/// Which orders are listed. Conditions on checks (status, provider, type) hold for one and the same check.
#[derive(Clone, Default)]
pub struct OrderFilter {
    pub status: Option<OrderStatus>,
    pub check_status: Option<CheckStatus>,
    pub provider: Option<ProviderId>,
    pub check_type: Option<CheckType>,
    pub outcome: Option<Outcome>,
    pub external_id: Option<String>,
    pub batch_id: Option<BatchId>,
    /// At this time or later.
    pub created_after: Option<Timestamp>,
    /// Before this time.
    pub created_before: Option<Timestamp>,
    /// Every pair must be there.
    pub metadata: Vec<(String, String)>,
    /// Of the subject, in any spelling that normalises to the same; so are the next two.
    pub email: Option<String>,
    pub identifier: Option<IdentifierFilter>,
    pub last_name: Option<String>,
}

/// A number of the subject.
#[derive(Clone)]
pub struct IdentifierFilter {
    pub kind: IdentifierType,
    /// ISO 3166-1 alpha-2 of the issuer.
    pub country: String,
    pub value: String,
}

/// An event as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    pub id: EventId,
    pub event: Event,
    /// Its place in the feed; `None` until the sequencer gave it one.
    pub position: Option<i64>,
}

/// See [`Tx::orders`].
pub struct Orders<'t> {
    pub(crate) tx: &'t mut Tx,
}

impl Orders<'_> {
    pub async fn insert(&mut self, order: &Order, due_at: Timestamp) -> Result<()> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn insert_many(&mut self, orders: &[Order], due_at: Timestamp) -> Result<()> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn get(&mut self, scope: &Scope, id: OrderId) -> Result<Option<Order>> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn of_check(&mut self, scope: &Scope, id: CheckId) -> Result<Option<Order>> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn lock(&mut self, id: OrderId) -> Result<Option<Order>> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn lock_many(&mut self, ids: &[OrderId]) -> Result<Vec<Order>> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn save(&mut self, order: &Order, plans: &[Plan], events: &[Event]) -> Result<()> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn list(
        &mut self,
        scope: &Scope,
        filter: &OrderFilter,
        limit: u32,
        before: Option<OrderId>,
    ) -> Result<Vec<Order>> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn events(
        &mut self,
        scope: &Scope,
        id: OrderId,
        limit: u32,
        after: Option<EventId>,
    ) -> Result<Vec<StoredEvent>> {
        Err(StoreError::Corrupt("not yet"))
    }
}
