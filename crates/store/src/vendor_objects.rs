//! Objects of vendors: which are ours, which are not, and which are one too many.

use std::collections::{BTreeMap, BTreeSet};

use domain::{AccountKey, CaseId, CheckId, OrderId, Reference, TenantId, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::cancellations::ITSELF;
use crate::error::Result;
use crate::orphans::{ObjectCancel, new_id};
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
    /// duplicates or orphans since then.
    ///
    /// Not settled is what may turn out to be another check's: an object that a check is bound to by position alone, and
    /// one that carries the reference of a check which is not bound for certain (its doubt may be that very object). In an
    /// account that was never seen to give references back, a stranger may be a look-alike of any check in doubt. Nor is an
    /// object settled that a check is bound to, as long as another check of the same order that went out in the same call
    /// is in an open case: its part may come to light in it.
    pub async fn settled(&mut self, account: &AccountKey, since: Timestamp) -> Result<BTreeSet<String>> {
        let ids = sqlx::query_scalar!(
            r#"WITH open AS MATERIALIZED (
                   SELECT holder.vendor_order_id FROM cases c
                   JOIN case_items i ON i.case_id = c.id
                   JOIN submission_checks own ON own.check_id = i.check_id
                   JOIN submission_checks other ON other.submission_id = own.submission_id
                                                   AND other.order_id = own.order_id AND other.check_id <> own.check_id
                   JOIN checks holder ON holder.id = other.check_id AND holder.submission_id = other.submission_id
                                         AND holder.vendor_order_id IS NOT NULL
                   WHERE c.account = $1 AND c.state <> 'resolved'
               )
               SELECT id AS "id!" FROM (
               SELECT vendor_order_id AS id FROM checks
               WHERE account = $1 AND vendor_order_id IS NOT NULL AND NOT provisional AND submitted_at >= $2
               UNION ALL
               SELECT v.vendor_order_id FROM vendor_objects v
               WHERE v.account = $1 AND v.seen_at >= $2
                 AND (v.standing <> 'orphan' OR v.check_id IS NOT NULL
                      OR EXISTS (SELECT FROM vendor_accounts a WHERE a.key = $1 AND a.echoes))
                 AND (v.check_id IS NULL
                      OR NOT EXISTS (SELECT FROM checks c
                                     WHERE c.id = v.check_id AND (c.vendor_order_id IS NULL OR c.provisional)))
               ) AS known WHERE id NOT IN (SELECT vendor_order_id FROM open)"#,
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

    /// Those of the objects that a check is bound to, whichever tenant's.
    pub async fn held(
        &mut self,
        account: &AccountKey,
        vendor_order_ids: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>> {
        let ids: Vec<_> = vendor_order_ids.iter().cloned().collect();
        let held = sqlx::query_scalar!(
            r#"SELECT DISTINCT vendor_order_id AS "id!" FROM checks
               WHERE account = $1 AND vendor_order_id IS NOT NULL AND vendor_order_id = ANY($2)"#,
            account.to_string(),
            &ids
        )
        .fetch_all(self.tx.connection())
        .await?;
        Ok(held.into_iter().collect())
    }

    /// For each of these checks, the others of the same tenant that its vendor's object fulfils too: a vendor's own dedupe
    /// lets checks share one. Whether another tenant's does is told to nobody. So many at most are named in all.
    pub async fn sharers(&mut self, checks: &[CheckId]) -> Result<BTreeMap<CheckId, Vec<CheckId>>> {
        const MOST: i64 = 200;
        let ids: Vec<_> = checks.iter().map(|check| check.uuid()).collect();
        let rows = sqlx::query!(
            r#"SELECT c.id AS "check!", o.id AS "other!"
               FROM checks c
               JOIN checks o ON o.account = c.account AND o.vendor_order_id = c.vendor_order_id
                                AND o.vendor_order_id IS NOT NULL AND o.tenant = c.tenant AND o.id <> c.id
               WHERE c.id = ANY($1) ORDER BY c.id, o.id LIMIT $2"#,
            &ids,
            MOST
        )
        .fetch_all(self.tx.connection())
        .await?;
        let mut sharers: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for row in rows {
            sharers.entry(CheckId::from_uuid(row.check)).or_default().push(CheckId::from_uuid(row.other));
        }
        Ok(sharers)
    }

    /// Records an object that carries a reference of ours while another is bound. With `cancel` the vendor is to be asked
    /// at once to cancel it. `false`: it was known already in a case.
    pub async fn add_duplicate(
        &mut self,
        account: &AccountKey,
        vendor_order_id: &str,
        reference: Reference,
        case: CaseId,
        now: Timestamp,
        cancel: bool,
    ) -> Result<bool> {
        let done = sqlx::query!(
            r#"INSERT INTO vendor_objects AS v (account, vendor_order_id, id, standing, check_id, attempt, case_id,
                                                seen_at, cancel, cancel_actor, cancel_due_at)
               VALUES ($1, $2, $3, 'duplicate', $4, $5, $6, $7, $8, $9, $10)
               ON CONFLICT (account, vendor_order_id) DO UPDATE
               SET id = coalesce(v.id, excluded.id), standing = 'duplicate', check_id = excluded.check_id,
                   attempt = excluded.attempt, case_id = excluded.case_id, seen_at = excluded.seen_at,
                   cancel = coalesce(v.cancel, excluded.cancel),
                   cancel_actor = coalesce(v.cancel_actor, excluded.cancel_actor),
                   cancel_due_at = coalesce(v.cancel_due_at, excluded.cancel_due_at)
               WHERE v.standing <> 'duplicate' OR v.case_id IS NULL"#,
            account.to_string(),
            vendor_order_id,
            new_id(self.tx, now),
            reference.check.uuid(),
            i32::from(reference.attempt),
            case.uuid(),
            now.get(),
            cancel.then_some(ObjectCancel::Wanted.as_str()),
            cancel.then_some(ITSELF),
            cancel.then_some(now.get())
        )
        .execute(self.tx.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Waits until nobody else holds this object, and holds it until the transaction ends: whoever binds it by hand goes
    /// one at a time. Not a row's lock: the object need not be known.
    pub async fn lock_object(&mut self, account: &AccountKey, vendor_order_id: &str) -> Result<()> {
        let mut hash = Sha256::new();
        for part in ["vendor_object", &account.to_string(), vendor_order_id] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let hash = hash.finalize();
        let lock = i64::from_be_bytes(*hash.first_chunk().expect("8 of 32 bytes"));
        sqlx::query!("SELECT pg_advisory_xact_lock($1)", lock).execute(self.tx.connection()).await?;
        Ok(())
    }
}
