//! Vendors' hooks: stored before they are answered, processed once.

use bytes::Bytes;
use domain::{AccountKey, InboxId, Sensitive, Timestamp};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::error::{Result, StoreError};
use crate::sealed::{from_json, to_json};
use crate::tx::{Store, Tx};

/// A hook's headers, by their lower-case names.
pub type HookHeaders = Vec<(String, String)>;

/// Where an entry came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InboxSource {
    /// A hook that showed who sent it.
    Hook,
    /// The vendor's own log of its hooks.
    Log,
}

impl InboxSource {
    pub const ALL: [Self; 2] = [Self::Hook, Self::Log];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hook => "hook",
            Self::Log => "log",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == word)
    }
}

/// A hook that a worker has taken.
#[derive(Debug, Clone)]
pub struct InboxItem {
    pub id: InboxId,
    pub account: AccountKey,
    pub source: InboxSource,
    pub headers: Sensitive<HookHeaders>,
    pub body: Sensitive<Bytes>,
    pub received_at: Timestamp,
    /// How often it was put off before.
    pub attempts: u32,
}

/// See [`Tx::inbox`].
pub struct Inbox<'t> {
    pub(crate) tx: &'t mut Tx,
}

pub(crate) const HEADERS: &str = "inbox.headers";
pub(crate) const BODY: &str = "inbox.body";

impl Inbox<'_> {
    /// The hook is through.
    pub async fn done(&mut self, id: InboxId) -> Result<()> {
        self.end(id, "done", None).await
    }

    /// The hook is put off until `due_at`. Until then it counts as read: what it could say now, it has said.
    pub async fn retry(&mut self, id: InboxId, due_at: Timestamp) -> Result<()> {
        let done = sqlx::query!(
            "UPDATE inbox SET due_at = $2, attempts = attempts + 1 WHERE id = $1 AND state = 'waiting'",
            id.uuid(),
            due_at.get()
        )
        .execute(self.tx.connection())
        .await?;
        must_wait(done.rows_affected())
    }

    /// The hook is given up. `why`: a word or sentence without personal data.
    pub async fn bury(&mut self, id: InboxId, why: &str) -> Result<()> {
        self.end(id, "buried", Some(why)).await
    }

    /// Whether no hook of the account waits that was never tried: nothing that a vendor told us is overlooked.
    pub async fn is_clear(&mut self, account: &AccountKey) -> Result<bool> {
        let clear = sqlx::query_scalar!(
            r#"SELECT NOT EXISTS (SELECT FROM inbox WHERE state = 'waiting' AND attempts = 0 AND account = $1)
                      AS "clear!""#,
            account.to_string()
        )
        .fetch_one(self.tx.connection())
        .await?;
        Ok(clear)
    }

    /// Makes every hook of the account that was put off unread and due again.
    pub async fn reconsider(&mut self, account: &AccountKey, now: Timestamp) -> Result<()> {
        sqlx::query!(
            "UPDATE inbox SET attempts = 0, due_at = $2 WHERE account = $1 AND state = 'waiting' AND attempts > 0",
            account.to_string(),
            now.get()
        )
        .execute(self.tx.connection())
        .await?;
        Ok(())
    }

    /// Whether this news was never seen before; from now on it was.
    pub async fn first_sight(&mut self, account: &AccountKey, dedupe_key: &str, now: Timestamp) -> Result<bool> {
        let done = sqlx::query!(
            "INSERT INTO inbox_news (account, key_sha256, seen_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            account.to_string(),
            &Sha256::digest(dedupe_key)[..],
            now.get()
        )
        .execute(self.tx.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    async fn end(&mut self, id: InboxId, state: &str, why: Option<&str>) -> Result<()> {
        let done = sqlx::query!(
            "UPDATE inbox SET state = $2, why = $3 WHERE id = $1 AND state = 'waiting'",
            id.uuid(),
            state,
            why
        )
        .execute(self.tx.connection())
        .await?;
        must_wait(done.rows_affected())
    }
}

const fn must_wait(rows: u64) -> Result<()> {
    if rows == 1 { Ok(()) } else { Err(StoreError::Conflict("the hook does not wait any more")) }
}

impl Store {
    /// Keeps a hook, due at once. It is durable when this returns.
    pub async fn receive(
        &self,
        id: InboxId,
        account: &AccountKey,
        headers: &[(String, String)],
        body: &[u8],
        received_at: Timestamp,
    ) -> Result<()> {
        let seal = |place, plain: &[u8]| self.vault.seal_row(place, id.uuid(), plain, &*self.entropy);
        sqlx::query!(
            r#"INSERT INTO inbox (id, account, due_at, received_at, headers, body, source)
               VALUES ($1, $2, $3, $3, $4, $5, $6)"#,
            id.uuid(),
            account.to_string(),
            received_at.get(),
            seal(HEADERS, &to_json(&headers)?),
            seal(BODY, body),
            InboxSource::Hook.as_str()
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Takes up to `limit` hooks that are due, the longest due first. Until `lease_until` nobody else gets them. One that
    /// cannot be decrypted is buried, and holds up no other.
    pub async fn claim_inbox(&self, now: Timestamp, lease_until: Timestamp, limit: i64) -> Result<Vec<InboxItem>> {
        let rows = sqlx::query!(
            r#"WITH due AS (
                   SELECT id, due_at FROM inbox WHERE state = 'waiting' AND due_at <= $1
                   ORDER BY due_at LIMIT $2
                   FOR UPDATE SKIP LOCKED
               ), taken AS (
                   UPDATE inbox i SET due_at = $3 FROM due WHERE i.id = due.id
                   RETURNING i.id, i.account, i.source, i.headers, i.body, i.received_at, i.attempts, due.due_at AS was_due_at
               )
               SELECT id, account, source, headers, body, received_at, attempts FROM taken ORDER BY was_due_at, id"#,
            now.get(),
            limit,
            lease_until.get()
        )
        .fetch_all(&self.pool)
        .await?;
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            let id = InboxId::from_uuid(row.id);
            let opened = self.open_hook(row.id, &row.headers, &row.body);
            let (Ok((headers, body)), Ok(account)) = (opened, AccountKey::try_from(row.account)) else {
                tracing::error!(hook = %id, "a stored hook cannot be decrypted: is an encryption key missing?");
                let mut tx = self.begin().await?;
                tx.inbox().bury(id, "cannot_be_decrypted").await?;
                tx.save().await?;
                continue;
            };
            let received_at = Timestamp::new(row.received_at);
            let attempts = u32::try_from(row.attempts).unwrap_or(u32::MAX);
            let source = InboxSource::parse(&row.source).ok_or(StoreError::Corrupt("an inbox entry's source"))?;
            items.push(InboxItem { id, account, source, headers, body, received_at, attempts });
        }
        Ok(items)
    }

    fn open_hook(&self, id: Uuid, headers: &[u8], body: &[u8]) -> Result<(Sensitive<HookHeaders>, Sensitive<Bytes>)> {
        let headers = self.vault.open_row(HEADERS, id, headers)?;
        let body = self.vault.open_row(BODY, id, body)?;
        Ok((Sensitive::new(from_json(&headers)?), Sensitive::new(Bytes::copy_from_slice(&body))))
    }

    /// Removes hooks that are through, and the memory of news, from before this time. Gives how many rows.
    pub async fn purge_inbox(&self, older_than: Timestamp) -> Result<u64> {
        let hooks = sqlx::query!("DELETE FROM inbox WHERE state <> 'waiting' AND received_at < $1", older_than.get())
            .execute(&self.pool)
            .await?;
        let news =
            sqlx::query!("DELETE FROM inbox_news WHERE seen_at < $1", older_than.get()).execute(&self.pool).await?;
        Ok(hooks.rows_affected() + news.rows_affected())
    }
}
