//! Batches: many orders accepted in one transaction, and stopped together.
//!
//! [`BatchIntake`] takes the orders in, row by row, in the caller's transaction. To cancel a batch is one durable wish:
//! after its commit [`dispatch`](crate::dispatch) begins no call for the batch, and a worker goes through its orders and
//! cancels each as if its caller had asked for it alone. A call that is being recorded while the wish is saved may still
//! go out: its checks are settled first, and then canceled at the vendor.

use domain::{
    Batch, BatchId, CheckCounts, CheckStatus, FieldError, Order, OrderDraft, OrderId, Reason, RejectedRow, TenantId,
    Timestamp,
};
use store::{Scope, StoreError, Tx};
use uuid::Uuid;

use crate::bulk::Kinships;
use crate::{AcceptError, Engine};

/// So many orders are written in one statement.
const CHUNK: usize = 500;

/// So many rejected rows are kept to be shown; all of them are counted.
const REJECTED_KEPT: usize = 1_000;

/// So many orders are canceled in one transaction.
const CANCELED_AT_ONCE: i64 = 200;

/// A batch that is being taken in. Nothing of it is there until the caller saves the transaction.
pub struct BatchIntake {
    engine: Engine,
    id: BatchId,
    /// The id of its first order.
    first: OrderId,
    tenant: TenantId,
    external_id: Option<String>,
    begun_at: Timestamp,
    /// Planned, and not written yet.
    waiting: Vec<Order>,
    orders: u32,
    checks: u32,
    rejected: u32,
    rejected_rows: Vec<RejectedRow>,
}

impl BatchIntake {
    pub const fn id(&self) -> BatchId {
        self.id
    }

    /// Says what is wrong with an order, each fault with its JSON Pointer into it. Writes nothing.
    pub fn judge(&self, draft: OrderDraft) -> Result<(), Vec<(String, FieldError)>> {
        self.planned(draft).map(drop)
    }

    /// Plans one order of the batch. Orders are written in chunks, the last of them by [`finish`](Self::finish).
    pub async fn add(&mut self, tx: &mut Tx, draft: OrderDraft) -> Result<(), AcceptError> {
        let mut order = self.planned(draft).map_err(AcceptError::Invalid)?;
        order.batch_id = Some(self.id);
        self.orders = self.orders.saturating_add(1);
        self.checks = self.checks.saturating_add(u32::try_from(order.checks.len()).unwrap_or(u32::MAX));
        self.waiting.push(order);
        if self.waiting.len() >= CHUNK {
            self.flush(tx).await?;
        }
        Ok(())
    }

    /// However long the upload takes, its orders are of one time: that which their ids tell, and lists go by.
    fn planned(&self, draft: OrderDraft) -> Result<Order, Vec<(String, FieldError)>> {
        self.engine.plan(self.next_id(), &self.tenant, draft, self.begun_at)
    }

    /// Lists and reports are newest first. Counted down from the first, a batch's orders come in the order of its rows.
    fn next_id(&self) -> OrderId {
        OrderId::from_uuid(Uuid::from_u128(self.first.uuid().as_u128().saturating_sub(self.orders.into())))
    }

    /// Notes a row that is left out, where the caller asked to skip what is invalid.
    pub fn reject(&mut self, row: RejectedRow) {
        self.rejected = self.rejected.saturating_add(1);
        if self.rejected_rows.len() < REJECTED_KEPT {
            self.rejected_rows.push(row);
        }
    }

    /// Writes what is left, and the batch itself. Once that is saved, call [`Engine::wake`].
    pub async fn finish(mut self, tx: &mut Tx) -> Result<Batch, StoreError> {
        self.flush(tx).await?;
        let mut counts = CheckCounts::default();
        counts.set(CheckStatus::Queued, self.checks);
        let now = self.engine.now();
        let batch = Batch {
            id: self.id,
            tenant: self.tenant,
            external_id: self.external_id,
            orders: self.orders,
            rejected: self.rejected,
            counts,
            cancel: None,
            created_at: now,
            // With nothing to do it has ended with this.
            completed_at: (self.checks == 0).then_some(now),
        };
        tx.batches().insert(&batch, &self.rejected_rows).await?;
        metrics::counter!("vetgate_batches_accepted_total").increment(1);
        metrics::counter!("vetgate_orders_accepted_total").increment(u64::from(batch.orders));
        Ok(batch)
    }

    async fn flush(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        if !self.waiting.is_empty() {
            // All are due since the same time: who is first is a matter of lanes, not of a caller's upload speed.
            let kin = Kinships::of(&self.engine, &self.waiting);
            tx.orders().insert_kindred(&self.waiting, self.begun_at, &kin.0).await?;
            self.waiting.clear();
        }
        Ok(())
    }
}

impl Engine {
    /// Begins to take a batch in.
    pub fn open_batch(&self, tenant: &TenantId, external_id: Option<String>) -> BatchIntake {
        BatchIntake {
            engine: self.clone(),
            id: BatchId::generate(self.clock(), self.entropy()),
            first: OrderId::generate(self.clock(), self.entropy()),
            tenant: tenant.clone(),
            external_id,
            begun_at: self.now(),
            waiting: Vec::new(),
            orders: 0,
            checks: 0,
            rejected: 0,
            rejected_rows: Vec::new(),
        }
    }

    /// Notes the wish to stop a batch; once that is saved, no more calls are begun for it. Then call [`Engine::wake`].
    /// `None`: the caller has no such batch. One that is completed stays as it is.
    pub async fn cancel_batch(
        &self,
        tx: &mut Tx,
        scope: &Scope,
        id: BatchId,
        reason: Reason,
    ) -> Result<Option<Batch>, StoreError> {
        let batch = tx.batches().request_cancel(scope, id, &reason, self.now()).await?;
        if batch.as_ref().is_some_and(|batch| batch.cancel.is_some()) {
            tx.vendor_files().look_now(id, self.now()).await?;
        }
        Ok(batch)
    }

    /// Cancels the next orders of a batch whose cancel was asked for. Gives how many; 0: there are none left.
    pub async fn cancel_batches(&self) -> Result<usize, StoreError> {
        match self.cancel_next(CANCELED_AT_ONCE).await {
            // One of them cannot be read or written; it must not hold the others up.
            Err(error) if !error.is_transient() => {
                tracing::error!(%error, "could not cancel some orders of a batch; going on one by one");
                let mut done = 0;
                for _ in 0..CANCELED_AT_ONCE {
                    match self.cancel_one_or_pass_it_over().await? {
                        0 => break,
                        some => done += some,
                    }
                }
                Ok(done)
            }
            done => done,
        }
    }

    /// Brings the batches' counts up to date, and announces those that have ended. Gives how many changes were counted.
    pub async fn count_batches(&self) -> Result<usize, StoreError> {
        let count = self.store().fold_batch_moves(self.now()).await?;
        if count > 0 {
            // There may be events to place.
            self.woken.notify_waiters();
        }
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    async fn cancel_one_or_pass_it_over(&self) -> Result<usize, StoreError> {
        let mut tx = self.store().begin().await?;
        let Some((batch, reason, ids)) = tx.batches().next_to_cancel(1).await? else { return Ok(0) };
        match self.cancel_these(&mut tx, &ids, &reason).await {
            Err(error) if !error.is_transient() => {
                tx.cancel().await?;
                let mut tx = self.store().begin().await?;
                // Another process may have come in between: only the very order that failed is passed over.
                if tx.batches().next_to_cancel(1).await?.is_some_and(|(_, _, next)| next == ids) {
                    tx.save().await?;
                    tracing::error!(%error, %batch, orders = ?ids, "an order of a canceled batch could not be canceled");
                }
                Ok(1)
            }
            canceled => {
                canceled?;
                self.save_canceled(tx, ids.len()).await
            }
        }
    }

    async fn cancel_next(&self, limit: i64) -> Result<usize, StoreError> {
        let mut tx = self.store().begin().await?;
        let Some((_, reason, ids)) = tx.batches().next_to_cancel(limit).await? else { return Ok(0) };
        self.cancel_these(&mut tx, &ids, &reason).await?;
        self.save_canceled(tx, ids.len()).await
    }

    async fn cancel_these(&self, tx: &mut Tx, ids: &[OrderId], reason: &Reason) -> Result<(), StoreError> {
        for mut order in tx.orders().lock_many(ids).await? {
            self.cancel_order(tx, &mut order, reason).await?;
        }
        Ok(())
    }

    async fn save_canceled(&self, tx: Tx, count: usize) -> Result<usize, StoreError> {
        tx.save().await?;
        self.wake();
        // The end of a batch's orders is a step as well: the next batch may wait behind it.
        Ok(count.max(1))
    }
}
