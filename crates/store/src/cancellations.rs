//! Duplicates that the vendor is to be asked to cancel, until it has answered.

use domain::{AccountKey, CaseId, Timestamp};

use crate::error::{Result, StoreError};
use crate::orphans::ObjectCancel;
use crate::tx::Store;
use crate::vendor_objects::VendorObjects;

/// A duplicate to be canceled, taken by a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancellation {
    pub vendor_order_id: String,
    /// The case that it was found in; `None`: by a sweep.
    pub case: Option<CaseId>,
    /// Who wants it: a token's subject, or `vetgate`.
    pub actor: String,
}

/// Who wants what nobody was asked about.
pub(crate) const ITSELF: &str = "vetgate";

impl VendorObjects<'_> {
    /// An operator wants these duplicates canceled. Others, and those that are canceled or about to be, stay as they
    /// are; one that was refused is tried again. Gives how many are wanted by this.
    pub async fn want_canceled(
        &mut self,
        account: &AccountKey,
        vendor_order_ids: &[String],
        actor: &str,
    ) -> Result<u64> {
        // Due since it was seen: at once.
        let done = sqlx::query!(
            r#"UPDATE vendor_objects
               SET cancel = 'wanted', cancel_actor = $3, cancel_tries = 0, cancel_due_at = seen_at, cancel_told_at = NULL
               WHERE account = $1 AND vendor_order_id = ANY($2) AND standing = 'duplicate'
                 AND (cancel IS NULL OR cancel = 'refused')"#,
            account.to_string(),
            vendor_order_ids,
            actor
        )
        .execute(self.tx.connection())
        .await?;
        Ok(done.rows_affected())
    }

    /// The vendor answered.
    pub async fn cancel_answered(
        &mut self,
        account: &AccountKey,
        vendor_order_id: &str,
        answer: ObjectCancel,
        now: Timestamp,
    ) -> Result<()> {
        let done = sqlx::query!(
            r#"UPDATE vendor_objects SET cancel = $3, cancel_told_at = $4
               WHERE account = $1 AND vendor_order_id = $2 AND cancel = 'wanted'"#,
            account.to_string(),
            vendor_order_id,
            answer.as_str(),
            now.get()
        )
        .execute(self.tx.connection())
        .await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Conflict("no cancel of the object is wanted")) }
    }
}

impl Store {
    /// Takes duplicates of the account that are to be canceled now, the longest due first. Until `lease_until` nobody
    /// else gets them. One that is not answered comes due again: a minute after that, and twice as late each time, up to
    /// six hours.
    ///
    /// Never an object that a check is bound to, nor one whose check is still in doubt: that one may be it.
    pub async fn claim_cancellations(
        &self,
        account: &AccountKey,
        limit: i64,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<Cancellation>> {
        let rows = sqlx::query!(
            r#"WITH due AS (
                   SELECT v.vendor_order_id, v.cancel_due_at FROM vendor_objects v JOIN checks c ON c.id = v.check_id
                   WHERE v.cancel = 'wanted' AND v.account = $1 AND v.cancel_due_at <= $2
                     AND (c.status IN ('completed', 'canceled', 'failed')
                          OR (c.vendor_order_id IS NOT NULL AND NOT c.provisional))
                     AND NOT EXISTS (SELECT FROM checks b
                                     WHERE b.vendor_order_id IS NOT NULL AND b.account = v.account
                                       AND b.vendor_order_id = v.vendor_order_id)
                   ORDER BY v.cancel_due_at LIMIT $3
                   FOR UPDATE OF v SKIP LOCKED
               ), taken AS (
                   UPDATE vendor_objects v
                   SET cancel_tries = cancel_tries + 1,
                       cancel_due_at = $4::timestamptz + least(interval '1 min' * 2 ^ least(cancel_tries, 20), interval '6 h')
                   FROM due WHERE v.account = $1 AND v.vendor_order_id = due.vendor_order_id
                   RETURNING v.vendor_order_id, v.case_id, v.cancel_actor, due.cancel_due_at AS was_due_at
               )
               SELECT vendor_order_id, case_id, cancel_actor AS "actor!"
               FROM taken ORDER BY was_due_at, vendor_order_id"#,
            account.to_string(),
            now.get(),
            limit,
            lease_until.get()
        )
        .fetch_all(&self.pool)
        .await?;
        let cancellation = |vendor_order_id, case: Option<_>, actor| Cancellation {
            vendor_order_id,
            case: case.map(CaseId::from_uuid),
            actor,
        };
        Ok(rows.into_iter().map(|row| cancellation(row.vendor_order_id, row.case_id, row.actor)).collect())
    }
}
