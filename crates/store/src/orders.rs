//! Orders with their checks, events and the work that follows from them.

mod list;
mod read;
mod terms;
mod write;

use std::collections::BTreeMap;

use domain::{
    BatchId, CheckId, CheckStatus, CheckType, Event, EventId, IdentifierType, Order, OrderId, OrderStatus, Outcome,
    ProviderId, Timestamp,
};

use uuid::Uuid;

use crate::error::Result;
#[cfg(doc)]
use crate::error::StoreError;
use crate::kin::Kin;
use crate::tx::{Scope, Tx};

/// What a worker must do for a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Work {
    /// Make the create call.
    Send,
    /// Look at the vendor's object, or cancel it.
    Follow,
}

impl Work {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Follow => "follow",
        }
    }
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
    /// A new order: its checks, each with the work of being sent, what it is found by, and the event that tells of it.
    pub async fn insert(&mut self, order: &Order, due_at: Timestamp) -> Result<()> {
        self.insert_many(std::slice::from_ref(order), due_at).await
    }

    /// Many new orders in one statement.
    pub async fn insert_many(&mut self, orders: &[Order], due_at: Timestamp) -> Result<()> {
        self.insert_kindred(orders, due_at, &BTreeMap::new()).await
    }

    /// The same, where some of their checks may share a file and wait for each other.
    pub async fn insert_kindred(
        &mut self,
        orders: &[Order],
        due_at: Timestamp,
        kin: &BTreeMap<CheckId, Kin>,
    ) -> Result<()> {
        write::insert(self.tx, orders, due_at, kin).await
    }

    pub async fn get(&mut self, scope: &Scope, id: OrderId) -> Result<Option<Order>> {
        read::single(read::load(self.tx, scope, &[id.uuid()]).await?)
    }

    /// Those of the orders that exist within the scope and can be read, by ascending id, each once.
    pub async fn get_many(&mut self, scope: &Scope, ids: &[OrderId]) -> Result<Vec<Order>> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        Ok(read::readable(read::load(self.tx, scope, &ids).await?))
    }

    /// The orders that have this one as their parent and are not final, by ascending id. One that cannot be read is an
    /// error: nobody can say what it is about.
    pub async fn open_children(&mut self, parent: OrderId) -> Result<Vec<Order>> {
        let ids = sqlx::query_scalar!(
            r#"SELECT id FROM orders
               WHERE parent_order_id = $1 AND status NOT IN ('completed', 'canceled', 'failed') ORDER BY id"#,
            parent.uuid()
        )
        .fetch_all(self.tx.connection())
        .await?;
        read::load(self.tx, &Scope::All, &ids).await?.into_iter().map(|(_, order)| order).collect()
    }

    /// The order that the check is of.
    pub async fn of_check(&mut self, scope: &Scope, id: CheckId) -> Result<Option<Order>> {
        let order = sqlx::query_scalar!("SELECT order_id FROM checks WHERE id = $1", id.uuid())
            .fetch_optional(self.tx.connection())
            .await?;
        match order {
            Some(order) => read::single(read::load(self.tx, scope, &[order]).await?),
            None => Ok(None),
        }
    }

    /// Locks the order's row until the transaction ends, then reads it.
    pub async fn lock(&mut self, id: OrderId) -> Result<Option<Order>> {
        read::single(self.load_locked(&[id]).await?)
    }

    /// Locks orders by ascending id, each once, then reads them. Those that do not exist or cannot be read are left out.
    pub async fn lock_many(&mut self, ids: &[OrderId]) -> Result<Vec<Order>> {
        Ok(read::readable(self.load_locked(ids).await?))
    }

    async fn load_locked(&mut self, ids: &[OrderId]) -> Result<Vec<read::Loaded>> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        // Two statements: whoever waits for a lock sees the rows of other tables as they were before the wait.
        // NO KEY: foreign keys may still be checked against the row.
        let locked =
            sqlx::query_scalar!("SELECT id FROM orders WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE", &ids)
                .fetch_all(self.tx.connection())
                .await?;
        read::load(self.tx, &Scope::All, &locked).await
    }

    /// Writes down what changed.
    ///
    /// With a version that has grown: the order's row, and the rows of the checks that `plans` names – so name every
    /// check that was told something. With the version that the row has already (a look that brought nothing new): only
    /// the plans' work and the events. Whatever the plan is, the lease on the check's work ends.
    ///
    /// [`StoreError::Conflict`] if the row is gone or has a newer version, or if a plan is of another order's check; the
    /// transaction must then be dropped.
    pub async fn save(&mut self, order: &Order, plans: &[Plan], events: &[Event]) -> Result<()> {
        write::save(self.tx, order, plans, events).await
    }

    /// Newest first, from below `before`.
    pub async fn list(
        &mut self,
        scope: &Scope,
        filter: &OrderFilter,
        limit: u32,
        before: Option<OrderId>,
    ) -> Result<Vec<Order>> {
        let ids = list::page(self.tx, scope, filter, limit, before).await?;
        let orders = read::load(self.tx, scope, &ids).await?;
        // A page with gaps would look like the last one.
        orders.into_iter().rev().map(|(_, order)| order).collect()
    }

    /// The order's timeline, oldest first, from behind `after`.
    pub async fn events(
        &mut self,
        scope: &Scope,
        id: OrderId,
        limit: u32,
        after: Option<EventId>,
    ) -> Result<Vec<StoredEvent>> {
        read::events(self.tx, scope, id, limit, after).await
    }
}
