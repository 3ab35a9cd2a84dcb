//! What is due, and who has taken it.

use domain::{AccountKey, BatchId, CheckId, OrderId, TenantId, Timestamp};
use uuid::Uuid;

use crate::error::{Result, StoreError};
use crate::lanes::Lane;
use crate::tx::Store;

/// A check that a worker has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub check_id: CheckId,
    pub order_id: OrderId,
    pub tenant: TenantId,
    /// The batch that its order is of.
    pub batch: Option<BatchId>,
}

pub(crate) struct Row {
    pub check_id: Uuid,
    pub order_id: Uuid,
    pub tenant: String,
    pub lane: Uuid,
}

impl From<Row> for Claim {
    fn from(row: Row) -> Self {
        Self {
            check_id: CheckId::from_uuid(row.check_id),
            order_id: OrderId::from_uuid(row.order_id),
            tenant: TenantId::new(row.tenant),
            batch: Lane::from_uuid(row.lane).0,
        }
    }
}

impl Store {
    /// Takes up to `limit` checks of the account that are due to be looked at, the longest due first; half of them, where
    /// there are so many, of single orders, so that the thousands of a batch hold none of those up. The lease is as with
    /// [`Store::claim_lanes`].
    pub async fn claim_looks(
        &self,
        account: &AccountKey,
        limit: i64,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<Claim>> {
        let rows = sqlx::query_as!(
            Row,
            r#"WITH single AS MATERIALIZED (
                   SELECT check_id, due_at FROM work
                   WHERE account = $1 AND kind = 'follow' AND lane = '00000000-0000-0000-0000-000000000000'
                     AND due_at <= $2
                   ORDER BY due_at LIMIT ($3::bigint + 1) / 2
                   FOR UPDATE SKIP LOCKED
               ), others AS MATERIALIZED (
                   SELECT check_id, due_at FROM work
                   WHERE account = $1 AND kind = 'follow' AND due_at <= $2
                     AND check_id <> ALL (ARRAY(SELECT check_id FROM single))
                   ORDER BY due_at LIMIT $3 - (SELECT count(*) FROM single)
                   FOR UPDATE SKIP LOCKED
               ), due AS (
                   SELECT * FROM single UNION ALL SELECT * FROM others
               ), taken AS (
                   UPDATE work SET due_at = $4 WHERE check_id = ANY(ARRAY(SELECT check_id FROM due))
                   RETURNING check_id, order_id, tenant, lane
               )
               SELECT taken.check_id, taken.order_id, taken.tenant, taken.lane
               FROM taken JOIN due ON due.check_id = taken.check_id
               ORDER BY due.due_at, taken.check_id"#,
            account.to_string(),
            now.get(),
            limit,
            lease_until.get()
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(Claim::from).collect())
    }

    /// The earliest time after `now` at which something comes due or a lease runs out: how long a worker may sleep
    /// unless it is woken.
    pub async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        // One jump into each index for each account, of which there are few.
        let next = sqlx::query_scalar!(
            r#"SELECT min(at) FROM (
                   SELECT w.at
                   FROM vendor_accounts a
                   CROSS JOIN (VALUES ('send'), ('follow')) AS k (kind)
                   CROSS JOIN LATERAL (
                       SELECT due_at AS at FROM work
                       WHERE account = a.key AND kind = k.kind AND due_at > $1 ORDER BY due_at LIMIT 1
                   ) AS w
                   UNION ALL
                   (SELECT next_scan_at FROM cases
                    WHERE state <> 'resolved' AND next_scan_at > $1 ORDER BY next_scan_at LIMIT 1)
                   UNION ALL
                   (SELECT due_at FROM inbox WHERE state = 'waiting' AND due_at > $1 ORDER BY due_at LIMIT 1)
                   UNION ALL
                   (SELECT lease_until FROM submissions
                    WHERE state = 'sending' AND lease_until > $1 ORDER BY lease_until LIMIT 1)
                   UNION ALL
                   (SELECT cancel_due_at FROM vendor_objects
                    WHERE cancel = 'wanted' AND cancel_due_at > $1 ORDER BY cancel_due_at LIMIT 1)
                   UNION ALL
                   (SELECT due_at FROM monitors WHERE account IS NULL AND due_at > $1 ORDER BY due_at LIMIT 1)
                   UNION ALL
                   SELECT m.due_at FROM vendor_accounts a
                   CROSS JOIN LATERAL (
                       SELECT due_at FROM monitors WHERE account = a.key AND due_at > $1 ORDER BY due_at LIMIT 1
                   ) AS m
                   UNION ALL
                   SELECT f.at
                   FROM vendor_accounts a
                   CROSS JOIN LATERAL (
                       SELECT due_at AS at FROM vendor_files
                       WHERE account = a.key AND ended_at IS NULL AND due_at > $1 ORDER BY due_at LIMIT 1
                   ) AS f
                   UNION ALL
                   SELECT sweep_next_at FROM vendor_accounts WHERE sweep_next_at > $1
               ) AS next (at)"#,
            now.get()
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(next.map(Timestamp::new))
    }

    /// Every account that has something to do, whether the settings know it or not.
    pub async fn accounts_with_work(&self) -> Result<Vec<AccountKey>> {
        // From one account's first row to the next one's: a few jumps in an index, however much there is to do.
        let accounts = sqlx::query_scalar!(
            r#"WITH RECURSIVE accounts AS (
                   (SELECT account FROM work ORDER BY account LIMIT 1)
                   UNION ALL
                   SELECT (SELECT account FROM work WHERE account > a.account ORDER BY account LIMIT 1)
                   FROM accounts a WHERE a.account IS NOT NULL
               )
               SELECT account AS "account!" FROM accounts WHERE account IS NOT NULL"#
        )
        .fetch_all(&self.pool)
        .await?;
        accounts
            .into_iter()
            .map(|key| AccountKey::try_from(key).map_err(|_| StoreError::Corrupt("an account's key")))
            .collect()
    }
}
