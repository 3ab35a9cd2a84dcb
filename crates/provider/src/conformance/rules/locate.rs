//! "Which of these are yours?"

use std::collections::BTreeSet;

use domain::case::Sightings;
use serde_json::json;

use super::super::bench::{Bench, now, query, submission};
use super::super::control::Books;
use super::super::faults;
use crate::{ItemOutcome, Submission};

/// Enough to fill more than one page at any vendor.
const STRANGERS: u32 = 60;

pub(super) fn counts_its_calls(seen: &Sightings, before: &Books, after: &Books, case: &str) {
    let made = after.calls_since(before);
    let total: u32 = made.values().sum();
    assert_eq!(seen.calls, total, "{case}: the look counts {} calls, the vendor {made:?}", seen.calls);
}

/// Of a look that nothing went wrong with: each call read a page or a candidate.
pub(super) fn tells_what_it_read(seen: &Sightings, before: &Books, after: &Books, case: &str) {
    counts_its_calls(seen, before, after, case);
    let pages = after.calls_since(before).get("list").copied().unwrap_or(0);
    assert_eq!(seen.pages, pages, "{case}: pages of the list");
    assert_eq!(seen.read, seen.calls - pages, "{case}: candidates that were read, beside the list");
}

/// Exactly ours are found among many others, each once; what was never sent is not; and what is settled costs no more.
pub async fn ours_are_found_among_strangers(make: impl AsyncFn() -> Bench) {
    let bench = make().await;
    let t0 = now();
    bench.control.make_strangers(STRANGERS / 2).await;
    let (ours, accepted) = bench.order(bench.plain()).await;
    bench.control.make_strangers(STRANGERS / 2).await;
    let never_sent = submission([bench.plain()]);

    let asked = query([&ours, &never_sent], t0);
    let before = bench.control.books().await;
    let seen = bench.locate(&asked).await;
    let after = bench.control.books().await;
    assert!(seen.complete, "{:?}", seen.incomplete_because);
    tells_what_it_read(&seen, &before, &after, "among strangers");
    assert!(seen.pages > 0, "no page was read");
    let found: Vec<_> = seen.found.iter().map(|seen| (seen.reference, seen.vendor.order_id.as_str())).collect();
    assert_eq!(found, [(ours.items[0].reference, accepted.vendor.order_id.as_str())]);
    let strangers: BTreeSet<_> =
        after.objects.iter().filter(|object| object.stranger).map(|object| &object.id).collect();
    assert_eq!(strangers.len(), STRANGERS as usize, "the simulator made other strangers than it was told");
    let binds_nobody_else = !seen.dismissed.contains(&accepted.vendor.order_id)
        && seen.look_alikes.iter().all(|alike| alike.vendor_order_id != accepted.vendor.order_id);
    assert!(binds_nobody_else, "ours is dismissed, or taken for a look-alike");
    assert!(seen.dismissed.iter().all(|id| strangers.contains(id)), "something unknown is dismissed");
    bench.plain().is_not_in(&format!("{seen:?}"));

    let mut asked = query([&never_sent], t0);
    asked.settled = after.objects.iter().map(|object| object.id.clone()).collect();
    let again = bench.locate(&asked).await;
    assert!(again.complete && again.found.is_empty(), "{:?}", again.found);
    assert!(again.calls <= seen.calls, "what is settled was read again: {} calls, then {}", seen.calls, again.calls);
    assert_eq!(again.read, 0, "candidates that are settled were read again");
}

/// If the vendor made two objects of one reference, both are found.
pub async fn every_copy_is_found(make: impl AsyncFn() -> Bench) {
    let bench = make().await;
    let t0 = now();
    let mut twice: Submission = submission([bench.plain()]);
    bench.submit(&twice).await;
    twice.items[0].force_new = true;
    let second = bench.submit(&twice).await;
    let books = bench.control.books().await;
    let held = books.with_reference(&twice.items[0].reference.to_string());
    let seen = bench.locate(&query([&twice], t0)).await;
    assert!(seen.complete, "{:?}", seen.incomplete_because);
    let found: BTreeSet<_> = seen.found.iter().map(|sighting| sighting.vendor.order_id.as_str()).collect();
    assert_eq!(found, held.iter().map(|entry| entry.id.as_str()).collect());
    assert_eq!(seen.found.len(), held.len(), "an object was found twice");
    if held.len() == 1
        && let ItemOutcome::Accepted(accepted) = &second.items[0]
    {
        assert_eq!(accepted.vendor.order_id, held[0].id, "accepted with the id of something else");
    }
}

/// A look that could not read everything says so, keeps what it saw, invents nothing, and still counts its calls.
pub async fn what_could_not_be_read_is_said(make: impl AsyncFn() -> Bench) {
    let bench = make().await;
    let t0 = now();
    bench.control.make_strangers(STRANGERS / 2).await;
    let (ours, accepted) = bench.order(bench.plain()).await;
    bench.control.make_strangers(STRANGERS / 2).await;
    let before = bench.control.books().await;
    let whole = bench.locate(&query([&ours], t0)).await;
    let steps = bench.control.books().await.calls_since(&before);
    assert!(whole.complete && !whole.found.is_empty(), "{:?}", whole.incomplete_because);

    let mut faults = faults::of_any_answer();
    // A time-out is as good as a cut here, and takes its time.
    faults.retain(|spoiled| spoiled.name != "stall");
    for (operation, count) in steps {
        // At the first call of its kind every fault; at later ones the two that differ most.
        let later =
            [1, count / 2, count - 1].into_iter().filter(|&skip| skip > 0 && skip < count).collect::<BTreeSet<_>>();
        let first = faults.iter().map(|spoiled| (0, spoiled));
        let cuts = faults.iter().filter(|spoiled| ["drop_before", "rate_limit"].contains(&spoiled.name.as_str()));
        let later = later.iter().flat_map(|&skip| cuts.clone().map(move |spoiled| (skip, spoiled)));
        for (skip, spoiled) in first.chain(later) {
            let case = format!("{operation}, {} at call {}", spoiled.name, skip + 1);
            bench.control.arm(&spoiled.on(&operation, skip)).await;
            let before = bench.control.books().await;
            let seen = bench.locate(&query([&ours], t0)).await;
            let after = bench.control.books().await;
            bench.control.clear_faults().await;
            assert!(!seen.complete, "{case}: called complete");
            assert!(seen.incomplete_because.is_some(), "{case}: does not say what is missing");
            counts_its_calls(&seen, &before, &after, &case);
            let invented = seen.found.iter().any(|found| found.vendor.order_id != accepted.vendor.order_id);
            assert!(!invented, "{case}: found what is not ours: {:?}", seen.found);
            assert!(!seen.dismissed.contains(&accepted.vendor.order_id), "{case}: ours was dismissed");
            if operation == "list" && skip > 0 {
                assert!(seen.objects > 0, "{case}: forgot the pages before");
            }
        }
    }
    // And a good look afterwards is whole again.
    let seen = bench.locate(&query([&ours], t0)).await;
    assert!(
        seen.complete && seen.found.len() == whole.found.len(),
        "a look after faults: {:?}",
        seen.incomplete_because
    );
    bench.control.arm(&json!({ "on": "any", "fault": "drop_before", "times": 1000 })).await;
    assert!(!bench.locate(&query([&ours], t0)).await.complete, "called complete without reading anything");
}
