//! Ordering again: at each due time, once.
//!
//! The run, its order and the next due time are written in one transaction, under the monitor's lock: a process that dies
//! leaves either all of it or a monitor that is due still. What was missed while nobody worked makes one run.

use domain::{
    Check, CheckInput, CheckSpec, CheckState, Leg, Monitor, MonitorId, MonitorRun, Order, PauseReason, RunState,
    Timestamp,
};
use store::{Due, StoreError, Tx};

use super::{agrees, first_order};
use crate::{Account, Engine};

impl Engine {
    pub(super) async fn order_again(&self, id: MonitorId) -> Result<(), StoreError> {
        let now = self.now();
        let mut tx = self.store().begin().await?;
        let Some(mut monitor) = tx.monitors().lock(id).await? else { return Ok(()) };
        let before = monitor.clone();
        let due_at = match monitor.next_run_at.filter(|_| monitor.is_wanted()) {
            Some(due_at) if due_at <= now => due_at,
            // Somebody else was faster, or it was changed meanwhile.
            later => {
                tx.monitors().save(&monitor, Due::maybe(later)).await?;
                return tx.save().await;
            }
        };
        match self.make_run(&mut tx, &mut monitor, due_at, now).await? {
            Ok(()) => match monitor.run_after(now) {
                Some(next) => monitor.next_run_at = Some(next),
                None => monitor.end(),
            },
            Err(reason) => monitor.pause(reason),
        }
        let due = Due::maybe(monitor.next_run_at);
        self.save_monitor(&mut tx, &before, &mut monitor, due).await?;
        tx.save().await?;
        self.wake();
        Ok(())
    }

    /// Makes the run, or leaves it out because the one before is still under way. `Err`: why none may be made.
    async fn make_run(
        &self,
        tx: &mut Tx,
        monitor: &mut Monitor,
        due_at: Timestamp,
        now: Timestamp,
    ) -> Result<Result<(), PauseReason>, StoreError> {
        let Some(first) = first_order(tx, monitor.order_id).await? else {
            return Ok(Err(PauseReason::Erased));
        };
        if !agrees(&first, now) {
            return Ok(Err(PauseReason::ConsentExpired));
        }
        let mut run = MonitorRun {
            monitor_id: monitor.id,
            number: monitor.runs + 1,
            state: RunState::Open,
            order_id: None,
            due_at,
            ended_at: None,
            changed: None,
        };
        monitor.runs = run.number;
        if tx.monitors().has_open_run(monitor.id).await? {
            tracing::info!(monitor = %monitor.id, run = run.number, "the run before is still under way: this one is left out");
            run.state = RunState::Skipped;
            run.ended_at = Some(now);
            tx.monitors().insert_run(&run, None).await?;
            return Ok(Ok(()));
        }
        let Some(order) = self.ordered_anew(&first) else {
            monitor.runs -= 1;
            return Ok(Err(PauseReason::CannotBeOrdered));
        };
        tx.orders().insert(&order, now).await?;
        run.order_id = Some(order.id);
        tx.monitors().insert_run(&run, None).await?;
        Ok(Ok(()))
    }

    /// The order once more at the same accounts; `None` if one of them would not take it as it is now.
    fn ordered_anew(&self, first: &Order) -> Option<Order> {
        let mut order = self.once_more(first);
        for (check, before) in order.checks.iter_mut().zip(&first.checks) {
            let mut legs = legs_of(before);
            for leg in &mut legs {
                let account = self.account(&leg.account).filter(|account| account.is_open_to(&first.tenant))?;
                if !account.provider.validate(first.input.expose(), &leg.input).is_empty() {
                    return None;
                }
                make_new(account, &mut leg.input);
            }
            let leg = legs.first()?;
            check.account = leg.account.clone();
            check.input = leg.input.clone().into();
            if legs.len() > 1 {
                check.state = CheckState::with_legs(legs);
            }
        }
        Some(order)
    }
}

/// The vendors that the check was ordered of, in turn: where there is a list, all of it, whichever of them it ended at.
fn legs_of(check: &Check) -> Vec<Leg> {
    if check.state.legs.is_empty() {
        let input = check.input.expose().anew();
        return vec![Leg { account: check.account.clone(), product: None, input }];
    }
    check.state.legs.clone()
}

/// Makes the vendor make a new object where it would give an older one back.
fn make_new(account: &Account, input: &mut CheckInput) {
    if account.provider.descriptor().reuses_objects
        && let CheckSpec::BackgroundCheck(spec) = &mut input.spec
    {
        spec.force_new = true;
    }
}
