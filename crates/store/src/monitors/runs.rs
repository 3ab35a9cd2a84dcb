//! Runs: taken once, ended once.

use domain::{MonitorId, MonitorRun, OrderId, RunState, Timestamp};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Monitors, count, whole};
use crate::error::{Result, StoreError};
use crate::tx::Store;

/// A run that is not ended yet, and whose order is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenRun {
    pub monitor_id: MonitorId,
    pub number: u32,
    pub order_id: OrderId,
}

impl Monitors<'_> {
    /// A new run of a monitor whose row is locked. `vendor_order_id` is the vendor's object that made it one, of vendors'
    /// own monitors.
    pub async fn insert_run(&mut self, new: &MonitorRun, vendor_order_id: Option<&str>) -> Result<()> {
        let done = sqlx::query!(
            r#"INSERT INTO monitor_runs (monitor_id, number, state, order_id, vendor_order_id, due_at, ended_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7)
               ON CONFLICT DO NOTHING"#,
            new.monitor_id.uuid(),
            whole(new.number)?,
            new.state.as_str(),
            new.order_id.map(OrderId::uuid),
            vendor_order_id,
            new.due_at.get(),
            new.ended_at.map(Timestamp::get)
        )
        .execute(self.tx.connection())
        .await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Conflict("the run is there already")) }
    }

    /// Which of the vendor's objects are runs of the monitor already.
    pub async fn taken(&mut self, monitor: MonitorId) -> Result<Vec<String>> {
        let ids = sqlx::query_scalar!(
            r#"SELECT vendor_order_id AS "id!" FROM monitor_runs WHERE monitor_id = $1 AND vendor_order_id IS NOT NULL"#,
            monitor.uuid()
        )
        .fetch_all(self.tx.connection())
        .await?;
        Ok(ids)
    }

    /// Whether this one of the vendor's objects is a run of the monitor already.
    pub async fn is_taken(&mut self, monitor: MonitorId, vendor_order_id: &str) -> Result<bool> {
        let taken = sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT FROM monitor_runs WHERE monitor_id = $1 AND vendor_order_id = $2) AS "taken!""#,
            monitor.uuid(),
            vendor_order_id
        )
        .fetch_one(self.tx.connection())
        .await?;
        Ok(taken)
    }

    /// Newest first, from below the number `before`.
    pub async fn runs(&mut self, monitor: MonitorId, limit: u32, before: Option<u32>) -> Result<Vec<MonitorRun>> {
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT monitor_id, number, state, order_id, due_at, ended_at, changed FROM monitor_runs
               WHERE monitor_id = $1 AND ($2::integer IS NULL OR number < $2) ORDER BY number DESC LIMIT $3"#,
            monitor.uuid(),
            before.map(whole).transpose()?,
            i64::from(limit)
        )
        .fetch_all(self.tx.connection())
        .await?;
        rows.into_iter().map(Row::open).collect()
    }

    /// Whether a run of the monitor is under way.
    pub async fn has_open_run(&mut self, monitor: MonitorId) -> Result<bool> {
        let open = sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT FROM monitor_runs WHERE monitor_id = $1 AND state = 'open') AS "open!""#,
            monitor.uuid()
        )
        .fetch_one(self.tx.connection())
        .await?;
        Ok(open)
    }

    /// The order of the latest run before this number that completed.
    pub async fn completed_before(&mut self, monitor: MonitorId, number: u32) -> Result<Option<OrderId>> {
        let order = sqlx::query_scalar!(
            r#"SELECT o.id FROM monitor_runs r JOIN orders o ON o.id = r.order_id
               WHERE r.monitor_id = $1 AND r.number < $2 AND o.status = 'completed'
               ORDER BY r.number DESC LIMIT 1"#,
            monitor.uuid(),
            whole(number)?
        )
        .fetch_optional(self.tx.connection())
        .await?;
        Ok(order.map(OrderId::from_uuid))
    }

    /// Notes how an open run ended. `false`: somebody else has.
    pub async fn end_run(&mut self, run: OpenRun, changed: Option<bool>, now: Timestamp) -> Result<bool> {
        let done = sqlx::query!(
            r#"UPDATE monitor_runs SET state = 'ended', ended_at = $3, changed = $4
               WHERE monitor_id = $1 AND number = $2 AND state = 'open'"#,
            run.monitor_id.uuid(),
            whole(run.number)?,
            now.get(),
            changed
        )
        .execute(self.tx.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }
}

impl Store {
    /// Runs whose orders have ended, and that nobody has noted it of yet; an earlier run of a monitor before a later one.
    pub async fn runs_to_end(&self, limit: i64) -> Result<Vec<OpenRun>> {
        let rows = sqlx::query!(
            r#"SELECT r.monitor_id, r.number, o.id AS order_id FROM monitor_runs r JOIN orders o ON o.id = r.order_id
               WHERE r.state = 'open' AND o.status IN ('completed', 'canceled', 'failed')
               ORDER BY r.number, r.monitor_id LIMIT $1"#,
            limit
        )
        .fetch_all(&self.pool)
        .await?;
        let open = |monitor, number, order| {
            Ok(OpenRun {
                monitor_id: MonitorId::from_uuid(monitor),
                number: count(number)?,
                order_id: OrderId::from_uuid(order),
            })
        };
        rows.into_iter().map(|row| open(row.monitor_id, row.number, row.order_id)).collect()
    }
}

struct Row {
    monitor_id: Uuid,
    number: i32,
    state: String,
    order_id: Option<Uuid>,
    due_at: OffsetDateTime,
    ended_at: Option<OffsetDateTime>,
    changed: Option<bool>,
}

impl Row {
    fn open(self) -> Result<MonitorRun> {
        Ok(MonitorRun {
            monitor_id: MonitorId::from_uuid(self.monitor_id),
            number: count(self.number)?,
            state: RunState::parse(&self.state).ok_or(StoreError::Corrupt("a run's state"))?,
            order_id: self.order_id.map(OrderId::from_uuid),
            due_at: Timestamp::new(self.due_at),
            ended_at: self.ended_at.map(Timestamp::new),
            changed: self.changed,
        })
    }
}
