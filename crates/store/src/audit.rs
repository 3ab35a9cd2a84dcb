//! Who did what: append-only, chained by hashes once the sequencer has placed it.

use domain::{AuditId, TenantId, Timestamp};
use serde_json::Value;

use crate::error::{Result, StoreError};
use crate::tx::{Scope, Tx};

#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    pub at: Timestamp,
    /// Whose data it is about; `None`: the gateway's own (pausing a vendor).
    pub tenant: Option<TenantId>,
    /// A token's subject, or `gateway`.
    pub actor: String,
    /// Such as `order.revealed`.
    pub action: String,
    /// The id of what it was done to.
    pub target: String,
    /// Ids and words; no personal data.
    pub data: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub struct StoredAuditEntry {
    pub id: AuditId,
    pub entry: AuditEntry,
    /// Its place in the chain; `None` until the sequencer gave it one, and so for `hash`.
    pub position: Option<i64>,
    /// SHA-256 over the entry before and this one.
    pub hash: Option<Vec<u8>>,
}

/// See [`Tx::audit`].
pub struct Audit<'t> {
    pub(crate) tx: &'t mut Tx,
}

impl Audit<'_> {
    pub async fn append(&mut self, id: AuditId, entry: &AuditEntry) -> Result<()> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn list(&mut self, scope: &Scope, limit: u32, before: Option<AuditId>) -> Result<Vec<StoredAuditEntry>> {
        Err(StoreError::Corrupt("not yet"))
    }
}
