//! What operators decide about cases, at the same time and with processes dying in between; and the cancelling of
//! duplicates, by them or by itself.

use std::time::Duration;

use domain::{Case, CaseState, CheckId, CheckStatus, ItemState};
use engine::{CancelDuplicates, Choice, Engine, Resolution, ResolveError};
use sandbox::{Fault, FaultKind};
use serde_json::json;
use store::{ObjectCancel, OrphanFilter, Scope};

use crate::world::{Options, World, draft};

fn resolution(items: Vec<(CheckId, Choice)>) -> Resolution {
    Resolution { items, cancel_vendor_orders: Vec::new(), note: None, actor: "olga".into() }
}

fn bind(check: CheckId, vendor_order_id: &str) -> (CheckId, Choice) {
    (check, Choice::Bind { vendor_order_id: vendor_order_id.to_owned() })
}

/// Decides as the API does: looks first, then carries it out in one transaction.
async fn decide(engine: &Engine, case: &Case, resolution: &Resolution) -> Result<(), ResolveError> {
    let vetted = engine.vet(&Scope::All, case.id, resolution).await?.expect("the case");
    let mut tx = engine.store().begin().await?;
    engine.resolve(&mut tx, &Scope::All, case.id, resolution, &vetted).await?.expect("the case");
    Ok(tx.save().await?)
}

/// Two orders at Theary, each in doubt in a case of its own, and one order there that carries no reference.
async fn two_doubts() -> (World, Vec<Case>, String) {
    let world = World::new().await;
    world.vendor("theary").control().arm(Fault::new("create", FaultKind::DropBefore).times(2));
    world.accept(draft("theary", 0)).await;
    world.accept(draft("theary", 1)).await;
    world.engine.dispatch(&world.account("theary"), 2).await.expect("dispatched");
    let stranger = world.vendor("theary").control().make_strangers(1, &json!({ "kind": "bare" })).remove(0);
    let cases = world.cases().await;
    assert_eq!(cases.len(), 2);
    (world, cases, stranger)
}

#[tokio::test]
async fn of_two_operators_who_bind_one_vendor_order_one_wins() {
    let (world, cases, stranger) = two_doubts().await;
    let other = world.another(&Options::default()).await;
    let [one, two] = [0, 1].map(|at| resolution(vec![bind(cases[at].items[0].check_id, &stranger)]));
    // Both have looked, and found it free, before either decides.
    let first = world.engine.vet(&Scope::All, cases[0].id, &one).await.expect("free").expect("the case");
    let second = other.vet(&Scope::All, cases[1].id, &two).await.expect("free").expect("the case");
    let carry_out = async |engine: &Engine, at: usize, resolution, vetted| {
        let mut tx = engine.store().begin().await?;
        engine.resolve(&mut tx, &Scope::All, cases[at].id, resolution, vetted).await?;
        // The other one waits for the vendor order meanwhile, not for a row of this one's.
        tokio::task::yield_now().await;
        tx.save().await.map_err(ResolveError::from)
    };
    let ended = tokio::join!(carry_out(&world.engine, 0, &one, &first), carry_out(&other, 1, &two, &second));
    let lost = match ended {
        (Ok(()), Err(lost)) | (Err(lost), Ok(())) => lost,
        both => panic!("one of them wins: {both:?}"),
    };
    assert!(matches!(lost, ResolveError::Foreign { index: 0, .. }), "{lost}");
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let holders = tx.vendor_objects().holders(&world.account("theary").key, &stranger).await.expect("read");
    assert_eq!(holders.len(), 1);
}

#[tokio::test]
async fn one_vendor_order_is_not_bound_to_two_checks_of_one_decision() {
    let world = World::new().await;
    world.vendor("theary").control().arm(Fault::new("batch", FaultKind::DropBefore));
    world.accept_batch("acme", (0..2).map(|number| draft("theary", number))).await;
    world.engine.dispatch(&world.account("theary"), 1).await.expect("dispatched");
    let stranger = world.vendor("theary").control().make_strangers(1, &json!({ "kind": "bare" })).remove(0);
    let case = world.cases().await.remove(0);
    let both = resolution(case.items.iter().map(|item| bind(item.check_id, &stranger)).collect());
    let refused = decide(&world.engine, &case, &both).await.expect_err("the second one");
    assert!(matches!(refused, ResolveError::SameObject { index: 1 }), "{refused}");
}

#[tokio::test]
async fn nothing_is_bound_that_was_not_looked_at_for_that_check() {
    let (world, cases, stranger) = two_doubts().await;
    let [one, two] = [0, 1].map(|at| resolution(vec![bind(cases[at].items[0].check_id, &stranger)]));
    let vetted = world.engine.vet(&Scope::All, cases[0].id, &one).await.expect("free").expect("the case");
    let elsewhere = resolution(vec![bind(cases[0].items[0].check_id, "ord_another")]);
    for (case, resolution) in [(&cases[0], &elsewhere), (&cases[1], &two)] {
        let mut tx = world.engine.store().begin().await.expect("a transaction");
        let refused = world.engine.resolve(&mut tx, &Scope::All, case.id, resolution, &vetted).await;
        assert!(matches!(refused, Err(ResolveError::Foreign { index: 0, .. })), "{refused:?}");
    }
    let nowhere = resolution(vec![bind(cases[0].items[0].check_id, "ord_nowhere")]);
    let refused = world.engine.vet(&Scope::All, cases[0].id, &nowhere).await;
    assert!(matches!(refused, Err(ResolveError::Foreign { index: 0, .. })), "{refused:?}");
}

/// An order whose first create shows up only after it was sent again; settled but for the calls that cancel duplicates.
async fn with_duplicate(cancel_duplicates: CancelDuplicates) -> (World, Case, String) {
    let options = Options { settle: Duration::from_mins(1), cancel_duplicates, ..Options::default() };
    let world = World::with(options).await;
    let theary = world.vendor("theary").control();
    theary.set_behavior(json!({ "list_lag_ms": 100_000, "complete_after_ms": 86_400_000 })).expect("a switch");
    theary.arm(Fault::new("create", FaultKind::DropAfter));
    world.accept(draft("theary", 0)).await;
    let account = world.account("theary");
    loop {
        world.engine.dispatch(&account, 1).await.expect("dispatched");
        world.engine.follow(&account, 8).await.expect("followed");
        world.engine.reconcile().await.expect("reconciled");
        let case = world.cases().await.pop();
        if let Some(case) = case.filter(|case| case.state == CaseState::Resolved) {
            assert_eq!(case.items[0].state, ItemState::Duplicate);
            let duplicate = case.items[0].duplicates[0].order_id.clone();
            return (world, case, duplicate);
        }
        world.clock.advance(Duration::from_secs(5));
    }
}

async fn cancel_of(world: &World, id: &str) -> Option<ObjectCancel> {
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let orphans = tx.vendor_objects().orphans(&OrphanFilter::default(), 10, None).await.expect("read");
    orphans.iter().find(|orphan| orphan.vendor_order_id == id).expect("recorded").cancel
}

async fn log_of(world: &World, case: &Case) -> Vec<(String, String)> {
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let log = tx.cases().decisions(case.id).await.expect("read");
    log.into_iter().map(|entry| (entry.actor, entry.what)).collect()
}

#[tokio::test]
async fn a_duplicate_is_canceled_by_itself_whoever_dies_before_or_after_the_call() {
    let (world, case, duplicate) = with_duplicate(CancelDuplicates::Auto).await;
    // The process that decided is gone: only its wish is left.
    assert_eq!(cancel_of(&world, &duplicate).await, Some(ObjectCancel::Wanted));
    assert_eq!(world.books("theary").calls_of("cancel"), 0);
    let next = world.another(&Options::default()).await;
    let account = world.account("theary");
    // The vendor cancels, and its answer is lost.
    world.vendor("theary").control().arm(Fault::new("cancel", FaultKind::DropAfter));
    assert_eq!(next.cancellations(&account).await.expect("asked"), 1);
    assert_eq!(cancel_of(&world, &duplicate).await, Some(ObjectCancel::Wanted));
    assert_eq!(next.cancellations(&account).await.expect("not due yet"), 0);
    world.clock.advance(Duration::from_mins(10));
    assert_eq!(next.cancellations(&account).await.expect("asked again"), 1);
    assert_eq!(cancel_of(&world, &duplicate).await, Some(ObjectCancel::Canceled));
    assert!(log_of(&world, &case).await.contains(&("vetgate".into(), "duplicate_canceled".into())));
    assert_eq!(next.cancellations(&account).await.expect("nothing left"), 0);
    for object in world.books("theary").objects {
        assert_eq!(object.canceled, object.id == duplicate, "only the one too many");
    }
}

#[tokio::test]
async fn a_duplicate_is_canceled_once_an_operator_says_so() {
    let (world, case, duplicate) = with_duplicate(CancelDuplicates::Ask).await;
    let account = world.account("theary");
    assert_eq!(world.engine.cancellations(&account).await.expect("nobody asked"), 0);
    let mut stop = resolution(Vec::new());
    stop.cancel_vendor_orders = vec![duplicate.clone()];
    decide(&world.engine, &case, &stop).await.expect("decided");
    assert_eq!(world.books("theary").calls_of("cancel"), 0, "no call within the decision");
    assert_eq!(world.engine.cancellations(&account).await.expect("asked"), 1);
    assert_eq!(cancel_of(&world, &duplicate).await, Some(ObjectCancel::Canceled));
    assert!(log_of(&world, &case).await.contains(&("olga".into(), "duplicate_canceled".into())));
    let bound = case.items[0].bound.clone().expect("bound");
    assert!(world.books("theary").objects.iter().any(|object| object.id == bound.order_id && !object.canceled));
}

#[tokio::test]
async fn a_duplicate_that_only_a_sweep_found_is_canceled_in_the_case_of_its_check() {
    let (world, case, _) = with_duplicate(CancelDuplicates::Ask).await;
    let options = json!({ "kind": "foreign", "references": [case.items[0].reference.to_string()] });
    let third = world.vendor("theary").control().make_strangers(1, &options).remove(0);
    let mut stop = resolution(Vec::new());
    stop.cancel_vendor_orders = vec![third.clone()];
    let refused = decide(&world.engine, &case, &stop).await.expect_err("nobody has seen it");
    assert!(matches!(refused, ResolveError::NotADuplicate { index: 0 }), "{refused}");
    world.clock.advance(Duration::from_hours(1));
    let account = world.account("theary");
    assert!(world.engine.sweep(&account).await.expect("swept"));
    decide(&world.engine, &case, &stop).await.expect("decided");
    assert_eq!(world.engine.cancellations(&account).await.expect("asked"), 1);
    assert_eq!(cancel_of(&world, &third).await, Some(ObjectCancel::Canceled));
    let canceled: Vec<_> = world.books("theary").objects.into_iter().filter(|object| object.canceled).collect();
    assert_eq!(canceled.iter().map(|object| object.id.as_str()).collect::<Vec<_>>(), [third.as_str()]);
}

#[tokio::test]
async fn an_operator_settles_each_item_of_a_batch_call_on_its_own() {
    let world = World::new().await;
    world.vendor("theary").control().arm(Fault::new("batch", FaultKind::DropBefore));
    let batch = world.accept_batch("acme", (0..3).map(|number| draft("theary", number))).await;
    world.engine.dispatch(&world.account("theary"), 1).await.expect("dispatched");
    let stranger = world.vendor("theary").control().make_strangers(1, &json!({ "kind": "bare" })).remove(0);
    let case = world.cases().await.remove(0);
    let [one, two, three] = [0, 1, 2].map(|at: usize| case.items[at].check_id);
    let decision = resolution(vec![bind(one, &stranger), (two, Choice::Resend), (three, Choice::Fail)]);
    decide(&world.engine, &case, &decision).await.expect("decided");
    world.work_until_batch_ends(batch).await;
    let mut statuses = Vec::new();
    for item in &case.items {
        statuses.push(world.order(item.order_id).await.checks[0].status());
    }
    assert_eq!(statuses, [CheckStatus::Completed, CheckStatus::Completed, CheckStatus::Failed]);
    assert_eq!(world.wire.all().iter().filter(|sent| sent.together == 1).count(), 1, "only what was to be sent again");
}
