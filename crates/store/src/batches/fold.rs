//! Adds moves up to counts, and notices the end of a batch.

use domain::{Entropy, EventId, EventType, Timestamp};
use serde_json::{Map, Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{ENDED, counts};
use crate::error::Result;
use crate::tx::{At, Store};

/// How many moves are folded in one transaction, so that it stays short.
const AT_ONCE: i64 = 5_000;

impl Store {
    /// Folds moves that are committed into the counts of their batches, and ends the batches that have no open check
    /// any more: each once, with the event that tells of it. Gives how many moves; zero also while another process does
    /// it.
    ///
    /// A move that commits late is folded later. The moves of one check are written one after the other, so that those
    /// that are seen and folded by their ids are a state that each check was really in.
    pub async fn fold_batch_moves(&self, now: Timestamp) -> Result<u64> {
        let mut tx = self.transaction().await?;
        let mine = sqlx::query_scalar!(
            r#"SELECT true AS "mine!" FROM sequencers WHERE name = 'batch_moves' FOR UPDATE SKIP LOCKED"#
        )
        .fetch_optional(&mut *tx)
        .await?;
        if mine.is_none() {
            return Ok(0);
        }
        // By arrays rather than joins, of which the planner would expect more than there is, and read whole tables. Rows
        // are named by their place, which holds: nobody else changes or removes them.
        let folded = sqlx::query!(
            r#"WITH taken AS (
                   DELETE FROM batch_moves
                   WHERE ctid = ANY(ARRAY(SELECT ctid FROM batch_moves ORDER BY batch_id, id LIMIT $1))
                   RETURNING batch_id, was, became, count
               ), change AS (
                   SELECT batch_id, status, sum(count) AS count
                   FROM (
                       SELECT batch_id, was AS status, -count AS count FROM taken
                       UNION ALL
                       SELECT batch_id, became, count FROM taken
                   ) AS part
                   GROUP BY batch_id, status
               ), folded AS (
                   UPDATE batch_counts c SET count = c.count + change.count
                   FROM change
                   WHERE c.batch_id = ANY(ARRAY(SELECT DISTINCT batch_id FROM taken))
                     AND c.batch_id = change.batch_id AND c.status = change.status AND change.count <> 0
               )
               SELECT count(*) AS "moves!", coalesce(array_agg(DISTINCT batch_id), '{}') AS "batches!" FROM taken"#,
            AT_ONCE
        )
        .fetch_one(&mut *tx)
        .await?;
        if folded.moves == 0 {
            return Ok(0);
        }
        // A second statement: it sees the counts as they are now.
        let ended = sqlx::query_scalar!(
            r#"UPDATE batches b
               SET completed_at = $2,
                   status = CASE WHEN cancel_requested_at IS NULL THEN 'completed' ELSE 'canceled' END
               WHERE id = ANY($1) AND completed_at IS NULL
                 AND NOT EXISTS (SELECT FROM batch_counts WHERE batch_id = b.id AND count <> 0
                                 AND status NOT IN ('completed', 'canceled', 'failed'))
               RETURNING id"#,
            &folded.batches,
            now.get()
        )
        .fetch_all(&mut *tx)
        .await?;
        announce_end(&mut tx, &*self.entropy, &ended, now).await?;
        tx.commit().await?;
        Ok(u64::try_from(folded.moves).unwrap_or(0))
    }
}

/// Writes the events of batches that have just ended.
pub async fn announce_end(
    connection: &mut PgConnection,
    entropy: &dyn Entropy,
    ended: &[Uuid],
    now: Timestamp,
) -> Result<()> {
    if ended.is_empty() {
        return Ok(());
    }
    let rows = sqlx::query!(
        r#"SELECT b.id, b.tenant, b.orders, b.cancel_requested_at IS NOT NULL AS "is_canceled!",
                  array_agg(c.status) AS "statuses!", array_agg(c.count) AS "counts!"
           FROM batches b JOIN batch_counts c ON c.batch_id = b.id
           WHERE b.id = ANY($1) GROUP BY b.id"#,
        ended
    )
    .fetch_all(&mut *connection)
    .await?;
    for row in rows {
        let counts = counts(row.statuses.iter().map(String::as_str).zip(row.counts))?;
        let by_status: Map<String, Value> =
            counts.iter().map(|(status, count)| (status.to_string(), Value::from(count))).collect();
        let kind = if row.is_canceled { EventType::BatchCanceled } else { EventType::BatchCompleted };
        sqlx::query!(
            "INSERT INTO events (id, tenant, batch_id, type, version, at, data) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            EventId::generate(&At(now), entropy).uuid(),
            row.tenant,
            row.id,
            kind.as_str(),
            ENDED,
            now.get(),
            json!({ "orders": row.orders, "checks": counts.total(), "counts": by_status })
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
