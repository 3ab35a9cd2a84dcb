//! The vendor's own last answer about a check, unchanged.

use bytes::Bytes;
use domain::{CheckId, OrderId, Sensitive, Timestamp};

use crate::error::Result;
use crate::tx::{Scope, Tx};

/// See [`Tx::payloads`].
pub struct Payloads<'t> {
    pub(crate) tx: &'t mut Tx,
}

impl Payloads<'_> {
    /// Replaces the answer that was kept before.
    pub async fn put(&mut self, check: CheckId, order: OrderId, payload: &[u8], now: Timestamp) -> Result<()> {
        let key = self.tx.order_key(order).await?;
        let sealed = key.seal(PAYLOAD, check.uuid(), payload, &*self.tx.entropy);
        sqlx::query!(
            r#"INSERT INTO vendor_payloads (check_id, order_id, payload, seen_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT (check_id) DO UPDATE SET payload = excluded.payload, seen_at = excluded.seen_at"#,
            check.uuid(),
            order.uuid(),
            sealed,
            now.get()
        )
        .execute(self.tx.connection())
        .await?;
        Ok(())
    }

    /// The answer, and when it was seen.
    pub async fn get(&mut self, scope: &Scope, check: CheckId) -> Result<Option<(Sensitive<Bytes>, Timestamp)>> {
        let row = sqlx::query!(
            r#"SELECT p.order_id, p.payload, p.seen_at FROM vendor_payloads p JOIN checks c ON c.id = p.check_id
               WHERE p.check_id = $1 AND ($2::text IS NULL OR c.tenant = $2)"#,
            check.uuid(),
            scope.tenant()
        )
        .fetch_optional(self.tx.connection())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let key = self.tx.order_key(OrderId::from_uuid(row.order_id)).await?;
        let payload = key.open(PAYLOAD, check.uuid(), &row.payload)?;
        Ok(Some((Sensitive::new(Bytes::copy_from_slice(&payload)), Timestamp::new(row.seen_at))))
    }
}

const PAYLOAD: &str = "vendor_payloads.payload";
