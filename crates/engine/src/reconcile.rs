//! Reconciliation: looking for what a lost answer was about.
//!
//! A case opens with a create call whose outcome is unknown ([`open`]). Scans of the vendor's account look for the
//! references of all open cases at once ([`scan`]). After each scan every item is judged by the rule of
//! [`domain::settle`] and the verdict is carried out ([`decide`]): bind, send again, fail, or ask a person.

mod decide;
mod open;
mod scan;

use std::time::Duration;

use domain::{AccountKey, Case, CaseId, CaseItem, CaseState, CheckId, ItemState, Order, Timestamp};
use store::{Scope, StoreError, Tx};

use crate::gate::Passage;
use crate::{Account, Engine, find};

pub(crate) use self::decide::decision;
pub(crate) use self::open::Doubt;
use self::scan::is_sought;

/// The shortest and the longest lease of a scan. It is as long as the settle window in between: a process that dies in a
/// scan holds its account up no longer than doubt takes anyway. Two scans at once cost calls, not correctness.
const SCAN_LEASE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_mins(5));

/// How often a case that waits for a person is still looked at by itself: often at first, then daily.
const REVIEW_SCANS: (Duration, Duration) = (Duration::from_mins(10), Duration::from_hours(24));

/// When a case, or an order of one, that could not be read or written is tried again.
const UNREADABLE_AGAIN: Duration = Duration::from_mins(1);

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
        let keys = self.providers().accounts().map(|account| account.key.clone()).collect::<Vec<_>>();
        let mut scanned = 0;
        for key in keys {
            scanned += usize::from(self.reconcile_account(&key).await?);
        }
        Ok(scanned)
    }

    /// Scans one account if a case of it is due and the vendor may be called. Gives whether it did.
    pub(crate) async fn reconcile_account(&self, key: &AccountKey) -> Result<bool, StoreError> {
        let Some(account) = self.account(key) else { return Ok(false) };
        if !self.store().due_scans(self.now()).await?.contains(key) {
            return Ok(false);
        }
        match self.passage(key).await? {
            Passage::Resting(_) => return Ok(false),
            Passage::Probe if !self.probe(account).await => return Ok(false),
            Passage::Probe | Passage::Open | Passage::Paused => {}
        }
        match self.scan_account(account).await {
            Ok(()) => Ok(true),
            Err(ScanError::Busy) => Ok(false),
            Err(ScanError::Store(error)) => Err(error),
        }
    }

    /// Scans the account of one case now, whatever its schedule. `None`: the caller has no such case.
    pub async fn scan_now(&self, scope: &Scope, id: CaseId) -> Result<Option<Case>, ScanError> {
        let Some(case) = self.store().begin().await?.cases().get(scope, id).await? else { return Ok(None) };
        if case.state != CaseState::Resolved
            && let Some(account) = self.account(&case.account)
        {
            self.make_due(id).await?;
            self.scan_account(account).await?;
        }
        Ok(self.store().begin().await?.cases().get(scope, id).await?)
    }

    async fn make_due(&self, id: CaseId) -> Result<(), StoreError> {
        let mut tx = self.store().begin().await?;
        if let Some(mut case) = tx.cases().lock(id).await? {
            case.next_scan_at = Some(self.now());
            tx.cases().save(&case).await?;
        }
        tx.save().await
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
        let cases = self.open_cases(account).await?;
        let now = self.now();
        let cases: Vec<_> = cases.into_iter().filter(|case| goes_along(case, now)).collect();
        let learns = |case: &&Case| case.items.iter().any(|item| is_sought(case, item, now));
        let scans = match cases.iter().filter(learns).map(|case| case.opened_at).min() {
            Some(since) => {
                self.scan(account, &cases, now).await?;
                self.store().begin().await?.scans().since(&account.key, since).await?
            }
            // What waits to be sent again may be canceled meanwhile, or answered after all.
            None => Vec::new(),
        };
        let echoes = self.echoes(&account.key).await?;
        for case in &cases {
            let of_case = scans.partition_point(|scan| scan.started_at < case.opened_at);
            match self.decide(account, case.id, &scans[of_case..], echoes).await {
                Err(error) if error.is_transient() => return Err(error),
                // One case's trouble is not the others'.
                Err(error) => {
                    tracing::error!(%error, case = %case.id, "could not decide a case");
                    self.put_case_off(case.id).await?;
                }
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// The account's open cases that can be read.
    async fn open_cases(&self, account: &Account) -> Result<Vec<Case>, StoreError> {
        let stored = self.store().begin().await?.cases().open_of(&account.key).await?;
        let mut cases = Vec::with_capacity(stored.len());
        for (id, case) in stored {
            match case {
                Ok(case) => cases.push(case),
                Err(error) => {
                    tracing::error!(%error, case = %id, "a stored case cannot be read: left out");
                    // Durable before the scan that goes without it.
                    self.put_case_off(id).await?;
                }
            }
        }
        Ok(cases)
    }

    /// A case that nothing can be done about now must not be due again at once.
    async fn put_case_off(&self, id: CaseId) -> Result<(), StoreError> {
        let mut tx = self.store().begin().await?;
        tx.cases().put_off(id, self.now() + UNREADABLE_AGAIN).await?;
        tx.save().await
    }

    /// Whether the account was ever seen to give a reference of ours back.
    pub(crate) async fn echoes(&self, key: &AccountKey) -> Result<bool, StoreError> {
        Ok(self.store().accounts().await?.iter().any(|status| status.key == *key && status.echoes))
    }
}

/// Whether a case is part of a scan of its account. While anything of it can settle by itself it is part of all of them,
/// due or not: a scan that went without it would count among those that show absence, and has not looked for it. What
/// waits for people alone is looked at ever more rarely, and widens no other's scan in between.
fn goes_along(case: &Case, now: Timestamp) -> bool {
    let settles_by_itself = |item: &CaseItem| !item.is_settled() && item.review.is_none();
    case.items.iter().any(settles_by_itself) || case.next_scan_at.is_none_or(|at| at <= now)
}

/// Whether a case will look once more for what else the vendor has of this check, since it was sent again.
pub(crate) async fn late_scan_is_due(tx: &mut Tx, check_id: CheckId) -> Result<bool, StoreError> {
    let case = tx.cases().of_check(check_id).await?;
    let item = case.iter().flat_map(|case| &case.items).find(|item| item.check_id == check_id);
    Ok(item.is_some_and(|item| item.resent_at.is_some() && !item.late_scanned))
}

/// When a case is to be looked at next: when the first of its items is.
fn next_scan(case: &Case, orders: &[Order], now: Timestamp) -> Option<Timestamp> {
    if case.state == CaseState::Resolved {
        return None;
    }
    let look = |item: &CaseItem| match find(orders, item.order_id) {
        _ if item.review.is_some() => now + (now.since(case.opened_at) / 4).clamp(REVIEW_SCANS.0, REVIEW_SCANS.1),
        Some(_) => next_look(case, item, now),
        None => now + UNREADABLE_AGAIN,
    };
    case.items.iter().filter(|item| !item.is_settled()).map(look).min()
}

/// Soon at first, then ever more rarely until the settle window ends, then quickly again for the two scans that can show
/// absence. What was sent again is looked for once more when the window of that call is over.
fn next_look(case: &Case, item: &CaseItem, now: Timestamp) -> Timestamp {
    let window = case.window();
    let step = (window / 50).clamp(Duration::from_millis(250), Duration::from_secs(30));
    match (item.state, item.late_scan_at) {
        (_, Some(late)) => late.max(now + step),
        // It waits to be sent again, and its case is told when it was.
        (ItemState::Absent, None) => now + REVIEW_SCANS.0,
        _ if now < case.window_ends_at => {
            let wait = now.since(case.opened_at).clamp(step, (window / 4).max(step));
            (now + wait).min(case.window_ends_at)
        }
        _ => now + step,
    }
}

#[cfg(test)]
mod tests {
    use domain::{AfterAbsence, OrderId, ProviderId, Reason, Reference, SubmissionId, TenantId};
    use uuid::Uuid;

    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::EPOCH + Duration::from_secs(10_000 + seconds)
    }

    fn item(number: u128, asked: bool) -> CaseItem {
        let check_id = CheckId::from_uuid(Uuid::from_u128(number));
        CaseItem {
            check_id,
            order_id: OrderId::from_uuid(Uuid::from_u128(number)),
            reference: Reference::first(check_id),
            state: ItemState::Unknown,
            after_absence: AfterAbsence::Resend,
            bound: None,
            duplicates: Vec::new(),
            review: asked.then(|| Reason::new("look_alike", "")),
            resent_at: None,
            late_scan_at: None,
            late_scanned: false,
        }
    }

    fn case(items: Vec<CaseItem>) -> Case {
        Case {
            id: CaseId::from_uuid(Uuid::nil()),
            tenant: TenantId::new("t"),
            account: AccountKey::default_of(ProviderId::new("v")),
            submission: SubmissionId::from_uuid(Uuid::nil()),
            state: CaseState::NeedsReview,
            why: Reason::new("timeout", ""),
            sent_at: at(0),
            window_ends_at: at(100),
            deadline: at(500),
            next_scan_at: Some(at(300)),
            opened_at: at(10),
            resolved_at: None,
            items,
        }
    }

    #[test]
    fn no_scan_goes_without_what_can_still_settle_by_itself() {
        assert!(goes_along(&case(vec![item(1, true), item(2, false)]), at(200)), "another item waits for a person");
        let asked = case(vec![item(1, true), item(2, true)]);
        assert!(!goes_along(&asked, at(200)), "it would widen the others' scans");
        assert!(goes_along(&asked, at(300)), "its own turn");
    }
}
