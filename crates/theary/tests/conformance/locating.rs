//! Finding orders in lists that move, lag, shuffle and hide.

use std::time::Duration;

use axum::routing::get;
use axum::{Json, Router};
use provider::{Share, VendorHttp};
use serde_json::json;

use crate::bench::{World, adapter, classes, jobs};
use crate::samples;

const NOW: Duration = Duration::ZERO;

async fn ordered(world: &World, count: u128) -> Vec<provider::SubmissionItem> {
    let items = jobs(count);
    for item in &items {
        assert_eq!(classes(&world.submit(std::slice::from_ref(item), None).await), ["accepted"]);
    }
    items
}

/// Whatever the list does while it is read, every order of ours is found; or the scan says that it is not complete.
#[tokio::test]
async fn drifting_lists_are_read_until_they_hold_still() {
    for (case, switches, can_settle) in [
        ("still", json!({}), true),
        ("growing at the top", json!({"strangers_per_list": 3}), true),
        ("unordered", json!({"unordered": true}), true),
        ("unordered and growing", json!({"unordered": true, "strangers_per_list": 1}), true),
        ("shrinking", json!({"vanish_per_list": 1}), true),
        ("growing and shrinking", json!({"strangers_per_list": 1, "vanish_per_list": 1}), true),
        ("without pagination", json!({"no_pagination": true, "strangers_per_list": 1}), true),
    ] {
        let world = World::with(json!({"list_cap": 7})).await;
        let control = world.simulator.control();
        control.make_strangers(10, &json!({}));
        let items = ordered(&world, 5).await;
        control.make_strangers(30, &json!({}));
        control.set_behavior(switches).expect("switches");
        let seen = world.scan(&items, NOW).await;
        assert_eq!(seen.complete, can_settle, "{case}: {:?}", seen.incomplete_because);
        world.found_what_is_there(&seen, &items);
        assert!(!seen.stopped_early, "{case}: everything is of the time that is looked at");
    }
}

/// A still list of several pages costs its pages, one more look at its top, and a call per candidate.
#[tokio::test]
async fn a_scan_costs_pages_and_candidates() {
    let world = World::with(json!({})).await;
    let items = ordered(&world, 3).await;
    world.simulator.control().make_strangers(250, &json!({}));
    let ctx = World::ctx(Share::LookUp);
    let mut query = world.query(&items, NOW);
    let seen = provider::Provider::locate(&world.theary, &ctx, &query).await;
    assert!(seen.complete);
    assert_eq!((seen.pages, seen.objects, seen.calls), (4, 253, 4 + 253));
    assert_eq!(seen.calls, ctx.calls());

    // The window is over: what carries no reference of ours is dismissed, unless it is a look-alike.
    query.started_at = query.until + Duration::from_secs(1);
    let seen = world.locate(&query).await;
    assert_eq!(seen.dismissed.len(), 125, "the other half is alike and stays in sight");
    query.settled = seen.dismissed.into_iter().collect();
    let again = world.locate(&query).await;
    assert_eq!(again.calls, 4 + 128);
    assert_eq!(again.listed, seen.listed, "what is settled is still listed");
    world.found_what_is_there(&again, &items);
}

/// A newest-first list is read back to the time in question only.
#[tokio::test]
async fn old_pages_are_not_read() {
    let hour = Duration::from_hours(1).as_millis();
    for (switches, stops) in [(json!({"list_cap": 10}), true), (json!({"list_cap": 10, "unordered": true}), false)] {
        let world = World::with(switches).await;
        world.simulator.control().make_strangers(100, &json!({"age_ms": u64::try_from(hour).expect("an hour")}));
        let items = ordered(&world, 3).await;
        let seen = world.scan(&items, NOW).await;
        assert!(seen.complete, "{:?}", seen.incomplete_because);
        assert_eq!(seen.stopped_early, stops);
        assert_eq!(seen.listed.len(), 3, "what is older is not of that time");
        assert!(if stops { seen.pages == 3 } else { seen.pages >= 11 }, "{} pages", seen.pages);
        world.found_what_is_there(&seen, &items);
    }
}

/// An order can be listed before its searches are: until they are there nothing is absent.
#[tokio::test]
async fn an_order_without_its_searches_keeps_the_scan_open() {
    let world = World::with(json!({"searches_lag_ms": 60_000})).await;
    let items = ordered(&world, 2).await;
    let seen = world.scan(&items, NOW).await;
    assert!(!seen.complete && seen.found.is_empty() && seen.dismissed.is_empty());
    let later = Duration::from_secs(61);
    world.simulator.control().advance(later);
    let seen = world.scan(&items, later).await;
    assert!(seen.complete);
    world.found_what_is_there(&seen, &items);
}

/// An account that gives no references back: nothing binds, and look-alikes are shown as what they are.
#[tokio::test]
async fn without_references_there_are_look_alikes_only() {
    let world = World::with(json!({"drop_external_ids": true})).await;
    let items = ordered(&world, 2).await;
    world.simulator.control().make_strangers(3, &json!({"kind": "other"}));
    let seen = world.scan(&items, NOW).await;
    assert!(seen.complete && seen.found.is_empty() && !seen.echoes);
    assert_eq!(seen.look_alikes.len(), 4, "each sought check is like each of the two orders");
    assert!(seen.look_alikes[0].agrees_in.iter().any(|field| field == "last_name"));
    let shown = format!("{seen:?}");
    assert!(!shown.contains("Ada") && !shown.contains("Former Works"), "names of fields, never their values");
}

/// What another client's orders look like never binds.
#[tokio::test]
async fn foreign_orders_are_dismissed() {
    let world = World::with(json!({})).await;
    let items = ordered(&world, 1).await;
    let foreign = world.simulator.control().make_strangers(5, &json!({"kind": "foreign"}));
    let mut seen = world.scan(&items, NOW).await;
    seen.dismissed.sort();
    let mut expected = foreign;
    expected.sort();
    assert_eq!(seen.dismissed, expected);
    world.found_what_is_there(&seen, &items);
}

/// Our order may vanish from the list after it was deleted; that says nothing about whether it was made.
#[tokio::test]
async fn a_deleted_order_that_vanished_is_still_found_by_its_id() {
    let world = World::with(json!({"deleted_vanish": true})).await;
    ordered(&world, 1).await;
    let id = world.simulator.control().books().objects[0].id.clone();
    let vendor = domain::VendorRef::order(id);
    let why = domain::Reason::new("client_request", "");
    let ctx = World::ctx(Share::Poll);
    provider::Provider::cancel(&world.theary, &ctx, &vendor, &why).await.expect("a cancel");
    assert!(world.look(&vendor).await.standing.is_final());
}

/// An id that could not be kept, or none at all, hides no other order; and absence is not claimed.
#[tokio::test]
async fn an_order_with_a_bad_id_is_passed_over() {
    let ours = samples::reference(1).to_string();
    for id in [json!("x".repeat(4_096)), json!("ord\u{1}"), json!(" ord"), json!(null)] {
        let rows = json!({"data": [{"id": id}, {"id": "ord_1"}], "pagination": {"limit": 100, "total": 2}});
        let searches = json!([{"id": "search_1", "externalSearchId": ours}]);
        let router = Router::new()
            .route("/background-check/v1/orders", get(async move || Json(rows)))
            .route("/background-check/v1/orders/ord_1/searches", get(async move || Json(searches)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        tokio::spawn(async { axum::serve(listener, router).await });
        let mut world = World::with(json!({})).await;
        world.theary = adapter(&url.parse().expect("a URL"), "token", &VendorHttp::new());
        let seen = world.scan(&jobs(1), Duration::ZERO).await;
        assert!(!seen.complete && seen.incomplete_because.is_some(), "{id}");
        assert_eq!(seen.found.iter().map(|found| found.vendor.order_id.as_str()).collect::<Vec<_>>(), ["ord_1"]);
        assert_eq!(seen.listed.len(), 1, "{id}");
    }
}
