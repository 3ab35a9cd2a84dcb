//! Which monitors have something to do, and who has taken them.

use domain::{AccountKey, MonitorId, Timestamp};

use crate::error::Result;
use crate::tx::Store;

impl Store {
    /// Takes up to `limit` monitors that have something to do: those of the vendor account, or (`None`) those that the
    /// gateway orders again for. They come due again at the end of the lease.
    pub async fn claim_monitors(
        &self,
        account: Option<&AccountKey>,
        limit: i64,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<MonitorId>> {
        let ids = match account {
            Some(account) => {
                sqlx::query_scalar!(
                    r#"WITH due AS (
                           SELECT id FROM monitors WHERE account = $1 AND due_at IS NOT NULL AND due_at <= $2
                           ORDER BY due_at LIMIT $3
                           FOR NO KEY UPDATE SKIP LOCKED
                       )
                       UPDATE monitors m SET due_at = $4 FROM due WHERE m.id = due.id RETURNING m.id"#,
                    account.to_string(),
                    now.get(),
                    limit,
                    lease_until.get()
                )
                .fetch_all(&self.pool)
                .await?
            }
            None => {
                sqlx::query_scalar!(
                    r#"WITH due AS (
                           SELECT id FROM monitors WHERE account IS NULL AND due_at IS NOT NULL AND due_at <= $1
                           ORDER BY due_at LIMIT $2
                           FOR NO KEY UPDATE SKIP LOCKED
                       )
                       UPDATE monitors m SET due_at = $3 FROM due WHERE m.id = due.id RETURNING m.id"#,
                    now.get(),
                    limit,
                    lease_until.get()
                )
                .fetch_all(&self.pool)
                .await?
            }
        };
        Ok(ids.into_iter().map(MonitorId::from_uuid).collect())
    }
}
