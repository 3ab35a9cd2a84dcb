//! One create at a time, with everything that can happen to its answer: what the gateway believes afterwards, beside
//! what the vendor's own books say.

use std::time::Duration;

use crate::world::{Options, VENDORS, World, draft, draft_of};
use domain::{CaseState, CheckStatus, ItemState};
use sandbox::{Fault, FaultKind};

#[tokio::test]
async fn an_order_goes_through_all_three_vendors() {
    let world = World::new().await;
    let id = world.accept(draft_of(&VENDORS, 0)).await;
    world.work_until_settled(&[id]).await;
    let order = world.order(id).await;
    for check in &order.checks {
        assert_eq!(check.status(), CheckStatus::Completed, "{}", check.account);
        assert!(check.state.outcome().is_some() && check.state.result().is_some(), "{}", check.account);
        assert_exactly_one(&world, check);
    }
    assert!(world.cases().await.is_empty(), "nothing was in doubt");
}

/// Asserts that the vendor's books hold one object with the check's reference, and that it is the one bound here.
fn assert_exactly_one(world: &World, check: &domain::Check) {
    let books = world.books(check.account.provider.as_str());
    let reference = check.reference().to_string();
    let theirs: Vec<_> = books.with_reference(&reference).map(|object| object.id.clone()).collect();
    let ours = check.state.binding().map(|binding| binding.vendor.order_id.clone());
    assert_eq!(theirs, Vec::from_iter(ours), "theirs, ours: {}", check.account);
}

/// One order at each vendor, whose create meets the fault; then everything is settled.
async fn after_fault(fault: impl Fn() -> Fault) -> Vec<(World, domain::Check)> {
    let mut worlds = Vec::new();
    for vendor in VENDORS {
        let world = World::with(Options { timeout: Duration::from_millis(500), ..Options::default() }).await;
        world.vendor(vendor).control().arm(fault());
        let id = world.accept(draft(vendor, 0)).await;
        world.work_until_settled(&[id]).await;
        let check = world.order(id).await.checks.remove(0);
        worlds.push((world, check));
    }
    worlds
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_found_and_not_sent_again() {
    let faults = [
        FaultKind::DropAfter,
        FaultKind::Truncate,
        FaultKind::Garbage,
        FaultKind::Flood,
        FaultKind::Stall,
        FaultKind::StatusAfter,
    ];
    for kind in faults {
        for (world, check) in after_fault(|| Fault::new("create", kind).status(502)).await {
            assert_eq!(check.status(), CheckStatus::Completed, "{kind:?} at {}", check.account);
            assert_eq!(check.state.sends, 1, "{kind:?} at {}: found, not sent again", check.account);
            assert_eq!(world.books(check.account.provider.as_str()).calls_of("create"), 1);
            assert_exactly_one(&world, &check);
            let cases = world.cases().await;
            assert_eq!(cases.len(), 1);
            assert_eq!((cases[0].state, cases[0].items[0].state), (CaseState::Resolved, ItemState::Bound));
        }
    }
}

#[tokio::test]
async fn a_create_that_never_arrived_is_sent_again_once_absence_is_shown() {
    for kind in [FaultKind::DropBefore, FaultKind::StatusBefore] {
        for (world, check) in after_fault(|| Fault::new("create", kind).status(503)).await {
            assert_eq!(check.status(), CheckStatus::Completed, "{kind:?} at {}", check.account);
            assert_eq!(check.state.sends, 2, "{kind:?} at {}", check.account);
            assert_exactly_one(&world, &check);
            let case = world.cases().await.remove(0);
            assert_eq!(case.state, CaseState::Resolved);
            assert!(case.items[0].late_scanned, "a late scan follows a resend");
            let resent = check.state.submitted_at.expect("submitted");
            assert!(resent >= case.window_ends_at, "not sent again before its settle window was over");
        }
    }
}

#[tokio::test]
async fn a_vendor_that_refuses_for_now_is_asked_again_without_a_case() {
    for (world, check) in after_fault(|| Fault::new("create", FaultKind::RateLimit)).await {
        assert_eq!(check.status(), CheckStatus::Completed, "{}", check.account);
        assert_exactly_one(&world, &check);
        // Nothing is known of when Theary refuses, so its refusal is looked into like any other lost answer.
        let is_doubtful = check.account.provider.as_str() == "theary";
        assert_eq!(world.cases().await.len(), usize::from(is_doubtful), "{}", check.account);
    }
}

#[tokio::test]
async fn a_process_that_died_while_sending_leaves_a_case_that_settles() {
    for vendor in VENDORS {
        let world = World::new().await;
        let id = world.accept(draft(vendor, 0)).await;
        // The intent is durable, and then the process is gone before the call.
        let account = world.account(vendor);
        let dead = world.another(&Options::default()).await;
        dead.forget_a_ticket(&account).await;
        assert_eq!(world.order(id).await.checks[0].status(), CheckStatus::Submitting);
        world.work_until_settled(&[id]).await;
        let check = world.order(id).await.checks.remove(0);
        assert_eq!((check.status(), check.state.sends), (CheckStatus::Completed, 2), "{vendor}");
        assert_exactly_one(&world, &check);
        assert_eq!(world.cases().await[0].why.code, "process_died");
    }
}

#[tokio::test]
async fn a_canceled_order_is_settled_first_and_then_canceled_at_the_vendor() {
    for vendor in ["theary", "truework"] {
        let world = World::new().await;
        world.vendor(vendor).control().arm(Fault::new("create", FaultKind::DropAfter));
        let id = world.accept(draft(vendor, 0)).await;
        let account = world.account(vendor);
        world.engine.dispatch(&account, 1).await.expect("dispatched");
        let mut tx = world.engine.store().begin().await.expect("a transaction");
        let reason = domain::Reason::new("caller", "The candidate withdrew.");
        world.engine.cancel(&mut tx, &store::Scope::All, id, reason).await.expect("noted");
        tx.save().await.expect("saved");
        assert_eq!(world.order(id).await.checks[0].status(), CheckStatus::Unconfirmed);
        world.work_until_settled(&[id]).await;
        assert_eq!(world.order(id).await.checks[0].status(), CheckStatus::Canceled, "{vendor}");
        let books = world.books(vendor);
        assert!(books.objects.iter().all(|object| object.canceled), "{vendor}: {:?}", books.objects);
    }
}

#[tokio::test]
async fn an_order_canceled_before_it_is_sent_never_reaches_the_vendor() {
    let world = World::new().await;
    let id = world.accept(draft_of(&VENDORS, 0)).await;
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    world.engine.cancel(&mut tx, &store::Scope::All, id, domain::Reason::new("caller", "")).await.expect("noted");
    tx.save().await.expect("saved");
    world.work_until_settled(&[id]).await;
    for vendor in VENDORS {
        assert_eq!(world.books(vendor).calls_of("create"), 0);
    }
    assert_eq!(world.order(id).await.status(), domain::OrderStatus::Canceled);
}

#[tokio::test]
async fn an_object_that_appears_after_the_resend_is_found_as_a_duplicate() {
    // The vendor lists new orders only long after it made them: longer than the settle window.
    let world = World::with(Options { settle: Duration::from_mins(1), ..Options::default() }).await;
    let theary = world.vendor("theary").control();
    theary.set_behavior(serde_json::json!({ "list_lag_ms": 100_000 })).expect("a switch");
    theary.arm(Fault::new("create", FaultKind::DropAfter));
    let id = world.accept(draft("theary", 0)).await;
    world.work_until_settled(&[id]).await;
    let check = world.order(id).await.checks.remove(0);
    assert_eq!(check.state.sends, 2);
    assert_eq!(world.books("theary").with_reference(&check.reference().to_string()).count(), 2);
    let case = world.cases().await.remove(0);
    assert_eq!(case.items[0].state, ItemState::Duplicate);
    assert_eq!(case.items[0].duplicates.len(), 1, "the second order is recorded, never hidden");
}

#[tokio::test]
async fn two_processes_never_send_the_same_check() {
    let world = World::new().await;
    let other = world.another(&Options::default()).await;
    let mut orders = Vec::new();
    for number in 0..20 {
        orders.push(world.accept(draft("truework", number)).await);
    }
    let (one, two) = (world.account("truework"), world.account("truework"));
    let (first, second) = tokio::join!(world.engine.dispatch(&one, 50), other.dispatch(&two, 50));
    assert_eq!(first.expect("dispatched") + second.expect("dispatched"), 20);
    world.work_until_settled(&orders).await;
    assert_eq!(world.books("truework").calls_of("create"), 20);
}
