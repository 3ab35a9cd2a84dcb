//! Documents that vendors hold about a check. Their bytes are streamed through, never kept.

use domain::{CheckId, DocumentId, OrderId, Timestamp};
use provider::DocumentRef;

use crate::error::{Result, StoreError};
use crate::tx::{Scope, Tx};

#[derive(Clone)]
pub struct StoredDocument {
    pub id: DocumentId,
    pub check_id: CheckId,
    pub order_id: OrderId,
    /// Its locator and filename may name a person. Kept encrypted.
    pub document: DocumentRef,
    /// When it was first seen.
    pub seen_at: Timestamp,
}

/// See [`Tx::documents`].
pub struct Documents<'t> {
    pub(crate) tx: &'t mut Tx,
}

impl Documents<'_> {
    pub async fn put(
        &mut self,
        check: CheckId,
        order: OrderId,
        documents: &[DocumentRef],
        now: Timestamp,
    ) -> Result<()> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn list(&mut self, scope: &Scope, order: OrderId) -> Result<Vec<StoredDocument>> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn get(&mut self, scope: &Scope, id: DocumentId) -> Result<Option<StoredDocument>> {
        Err(StoreError::Corrupt("not yet"))
    }
}
