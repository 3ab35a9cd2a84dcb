//! Cancelling is an intent: durable at once, carried out when it is safe.
//!
//! What waits is canceled here and now. What is being sent or looked for is settled first. What a vendor works on is
//! canceled there by [`follow`](crate::follow).

use domain::{CheckStatus, News, Order, OrderId, Reason};
use store::{Plan, Scope, StoreError, Tx, Work};

use crate::Engine;

impl Engine {
    /// Notes the wish for every check that is not final. `None`: the caller has no such order.
    pub async fn cancel(
        &self,
        tx: &mut Tx,
        scope: &Scope,
        id: OrderId,
        reason: Reason,
    ) -> Result<Option<Order>, StoreError> {
        if tx.orders().get(scope, id).await?.is_none() {
            return Ok(None);
        }
        let Some(mut order) = tx.orders().lock(id).await? else { return Ok(None) };
        self.cancel_order(tx, &mut order, &reason).await?;
        Ok(Some(order))
    }

    /// The same for an order whose row is locked.
    pub(crate) async fn cancel_order(&self, tx: &mut Tx, order: &mut Order, reason: &Reason) -> Result<(), StoreError> {
        let now = self.now();
        let mut events = Vec::new();
        let mut plans = Vec::new();
        let open: Vec<_> =
            order.checks.iter().filter(|check| !check.status().is_final()).map(|check| check.id).collect();
        for check_id in open {
            events.extend(order.tell(check_id, &News::CancelRequested { why: reason.clone(), at: now }, now));
            let Some(check) = order.check(check_id) else { continue };
            match check.status() {
                // Its worker, or its case, will see the intent.
                CheckStatus::Submitting | CheckStatus::Unconfirmed | CheckStatus::NeedsReview => {
                    plans.push(Plan { check_id, work: None });
                }
                status if status.is_final() => plans.push(Plan { check_id, work: None }),
                _ => plans.push(Plan { check_id, work: Some((Work::Follow, now)) }),
            }
        }
        if !plans.is_empty() {
            tx.orders().save(order, &plans, &events).await?;
        }
        Ok(())
    }
}
