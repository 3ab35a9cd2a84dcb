//! "What do you have of us?"

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use super::super::bench::{Bench, now, submission, told};
use super::super::faults;
use super::locate::{counts_its_calls, tells_what_it_read};
use crate::{ItemOutcome, SweepQuery};

/// Enough to fill more than one page at any vendor.
const STRANGERS: u32 = 60;

/// Everything that was made until now, by a sweep that began when no reference was still to come.
fn everything(since: domain::Timestamp) -> SweepQuery {
    let until = now() + Duration::from_secs(1);
    SweepQuery {
        since: since - Duration::from_mins(5),
        until,
        started_at: until + Duration::from_secs(1),
        settled: BTreeSet::new(),
    }
}

/// With nothing sought, ours are found, and everything else is dismissed; nothing is said of what is settled, nor of
/// what was made at another time.
pub async fn a_sweep_tells_ours_from_the_rest(make: impl AsyncFn() -> Bench) {
    let bench = make().await;
    let t0 = now();
    bench.control.make_strangers(STRANGERS / 2).await;
    let (one, accepted_one) = bench.order(bench.plain()).await;
    // Of the same subject: some vendors would answer with the first one.
    let mut two = submission([bench.plain()]);
    two.items[0].force_new = true;
    let accepted_two = match bench.submit(&two).await.items.swap_remove(0) {
        ItemOutcome::Accepted(accepted) => accepted,
        other => panic!("not accepted: {}", told(&other)),
    };
    bench.control.make_strangers(STRANGERS / 2).await;
    let ours = BTreeSet::from([
        (one.items[0].reference, accepted_one.vendor.order_id.clone()),
        (two.items[0].reference, accepted_two.vendor.order_id.clone()),
    ]);

    let before = bench.control.books().await;
    let seen = bench.sweep(&everything(t0)).await;
    let after = bench.control.books().await;
    assert!(seen.complete, "{:?}", seen.incomplete_because);
    tells_what_it_read(&seen, &before, &after, "a sweep");
    let found: BTreeSet<_> = seen.found.iter().map(|seen| (seen.reference, seen.vendor.order_id.clone())).collect();
    assert_eq!(found, ours, "a sweep finds ours without being told of them");
    assert_eq!(seen.found.len(), ours.len(), "an object was found twice");
    let strangers: BTreeSet<_> =
        after.objects.iter().filter(|object| object.stranger).map(|object| object.id.clone()).collect();
    let dismissed: BTreeSet<_> = seen.dismissed.iter().cloned().collect();
    assert_eq!(dismissed, strangers, "a sweep dismisses whatever is not ours");
    assert!(seen.look_alikes.is_empty(), "nothing was sought that anything could be like");
    let all: BTreeSet<_> = after.objects.iter().map(|object| object.id.clone()).collect();
    assert_eq!(seen.listed.iter().map(|listed| listed.id.clone()).collect::<BTreeSet<_>>(), all, "what was listed");
    bench.plain().is_not_in(&format!("{seen:?}"));

    let settled = SweepQuery { settled: BTreeSet::from([accepted_one.vendor.order_id]), ..everything(t0) };
    let seen = bench.sweep(&settled).await;
    let found: Vec<_> = seen.found.iter().map(|seen| seen.reference).collect();
    assert_eq!(found, [two.items[0].reference], "a sweep says nothing of what is settled");
    let settled = SweepQuery { settled: all, ..everything(t0) };
    let seen = bench.sweep(&settled).await;
    let says_nothing = seen.found.is_empty() && seen.dismissed.is_empty() && seen.look_alikes.is_empty();
    assert!(seen.complete && says_nothing, "a sweep says nothing of what is settled: {seen:?}");
    assert_eq!(seen.read, 0, "candidates that are settled were read again");

    let past = SweepQuery { until: t0 - Duration::from_mins(1), ..everything(t0) };
    let seen = bench.sweep(&past).await;
    let says_nothing = seen.found.is_empty() && seen.dismissed.is_empty() && seen.listed.is_empty();
    assert!(says_nothing, "a sweep says nothing of what was made at another time: {seen:?}");
}

/// A sweep that could not read everything says so, dismisses nothing of ours, and still counts its calls.
pub async fn a_sweep_says_what_it_could_not_read(make: impl AsyncFn() -> Bench) {
    let bench = make().await;
    let t0 = now();
    bench.control.make_strangers(STRANGERS / 2).await;
    let (ours, accepted) = bench.order(bench.plain()).await;
    bench.control.make_strangers(STRANGERS / 2).await;
    let before = bench.control.books().await;
    let whole = bench.sweep(&everything(t0)).await;
    let steps = bench.control.books().await.calls_since(&before);
    assert!(whole.complete, "{:?}", whole.incomplete_because);

    let mut faults = faults::of_any_answer();
    faults.retain(|spoiled| ["drop_before", "rate_limit", "truncate", "garbage"].contains(&spoiled.name.as_str()));
    for (operation, count) in steps {
        for skip in BTreeSet::from([0, count / 2, count - 1]) {
            for spoiled in &faults {
                let case = format!("{operation}, {} at call {}", spoiled.name, skip + 1);
                bench.control.arm(&spoiled.on(&operation, skip)).await;
                let before = bench.control.books().await;
                let seen = bench.sweep(&everything(t0)).await;
                let after = bench.control.books().await;
                bench.control.clear_faults().await;
                assert!(!seen.complete && seen.incomplete_because.is_some(), "{case}: called complete");
                counts_its_calls(&seen, &before, &after, &case);
                assert!(!seen.dismissed.contains(&accepted.vendor.order_id), "{case}: ours was dismissed");
                let invented = seen.found.iter().any(|found| found.reference != ours.items[0].reference);
                assert!(!invented, "{case}: found what is not there: {:?}", seen.found);
            }
        }
    }
    bench.control.arm(&json!({ "on": "any", "fault": "drop_before", "times": 1000 })).await;
    assert!(!bench.sweep(&everything(t0)).await.complete, "called complete without reading anything");
}
