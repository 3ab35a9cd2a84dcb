//! What scans of vendor accounts saw, and whose turn it is to scan.

use domain::{AccountKey, ScanId, ScanReport, Timestamp};

use crate::error::{Result, StoreError};
use crate::tx::{Store, Tx};

/// The settle rule compares what the last two complete scans listed. Lists are long: no others are loaded or kept.
const LISTS: i64 = 2;

/// See [`Tx::scans`].
pub struct Scans<'t> {
    pub(crate) tx: &'t mut Tx,
}

impl Scans<'_> {
    pub async fn insert(&mut self, scan: &ScanReport) -> Result<()> {
        let count = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        let seen = serde_json::to_value(&scan.seen).map_err(|_| StoreError::Corrupt("what a scan saw"))?;
        sqlx::query!(
            r#"INSERT INTO scans (id, account, started_at, ended_at, complete, pages, calls, objects, seen)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"#,
            scan.id.uuid(),
            scan.account.to_string(),
            scan.started_at.get(),
            scan.ended_at.get(),
            scan.seen.complete,
            count(scan.seen.pages),
            count(scan.seen.calls),
            count(scan.seen.objects),
            seen
        )
        .execute(self.tx.connection())
        .await?;
        Ok(())
    }

    /// The account's scans that began at this time or later, oldest first. What they listed is left out of all but the
    /// last two complete ones.
    pub async fn since(&mut self, account: &AccountKey, since: Timestamp) -> Result<Vec<ScanReport>> {
        let rows = sqlx::query!(
            r#"SELECT id, started_at, ended_at,
                      CASE WHEN complete AND row_number() OVER (PARTITION BY complete
                                                                ORDER BY started_at DESC, id DESC) <= $3
                           THEN seen ELSE jsonb_set(seen, '{listed}', '[]') END AS "seen!"
               FROM scans WHERE account = $1 AND started_at >= $2 ORDER BY started_at, id"#,
            account.to_string(),
            since.get(),
            LISTS
        )
        .fetch_all(self.tx.connection())
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(ScanReport {
                    id: ScanId::from_uuid(row.id),
                    account: account.clone(),
                    started_at: Timestamp::new(row.started_at),
                    ended_at: Timestamp::new(row.ended_at),
                    seen: serde_json::from_value(row.seen).map_err(|_| StoreError::Corrupt("what a scan saw"))?,
                })
            })
            .collect()
    }
}

impl Store {
    /// Accounts with a case that wants a scan now, and which nobody scans.
    pub async fn due_scans(&self, now: Timestamp) -> Result<Vec<AccountKey>> {
        let accounts = sqlx::query_scalar!(
            r#"SELECT a.key FROM vendor_accounts a
               WHERE (a.scan_lease_until IS NULL OR a.scan_lease_until <= $1)
                 AND a.key IN (SELECT account FROM cases
                               WHERE state <> 'resolved' AND next_scan_at IS NOT NULL AND next_scan_at <= $1)
               ORDER BY a.key"#,
            now.get()
        )
        .fetch_all(&self.pool)
        .await?;
        let key = |text| AccountKey::try_from(text).map_err(|_| StoreError::Corrupt("an account's key"));
        accounts.into_iter().map(key).collect()
    }

    /// The list of objects of a scan goes once two complete ones are newer, or no case is unresolved that it could be
    /// evidence in; whole scans that began before this time go once there is no such case. Gives how many scans were
    /// touched.
    pub async fn purge_scans(&self, before: Timestamp) -> Result<u64> {
        // A case goes by the scans that began after it was opened.
        let gone = sqlx::query!(
            r#"DELETE FROM scans s WHERE started_at < $1
                 AND NOT EXISTS (SELECT FROM cases
                                 WHERE account = s.account AND state <> 'resolved' AND opened_at <= s.started_at)"#,
            before.get()
        )
        .execute(&self.pool)
        .await?;
        let emptied = sqlx::query!(
            r#"UPDATE scans s SET seen = jsonb_set(seen, '{listed}', '[]'), has_list = false
               WHERE has_list
                 AND (NOT EXISTS (SELECT FROM cases
                                  WHERE account = s.account AND state <> 'resolved' AND opened_at <= s.started_at)
                      OR $1 <= (SELECT count(*) FROM scans newer
                                WHERE newer.account = s.account AND newer.has_list AND newer.complete
                                  AND (newer.started_at, newer.id) > (s.started_at, s.id)))"#,
            LISTS
        )
        .execute(&self.pool)
        .await?;
        Ok(gone.rows_affected() + emptied.rows_affected())
    }

    /// Takes the right to scan the account. `false`: somebody else has it.
    pub async fn lease_scan(&self, account: &AccountKey, now: Timestamp, until: Timestamp) -> Result<bool> {
        let done = sqlx::query!(
            r#"UPDATE vendor_accounts SET scan_lease_until = $3
               WHERE key = $1 AND (scan_lease_until IS NULL OR scan_lease_until <= $2)"#,
            account.to_string(),
            now.get(),
            until.get()
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    pub async fn end_scan_lease(&self, account: &AccountKey) -> Result<()> {
        sqlx::query!("UPDATE vendor_accounts SET scan_lease_until = NULL WHERE key = $1", account.to_string())
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
