//! The standing sweep: what a vendor has that no case ever asked about.

use std::time::Duration;

use domain::{CheckStatus, EventType, OrderId, Reason};
use engine::CancelDuplicates;
use sandbox::{Fault, FaultKind};
use serde_json::json;
use store::{ObjectCancel, Orphan, OrphanFilter, OrphanKind, Scope};

use crate::world::{Options, World, draft};

const A_DAY: Duration = Duration::from_hours(24);

/// A world that was swept once, with nothing in it.
async fn swept() -> World {
    swept_with(Options::default()).await
}

async fn swept_with(options: Options) -> World {
    let world = World::with(options).await;
    assert!(world.engine.sweep(&world.account("theary")).await.expect("swept"), "the first is due at once");
    assert!(!world.engine.sweep(&world.account("theary")).await.expect("swept"), "the next a day later");
    world
}

/// Makes an order at Theary behind our back that carries this reference.
fn forge(world: &World, reference: &str) -> String {
    let options = json!({ "kind": "foreign", "references": [reference] });
    world.vendor("theary").control().make_strangers(1, &options).remove(0)
}

async fn sweep_a_day_later(world: &World) -> Vec<Orphan> {
    world.clock.advance(A_DAY);
    assert!(world.engine.sweep(&world.account("theary")).await.expect("swept"));
    orphans(world).await
}

async fn orphans(world: &World) -> Vec<Orphan> {
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    tx.vendor_objects().orphans(&OrphanFilter::default(), 50, None).await.expect("read")
}

async fn announced(world: &World, id: OrderId) -> usize {
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let events = tx.orders().events(&Scope::All, id, 100, None).await.expect("read");
    events.iter().filter(|stored| stored.event.kind == EventType::ReconciliationOrphanFound).count()
}

#[tokio::test]
async fn a_second_object_of_a_bound_check_is_found_and_announced_once() {
    let world = swept().await;
    let id = world.accept(draft("theary", 0)).await;
    world.work_until_settled(&[id]).await;
    let check = world.order(id).await.checks.remove(0);
    let second = forge(&world, &check.reference().to_string());
    let found = sweep_a_day_later(&world).await;
    let of_second: Vec<_> = found.iter().map(|orphan| (orphan.vendor_order_id.as_str(), orphan.check_id)).collect();
    assert_eq!(of_second, [(second.as_str(), Some(check.id))]);
    assert_eq!((found[0].kind, found[0].case_id, announced(&world, id).await), (OrphanKind::Duplicate, None, 1));
    assert_eq!(sweep_a_day_later(&world).await.len(), 1);
    assert_eq!(announced(&world, id).await, 1);
}

#[tokio::test]
async fn a_second_object_is_canceled_by_itself_only_where_the_settings_say_so() {
    for (cancel_duplicates, expected) in
        [(CancelDuplicates::Auto, Some(ObjectCancel::Canceled)), (CancelDuplicates::Ask, None)]
    {
        let world = swept_with(Options { cancel_duplicates, ..Options::default() }).await;
        let id = world.accept(draft("theary", 0)).await;
        world.work_until_settled(&[id]).await;
        let check = world.order(id).await.checks.remove(0);
        forge(&world, &check.reference().to_string());
        assert_eq!(sweep_a_day_later(&world).await.len(), 1);
        world.work().await;
        assert_eq!(orphans(&world).await[0].cancel, expected);
        assert_eq!(world.books("theary").calls_of("cancel"), u64::from(expected.is_some()), "never the check's own");
    }
}

#[tokio::test]
async fn a_check_that_waits_to_be_sent_again_is_not_if_the_vendor_has_it_already() {
    let world = swept().await;
    world.vendor("theary").control().arm(Fault::new("create", FaultKind::StatusAfter).status(401));
    let id = world.accept(draft("theary", 0)).await;
    world.engine.dispatch(&world.account("theary"), 1).await.expect("dispatched");
    let check = world.order(id).await.checks.remove(0);
    assert_eq!((check.status(), check.state.sends), (CheckStatus::Queued, 0));
    assert!(world.cases().await.is_empty());
    // The vendor said that it made nothing, and did.
    let theirs = world.books("theary").objects.remove(0).id;
    assert!(sweep_a_day_later(&world).await.is_empty());
    let (check, case) = (world.order(id).await.checks.remove(0), world.cases().await.remove(0));
    assert_eq!((check.status(), case.items[0].state), (CheckStatus::Unconfirmed, domain::ItemState::Proven));
    world.work_until_settled(&[id]).await;
    let check = world.order(id).await.checks.remove(0);
    assert_eq!(check.state.binding().map(|binding| binding.vendor.order_id.as_str()), Some(theirs.as_str()));
    assert_eq!((check.status(), world.books("theary").objects.len()), (CheckStatus::Completed, 1), "not a second one");
}

#[tokio::test]
async fn after_a_long_time_without_one_a_sweep_goes_back_a_week_and_no_further() {
    let world = swept().await;
    let theary = world.vendor("theary").control();
    let stranger = || theary.make_strangers(1, &json!({ "kind": "foreign" })).remove(0);
    stranger();
    world.clock.advance(A_DAY * 3);
    let younger = stranger();
    world.clock.advance(A_DAY * 5);
    let found = sweep_a_day_later(&world).await;
    assert_eq!(found.iter().map(|orphan| orphan.vendor_order_id.clone()).collect::<Vec<_>>(), [younger]);
}

#[tokio::test]
async fn an_object_of_a_check_that_was_closed_without_one_is_found() {
    let world = swept().await;
    let id = world.accept(draft("theary", 0)).await;
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    world.engine.cancel(&mut tx, &Scope::All, id, Reason::new("caller", "")).await.expect("noted");
    tx.save().await.expect("saved");
    let check = world.order(id).await.checks.remove(0);
    assert_eq!(check.status(), CheckStatus::Canceled);
    forge(&world, &check.reference().to_string());
    let found = sweep_a_day_later(&world).await;
    assert_eq!((found.len(), found[0].check_id, announced(&world, id).await), (1, Some(check.id), 1));
}

#[tokio::test]
async fn what_is_none_of_ours_is_a_stranger() {
    let world = swept().await;
    let id = world.accept(draft("theary", 0)).await;
    world.work_until_settled(&[id]).await;
    let theary = world.vendor("theary").control();
    let mut strangers = theary.make_strangers(2, &json!({ "kind": "mixed" }));
    // Of our form, and of no check here: another gateway's on the same account, or one of a database that was lost.
    strangers.push(forge(&world, "chk_01kdvdna00enst97yearxp5vnm"));
    let found = sweep_a_day_later(&world).await;
    let mut ids: Vec<_> = found.iter().map(|orphan| orphan.vendor_order_id.clone()).collect();
    ids.sort();
    strangers.sort();
    assert_eq!(ids, strangers);
    assert!(found.iter().all(|orphan| orphan.kind == OrphanKind::Stranger && orphan.created_at.is_some()));
    assert_eq!(announced(&world, id).await, 0);
}

#[tokio::test]
async fn what_a_case_looks_for_is_left_to_it_and_proves_that_it_exists() {
    let world = swept().await;
    world.clock.advance(A_DAY);
    world.vendor("theary").control().arm(Fault::new("create", FaultKind::DropAfter));
    let id = world.accept(draft("theary", 0)).await;
    let account = world.account("theary");
    world.engine.dispatch(&account, 1).await.expect("dispatched");
    // The gateway was down for a while: the sweep comes before the first scan.
    world.clock.advance(Duration::from_mins(20));
    assert!(world.engine.sweep(&account).await.expect("swept"));
    assert!(orphans(&world).await.is_empty());
    let case = world.cases().await.remove(0);
    assert_eq!(case.items[0].state, domain::ItemState::Proven);
    world.work_until_settled(&[id]).await;
    let check = world.order(id).await.checks.remove(0);
    assert_eq!((check.status(), check.state.sends, announced(&world, id).await), (CheckStatus::Completed, 1, 0));
}

#[tokio::test]
async fn a_sweep_that_could_not_read_everything_begins_again_where_the_last_one_ended() {
    let world = swept().await;
    let id = world.accept(draft("theary", 0)).await;
    world.work_until_settled(&[id]).await;
    let check = world.order(id).await.checks.remove(0);
    forge(&world, &check.reference().to_string());
    let theary = world.vendor("theary").control();
    theary.arm(Fault::new("list", FaultKind::StatusBefore).status(500).times(50));
    assert!(sweep_a_day_later(&world).await.is_empty());
    theary.clear_faults();
    let account = world.account("theary");
    assert!(!world.engine.sweep(&account).await.expect("not due"), "not at once");
    world.clock.advance(Duration::from_hours(1));
    assert!(world.engine.sweep(&account).await.expect("swept"));
    assert_eq!(orphans(&world).await.len(), 1);
}

#[tokio::test]
async fn a_process_that_died_in_a_sweep_holds_the_next_one_up_no_longer_than_its_lease() {
    let world = swept().await;
    let id = world.accept(draft("theary", 0)).await;
    world.work_until_settled(&[id]).await;
    let check = world.order(id).await.checks.remove(0);
    forge(&world, &check.reference().to_string());
    world.clock.advance(A_DAY);
    let (key, now) = (world.account("theary").key, world.engine.now());
    let leased = world.engine.store().lease_sweep(&key, now, now + Duration::from_hours(1)).await;
    assert!(leased.expect("leased").is_some());
    let next = world.another(&Options::default()).await;
    assert!(!next.sweep(&world.account("theary")).await.expect("it is being swept"));
    world.clock.advance(Duration::from_hours(1));
    assert!(next.sweep(&world.account("theary")).await.expect("swept"));
    assert_eq!(orphans(&world).await.len(), 1);
}
