//! Vendor accounts: paused or not, their circuit, and their rate budget.

use std::time::Duration;

use domain::{AccountKey, ProviderId, Timestamp};

use crate::error::{Result, StoreError};
use crate::tx::{Store, Tx};

/// Whether calls to an account are let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Circuit {
    Closed,
    Open,
    /// Look-ups only, to see whether it works again.
    HalfOpen,
}

impl Circuit {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::Closed, Self::Open, Self::HalfOpen].into_iter().find(|circuit| circuit.as_str() == word)
    }
}

/// An operator stopped sending to a vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paused {
    pub at: Timestamp,
    pub by: String,
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountStatus {
    pub key: AccountKey,
    pub paused: Option<Paused>,
    /// The vendor asked for a rest until then.
    pub rest_until: Option<Timestamp>,
    pub circuit: Circuit,
    pub circuit_until: Option<Timestamp>,
    /// The account was seen to give back a reference of ours.
    pub echoes: bool,
    /// The last fault's code, and when it was.
    pub last_error: Option<(String, Timestamp)>,
}

/// See [`Tx::accounts`].
pub struct Accounts<'t> {
    pub(crate) tx: &'t mut Tx,
}

impl Accounts<'_> {
    /// Pauses every account of the vendor, or lets them go on (`None`).
    pub async fn set_paused(&mut self, provider: &ProviderId, paused: Option<&Paused>) -> Result<()> {
        sqlx::query!(
            "UPDATE vendor_accounts SET paused_at = $2, paused_by = $3, paused_reason = $4 WHERE provider = $1",
            provider.as_str(),
            paused.map(|paused| paused.at.get()),
            paused.map(|paused| paused.by.as_str()),
            paused.and_then(|paused| paused.reason.as_deref())
        )
        .execute(self.tx.connection())
        .await?;
        Ok(())
    }
}

impl Store {
    /// Makes the accounts of the settings known; what is known of them already stays.
    pub async fn register_accounts(&self, accounts: &[AccountKey]) -> Result<()> {
        let mut keys: Vec<String> = accounts.iter().map(ToString::to_string).collect();
        // In one order everywhere: processes that start together do not wait for one another crosswise.
        keys.sort_unstable();
        sqlx::query!(
            "INSERT INTO vendor_accounts (key) SELECT * FROM unnest($1::text[]) ON CONFLICT DO NOTHING",
            &keys
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    pub async fn accounts(&self) -> Result<Vec<AccountStatus>> {
        let rows = sqlx::query!(
            r#"SELECT key, paused_at, paused_by, paused_reason, rest_until, circuit, circuit_until, echoes,
                      last_error_code, last_error_at
               FROM vendor_accounts ORDER BY key"#
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|row| {
                let paused = |(at, by)| Paused { at: Timestamp::new(at), by, reason: row.paused_reason };
                let error = |(code, at)| (code, Timestamp::new(at));
                Ok(AccountStatus {
                    key: AccountKey::try_from(row.key).map_err(|_| StoreError::Corrupt("an account's key"))?,
                    paused: row.paused_at.zip(row.paused_by).map(paused),
                    rest_until: row.rest_until.map(Timestamp::new),
                    circuit: Circuit::parse(&row.circuit).ok_or(StoreError::Corrupt("an account's circuit"))?,
                    circuit_until: row.circuit_until.map(Timestamp::new),
                    echoes: row.echoes,
                    last_error: row.last_error_code.zip(row.last_error_at).map(error),
                })
            })
            .collect()
    }

    /// No calls before `until`. A longer rest that was asked for before stays.
    pub async fn rest(&self, account: &AccountKey, until: Timestamp) -> Result<()> {
        sqlx::query!(
            r#"UPDATE vendor_accounts SET rest_until = $2
               WHERE key = $1 AND (rest_until IS NULL OR rest_until < $2)"#,
            account.to_string(),
            until.get()
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Without a `last_error` the one that is known stays.
    pub async fn set_circuit(
        &self,
        account: &AccountKey,
        circuit: Circuit,
        until: Option<Timestamp>,
        last_error: Option<&str>,
        now: Timestamp,
    ) -> Result<()> {
        let done = sqlx::query!(
            r#"UPDATE vendor_accounts
               SET circuit = $2, circuit_until = $3, last_error_code = coalesce($4, last_error_code),
                   last_error_at = CASE WHEN $4::text IS NULL THEN last_error_at ELSE $5 END
               WHERE key = $1"#,
            account.to_string(),
            circuit.as_str(),
            until.map(Timestamp::get),
            last_error,
            now.get()
        )
        .execute(&self.pool)
        .await?;
        must_be_known(done.rows_affected())
    }

    /// The account was seen to give back a reference of ours.
    pub async fn set_echoes(&self, account: &AccountKey) -> Result<()> {
        sqlx::query!("UPDATE vendor_accounts SET echoes = true WHERE key = $1 AND NOT echoes", account.to_string())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// One call from the account's budget, shared by every process: one each `every`, and as many more at once as
    /// `burst` is long. `None`: go. `Some`: not yet, and how long until there is a turn.
    ///
    /// This is GCRA (ITU-T I.371) in one statement. Its table is unlogged, so the commit does not wait for the disk.
    pub async fn take_turn(
        &self,
        account: &AccountKey,
        share: &str,
        every: Duration,
        burst: Duration,
        now: Timestamp,
    ) -> Result<Option<Duration>> {
        let every = time::Duration::try_from(every).unwrap_or(time::Duration::MAX);
        let turn = sqlx::query!(
            r#"WITH taken AS (
                   INSERT INTO vendor_turns AS t (account, share, next_at) VALUES ($1, $2, $3::timestamptz + $4)
                   ON CONFLICT (account, share) DO UPDATE SET next_at = greatest(t.next_at, $3) + $4
                   WHERE t.next_at <= $5
                   RETURNING true
               )
               SELECT EXISTS (SELECT FROM taken) AS "taken!",
                      (SELECT next_at FROM vendor_turns WHERE account = $1 AND share = $2) AS next_at"#,
            account.to_string(),
            share,
            now.get(),
            whole_micros(every) as _,
            (now + burst).get()
        )
        .fetch_one(&self.pool)
        .await?;
        if turn.taken {
            return Ok(None);
        }
        // `next_at` is as it was before the statement; another turn may have been taken since, hence at least a little.
        let wait = turn.next_at.map_or(Duration::ZERO, |next_at| Timestamp::new(next_at).since(now + burst));
        Ok(Some(wait.max(Duration::from_millis(1))))
    }
}

/// Intervals of Postgres have no nanoseconds.
fn whole_micros(duration: time::Duration) -> time::Duration {
    time::Duration::new(duration.whole_seconds(), duration.subsec_microseconds() * 1_000)
}

const fn must_be_known(rows: u64) -> Result<()> {
    if rows == 1 { Ok(()) } else { Err(StoreError::Conflict("the vendor account is not registered")) }
}
