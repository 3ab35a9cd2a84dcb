//! Gives events and audit entries their positions, after they are committed.

use domain::{AuditId, TenantId, Timestamp};
use uuid::Uuid;

use crate::audit::{self, AuditEntry};
use crate::error::{Result, StoreError};
use crate::tx::Store;

/// How many rows are placed in one transaction, so that it stays short.
const AT_ONCE: i64 = 1_000;

impl Store {
    /// Places what was committed since the last time. Gives how many rows; zero also while another process does it.
    ///
    /// Positions are gap-free and become visible in their order: whoever places rows holds the sequencer's row until
    /// its transaction is committed. What commits late gets a later position, whenever it was begun.
    pub async fn assign_positions(&self) -> Result<u64> {
        Ok(self.place_events().await? + self.place_audit_entries().await?)
    }

    async fn place_events(&self) -> Result<u64> {
        let mut tx = self.transaction().await?;
        let last =
            sqlx::query_scalar!("SELECT last_position FROM sequencers WHERE name = 'events' FOR UPDATE SKIP LOCKED")
                .fetch_optional(&mut *tx)
                .await?;
        let Some(last) = last else { return Ok(0) };
        let done = sqlx::query!(
            r#"WITH fresh AS (
                   SELECT id, row_number() OVER (ORDER BY serial) AS place
                   FROM (SELECT id, serial FROM events WHERE position IS NULL ORDER BY serial LIMIT $2) AS f
               )
               UPDATE events e SET position = $1 + fresh.place FROM fresh WHERE e.id = fresh.id"#,
            last,
            AT_ONCE
        )
        .execute(&mut *tx)
        .await?;
        let placed = done.rows_affected();
        if placed > 0 {
            let last = last.saturating_add_unsigned(placed);
            sqlx::query!("UPDATE sequencers SET last_position = $1 WHERE name = 'events'", last)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
        }
        Ok(placed)
    }

    async fn place_audit_entries(&self) -> Result<u64> {
        let mut tx = self.transaction().await?;
        let last = sqlx::query!(
            r#"SELECT last_position, last_hash AS "last_hash!" FROM sequencers
               WHERE name = 'audit' FOR UPDATE SKIP LOCKED"#
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(last) = last else { return Ok(0) };
        let rows = sqlx::query!(
            r#"SELECT id, at, tenant, actor, action, target, data FROM audit_entries
               WHERE position IS NULL ORDER BY serial LIMIT $1"#,
            AT_ONCE
        )
        .fetch_all(&mut *tx)
        .await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let (mut position, mut hash) = (last.last_position, last.last_hash);
        let (mut ids, mut positions, mut hashes): (Vec<Uuid>, Vec<i64>, Vec<Vec<u8>>) = Default::default();
        for row in rows {
            let entry = AuditEntry {
                at: Timestamp::new(row.at),
                tenant: row.tenant.map(TenantId::new),
                actor: row.actor,
                action: row.action,
                target: row.target,
                data: row.data,
            };
            position += 1;
            hash = audit::chain(&hash, position, AuditId::from_uuid(row.id), &entry);
            ids.push(row.id);
            positions.push(position);
            hashes.push(hash.clone());
        }
        let done = sqlx::query!(
            r#"UPDATE audit_entries a SET position = n.position, hash = n.hash
               FROM unnest($1::uuid[], $2::bigint[], $3::bytea[]) AS n (id, position, hash)
               WHERE a.id = n.id AND a.position IS NULL"#,
            &ids,
            &positions,
            &hashes
        )
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() != ids.len() as u64 {
            return Err(StoreError::Conflict("audit entries were placed by someone else"));
        }
        sqlx::query!("UPDATE sequencers SET last_position = $1, last_hash = $2 WHERE name = 'audit'", position, hash)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(done.rows_affected())
    }
}
