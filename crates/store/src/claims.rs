//! What is due, and who has taken it.

use domain::{AccountKey, CheckId, OrderId, TenantId, Timestamp};

use uuid::Uuid;

use crate::error::Result;
use crate::orders::Work;
use crate::tx::Store;

/// A check that a worker has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub check_id: CheckId,
    pub order_id: OrderId,
    pub tenant: TenantId,
}

impl Store {
    /// Takes up to `limit` checks of the account whose work is due, the longest due first. Until `lease_until` nobody
    /// else gets them; whoever saves a check with a plan, or releases it, ends the lease.
    pub async fn claim(
        &self,
        account: &AccountKey,
        work: Work,
        limit: i64,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<Claim>> {
        let rows = sqlx::query!(
            r#"WITH due AS (
                   SELECT check_id, due_at FROM work
                   WHERE account = $1 AND kind = $2 AND due_at <= $3
                   ORDER BY due_at LIMIT $4
                   FOR UPDATE SKIP LOCKED
               ), taken AS (
                   UPDATE work w SET due_at = $5 FROM due WHERE w.check_id = due.check_id
                   RETURNING w.check_id, w.order_id, w.tenant, due.due_at AS was_due_at
               )
               SELECT check_id, order_id, tenant FROM taken ORDER BY was_due_at, check_id"#,
            account.to_string(),
            work.as_str(),
            now.get(),
            limit,
            lease_until.get()
        )
        .fetch_all(&self.pool)
        .await?;
        let claim = |check_id, order_id, tenant: String| Claim {
            check_id: CheckId::from_uuid(check_id),
            order_id: OrderId::from_uuid(order_id),
            tenant: TenantId::new(tenant),
        };
        Ok(rows.into_iter().map(|row| claim(row.check_id, row.order_id, row.tenant)).collect())
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
               ) AS next (at)"#,
            now.get()
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(next.map(Timestamp::new))
    }

    /// Gives claimed checks back untouched, due again at `due_at`.
    pub async fn release(&self, checks: &[CheckId], due_at: Timestamp) -> Result<()> {
        let checks: Vec<Uuid> = checks.iter().map(|check| check.uuid()).collect();
        sqlx::query!(
            r#"WITH held AS (SELECT check_id FROM work WHERE check_id = ANY($1) ORDER BY check_id FOR UPDATE)
               UPDATE work w SET due_at = $2 FROM held WHERE w.check_id = held.check_id"#,
            &checks,
            due_at.get()
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
