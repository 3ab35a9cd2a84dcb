//! Reconciliation: looking for what a lost answer was about.
//!
//! A case opens with a create call whose outcome is unknown ([`open`]). Scans of the vendor's account look for the
//! references of all open cases at once ([`scan`]). After each scan every item is judged by the rule of
//! [`domain::settle`] and the verdict is carried out ([`decide`]): bind, send again, fail, or ask a person.

mod decide;
mod open;
mod scan;

use std::time::Duration;

use domain::{AccountKey, Case, CaseId, CaseState, Timestamp};
use store::{Scope, StoreError};

use crate::gate::Passage;
use crate::{Account, Engine};

pub(crate) use self::decide::decision;
pub(crate) use self::open::Doubt;

/// The shortest and the longest lease of a scan. It is as long as the settle window in between: a process that dies in a
/// scan holds its account up no longer than doubt takes anyway. Two scans at once cost calls, not correctness.
const SCAN_LEASE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_mins(5));

/// How often a case that waits for a person is still looked at by itself.
const REVIEW_SCANS: Duration = Duration::from_mins(10);

#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// Another process is scanning the account just now.
    #[error("the account is being scanned")]
    Busy,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Scans every account that has a case due, and decides what can be decided. Gives how many accounts were scanned.
    pub async fn reconcile(&self) -> Result<usize, StoreError> {
        let mut scanned = 0;
        for key in self.store().due_scans(self.now()).await? {
            let Some(account) = self.account(&key) else {
                tracing::warn!(account = %key, "open cases of an account that the settings do not know");
                continue;
            };
            match self.passage(&key).await? {
                Passage::Resting(_) => continue,
                Passage::Probe if !self.probe(account).await => continue,
                Passage::Probe | Passage::Open | Passage::Paused => {}
            }
            match self.scan_account(account).await {
                Ok(()) => scanned += 1,
                Err(ScanError::Busy) => {}
                Err(ScanError::Store(error)) if error.is_transient() => return Err(error),
                // One account's trouble is not the others'.
                Err(ScanError::Store(error)) => tracing::error!(%error, account = %key, "could not scan an account"),
            }
        }
        Ok(scanned)
    }

    /// Scans the account of one case now, whatever its schedule. `None`: the caller has no such case.
    pub async fn scan_now(&self, scope: &Scope, id: CaseId) -> Result<Option<Case>, ScanError> {
        let Some(case) = self.store().begin().await?.cases().get(scope, id).await? else { return Ok(None) };
        if case.state != CaseState::Resolved
            && let Some(account) = self.account(&case.account)
        {
            self.scan_account(account).await?;
        }
        Ok(self.store().begin().await?.cases().get(scope, id).await?)
    }

    async fn scan_account(&self, account: &Account) -> Result<(), ScanError> {
        let now = self.now();
        let lease = account.settle.unwrap_or(account.timing.settle).clamp(SCAN_LEASE.0, SCAN_LEASE.1);
        if !self.store().lease_scan(&account.key, now, now + lease).await? {
            return Err(ScanError::Busy);
        }
        let done = self.scan_and_decide(account).await;
        self.store().end_scan_lease(&account.key).await?;
        Ok(done?)
    }

    async fn scan_and_decide(&self, account: &Account) -> Result<(), StoreError> {
        let cases = self.store().begin().await?.cases().open_of(&account.key).await?;
        if cases.is_empty() {
            return Ok(());
        }
        let inbox_was_clear = self.store().inbox_is_clear(&account.key).await?;
        self.scan(account, &cases).await?;
        let since = cases.iter().map(|case| case.opened_at).min().unwrap_or_else(|| self.now());
        let scans = self.store().begin().await?.scans().since(&account.key, since).await?;
        let echoes = self.echoes(&account.key).await?;
        for case in &cases {
            match self.decide(account, case.id, &scans, echoes, inbox_was_clear).await {
                Err(error) if error.is_transient() => return Err(error),
                // One case's trouble is not the others'.
                Err(error) => tracing::error!(%error, case = %case.id, "could not decide a case"),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    async fn echoes(&self, key: &AccountKey) -> Result<bool, StoreError> {
        Ok(self.store().accounts().await?.iter().any(|status| status.key == *key && status.echoes))
    }
}

/// When a case is to be looked at next: soon at first, then ever more rarely until its settle window ends, then quickly
/// again for the two scans that can show absence.
fn next_scan(case: &Case, now: Timestamp) -> Option<Timestamp> {
    let window = case.window_ends_at.since(case.sent_at);
    let step = (window / 50).clamp(Duration::from_millis(250), Duration::from_secs(30));
    let late = case.items.iter().filter(|item| !item.is_settled()).filter_map(|item| item.resent_at);
    let late = late.map(|resent| resent + window).filter(|at| *at > now).min();
    match case.state {
        CaseState::Resolved => None,
        CaseState::NeedsReview => Some(now + REVIEW_SCANS),
        CaseState::Open if now < case.window_ends_at => {
            let elapsed = now.since(case.opened_at);
            Some((now + elapsed.clamp(step, window / 4)).min(case.window_ends_at))
        }
        // Only late scans are left: wait for the time of the first one.
        CaseState::Open => Some(late.unwrap_or(now + step)),
    }
}
