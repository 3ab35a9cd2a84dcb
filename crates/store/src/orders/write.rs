//! Orders to rows: one statement for what is new, one for what changed.

use std::collections::BTreeMap;

use domain::{BatchId, Check, CheckId, CheckStatus, Event, EventId, Order, OrderId, Outcome, SubmissionId, Timestamp};
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::read::{CHECK_INPUT, CHECK_STATE, ORDER_INPUT};
use super::{Plan, Work, terms};
use crate::error::{Result, StoreError};
use crate::kin::Kin;
use crate::lanes::Lane;
use crate::sealed::to_json;
use crate::tx::{At, Tx};

/// New orders, column by column.
#[derive(Default)]
struct OrderColumns {
    id: Vec<Uuid>,
    tenant: Vec<String>,
    external_id: Vec<Option<String>>,
    batch_id: Vec<Option<Uuid>>,
    parent_order_id: Vec<Option<Uuid>>,
    status: Vec<&'static str>,
    version: Vec<i64>,
    metadata: Vec<Value>,
    data_key: Vec<Vec<u8>>,
    data_key_id: Vec<String>,
    input: Vec<Vec<u8>>,
    created_at: Vec<OffsetDateTime>,
}

#[derive(Default)]
struct CheckColumns {
    id: Vec<Uuid>,
    order_id: Vec<Uuid>,
    tenant: Vec<String>,
    position: Vec<i16>,
    kind: Vec<&'static str>,
    account: Vec<String>,
    attempt: Vec<i32>,
    status: Vec<&'static str>,
    input: Vec<Vec<u8>>,
    state: Vec<Vec<u8>>,
    created_at: Vec<OffsetDateTime>,
    lane: Vec<Uuid>,
    kin: Vec<Option<Vec<u8>>>,
}

#[derive(Default)]
struct EventColumns {
    id: Vec<Uuid>,
    tenant: Vec<String>,
    order_id: Vec<Uuid>,
    check_id: Vec<Option<Uuid>>,
    kind: Vec<&'static str>,
    version: Vec<i64>,
    at: Vec<OffsetDateTime>,
    data: Vec<Value>,
}

pub async fn insert(tx: &mut Tx, new: &[Order], due_at: Timestamp, kin: &BTreeMap<CheckId, Kin>) -> Result<()> {
    let (mut orders, mut checks, mut events) =
        (OrderColumns::default(), CheckColumns::default(), EventColumns::default());
    let (mut terms, mut terms_of): (Vec<Vec<u8>>, Vec<Uuid>) = Default::default();
    for order in new {
        let key = tx.vault.new_order_key(order.id, &*tx.entropy);
        for check in &order.checks {
            let seal = |place, json: &[u8]| key.seal(place, check.id.uuid(), json, &*tx.entropy);
            checks.input.push(seal(CHECK_INPUT, &to_json(check.input.expose())?));
            checks.state.push(seal(CHECK_STATE, &to_json(&check.state)?));
            checks.kin.push(kin.get(&check.id).map(|kin| kin.bytes().to_vec()));
            checks.push(order, check)?;
        }
        orders.input.push(key.seal(ORDER_INPUT, order.id.uuid(), &to_json(order.input.expose())?, &*tx.entropy));
        orders.data_key.push(key.wrapped);
        orders.data_key_id.push(key.main_key_id);
        orders.push(order)?;
        events.push(tx, order, &order.created());
        for term in terms::of_order(&tx.vault, order) {
            terms.push(term);
            terms_of.push(order.id.uuid());
        }
    }
    let done = sqlx::query!(
        r#"WITH new_orders AS (
               INSERT INTO orders (id, tenant, external_id, batch_id, parent_order_id, status, version, metadata,
                                   data_key, data_key_id, input, created_at, updated_at)
               SELECT id, tenant, external_id, batch_id, parent_order_id, status, version, metadata,
                      data_key, data_key_id, input, created_at, created_at
               FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::bigint[],
                           $8::jsonb[], $9::bytea[], $10::text[], $11::bytea[], $12::timestamptz[])
                    AS n (id, tenant, external_id, batch_id, parent_order_id, status, version, metadata,
                          data_key, data_key_id, input, created_at)
           ), new_checks AS (
               INSERT INTO checks (id, order_id, tenant, position, type, account, attempt, status, input, state,
                                   created_at, updated_at)
               SELECT id, order_id, tenant, position, type, account, attempt, status, input, state,
                      created_at, created_at
               FROM unnest($13::uuid[], $14::uuid[], $15::text[], $16::smallint[], $17::text[], $18::text[],
                           $19::integer[], $20::text[], $21::bytea[], $22::bytea[], $23::timestamptz[])
                    AS n (id, order_id, tenant, position, type, account, attempt, status, input, state, created_at)
           ), new_work AS (
               INSERT INTO work (check_id, order_id, tenant, account, kind, due_at, lane, kin)
               SELECT id, order_id, tenant, account, 'send', $24, lane, kin
               FROM unnest($13::uuid[], $14::uuid[], $15::text[], $18::text[], $35::uuid[], $36::bytea[])
                    AS n (id, order_id, tenant, account, lane, kin)
           ), new_terms AS (
               INSERT INTO search_terms (term, order_id) SELECT * FROM unnest($25::bytea[], $26::uuid[])
           )
           INSERT INTO events (id, tenant, order_id, check_id, type, version, at, data)
           SELECT * FROM unnest($27::uuid[], $28::text[], $29::uuid[], $30::uuid[], $31::text[], $32::bigint[],
                                $33::timestamptz[], $34::jsonb[])"#,
        &orders.id,
        &orders.tenant,
        &orders.external_id as _,
        &orders.batch_id as _,
        &orders.parent_order_id as _,
        &orders.status as _,
        &orders.version,
        &orders.metadata,
        &orders.data_key,
        &orders.data_key_id,
        &orders.input,
        &orders.created_at,
        &checks.id,
        &checks.order_id,
        &checks.tenant,
        &checks.position,
        &checks.kind as _,
        &checks.account,
        &checks.attempt,
        &checks.status as _,
        &checks.input,
        &checks.state,
        &checks.created_at,
        due_at.get(),
        &terms,
        &terms_of,
        &events.id,
        &events.tenant,
        &events.order_id,
        &events.check_id as _,
        &events.kind as _,
        &events.version,
        &events.at,
        &events.data,
        &checks.lane,
        &checks.kin as _
    )
    .execute(tx.connection())
    .await?;
    if done.rows_affected() != new.len() as u64 {
        return Err(StoreError::Conflict("not every new order was written"));
    }
    Ok(())
}

pub async fn save(tx: &mut Tx, order: &Order, plans: &[Plan], news: &[Event]) -> Result<()> {
    let key = tx.order_key(order.id).await?;
    let (mut checks, mut work) = (ChangedColumns::default(), WorkColumns::default());
    let events = EventColumns::of(tx, order, news);
    for plan in plans {
        let check = order.check(plan.check_id).ok_or(StoreError::Conflict("a plan is of another order's check"))?;
        checks.state.push(key.seal(CHECK_STATE, check.id.uuid(), &to_json(&check.state)?, &*tx.entropy));
        checks.push(check);
        work.push(check, plan.work);
    }
    let done = sqlx::query!(
        r#"WITH grown AS (
               UPDATE orders SET status = $3, outcome = $4, version = $2, updated_at = $5, completed_at = $6
               WHERE id = $1 AND version < $2 RETURNING id
           ), changed AS (
               UPDATE checks c
               SET account = n.account, attempt = n.attempt, status = n.status, outcome = n.outcome, revision = n.revision,
                   submission_id = n.submission_id, vendor_order_id = n.vendor_order_id,
                   vendor_check_id = n.vendor_check_id, provisional = n.provisional, submitted_at = n.submitted_at,
                   ended_at = n.ended_at, state = n.state, updated_at = $5
               FROM unnest($8::uuid[], $9::integer[], $10::text[], $11::text[], $12::integer[], $13::uuid[],
                           $14::text[], $15::text[], $16::timestamptz[], $17::timestamptz[], $18::bytea[],
                           $33::boolean[], $35::text[])
                    AS n (id, attempt, status, outcome, revision, submission_id, vendor_order_id, vendor_check_id,
                          submitted_at, ended_at, state, provisional, account)
               WHERE c.id = n.id AND c.order_id = $1 AND EXISTS (SELECT FROM grown)
               RETURNING c.id
           ), moved AS (
               -- What the statuses were is seen from before this statement, and stays: the order's row is locked.
               INSERT INTO batch_moves (batch_id, was, became, count)
               SELECT $32, c.status, n.status, count(*)
               FROM checks c JOIN unnest($8::uuid[], $10::text[]) AS n (id, status) ON n.id = c.id
               WHERE $32::uuid IS NOT NULL AND c.order_id = $1 AND c.status <> n.status AND EXISTS (SELECT FROM grown)
               GROUP BY c.status, n.status
           ), rested AS (
               DELETE FROM work WHERE check_id = ANY($19)
           ), planned AS (
               INSERT INTO work (check_id, order_id, tenant, account, kind, due_at, lane)
               SELECT check_id, $1, $7, account, kind, due_at, $34
               FROM unnest($20::uuid[], $21::text[], $22::text[], $23::timestamptz[]) AS n (check_id, account, kind, due_at)
               ON CONFLICT (check_id) DO UPDATE
               SET account = excluded.account, kind = excluded.kind, due_at = excluded.due_at, kin = NULL
           ), told AS (
               INSERT INTO events (id, tenant, order_id, check_id, type, version, at, data)
               SELECT * FROM unnest($24::uuid[], $25::text[], $26::uuid[], $27::uuid[], $28::text[], $29::bigint[],
                                    $30::timestamptz[], $31::jsonb[])
           )
           SELECT (SELECT count(*) FROM grown) AS "grown!",
                  (SELECT count(*) FROM orders WHERE id = $1 AND version = $2) AS "same!",
                  (SELECT count(*) FROM changed) AS "changed!""#,
        order.id.uuid(),
        order.version,
        order.status().as_str(),
        order.outcome().map(Outcome::as_str),
        order.updated_at.get(),
        order.completed_at.map(Timestamp::get),
        order.tenant.as_str(),
        &checks.id,
        &checks.attempt,
        &checks.status as _,
        &checks.outcome as _,
        &checks.revision,
        &checks.submission_id as _,
        &checks.vendor_order_id as _,
        &checks.vendor_check_id as _,
        &checks.submitted_at as _,
        &checks.ended_at as _,
        &checks.state,
        &work.idle,
        &work.check_id,
        &work.account,
        &work.kind as _,
        &work.due_at,
        &events.id,
        &events.tenant,
        &events.order_id,
        &events.check_id as _,
        &events.kind as _,
        &events.version,
        &events.at,
        &events.data,
        order.batch_id.map(BatchId::uuid),
        &checks.provisional,
        Lane(order.batch_id).uuid(),
        &checks.account
    )
    .fetch_one(tx.connection())
    .await?;
    match (done.grown, done.same) {
        (1, _) if usize::try_from(done.changed) == Ok(plans.len()) => Ok(()),
        (1, _) => Err(StoreError::Conflict("not every planned check was written")),
        (_, 1) => Ok(()),
        _ => Err(StoreError::Conflict("the order is gone or has a newer version")),
    }
}

#[derive(Default)]
struct ChangedColumns {
    id: Vec<Uuid>,
    account: Vec<String>,
    attempt: Vec<i32>,
    status: Vec<&'static str>,
    outcome: Vec<Option<&'static str>>,
    revision: Vec<i32>,
    submission_id: Vec<Option<Uuid>>,
    vendor_order_id: Vec<Option<String>>,
    vendor_check_id: Vec<Option<String>>,
    submitted_at: Vec<Option<OffsetDateTime>>,
    ended_at: Vec<Option<OffsetDateTime>>,
    state: Vec<Vec<u8>>,
    provisional: Vec<bool>,
}

impl ChangedColumns {
    fn push(&mut self, check: &Check) {
        let state = &check.state;
        let vendor = state.binding().map(|binding| &binding.vendor);
        self.id.push(check.id.uuid());
        self.account.push(check.account.to_string());
        self.attempt.push(check.attempt.into());
        self.status.push(check.status().as_str());
        self.outcome.push(state.outcome().map(Outcome::as_str));
        self.revision.push(i32::try_from(state.revision()).unwrap_or(i32::MAX));
        self.submission_id.push(state.submission().map(SubmissionId::uuid));
        self.vendor_order_id.push(vendor.map(|vendor| vendor.order_id.clone()));
        self.provisional.push(state.binding().is_some_and(|binding| binding.provisional));
        self.vendor_check_id.push(vendor.and_then(|vendor| vendor.check_id.clone()));
        self.submitted_at.push(state.submitted_at.map(Timestamp::get));
        self.ended_at.push(state.ended_at.map(Timestamp::get));
    }
}

#[derive(Default)]
struct WorkColumns {
    /// Checks that nothing is to be done for.
    idle: Vec<Uuid>,
    check_id: Vec<Uuid>,
    account: Vec<String>,
    kind: Vec<&'static str>,
    due_at: Vec<OffsetDateTime>,
}

impl WorkColumns {
    fn push(&mut self, check: &Check, work: Option<(Work, Timestamp)>) {
        let Some((work, due_at)) = work else { return self.idle.push(check.id.uuid()) };
        self.check_id.push(check.id.uuid());
        self.account.push(check.account.to_string());
        self.kind.push(work.as_str());
        self.due_at.push(due_at.get());
    }
}

impl OrderColumns {
    /// All but the sealed columns.
    fn push(&mut self, order: &Order) -> Result<()> {
        let metadata = serde_json::to_value(&order.metadata);
        self.id.push(order.id.uuid());
        self.tenant.push(order.tenant.to_string());
        self.external_id.push(order.external_id.clone());
        self.batch_id.push(order.batch_id.map(BatchId::uuid));
        self.parent_order_id.push(order.parent_order_id.map(OrderId::uuid));
        self.status.push(order.status().as_str());
        self.version.push(order.version);
        self.metadata.push(metadata.map_err(|_| StoreError::Corrupt("an order's metadata"))?);
        self.created_at.push(order.created_at.get());
        Ok(())
    }
}

impl CheckColumns {
    /// All but the sealed columns.
    fn push(&mut self, order: &Order, check: &Check) -> Result<()> {
        if check.status() != CheckStatus::Queued {
            return Err(StoreError::Conflict("a new check must wait to be sent"));
        }
        self.id.push(check.id.uuid());
        self.order_id.push(order.id.uuid());
        self.tenant.push(order.tenant.to_string());
        self.position.push(i16::try_from(check.position).map_err(|_| StoreError::Corrupt("a check's position"))?);
        self.kind.push(check.kind.as_str());
        self.account.push(check.account.to_string());
        self.attempt.push(check.attempt.into());
        self.status.push(check.status().as_str());
        self.created_at.push(check.created_at.get());
        self.lane.push(Lane(order.batch_id).uuid());
        Ok(())
    }
}

impl EventColumns {
    fn of(tx: &Tx, order: &Order, events: &[Event]) -> Self {
        let mut columns = Self::default();
        for event in events {
            columns.push(tx, order, event);
        }
        columns
    }

    fn push(&mut self, tx: &Tx, order: &Order, event: &Event) {
        self.id.push(EventId::generate(&At(event.at), &*tx.entropy).uuid());
        self.tenant.push(order.tenant.to_string());
        self.order_id.push(event.order_id.uuid());
        self.check_id.push(event.check_id.map(CheckId::uuid));
        self.kind.push(event.kind.as_str());
        self.version.push(event.version);
        self.at.push(event.at.get());
        self.data.push(Value::Object(event.data.clone()));
    }
}
