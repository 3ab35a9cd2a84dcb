//! Bindings by position in a batch's answer, and what happens when the position was wrong.

use std::sync::Arc;
use std::time::Duration;

use domain::{BatchId, CaseState, Check, CheckStatus, Order, Reason};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use provider::call::Unlimited;
use provider::{CallContext, Share};
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};
use sha2::Sha256;
use store::Scope;

use crate::world::{Options, World, checks_of, draft, orders_of};

/// A batch whose one call was made and answered, and nothing else yet.
async fn answered(switches: Value, count: u32) -> (World, BatchId) {
    let world = World::new().await;
    world.vendor("theary").control().set_behavior(switches).expect("a switch");
    let batch = world.accept_batch("acme", (0..count).map(|number| draft("theary", number))).await;
    world.engine.dispatch(&world.account("theary"), 1).await.expect("dispatched");
    for check in checks_of(&world, batch).await {
        assert!(check.state.binding().is_some_and(|binding| binding.provisional));
    }
    (world, batch)
}

async fn cancel(world: &World, order: &Order) {
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    let why = Reason::new("caller", "The candidate withdrew.");
    world.engine.cancel(&mut tx, &Scope::All, order.id, why).await.expect("noted");
    tx.save().await.expect("saved");
}

/// The vendor's object that was made for this check.
fn truly(world: &World, check: &Check) -> sandbox::BookEntry {
    let (books, reference) = (world.books("theary"), check.reference().to_string());
    let mut objects = books.with_reference(&reference);
    let object = objects.next().expect("made").clone();
    assert!(objects.next().is_none(), "and made once");
    object
}

fn bound(check: &Check) -> &str {
    check.state.binding().map_or("", |binding| &binding.vendor.order_id)
}

fn is_right(world: &World, check: &Check) -> bool {
    let binding = check.state.binding().expect("bound");
    !binding.provisional && binding.vendor.order_id == truly(world, check).id
}

#[tokio::test]
async fn a_binding_by_position_is_looked_at_at_once_and_confirmed() {
    let (world, batch) = answered(json!({}), 10).await;
    while world.engine.follow(&world.account("theary"), 50).await.expect("followed") > 0 {}
    assert!(checks_of(&world, batch).await.iter().all(|check| is_right(&world, check)), "the clock has not moved");
    assert!(world.cases().await.is_empty());
}

#[tokio::test]
async fn swapped_positions_are_doubts_of_one_call_in_one_case() {
    let (world, batch) = answered(json!({ "batch_shuffle": true }), 10).await;
    let wrong = checks_of(&world, batch).await.iter().filter(|check| bound(check) != truly(&world, check).id).count();
    assert!(wrong > 1);
    while world.engine.follow(&world.account("theary"), 50).await.expect("followed") > 0 {}
    let cases = world.cases().await;
    assert_eq!((cases.len(), cases[0].items.len(), cases[0].why.code.as_str()), (1, wrong, "misbound"));
    world.work_until_batch_ends(batch).await;
    let checks = checks_of(&world, batch).await;
    assert!(checks.iter().all(|check| is_right(&world, check) && check.status() == CheckStatus::Completed));
    assert!(checks.iter().all(|check| check.state.sends == 1), "found, not sent again");
    assert!(world.cases().await.iter().all(|case| case.state == CaseState::Resolved));
}

#[tokio::test]
async fn an_object_that_is_not_there_is_looked_for_and_not_made_again() {
    let (world, batch) = answered(json!({}), 3).await;
    let gone = Fault::new("searches", FaultKind::StatusBefore).status(404);
    world.vendor("theary").control().arm(gone);
    while world.engine.follow(&world.account("theary"), 50).await.expect("followed") > 0 {}
    let statuses: Vec<_> = checks_of(&world, batch).await.iter().map(Check::status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == CheckStatus::Unconfirmed).count(), 1, "{statuses:?}");
    world.work_until_batch_ends(batch).await;
    let checks = checks_of(&world, batch).await;
    assert!(checks.iter().all(|check| is_right(&world, check) && check.state.sends == 1));
    let case = world.cases().await.remove(0);
    assert_eq!((case.items.len(), case.sent_at), (1, checks[0].created_at), "it reaches back to the call");
}

#[tokio::test]
async fn only_the_right_object_is_ever_canceled() {
    let (world, batch) = answered(json!({ "batch_shuffle": true }), 10).await;
    let orders = orders_of(&world, batch).await;
    let misplaced = orders.iter().find(|order| bound(&order.checks[0]) != truly(&world, &order.checks[0]).id);
    let canceled = misplaced.expect("they are shuffled");
    cancel(&world, canceled).await;
    world.work_until_batch_ends(batch).await;
    for order in &orders {
        let check = world.order(order.id).await.checks.remove(0);
        let is_canceled = order.id == canceled.id;
        assert_eq!(truly(&world, &check).canceled, is_canceled, "{}", check.reference());
        assert_eq!(check.status() == CheckStatus::Canceled, is_canceled, "{}", check.reference());
    }
}

#[tokio::test]
async fn where_the_vendor_gives_no_reference_back_positions_are_all_there_is() {
    let (world, batch) = answered(json!({ "drop_external_ids": true }), 4).await;
    world.work_until_batch_ends(batch).await;
    let checks = checks_of(&world, batch).await;
    assert!(checks.iter().all(|check| check.status() == CheckStatus::Completed));
    assert!(checks.iter().all(|check| check.state.binding().is_some_and(|binding| binding.provisional)));
    assert!(world.cases().await.is_empty());
}

#[tokio::test]
async fn where_the_vendor_gives_no_reference_back_a_cancel_is_refused_and_says_why() {
    let mute = json!({ "drop_external_ids": true, "complete_after_ms": 7_200_000 });
    let (world, batch) = answered(mute, 2).await;
    let order = orders_of(&world, batch).await.remove(0);
    cancel(&world, &order).await;
    let reason = async || {
        let check = world.order(order.id).await.checks.remove(0);
        check.state.status_reason().map(|why| why.code.clone())
    };
    world.work().await;
    assert_eq!(reason().await, None, "so soon after the call it may yet be confirmed");
    world
        .work_until(Duration::from_hours(1), "the cancel is refused", async || {
            reason().await.as_deref() == Some("not_confirmed")
        })
        .await;
    assert_eq!(world.order(order.id).await.checks[0].status(), CheckStatus::InProgress);
    world.work_until_batch_ends(batch).await;
    assert!(checks_of(&world, batch).await.iter().all(|check| check.status() == CheckStatus::Completed));
    assert_eq!(world.books("theary").calls_of("cancel"), 0, "it might be another's");
}

#[tokio::test]
async fn no_ending_is_taken_of_an_object_that_does_not_show_yet_whose_it_is() {
    let late = json!({ "batch_shuffle": true, "searches_lag_ms": 1_200_000, "complete_after_ms": 86_400_000 });
    for echoes in [true, false] {
        let (world, batch) = answered(late.clone(), 4).await;
        let account = world.account("theary");
        if echoes {
            world.engine.store().set_echoes(&account.key).await.expect("noted");
        }
        // The order of one check is canceled in the vendor's dashboard, at whichever check's place it stands.
        let checks = checks_of(&world, batch).await;
        let wrong = checks.iter().find(|check| bound(check) != truly(&world, check).id).expect("they are shuffled");
        let canceled = bound(wrong).to_owned();
        let theirs = domain::VendorRef::order(canceled.as_str());
        let ctx = CallContext::new(Share::Create, Duration::from_secs(5), Arc::new(Unlimited));
        account.provider.cancel(&ctx, &theirs, &Reason::new("caller", "")).await.expect("canceled");
        // Young it is looked at again in any account, and later as well in one that gives references back.
        world.clock.advance(if echoes { Duration::from_mins(15) } else { Duration::from_secs(90) });
        while world.engine.follow(&account, 50).await.expect("followed") > 0 {}
        assert!(checks_of(&world, batch).await.iter().all(|check| check.status() == CheckStatus::InProgress));
        if echoes {
            world
                .work_until(Duration::from_hours(2), "each is bound to its own", async || {
                    checks_of(&world, batch)
                        .await
                        .iter()
                        .all(|check| check.state.binding().is_some_and(|binding| !binding.provisional))
                })
                .await;
            for check in checks_of(&world, batch).await {
                assert!(is_right(&world, &check) && check.state.sends == 1);
            }
        }
    }
}

#[tokio::test]
async fn swapped_positions_are_found_even_when_the_window_of_an_earlier_case_is_long_over() {
    let (world, batch) = answered(json!({ "batch_shuffle": true }), 6).await;
    // Nobody looked for a day: the process was down.
    world.clock.advance(Duration::from_hours(24));
    world.work_until_batch_ends(batch).await;
    let checks = checks_of(&world, batch).await;
    assert!(checks.iter().all(|check| is_right(&world, check) && check.state.sends == 1));
}

/// A hook as Theary signs it.
fn completed_hook(world: &World, reference: &str, search: &str) -> provider::HookRequest {
    let data = json!({
        "searchId": search, "externalSearchId": reference, "status": "COMPLETED", "searchType": "EMPLOYMENT",
        "verificationResult": { "id": "r", "outcome": "VERIFIED", "discrepancy": false },
    });
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

/// A hook that names the check's own search says nothing of the order that the check is bound to by position: it is kept,
/// and taken in once a look has shown whose that is, long before the vendor's own work is done.
async fn its_hook_waits_for_a_look(world: &World, check: &Check) {
    let hook = completed_hook(world, &check.reference().to_string(), &truly(world, check).parts[0]);
    world.engine.receive_hook(&world.account("theary").key, hook).await.expect("stored");
    world.engine.read_inbox().await.expect("read");
    let told = world.order(check.order_id).await.checks.remove(0);
    assert_eq!(told.status(), CheckStatus::InProgress, "nothing is believed of what may be the wrong object");
    world
        .work_until(Duration::from_mins(5), "the hook is taken in", async || {
            world.order(check.order_id).await.checks[0].status() == CheckStatus::Completed
        })
        .await;
    assert!(is_right(world, &world.order(check.order_id).await.checks[0]));
}

#[tokio::test]
async fn a_hook_that_names_the_search_of_the_answer_is_taken_in_once_a_look_has_confirmed_the_binding() {
    let (world, batch) = answered(json!({}), 3).await;
    let check = checks_of(&world, batch).await.remove(0);
    its_hook_waits_for_a_look(&world, &check).await;
}

#[tokio::test]
async fn a_hook_does_not_confirm_an_order_that_the_answer_put_beside_the_right_search() {
    let world = World::new().await;
    let account = world.account("theary");
    world.accept(draft("theary", 100)).await;
    world.engine.dispatch(&account, 1).await.expect("dispatched");
    world.vendor("theary").control().set_behavior(json!({ "batch_names_older": true })).expect("a switch");
    let batch = world.accept_batch("acme", (0..3).map(|number| draft("theary", number))).await;
    world.engine.dispatch(&account, 1).await.expect("dispatched");
    let mut checks = checks_of(&world, batch).await.into_iter();
    let check = checks.find(|check| bound(check) != truly(&world, check).id).expect("an older order was named");
    its_hook_waits_for_a_look(&world, &check).await;
}

#[tokio::test]
async fn a_hook_for_a_check_that_is_bound_to_the_wrong_object_waits_for_the_right_one() {
    let (world, batch) = answered(json!({ "batch_shuffle": true }), 10).await;
    let checks = checks_of(&world, batch).await;
    let check = checks.iter().find(|check| bound(check) != truly(&world, check).id).expect("they are shuffled");
    its_hook_waits_for_a_look(&world, check).await;
}

#[tokio::test]
async fn hooks_that_overtake_the_answer_of_a_batch_call_are_taken_in_after_it() {
    let world = World::with(Options { timeout: Duration::from_secs(10), ..Options::default() }).await;
    world.vendor("theary").control().arm(Fault::new("batch", FaultKind::Delay).delay(Duration::from_secs(2)));
    let batch = world.accept_batch("acme", (0..3).map(|number| draft("theary", number))).await;
    let account = world.account("theary");
    let early = async {
        while world.books("theary").objects.len() < 3 {
            tokio::task::yield_now().await;
        }
        for check in checks_of(&world, batch).await {
            let hook = completed_hook(&world, &check.reference().to_string(), &truly(&world, &check).parts[0]);
            world.engine.receive_hook(&account.key, hook).await.expect("stored");
        }
        world.engine.read_inbox().await.expect("read");
        assert!(checks_of(&world, batch).await.iter().all(|check| check.status() == CheckStatus::Submitting));
    };
    let (sent, ()) = tokio::join!(world.engine.dispatch(&account, 1), early);
    assert_eq!(sent.expect("dispatched"), 1);
    world
        .work_until(Duration::from_mins(5), "the hooks are taken in", async || {
            checks_of(&world, batch).await.iter().all(|check| check.status() == CheckStatus::Completed)
        })
        .await;
    assert!(checks_of(&world, batch).await.iter().all(|check| is_right(&world, check)));
    assert!(world.cases().await.is_empty());
}
