//! A vendor's own dedupe: one check of the vendor for several of ours, and never for those of two tenants.

use domain::input::BackgroundCheck;
use domain::{Check, CheckInput, CheckSpec, CheckStatus, OrderDraft};
use sandbox::{Fault, FaultKind};

use crate::world::{World, draft};

async fn the_check(world: &World, id: domain::OrderId) -> Check {
    world.order(id).await.checks.remove(0)
}

fn vendors_object(check: &Check) -> &str {
    &check.state.binding().expect("bound").vendor.order_id
}

/// The same person once more, asking for a new check.
fn forced(number: u32) -> OrderDraft {
    let mut draft = draft("truora", number);
    let spec = BackgroundCheck { country: "CO".into(), force_new: true, ..BackgroundCheck::default() };
    draft.checks[0].input = CheckInput::new(CheckSpec::BackgroundCheck(spec), serde_json::Map::new()).into();
    draft
}

/// The checks of the same tenant that the vendor's object fulfils as well.
async fn sharers(world: &World, check: &Check) -> Vec<domain::CheckId> {
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let mut sharers = tx.vendor_objects().sharers(&[check.id]).await.expect("read");
    sharers.remove(&check.id).unwrap_or_default()
}

#[tokio::test]
async fn orders_of_one_tenant_share_the_vendors_check() {
    let world = World::new().await;
    let first = world.accept(draft("truora", 0)).await;
    world.work_until_settled(&[first]).await;
    let second = world.accept(draft("truora", 0)).await;
    world.work_until_settled(&[second]).await;
    let (first, second) = (the_check(&world, first).await, the_check(&world, second).await);
    assert_eq!(vendors_object(&first), vendors_object(&second));
    assert_eq!((second.status(), second.state.outcome()), (CheckStatus::Completed, first.state.outcome()));
    assert_eq!(world.books("truora").objects.len(), 1);
    assert_eq!(sharers(&world, &first).await, [second.id], "it is said of each");
    assert_eq!(sharers(&world, &second).await, [first.id]);
}

#[tokio::test]
async fn another_tenants_check_is_never_used() {
    let world = World::new().await;
    let theirs = world.accept_of("globex", draft("truora", 0)).await;
    world.work_until_settled(&[theirs]).await;
    let ours = world.accept(draft("truora", 0)).await;
    world.work_until_settled(&[ours]).await;
    let (theirs, ours) = (the_check(&world, theirs).await, the_check(&world, ours).await);
    assert_ne!(vendors_object(&theirs), vendors_object(&ours));
    assert_eq!(ours.status(), CheckStatus::Completed);
    // What the tenant sees of it says nothing of the other one.
    assert!(ours.state.status_reason().is_none());
    assert!(sharers(&world, &ours).await.is_empty() && sharers(&world, &theirs).await.is_empty());
    assert_eq!(world.books("truora").objects.len(), 2);
}

#[tokio::test]
async fn another_tenants_check_that_is_still_in_doubt_is_not_used_either() {
    let world = World::new().await;
    world.vendor("truora").control().arm(Fault::new("create", FaultKind::DropAfter));
    let theirs = world.accept_of("globex", draft("truora", 0)).await;
    world.engine.dispatch(&world.account("truora"), 1).await.expect("dispatched");
    assert_eq!(the_check(&world, theirs).await.status(), CheckStatus::Unconfirmed);
    let ours = world.accept(draft("truora", 0)).await;
    world.work_until_settled(&[theirs, ours]).await;
    let (theirs, ours) = (the_check(&world, theirs).await, the_check(&world, ours).await);
    assert_ne!(vendors_object(&theirs), vendors_object(&ours));
    assert_eq!(world.books("truora").objects.len(), 2);
}

#[tokio::test]
async fn a_check_that_must_be_new_is_forced_once_and_found_again_when_its_answer_is_lost() {
    let world = World::new().await;
    let old = world.accept(draft("truora", 0)).await;
    world.work_until_settled(&[old]).await;
    world.vendor("truora").control().arm(Fault::new("create", FaultKind::DropAfter));
    let new = world.accept(forced(0)).await;
    world.work_until_settled(&[new]).await;
    let (old, new) = (the_check(&world, old).await, the_check(&world, new).await);
    assert_ne!(vendors_object(&old), vendors_object(&new));
    assert_eq!((new.status(), new.state.sends), (CheckStatus::Completed, 1));
    assert_eq!(world.books("truora").objects.len(), 2);
}

#[tokio::test]
async fn a_forced_call_that_never_arrived_ends_in_one_new_check() {
    let world = World::new().await;
    let old = world.accept(draft("truora", 0)).await;
    world.work_until_settled(&[old]).await;
    world.vendor("truora").control().arm(Fault::new("create", FaultKind::DropBefore));
    let new = world.accept(forced(0)).await;
    world.work_until_settled(&[new]).await;
    let (old, new) = (the_check(&world, old).await, the_check(&world, new).await);
    // The call after the lost one was not forced, got the old check, and so one more was forced.
    assert_ne!(vendors_object(&old), vendors_object(&new));
    assert_eq!((new.status(), new.state.sends), (CheckStatus::Completed, 3));
    assert_eq!(world.books("truora").objects.len(), 2);
}

#[tokio::test]
async fn an_object_that_another_check_has_come_to_share_is_still_found_for_the_check_it_was_made_for() {
    let world = World::new().await;
    world.vendor("truora").control().arm(Fault::new("create", FaultKind::DropAfter));
    let lost = world.accept(forced(0)).await;
    world.engine.dispatch(&world.account("truora"), 1).await.expect("dispatched");
    assert_eq!(the_check(&world, lost).await.status(), CheckStatus::Unconfirmed);
    // The vendor's dedupe answers the next check of the same person with what the lost call made.
    let sharing = world.accept(draft("truora", 0)).await;
    world.engine.dispatch(&world.account("truora"), 1).await.expect("dispatched");
    assert!(the_check(&world, sharing).await.state.binding().is_some());
    world.work_until_settled(&[lost, sharing]).await;
    let (lost, sharing) = (the_check(&world, lost).await, the_check(&world, sharing).await);
    assert_eq!(vendors_object(&lost), vendors_object(&sharing));
    assert_eq!((lost.status(), lost.state.sends), (CheckStatus::Completed, 1));
    assert_eq!(world.books("truora").objects.len(), 1);
}
