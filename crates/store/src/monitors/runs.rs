//! Runs: taken once, ended once.

use domain::{MonitorId, MonitorRun, MonitorRunId, OrderId, Timestamp};

use super::{Monitors, run, whole};
use crate::error::{Result, StoreError};
use crate::tx::Store;

/// A run that is not ended yet, and whose order is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenRun {
    pub id: MonitorRunId,
    pub monitor_id: MonitorId,
    pub order_id: OrderId,
}

impl Monitors<'_> {
    /// A new run of a monitor whose row is locked. `vendor_order_id` is the vendor's object that made it one, of vendors'
    /// own monitors.
    pub async fn insert_run(&mut self, new: &MonitorRun, vendor_order_id: Option<&str>) -> Result<()> {
        let done = sqlx::query!(
            r#"INSERT INTO monitor_runs (id, monitor_id, number, state, order_id, vendor_order_id, due_at, ended_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
               ON CONFLICT DO NOTHING"#,
            new.id.uuid(),
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

    /// Newest first, from below `before`.
    pub async fn runs(
        &mut self,
        monitor: MonitorId,
        limit: u32,
        before: Option<MonitorRunId>,
    ) -> Result<Vec<MonitorRun>> {
        let rows = sqlx::query!(
            r#"SELECT id, monitor_id, number, state, order_id, due_at, ended_at, changed FROM monitor_runs
               WHERE monitor_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3"#,
            monitor.uuid(),
            before.map(MonitorRunId::uuid),
            i64::from(limit)
        )
        .fetch_all(self.tx.connection())
        .await?;
        rows.into_iter()
            .map(|row| {
                let times = (row.due_at, row.ended_at);
                run(row.id, row.monitor_id, row.number, &row.state, row.order_id, times, row.changed)
            })
            .collect()
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

    /// A run, if it is open still.
    pub async fn open_run(&mut self, id: MonitorRunId) -> Result<Option<MonitorRun>> {
        let row = sqlx::query!(
            r#"SELECT id, monitor_id, number, state, order_id, due_at, ended_at, changed FROM monitor_runs
               WHERE id = $1 AND state = 'open'"#,
            id.uuid()
        )
        .fetch_optional(self.tx.connection())
        .await?;
        row.map(|row| {
            let times = (row.due_at, row.ended_at);
            run(row.id, row.monitor_id, row.number, &row.state, row.order_id, times, row.changed)
        })
        .transpose()
    }

    /// The order of the latest run before this number that completed.
    pub async fn completed_before(&mut self, monitor: MonitorId, number: u32) -> Result<Option<OrderId>> {
        let order = sqlx::query_scalar!(
            r#"SELECT o.id FROM monitor_runs r JOIN orders o ON o.id = r.order_id
               WHERE r.monitor_id = $1 AND r.number < $2 AND r.state = 'ended' AND o.status = 'completed'
               ORDER BY r.number DESC LIMIT 1"#,
            monitor.uuid(),
            whole(number)?
        )
        .fetch_optional(self.tx.connection())
        .await?;
        Ok(order.map(OrderId::from_uuid))
    }

    /// Notes how an open run ended.
    pub async fn end_run(&mut self, id: MonitorRunId, changed: Option<bool>, now: Timestamp) -> Result<()> {
        let done = sqlx::query!(
            "UPDATE monitor_runs SET state = 'ended', ended_at = $2, changed = $3 WHERE id = $1 AND state = 'open'",
            id.uuid(),
            now.get(),
            changed
        )
        .execute(self.tx.connection())
        .await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Conflict("the run was ended by someone else")) }
    }
}

impl Store {
    /// Runs whose orders have ended, and that nobody has noted it of yet.
    pub async fn runs_to_end(&self, limit: i64) -> Result<Vec<OpenRun>> {
        let rows = sqlx::query!(
            r#"SELECT r.id, r.monitor_id, o.id AS order_id FROM monitor_runs r JOIN orders o ON o.id = r.order_id
               WHERE r.state = 'open' AND o.status IN ('completed', 'canceled', 'failed')
               ORDER BY r.id LIMIT $1"#,
            limit
        )
        .fetch_all(&self.pool)
        .await?;
        let open = |id, monitor, order| OpenRun {
            id: MonitorRunId::from_uuid(id),
            monitor_id: MonitorId::from_uuid(monitor),
            order_id: OrderId::from_uuid(order),
        };
        Ok(rows.into_iter().map(|row| open(row.id, row.monitor_id, row.order_id)).collect())
    }
}
