//! Answers that are given again when a caller repeats itself.

use bytes::Bytes;
use domain::Timestamp;

use crate::error::{Result, StoreError};
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

/// See [`Tx::idempotency`].
pub struct Idempotency<'t> {
    pub(crate) tx: &'t mut Tx,
}

impl Idempotency<'_> {
    pub async fn begin(&mut self, key: &KeyHash, request: &RequestHash) -> Result<Begun> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn keep(
        &mut self,
        key: &KeyHash,
        request: &RequestHash,
        answer: &StoredAnswer,
        now: Timestamp,
    ) -> Result<()> {
        Err(StoreError::Corrupt("not yet"))
    }
}

impl Store {
    pub async fn purge_idempotency(&self, older_than: Timestamp) -> Result<u64> {
        Err(StoreError::Corrupt("not yet"))
    }
}
