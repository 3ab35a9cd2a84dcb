//! Monitors and their runs.
//!
//! Whoever changes a monitor locks its row, after the rows of orders: a due time, or an object of the vendor, makes one
//! run, because both are counted under that lock, in the transaction that writes the run's order.

mod due;
mod runs;

use domain::{
    AccountKey, CheckId, CheckStatus, Date, Frequency, Monitor, MonitorId, MonitorStatus, OrderId, PauseReason,
    TenantId, Timestamp, Told, VendorRef, VendorSide,
};
use time::OffsetDateTime;
use uuid::Uuid;

pub use self::runs::OpenRun;
use crate::error::{Result, StoreError};
use crate::tx::{Scope, Tx};

/// Which monitors are listed.
#[derive(Debug, Clone, Default)]
pub struct MonitorFilter {
    pub status: Option<MonitorStatus>,
    pub order_id: Option<OrderId>,
    /// At this time or later.
    pub created_after: Option<Timestamp>,
    /// Before this time.
    pub created_before: Option<Timestamp>,
}

/// The check that a vendor repeats, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedCheck {
    /// Where it is now: a check may be tried at one vendor account after the other.
    pub account: AccountKey,
    /// Its object there.
    pub vendor: Option<VendorRef>,
    pub status: CheckStatus,
}

/// When a worker is to look at a monitor next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    At(Timestamp),
    /// There is nothing to do.
    Never,
    /// As was planned.
    AsItIs,
}

impl Due {
    /// `None`: never.
    pub fn maybe(at: Option<Timestamp>) -> Self {
        at.map_or(Self::Never, Self::At)
    }

    const fn at(self) -> Option<Timestamp> {
        if let Self::At(at) = self { Some(at) } else { None }
    }
}

/// See [`Tx::monitors`].
pub struct Monitors<'t> {
    pub(crate) tx: &'t mut Tx,
}

impl Monitors<'_> {
    /// A new monitor with its run 0. `false`: the order has one already.
    pub async fn insert(&mut self, monitor: &Monitor, due_at: Option<Timestamp>) -> Result<bool> {
        let vendor = monitor.vendor.as_ref();
        let done = sqlx::query!(
            r#"WITH monitor AS (
                   INSERT INTO monitors (id, tenant, order_id, frequency, end_date, status, anchor_at, next_run_at,
                                         account, check_id, due_at, created_at, updated_at)
                   VALUES ($1, $2, $3, $4, $5, 'enabled', $6, $7, $8, $9, $10, $11, $11)
                   ON CONFLICT DO NOTHING RETURNING id
               )
               INSERT INTO monitor_runs (monitor_id, number, state, order_id, due_at)
               SELECT id, 0, 'open', $3, $11 FROM monitor"#,
            monitor.id.uuid(),
            monitor.tenant.as_str(),
            monitor.order_id.uuid(),
            monitor.frequency.to_string(),
            monitor.end_date.get(),
            monitor.anchor_at.get(),
            monitor.next_run_at.map(Timestamp::get),
            vendor.map(|vendor| vendor.account.to_string()),
            vendor.map(|vendor| vendor.check_id.uuid()),
            due_at.map(Timestamp::get),
            monitor.created_at.get()
        )
        .execute(self.tx.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Deleted ones are not found.
    pub async fn get(&mut self, scope: &Scope, id: MonitorId) -> Result<Option<Monitor>> {
        let monitor = self.load(&[id.uuid()]).await?.pop();
        let is_there = |monitor: &Monitor| {
            monitor.deleted_at.is_none() && scope.tenant().is_none_or(|tenant| monitor.tenant.as_str() == tenant)
        };
        Ok(monitor.filter(is_there))
    }

    /// A deleted one as well.
    pub async fn peek(&mut self, id: MonitorId) -> Result<Option<Monitor>> {
        Ok(self.load(&[id.uuid()]).await?.pop())
    }

    /// Locks the monitor's row until the transaction ends, then reads it; a deleted one as well.
    pub async fn lock(&mut self, id: MonitorId) -> Result<Option<Monitor>> {
        sqlx::query!("SELECT FROM monitors WHERE id = $1 FOR NO KEY UPDATE", id.uuid())
            .fetch_optional(self.tx.connection())
            .await?;
        Ok(self.load(&[id.uuid()]).await?.pop())
    }

    /// Newest first, from below `before`, without the deleted.
    pub async fn list(
        &mut self,
        scope: &Scope,
        filter: &MonitorFilter,
        limit: u32,
        before: Option<MonitorId>,
    ) -> Result<Vec<Monitor>> {
        let ids = sqlx::query_scalar!(
            r#"SELECT id FROM monitors
               WHERE deleted_at IS NULL AND ($1::text IS NULL OR tenant = $1) AND ($2::text IS NULL OR status = $2)
                 AND ($3::uuid IS NULL OR order_id = $3) AND ($4::timestamptz IS NULL OR created_at >= $4)
                 AND ($5::timestamptz IS NULL OR created_at < $5) AND ($6::uuid IS NULL OR id < $6)
               ORDER BY id DESC LIMIT $7"#,
            scope.tenant(),
            filter.status.map(MonitorStatus::as_str),
            filter.order_id.map(OrderId::uuid),
            filter.created_after.map(Timestamp::get),
            filter.created_before.map(Timestamp::get),
            before.map(MonitorId::uuid),
            i64::from(limit)
        )
        .fetch_all(self.tx.connection())
        .await?;
        self.load(&ids).await
    }

    /// Writes down what changed of a monitor whose row is locked, and when a worker is to look at it next.
    pub async fn save(&mut self, monitor: &Monitor, due: Due) -> Result<()> {
        let vendor = monitor.vendor.as_ref();
        let told = vendor.and_then(|vendor| vendor.told);
        let done = sqlx::query!(
            r#"UPDATE monitors
               SET frequency = $2, status = $3, pause_reason = $4, anchor_at = $5, next_run_at = $6, runs = $7,
                   vendor_monitor_id = $8, told_frequency = $9, told_enabled = $10, in_doubt_since = $11,
                   was_refused = $12, failures = $13, due_at = CASE WHEN $17 THEN due_at ELSE $14 END, updated_at = $15,
                   deleted_at = $16, account = $18, check_id = $19
               WHERE id = $1"#,
            monitor.id.uuid(),
            monitor.frequency.to_string(),
            monitor.status.as_str(),
            monitor.pause.map(PauseReason::as_str),
            monitor.anchor_at.get(),
            monitor.next_run_at.map(Timestamp::get),
            whole(monitor.runs)?,
            vendor.and_then(|vendor| vendor.monitor_id.as_deref()),
            told.map(|told| told.frequency.to_string()),
            told.map(|told| told.enabled),
            vendor.and_then(|vendor| vendor.in_doubt_since).map(Timestamp::get),
            vendor.is_some_and(|vendor| vendor.was_refused),
            whole(vendor.map_or(0, |vendor| vendor.failures))?,
            due.at().map(Timestamp::get),
            monitor.updated_at.get(),
            monitor.deleted_at.map(Timestamp::get),
            due == Due::AsItIs,
            vendor.map(|vendor| vendor.account.to_string()),
            vendor.map(|vendor| vendor.check_id.uuid())
        )
        .execute(self.tx.connection())
        .await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Conflict("the monitor is gone")) }
    }

    /// Brings the next look at the vendor's monitor forward. `false`: nobody here has it.
    pub async fn look_now(&mut self, account: &AccountKey, vendor_monitor_id: &str, now: Timestamp) -> Result<bool> {
        let done = sqlx::query!(
            r#"UPDATE monitors SET due_at = least(due_at, $3)
               WHERE account = $1 AND vendor_monitor_id IS NOT NULL AND vendor_monitor_id = $2"#,
            account.to_string(),
            vendor_monitor_id,
            now.get()
        )
        .execute(self.tx.connection())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Brings the next look at the vendor's monitors of a check forward.
    pub async fn look_at_check(&mut self, check: CheckId, now: Timestamp) -> Result<()> {
        sqlx::query!(
            r#"UPDATE monitors SET due_at = least(due_at, $2)
               WHERE check_id = $1 AND (vendor_monitor_id IS NOT NULL OR in_doubt_since IS NOT NULL)"#,
            check.uuid(),
            now.get()
        )
        .execute(self.tx.connection())
        .await?;
        Ok(())
    }

    /// Since when the vendor may have repeated the check, which it does once the check has ended; `None`: it does not.
    pub async fn repeated_since(&mut self, check: CheckId) -> Result<Option<Timestamp>> {
        let since = sqlx::query_scalar!(
            r#"SELECT greatest(min(m.created_at), min(c.ended_at))
               FROM monitors m JOIN checks c ON c.id = m.check_id
               WHERE m.check_id = $1 AND (m.vendor_monitor_id IS NOT NULL OR m.in_doubt_since IS NOT NULL)"#,
            check.uuid()
        )
        .fetch_one(self.tx.connection())
        .await?;
        Ok(since.map(Timestamp::new))
    }

    /// Where a check stands: also where the order cannot be read any more.
    pub async fn watched(&mut self, check: CheckId) -> Result<Option<WatchedCheck>> {
        let row = sqlx::query!("SELECT account, vendor_order_id, status FROM checks WHERE id = $1", check.uuid())
            .fetch_optional(self.tx.connection())
            .await?;
        let watched = row.map(|row| {
            Ok(WatchedCheck {
                account: AccountKey::try_from(row.account).map_err(|_| StoreError::Corrupt("a check's account"))?,
                vendor: row.vendor_order_id.map(VendorRef::order),
                status: CheckStatus::parse(&row.status).ok_or(StoreError::Corrupt("a check's status"))?,
            })
        });
        watched.transpose()
    }

    /// Those of the vendor's monitors that some monitor here is, other than this one.
    pub async fn held(&mut self, account: &AccountKey, ids: &[String], other_than: MonitorId) -> Result<Vec<String>> {
        let held = sqlx::query_scalar!(
            r#"SELECT vendor_monitor_id AS "id!" FROM monitors
               WHERE account = $1 AND vendor_monitor_id IS NOT NULL AND vendor_monitor_id = ANY($2) AND id <> $3"#,
            account.to_string(),
            ids,
            other_than.uuid()
        )
        .fetch_all(self.tx.connection())
        .await?;
        Ok(held)
    }

    /// Whether the order's subject was erased. `None`: there is no such order within the scope.
    pub async fn is_erased(&mut self, scope: &Scope, order: OrderId) -> Result<Option<bool>> {
        let erased = sqlx::query_scalar!(
            r#"SELECT data_key IS NULL OR input IS NULL AS "erased!" FROM orders
               WHERE id = $1 AND ($2::text IS NULL OR tenant = $2)"#,
            order.uuid(),
            scope.tenant()
        )
        .fetch_optional(self.tx.connection())
        .await?;
        Ok(erased)
    }

    /// Pauses every monitor of an order, in the transaction that takes away what it would need. Workers tell the vendor.
    /// Gives how many.
    pub async fn pause_those_of(&mut self, order: OrderId, why: PauseReason, now: Timestamp) -> Result<u64> {
        let done = sqlx::query!(
            r#"UPDATE monitors
               SET status = 'paused', pause_reason = $2, next_run_at = NULL, due_at = $3, updated_at = $3
               WHERE order_id = $1 AND deleted_at IS NULL AND status <> 'ended'"#,
            order.uuid(),
            why.as_str(),
            now.get()
        )
        .execute(self.tx.connection())
        .await?;
        Ok(done.rows_affected())
    }

    /// By descending id.
    async fn load(&mut self, ids: &[Uuid]) -> Result<Vec<Monitor>> {
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT id, tenant, order_id, frequency, end_date, status, pause_reason, anchor_at, next_run_at, runs,
                      account, check_id, vendor_monitor_id, told_frequency, told_enabled, in_doubt_since, was_refused,
                      failures, created_at, updated_at, deleted_at
               FROM monitors WHERE id = ANY($1) ORDER BY id DESC"#,
            ids
        )
        .fetch_all(self.tx.connection())
        .await?;
        rows.into_iter().map(Row::open).collect()
    }
}

struct Row {
    id: Uuid,
    tenant: String,
    order_id: Uuid,
    frequency: String,
    end_date: time::Date,
    status: String,
    pause_reason: Option<String>,
    anchor_at: OffsetDateTime,
    next_run_at: Option<OffsetDateTime>,
    runs: i32,
    account: Option<String>,
    check_id: Option<Uuid>,
    vendor_monitor_id: Option<String>,
    told_frequency: Option<String>,
    told_enabled: Option<bool>,
    in_doubt_since: Option<OffsetDateTime>,
    was_refused: bool,
    failures: i32,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
    deleted_at: Option<OffsetDateTime>,
}

impl Row {
    fn open(self) -> Result<Monitor> {
        let frequency =
            |text: &str| text.parse::<Frequency>().map_err(|_| StoreError::Corrupt("a monitor's frequency"));
        let told = match (self.told_frequency, self.told_enabled) {
            (Some(text), Some(enabled)) => Some(Told { frequency: frequency(&text)?, enabled }),
            _ => None,
        };
        let pause =
            self.pause_reason.map(|word| PauseReason::parse(&word).ok_or(StoreError::Corrupt("a pause's reason")));
        let vendor = match (self.account, self.check_id) {
            (Some(account), Some(check_id)) => Some(VendorSide {
                account: AccountKey::try_from(account).map_err(|_| StoreError::Corrupt("a monitor's account"))?,
                check_id: CheckId::from_uuid(check_id),
                monitor_id: self.vendor_monitor_id,
                told,
                in_doubt_since: self.in_doubt_since.map(Timestamp::new),
                was_refused: self.was_refused,
                failures: count(self.failures)?,
            }),
            _ => None,
        };
        Ok(Monitor {
            id: MonitorId::from_uuid(self.id),
            tenant: TenantId::new(self.tenant),
            order_id: OrderId::from_uuid(self.order_id),
            frequency: frequency(&self.frequency)?,
            end_date: Date::new(self.end_date),
            status: MonitorStatus::parse(&self.status).ok_or(StoreError::Corrupt("a monitor's status"))?,
            pause: pause.transpose()?,
            anchor_at: Timestamp::new(self.anchor_at),
            next_run_at: self.next_run_at.map(Timestamp::new),
            runs: count(self.runs)?,
            vendor,
            created_at: Timestamp::new(self.created_at),
            updated_at: Timestamp::new(self.updated_at),
            deleted_at: self.deleted_at.map(Timestamp::new),
        })
    }
}

fn whole(number: u32) -> Result<i32> {
    i32::try_from(number).map_err(|_| StoreError::Corrupt("a monitor's count"))
}

fn count(number: i32) -> Result<u32> {
    u32::try_from(number).map_err(|_| StoreError::Corrupt("a monitor's count"))
}
