//! Answers that are given again when a caller repeats itself.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Result, StoreError};
use crate::sealed::{from_json, to_json};
use crate::tx::{Store, Tx};

/// SHA-256 over tenant, method, path and the caller's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash(pub [u8; 32]);

/// SHA-256 over the request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestHash(pub [u8; 32]);

/// A committed success, kept encrypted.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

/// What is known of a key.
#[derive(Clone, PartialEq, Eq)]
pub enum Begun {
    /// Nothing; until this transaction ends, others with the same key see [`Begun::InFlight`].
    New,
    /// The same request was answered before.
    Replay(StoredAnswer),
    /// Another request was answered under this key.
    OtherRequest,
    /// The first call is still running.
    InFlight,
}

/// What is known of a key, whatever was asked under it.
#[derive(Clone, PartialEq, Eq)]
pub enum Looked {
    /// Nothing; until this transaction ends, others with the same key see [`Looked::InFlight`].
    New,
    /// It was answered before: to this request, so.
    Known { request: RequestHash, answer: StoredAnswer },
    /// The first call is still running.
    InFlight,
}

/// See [`Tx::idempotency`].
pub struct Idempotency<'t> {
    pub(crate) tx: &'t mut Tx,
}

impl Idempotency<'_> {
    /// What is known of the key for this request. If nothing is, this transaction holds the key until it ends.
    pub async fn begin(&mut self, key: &KeyHash, request: &RequestHash) -> Result<Begun> {
        Ok(match self.look(key).await? {
            Looked::New => Begun::New,
            Looked::Known { request: before, answer } if before == *request => Begun::Replay(answer),
            Looked::Known { .. } => Begun::OtherRequest,
            Looked::InFlight => Begun::InFlight,
        })
    }

    /// As [`begin`](Self::begin), for a body that is read afterwards: the caller compares the requests.
    pub async fn look(&mut self, key: &KeyHash) -> Result<Looked> {
        // Two statements: the look must be taken after the lock, or a commit in between would be overlooked.
        let held = sqlx::query_scalar!(r#"SELECT pg_try_advisory_xact_lock($1) AS "held!""#, key.lock())
            .fetch_one(self.tx.connection())
            .await?;
        if !held {
            return Ok(Looked::InFlight);
        }
        let row = sqlx::query!("SELECT request_sha256, answer FROM idempotency_keys WHERE key_sha256 = $1", &key.0[..])
            .fetch_optional(self.tx.connection())
            .await?;
        let Some(row) = row else { return Ok(Looked::New) };
        let request = row.request_sha256.try_into().map_err(|_| StoreError::Corrupt("a kept request's hash"))?;
        let answer: KeptAnswer<'_> = from_json(&self.tx.vault.open_row(ANSWER, key.row(), &row.answer)?)?;
        let body = STANDARD.decode(answer.body.as_bytes()).map_err(|_| StoreError::Corrupt("a kept answer's body"))?;
        let headers = answer.headers.into_owned();
        let answer = StoredAnswer { status: answer.status, headers, body: Bytes::from(body) };
        Ok(Looked::Known { request: RequestHash(request), answer })
    }

    /// Keeps the answer, if this transaction is saved.
    pub async fn keep(
        &mut self,
        key: &KeyHash,
        request: &RequestHash,
        answer: &StoredAnswer,
        now: Timestamp,
    ) -> Result<()> {
        let kept = KeptAnswer {
            status: answer.status,
            headers: Cow::Borrowed(&answer.headers),
            body: STANDARD.encode(&answer.body),
        };
        let sealed = self.tx.vault.seal_row(ANSWER, key.row(), &to_json(&kept)?, &*self.tx.entropy);
        let done = sqlx::query!(
            r#"INSERT INTO idempotency_keys (key_sha256, request_sha256, answer, created_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT DO NOTHING"#,
            &key.0[..],
            &request.0[..],
            sealed,
            now.get()
        )
        .execute(self.tx.connection())
        .await?;
        if done.rows_affected() == 1 {
            Ok(())
        } else {
            Err(StoreError::Conflict("the idempotency key was used meanwhile"))
        }
    }
}

const ANSWER: &str = "idempotency_keys.answer";

#[derive(Serialize, Deserialize)]
struct KeptAnswer<'a> {
    status: u16,
    headers: Cow<'a, [(String, String)]>,
    /// Base64: it need not be text.
    body: String,
}

impl KeyHash {
    /// The number that the advisory lock is taken on. Two keys that share it merely wait for one another.
    fn lock(&self) -> i64 {
        i64::from_be_bytes(*self.0.first_chunk().expect("8 of 32 bytes"))
    }

    /// What stands for the row in the sealed answer.
    fn row(&self) -> Uuid {
        Uuid::from_bytes(*self.0.first_chunk().expect("16 of 32 bytes"))
    }
}

impl Store {
    /// Forgets answers that were kept before this time. Gives how many.
    pub async fn purge_idempotency(&self, older_than: Timestamp) -> Result<u64> {
        let done = sqlx::query!("DELETE FROM idempotency_keys WHERE created_at < $1", older_than.get())
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected())
    }
}
