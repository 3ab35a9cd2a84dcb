//! A vendor's own monitors: made once, and told of changes. What they have run is looked for in [`runs`](super::runs).
//!
//! That a create call is about to be made is durable before it is. Where its answer is lost, or the process dies, the
//! vendor's list is looked through for it; only what a look does not show after the settle window is asked for again.

use std::time::{Duration, Instant};

use domain::{Monitor, MonitorId, MonitorStatus, PauseReason, Reason, Timestamp, Told, VendorRef, VendorSide};
use provider::{
    CallError, MonitorChange, MonitorCreated, MonitorUpdated, Monitoring, NotSentReason, Share, VendorMonitor,
};
use store::{Due, StoreError, Tx};

use super::first_order;
use super::step::{Step, next_step};
use crate::gate::Passage;
use crate::{Account, Engine};

/// So many are claimed at once, and looked at one after the other.
const AT_ONCE: u32 = 4;
/// How many calls one of them takes at most, as a rule.
const CALLS: u32 = 4;
/// A run that was under way when it was switched off is looked for once more.
pub(super) const AFTERMATH: Duration = Duration::from_hours(1);

impl Engine {
    /// Tends the monitors of an account that have something to do. Gives how many.
    pub async fn monitors(&self, account: &Account) -> Result<usize, StoreError> {
        let Some(monitoring) = account.provider.monitoring() else { return Ok(0) };
        let may_make = match self.passage(&account.key).await? {
            Passage::Open => true,
            Passage::Paused => false,
            Passage::Probe | Passage::Resting(_) => return Ok(0),
        };
        let now = self.now();
        let lease = account.timing.timeout * CALLS * AT_ONCE + self.settings.lease_margin;
        let claimed = self.store().claim_monitors(Some(&account.key), AT_ONCE.into(), now, now + lease).await?;
        for id in &claimed {
            // Boxed: it is rare, and large.
            if let Err(error) = Box::pin(self.tend(account, monitoring, *id, may_make)).await {
                // It comes due again with the end of its lease.
                tracing::error!(%error, monitor = %id, "could not tend a monitor");
            }
        }
        Ok(claimed.len())
    }

    async fn tend(
        &self,
        account: &Account,
        monitoring: &dyn Monitoring,
        id: MonitorId,
        may_make: bool,
    ) -> Result<(), StoreError> {
        let mut tx = self.store().begin().await?;
        let Some(monitor) = tx.monitors().peek(id).await? else { return Ok(()) };
        let Some(vendor) = &monitor.vendor else { return Ok(()) };
        let first = first_order(&mut tx, monitor.order_id).await?;
        let watched = tx.monitors().watched(vendor.check_id).await?;
        tx.cancel().await?;
        match next_step(&monitor, vendor, first.as_ref(), watched, self.now()) {
            Step::Rest => self.lay_to_rest(id).await,
            Step::Pause(reason) => self.change(id, Due::At(self.now()), |monitor, _| pause(monitor, reason)).await,
            Step::End => self.change(id, Due::At(self.now()), |monitor, _| monitor.end()).await,
            Step::OrderAgain => self.order_from_now_on(id).await,
            Step::Create(_) if !may_make => self.tend_later(id, None).await,
            Step::Tell(_, change) if change.enabled && !may_make => self.tend_later(id, None).await,
            Step::Create(check) => self.have_repeated(account, monitoring, id, &check).await,
            Step::Look(check) => self.look_for_lost(account, monitoring, id, &check).await,
            Step::Tell(vendor_id, change) => self.tell_vendor(account, monitoring, id, &vendor_id, change).await,
            Step::Follow(vendor_id) => self.look_for_runs(account, monitoring, id, &vendor_id).await,
        }
    }

    /// Lets a monitor sleep until somebody wakes it, if there is nothing to do under its lock either: whoever woke it since
    /// it was read would wake it in vain.
    async fn lay_to_rest(&self, id: MonitorId) -> Result<(), StoreError> {
        let mut tx = self.store().begin().await?;
        let Some(monitor) = tx.monitors().lock(id).await? else { return Ok(()) };
        let Some(vendor) = &monitor.vendor else { return Ok(()) };
        let first = first_order(&mut tx, monitor.order_id).await?;
        let watched = tx.monitors().watched(vendor.check_id).await?;
        let now = self.now();
        let due = match next_step(&monitor, vendor, first.as_ref(), watched, now) {
            Step::Rest => Due::Never,
            _ => Due::At(now),
        };
        tx.monitors().save(&monitor, due).await?;
        tx.save().await
    }

    /// Leaves a monitor to the gateway: its check went on to another vendor account before this one was asked for anything.
    async fn order_from_now_on(&self, id: MonitorId) -> Result<(), StoreError> {
        let mut tx = self.store().begin().await?;
        let Some(mut monitor) = tx.monitors().lock(id).await? else { return Ok(()) };
        let before = monitor.clone();
        let is_unasked = |vendor: &VendorSide| vendor.monitor_id.is_none() && vendor.in_doubt_since.is_none();
        if !monitor.is_wanted() || !monitor.vendor.as_ref().is_some_and(is_unasked) {
            // It was changed meanwhile; the end of the lease brings it back.
            return Ok(());
        }
        tracing::info!(monitor = %id, "its check went on to another vendor account: the gateway orders again by itself");
        monitor.vendor = None;
        match monitor.run_after(self.now()) {
            Some(next) => monitor.next_run_at = Some(next),
            None => monitor.end(),
        }
        let due = Due::maybe(monitor.next_run_at);
        self.save_monitor(&mut tx, &before, &mut monitor, due).await?;
        tx.save().await
    }

    /// Makes the create call. The intent is durable before.
    async fn have_repeated(
        &self,
        account: &Account,
        monitoring: &dyn Monitoring,
        id: MonitorId,
        check: &VendorRef,
    ) -> Result<(), StoreError> {
        let lease = account.timing.timeout + self.settings.lease_margin;
        let lease_ends = Instant::now() + lease;
        let until = self.now() + lease;
        let mut tx = self.store().begin().await?;
        let Some(mut monitor) = tx.monitors().lock(id).await? else { return Ok(()) };
        let before = monitor.clone();
        let is_wanted = monitor.is_wanted();
        let (frequency, end_date) = (monitor.frequency, monitor.end_date);
        let Some(vendor) = &mut monitor.vendor else { return Ok(()) };
        if !is_wanted || vendor.monitor_id.is_some() || vendor.in_doubt_since.is_some() {
            // It was changed meanwhile; the end of the lease brings it back.
            return Ok(());
        }
        vendor.in_doubt_since = Some(until);
        vendor.was_refused = false;
        self.save_monitor(&mut tx, &before, &mut monitor, Due::At(until)).await?;
        tx.save().await?;

        let ctx = self.call_context(account, Share::Create).with_lease(lease_ends);
        // The monotonic clock may stand still while a machine sleeps; the other one does not.
        let created = if self.now() + account.timing.timeout > until {
            let why = NotSentReason::LeaseTooShort;
            MonitorCreated::NotSent { why: Reason::new(why.code(), why.to_string()), retry_after: None }
        } else {
            monitoring.create(&ctx, check, frequency, end_date).await
        };
        let now = self.now();
        let class = match &created {
            MonitorCreated::Made(_) => "accepted",
            MonitorCreated::Refused(_) => "rejected",
            MonitorCreated::NotSent { .. } => "not_sent",
            MonitorCreated::Unknown(_) => "unknown",
        };
        metrics::counter!("vetgate_monitor_creates_total", "account" => account.key.to_string(), "class" => class)
            .increment(1);
        match created {
            MonitorCreated::Made(made) => {
                self.call_went_well(&account.key).await;
                self.change(id, Due::At(now), |monitor, vendor| {
                    if vendor.monitor_id.is_none() {
                        adopt(vendor, &made, monitor);
                    }
                })
                .await
            }
            MonitorCreated::Refused(why) => {
                tracing::warn!(monitor = %id, account = %account.key, %why.message, "the vendor refuses to monitor a check");
                self.call_went_well(&account.key).await;
                self.change(id, Due::At(now + settle(account)), |_, vendor| {
                    vendor.in_doubt_since = Some(now);
                    vendor.was_refused = true;
                })
                .await
            }
            MonitorCreated::NotSent { why, retry_after } => {
                if why.code == NotSentReason::NotConnected.code() || why.code == "credentials_refused" {
                    self.call_went_wrong(&account.key, &why.code).await;
                }
                self.change(id, Due::AsItIs, |_, vendor| {
                    // Once the lease is over, the doubt may be another process's.
                    vendor.in_doubt_since = vendor.in_doubt_since.filter(|since| *since != until);
                })
                .await?;
                self.tend_later(id, retry_after).await
            }
            MonitorCreated::Unknown(why) => {
                tracing::warn!(monitor = %id, account = %account.key, why = why.code, "whether the vendor made a monitor is not known; it is looked for");
                self.call_went_wrong(&account.key, &why.code).await;
                self.change(id, Due::At(now), |_, vendor| vendor.in_doubt_since = Some(now)).await
            }
        }
    }

    /// Looks through the vendor's list for what a lost create call has made.
    async fn look_for_lost(
        &self,
        account: &Account,
        monitoring: &dyn Monitoring,
        id: MonitorId,
        check: &VendorRef,
    ) -> Result<(), StoreError> {
        let began = self.now();
        let found = match monitoring.find(&self.call_context(account, Share::LookUp), check).await {
            Ok(found) => found,
            Err(error) => return self.failed(account, id, &error).await,
        };
        self.call_went_well(&account.key).await;
        let mut tx = self.store().begin().await?;
        let Some(mut monitor) = tx.monitors().lock(id).await? else { return Ok(()) };
        let before = monitor.clone();
        let ids: Vec<String> = found.iter().map(|one| one.id.clone()).collect();
        let held = tx.monitors().held(&account.key, &ids, id).await?;
        let copy = monitor.clone();
        let Some(vendor) = &mut monitor.vendor else { return Ok(()) };
        let Some(in_doubt_since) = vendor.in_doubt_since.filter(|_| vendor.monitor_id.is_none()) else { return Ok(()) };
        // The end date cannot be changed there: another one is another's.
        let is_ours =
            |one: &&VendorMonitor| one.end_date.is_none_or(|end| end == copy.end_date) && !held.contains(&one.id);
        let mut ours: Vec<_> = found.iter().filter(is_ours).collect();
        ours.sort_by(|one, other| one.id.cmp(&other.id));
        if ours.len() > 1 {
            tracing::error!(monitor = %id, account = %account.key, count = ours.len(), "the vendor has several monitors of one check; all but the first are to be switched off in its dashboard");
        }
        let settled_at = in_doubt_since + settle(account);
        let mut due = Due::At(began);
        if let Some(one) = ours.first() {
            adopt(vendor, one, &copy);
        } else if began < settled_at {
            // It may come into the list yet.
            due = Due::At(settled_at);
        } else {
            let was_refused = std::mem::take(&mut vendor.was_refused);
            vendor.in_doubt_since = None;
            if was_refused {
                pause(&mut monitor, PauseReason::VendorRefused);
            }
        }
        self.save_monitor(&mut tx, &before, &mut monitor, due).await?;
        tx.save().await
    }

    /// Tells the vendor how often to run, and whether to.
    async fn tell_vendor(
        &self,
        account: &Account,
        monitoring: &dyn Monitoring,
        id: MonitorId,
        vendor_id: &str,
        change: MonitorChange,
    ) -> Result<(), StoreError> {
        let answer = monitoring.update(&self.call_context(account, Share::Create), vendor_id, change).await;
        let now = self.now();
        if answer.is_ok() {
            self.call_went_well(&account.key).await;
        }
        match answer {
            Ok(MonitorUpdated::Changed(made)) => {
                let due = if change.enabled { now } else { now + AFTERMATH };
                self.change(id, Due::At(due), |monitor, vendor| {
                    vendor.told = Some(Told { frequency: change.frequency, enabled: change.enabled });
                    vendor.failures = 0;
                    monitor.next_run_at = made.next_run_at.filter(|_| monitor.is_wanted());
                })
                .await
            }
            Ok(MonitorUpdated::Missing) => self.gone(id).await,
            Ok(MonitorUpdated::Refused(why)) if change.enabled => {
                tracing::warn!(monitor = %id, account = %account.key, %why.message, "the vendor refuses to change a monitor");
                self.change(id, Due::At(now), |monitor, _| pause(monitor, PauseReason::VendorRefused)).await
            }
            Ok(MonitorUpdated::Refused(why)) => {
                tracing::error!(monitor = %id, account = %account.key, %why.message, "the vendor refuses to switch a monitor off; it is asked again");
                self.tend_later(id, Some(AFTERMATH)).await
            }
            Err(error) => self.failed(account, id, &error).await,
        }
    }

    /// The vendor does not know its monitor (any more). It may be a list that lags behind: it is looked for, ever more
    /// rarely, before another one is made.
    pub(super) async fn gone(&self, id: MonitorId) -> Result<(), StoreError> {
        let now = self.now();
        self.change(id, Due::AsItIs, |monitor, vendor| forget(monitor, vendor, now)).await?;
        self.tend_later(id, None).await
    }

    /// Changes a monitor under its lock.
    async fn change(
        &self,
        id: MonitorId,
        due: Due,
        change: impl FnOnce(&mut Monitor, &mut VendorSide) + Send,
    ) -> Result<(), StoreError> {
        let mut tx: Tx = self.store().begin().await?;
        let Some(mut monitor) = tx.monitors().lock(id).await? else { return Ok(()) };
        let before = monitor.clone();
        if let Some(mut vendor) = monitor.vendor.take() {
            monitor.vendor = Some(vendor.clone());
            change(&mut monitor, &mut vendor);
            monitor.vendor = Some(vendor);
        }
        self.save_monitor(&mut tx, &before, &mut monitor, due).await?;
        tx.save().await
    }

    pub(super) async fn failed(&self, account: &Account, id: MonitorId, error: &CallError) -> Result<(), StoreError> {
        tracing::info!(monitor = %id, account = %account.key, %error, "could not ask the vendor about a monitor");
        self.call_failed(&account.key, error).await;
        self.tend_later(id, None).await
    }

    /// Comes back after a while that grows with each failure.
    async fn tend_later(&self, id: MonitorId, wait: Option<Duration>) -> Result<(), StoreError> {
        let mut tx = self.store().begin().await?;
        let Some(mut monitor) = tx.monitors().lock(id).await? else { return Ok(()) };
        let before = monitor.clone();
        let Some(vendor) = &mut monitor.vendor else { return Ok(()) };
        vendor.failures = vendor.failures.saturating_add(1).min(1_000);
        let wait = wait.unwrap_or_else(|| self.back_off(vendor.failures));
        let due = Due::At(self.now() + wait);
        self.save_monitor(&mut tx, &before, &mut monitor, due).await?;
        tx.save().await
    }
}

fn settle(account: &Account) -> Duration {
    account.settle.unwrap_or(account.timing.settle)
}

/// The vendor's monitor is this one.
fn adopt(vendor: &mut VendorSide, one: &VendorMonitor, monitor: &Monitor) {
    vendor.monitor_id = Some(one.id.clone());
    vendor.told = Some(Told { frequency: one.frequency.unwrap_or(monitor.frequency), enabled: one.enabled });
    vendor.in_doubt_since = None;
    vendor.was_refused = false;
}

/// The vendor says that it has it no more.
fn forget(monitor: &mut Monitor, vendor: &mut VendorSide, now: Timestamp) {
    vendor.monitor_id = None;
    vendor.told = None;
    vendor.in_doubt_since = Some(now);
    vendor.was_refused = false;
    pause(monitor, PauseReason::VendorStopped);
}

pub(super) fn pause(monitor: &mut Monitor, reason: PauseReason) {
    if monitor.status == MonitorStatus::Enabled {
        monitor.pause(reason);
    }
}
