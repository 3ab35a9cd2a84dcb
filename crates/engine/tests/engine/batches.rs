//! Batches of ours: how they are shared out over calls, stopped half-way, and what a process leaves that dies in between.

use std::time::Duration;

use domain::{BatchId, BatchStatus, CaseState, Check, CheckStatus, EventType, ItemState, Reason, TenantId};
use sandbox::{Fault, FaultKind};
use store::{OrderFilter, Plan, Scope};

use crate::world::{Options, World, checks_of, draft, orders_of};

async fn batch(world: &World, numbers: std::ops::Range<u32>) -> BatchId {
    world.accept_batch("acme", numbers.map(|number| draft("theary", number))).await
}

async fn cancel(world: &World, batch: BatchId) {
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let why = Reason::new("caller", "The batch was the wrong one.");
    world.engine.cancel_batch(&mut tx, &Scope::All, batch, why).await.expect("noted").expect("the batch");
    tx.save().await.expect("saved");
}

/// The vendor has exactly one object for each check, and it is the one that is bound.
fn assert_one_to_one(world: &World, checks: &[Check]) {
    let books = world.books("theary");
    for check in checks {
        let reference = check.reference().to_string();
        let theirs: Vec<_> = books.with_reference(&reference).map(|object| object.id.as_str()).collect();
        let ours = check.state.binding().map(|binding| binding.vendor.order_id.as_str());
        assert_eq!(theirs, Vec::from_iter(ours), "{reference}");
    }
}

#[tokio::test]
async fn a_batch_of_thousands_holds_up_neither_a_single_order_nor_a_small_batch() {
    let world = World::new().await;
    let large = batch(&world, 0..2_000).await;
    let single = world.accept(draft("theary", 2_000)).await;
    let account = world.account("theary");
    world.engine.dispatch(&account, 8).await.expect("dispatched");
    assert!(world.order(single).await.checks[0].state.binding().is_some(), "in the first round");
    // Of 8 calls the large batch has its half.
    let sent = world.wire.all();
    let of_calls_with = |checks| sent.iter().filter(|sent| sent.together == checks).count();
    assert_eq!((of_calls_with(10), of_calls_with(1), sent.len()), (40, 1, 41));

    let small = batch(&world, 2_001..2_016).await;
    world.engine.dispatch(&account, 8).await.expect("dispatched");
    let small = checks_of(&world, small).await;
    assert!(small.iter().all(|check| check.state.binding().is_some()), "in the next round");
    let sent = world.wire.all().len();
    let of_large = checks_of(&world, large).await.iter().filter(|check| check.status() != CheckStatus::Queued).count();
    assert_eq!((of_large, sent), (80, 96), "and the large one went on beside it");
}

#[tokio::test]
async fn however_long_an_upload_takes_its_orders_are_of_one_time_and_listed_in_the_order_of_its_rows() {
    let world = World::new().await;
    let begun_at = world.engine.now();
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let mut intake = world.engine.open_batch(&TenantId::new("acme"), None);
    let id = intake.id();
    for number in 0..4 {
        world.clock.advance(Duration::from_mins(10));
        let mut row = draft("theary", number);
        row.external_id = Some(format!("row-{number}"));
        intake.add(&mut tx, row).await.expect("accepted");
    }
    intake.finish(&mut tx).await.expect("written");
    tx.save().await.expect("saved");
    let filter = |created_after| OrderFilter {
        batch_id: Some(id),
        created_after: Some(created_after),
        ..OrderFilter::default()
    };
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let listed = tx.orders().list(&Scope::All, &filter(begun_at), 10, None).await.expect("read");
    let rows: Vec<_> = listed.iter().map(|order| order.external_id.as_deref().unwrap_or_default()).collect();
    assert_eq!(rows, ["row-0", "row-1", "row-2", "row-3"]);
    for order in &listed {
        assert_eq!([order.created_at, order.updated_at, order.checks[0].created_at], [begun_at; 3]);
    }
    let later = begun_at + Duration::from_secs(1);
    assert!(tx.orders().list(&Scope::All, &filter(later), 10, None).await.expect("read").is_empty());
}

#[tokio::test]
async fn hundreds_of_overdue_looks_hold_up_no_cancel_of_a_single_order() {
    let world = World::new().await;
    let account = world.account("theary");
    let single = world.accept(draft("theary", 300)).await;
    world.engine.dispatch(&account, 1).await.expect("dispatched");
    let batch = batch(&world, 0..300).await;
    world.engine.dispatch(&account, 30).await.expect("dispatched");
    world.clock.advance(Duration::from_secs(1));
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let why = Reason::new("caller", "It was the wrong one.");
    world.engine.cancel(&mut tx, &Scope::All, single, why).await.expect("noted").expect("the order");
    tx.save().await.expect("saved");

    assert_eq!(world.engine.follow(&account, 50).await.expect("followed"), 8);
    let books = world.books("theary");
    assert_eq!(books.objects.iter().filter(|object| object.canceled).count(), 1, "in the first round");
    let confirmed = |check: &&Check| check.state.binding().is_some_and(|binding| !binding.provisional);
    let looked_at = checks_of(&world, batch).await.iter().filter(confirmed).count();
    assert_eq!(looked_at, 7, "and beside it as many of the batch as there was room for: {:?}", books.calls);
}

#[tokio::test]
async fn the_checks_of_a_batch_are_sent_in_the_order_of_its_rows() {
    let world = World::new().await;
    let batch = batch(&world, 0..35).await;
    while world.engine.dispatch(&world.account("theary"), 1).await.expect("dispatched") > 0 {}
    let sent: Vec<_> = world.books("theary").creates.into_iter().flat_map(|call| call.references).collect();
    let rows = checks_of(&world, batch).await.into_iter().map(|check| Some(check.reference().to_string()));
    assert_eq!(sent, rows.collect::<Vec<_>>());
}

/// Another process is taking what the lanes have whose turn it is.
#[tokio::test]
async fn where_a_lane_was_just_emptied_the_next_one_has_its_turn() {
    let world = World::new().await;
    let account = world.account("theary");
    let lanes = [batch(&world, 0..2).await, batch(&world, 2..4).await];
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    for order in orders_of(&world, lanes[0]).await {
        let order = tx.orders().lock(order.id).await.expect("read").expect("the order");
        let plan = Plan { check_id: order.checks[0].id, work: None };
        tx.orders().save(&order, &[plan], &[]).await.expect("taken");
    }
    assert_eq!(world.engine.dispatch(&account, 1).await.expect("dispatched"), 1);
    drop(tx);
    assert!(checks_of(&world, lanes[1]).await.iter().all(|check| check.state.binding().is_some()));
}

#[tokio::test]
async fn two_processes_never_send_the_same_check_of_a_batch() {
    let world = World::new().await;
    let other = world.another(&Options::default()).await;
    let batch = batch(&world, 0..60).await;
    let account = world.account("theary");
    let (one, two) = tokio::join!(world.engine.dispatch(&account, 8), other.dispatch(&account, 8));
    assert!(one.expect("dispatched") + two.expect("dispatched") >= 6);
    world.work_until_batch_ends(batch).await;
    assert_eq!(world.wire.count(), 60);
    assert_one_to_one(&world, &checks_of(&world, batch).await);
}

#[tokio::test]
async fn of_a_batch_that_is_canceled_half_way_nothing_is_sent_any_more() {
    // Whoever comes first stops what waits: the next round of sending, or the walk through the batch.
    for sending_comes_first in [true, false] {
        let world = World::new().await;
        let batch = batch(&world, 0..40).await;
        let account = world.account("theary");
        world.engine.dispatch(&account, 2).await.expect("dispatched");
        assert_eq!(world.books("theary").objects.len(), 20);
        cancel(&world, batch).await;
        if sending_comes_first {
            while world.engine.dispatch(&account, 8).await.expect("dispatched") > 0 {}
        } else {
            while world.engine.cancel_batches().await.expect("canceled") > 0 {}
        }
        let waiting =
            checks_of(&world, batch).await.iter().filter(|check| check.status() == CheckStatus::Queued).count();
        assert_eq!((waiting, world.wire.count()), (0, 20));
        world.work_until_batch_ends(batch).await;
        let canceled = world.batch(batch).await;
        assert_eq!(canceled.status(), BatchStatus::Canceled);
        assert_eq!((canceled.counts.of(CheckStatus::Canceled), canceled.counts.total()), (40, 40));
        assert_eq!(world.wire.count(), 20, "nothing was sent after the cancel");
        let books = world.books("theary");
        assert!(books.objects.len() == 20 && books.objects.iter().all(|object| object.canceled));
    }
}

#[tokio::test]
async fn a_batch_that_is_canceled_once_more_or_too_late_stays_as_it_is() {
    let world = World::new().await;
    let batch = batch(&world, 0..3).await;
    world.work_until_batch_ends(batch).await;
    cancel(&world, batch).await;
    assert_eq!(world.engine.cancel_batches().await.expect("nothing to do"), 0);
    assert_eq!(world.batch(batch).await.status(), BatchStatus::Completed);
}

#[tokio::test]
async fn a_process_that_died_before_a_batch_call_leaves_one_case_and_everything_is_sent_singly() {
    let world = World::new().await;
    let batch = batch(&world, 0..5).await;
    world.another(&Options::default()).await.forget_a_ticket(&world.account("theary")).await;
    assert!(checks_of(&world, batch).await.iter().all(|check| check.status() == CheckStatus::Submitting));
    world.work_until_batch_ends(batch).await;
    let case = world.cases().await.remove(0);
    assert_eq!((case.why.code.as_str(), case.items.len(), case.state), ("process_died", 5, CaseState::Resolved));
    assert!(case.items.iter().all(|item| item.late_scanned), "a late scan follows each resend");
    let checks = checks_of(&world, batch).await;
    assert!(checks.iter().all(|check| check.status() == CheckStatus::Completed && check.state.sends == 2));
    assert!(world.wire.all().iter().all(|sent| sent.together == 1 && sent.at >= case.window_ends_at));
    assert_one_to_one(&world, &checks);
}

#[tokio::test]
async fn an_answer_that_is_recorded_after_its_case_was_opened_still_binds_every_item() {
    let world = World::new().await;
    world.vendor("theary").control().arm(Fault::new("batch", FaultKind::Delay).delay(Duration::from_secs(2)));
    let batch = batch(&world, 0..4).await;
    let account = world.account("theary");
    let overtaken = async {
        while world.wire.count() == 0 {
            tokio::task::yield_now().await;
        }
        world.clock.advance(Duration::from_mins(1));
        assert_eq!(world.engine.find_dead_calls().await.expect("found"), 1);
        let case = world.cases().await.remove(0);
        assert!(case.items.len() == 4 && case.items.iter().all(|item| item.state == ItemState::Unknown));
    };
    let (sent, ()) = tokio::join!(world.engine.dispatch(&account, 1), overtaken);
    assert_eq!(sent.expect("dispatched"), 1);
    world.work_until_batch_ends(batch).await;
    let checks = checks_of(&world, batch).await;
    assert!(checks.iter().all(|check| check.status() == CheckStatus::Completed && check.state.sends == 1));
    assert_one_to_one(&world, &checks);
    let cases = world.cases().await;
    assert!(cases.iter().flat_map(|case| &case.items).all(|item| item.state == ItemState::Bound));
}

#[tokio::test]
async fn the_end_of_a_batch_is_announced_once() {
    let world = World::new().await;
    let batch = batch(&world, 0..12).await;
    let mut rounds = 0;
    world
        .work_until(Duration::from_hours(2), "the batch has ended", async || {
            rounds += 1;
            let batch = world.batch(batch).await;
            assert_eq!(batch.counts.total(), 12, "whatever happens, each check is counted once");
            batch.completed_at.is_some()
        })
        .await;
    assert!(rounds > 1);
    let done = world.batch(batch).await;
    assert_eq!((done.counts.of(CheckStatus::Completed), done.status()), (12, BatchStatus::Completed));
    assert_eq!(world.engine.count_batches().await.expect("counted"), 0);
}

#[tokio::test]
async fn a_batch_call_of_which_only_some_can_be_made_leaves_no_doubt_about_the_others() {
    // The vendor refuses the whole call for one order; the others are found, or sent again one by one.
    let world = World::new().await;
    world.vendor("theary").control().arm(Fault::new("batch", FaultKind::StatusBefore).status(400));
    let batch = batch(&world, 0..3).await;
    world.work_until_batch_ends(batch).await;
    let checks = checks_of(&world, batch).await;
    assert!(checks.iter().all(|check| (check.status(), check.state.sends) == (CheckStatus::Completed, 2)));
    let case = world.cases().await.remove(0);
    assert_eq!(case.items.len(), 3, "one case for the call");
    assert_one_to_one(&world, &checks);
    for order in orders_of(&world, batch).await {
        let mut tx = world.engine.store().begin().await.expect("a transaction");
        let events = tx.orders().events(&Scope::All, order.id, 50, None).await.expect("read");
        let count = |kind| events.iter().filter(|stored| stored.event.kind == kind).count();
        assert_eq!((count(EventType::ReconciliationOpened), count(EventType::ReconciliationResolved)), (1, 1));
    }
}
