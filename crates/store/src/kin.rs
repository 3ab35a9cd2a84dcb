//! Checks of a batch that may share a file, and so wait for each other instead of going out in calls of their own.

use domain::{AccountKey, CheckId, Timestamp};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::claims::{Claim, Row};
use crate::error::Result;
use crate::lanes::Lane;
use crate::tx::Store;

/// What checks have in common that may share a file: a digest of their adapter's word for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kin(Vec<u8>);

impl Kin {
    pub fn of(file: &str) -> Self {
        Self(Sha256::digest(file)[..16].to_vec())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Store {
    /// What of the account waits for a file and is due, by lane and kin.
    pub async fn kindred(&self, account: &AccountKey, now: Timestamp) -> Result<Vec<(Lane, Kin)>> {
        // Jumps in an index, as with [`Store::lanes`].
        let rows = sqlx::query!(
            r#"WITH RECURSIVE kindred AS (
                   (SELECT lane, kin FROM work WHERE kind = 'send' AND account = $1 AND kin IS NOT NULL
                    ORDER BY lane, kin LIMIT 1)
                   UNION ALL
                   SELECT n.lane, n.kin FROM kindred k
                   CROSS JOIN LATERAL (
                       SELECT lane, kin FROM work
                       WHERE kind = 'send' AND account = $1 AND kin IS NOT NULL AND (lane, kin) > (k.lane, k.kin)
                       ORDER BY lane, kin LIMIT 1
                   ) AS n
               )
               SELECT k.lane AS "lane!", k.kin AS "kin!" FROM kindred k
               CROSS JOIN LATERAL (
                   SELECT FROM work
                   WHERE kind = 'send' AND account = $1 AND kin IS NOT NULL
                     AND (lane, kin, due_at) >= (k.lane, k.kin, '-infinity') AND (lane, kin, due_at) <= (k.lane, k.kin, $2)
                   ORDER BY lane, kin, due_at LIMIT 1
               ) AS due
               ORDER BY k.lane, k.kin"#,
            account.to_string(),
            now.get()
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| (Lane::from_uuid(row.lane), Kin(row.kin))).collect())
    }

    /// Takes up to `limit` checks of one kin that are due, in the order of their batch's rows. The lease is as with
    /// [`Store::claim_lanes`].
    pub async fn claim_kin(
        &self,
        account: &AccountKey,
        (lane, kin): (Lane, &Kin),
        limit: i64,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<Claim>> {
        let rows = sqlx::query_as!(
            Row,
            r#"WITH due AS MATERIALIZED (
                   SELECT check_id, due_at FROM work
                   WHERE kind = 'send' AND account = $1 AND kin IS NOT NULL
                     AND (lane, kin, due_at) >= ($2, $3, '-infinity') AND (lane, kin, due_at) <= ($2, $3, $4)
                   ORDER BY lane, kin, due_at, order_id DESC LIMIT $5
                   FOR UPDATE SKIP LOCKED
               ), taken AS (
                   UPDATE work SET due_at = $6 WHERE check_id = ANY(ARRAY(SELECT check_id FROM due))
                   RETURNING check_id, order_id, tenant, lane
               )
               SELECT taken.check_id, taken.order_id, taken.tenant, taken.lane
               FROM taken JOIN due ON due.check_id = taken.check_id
               ORDER BY due.due_at, taken.order_id DESC, taken.check_id"#,
            account.to_string(),
            lane.uuid(),
            kin.bytes(),
            now.get(),
            limit,
            lease_until.get()
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(Claim::from).collect())
    }

    /// These wait for no file any more: they go out in calls like any other, from now on.
    pub async fn part_from_kin(&self, checks: &[CheckId], now: Timestamp) -> Result<()> {
        let checks: Vec<Uuid> = checks.iter().map(|id| id.uuid()).collect();
        sqlx::query!(
            "UPDATE work SET kin = NULL, due_at = $2 WHERE check_id = ANY($1) AND kind = 'send' AND kin IS NOT NULL",
            &checks,
            now.get()
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The same for checks of an account that sends no files (any more), up to `limit`. Gives how many.
    pub async fn part_all_from_kin(&self, account: &AccountKey, limit: i64, now: Timestamp) -> Result<u64> {
        let done = sqlx::query!(
            r#"UPDATE work SET kin = NULL
               WHERE check_id = ANY(ARRAY(
                   SELECT check_id FROM work
                   WHERE kind = 'send' AND account = $1 AND kin IS NOT NULL AND due_at <= $3
                   ORDER BY lane, kin, due_at LIMIT $2
                   FOR UPDATE SKIP LOCKED))"#,
            account.to_string(),
            limit,
            now.get()
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }
}
