//! Batches: many orders that were accepted together, how their checks stand, and their cancel.
//!
//! How many checks stand where is kept in two parts: counts, and the moves that are not folded into them yet
//! ([`fold`]). Whoever reads adds both, in one look at the database, so that what it sees is exact.

mod cancel;
mod fold;
mod list;

use std::sync::Arc;

use domain::{
    Batch, BatchCancel, BatchId, BatchStatus, CheckCounts, CheckStatus, EventId, EventType, RejectedRow, RowFault,
    TenantId, Timestamp,
};
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::{Result, StoreError};
use crate::sealed::from_json;
use crate::tx::{At, Scope, Tx};

/// Which batches are listed.
#[derive(Debug, Clone, Default)]
pub struct BatchFilter {
    pub status: Option<BatchStatus>,
    pub external_id: Option<String>,
    /// At this time or later.
    pub created_after: Option<Timestamp>,
    /// Before this time.
    pub created_before: Option<Timestamp>,
}

/// See [`Tx::batches`].
pub struct Batches<'t> {
    pub(crate) tx: &'t mut Tx,
}

const CANCEL_REASON: &str = "batches.cancel_reason";

/// What the event of a new batch counts as its version, and that of its end.
const CREATED: i64 = 1;
const ENDED: i64 = 2;

impl Batches<'_> {
    /// A new batch, in the transaction of its orders; its counts must say that every check is queued. `rejected` are
    /// the rows to keep of those that were left out, by their place in the file.
    ///
    /// One without any check has ended with this.
    pub async fn insert(&mut self, batch: &Batch, rejected: &[RejectedRow]) -> Result<()> {
        let checks = batch.counts.total();
        if batch.counts.of(CheckStatus::Queued) != checks || batch.cancel.is_some() {
            return Err(StoreError::Conflict("a new batch must wait to be sent"));
        }
        let (status, completed_at) = match checks {
            0 => (BatchStatus::Completed, Some(batch.created_at)),
            _ => (BatchStatus::InProgress, None),
        };
        let (statuses, counts): (Vec<&str>, Vec<i64>) =
            batch.counts.iter().map(|(status, count)| (status.as_str(), i64::from(count))).unzip();
        let faults = rejected.iter().map(|row| serde_json::to_value(&row.faults));
        let faults: Vec<Value> = faults.collect::<Result<_, _>>().map_err(|_| StoreError::Corrupt("a row's faults"))?;
        let rows: Vec<i64> = rejected.iter().map(|row| i64::try_from(row.row).unwrap_or(i64::MAX)).collect();
        let whole = |number: u32| i32::try_from(number).map_err(|_| StoreError::Corrupt("a batch's size"));
        let event = EventId::generate(&At(batch.created_at), &*self.tx.entropy);
        sqlx::query!(
            r#"WITH new_batch AS (
                   INSERT INTO batches (id, tenant, external_id, status, orders, rejected, created_at, completed_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
               ), counted AS (
                   INSERT INTO batch_counts (batch_id, status, count)
                   SELECT $1, status, count FROM unnest($9::text[], $10::bigint[]) AS n (status, count)
               ), rejected AS (
                   INSERT INTO batch_rejected_rows (batch_id, position, row, faults)
                   SELECT $1, position - 1, row, faults
                   FROM unnest($11::bigint[], $12::jsonb[]) WITH ORDINALITY AS n (row, faults, position)
               )
               INSERT INTO events (id, tenant, batch_id, type, version, at, data) VALUES ($13, $2, $1, $14, $15, $7, $16)"#,
            batch.id.uuid(),
            batch.tenant.as_str(),
            batch.external_id,
            status.as_str(),
            whole(batch.orders)?,
            whole(batch.rejected)?,
            batch.created_at.get(),
            completed_at.map(Timestamp::get),
            &statuses as _,
            &counts,
            &rows,
            &faults,
            event.uuid(),
            EventType::BatchCreated.as_str(),
            CREATED,
            json!({ "orders": batch.orders, "checks": checks, "rejected": batch.rejected })
        )
        .execute(self.tx.connection())
        .await?;
        if completed_at.is_some() {
            let entropy = Arc::clone(&self.tx.entropy);
            fold::announce_end(self.tx.connection(), &*entropy, &[batch.id.uuid()], batch.created_at).await?;
        }
        Ok(())
    }

    pub async fn get(&mut self, scope: &Scope, id: BatchId) -> Result<Option<Batch>> {
        Ok(self.load(scope, &[id.uuid()]).await?.pop())
    }

    /// Newest first, from below `before`.
    pub async fn list(
        &mut self,
        scope: &Scope,
        filter: &BatchFilter,
        limit: u32,
        before: Option<BatchId>,
    ) -> Result<Vec<Batch>> {
        let ids = list::page(self.tx, scope, filter, limit, before).await?;
        self.load(scope, &ids).await
    }

    /// The rows that were left out and kept, in the order of the file.
    pub async fn rejected_rows(&mut self, id: BatchId, limit: u32) -> Result<Vec<RejectedRow>> {
        let rows = sqlx::query!(
            "SELECT row, faults FROM batch_rejected_rows WHERE batch_id = $1 ORDER BY position LIMIT $2",
            id.uuid(),
            i64::from(limit)
        )
        .fetch_all(self.tx.connection())
        .await?;
        let faults = |value| serde_json::from_value::<Vec<RowFault>>(value);
        rows.into_iter()
            .map(|row| {
                Ok(RejectedRow {
                    row: u64::try_from(row.row).map_err(|_| StoreError::Corrupt("a rejected row's number"))?,
                    faults: faults(row.faults).map_err(|_| StoreError::Corrupt("a rejected row's faults"))?,
                })
            })
            .collect()
    }

    /// Those of the batches that exist within the scope, newest first.
    async fn load(&mut self, scope: &Scope, ids: &[Uuid]) -> Result<Vec<Batch>> {
        // One statement, so that counts and moves are of one moment.
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT b.id, b.tenant, b.external_id, b.orders, b.rejected, b.cancel_requested_at, b.cancel_reason,
                      b.created_at, b.completed_at, c.statuses AS "statuses!", c.counts AS "counts!"
               FROM unnest($1::uuid[]) AS n (id) JOIN batches b ON b.id = n.id
               CROSS JOIN LATERAL (
                   SELECT array_agg(status) AS statuses, array_agg(count) AS counts
                   FROM (
                       SELECT status, sum(count)::bigint AS count
                       FROM (
                           SELECT status, count FROM batch_counts WHERE batch_id = b.id
                           UNION ALL
                           SELECT was, -count FROM batch_moves WHERE batch_id = b.id
                           UNION ALL
                           SELECT became, count FROM batch_moves WHERE batch_id = b.id
                       ) AS part
                       GROUP BY status
                   ) AS whole
               ) AS c
               WHERE $2::text IS NULL OR b.tenant = $2
               ORDER BY b.id DESC"#,
            ids,
            scope.tenant()
        )
        .fetch_all(self.tx.connection())
        .await?;
        rows.into_iter().map(|row| self.open(row)).collect()
    }

    fn open(&self, row: Row) -> Result<Batch> {
        let cancel = match (row.cancel_requested_at, row.cancel_reason) {
            (Some(at), Some(sealed)) => {
                let reason = from_json(&self.tx.vault.open_row(CANCEL_REASON, row.id, &sealed)?)?;
                Some(BatchCancel { requested_at: Timestamp::new(at), reason })
            }
            _ => None,
        };
        let whole = |number: i32| u32::try_from(number).map_err(|_| StoreError::Corrupt("a batch's size"));
        Ok(Batch {
            id: BatchId::from_uuid(row.id),
            tenant: TenantId::new(row.tenant),
            external_id: row.external_id,
            orders: whole(row.orders)?,
            rejected: whole(row.rejected)?,
            counts: counts(row.statuses.iter().map(String::as_str).zip(row.counts))?,
            cancel,
            created_at: Timestamp::new(row.created_at),
            completed_at: row.completed_at.map(Timestamp::new),
        })
    }
}

fn counts<'a>(rows: impl Iterator<Item = (&'a str, i64)>) -> Result<CheckCounts> {
    let mut counts = CheckCounts::default();
    for (status, count) in rows {
        let status = CheckStatus::parse(status).ok_or(StoreError::Corrupt("a status that is counted"))?;
        counts.set(status, u32::try_from(count).map_err(|_| StoreError::Corrupt("a count of checks"))?);
    }
    Ok(counts)
}

struct Row {
    id: Uuid,
    tenant: String,
    external_id: Option<String>,
    orders: i32,
    rejected: i32,
    cancel_requested_at: Option<OffsetDateTime>,
    cancel_reason: Option<Vec<u8>>,
    created_at: OffsetDateTime,
    completed_at: Option<OffsetDateTime>,
    statuses: Vec<String>,
    counts: Vec<i64>,
}
