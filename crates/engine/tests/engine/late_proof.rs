//! Proof that comes late, from the side, or after the gateway had made up its mind.

use std::time::Duration;

use domain::{CaseState, CheckStatus, ItemState, News, OrderId, VendorRef};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use sandbox::{Fault, FaultKind};
use serde_json::json;
use sha2::Sha256;
use store::{Plan, Work};

use crate::world::{Options, World, draft};

/// A world whose Theary shows new orders in its list only after so long.
async fn lagging(settle: Duration, lag: Duration) -> World {
    let world = World::with(Options { settle, ..Options::default() }).await;
    let lag = u64::try_from(lag.as_millis()).expect("a short while");
    world.vendor("theary").control().set_behavior(json!({ "list_lag_ms": lag })).expect("a switch");
    world
}

/// A hook as Theary signs it: the search with this reference is completed.
fn completed_hook(world: &World, reference: &str) -> provider::HookRequest {
    let data = json!({ "searchId": "search_1", "externalSearchId": reference, "status": "COMPLETED" });
    let body =
        json!({ "event": "verification.completed", "occurredAt": "2026-01-01T00:02:00Z", "data": data }).to_string();
    let secret = sandbox::theary::Config::default().hook_secret;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(body.as_bytes());
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    let mut headers = HeaderMap::new();
    headers.insert("x-webhook-signature", signature.parse().expect("a header"));
    provider::HookRequest { headers, body: body.into(), received_at: world.engine.now() }
}

/// An order at Theary whose first call made its object, which shows up after so long and counts as absent until then.
async fn counted_as_absent(lag: Duration) -> (World, OrderId) {
    let world = lagging(Duration::from_mins(1), lag).await;
    world.vendor("theary").control().arm(Fault::new("create", FaultKind::DropAfter));
    let id = world.accept(draft("theary", 0)).await;
    world.engine.dispatch(&world.account("theary"), 1).await.expect("dispatched");
    while world.order(id).await.checks[0].status() != CheckStatus::Queued {
        world.engine.reconcile().await.expect("reconciled");
        world.clock.advance(Duration::from_secs(1));
    }
    (world, id)
}

#[tokio::test]
async fn an_answer_that_comes_after_absence_was_shown_binds_and_closes_the_case() {
    let (world, id) = counted_as_absent(Duration::from_mins(15)).await;
    // What a worker does that was slow: it records its call's answer at last.
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let mut order = tx.orders().lock(id).await.expect("read").expect("the order");
    let (check_id, now) = (order.checks[0].id, world.engine.now());
    let submission = order.checks[0].state.submission().expect("sent before");
    let vendor = VendorRef::order(world.books("theary").objects[0].id.clone());
    let events = order.tell(check_id, &News::Accepted { submission, vendor, provisional: false, at: now }, now);
    let plan = Plan { check_id, work: Some((Work::Follow, now)) };
    tx.orders().save(&order, &[plan], &events).await.expect("saved");
    tx.save().await.expect("saved");
    world.work_until_settled(&[id]).await;
    let check = world.order(id).await.checks.remove(0);
    assert_eq!((check.status(), check.state.sends), (CheckStatus::Completed, 1));
    let case = world.cases().await.remove(0);
    assert_eq!((case.state, case.items[0].state), (CaseState::Resolved, ItemState::Bound));
}

#[tokio::test]
async fn a_hook_that_comes_while_it_is_sent_again_shows_the_duplicate() {
    let (world, id) = counted_as_absent(Duration::from_secs(100)).await;
    let check = world.order(id).await.checks.remove(0);
    let account = world.account("theary");
    world.vendor("theary").control().arm(Fault::new("create", FaultKind::Delay).delay(Duration::from_secs(2)));
    world.clock.advance(Duration::from_mins(5));
    let told = async {
        while world.order(id).await.checks[0].status() != CheckStatus::Submitting {
            tokio::task::yield_now().await;
        }
        let hook = completed_hook(&world, &check.reference().to_string());
        world.engine.receive_hook(&account.key, hook).await.expect("stored");
        world.engine.read_inbox().await.expect("read");
        assert_eq!(world.cases().await[0].items[0].state, ItemState::Proven);
    };
    let (sent, ()) = tokio::join!(world.engine.dispatch(&account, 1), told);
    assert_eq!(sent.expect("dispatched"), 1);
    world.work_until_settled(&[id]).await;
    let case = world.cases().await.remove(0);
    assert_eq!((case.items[0].state, case.items[0].duplicates.len()), (ItemState::Duplicate, 1));
    assert_eq!(world.books("theary").with_reference(&check.reference().to_string()).count(), 2);
}

#[tokio::test]
async fn a_hook_for_what_counts_as_absent_stops_the_resend() {
    let (world, id) = counted_as_absent(Duration::from_mins(15)).await;
    let account = world.account("theary");
    let check = world.order(id).await.checks.remove(0);
    let hook = completed_hook(&world, &check.reference().to_string());
    world.engine.receive_hook(&account.key, hook).await.expect("stored");
    world.engine.read_inbox().await.expect("read");
    assert_eq!(world.order(id).await.checks[0].status(), CheckStatus::Unconfirmed);
    assert_eq!(world.cases().await[0].items[0].state, ItemState::Proven);
    // Nobody sends it, however long it takes to find.
    world.clock.advance(Duration::from_mins(14));
    world.work_until_settled(&[id]).await;
    let check = world.order(id).await.checks.remove(0);
    assert_eq!((check.state.sends, world.books("theary").calls_of("create")), (1, 1));
}

#[tokio::test]
async fn a_scan_for_another_case_is_not_the_late_scan_of_this_one() {
    let world = lagging(Duration::from_mins(1), Duration::from_secs(100)).await;
    let theary = world.vendor("theary").control();
    theary.arm(Fault::new("create", FaultKind::DropAfter));
    let first = world.accept(draft("theary", 0)).await;
    world
        .work_until(Duration::from_hours(2), "sent again", async || world.order(first).await.checks[0].state.sends == 2)
        .await;
    theary.arm(Fault::new("create", FaultKind::DropBefore));
    let second = world.accept(draft("theary", 1)).await;
    world.work_until_settled(&[first, second]).await;
    let check = world.order(first).await.checks.remove(0);
    assert_eq!(world.books("theary").with_reference(&check.reference().to_string()).count(), 2);
    let cases = world.cases().await;
    let item = cases.iter().flat_map(|case| &case.items).find(|item| item.check_id == check.id).expect("an item");
    assert_eq!((item.state, item.duplicates.len()), (ItemState::Duplicate, 1));
}

#[tokio::test]
async fn a_second_lost_answer_does_not_hide_what_the_first_call_made() {
    let world = lagging(Duration::from_mins(10), Duration::from_mins(15)).await;
    let theary = world.vendor("theary").control();
    theary.arm(Fault::new("create", FaultKind::DropAfter));
    theary.arm(Fault::new("create", FaultKind::DropBefore));
    let id = world.accept(draft("theary", 0)).await;
    world.work_until_settled(&[id]).await;
    let check = world.order(id).await.checks.remove(0);
    let made = world.books("theary").with_reference(&check.reference().to_string()).count();
    // The scans for the second call reach back to the first one's time, and find its order.
    assert_eq!((check.state.sends, made, check.status()), (2, 1, CheckStatus::Completed));
}

#[tokio::test]
async fn a_cancel_call_that_fails_is_not_made_again_at_once() {
    let world = World::new().await;
    let id = world.accept(draft("theary", 0)).await;
    let account = world.account("theary");
    world.engine.dispatch(&account, 1).await.expect("dispatched");
    world.vendor("theary").control().arm(Fault::new("cancel", FaultKind::StatusBefore).status(503).times(50));
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    world.engine.cancel(&mut tx, &store::Scope::All, id, domain::Reason::new("caller", "")).await.expect("noted");
    tx.save().await.expect("saved");
    while world.engine.follow(&account, 50).await.expect("followed") > 0 {}
    assert_eq!(world.books("theary").calls_of("cancel"), 1, "the clock has not moved");
}

#[tokio::test]
async fn after_a_long_outage_two_looks_settle_it() {
    let world = World::new().await;
    world.vendor("theary").control().arm(Fault::new("create", FaultKind::DropBefore));
    let id = world.accept(draft("theary", 0)).await;
    world.engine.dispatch(&world.account("theary"), 1).await.expect("dispatched");
    // The gateway is down for longer than window and grace together.
    world.clock.advance(Duration::from_hours(1));
    world.work_until_settled(&[id]).await;
    let check = world.order(id).await.checks.remove(0);
    assert_eq!((check.status(), check.state.sends), (CheckStatus::Completed, 2));
    assert!(world.cases().await.iter().all(|case| case.state == CaseState::Resolved));
}
