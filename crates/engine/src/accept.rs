//! Accepting an order: after this it is never lost.

use domain::{Check, CheckId, CheckState, FieldError, Leg, Order, OrderDraft, OrderId, Sensitive, TenantId, Timestamp};
use store::{StoreError, Tx};

use crate::providers::Chosen;

use crate::Engine;

#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// What is wrong, each with its JSON Pointer into the order.
    #[error("the order cannot be carried out as it is")]
    Invalid(Vec<(String, FieldError)>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Chooses a vendor for each check, asks its adapter for objections, and writes order, checks, event and work into
    /// the caller's transaction. Once that is saved, call [`Engine::wake`]. No vendor is called.
    pub async fn accept(&self, tx: &mut Tx, tenant: &TenantId, draft: OrderDraft) -> Result<Order, AcceptError> {
        let id = OrderId::generate(self.clock(), self.entropy());
        let order = self.plan(id, tenant, draft, self.now()).map_err(AcceptError::Invalid)?;
        tx.orders().insert(&order, order.created_at).await?;
        metrics::counter!("vetgate_orders_accepted_total").increment(1);
        Ok(order)
    }

    pub(crate) fn plan(
        &self,
        id: OrderId,
        tenant: &TenantId,
        draft: OrderDraft,
        now: Timestamp,
    ) -> Result<Order, Vec<(String, FieldError)>> {
        let mut faults = Vec::new();
        let mut checks = Vec::with_capacity(draft.checks.len());
        for (position, check) in draft.checks.into_iter().enumerate() {
            match self.providers().choose(tenant, &draft.providers, draft.input.expose(), &check) {
                Ok(Chosen { first, more }) => checks.push(Check {
                    id: CheckId::generate(self.clock(), self.entropy()),
                    order_id: id,
                    position: u16::try_from(position).unwrap_or(u16::MAX),
                    kind: first.input.spec.kind(),
                    account: first.account.clone(),
                    attempt: 1,
                    input: Sensitive::new(first.input.clone()),
                    state: CheckState::with_legs(legs(first, more)),
                    created_at: now,
                }),
                Err(objections) => {
                    for objection in objections {
                        let fault = (objection.pointer(position), objection);
                        // Two checks may object to the same field of the order; say it once.
                        if !faults.contains(&fault) {
                            faults.push(fault);
                        }
                    }
                }
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Order {
            id,
            tenant: tenant.clone(),
            external_id: draft.external_id,
            batch_id: None,
            parent_order_id: None,
            input: draft.input,
            metadata: draft.metadata,
            checks,
            version: 1,
            created_at: now,
            updated_at: now,
            completed_at: None,
        })
    }
}

/// The vendors that a check is tried at in turn; none where there is one only, and nothing to remember of it.
fn legs(first: Leg, more: Vec<Leg>) -> Vec<Leg> {
    if more.is_empty() && first.product.is_none() { more } else { std::iter::once(first).chain(more).collect() }
}
