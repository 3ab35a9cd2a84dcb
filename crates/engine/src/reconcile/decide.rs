//! Carrying out what the settle rule finds.

use std::collections::BTreeMap;

use domain::settle::{Evidence, Finding};
use domain::{
    AfterAbsence, Case, CaseId, CaseItem, CaseState, Event, EventType, ItemState, News, Order, OrderId, Reason,
    ScanReport, VendorRef,
};
use store::{Decision, Plan, Scope, StoreError, Tx, Work};

use super::next_scan;
use crate::{Account, CancelDuplicates, Engine, find, find_mut, joint};

/// What a decision changes besides the case.
#[derive(Default)]
struct Consequences {
    plans: BTreeMap<OrderId, Vec<Plan>>,
    events: BTreeMap<OrderId, Vec<Event>>,
}

impl Engine {
    /// Judges every unsettled item of a case, under the row locks of its orders.
    pub(super) async fn decide(
        &self,
        account: &Account,
        id: CaseId,
        scans: &[ScanReport],
        echoes: bool,
    ) -> Result<(), StoreError> {
        let mut tx = self.store().begin().await?;
        let Some(peek) = tx.cases().get(&Scope::All, id).await? else { return Ok(()) };
        let ids: Vec<_> = peek.items.iter().map(|item| item.order_id).collect();
        let mut orders = tx.orders().lock_many(&ids).await?;
        let Some(mut case) = tx.cases().lock(id).await? else { return Ok(()) };
        if case.state == CaseState::Resolved {
            return Ok(());
        }
        let now = self.now();
        // Asked under the orders' locks: a hook that was read before them has left its mark on the case by now.
        let inbox_is_clear = tx.inbox().is_clear(&account.key).await?;
        let mut after = Consequences::default();
        let evidence = self.without_held(&mut tx, account, Evidence::of(&case, scans)).await?;
        let mut items = std::mem::take(&mut case.items);
        let is_proven = |item: &&CaseItem| item.state == ItemState::Proven;
        let proven: Vec<_> = items.iter().filter(is_proven).map(|item| item.check_id).collect();
        for item in items.iter_mut().filter(|item| !item.is_settled()) {
            let Some(order) = find_mut(&mut orders, item.order_id) else { continue };
            let caught_up = catch_up(&case, order, item, now);
            if !caught_up.is_empty() {
                after.events.entry(order.id).or_default().extend(caught_up);
                after.plans.entry(order.id).or_default().push(Plan { check_id: item.check_id, work: None });
                // It is judged at the next look.
                continue;
            }
            if settled_by_other_news(order, item) {
                continue;
            }
            let mut finding = evidence.settle(item, echoes, now);
            if finding == Finding::Absent && !inbox_is_clear {
                // A hook that waits to be read may prove the opposite.
                finding = Finding::Wait;
            }
            if finding == Finding::Absent
                && let Some(why) = joint::may_be_unseen(account, &case, order, item.check_id, &proven, scans)
            {
                finding = Finding::Review(why);
            }
            self.carry_out(&mut tx, account, &case, order, item, finding, &mut after).await?;
            settled_by_other_news(order, item);
        }
        case.items = items;
        for (order_id, event) in self.close_case_if_settled(&mut tx, &mut case, &orders).await? {
            after.events.entry(order_id).or_default().push(event);
        }
        for order in &orders {
            let plans = after.plans.remove(&order.id).unwrap_or_default();
            let events = after.events.remove(&order.id).unwrap_or_default();
            if !plans.is_empty() || !events.is_empty() {
                tx.orders().save(order, &plans, &events).await?;
            }
        }
        tx.cases().save(&case).await?;
        tx.save().await?;
        self.wake();
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one decision; a struct of them would have one use")]
    async fn carry_out(
        &self,
        tx: &mut Tx,
        account: &Account,
        case: &Case,
        order: &mut Order,
        item: &mut CaseItem,
        finding: Finding,
        after: &mut Consequences,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let submission = case.submission;
        let check_id = item.check_id;
        let told = match finding {
            Finding::Wait => return Ok(()),
            Finding::Bind { vendor, duplicates } => {
                let events = order.tell(check_id, &News::Located { submission, vendor: vendor.clone(), at: now }, now);
                item.bound = Some(vendor);
                item.review = None;
                item.state = ItemState::Bound;
                self.log(tx, case, "bound", check_id).await?;
                let more = self.note_duplicates(tx, account, case, order, item, duplicates).await?;
                events.into_iter().chain(more).collect()
            }
            Finding::LateScanned { duplicates, possible } => {
                item.late_scanned = true;
                let mut events = self.note_duplicates(tx, account, case, order, item, duplicates).await?;
                events.extend(self.note_possible(tx, account, case, order, item, possible).await?);
                events
            }
            Finding::Absent => {
                let sends = order.check(check_id).map_or(0, |check| check.state.sends);
                let is_wanted = order.check(check_id).is_some_and(|check| check.state.cancel.is_none());
                if item.after_absence == AfterAbsence::Resend && is_wanted && sends >= self.settings.max_sends {
                    let why = Reason::new(
                        "sent_too_often",
                        "It was sent again and again and is still nowhere. Find out why, then resend or fail.",
                    );
                    item.review = Some(why.clone());
                    order.tell(check_id, &News::NeedsReview { submission, why }, now)
                } else {
                    item.state = ItemState::Absent;
                    self.log(tx, case, "absent", check_id).await?;
                    order.tell(check_id, &News::Absent { submission, then: item.after_absence.clone(), at: now }, now)
                }
            }
            Finding::Review(why) => {
                if item.review.is_none() {
                    self.log(tx, case, "needs_review", check_id).await?;
                }
                item.review = Some(why.clone());
                order.tell(check_id, &News::NeedsReview { submission, why }, now)
            }
        };
        let plan =
            match order.check(check_id).map(|check| check.state.cancel_is_due() || check.state.binding().is_some()) {
                // What was found is looked at, or canceled, at once.
                Some(true) => Some(Plan { check_id, work: Some((Work::Follow, now)) }),
                _ => self.plan_after(account, order, check_id, None),
            };
        after.plans.entry(order.id).or_default().extend(plan);
        after.events.entry(order.id).or_default().extend(told);
        Ok(())
    }

    /// Records further objects of the vendor for a bound check, and announces each once.
    async fn note_duplicates(
        &self,
        tx: &mut Tx,
        account: &Account,
        case: &Case,
        order: &Order,
        item: &mut CaseItem,
        duplicates: Vec<VendorRef>,
    ) -> Result<Vec<Event>, StoreError> {
        let (mut events, now) = (Vec::new(), self.now());
        // One that another check is bound to is never canceled for this one: a second part beside the other's.
        let cancel = self.settings.cancel_duplicates == CancelDuplicates::Auto;
        for duplicate in duplicates {
            let (order_id, objects) = (&duplicate.order_id, &mut tx.vendor_objects());
            if objects.add_duplicate(&account.key, order_id, item.reference, case.id, now, cancel).await? {
                tracing::warn!(case = %case.id, check = %item.check_id, vendor_order = %order_id, "the vendor has a second order for a check");
                metrics::counter!("vetgate_duplicates_total", "account" => account.key.to_string()).increment(1);
                events.push(order.event(Some(item.check_id), EventType::ReconciliationDuplicateFound, now));
            }
            item.state = ItemState::Duplicate;
            if !item.duplicates.contains(&duplicate) {
                item.duplicates.push(duplicate);
            }
        }
        Ok(events)
    }

    /// Takes out of the evidence what fulfils a check. Nobody binds what is left by hand before this is decided.
    async fn without_held<'a>(
        &self,
        tx: &mut Tx,
        account: &Account,
        evidence: Evidence<'a>,
    ) -> Result<Evidence<'a>, StoreError> {
        let candidates = evidence.candidates();
        if candidates.is_empty() {
            return Ok(evidence);
        }
        for id in &candidates {
            tx.vendor_objects().lock_object(&account.key, id).await?;
        }
        let held = tx.vendor_objects().held(&account.key, &candidates).await?;
        Ok(evidence.without(&held))
    }

    /// Records objects that could be second ones of a check, where nothing shows whose they are. They are announced, and
    /// canceled by nobody but an operator.
    async fn note_possible(
        &self,
        tx: &mut Tx,
        account: &Account,
        case: &Case,
        order: &Order,
        item: &CaseItem,
        possible: Vec<VendorRef>,
    ) -> Result<Vec<Event>, StoreError> {
        let (mut events, now) = (Vec::new(), self.now());
        for VendorRef { order_id, .. } in possible {
            let objects = &mut tx.vendor_objects();
            if objects.add_orphan(&account.key, &order_id, Some(item.reference), None, now).await? {
                tracing::warn!(case = %case.id, check = %item.check_id, vendor_order = %order_id, "the vendor has an order that may be a second one for a check");
                events.push(order.event(Some(item.check_id), EventType::ReconciliationDuplicateFound, now));
            }
        }
        Ok(events)
    }

    pub(crate) async fn close_case_if_settled(
        &self,
        tx: &mut Tx,
        case: &mut Case,
        orders: &[Order],
    ) -> Result<Vec<(OrderId, Event)>, StoreError> {
        let now = self.now();
        let was = case.state;
        case.state = if case.items.iter().all(CaseItem::is_settled) {
            CaseState::Resolved
        } else if case.items.iter().any(|item| !item.is_settled() && item.review.is_some()) {
            CaseState::NeedsReview
        } else {
            CaseState::Open
        };
        case.next_scan_at = next_scan(case, orders, now);
        if case.state != CaseState::Resolved || was == CaseState::Resolved {
            return Ok(Vec::new());
        }
        case.resolved_at = Some(now);
        tx.cases().log(case.id, &decision(now, "vetgate", "resolved", None)).await?;
        tracing::info!(case = %case.id, "case resolved");
        let of_item = |item: &CaseItem| {
            let order = find(orders, item.order_id)?;
            Some((order.id, order.event(Some(item.check_id), EventType::ReconciliationResolved, now)))
        };
        Ok(case.items.iter().filter_map(of_item).collect())
    }

    async fn log(&self, tx: &mut Tx, case: &Case, what: &str, check_id: domain::CheckId) -> Result<(), StoreError> {
        tx.cases().log(case.id, &decision(self.now(), "vetgate", what, Some(check_id))).await
    }
}

/// An entry of a case's decision log.
pub(crate) fn decision(at: domain::Timestamp, actor: &str, what: &str, check: Option<domain::CheckId>) -> Decision {
    let data = check.map_or(serde_json::Value::Null, |check| serde_json::json!({ "check_id": check }));
    Decision { at, actor: actor.to_owned(), what: what.to_owned(), note: None, data }
}

/// Tells a check what it missed while its order could not be read.
fn catch_up(case: &Case, order: &mut Order, item: &CaseItem, now: domain::Timestamp) -> Vec<Event> {
    let submission = case.submission;
    let mut events = order.tell(item.check_id, &News::Unconfirmed { submission, why: case.why.clone() }, now);
    if let Some(why) = item.review.clone() {
        events.extend(order.tell(item.check_id, &News::NeedsReview { submission, why }, now));
    }
    events
}

/// An answer that came after all, a hook or an operator may have settled the item meanwhile.
fn settled_by_other_news(order: &Order, item: &mut CaseItem) -> bool {
    let Some(check) = order.check(item.check_id) else { return false };
    match (check.state.binding(), item.state) {
        // Absent as well: a call's own answer may come after all, as long as it was not sent again.
        (Some(binding), ItemState::Unknown | ItemState::Proven | ItemState::Absent) if item.resent_at.is_none() => {
            item.bound = Some(binding.vendor.clone());
            item.review = None;
            item.state = ItemState::Bound;
            true
        }
        // Canceled or failed while it waited to be sent again: there is nothing left to look for.
        (None, ItemState::Absent) if check.status().is_final() && item.resent_at.is_none() => {
            item.late_scanned = true;
            true
        }
        (None, ItemState::Unknown | ItemState::Proven) if check.status().is_final() => {
            item.state = ItemState::Absent;
            item.late_scanned = true;
            true
        }
        _ => false,
    }
}
