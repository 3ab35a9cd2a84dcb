//! How cases open: with a create call whose answer proved nothing, or whose process died.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{
    AfterAbsence, Case, CaseId, CaseItem, CaseState, CheckId, EventType, ItemState, News, Order, Reason, Stage,
    SubmissionId, Timestamp,
};
use store::{Finished, NewSubmission, Plan, StoreError, StoredSubmission, SubmissionPart, SubmissionState, Tx};

use super::decision;
use crate::follow::Misbound;
use crate::{Account, Engine, find, find_mut};

/// One check whose create call's outcome is unknown.
pub(crate) struct Doubt {
    pub part: SubmissionPart,
    pub why: Reason,
    pub then: AfterAbsence,
    /// Why only a person can settle it, if that is so from the start. It is not sent again by itself.
    pub review: Option<Reason>,
}

impl Doubt {
    /// About a check whose order cannot be read now. Whatever its answer was, the case finds it out once it can.
    pub(crate) fn unreadable(part: &SubmissionPart) -> Self {
        let why = Reason::new("order_unreadable", "The order could not be read when its create call ended.");
        Self { part: part.clone(), why, then: AfterAbsence::Resend, review: None }
    }

    fn into_item(self) -> CaseItem {
        CaseItem {
            check_id: self.part.check_id,
            order_id: self.part.order_id,
            reference: self.part.reference,
            state: ItemState::Unknown,
            after_absence: self.then,
            bound: None,
            duplicates: Vec::new(),
            review: self.review,
            resent_at: None,
            late_scan_at: None,
            late_scanned: false,
        }
    }
}

/// After the settle window, how long scans may fail or disagree before a person must look.
const SHORTEST_GRACE: Duration = Duration::from_mins(10);

impl Engine {
    /// Opens the case of a submission. `ended_at`: the end of the call or of its lease, whichever is later; the settle
    /// window counts from there.
    pub(crate) async fn open_case(
        &self,
        tx: &mut Tx,
        account: &Account,
        submission: &NewSubmission,
        doubts: Vec<Doubt>,
        orders: &[Order],
        ended_at: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(first) = doubts.first() else { return Ok(()) };
        let now = self.now();
        let why = first.why.clone();
        let settle = settle_window(account, orders, &doubts);
        let window_ends_at = ended_at + settle;
        // An earlier call for the same check may have made its object yet: scans must reach back to it.
        let mut sent_at = submission.started_at;
        let was_sent_before = |doubt: &&Doubt| {
            let check = find(orders, doubt.part.order_id).and_then(|order| order.check(doubt.part.check_id));
            check.is_none_or(|check| check.state.sends > 1)
        };
        for doubt in doubts.iter().filter(was_sent_before) {
            let earlier = tx.cases().of_check(doubt.part.check_id).await?;
            sent_at = earlier.map_or(sent_at, |case| sent_at.min(case.sent_at));
        }
        let items: Vec<_> = doubts.into_iter().map(Doubt::into_item).collect();
        let is_asked = items.iter().any(|item| item.review.is_some());
        let case = Case {
            id: CaseId::generate(self.clock(), self.entropy()),
            tenant: submission.tenant.clone(),
            account: account.key.clone(),
            submission: submission.id,
            state: if is_asked { CaseState::NeedsReview } else { CaseState::Open },
            why,
            sent_at,
            window_ends_at,
            deadline: window_ends_at + settle.max(SHORTEST_GRACE),
            // The answer is lost, the object may be there already: the first look is at once.
            next_scan_at: Some(now),
            opened_at: now,
            resolved_at: None,
            items,
        };
        tx.cases().insert(&case).await?;
        self.log_asked(tx, case.id, &case.items).await?;
        // Hooks that came before there was a case to note them in are read once more.
        tx.inbox().reconsider(&account.key, now).await?;
        for item in &case.items {
            if let Some(order) = find(orders, item.order_id) {
                let event = order.event(Some(item.check_id), EventType::ReconciliationOpened, now);
                tx.orders().save(order, &[], &[event]).await?;
            }
        }
        metrics::counter!("vetgate_reconciliation_cases_total", "account" => account.key.to_string()).increment(1);
        tracing::info!(case = %case.id, account = %account.key, items = case.items.len(), why = case.why.code, "the outcome of a create call is unknown: case opened");
        Ok(())
    }

    /// The same, where checks of one call come to be in doubt one after the other: they join the case that is open of it,
    /// as long as no scan can have shown absence yet. Those that are in it already stay as they are.
    pub(crate) async fn open_or_join_case(
        &self,
        tx: &mut Tx,
        account: &Account,
        submission: &NewSubmission,
        mut doubts: Vec<Doubt>,
        orders: &[Order],
        ended_at: Timestamp,
    ) -> Result<(), StoreError> {
        let now = self.now();
        tx.vendor_objects().lock_object(&account.key, &submission.id.to_string()).await?;
        let open = match tx.cases().open_of_submission(submission.id).await? {
            Some(open) => tx.cases().lock(open.id).await?,
            None => None,
        };
        let Some(mut case) = open else {
            return self.open_case(tx, account, submission, doubts, orders, ended_at).await;
        };
        doubts.retain(|doubt| !case.items.iter().any(|item| item.check_id == doubt.part.check_id));
        if case.state == CaseState::Resolved || now >= case.window_ends_at {
            return self.open_case(tx, account, submission, doubts, orders, ended_at).await;
        }
        let items: Vec<_> = doubts.into_iter().map(Doubt::into_item).collect();
        self.log_asked(tx, case.id, &items).await?;
        for item in &items {
            if item.review.is_some() {
                case.state = CaseState::NeedsReview;
            }
            if let Some(order) = find(orders, item.order_id) {
                let event = order.event(Some(item.check_id), EventType::ReconciliationOpened, now);
                tx.orders().save(order, &[], &[event]).await?;
            }
        }
        case.items.extend(items);
        case.next_scan_at = Some(now);
        tx.cases().save(&case).await?;
        tx.inbox().reconsider(&account.key, now).await
    }

    async fn log_asked(&self, tx: &mut Tx, case: CaseId, items: &[CaseItem]) -> Result<(), StoreError> {
        for item in items.iter().filter(|item| item.review.is_some()) {
            tx.cases().log(case, &decision(self.now(), "vetgate", "needs_review", Some(item.check_id))).await?;
        }
        Ok(())
    }

    /// Finds create calls whose process died: their lease is over and no outcome is recorded. Gives how many.
    pub async fn find_dead_calls(&self) -> Result<usize, StoreError> {
        let dead = self.store().claim_dead(self.now(), 100).await?;
        for id in &dead {
            match self.open_case_of_dead_call(*id).await {
                Err(error) if error.is_transient() => return Err(error),
                // It is claimed again shortly; the others are not held up.
                Err(error) => tracing::error!(%error, submission = %id, "could not open the case of a dead call"),
                Ok(()) => {}
            }
        }
        Ok(dead.len())
    }

    async fn open_case_of_dead_call(&self, id: SubmissionId) -> Result<(), StoreError> {
        let mut tx = self.store().begin().await?;
        let Some(stored) = tx.submissions().get(id).await? else { return Ok(()) };
        let Some(account) = self.account(&stored.account) else { return Ok(()) };
        let ids: Vec<_> = stored.parts.iter().map(|part| part.order_id).collect();
        let mut orders = tx.orders().lock_many(&ids).await?;
        let now = self.now();
        let file = tx.vendor_files().lock(id).await?;
        if file.as_ref().is_some_and(|file| file.ended_at.is_none() && !file.may_have_begun()) {
            return self.send_file_singly(tx, account, &stored, orders).await;
        }
        let finished = Finished { state: SubmissionState::Unknown, ended_at: now, http_status: None, answer: None };
        if !tx.submissions().finish(id, &finished).await? {
            // Its worker was slow, not dead, and has just recorded the outcome.
            return Ok(());
        }
        let why = match &file {
            None => Reason::new("process_died", "The gateway stopped while the call was under way."),
            Some(_) => file_overdue(),
        };
        // A file's objects may carry no reference of ours: that no scan finds one proves nothing.
        let review = file.is_some().then(|| why.clone());
        let mut doubts = Vec::new();
        let mut changed: BTreeMap<_, (Vec<Plan>, Vec<_>)> = BTreeMap::new();
        for part in &stored.parts {
            let Some(order) = find_mut(&mut orders, part.order_id) else {
                doubts.push(Doubt { review: review.clone(), ..Doubt::unreadable(part) });
                continue;
            };
            let stage = order.check(part.check_id).map(|check| &check.state.stage);
            if !matches!(stage, Some(Stage::Submitting { submission }) if *submission == id) {
                continue;
            }
            let mut events = order.tell(part.check_id, &News::Unconfirmed { submission: id, why: why.clone() }, now);
            if let Some(why) = review.clone() {
                events.extend(order.tell(part.check_id, &News::NeedsReview { submission: id, why }, now));
            }
            let entry = changed.entry(order.id).or_default();
            entry.0.push(Plan { check_id: part.check_id, work: None });
            entry.1.extend(events);
            let then = AfterAbsence::Resend;
            doubts.push(Doubt { part: part.clone(), why: why.clone(), then, review: review.clone() });
            self.note_resent(&mut tx, order, part.check_id, now).await?;
        }
        for order in &orders {
            if let Some((plans, events)) = changed.get(&order.id) {
                tx.orders().save(order, plans, events).await?;
            }
        }
        // The call's lease ended before it was claimed as dead; what is stored now is the lease of that claim.
        self.open_case(&mut tx, account, &as_sent(&stored), doubts, &orders, now).await?;
        tx.save().await?;
        self.wake();
        Ok(())
    }

    /// A file came to its deadline before the vendor can have begun: nothing was ordered, and each check goes out alone.
    async fn send_file_singly(
        &self,
        mut tx: Tx,
        account: &Account,
        stored: &StoredSubmission,
        mut orders: Vec<Order>,
    ) -> Result<(), StoreError> {
        let (id, now) = (stored.id, self.now());
        let finished = Finished { state: SubmissionState::NotSent, ended_at: now, http_status: None, answer: None };
        if !tx.submissions().finish(id, &finished).await? {
            return Ok(());
        }
        tx.vendor_files().end(id, now).await?;
        let mut doubts = Vec::new();
        let why = Reason::new("file_not_begun", "The file that it was in was not begun in time; it is sent singly.");
        for part in &stored.parts {
            let Some(order) = find_mut(&mut orders, part.order_id) else {
                // Its case sends it once it can be read.
                doubts.push(Doubt::unreadable(part));
                continue;
            };
            let events = order.tell(part.check_id, &News::NotSent { submission: id, why: why.clone() }, now);
            let plan = self.plan_after(account, order, part.check_id, None);
            tx.orders().save(order, &plan.into_iter().collect::<Vec<_>>(), &events).await?;
        }
        if !doubts.is_empty() {
            self.open_case(&mut tx, account, &as_sent(stored), doubts, &orders, now).await?;
        }
        tx.save().await?;
        self.wake();
        Ok(())
    }

    /// A check's binding by position turned out wrong: it joins the case of its create call. Where there is none, or
    /// none whose window is still open, one is opened, and its window counts from now.
    pub(crate) async fn doubt_binding(
        &self,
        tx: &mut Tx,
        account: &Account,
        order: &Order,
        misbound: Misbound,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let Misbound { check_id, submission, why } = misbound;
        let Some(check) = order.check(check_id) else { return Ok(()) };
        let part = SubmissionPart { check_id, order_id: order.id, reference: check.reference() };
        let doubt = Doubt { part, why, then: AfterAbsence::Resend, review: None };
        // The checks of one call are looked at side by side: they shall find each other's case, not open one each.
        tx.vendor_objects().lock_object(&account.key, &submission.to_string()).await?;
        let open = match tx.cases().open_of_submission(submission).await? {
            Some(open) => tx.cases().lock(open.id).await?,
            None => None,
        };
        if let Some(mut case) = open.filter(|case| case.state != CaseState::Resolved && now < case.window_ends_at) {
            doubt_again(&mut case, doubt.into_item());
            case.next_scan_at = Some(now);
            tx.cases().save(&case).await?;
            tx.cases().log(case.id, &decision(now, "vetgate", "misbound", Some(check_id))).await?;
            tx.inbox().reconsider(&account.key, now).await?;
            let event = order.event(Some(check_id), EventType::ReconciliationOpened, now);
            return tx.orders().save(order, &[], &[event]).await;
        }
        let Some(stored) = tx.submissions().get(submission).await? else { return Ok(()) };
        self.open_case(tx, account, &as_sent(&stored), vec![doubt], std::slice::from_ref(order), now).await
    }

    /// A check that was sent again had its call end: notes it in the case that sent it, so that the late scan follows.
    pub(crate) async fn note_resent(
        &self,
        tx: &mut Tx,
        order: &Order,
        check_id: CheckId,
        ended_at: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(open) = tx.cases().of_check(check_id).await? else { return Ok(()) };
        let Some(mut case) = tx.cases().lock(open.id).await? else { return Ok(()) };
        let Some(check) = order.check(check_id) else { return Ok(()) };
        if check.state.submission() == Some(case.submission) {
            // The news is of the very call that the case is about.
            return Ok(());
        }
        let settle = self.account(&case.account).map(|account| account.settle_window(check.input.expose()));
        let late = ended_at + settle.unwrap_or_else(|| case.window());
        // Proven as well: a hook may have told of the first object while the second call was under way.
        let waits =
            |item: &CaseItem| matches!(item.state, ItemState::Absent | ItemState::Proven) && item.resent_at.is_none();
        for item in case.items.iter_mut().filter(|item| item.check_id == check_id && waits(item)) {
            item.resent_at = Some(ended_at);
            item.late_scan_at = Some(late);
            match &check.state.stage {
                Stage::Bound(binding) => {
                    item.bound = Some(binding.vendor.clone());
                    item.state = ItemState::Bound;
                }
                // The new call has a case of its own now, which looks for the same reference.
                Stage::Unconfirmed { .. } => item.late_scanned = true,
                _ => {}
            }
        }
        // Other items of the case may be due before that.
        case.next_scan_at = Some(case.next_scan_at.map_or(late, |at| at.min(late)));
        tx.cases().save(&case).await
    }
}

fn file_overdue() -> Reason {
    Reason::new(
        "file_overdue",
        "The vendor's batch that it is in has not come to an end in time. Look for the batch in the vendor's dashboard, then bind, resend or fail.",
    )
}

/// A create call as it was recorded before it was made.
fn as_sent(stored: &StoredSubmission) -> NewSubmission {
    NewSubmission {
        id: stored.id,
        tenant: stored.tenant.clone(),
        account: stored.account.clone(),
        started_at: stored.started_at,
        lease_until: stored.lease_until,
        items: stored.parts.clone(),
    }
}

/// An item of a case that is in doubt once more. What else the vendor was seen to have stays known.
fn doubt_again(case: &mut Case, doubted: CaseItem) {
    match case.items.iter_mut().find(|item| item.check_id == doubted.check_id) {
        Some(item) => *item = CaseItem { duplicates: std::mem::take(&mut item.duplicates), ..doubted },
        None => case.items.push(doubted),
    }
}

/// The longest settle window among the checks of a case.
fn settle_window(account: &Account, orders: &[Order], doubts: &[Doubt]) -> Duration {
    let of_checks = doubts.iter().map(|doubt| {
        let check = find(orders, doubt.part.order_id).and_then(|order| order.check(doubt.part.check_id));
        // Of one that cannot be read nothing is known but its vendor.
        let of_account = || account.settle.unwrap_or(account.timing.settle);
        check.map_or_else(of_account, |check| account.settle_window(check.input.expose()))
    });
    of_checks.max().unwrap_or(account.timing.settle)
}
