//! Objects of vendors: which are ours, which are not, and which are one too many.

use std::collections::BTreeSet;

use domain::{AccountKey, CaseId, CheckId, OrderId, Reference, TenantId, Timestamp};

use crate::error::Result;
use crate::tx::Tx;

/// A check that a vendor's object fulfils.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub tenant: TenantId,
    pub order_id: OrderId,
    pub check_id: CheckId,
}

/// See [`Tx::vendor_objects`].
pub struct VendorObjects<'t> {
    pub(crate) tx: &'t mut Tx,
}

impl VendorObjects<'_> {
    /// Objects that were read in full and are none of ours: scans leave them out from now on.
    pub async fn dismiss(&mut self, account: &AccountKey, vendor_order_ids: &[String], now: Timestamp) -> Result<()> {
        sqlx::query!(
            r#"INSERT INTO vendor_objects (account, vendor_order_id, standing, seen_at)
               SELECT $1, id, 'dismissed', $3 FROM unnest($2::text[]) AS n (id) GROUP BY id ORDER BY id
               ON CONFLICT DO NOTHING"#,
            account.to_string(),
            vendor_order_ids,
            now.get()
        )
        .execute(self.tx.connection())
        .await?;
        Ok(())
    }

    /// Vendor order ids that a scan need not read again: bound to checks since `since`, or dismissed or recorded as
    /// duplicates since then.
    pub async fn settled(&mut self, account: &AccountKey, since: Timestamp) -> Result<BTreeSet<String>> {
        let ids = sqlx::query_scalar!(
            r#"SELECT vendor_order_id AS "id!" FROM checks
               WHERE account = $1 AND vendor_order_id IS NOT NULL AND submitted_at >= $2
               UNION ALL
               SELECT vendor_order_id FROM vendor_objects
               WHERE account = $1 AND seen_at >= $2 AND standing IN ('dismissed', 'duplicate')"#,
            account.to_string(),
            since.get()
        )
        .fetch_all(self.tx.connection())
        .await?;
        Ok(ids.into_iter().collect())
    }

    /// The checks that are bound to the object, of whichever tenant.
    pub async fn holders(&mut self, account: &AccountKey, vendor_order_id: &str) -> Result<Vec<Holder>> {
        let rows = sqlx::query!(
            r#"SELECT id, order_id, tenant FROM checks
               WHERE account = $1 AND vendor_order_id IS NOT NULL AND vendor_order_id = $2 ORDER BY order_id, id"#,
            account.to_string(),
            vendor_order_id
        )
        .fetch_all(self.tx.connection())
        .await?;
        let holder = |id, order_id, tenant: String| Holder {
            tenant: TenantId::new(tenant),
            order_id: OrderId::from_uuid(order_id),
            check_id: CheckId::from_uuid(id),
        };
        Ok(rows.into_iter().map(|row| holder(row.id, row.order_id, row.tenant)).collect())
    }

    /// Records an object that carries a reference of ours while another is bound. `false`: it was known already.
    pub async fn add_duplicate(
        &mut self,
        account: &AccountKey,
        vendor_order_id: &str,
        reference: Reference,
        case: CaseId,
        now: Timestamp,
    ) -> Result<bool> {
        let done = sqlx::query!(
            r#"INSERT INTO vendor_objects AS v (account, vendor_order_id, standing, check_id, attempt, case_id, seen_at)
               VALUES ($1, $2, 'duplicate', $3, $4, $5, $6)
               ON CONFLICT (account, vendor_order_id) DO UPDATE
               SET standing = 'duplicate', check_id = $3, attempt = $4, case_id = $5, seen_at = $6
               WHERE v.standing <> 'duplicate'"#,
            account.to_string(),
            vendor_order_id,
            reference.check.uuid(),
            i32::from(reference.attempt),
            case.uuid(),
            now.get()
        )
        .execute(self.tx.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }
}
