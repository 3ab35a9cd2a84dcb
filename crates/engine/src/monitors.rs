//! Monitors: an order is run again and again, and what changed is told.
//!
//! A run is an order of its own, with the first one as its parent. Who makes the runs is decided once:
//!
//! * [`vendor`]: an order of one check whose vendor repeats checks by itself. The vendor makes the runs; the gateway looks
//!   for them ([`runs`]), and takes each in as an order whose check is bound from the start.
//! * [`reorder`]: every other order. At each due time the gateway orders all of its checks again.
//!
//! [`ends`] notes the end of each run, compares it with the one before, and tells of a change.

mod ends;
mod reorder;
mod runs;
mod step;
mod vendor;

use std::time::Duration;

use domain::{
    Check, CheckId, CheckState, Date, Frequency, Monitor, MonitorId, MonitorStatus, Order, OrderId, OrderStatus,
    PauseReason, Timestamp, VendorSide,
};
use store::{Due, Scope, StoreError, Tx};

use crate::Engine;

/// How long a worker has for the monitors that it claimed and that need no vendor's answer.
const LEASE: Duration = Duration::from_secs(30);
const CLAIM: i64 = 50;

/// What a caller wants of a new monitor.
#[derive(Debug, Clone, Copy)]
pub struct MonitorWish {
    pub frequency: Frequency,
    pub end_date: Date,
}

/// What a caller wants changed.
#[derive(Debug, Clone, Copy, Default)]
pub struct MonitorChanges {
    pub frequency: Option<Frequency>,
    /// `true`: enabled; `false`: paused.
    pub enabled: Option<bool>,
}

#[derive(Debug, thiserror::Error)]
pub enum MonitorError {
    #[error("the end date allows no run")]
    EndsTooSoon,
    #[error("the order is monitored already")]
    Taken,
    #[error("the order ended without a result")]
    NoResult,
    #[error("the subject of the order was erased")]
    Erased,
    #[error("the monitor has ended")]
    Ended,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Monitors an order, in the caller's transaction. Once that is saved, call [`Engine::wake`].
    pub async fn monitor(&self, tx: &mut Tx, order: &Order, wish: MonitorWish) -> Result<Monitor, MonitorError> {
        let now = self.now();
        let MonitorWish { frequency, end_date } = wish;
        if frequency.add_to(now.date(), 1) > end_date {
            return Err(MonitorError::EndsTooSoon);
        }
        if matches!(order.status(), OrderStatus::Canceled | OrderStatus::Failed) {
            return Err(MonitorError::NoResult);
        }
        let vendor = self.repeated_by_vendor(order, frequency).map(|check| VendorSide {
            account: check.account.clone(),
            check_id: check.id,
            monitor_id: None,
            told: None,
            in_doubt_since: None,
            was_refused: false,
            failures: 0,
        });
        let mut monitor = Monitor {
            id: MonitorId::generate(self.clock(), self.entropy()),
            tenant: order.tenant.clone(),
            order_id: order.id,
            frequency,
            end_date,
            status: MonitorStatus::Enabled,
            pause: None,
            anchor_at: now,
            next_run_at: None,
            runs: 0,
            vendor,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        };
        // The vendor says itself when it runs, once it has been told to; that is when the first order has ended.
        if monitor.vendor.is_none() {
            monitor.next_run_at = monitor.run_after(now);
        }
        if tx.monitors().insert(&monitor, monitor.next_run_at).await? { Ok(monitor) } else { Err(MonitorError::Taken) }
    }

    /// Monitors an order that is there already.
    ///
    /// `None`: the caller has no such order.
    pub async fn monitor_existing(
        &self,
        tx: &mut Tx,
        scope: &Scope,
        id: OrderId,
        wish: MonitorWish,
    ) -> Result<Option<Monitor>, MonitorError> {
        match tx.monitors().is_erased(scope, id).await? {
            None => return Ok(None),
            Some(true) => return Err(MonitorError::Erased),
            Some(false) => {}
        }
        let Some(order) = tx.orders().get(scope, id).await? else { return Ok(None) };
        self.monitor(tx, &order, wish).await.map(Some)
    }

    /// Changes a monitor, in the caller's transaction. Once that is saved, call [`Engine::wake`]. A changed frequency, and
    /// enabling it again, count the next run from now.
    pub async fn change_monitor(
        &self,
        tx: &mut Tx,
        scope: &Scope,
        id: MonitorId,
        changes: MonitorChanges,
    ) -> Result<Option<Monitor>, MonitorError> {
        let Some(mut monitor) = known(tx, scope, id).await? else { return Ok(None) };
        let (before, now) = (monitor.clone(), self.now());
        if monitor.status == MonitorStatus::Ended {
            return Err(MonitorError::Ended);
        }
        monitor.frequency = changes.frequency.unwrap_or(monitor.frequency);
        match changes.enabled {
            Some(true) if monitor.status == MonitorStatus::Paused => {
                monitor.status = MonitorStatus::Enabled;
                monitor.pause = None;
            }
            Some(false) if monitor.status == MonitorStatus::Enabled => monitor.pause(PauseReason::Caller),
            _ => {}
        }
        if monitor == before {
            return Ok(Some(monitor));
        }
        if monitor.is_wanted() {
            monitor.anchor_at = now;
            if monitor.run_after(now).is_none() {
                return Err(MonitorError::EndsTooSoon);
            }
        }
        let due = if monitor.vendor.is_some() {
            // The vendor is told at once.
            Due::At(now)
        } else {
            monitor.next_run_at = if monitor.is_wanted() { monitor.run_after(now) } else { None };
            Due::maybe(monitor.next_run_at)
        };
        self.save_monitor(tx, &before, &mut monitor, due).await?;
        Ok(Some(monitor))
    }

    /// No run begins from this commit on, and nobody sees the monitor any more; its runs' orders stay. Gives whether there
    /// was one.
    pub async fn delete_monitor(&self, tx: &mut Tx, scope: &Scope, id: MonitorId) -> Result<bool, StoreError> {
        let Some(mut monitor) = known(tx, scope, id).await? else { return Ok(false) };
        let (before, now) = (monitor.clone(), self.now());
        monitor.deleted_at = Some(now);
        monitor.next_run_at = None;
        let due = if monitor.vendor.is_some() { Due::At(now) } else { Due::Never };
        self.save_monitor(tx, &before, &mut monitor, due).await?;
        Ok(true)
    }

    /// Does what is due for monitors and needs no vendor's answer: notes the ends of runs, and orders again. Gives how much
    /// it was.
    pub async fn run_monitors(&self) -> Result<usize, StoreError> {
        let mut done = self.end_runs().await?;
        let now = self.now();
        for id in self.store().claim_monitors(None, CLAIM, now, now + LEASE).await? {
            done += 1;
            // Boxed: it is rare, and large.
            if let Err(error) = Box::pin(self.order_again(id)).await {
                // It comes due again with the end of its lease.
                tracing::error!(%error, monitor = %id, "could not make a run of a monitor");
            }
        }
        Ok(done)
    }

    /// The one check of an order that its vendor repeats by itself.
    fn repeated_by_vendor<'a>(&self, order: &'a Order, frequency: Frequency) -> Option<&'a Check> {
        let [check] = order.checks.as_slice() else { return None };
        let monitoring = self.account(&check.account)?.provider.monitoring()?;
        monitoring.takes(order.input.expose(), check.input.expose(), frequency).then_some(check)
    }

    /// The same order once more, to be made now.
    fn once_more(&self, first: &Order) -> Order {
        let now = self.now();
        let id = OrderId::generate(self.clock(), self.entropy());
        let checks = first.checks.iter().map(|check| Check {
            id: CheckId::generate(self.clock(), self.entropy()),
            order_id: id,
            position: check.position,
            kind: check.kind,
            account: check.account.clone(),
            attempt: 1,
            // A run is a check of its own, also where the first verified an earlier result again.
            input: check.input.expose().anew().into(),
            state: CheckState::new(),
            created_at: now,
        });
        Order {
            id,
            tenant: first.tenant.clone(),
            external_id: first.external_id.clone(),
            batch_id: None,
            parent_order_id: Some(first.id),
            input: first.input.clone(),
            metadata: first.metadata.clone(),
            checks: checks.collect(),
            version: 1,
            created_at: now,
            updated_at: now,
            completed_at: None,
        }
    }

    /// Writes a monitor down; what a caller sees of it has a new time where it changed.
    async fn save_monitor(
        &self,
        tx: &mut Tx,
        before: &Monitor,
        monitor: &mut Monitor,
        due: Due,
    ) -> Result<(), StoreError> {
        let seen = |one: &Monitor| (one.frequency, one.status, one.pause, one.next_run_at, one.runs, one.deleted_at);
        if seen(before) != seen(monitor) {
            monitor.updated_at = self.now();
        }
        if before.pause != monitor.pause
            && let Some(reason) = monitor.pause.filter(|reason| *reason != PauseReason::Caller)
        {
            tracing::warn!(monitor = %monitor.id, reason = reason.as_str(), "a monitor is paused");
            metrics::counter!("vetgate_monitors_paused_total", "reason" => reason.as_str()).increment(1);
        }
        tx.monitors().save(monitor, due).await
    }
}

/// The monitor with its row locked, if the caller has it.
async fn known(tx: &mut Tx, scope: &Scope, id: MonitorId) -> Result<Option<Monitor>, StoreError> {
    match tx.monitors().get(scope, id).await? {
        // It may have been deleted meanwhile.
        Some(_) => Ok(tx.monitors().lock(id).await?.filter(|monitor| monitor.deleted_at.is_none())),
        None => Ok(None),
    }
}

/// The order that a monitor began with; `None`: its subject was erased. One that cannot be read for another reason is an
/// error: a key that is missing may come back.
async fn first_order(tx: &mut Tx, id: OrderId) -> Result<Option<Order>, StoreError> {
    match tx.orders().get_many(&Scope::All, &[id]).await?.pop() {
        Some(order) => Ok(Some(order)),
        None if tx.monitors().is_erased(&Scope::All, id).await? == Some(false) => {
            Err(StoreError::Corrupt("the order that a monitor began with"))
        }
        None => Ok(None),
    }
}

/// Whether the subject agrees to be checked at this time.
fn agrees(order: &Order, at: Timestamp) -> bool {
    order.input.expose().consent.expires_at.is_none_or(|end| end > at)
}
