//! A check that is tried at one vendor after the other: what the gateway believes, beside both vendors' books.

use std::time::Duration;

use domain::{
    AccountKey, Check, CheckId, CheckStatus, EventType, Leg, News, Order, OrderDraft, OrderId, Outcome, ProviderId,
    Reason, SubmissionId, Wish,
};
use sandbox::{Fault, FaultKind};
use serde_json::json;
use store::{OrphanFilter, Plan, Scope, Tx, Work};

use crate::monitors::{DAY, live, monitor, order_of, runs};
use crate::office::Office;
use crate::world::{World, draft};

/// An employment that Truework is asked for first, then Theary, about somebody with this SSN.
fn waterfall(ssn: &str) -> OrderDraft {
    let mut draft = trials::drafts::with_ssn(draft("truework", 0), ssn);
    draft.checks[0].providers = ["truework", "theary"].into_iter().filter_map(Wish::parse).collect();
    draft
}

async fn ended(world: &World, ssn: &str) -> (OrderId, Check) {
    let id = world.accept(waterfall(ssn)).await;
    world.work_until_settled(&[id]).await;
    (id, world.order(id).await.checks.remove(0))
}

/// How many objects each vendor made.
fn made(world: &World) -> (usize, usize) {
    (world.books("truework").objects.len(), world.books("theary").objects.len())
}

async fn events(world: &World, id: OrderId) -> Vec<(EventType, serde_json::Value)> {
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let events = tx.orders().events(&Scope::All, id, 100, None).await.expect("read");
    events
        .into_iter()
        .map(|stored| (stored.event.kind, stored.event.data.get("provider").cloned().unwrap_or_default()))
        .collect()
}

#[tokio::test]
async fn a_vendor_that_finds_the_answer_is_the_last_one_asked() {
    let world = World::new().await;
    let (_, check) = ended(&world, "000-00-0001").await;
    assert_eq!((check.account.provider.as_str(), check.state.tried.len()), ("truework", 0));
    assert_eq!((check.status(), made(&world)), (CheckStatus::Completed, (1, 0)));
}

#[tokio::test]
async fn a_vendor_that_refuses_or_has_no_record_gives_way_to_the_next() {
    // At Truework: invalid, frozen, no match. At Theary, by the same digits: verified, with a discrepancy, no record.
    for (ssn, why, at_truework, outcome) in [
        ("000-99-0001", "refused", 1, Outcome::Unresolved),
        ("000-99-0002", "refused", 0, Outcome::Unresolved),
        ("000-99-0003", "no_record", 1, Outcome::Consider),
    ] {
        let world = World::new().await;
        let (id, check) = ended(&world, ssn).await;
        assert_eq!((check.account.provider.as_str(), check.attempt, check.state.sends), ("theary", 2, 1), "{ssn}");
        assert_eq!((check.status(), check.state.outcome()), (CheckStatus::Completed, Some(outcome)), "{ssn}");
        assert_eq!(made(&world), (at_truework, 1), "{ssn}");
        assert_eq!(world.books("theary").with_reference(&check.reference().to_string()).count(), 1);
        let tried = &check.state.tried[0].state;
        assert!(tried.status().is_final() && tried.ended_at.is_some(), "what the first one said is kept");
        assert_eq!(tried.binding().is_some(), at_truework == 1);
        let told = events(&world, id).await;
        assert!(told.contains(&(EventType::CheckUpdated, json!("theary"))), "{told:?}");
        assert_eq!(told.iter().filter(|(kind, _)| *kind == EventType::CheckCompleted).count(), 1, "{why}: {told:?}");
        assert_eq!(told.iter().filter(|(kind, _)| *kind == EventType::OrderCompleted).count(), 1);
        assert!(!told.iter().any(|(kind, _)| matches!(kind, EventType::CheckFailed | EventType::OrderFailed)));
    }
}

#[tokio::test]
async fn a_lost_create_is_settled_at_its_vendor_before_anybody_else_is_asked() {
    let world = World::new().await;
    world.vendor("truework").control().arm(Fault::new("create", FaultKind::DropAfter));
    world.vendor("theary").control().arm(Fault::new("create", FaultKind::DropAfter));
    let (_, check) = ended(&world, "000-99-0003").await;
    assert_eq!((check.status(), check.account.provider.as_str()), (CheckStatus::Completed, "theary"));
    assert_eq!(made(&world), (1, 1), "each was found again, and nobody was asked twice");
    let cases = world.cases().await;
    assert_eq!(cases.len(), 2);
    assert!(cases.iter().all(|case| case.resolved_at.is_some()));
}

#[tokio::test]
async fn what_was_left_behind_is_nobodys_orphan() {
    let world = World::new().await;
    let (_, check) = ended(&world, "000-99-0003").await;
    assert_eq!(check.state.tried.len(), 1);
    world.clock.advance(Duration::from_hours(24));
    for vendor in ["truework", "theary"] {
        assert!(world.engine.sweep(&world.account(vendor)).await.expect("swept"));
    }
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let orphans = tx.vendor_objects().orphans(&OrphanFilter::default(), 50, None).await.expect("read");
    assert!(orphans.is_empty(), "{:?}", orphans.iter().map(|orphan| &orphan.vendor_order_id).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_canceled_check_is_tried_nowhere_else() {
    let world = World::new().await;
    let id = world.accept(waterfall("000-03-0000")).await;
    let waits = async || world.order(id).await.checks[0].status() == CheckStatus::ActionRequired;
    world.work_until(Duration::from_hours(2), "it waits at the first vendor", waits).await;
    let reason = Reason::new("canceled", "Not needed any more.");
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    world.engine.cancel(&mut tx, &Scope::All, id, reason).await.expect("canceled").expect("the order");
    tx.save().await.expect("saved");
    world.work_until_settled(&[id]).await;
    let check = world.order(id).await.checks.remove(0);
    assert_eq!((check.account.provider.as_str(), check.state.tried.len()), ("truework", 0));
    assert_eq!(made(&world), (1, 0));
}

/// What another worker writes down, whose call the vendor refuses: the check goes on to the next.
async fn moves_on(mut tx: Tx, mut order: Order, check_id: CheckId) {
    let (submission, at) = (SubmissionId::from_uuid(uuid::Uuid::nil()), order.updated_at);
    let mut events = order.tell(check_id, &News::Sending { submission }, at);
    let why = Reason::new("refused", "The vendor would not do it.");
    events.extend(order.tell(check_id, &News::Rejected { submission, why, at }, at));
    tx.orders().save(&order, &[Plan { check_id, work: Some((Work::Send, at)) }], &events).await.expect("saved");
    tx.save().await.expect("saved");
}

#[tokio::test]
async fn a_claim_from_before_the_check_moved_on_sends_nothing_to_the_vendor_that_refused() {
    let world = World::new().await;
    let id = world.accept(waterfall("000-00-0001")).await;
    let (account, store) = (world.account("truework"), world.engine.store());
    let mut tx = store.begin().await.expect("a transaction");
    let order = tx.orders().lock(id).await.expect("read").expect("the order");
    let check_id = order.checks[0].id;
    let moves = async {
        // The slow worker has claimed the check, and cannot read its order yet.
        while !store.lanes(&account.key, world.engine.now()).await.expect("read").is_empty() {
            tokio::task::yield_now().await;
        }
        moves_on(tx, order, check_id).await;
    };
    let (sent, ()) = tokio::join!(world.engine.dispatch(&account, 1), moves);
    assert_eq!((sent.expect("dispatched"), world.books("truework").calls_of("create")), (1, 0), "it was stopped");
    world.work_until_settled(&[id]).await;
    let check = world.order(id).await.checks.remove(0);
    assert_eq!((check.status(), check.account.provider.as_str()), (CheckStatus::Completed, "theary"));
    assert_eq!(made(&world), (0, 1));
}

#[tokio::test]
async fn a_claim_from_before_the_check_moved_on_puts_it_in_no_file() {
    let office = Office::open().await;
    let batch = office.people(4).await;
    let first = office.checks(batch).await.remove(0);
    let store = office.engine.store();
    let mut tx = store.begin().await.expect("a transaction");
    let mut order = tx.orders().lock(first.order_id).await.expect("read").expect("the order");
    let input = first.input.expose().clone();
    let next = AccountKey::default_of(ProviderId::new("truora"));
    let leg = |account: &AccountKey| Leg { account: account.clone(), product: None, input: input.clone() };
    order.checks[0].state.legs = vec![leg(&first.account), leg(&next)];
    let going_on = async {
        while !store.kindred(&office.account.key, office.engine.now()).await.expect("read").is_empty() {
            tokio::task::yield_now().await;
        }
        moves_on(tx, order, first.id).await;
    };
    let (gathered, ()) = tokio::join!(office.engine.files(&office.account), going_on);
    gathered.expect("gathered");
    let check = office.checks(batch).await.remove(0);
    assert_eq!((&check.account, check.status(), check.state.sends), (&next, CheckStatus::Queued, 0));
    let files = office.files(batch).await;
    assert_eq!(files.iter().map(|file| file.rows).collect::<Vec<_>>(), [3]);
}

#[tokio::test]
async fn a_monitor_tries_the_same_vendors_in_turn_again() {
    let world = World::new().await;
    let (first, check) = ended(&world, "000-99-0003").await;
    assert_eq!((check.account.provider.as_str(), check.state.tried.len()), ("theary", 1));
    let monitor = monitor(&world, first, "daily", "2026-01-02").await;
    live(&world, 2 * DAY).await;
    let [_, run] = runs(&world, monitor.id).await.try_into().expect("one more");
    let again = order_of(&world, &run).await.checks.remove(0);
    assert_eq!((again.account.provider.as_str(), again.attempt, again.state.tried.len()), ("theary", 2, 1));
    assert_eq!((again.status(), again.state.outcome()), (check.status(), check.state.outcome()));
    assert_eq!((made(&world), run.changed), ((2, 2), Some(false)), "each was asked twice");
}
