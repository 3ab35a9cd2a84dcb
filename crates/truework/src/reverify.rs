//! Reverification: asking again whether what a report said still holds, at a lower price.
//!
//! The vendor takes the report's id and nothing else. So nothing of ours travels along, and a lost call is found again by
//! the order it came from: only in version 2023-10-30, and only if one reverification of an order is open at a time.

use std::time::{Duration, Instant};

use domain::case::Sightings;
use domain::{AfterAbsence, Reason, Reference, Timestamp, VendorRef};
use provider::{
    Accepted, CallContext, CallError, Carries, Evidence, ItemOutcome, SubmitReport, SweepQuery, VendorAnswer, vendor_id,
};

use crate::submit::{self, Account};
use crate::wire::CreateReverification;
use crate::{Truework, locate, mapping};

/// How long after its completion a report can be verified again.
pub const WINDOW: Duration = Duration::from_hours(24 * 90);

/// What is to be verified again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reverification {
    /// The vendor's order that the report belongs to.
    pub parent: VendorRef,
    pub report_id: String,
}

/// Whether the vendor will take a reverification of what was completed then. Past the window a new order is due.
pub fn check_window(completed_at: Timestamp, now: Timestamp) -> Result<(), Reason> {
    if now <= completed_at + WINDOW {
        return Ok(());
    }
    Err(Reason::new(
        "reverification_too_late",
        "Truework verifies a report again within 90 days of its completion only; make a new order.",
    ))
}

impl Truework {
    /// Asks for it, exactly once, and says what the answer proves.
    pub async fn reverify(&self, ctx: &CallContext, asked: &Reverification) -> SubmitReport {
        let body = CreateReverification { report_id: &asked.report_id };
        let Ok(body) = serde_json::to_vec(&body) else {
            let why = Reason::new("input_unusable", "The report's id cannot be written as JSON.");
            return SubmitReport { items: vec![ItemOutcome::Rejected(why)], evidence: Evidence::default() };
        };
        let started = Instant::now();
        let (outcome, evidence) = match self.client.reverify(ctx, &asked.parent.order_id, body).await {
            Ok(answer) => (classify(&answer, self.account(), &asked.parent), Evidence::of(&answer)),
            Err(error) => (of_error(&error), Evidence { took: started.elapsed(), ..Evidence::default() }),
        };
        SubmitReport { items: vec![outcome], evidence }
    }

    /// The reverifications that this order has had in a stretch of time, each under the reference that is asked with.
    /// Incomplete in older versions: their lists do not show what a verification comes from.
    pub async fn locate_reverifications(
        &self,
        ctx: &CallContext,
        parent: &VendorRef,
        reference: Reference,
        query: &SweepQuery,
    ) -> Sightings {
        locate::children(self.shelf(), ctx, &parent.order_id, reference, query).await
    }
}

/// As the answer to any create, but that 404 is documented, for a report that is not there, and that the parent takes the
/// place of the reference.
fn classify(answer: &VendorAnswer, account: Account, parent: &VendorRef) -> ItemOutcome {
    if answer.status.as_u16() == 404 {
        let reason = Reason::new("report_not_found", "Truework does not know the report that is to be verified again.");
        return ItemOutcome::Unknown { why: reason.clone(), then: AfterAbsence::Fail { reason } };
    }
    submit::classify_by(answer, account, || {
        let head = mapping::head(account.version, answer).map_err(|_| "answer_unreadable")?;
        let echo = head.parent().map(|echo| echo == parent.order_id);
        let id = head.id.as_deref().and_then(vendor_id).ok_or("answer_without_id")?;
        if echo == Some(false) || id == parent.order_id {
            return Err("answer_of_another_order");
        }
        let snapshot = mapping::read(&answer.body).map(|order| mapping::snapshot(order, None, answer.body.clone()));
        let part = snapshot.as_ref().and_then(|snapshot| snapshot.part_id.clone());
        Ok(ItemOutcome::Accepted(Box::new(Accepted {
            vendor: VendorRef { order_id: id, check_id: part },
            provisional: echo.is_none(),
            reused: false,
            carries: snapshot.as_ref().map_or(Carries::Nothing, |snapshot| snapshot.carries),
            snapshot,
        })))
    })
}

fn of_error(error: &CallError) -> ItemOutcome {
    match error {
        CallError::NotSent { why, retry_after } => {
            ItemOutcome::NotSent { why: Reason::new(why.code(), error.to_string()), retry_after: *retry_after }
        }
        CallError::Lost { why } => {
            ItemOutcome::Unknown { why: Reason::new(why.code(), error.to_string()), then: AfterAbsence::Resend }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_ninety_days() {
        let completed = Timestamp::EPOCH;
        let day = Duration::from_hours(24);
        assert_eq!(check_window(completed, completed + day * 90), Ok(()));
        let late = check_window(completed, completed + day * 90 + Duration::from_secs(1));
        assert_eq!(late.map_err(|reason| reason.code), Err("reverification_too_late".to_owned()));
    }
}
