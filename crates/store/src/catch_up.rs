//! Up to when each account's hooks are known to have come, and whose turn it is to read the vendor's log.

use std::time::Duration;

use domain::{AccountKey, InboxId, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::error::Result;
use crate::inbox::{BODY, HEADERS};
use crate::sealed::to_json;
use crate::tx::Store;

/// The first look into an account's log goes so far back.
const FIRST: Duration = Duration::from_hours(24);

impl Store {
    /// Takes the right to read the account's log where its hooks were silent for `every`, or where `at_any_rate` says that
    /// nobody was there to hear them. Gives since when. Where hooks came, that is noted, and nothing is to be read.
    /// `None`: not now, or somebody reads it, or the account is not registered.
    pub async fn lease_catch_up(
        &self,
        account: &AccountKey,
        now: Timestamp,
        until: Timestamp,
        every: Duration,
        at_any_rate: bool,
    ) -> Result<Option<Timestamp>> {
        let mut tx = self.pool.begin().await?;
        let key = account.to_string();
        let row = sqlx::query!(
            r#"SELECT hooks_through, catch_up_next_at, catch_up_lease_until FROM vendor_accounts
               WHERE key = $1 FOR UPDATE"#,
            key
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let (next, leased) = (row.catch_up_next_at.map(Timestamp::new), row.catch_up_lease_until.map(Timestamp::new));
        if leased.is_some_and(|leased| leased > now) || (!at_any_rate && next.is_some_and(|next| next > now)) {
            return Ok(None);
        }
        let through = row.hooks_through.map(Timestamp::new);
        // A look that comes late could miss a silence that is over again.
        let is_late = next.is_none_or(|next| next + every / 4 < now);
        if !at_any_rate && !is_late {
            let last =
                sqlx::query_scalar!("SELECT max(received_at) FROM inbox WHERE account = $1 AND source = 'hook'", key)
                    .fetch_one(&mut *tx)
                    .await?;
            if let Some(last) = last.map(Timestamp::new).filter(|last| *last + every > now) {
                sqlx::query!(
                    r#"UPDATE vendor_accounts SET hooks_through = greatest(hooks_through, $2), catch_up_next_at = $3
                       WHERE key = $1"#,
                    key,
                    last.get(),
                    (last + every).get()
                )
                .execute(&mut *tx)
                .await?;
                tx.commit().await?;
                return Ok(None);
            }
        }
        sqlx::query!("UPDATE vendor_accounts SET catch_up_lease_until = $2 WHERE key = $1", key, until.get())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(Some(through.unwrap_or(now - FIRST)))
    }

    /// Everything up to `through` was received or read; it is looked again at `next_at`. Ends the lease. A reading that
    /// failed gives the time that it began from.
    pub async fn catch_up_done(&self, account: &AccountKey, through: Timestamp, next_at: Timestamp) -> Result<()> {
        sqlx::query!(
            r#"UPDATE vendor_accounts
               SET hooks_through = greatest(hooks_through, $2), catch_up_next_at = $3, catch_up_lease_until = NULL
               WHERE key = $1"#,
            account.to_string(),
            through.get(),
            next_at.get()
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Keeps entries of the vendor's log as hooks are kept, those left out whose news was seen already. Each has the key of
    /// its news and its body. Gives how many are new.
    pub async fn keep_log(
        &self,
        account: &AccountKey,
        entries: &[(InboxId, &str, &[u8])],
        now: Timestamp,
    ) -> Result<u64> {
        let no_headers = to_json(&crate::inbox::HookHeaders::new())?;
        let seal = |place, id: InboxId, plain: &[u8]| self.vault.seal_row(place, id.uuid(), plain, &*self.entropy);
        let ids: Vec<_> = entries.iter().map(|(id, ..)| id.uuid()).collect();
        let keys: Vec<_> = entries.iter().map(|(_, key, _)| Sha256::digest(key).to_vec()).collect();
        let headers: Vec<_> = entries.iter().map(|(id, ..)| seal(HEADERS, *id, &no_headers)).collect();
        let bodies: Vec<_> = entries.iter().map(|(id, _, body)| seal(BODY, *id, body)).collect();
        let done = sqlx::query!(
            r#"INSERT INTO inbox (id, account, due_at, received_at, headers, body, source)
               SELECT e.id, $1, $2, $2, e.headers, e.body, 'log'
               FROM unnest($3::uuid[], $4::bytea[], $5::bytea[], $6::bytea[]) AS e (id, key, headers, body)
               WHERE NOT EXISTS (SELECT FROM inbox_news n WHERE n.account = $1 AND n.key_sha256 = e.key)"#,
            account.to_string(),
            now.get(),
            &ids,
            &keys,
            &headers,
            &bodies
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }
}
