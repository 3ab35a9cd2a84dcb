//! How far each vendor account was looked through for objects that belong to nobody here, and whose turn it is.

use std::time::Duration;

use domain::{AccountKey, Timestamp};

use crate::error::Result;
use crate::tx::Store;

/// The first sweep of an account looks so far back.
const FIRST: Duration = Duration::from_hours(24);

impl Store {
    /// Takes the right to sweep the account if that is due, and gives since when: where the last sweep ended, or a day back
    /// at first. `None`: not yet, or somebody sweeps it, or it is not registered.
    pub async fn lease_sweep(
        &self,
        account: &AccountKey,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Timestamp>> {
        let since = sqlx::query_scalar!(
            r#"UPDATE vendor_accounts SET sweep_lease_until = $3
               WHERE key = $1 AND (sweep_next_at IS NULL OR sweep_next_at <= $2)
                 AND (sweep_lease_until IS NULL OR sweep_lease_until <= $2)
               RETURNING coalesce(swept_through, $4) AS "since!""#,
            account.to_string(),
            now.get(),
            until.get(),
            (now - FIRST).get()
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(since.map(Timestamp::new))
    }

    /// Everything up to `through` was looked through; the next sweep is due at `next_at`. Ends the lease. A sweep that
    /// failed gives the time that it began from, and when to try again.
    pub async fn sweep_done(&self, account: &AccountKey, through: Timestamp, next_at: Timestamp) -> Result<()> {
        sqlx::query!(
            r#"UPDATE vendor_accounts
               SET swept_through = greatest(swept_through, $2), sweep_next_at = $3, sweep_lease_until = NULL
               WHERE key = $1"#,
            account.to_string(),
            through.get(),
            next_at.get()
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
