//! Cancelling a vendor's order that a check has one too many of.
//!
//! That it is to be canceled is recorded with what made it so: a decision of reconciliation, or an operator's. The call
//! is made here, from that record alone: a process that dies between the two, or before the answer is kept, leaves the
//! wish behind, and it is asked again. Vendors take that well.

use domain::{Reason, VendorRef};
use provider::{CancelAnswer, Share};
use store::{Cancellation, ObjectCancel, StoreError};

use crate::reconcile::decision;
use crate::{Account, Engine};

/// So many are claimed at once, and asked for one after the other.
const AT_ONCE: u32 = 8;

impl Engine {
    /// Asks the vendor to cancel what is wanted to be, and notes its answers. Gives how many were claimed.
    pub async fn cancellations(&self, account: &Account) -> Result<usize, StoreError> {
        let now = self.now();
        let lease = account.timing.timeout * AT_ONCE + self.settings.lease_margin;
        let claimed = self.store().claim_cancellations(&account.key, AT_ONCE.into(), now, now + lease).await?;
        for cancellation in &claimed {
            if let Err(error) = self.cancel_duplicate(account, cancellation).await {
                // It comes due again.
                tracing::warn!(%error, account = %account.key, vendor_order = cancellation.vendor_order_id, "could not note what came of a cancellation");
            }
        }
        Ok(claimed.len())
    }

    async fn cancel_duplicate(&self, account: &Account, wanted: &Cancellation) -> Result<(), StoreError> {
        let id = &wanted.vendor_order_id;
        let ctx = self.call_context(account, Share::Create);
        let reason = Reason::new("duplicate", "The same check is under way as another order.");
        let (answer, what) = match account.provider.cancel(&ctx, &VendorRef::order(id), &reason).await {
            Ok(CancelAnswer::Agreed | CancelAnswer::AlreadyEnded) => (ObjectCancel::Canceled, "duplicate_canceled"),
            Ok(CancelAnswer::Refused(_)) => (ObjectCancel::Refused, "duplicate_cancel_refused"),
            Err(error) => {
                tracing::info!(account = %account.key, vendor_order = id, %error, "could not ask the vendor to cancel a duplicate");
                self.call_failed(&account.key, &error).await;
                return Ok(());
            }
        };
        let mut tx = self.store().begin().await?;
        tx.vendor_objects().cancel_answered(&account.key, id, answer, self.now()).await?;
        if let Some(case) = wanted.case {
            let mut entry = decision(self.now(), &wanted.actor, what, None);
            entry.data = serde_json::json!({ "vendor_order_id": id });
            tx.cases().log(case, &entry).await?;
        }
        tx.save().await
    }
}
