//! Rows to orders.

use domain::{
    AccountKey, BatchId, Check, CheckId, CheckState, CheckType, Event, EventId, EventType, Order, OrderId, Sensitive,
    TenantId, Timestamp,
};
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::StoredEvent;
use crate::error::{Result, StoreError};
use crate::sealed::{from_json, open_json};
use crate::tx::{Scope, Tx};
use crate::vault::OrderKey;

pub const ORDER_INPUT: &str = "orders.input";
pub const CHECK_INPUT: &str = "checks.input";
pub const CHECK_STATE: &str = "checks.state";

/// A check with the order that it is of. What is large of the order rides on its first check alone.
struct Row {
    id: Uuid,
    tenant: String,
    external_id: Option<String>,
    batch_id: Option<Uuid>,
    parent_order_id: Option<Uuid>,
    version: i64,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
    completed_at: Option<OffsetDateTime>,
    metadata: Option<Value>,
    data_key: Option<Vec<u8>>,
    input: Option<Vec<u8>>,
    check_id: Uuid,
    position: i16,
    r#type: String,
    account: String,
    attempt: i32,
    check_input: Option<Vec<u8>>,
    check_state: Option<Vec<u8>>,
    check_created_at: OffsetDateTime,
}

/// An order, or why it cannot be read.
pub type Loaded = (OrderId, Result<Order>);

/// The orders of these ids that exist within the scope, by ascending id.
pub async fn load(tx: &mut Tx, scope: &Scope, ids: &[Uuid]) -> Result<Vec<Loaded>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT o.id, o.tenant, o.external_id, o.batch_id, o.parent_order_id, o.version, o.created_at, o.updated_at,
                  o.completed_at,
                  CASE WHEN c.position = 0 THEN o.metadata END AS metadata,
                  CASE WHEN c.position = 0 THEN o.data_key END AS data_key,
                  CASE WHEN c.position = 0 THEN o.input END AS input,
                  c.id AS check_id, c.position, c.type, c.account, c.attempt, c.input AS check_input,
                  c.state AS check_state, c.created_at AS check_created_at
           FROM orders o JOIN checks c ON c.order_id = o.id
           WHERE o.id = ANY($1) AND ($2::text IS NULL OR o.tenant = $2)
           ORDER BY o.id, c.position"#,
        ids,
        scope.tenant()
    )
    .fetch_all(tx.connection())
    .await?;

    let mut orders = Vec::with_capacity(ids.len());
    let mut rows = rows.into_iter().peekable();
    while let Some(first) = rows.next() {
        let rest: Vec<Row> = std::iter::from_fn(|| rows.next_if(|row| row.id == first.id)).collect();
        orders.push((OrderId::from_uuid(first.id), order(tx, first, &rest)));
    }
    Ok(orders)
}

/// Those that can be read. One that cannot must not hold up the others.
pub fn readable(loaded: Vec<Loaded>) -> Vec<Order> {
    let readable = |(id, order): Loaded| {
        order.inspect_err(|error| tracing::error!(%error, order = %id, "a stored order cannot be read: left out")).ok()
    };
    loaded.into_iter().filter_map(readable).collect()
}

/// The one order that was asked for.
pub fn single(mut loaded: Vec<Loaded>) -> Result<Option<Order>> {
    loaded.pop().map(|(_, order)| order).transpose()
}

/// From the rows of its checks, by position.
fn order(tx: &mut Tx, first: Row, rest: &[Row]) -> Result<Order> {
    let wrapped = first.data_key.as_deref().ok_or(StoreError::Corrupt("the order's data key was destroyed"))?;
    let key = tx.vault.unwrap_order_key(OrderId::from_uuid(first.id), wrapped)?;
    tx.remember_key(first.id, wrapped);
    let checks = std::iter::once(&first).chain(rest).map(|row| check(row, &key)).collect::<Result<_>>()?;
    let metadata = first.metadata.ok_or(StoreError::Corrupt("an order without its first check"))?;
    let metadata = serde_json::from_value(metadata).map_err(|_| StoreError::Corrupt("an order's metadata"))?;
    Ok(Order {
        id: OrderId::from_uuid(first.id),
        tenant: TenantId::new(first.tenant),
        external_id: first.external_id,
        batch_id: first.batch_id.map(BatchId::from_uuid),
        parent_order_id: first.parent_order_id.map(OrderId::from_uuid),
        input: open_sealed(&key, ORDER_INPUT, first.id, first.input.as_deref())?,
        metadata,
        checks,
        version: first.version,
        created_at: Timestamp::new(first.created_at),
        updated_at: Timestamp::new(first.updated_at),
        completed_at: first.completed_at.map(Timestamp::new),
    })
}

fn check(row: &Row, key: &OrderKey) -> Result<Check> {
    let state = row.check_state.as_deref().ok_or(StoreError::Corrupt("a check without its state"))?;
    let state: CheckState = from_json(&key.open(CHECK_STATE, row.check_id, state)?)?;
    let input = match state.leg() {
        // Of several vendors each has the check in a form of its own.
        Some(leg) => Sensitive::new(leg.input.clone()),
        None => open_sealed(key, CHECK_INPUT, row.check_id, row.check_input.as_deref())?,
    };
    Ok(Check {
        id: CheckId::from_uuid(row.check_id),
        order_id: OrderId::from_uuid(row.id),
        position: u16::try_from(row.position).map_err(|_| StoreError::Corrupt("a check's position"))?,
        kind: CheckType::parse(&row.r#type).ok_or(StoreError::Corrupt("a check's type"))?,
        account: AccountKey::try_from(row.account.clone()).map_err(|_| StoreError::Corrupt("a check's account"))?,
        attempt: u16::try_from(row.attempt).map_err(|_| StoreError::Corrupt("a check's attempt"))?,
        input,
        state,
        created_at: Timestamp::new(row.check_created_at),
    })
}

fn open_sealed<T: serde::de::DeserializeOwned>(
    key: &OrderKey,
    place: &str,
    id: Uuid,
    sealed: Option<&[u8]>,
) -> Result<Sensitive<T>> {
    open_json(key, place, id, sealed.ok_or(StoreError::Corrupt("an input was erased"))?)
}

pub async fn events(
    tx: &mut Tx,
    scope: &Scope,
    order: OrderId,
    limit: u32,
    after: Option<EventId>,
) -> Result<Vec<StoredEvent>> {
    let rows = sqlx::query!(
        r#"SELECT id, order_id AS "order_id!", check_id, type, version, at, data, position FROM events
           WHERE order_id = $1 AND ($2::text IS NULL OR tenant = $2)
             AND serial > coalesce((SELECT serial FROM events WHERE id = $3), 0)
           ORDER BY serial LIMIT $4"#,
        order.uuid(),
        scope.tenant(),
        after.map(EventId::uuid),
        i64::from(limit)
    )
    .fetch_all(tx.connection())
    .await?;
    let event = |data| if let Value::Object(data) = data { Some(data) } else { None };
    rows.into_iter()
        .map(|row| {
            Ok(StoredEvent {
                id: EventId::from_uuid(row.id),
                event: Event {
                    order_id: OrderId::from_uuid(row.order_id),
                    check_id: row.check_id.map(CheckId::from_uuid),
                    kind: EventType::parse(&row.r#type).ok_or(StoreError::Corrupt("an event's type"))?,
                    version: row.version,
                    at: Timestamp::new(row.at),
                    data: event(row.data).ok_or(StoreError::Corrupt("an event's data"))?,
                },
                position: row.position,
            })
        })
        .collect()
}
