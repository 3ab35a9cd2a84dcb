//! Batches that fail in every way they can: nothing is called accepted, rejected or absent that is not, and whatever was
//! made is found again.

use std::time::Duration;

use domain::VendorRef;
use provider::{Carries, ItemOutcome};
use sandbox::{Fault, FaultKind};
use serde_json::json;

use crate::bench::{World, classes, jobs, with_ssn};
use crate::samples;

const NOW: Duration = Duration::ZERO;

fn unknown(count: usize) -> Vec<&'static str> {
    vec!["unknown, resend"; count]
}

/// (a) One order throws, its siblings are made before the answer.
#[tokio::test]
async fn a_throw_with_siblings_made_before_the_answer() {
    for status in [400, 422, 500] {
        let world = World::with(json!({"batch_throw_at": 1, "batch_throw_status": status})).await;
        let items = jobs(3);
        assert_eq!(classes(&world.submit(&items, None).await), unknown(3), "{status}");
        let seen = world.scan(&items, NOW).await;
        assert!(seen.complete && seen.found.len() == 2, "{:?}", seen.incomplete_because);
        world.found_what_is_there(&seen, &items);
    }
}

/// (b) One order throws, its siblings are made after the answer: the first scan proves nothing.
#[tokio::test]
async fn a_throw_with_siblings_made_after_the_answer() {
    let late = json!({"batch_throw_at": 0, "siblings_after_error_ms": 60_000, "siblings_before_error": 1});
    let world = World::with(late).await;
    let items = jobs(4);
    assert_eq!(classes(&world.submit(&items, None).await), unknown(4));
    let first = world.scan(&items, NOW).await;
    assert!(first.complete && first.found.len() == 1);
    world.found_what_is_there(&first, &items);

    let later = Duration::from_secs(61);
    world.simulator.control().advance(later);
    let second = world.scan(&items, later).await;
    assert!(second.complete && second.found.len() == 3);
    world.found_what_is_there(&second, &items);
}

/// (c), (d), (f) All were made, and the answer is lost.
#[tokio::test]
async fn all_made_and_the_answer_lost() {
    let faults = [
        ("cut", Fault::new("create", FaultKind::DropAfter), "connection_broken"),
        ("504", Fault::new("create", FaultKind::StatusAfter).status(504), "unexpected_status"),
        ("truncated", Fault::new("create", FaultKind::Truncate), "answer_truncated"),
        ("half", Fault::new("batch", FaultKind::Halve), "answer_unreadable"),
        ("garbage", Fault::new("create", FaultKind::Garbage), "answer_unreadable"),
        ("400 after the work", Fault::new("create", FaultKind::StatusAfter).status(400), "vendor_refused"),
        ("a flood", Fault::new("create", FaultKind::Flood), "answer_too_large"),
    ];
    for (case, fault, code) in faults {
        let world = World::with(json!({})).await;
        world.simulator.control().arm(fault);
        let items = jobs(3);
        let report = world.submit(&items, None).await;
        assert_eq!(classes(&report), unknown(3), "{case}");
        let ItemOutcome::Unknown { why, .. } = &report.items[0] else { panic!("unknown") };
        // In a batch a refusal says nothing about the single order.
        let expected = if code == "vendor_refused" { "unexpected_status" } else { code };
        assert_eq!(why.code, expected, "{case}");
        assert_eq!(world.simulator.control().books().calls_of("create"), 1, "{case}: sent once");
        let seen = world.scan(&items, NOW).await;
        assert!(seen.complete && seen.found.len() == 3, "{case}: {:?}", seen.incomplete_because);
        world.found_what_is_there(&seen, &items);
    }
}

/// (e) None was made.
#[tokio::test]
async fn none_made() {
    let world = World::with(json!({})).await;
    world.simulator.control().arm(Fault::new("create", FaultKind::StatusBefore));
    let items = jobs(3);
    assert_eq!(classes(&world.submit(&items, None).await), unknown(3));
    let (first, second) = (world.scan(&items, NOW).await, world.scan(&items, NOW).await);
    assert!(first.complete && second.complete && second.found.is_empty());
    assert_eq!(first.listed, second.listed);
}

/// (g) Made, and listed only later.
#[tokio::test]
async fn made_and_listed_later() {
    let world = World::with(json!({"list_lag_ms": 60_000})).await;
    world.simulator.control().arm(Fault::new("create", FaultKind::DropAfter));
    let items = jobs(3);
    assert_eq!(classes(&world.submit(&items, None).await), unknown(3));
    assert!(world.scan(&items, NOW).await.found.is_empty());
    let later = Duration::from_secs(61);
    world.simulator.control().advance(later);
    let seen = world.scan(&items, later).await;
    assert!(seen.complete && seen.found.len() == 3);
    world.found_what_is_there(&seen, &items);
}

/// (h) A success that contradicts itself.
#[tokio::test]
async fn a_success_that_miscounts() {
    let world = World::with(json!({"batch_miscounts": true})).await;
    let items = jobs(3);
    let report = world.submit(&items, None).await;
    assert_eq!(classes(&report), unknown(3));
    assert!(report.evidence.answer.expose().starts_with(b"{"), "the answer is kept for a person");
    let seen = world.scan(&items, NOW).await;
    assert!(seen.complete && seen.found.len() == 3);
    world.found_what_is_there(&seen, &items);
}

/// A success that leaves orders out, names one twice, or denies itself: all were made, and nothing in it is believed.
#[tokio::test]
async fn a_success_that_contradicts_itself() {
    for switches in [
        json!({"batch_omits": 1}),
        json!({"batch_omits": 3}),
        json!({"batch_repeats_id": true}),
        json!({"batch_denies": true}),
        json!({"batch_miscounts": true, "batch_shuffle": true}),
    ] {
        let world = World::with(switches.clone()).await;
        let items = jobs(3);
        let report = world.submit(&items, None).await;
        assert_eq!(classes(&report), unknown(3), "{switches}");
        let ItemOutcome::Unknown { why, .. } = &report.items[0] else { panic!("unknown") };
        assert_eq!(why.code, "contradictory_answer", "{switches}");
        let seen = world.scan(&items, NOW).await;
        assert!(seen.complete && seen.found.len() == 3, "{switches}");
        world.found_what_is_there(&seen, &items);
    }
}

/// Positions that lie: the look shows whose each order is, and the scan finds each under its own reference.
#[tokio::test]
async fn positions_that_are_wrong_are_shown_by_a_look() {
    let world = World::with(json!({"batch_shuffle": true})).await;
    let items = jobs(3);
    let report = world.submit(&items, None).await;
    let books = world.simulator.control().books();
    for (at, outcome) in report.items.iter().enumerate() {
        let ItemOutcome::Accepted(accepted) = outcome else { panic!("{outcome:?}") };
        assert!(accepted.provisional);
        let carries = world.look(&accepted.vendor).await.carries.ours();
        assert_eq!(carries, Some(items[2 - at].reference), "the list was turned around");
    }
    assert_eq!(
        books.creates[0].references,
        items.iter().map(|item| Some(item.reference.to_string())).collect::<Vec<_>>()
    );
    world.found_what_is_there(&world.scan(&items, NOW).await, &items);
}

/// An id of an order that was made before: provisional like the others, and the look shows that it is another check's.
#[tokio::test]
async fn an_older_orders_id_is_shown_by_a_look() {
    let world = World::with(json!({"batch_names_older": true})).await;
    let older = samples::employment(9);
    assert_eq!(classes(&world.submit(std::slice::from_ref(&older), None).await), ["accepted"]);
    let items = jobs(2);
    let report = world.submit(&items, None).await;
    let [ItemOutcome::Accepted(first), ItemOutcome::Accepted(second)] = report.items.as_slice() else { panic!() };
    assert!(first.provisional && second.provisional);
    assert_eq!(world.look(&first.vendor).await.carries.ours(), Some(older.reference));
    assert_eq!(world.look(&second.vendor).await.carries.ours(), Some(items[1].reference));
    // The older one is found, too, though nobody asked for it.
    let all = [items.as_slice(), &[older]].concat();
    world.found_what_is_there(&world.scan(&items, NOW).await, &all);
}

/// Bound by position to a stranger's order, with or without a reference: never taken for ours.
#[tokio::test]
async fn a_look_at_a_strangers_order_never_says_ours() {
    let world = World::with(json!({})).await;
    assert_eq!(classes(&world.submit(&jobs(1), None).await), ["accepted"]);
    for (kind, carries) in [("foreign", Carries::Foreign), ("bare", Carries::Nothing), ("empty", Carries::Nothing)] {
        let ids = world.simulator.control().make_strangers(1, &json!({"kind": kind}));
        assert_eq!(world.look(&VendorRef::order(&ids[0])).await.carries, carries, "{kind}");
        let gone = VendorRef { order_id: ids[0].clone(), check_id: Some("search_of_another_order".to_owned()) };
        assert_eq!(world.look(&gone).await.carries, carries, "{kind}, by a search that is not there");
    }
}

/// (i) Another client makes look-alikes while the scan reads.
#[tokio::test]
async fn look_alikes_made_during_the_scan() {
    let world = World::with(json!({"list_cap": 5})).await;
    let control = world.simulator.control();
    control.arm(Fault::new("create", FaultKind::DropAfter));
    let items = jobs(4);
    assert_eq!(classes(&world.submit(&items, None).await), unknown(4));
    control.make_strangers(12, &json!({"kind": "bare"}));
    control.set_behavior(json!({"strangers_per_list": 2})).expect("a switch");
    let seen = world.scan(&items, NOW).await;
    assert!(seen.complete, "{:?}", seen.incomplete_because);
    world.found_what_is_there(&seen, &items);
    assert!(seen.echoes && !seen.look_alikes.is_empty());
    let ours: Vec<&str> = seen.found.iter().map(|sighting| sighting.vendor.order_id.as_str()).collect();
    assert!(seen.look_alikes.iter().all(|alike| !ours.contains(&alike.vendor_order_id.as_str())));
}

/// The faulty order of a batch shows itself when it is sent singly, and its siblings are found, not sent again.
#[tokio::test]
async fn the_faulty_order_fails_alone() {
    for validates_first in [false, true] {
        let world = World::with(json!({"batch_validates_first": validates_first})).await;
        let mut items = jobs(3);
        items[1] = samples::item(2, with_ssn("900450098"), samples::employment_check());
        assert_eq!(classes(&world.submit(&items, None).await), unknown(3));
        let seen = world.scan(&items, NOW).await;
        assert_eq!(seen.found.len(), if validates_first { 0 } else { 2 });
        world.found_what_is_there(&seen, &items);
        assert_eq!(classes(&world.submit(&items[1..2], None).await), ["unknown, fail"]);
    }
}

/// A batch of two kinds, bound by position and confirmed by the first look.
#[tokio::test]
async fn positions_are_provisional_and_confirmed_by_a_look() {
    let world = World::with(json!({"post_status_200": true})).await;
    let items = vec![samples::employment(1), samples::education(2), samples::employment(3)];
    let report = world.submit(&items, None).await;
    for (item, outcome) in items.iter().zip(&report.items) {
        let ItemOutcome::Accepted(accepted) = outcome else { panic!("{outcome:?}") };
        assert!(accepted.provisional);
        let seen = world.look(&accepted.vendor).await;
        assert_eq!((seen.carries.ours(), seen.part_id), (Some(item.reference), accepted.vendor.check_id.clone()));
    }
    assert_eq!(world.simulator.control().books().calls_of("create"), 1);
}

/// What does not fit into a batch by size is not sent, and a batch of one is a single order.
#[tokio::test]
async fn large_orders_wait_for_the_next_call() {
    use base64::Engine as _;
    let world = World::with(json!({})).await;
    let mut pdf = b"%PDF-1.7 ".to_vec();
    pdf.resize(700 * 1024, b'x');
    let content_base64 = base64::engine::general_purpose::STANDARD.encode(pdf);
    let mut items = jobs(3);
    for item in &mut items {
        samples::edit(item, |order, _| {
            let content_base64 = content_base64.clone();
            let document = domain::ConsentDocument::Inline { filename: "release.pdf".to_owned(), content_base64 };
            order.consent.document = Some(document);
        });
    }
    assert_eq!(classes(&world.submit(&items, None).await), ["accepted", "not sent", "not sent"]);
    assert_eq!(world.simulator.control().books().objects.len(), 1);
}

/// An item that cannot be built is refused, and the others go.
#[tokio::test]
async fn an_item_that_cannot_be_built_is_rejected_alone() {
    let world = World::with(json!({})).await;
    let mut items = jobs(3);
    samples::edit(&mut items[0], |order, _| order.position = None);
    assert_eq!(classes(&world.submit(&items, None).await), ["rejected", "accepted", "accepted"]);
    assert_eq!(world.simulator.control().books().objects.len(), 2);
}
