//! The runs that a vendor's own monitor has made: looked for when one is due, and taken in as orders, each once.

use std::collections::BTreeSet;

use domain::{MonitorId, MonitorRun, News, PauseReason, RunState, SubmissionId};
use provider::{Monitoring, Share, VendorRun};
use store::{Due, Finished, NewSubmission, Plan, StoreError, SubmissionPart, SubmissionState, Work};

use super::first_order;
use super::step::{must_stop_for_consent, next_look};
use super::vendor::{AFTERMATH, pause};
use crate::{Account, Engine};

impl Engine {
    /// Takes in the runs that the vendor has made, and sees when the next one is due.
    pub(super) async fn look_for_runs(
        &self,
        account: &Account,
        monitoring: &dyn Monitoring,
        id: MonitorId,
        vendor_id: &str,
    ) -> Result<(), StoreError> {
        let ctx = self.call_context(account, Share::Poll);
        // Its standing first: a run that is made between the two calls is seen by the second.
        let looked = match monitoring.get(&ctx, vendor_id).await {
            Ok(None) => return self.gone(id).await,
            Ok(Some(one)) => monitoring.runs(&ctx, vendor_id).await.map(|runs| (one, runs)),
            Err(error) => Err(error),
        };
        let (one, runs) = match looked {
            Ok(looked) => looked,
            Err(error) => return self.failed(account, id, &error).await,
        };
        self.call_went_well(&account.key).await;
        let mut tx = self.store().begin().await?;
        let taken: BTreeSet<_> = tx.monitors().taken(id).await?.into_iter().collect();
        tx.cancel().await?;
        for run in runs.iter().filter(|run| !taken.contains(&run.vendor.order_id)) {
            self.take_run(account, id, run).await?;
        }
        let now = self.now();
        let mut tx = self.store().begin().await?;
        let Some(mut monitor) = tx.monitors().lock(id).await? else { return Ok(()) };
        let before = monitor.clone();
        let first = first_order(&mut tx, monitor.order_id).await?;
        let is_over = now.date() > monitor.end_date;
        let was_on = monitor.vendor.as_ref().and_then(|vendor| vendor.told).is_some_and(|told| told.enabled);
        if let Some(vendor) = &mut monitor.vendor {
            vendor.failures = 0;
            if let Some(told) = vendor.told.as_mut().filter(|_| !one.enabled) {
                told.enabled = false;
            }
        }
        if monitor.is_wanted() && is_over {
            monitor.end();
        } else if monitor.is_wanted() && was_on && !one.enabled {
            pause(&mut monitor, PauseReason::VendorStopped);
        } else if let Some(first) = &first
            && must_stop_for_consent(&monitor, first, one.next_run_at.unwrap_or(now))
        {
            pause(&mut monitor, PauseReason::ConsentExpired);
        }
        let due = if monitor.is_wanted() {
            monitor.next_run_at = one.next_run_at;
            Due::At(next_look(one.next_run_at, monitor.end_date, now))
        } else if before.status == monitor.status && !was_on {
            Due::Never
        } else if one.enabled {
            Due::At(now)
        } else {
            Due::At(now + AFTERMATH)
        };
        self.save_monitor(&mut tx, &before, &mut monitor, due).await?;
        tx.save().await?;
        self.wake();
        Ok(())
    }

    /// Makes an order of an object of the vendor, once: its check is bound to it from the start, without a create call.
    async fn take_run(&self, account: &Account, id: MonitorId, seen: &VendorRun) -> Result<(), StoreError> {
        let now = self.now();
        let mut tx = self.store().begin().await?;
        let Some(mut monitor) = tx.monitors().lock(id).await? else { return Ok(()) };
        let before = monitor.clone();
        let Some(vendor) = monitor.vendor.as_ref().filter(|_| monitor.deleted_at.is_none()) else { return Ok(()) };
        let watched = tx.monitors().watched(vendor.check_id).await?;
        let is_first = watched.and_then(|watched| watched.vendor).as_ref() == Some(&seen.vendor);
        if is_first || tx.monitors().is_taken(id, &seen.vendor.order_id).await? {
            return Ok(());
        }
        let Some(first) = first_order(&mut tx, monitor.order_id).await? else { return Ok(()) };
        let mut order = self.once_more(&first);
        // A check that went on to another account is no home for an object of this one.
        let Some(check) = order.checks.first().filter(|check| check.account == account.key) else { return Ok(()) };
        let (check_id, reference) = (check.id, check.reference());
        tx.orders().insert(&order, now).await?;

        let submission = SubmissionId::generate(self.clock(), self.entropy());
        let new = NewSubmission {
            id: submission,
            tenant: order.tenant.clone(),
            account: account.key.clone(),
            started_at: now,
            lease_until: now,
            items: vec![SubmissionPart { check_id, order_id: order.id, reference }],
        };
        tx.submissions().insert(&new).await?;
        let finished = Finished { state: SubmissionState::Accepted, ended_at: now, http_status: None, answer: None };
        tx.submissions().finish(submission, &finished).await?;
        let news = News::Adopted { submission, vendor: seen.vendor.clone(), at: seen.made_at.unwrap_or(now).min(now) };
        let events = order.tell(check_id, &news, now);
        let look = Plan { check_id, work: Some((Work::Follow, now)) };
        tx.orders().save(&order, &[look], &events).await?;

        monitor.runs += 1;
        let run = MonitorRun {
            monitor_id: id,
            number: monitor.runs,
            state: RunState::Open,
            order_id: Some(order.id),
            due_at: seen.made_at.unwrap_or(now),
            ended_at: None,
            changed: None,
        };
        tx.monitors().insert_run(&run, Some(&seen.vendor.order_id)).await?;
        self.save_monitor(&mut tx, &before, &mut monitor, Due::AsItIs).await?;
        tx.save().await
    }
}
