//! What vendors hold about an order's checks: lists of it, and the bytes on their way through.

use domain::{Check, CheckId, DocumentId, OrderId, VendorRef};
use futures::{StreamExt as _, stream};
use provider::{ByteStream, DocumentRef, Language};
use store::{Scope, StoreError, StoredDocument};

use crate::Engine;
use crate::asked::{AT_ONCE, AskError, Patience, all_finished};

/// The documents of an order.
pub struct Documents {
    pub known: Vec<StoredDocument>,
    /// The checks whose vendor could not be asked for more, and why.
    pub unasked: Vec<(CheckId, AskError)>,
}

impl Engine {
    /// Asks the vendors of completed checks what they hold beside what is known, and lists all of it. A vendor that cannot
    /// be asked takes nothing away from what is known. `None`: the caller has no such order.
    pub async fn documents(&self, scope: &Scope, id: OrderId) -> Result<Option<Documents>, StoreError> {
        let Some(order) = self.store().begin().await?.orders().get(scope, id).await? else { return Ok(None) };
        let patience = Patience::begin();
        let mut asked = Vec::new();
        for (check_id, check, vendor) in all_finished(&order) {
            asked.push(async move { (check_id, patience.with(self.ask_for_documents(check, vendor)).await) });
        }
        let answers: Vec<_> = stream::iter(asked).buffered(AT_ONCE).collect().await;

        let mut unasked = Vec::new();
        let mut tx = self.store().begin().await?;
        for (check_id, answer) in answers {
            match answer {
                Ok(found) => tx.documents().put(check_id, id, &found, self.now()).await?,
                Err(error) => {
                    tracing::info!(check = %check_id, %error, "could not ask the vendor for a check's documents");
                    unasked.push((check_id, error));
                }
            }
        }
        let known = tx.documents().list(scope, id).await?;
        tx.save().await?;
        Ok(Some(Documents { known, unasked }))
    }

    async fn ask_for_documents(&self, check: &Check, vendor: &VendorRef) -> Result<Vec<DocumentRef>, AskError> {
        let (account, ctx) = self.asking(&check.account, None).await?;
        Ok(account.provider.documents(&ctx, vendor).await?)
    }

    /// What is known of one document. `None`: the caller has no such document of this order.
    pub async fn known_document(
        &self,
        scope: &Scope,
        order: OrderId,
        id: DocumentId,
    ) -> Result<Option<StoredDocument>, StoreError> {
        let found = self.store().begin().await?.documents().get(scope, id).await?;
        Ok(found.filter(|document| document.order_id == order))
    }

    /// Opens a document at its vendor. Its first bytes are here and are what they should be once this is `Ok`; the rest
    /// comes as it is read, and may still break off.
    pub async fn open_document(
        &self,
        document: &StoredDocument,
        language: Option<Language>,
    ) -> Result<ByteStream, AskError> {
        let order = self.store().begin().await?.orders().get(&Scope::All, document.order_id).await?;
        let check = order.as_ref().and_then(|order| order.check(document.check_id));
        let check = check.ok_or(StoreError::Corrupt("a document's check"))?;
        let (account, ctx) = self.asking(&check.account, language).await?;
        let stream = account.provider.document(&ctx, &document.document).await?;
        Ok(provider::opened(&document.document, stream).await?)
    }
}
