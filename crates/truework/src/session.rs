//! Truework Direct in versions before 2023-10-30: a *session*, in which the applicant signs in through the vendor's widget.
//! What comes of it are verification requests like any others.
//!
//! **What is bound.** A session cannot be looked at again, and nobody knows beforehand under which ids its verifications
//! will be made. So the check is bound to its own reference, which the session takes along as metadata and its verifications
//! show: looks find them by it, in the list, back to when the check was made.
//!
//! **What a lost answer means.** Nobody has the token, so nobody can sign in, and another session does no harm. It is
//! `Unknown`, then sent again, all the same: that nobody else was told is the vendor's word, and a look costs one call.

use bytes::Bytes;
use domain::settle::SKEW;
use domain::{Action, ActionKind, Reason, Reference, Sensitive, Standing, Timestamp, VendorRef};
use provider::{
    Accepted, CallContext, CallError, CancelAnswer, Carries, Fetched, ItemOutcome, LostReason, Snapshot, VendorAnswer,
};

use crate::client::unexpected;
use crate::submit::{self, Account};
use crate::{Truework, locate, mapping, nothing_to_stop, wire};

/// The check whose session this object is, if it is one.
pub fn of(vendor: &VendorRef) -> Option<Reference> {
    vendor.order_id.parse().ok()
}

/// The object that a check is bound to, with the verification that a hook names.
pub fn object(reference: Reference, part: Option<String>) -> VendorRef {
    VendorRef { order_id: reference.to_string(), check_id: part }
}

/// What the answer to the call proves. It shows no reference: whoever has the token has the session.
pub fn classify(answer: &VendorAnswer, account: Account, reference: Reference) -> ItemOutcome {
    submit::classify_by(answer, account, || {
        let session: wire::older::Session = answer.json().map_err(|_| "answer_unreadable")?;
        let token = session.token.filter(|token| !token.is_empty()).ok_or("answer_without_token")?;
        Ok(ItemOutcome::Accepted(Box::new(Accepted {
            vendor: object(reference, None),
            provisional: false,
            reused: false,
            carries: Carries::Nothing,
            snapshot: Some(waiting(token, answer.body.clone())),
        })))
    })
}

/// Nobody has signed in yet.
fn waiting(token: String, payload: Bytes) -> Snapshot {
    let message = "The applicant must sign in through Truework's widget, opened with the token.";
    let action = Action { token: Some(token), ..Action::of(ActionKind::ApplicantLink, message) };
    Snapshot {
        part_id: None,
        carries: Carries::Nothing,
        vendor_time: None,
        native_status: "none".to_owned(),
        standing: Standing::Waiting { action },
        documents: Vec::new(),
        payload: Sensitive::new(payload),
    }
}

impl Truework {
    /// How everything stands that has come of the session.
    pub(crate) async fn look_at_session(&self, ctx: &CallContext, reference: Reference) -> Result<Fetched, CallError> {
        let made = self.made_of_session(ctx, reference).await?;
        let mut bodies = Vec::new();
        for id in &made {
            let answer = self.client.order(ctx, id).await?;
            match answer.status.as_u16() {
                200 => bodies.push(answer.body),
                451 => return Ok(Fetched::Found(Box::new(mapping::frozen(answer.body)))),
                _ => return Err(unexpected(&answer)),
            }
        }
        if bodies.is_empty() {
            return Ok(Fetched::NotBegun);
        }
        let payload = mapping::together(&bodies);
        let order = mapping::read(&payload).ok_or(CallError::Lost { why: LostReason::Unreadable })?;
        Ok(Fetched::Found(Box::new(mapping::snapshot(order, None, payload))))
    }

    /// Stops everything that has come of the session and has not ended.
    pub(crate) async fn stop_session(
        &self,
        ctx: &CallContext,
        reference: Reference,
        reason: &Reason,
    ) -> Result<CancelAnswer, CallError> {
        let made = self.made_of_session(ctx, reference).await?;
        let mut said = CancelAnswer::Refused(nothing_to_stop());
        for id in made {
            match self.stop(ctx, &VendorRef::order(id), reason).await? {
                CancelAnswer::Agreed => said = CancelAnswer::Agreed,
                // Whatever else there is to say, one that stops is waited for.
                other if said != CancelAnswer::Agreed => said = other,
                _ => {}
            }
        }
        Ok(said)
    }

    /// The ids of what has come of the session.
    async fn made_of_session(&self, ctx: &CallContext, reference: Reference) -> Result<Vec<String>, CallError> {
        let since = reference.check.made_at().map_or(Timestamp::EPOCH, |made_at| made_at - SKEW);
        // What failed of the reading is logged by the call; all that counts here is that there may be more.
        let unread = |_| CallError::Lost { why: LostReason::Unreadable };
        locate::of_reference(self.shelf(), ctx, reference, since).await.map_err(unread)
    }
}
