//! Documents that vendors hold about a check. Their bytes are streamed through, never kept.

use domain::{CheckId, DocumentId, OrderId, Timestamp};
use provider::DocumentRef;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::Result;
use crate::sealed::{from_json, to_json};
use crate::tx::{At, Scope, Tx};

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
    /// Keeps what is not known of the check yet; by the locator, the same document is kept once.
    pub async fn put(
        &mut self,
        check: CheckId,
        order: OrderId,
        documents: &[DocumentRef],
        now: Timestamp,
    ) -> Result<()> {
        if documents.is_empty() {
            return Ok(());
        }
        let key = self.tx.order_key(order).await?;
        let (mut locators, mut sealed): (Vec<Vec<u8>>, Vec<Vec<u8>>) = Default::default();
        let new_id = |_| DocumentId::generate(&At(now), &*self.tx.entropy).uuid();
        let mut ids: Vec<Uuid> = documents.iter().map(new_id).collect();
        // Ids of one moment are in no order of their own; the documents keep the vendor's.
        ids.sort_unstable();
        for (document, &id) in documents.iter().zip(&ids) {
            locators.push(Sha256::digest(&document.locator).to_vec());
            sealed.push(key.seal(DOCUMENT, id, &to_json(document)?, &*self.tx.entropy));
        }
        sqlx::query!(
            r#"INSERT INTO documents (id, check_id, order_id, tenant, locator_sha256, document, seen_at)
               SELECT n.id, c.id, c.order_id, c.tenant, n.locator, n.document, $6
               FROM unnest($3::uuid[], $4::bytea[], $5::bytea[]) AS n (id, locator, document)
               JOIN checks c ON c.id = $1 AND c.order_id = $2
               ON CONFLICT DO NOTHING"#,
            check.uuid(),
            order.uuid(),
            &ids,
            &locators,
            &sealed,
            now.get()
        )
        .execute(self.tx.connection())
        .await?;
        Ok(())
    }

    /// The documents of an order, in the order in which they were first seen.
    pub async fn list(&mut self, scope: &Scope, order: OrderId) -> Result<Vec<StoredDocument>> {
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT id, check_id, order_id, document, seen_at FROM documents
               WHERE order_id = $1 AND ($2::text IS NULL OR tenant = $2) ORDER BY id"#,
            order.uuid(),
            scope.tenant()
        )
        .fetch_all(self.tx.connection())
        .await?;
        let mut documents = Vec::with_capacity(rows.len());
        for row in rows {
            documents.push(self.open(row).await?);
        }
        Ok(documents)
    }

    pub async fn get(&mut self, scope: &Scope, id: DocumentId) -> Result<Option<StoredDocument>> {
        let row = sqlx::query_as!(
            Row,
            r#"SELECT id, check_id, order_id, document, seen_at FROM documents
               WHERE id = $1 AND ($2::text IS NULL OR tenant = $2)"#,
            id.uuid(),
            scope.tenant()
        )
        .fetch_optional(self.tx.connection())
        .await?;
        match row {
            Some(row) => Ok(Some(self.open(row).await?)),
            None => Ok(None),
        }
    }

    async fn open(&mut self, row: Row) -> Result<StoredDocument> {
        let order_id = OrderId::from_uuid(row.order_id);
        let key = self.tx.order_key(order_id).await?;
        Ok(StoredDocument {
            id: DocumentId::from_uuid(row.id),
            check_id: CheckId::from_uuid(row.check_id),
            order_id,
            document: from_json(&key.open(DOCUMENT, row.id, &row.document)?)?,
            seen_at: Timestamp::new(row.seen_at),
        })
    }
}

const DOCUMENT: &str = "documents.document";

struct Row {
    id: Uuid,
    check_id: Uuid,
    order_id: Uuid,
    document: Vec<u8>,
    seen_at: OffsetDateTime,
}
