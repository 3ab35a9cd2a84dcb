//! Stopping a whole batch: wanted once, then told to its orders a few at a time.

use std::collections::BTreeMap;

use domain::{Batch, BatchId, OrderId, Reason, Timestamp};
use uuid::Uuid;

use super::{Batches, CANCEL_REASON};
use crate::error::Result;
use crate::sealed::{from_json, to_json};
use crate::tx::Scope;

impl Batches<'_> {
    /// Writes down that the batch is to be canceled. The first time counts; one that has ended stays as it is. Gives
    /// the batch as it stands then, `None` if there is none within the scope.
    pub async fn request_cancel(
        &mut self,
        scope: &Scope,
        id: BatchId,
        reason: &Reason,
        now: Timestamp,
    ) -> Result<Option<Batch>> {
        let sealed = self.tx.vault.seal_row(CANCEL_REASON, id.uuid(), &to_json(reason)?, &*self.tx.entropy);
        sqlx::query!(
            r#"UPDATE batches SET cancel_requested_at = $3, cancel_reason = $4
               WHERE id = $1 AND ($2::text IS NULL OR tenant = $2)
                 AND cancel_requested_at IS NULL AND completed_at IS NULL"#,
            id.uuid(),
            scope.tenant(),
            now.get(),
            sealed
        )
        .execute(self.tx.connection())
        .await?;
        self.get(scope, id).await
    }

    /// Those of the batches whose cancel was asked for, and why: nothing of them is to be sent any more.
    pub async fn canceled_among(&mut self, ids: &[BatchId]) -> Result<BTreeMap<BatchId, Reason>> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        let rows = sqlx::query!(
            r#"SELECT id, cancel_reason AS "reason!" FROM batches
               WHERE id = ANY($1) AND cancel_reason IS NOT NULL"#,
            &ids
        )
        .fetch_all(self.tx.connection())
        .await?;
        rows.into_iter().map(|row| Ok((BatchId::from_uuid(row.id), self.open_reason(row.id, &row.reason)?))).collect()
    }

    /// The next orders, by id, that are to be told of their batch's cancel: up to `limit` of one batch. They count as
    /// told once this transaction is saved. Until it ends, nobody else gets orders of that batch.
    pub async fn next_to_cancel(&mut self, limit: i64) -> Result<Option<(BatchId, Reason, Vec<OrderId>)>> {
        let batch = sqlx::query!(
            r#"SELECT id, cancel_reason AS "reason!", cancel_walked_to FROM batches
               WHERE cancel_requested_at IS NOT NULL AND NOT cancel_walked
               ORDER BY cancel_requested_at, id LIMIT 1
               FOR NO KEY UPDATE SKIP LOCKED"#
        )
        .fetch_optional(self.tx.connection())
        .await?;
        let Some(batch) = batch else { return Ok(None) };
        // One more than wanted: whether this was the last of them.
        let mut orders = sqlx::query_scalar!(
            r#"SELECT id FROM orders WHERE batch_id IS NOT NULL AND batch_id = $1 AND id > $2 ORDER BY id LIMIT $3"#,
            batch.id,
            batch.cancel_walked_to.unwrap_or(Uuid::nil()),
            limit + 1
        )
        .fetch_all(self.tx.connection())
        .await?;
        let has_more = usize::try_from(limit).is_ok_and(|limit| orders.len() > limit);
        if has_more {
            orders.pop();
        }
        sqlx::query!(
            r#"UPDATE batches SET cancel_walked_to = coalesce($2, cancel_walked_to), cancel_walked = $3 WHERE id = $1"#,
            batch.id,
            orders.last().copied(),
            !has_more
        )
        .execute(self.tx.connection())
        .await?;
        let reason = self.open_reason(batch.id, &batch.reason)?;
        Ok(Some((BatchId::from_uuid(batch.id), reason, orders.into_iter().map(OrderId::from_uuid).collect())))
    }

    fn open_reason(&self, id: Uuid, sealed: &[u8]) -> Result<Reason> {
        from_json(&self.tx.vault.open_row(CANCEL_REASON, id, sealed)?)
    }
}
