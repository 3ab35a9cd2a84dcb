//! The ends of runs: noted once, compared with the run before, and told of if they differ.

use domain::monitor::differs;
use domain::{EventType, MonitorStatus, Order, OrderId, OrderStatus, PauseReason};
use serde_json::json;
use store::{Due, OpenRun, Scope, StoreError, Tx};

use crate::Engine;

const AT_ONCE: i64 = 50;

impl Engine {
    /// Notes the end of each run whose order is final. Gives how many were noted.
    pub(super) async fn end_runs(&self) -> Result<usize, StoreError> {
        let mut done = 0;
        for run in self.store().runs_to_end(AT_ONCE).await? {
            match self.end_run(run).await {
                Ok(noted) => done += usize::from(noted),
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => {
                    tracing::error!(%error, monitor = %run.monitor_id, "could not note the end of a monitor's run");
                }
            }
        }
        Ok(done)
    }

    async fn end_run(&self, run: OpenRun) -> Result<bool, StoreError> {
        let now = self.now();
        let mut tx = self.store().begin().await?;
        // One whose subject was erased meanwhile cannot be read: it is compared with nothing.
        let order = tx.orders().lock_many(&[run.order_id]).await?.pop();
        let Some(mut monitor) = tx.monitors().lock(run.monitor_id).await? else { return Ok(false) };
        let before = self.run_before(&mut tx, run, order.as_ref()).await?;
        let changed = order.as_ref().zip(before.as_ref()).map(|(order, before)| differs(before, order));
        if !tx.monitors().end_run(run, changed, now).await? {
            return Ok(false);
        }
        if let (Some(order), Some(before), Some(true)) = (&order, &before, changed)
            && monitor.deleted_at.is_none()
        {
            let mut event = order.event(None, EventType::MonitorChanged, now);
            let told = [
                ("monitor_id", json!(monitor.id)),
                ("run", json!(run.number)),
                ("previous_order_id", json!(before.id)),
                ("previous_outcome", json!(before.outcome())),
            ];
            event.data.extend(told.into_iter().map(|(key, value)| (key.to_owned(), value)));
            tx.orders().save(order, &[], &[event]).await?;
        }
        if run.number == 0 {
            let saw = monitor.clone();
            let has_no_result = order.as_ref().is_some_and(|order| order.status() != OrderStatus::Completed);
            if has_no_result && monitor.status == MonitorStatus::Enabled {
                monitor.pause(PauseReason::FirstOrderFailed);
                self.save_monitor(&mut tx, &saw, &mut monitor, Due::Never).await?;
            } else if monitor.vendor.is_some() {
                // From now on there is something to repeat.
                self.save_monitor(&mut tx, &saw, &mut monitor, Due::At(now)).await?;
            }
        }
        tx.save().await?;
        self.woken.notify_waiters();
        Ok(true)
    }

    /// The latest run before this one that completed, if both have something to compare.
    async fn run_before(&self, tx: &mut Tx, run: OpenRun, order: Option<&Order>) -> Result<Option<Order>, StoreError> {
        if order.is_none_or(|order| order.status() != OrderStatus::Completed) {
            return Ok(None);
        }
        let before: Option<OrderId> = tx.monitors().completed_before(run.monitor_id, run.number).await?;
        let Some(before) = before else { return Ok(None) };
        Ok(tx.orders().get_many(&Scope::All, &[before]).await?.pop())
    }
}
