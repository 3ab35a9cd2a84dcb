//! Holding what the gateway believes against the simulators' books and against the wire.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Batch, BatchId, Case, CaseState, Check, CheckId, CheckStatus, EventType, ItemState, Order, Timestamp};
use sandbox::BookEntry;
use store::{OrphanFilter, Scope, StoredEvent};

use super::Course;
use crate::tally::Invariant;
use crate::watch::{Class, Sent};
use crate::world::{VENDORS, is_settled, orders_of};

impl Course {
    pub(super) async fn judge(&mut self) {
        let mut tx = self.world.engine.store().begin().await.expect("a transaction");
        let orders = tx.orders().get_many(&Scope::All, &self.orders).await.expect("read");
        drop(tx);
        let lost = self.orders.len() - orders.len();
        self.report.examine(Invariant::CheckEnds, lost == 0, || format!("{lost} accepted orders are gone"));
        let cases = self.world.cases().await;
        self.judge_objects(&orders, &cases).await;
        self.judge_wire(&orders);
        self.judge_cases(&cases);
        for order in &orders {
            let events = self.events(order).await;
            let wrong = disorder(&events);
            self.report.examine(Invariant::EventsInOrder, wrong.is_none(), || {
                format!("{}: {}", order.id, wrong.unwrap_or_default())
            });
        }
        self.examine_batches().await;
        for id in self.batches.clone() {
            self.judge_end_of_batch(id).await;
        }
        self.count_what_came(&orders, &cases);
    }

    async fn judge_objects(&mut self, orders: &[Order], cases: &[Case]) {
        let recorded = self.recorded(cases).await;
        let mut books: BTreeMap<(&str, String), Vec<BookEntry>> = BTreeMap::new();
        for vendor in VENDORS {
            for object in self.world.books(vendor).objects {
                for reference in object.references.clone() {
                    books.entry((vendor, reference)).or_default().push(object.clone());
                }
            }
        }
        for check in orders.iter().flat_map(|order| &order.checks) {
            let status = check.status();
            self.report.examine(Invariant::CheckEnds, is_settled(status), || {
                format!("{} at {} is {status}", check.id, check.account)
            });
            let vendor = check.account.provider.as_str();
            let vendor = VENDORS.into_iter().find(|id| *id == vendor).expect("a vendor");
            let theirs: &[BookEntry] = books.get(&(vendor, check.reference().to_string())).map_or(&[], Vec::as_slice);
            let bound = check.state.binding().map(|binding| binding.vendor.order_id.as_str());
            if let Some(bound) = bound {
                let is_own = theirs.iter().any(|object| object.id == bound);
                let carries = books.iter().find(|(_, objects)| objects.iter().any(|object| object.id == bound));
                self.report.examine(Invariant::OwnObject, is_own, || {
                    let provisional = check.state.binding().is_some_and(|binding| binding.provisional);
                    format!(
                        "{} at {vendor} is {status} and bound{} to {bound}, which carries {}",
                        check.id,
                        if provisional { " by position" } else { "" },
                        carries.map_or("no reference of ours", |((_, reference), _)| reference)
                    )
                });
            } else {
                let is_empty = status == CheckStatus::Completed;
                self.report.examine(Invariant::OwnObject, !is_empty, || format!("{} completed unbound", check.id));
            }
            for object in theirs {
                let waits = status == CheckStatus::NeedsReview;
                let is_known = waits || bound == Some(&*object.id) || recorded.contains(&object.id);
                self.report.examine(Invariant::ObjectKnown, is_known, || {
                    format!("{} has {} for {} ({status}), which nobody here knows of", vendor, object.id, check.id)
                });
            }
        }
    }

    /// The vendor's objects that are recorded as one too many.
    async fn recorded(&self, cases: &[Case]) -> BTreeSet<String> {
        let duplicates = cases.iter().flat_map(|case| &case.items).flat_map(|item| &item.duplicates);
        let mut recorded: BTreeSet<String> = duplicates.map(|vendor| vendor.order_id.clone()).collect();
        let mut tx = self.world.engine.store().begin().await.expect("a transaction");
        let orphans = tx.vendor_objects().orphans(&OrphanFilter::default(), 10_000, None).await.expect("read");
        recorded.extend(orphans.into_iter().map(|orphan| orphan.vendor_order_id));
        recorded
    }

    /// What was sent, as it was seen on the wire.
    fn judge_wire(&mut self, orders: &[Order]) {
        let known: BTreeSet<CheckId> = orders.iter().flat_map(|order| &order.checks).map(|check| check.id).collect();
        let mut calls: BTreeMap<String, Vec<(usize, Sent)>> = BTreeMap::new();
        for (at, sent) in self.world.wire.all().into_iter().enumerate() {
            let is_known = known.contains(&sent.reference.check);
            self.report.examine(Invariant::SettleRule, is_known, || format!("{} was never accepted", sent.reference));
            if let Some(canceled) = self.canceled.get(&sent.reference.check) {
                let is_before = at < *canceled;
                self.report.examine(Invariant::CanceledStays, is_before, || {
                    format!("{} was sent at {} after it was canceled", sent.reference, sent.at)
                });
            }
            calls.entry(sent.reference.to_string()).or_default().push((at, sent));
        }
        let settle = self.settings.settle;
        for (reference, calls) in calls {
            for pair in calls.windows(2) {
                let [(_, before), (_, after)] = pair else { continue };
                let (ended, class) = before.ended.unwrap_or((before.at, Class::Unknown));
                let by_hand = self
                    .resent_by_hand
                    .iter()
                    .any(|(check, at)| *check == after.reference.check && (before.at..=after.at).contains(at));
                let holds = class == Class::NotSent || by_hand || after.at >= ended + settle;
                self.report.examine(Invariant::SettleRule, holds, || {
                    format!(
                        "{reference} was sent at {}, ended {class:?} at {ended}, and was sent again at {}",
                        before.at, after.at
                    )
                });
                let alone = class == Class::NotSent || after.together == 1;
                self.report.examine(Invariant::SettleRule, alone, || format!("{reference} was sent again in a batch"));
            }
        }
    }

    fn judge_cases(&mut self, cases: &[Case]) {
        for case in cases {
            let settled = case.state != CaseState::Open;
            self.report.examine(Invariant::CaseSettles, settled, || format!("{} is still open", case.id));
            let silent = case.state != CaseState::NeedsReview || case.items.iter().any(|item| item.review.is_some());
            self.report.examine(Invariant::CaseSettles, silent, || format!("{} asks for a person, not why", case.id));
        }
    }

    async fn events(&self, order: &Order) -> Vec<StoredEvent> {
        let mut tx = self.world.engine.store().begin().await.expect("a transaction");
        tx.orders().events(&Scope::All, order.id, 10_000, None).await.expect("read")
    }

    /// Every batch's counts against a full count: they are right at any moment.
    pub(super) async fn examine_batches(&mut self) {
        for id in self.batches.clone() {
            let mut wrong = None;
            // A process that was just killed may have had a commit under way: such a difference is gone the next time.
            for _ in 0..3 {
                wrong = self.miscount(id).await;
                if wrong.is_none() {
                    break;
                }
            }
            self.report.examine(Invariant::BatchCounts, wrong.is_none(), || wrong.unwrap_or_default());
        }
    }

    async fn miscount(&self, id: BatchId) -> Option<String> {
        let mut tx = self.world.engine.store().begin().await.expect("a transaction");
        let batch = tx.batches().get(&Scope::All, id).await.expect("read").expect("an accepted batch is never lost");
        let orders = orders_of(&mut tx, id).await;
        let counted = |status| {
            let checks = orders.iter().flat_map(|order| &order.checks).filter(|check| check.status() == status);
            u32::try_from(checks.count()).unwrap_or(u32::MAX)
        };
        let wrong = batch.counts.iter().find(|(status, count)| counted(*status) != *count);
        wrong.map(|(status, count)| format!("{id} says {count} {status}, and has {}", counted(status)))
    }

    async fn judge_end_of_batch(&mut self, id: BatchId) {
        let mut tx = self.world.engine.store().begin().await.expect("a transaction");
        let batch: Batch = tx.batches().get(&Scope::All, id).await.expect("read").expect("a batch");
        let orders = orders_of(&mut tx, id).await;
        drop(tx);
        let all_final = orders.iter().flat_map(|order| &order.checks).all(|check: &Check| check.status().is_final());
        let ended = batch.completed_at.is_some();
        self.report.examine(Invariant::BatchEnds, ended == all_final, || {
            format!(
                "{id} is {}, and {} of its checks are final",
                batch.status(),
                if all_final { "all" } else { "not all" }
            )
        });
        let count = u32::try_from(orders.len()).unwrap_or(u32::MAX);
        self.report.examine(Invariant::BatchCounts, count == batch.orders, || {
            format!("{id} says {} orders, and has {count}", batch.orders)
        });
    }

    fn count_what_came(&mut self, orders: &[Order], cases: &[Case]) {
        let wire = self.world.wire.all();
        let checks = orders.iter().map(|order| order.checks.len()).sum::<usize>();
        let items: Vec<_> = cases.iter().flat_map(|case| &case.items).collect();
        let files = self.world.books("truora").batches;
        let counts = [
            ("checks", checks),
            ("checks sent in batches", wire.iter().filter(|sent| sent.together > 1).count()),
            ("files that a vendor began", files.iter().filter(|file| file.starts > 0).count()),
            ("checks sent in files", files.iter().filter(|file| file.starts > 0).map(|file| file.rows).sum()),
            ("calls in doubt", cases.len()),
            ("checks in doubt", items.len()),
            ("found and bound", items.iter().filter(|item| item.bound.is_some() && item.resent_at.is_none()).count()),
            ("absent and sent again", items.iter().filter(|item| item.resent_at.is_some()).count()),
            ("doubts with a duplicate", items.iter().filter(|item| item.state == ItemState::Duplicate).count()),
            ("cases left to people", cases.iter().filter(|case| case.state == CaseState::NeedsReview).count()),
        ];
        for (what, count) in counts {
            self.report.tallies.came(what, count as u64);
        }
    }
}

/// What is out of order in a timeline, if anything is.
fn disorder(events: &[StoredEvent]) -> Option<String> {
    let mut version = 0;
    let mut ended: BTreeMap<CheckId, (EventType, Timestamp)> = BTreeMap::new();
    if events.first().is_none_or(|first| first.event.kind != EventType::OrderCreated) {
        return Some("it does not begin with order.created".into());
    }
    for StoredEvent { event, .. } in events {
        if event.version < version {
            return Some(format!("version {} comes after {version}", event.version));
        }
        version = event.version;
        let Some(check) = event.check_id else { continue };
        if let Some((end, _)) = ended.get(&check)
            && moves(event.kind)
        {
            return Some(format!("{check} went on with {} after {}", event.kind, end));
        }
        if matches!(event.kind, EventType::CheckCompleted | EventType::CheckCanceled | EventType::CheckFailed) {
            ended.insert(check, (event.kind, event.at));
        }
    }
    None
}

/// Whether an event says that a check went to another status.
const fn moves(kind: EventType) -> bool {
    matches!(
        kind,
        EventType::CheckSubmitted
            | EventType::CheckUnconfirmed
            | EventType::CheckConfirmed
            | EventType::CheckInProgress
            | EventType::CheckActionRequired
            | EventType::CheckNeedsReview
            | EventType::CheckCompleted
            | EventType::CheckCanceled
            | EventType::CheckFailed
    )
}
