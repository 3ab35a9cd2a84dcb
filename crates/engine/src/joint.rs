//! Checks of one order that share an object of the vendor's, each as a part of it.
//!
//! They go out in one call, and the object is theirs together: it is canceled only when none of them needs it any more, and
//! what is known of one says something of the others. Which part is whose only its reference tells.

use domain::{Case, Check, CheckId, Order, Reason, ScanReport, Stage, SubmissionId, VendorRef};
use provider::{CallContext, CallError, Fetched, Part};
use store::{Claim, Scope, StoreError};

use crate::{Account, Engine};

/// Whether the caller asked that the check share its object with its siblings.
pub(crate) fn joins(account: &Account, check: &Check) -> bool {
    check.account == account.key
        && account.provider.joining().is_some_and(|joining| joining.joins(check.input.expose()))
}

/// The order's checks that were never sent, wait for this account, and may go in one call with a claimed one, besides it.
pub(crate) fn companions(account: &Account, order: &Order, claim: &Claim) -> Vec<Claim> {
    let waits = |check: &&Check| {
        check.id != claim.check_id
            && matches!(check.state.stage, Stage::Queued { .. })
            && check.state.sends == 0
            && joins(account, check)
    };
    let companion = |check: &Check| Claim { check_id: check.id, ..claim.clone() };
    order.checks.iter().filter(waits).map(companion).collect()
}

/// The other checks that went out in this call as parts of the same object, as far as they are still about it.
pub(crate) fn siblings<'a>(
    account: &'a Account,
    order: &'a Order,
    check_id: CheckId,
    submission: SubmissionId,
) -> impl Iterator<Item = &'a Check> {
    let is_joint = order.check(check_id).is_some_and(|check| joins(account, check));
    order.checks.iter().filter(move |check| {
        is_joint && check.id != check_id && check.state.submission() == Some(submission) && joins(account, check)
    })
}

/// Why a check that the scans did not see is not absent all the same: a sibling's object is known to exist and was not
/// seen either, and this one's part may be in it.
pub(crate) fn may_be_unseen(
    account: &Account,
    case: &Case,
    order: &Order,
    check_id: CheckId,
    proven: &[CheckId],
    scans: &[ScanReport],
) -> Option<Reason> {
    // What is not sent again anyway need not wait for that.
    if order.check(check_id).is_none_or(|check| check.state.cancel.is_some()) {
        return None;
    }
    let last = scans.iter().rev().find(|scan| scan.seen.complete);
    let was_listed = |id: &str| last.is_some_and(|scan| scan.seen.listed.iter().any(|row| row.id == id));
    let is_unseen = |sibling: &Check| match sibling.state.binding() {
        Some(binding) => !was_listed(&binding.vendor.order_id),
        None => proven.contains(&sibling.id),
    };
    siblings(account, order, check_id, case.submission).any(is_unseen).then(|| {
        Reason::new(
            "sibling_not_found",
            "Another check of the same call is at the vendor, and its order was not found in the vendor's list; this one may \
             be a part of it. Find the order in the vendor's dashboard, then bind, resend or fail.",
        )
    })
}

impl Engine {
    /// How what the vendor has of a check stands: its own part of the object, where it may share one.
    pub(crate) async fn fetch_for(
        &self,
        account: &Account,
        ctx: &CallContext,
        check: &Check,
        vendor: &VendorRef,
    ) -> Result<Sight, CallError> {
        match account.provider.joining().filter(|_| joins(account, check)) {
            None => Ok(Sight::Whole(account.provider.fetch(ctx, vendor).await?)),
            Some(joining) => Ok(match joining.fetch_part(ctx, vendor, check.reference()).await? {
                Part::Found(snapshot) => Sight::Whole(Fetched::Found(snapshot)),
                Part::Missing => Sight::Whole(Fetched::Missing),
                Part::NotShown(snapshot) => Sight::WithoutPart(snapshot),
            }),
        }
    }

    /// Whether another check needs the vendor's object of this one, so that it must not be canceled: one that is bound to
    /// it, or whose part of the same call is still looked for, and which is neither final nor to be canceled itself.
    pub(crate) async fn is_needed(
        &self,
        account: &Account,
        order: &Order,
        check_id: CheckId,
        vendor: &VendorRef,
    ) -> Result<bool, StoreError> {
        let submission = order.check(check_id).and_then(|check| check.state.submission());
        let is_open = |check: &Check| {
            check.state.cancel.is_none()
                && matches!(
                    check.state.stage,
                    Stage::Submitting { .. } | Stage::Unconfirmed { .. } | Stage::NeedsReview { .. }
                )
        };
        if submission.is_some_and(|submission| siblings(account, order, check_id, submission).any(is_open)) {
            return Ok(true);
        }
        let mut tx = self.store().begin().await?;
        let mut holders = tx.vendor_objects().holders(&account.key, &vendor.order_id).await?;
        holders.retain(|holder| holder.check_id != check_id);
        if holders.is_empty() {
            return Ok(false);
        }
        let ids: Vec<_> = holders.iter().map(|holder| holder.order_id).collect();
        let orders = tx.orders().get_many(&Scope::All, &ids).await?;
        let wants = |check: &Check| !check.status().is_final() && check.state.cancel.is_none();
        // Of one that cannot be read nobody knows that it does not.
        Ok(holders.iter().any(|holder| {
            let order = orders.iter().find(|order| order.id == holder.order_id);
            order.and_then(|order| order.check(holder.check_id)).is_none_or(wants)
        }))
    }
}

/// What a look at a check's object came to.
pub(crate) enum Sight {
    Whole(Fetched),
    /// The object is there, and shows no part with the check's reference (yet).
    WithoutPart(Box<provider::Snapshot>),
}
