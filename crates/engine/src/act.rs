//! Answering what a vendor waits for: a caller asks, the adapter answers, and what comes of it is news like any other.
//!
//! A link that still works is handed out again. A new one is made only where there is none, after the adapter has looked
//! whether the applicant has begun. Callers that ask at the same time may each have one made; one of them is kept, and
//! the others are shown to nobody, so that no two links of a check are ever in use.

use std::sync::Arc;

use domain::{ActionAnswer, Check, CheckId, Order, Reason};
use provider::{Acted, CallError, Share, SubmissionItem};
use store::{Scope, StoreError};

use crate::Engine;
use crate::follow::{Look, Seen};
use crate::gate::Passage;

/// Why an answer was not given.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// The check, or its vendor, does not take such an answer now. In a sentence for the caller.
    #[error("{}", .0.message)]
    Refused(Reason),
    #[error("the vendor could not be asked: {0}")]
    Vendor(CallError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ActError {
    fn refused(code: &str, message: &str) -> Self {
        Self::Refused(Reason::new(code, message))
    }
}

impl Engine {
    /// Answers an action of a check. `None`: the caller has no such check.
    pub async fn act(
        &self,
        scope: &Scope,
        check_id: CheckId,
        answer: &ActionAnswer,
    ) -> Result<Option<Order>, ActError> {
        let Some(order) = self.store().begin().await?.orders().of_check(scope, check_id).await? else {
            return Ok(None);
        };
        let Some(check) = order.check(check_id) else { return Ok(None) };
        if self.is_given_already(check, answer) {
            return Ok(Some(order));
        }
        let Some(binding) = check.state.binding().filter(|binding| binding.ending.is_none()) else {
            return Err(ActError::refused("no_action", "The check waits for nobody at the vendor."));
        };
        if check.state.cancel.is_some() {
            return Err(ActError::refused("canceled", "The check is to be canceled; order it anew instead."));
        }
        let account = self.account(&check.account);
        let actions = account.and_then(|account| account.provider.actions());
        let actions = actions.filter(|actions| actions.takes(check.input.expose(), answer));
        let (Some(account), Some(actions)) = (account, actions) else {
            let message = format!("{} takes no {} for this check.", check.account.provider, answer.as_str());
            return Err(ActError::Refused(Reason::new("not_offered", message)));
        };
        match self.passage(&account.key).await? {
            Passage::Open | Passage::Probe => {}
            Passage::Paused => {
                return Err(ActError::refused("paused", "Sending to the vendor is paused; ask again when it goes on."));
            }
            Passage::Resting(_) => {
                return Err(ActError::refused("resting", "The vendor is given a rest; ask again in a few minutes."));
            }
        }
        let item = SubmissionItem {
            reference: check.reference(),
            order: Arc::new(order.input.expose().clone()),
            check: Arc::new(check.input.expose().clone()),
            force_new: false,
        };
        let (vendor, order_id, started_at) = (binding.vendor.clone(), order.id, self.now());
        let ctx = self.call_context(account, Share::Create);
        let snapshot = match actions.act(&ctx, &item, &vendor, answer).await {
            Ok(Acted::Seen(snapshot)) => snapshot,
            Ok(Acted::Refused(why)) => return Err(ActError::Refused(why)),
            Err(error) => {
                self.call_failed(&account.key, &error).await;
                return Err(ActError::Vendor(error));
            }
        };
        self.call_went_well(&account.key).await;

        let mut tx = self.store().begin().await?;
        let Some(mut order) = tx.orders().lock(order_id).await? else { return Ok(None) };
        // Another caller was quicker: what it was given is the check's, and what was made just now is forgotten.
        let is_late = order.check(check_id).is_some_and(|check| self.is_given_already(check, answer));
        if !is_late {
            let look = Look { vendor: &vendor, snapshot: &snapshot, at: started_at, echoes: false };
            let seen: Seen = self.observe(&mut tx, account, &mut order, check_id, look).await?;
            let plan = self.plan_after(account, &order, check_id, None);
            self.save_seen(&mut tx, account, &mut order, seen, plan).await?;
        }
        tx.save().await?;
        self.wake();
        Ok(Some(order))
    }

    /// Whether what is asked for is there.
    fn is_given_already(&self, check: &Check, answer: &ActionAnswer) -> bool {
        match answer {
            ActionAnswer::ResendLink {} => check.state.action().is_some_and(|action| action.is_live_link(self.now())),
        }
    }
}
