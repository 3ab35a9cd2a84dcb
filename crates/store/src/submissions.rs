//! Create calls: the intent, made durable before the wire is touched, and how it ended.

use bytes::Bytes;
use domain::{AccountKey, CheckId, OrderId, Reference, Sensitive, SubmissionId, TenantId, Timestamp};

use crate::error::{Result, StoreError};
use crate::tx::{Store, Tx};

/// A create call that is about to be made.
#[derive(Debug, Clone)]
pub struct NewSubmission {
    pub id: SubmissionId,
    pub tenant: TenantId,
    pub account: AccountKey,
    pub started_at: Timestamp,
    /// When the caller must have ended; whoever comes later finds it dead.
    pub lease_until: Timestamp,
    pub items: Vec<SubmissionPart>,
}

/// One check of a create call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionPart {
    pub check_id: CheckId,
    pub order_id: OrderId,
    pub reference: Reference,
}

/// How a create call stands, over all of its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SubmissionState {
    /// In flight, or its process died.
    Sending,
    Accepted,
    Rejected,
    NotSent,
    Unknown,
    /// Its items ended in different ways.
    Mixed,
}

/// How a create call ended.
#[derive(Clone)]
pub struct Finished<'a> {
    pub state: SubmissionState,
    pub ended_at: Timestamp,
    pub http_status: Option<u16>,
    /// The answer's first bytes. Kept encrypted.
    pub answer: Option<&'a [u8]>,
}

#[derive(Debug, Clone)]
pub struct StoredSubmission {
    pub id: SubmissionId,
    pub tenant: TenantId,
    pub account: AccountKey,
    pub state: SubmissionState,
    pub started_at: Timestamp,
    pub lease_until: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub http_status: Option<u16>,
    pub answer: Option<Sensitive<Bytes>>,
    /// In the order of the call.
    pub parts: Vec<SubmissionPart>,
}

/// See [`Tx::submissions`].
pub struct Submissions<'t> {
    pub(crate) tx: &'t mut Tx,
}

impl Submissions<'_> {
    pub async fn insert(&mut self, new: &NewSubmission) -> Result<()> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn finish(&mut self, id: SubmissionId, finished: &Finished<'_>) -> Result<bool> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn get(&mut self, id: SubmissionId) -> Result<Option<StoredSubmission>> {
        Err(StoreError::Corrupt("not yet"))
    }
}

impl Store {
    pub async fn claim_dead(&self, now: Timestamp, limit: i64) -> Result<Vec<SubmissionId>> {
        Err(StoreError::Corrupt("not yet"))
    }
}
