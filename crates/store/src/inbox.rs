//! Vendors' hooks: stored before they are answered, processed once.

use bytes::Bytes;
use domain::{AccountKey, InboxId, Sensitive, Timestamp};

use crate::error::{Result, StoreError};
use crate::tx::{Store, Tx};

/// A hook that a worker has taken.
#[derive(Debug, Clone)]
pub struct InboxItem {
    pub id: InboxId,
    pub account: AccountKey,
    pub headers: Sensitive<Vec<(String, String)>>,
    pub body: Sensitive<Bytes>,
    pub received_at: Timestamp,
    /// This one included.
    pub attempts: u32,
}

/// See [`Tx::inbox`].
pub struct Inbox<'t> {
    pub(crate) tx: &'t mut Tx,
}

impl Inbox<'_> {
    pub async fn done(&mut self, id: InboxId) -> Result<()> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn retry(&mut self, id: InboxId, due_at: Timestamp) -> Result<()> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn bury(&mut self, id: InboxId, why: &str) -> Result<()> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn first_sight(&mut self, account: &AccountKey, dedupe_key: &str, now: Timestamp) -> Result<bool> {
        Err(StoreError::Corrupt("not yet"))
    }
}

impl Store {
    pub async fn receive(
        &self,
        id: InboxId,
        account: &AccountKey,
        headers: &[(String, String)],
        body: &[u8],
        received_at: Timestamp,
    ) -> Result<()> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn claim_inbox(&self, now: Timestamp, lease_until: Timestamp, limit: i64) -> Result<Vec<InboxItem>> {
        Err(StoreError::Corrupt("not yet"))
    }
}
