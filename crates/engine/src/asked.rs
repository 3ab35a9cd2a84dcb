//! Calls that somebody waits for: documents, findings, and a vendor's own calls.
//!
//! They go through the same gate and budget as the engine's own, from the share for looking up. What comes of them does
//! not move the circuit: a file that the vendor cannot give must not stop everybody's orders.

use std::time::Duration;

use domain::{AccountKey, Check, CheckId, CheckStatus, Order, Timestamp, VendorRef};
use provider::{CallContext, CallError, Language, LostReason, Share};
use store::StoreError;
use tokio::time::Instant;

use crate::gate::Passage;
use crate::{Account, Engine};

/// How long each part of an answer may take that is put together from many.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long all of them may take together.
const PATIENCE_IN_ALL: Duration = Duration::from_secs(40);

/// So many vendor calls of one request are under way at once.
pub(crate) const AT_ONCE: usize = 4;

/// Why the vendor was not asked, or gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error("the vendor account {0} is not set up here")]
    NoAccount(AccountKey),
    /// Its circuit is open, or it asked for a rest.
    #[error("the vendor is not called before {0}")]
    Resting(Timestamp),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a check has nothing to show yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotFinished {
    #[error("the check is {0} and has no result yet")]
    Open(CheckStatus),
    #[error("the check ended as {0}, without a result")]
    WithoutResult(CheckStatus),
}

/// The time that the parts of one answer share.
#[derive(Clone, Copy)]
pub(crate) struct Patience(Instant);

impl Patience {
    pub(crate) fn begin() -> Self {
        Self(Instant::now() + PATIENCE_IN_ALL)
    }

    /// What comes of a part, if it comes in time.
    pub(crate) async fn with<T, E: From<AskError>>(self, part: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let until = self.0.min(Instant::now() + PATIENCE);
        let timed_out = || AskError::Call(CallError::Lost { why: LostReason::TimedOut });
        tokio::time::timeout_at(until, part).await.unwrap_or_else(|_| Err(timed_out().into()))
    }
}

impl Engine {
    /// The account and the context for a call of this kind, if the vendor may be called now.
    pub(crate) async fn asking(
        &self,
        key: &AccountKey,
        language: Option<Language>,
    ) -> Result<(&Account, CallContext), AskError> {
        let account = self.account(key).ok_or_else(|| AskError::NoAccount(key.clone()))?;
        if let Passage::Resting(until) = self.passage(key).await? {
            return Err(AskError::Resting(until));
        }
        Ok((account, self.call_context(account, Share::LookUp).with_language(language)))
    }
}

impl AskError {
    /// A stable word for it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoAccount(_) => "no_account",
            Self::Resting(_) => "resting",
            Self::Call(CallError::NotSent { why, .. }) => why.code(),
            Self::Call(CallError::Lost { why }) => why.code(),
            Self::Store(_) => "internal",
        }
    }
}

/// The vendor's object of a check that is completed.
pub(crate) fn finished(check: &Check) -> Result<&VendorRef, NotFinished> {
    match (check.status(), check.state.binding()) {
        (CheckStatus::Completed, Some(binding)) => Ok(&binding.vendor),
        (status, _) if status.is_final() => Err(NotFinished::WithoutResult(status)),
        (status, _) => Err(NotFinished::Open(status)),
    }
}

/// The completed checks of an order, each with its vendor's object.
pub(crate) fn all_finished(order: &Order) -> impl Iterator<Item = (CheckId, &Check, &VendorRef)> {
    order.checks.iter().filter_map(|check| finished(check).ok().map(|vendor| (check.id, check, vendor)))
}
