//! A create call whose answer was lost is unknown, whatever the way it was lost in.

use domain::Reference;
use serde_json::json;

use super::super::bench::{Bench, context, now, query, submission, told};
use super::super::faults;
use crate::{ItemOutcome, Share, Submission};

/// Every lost answer is `Unknown`, after exactly one create call; looking then finds exactly what the books hold.
pub async fn a_lost_answer_is_unknown_and_found_again(make: impl AsyncFn() -> Bench) {
    for spoiled in faults::of_lost_creates() {
        let bench = make().await;
        let case = &spoiled.name;
        let t0 = now();
        let submission = submission([bench.plain()]);
        bench.control.arm(&spoiled.on("create", 0)).await;
        let report = bench.provider.submit(&context(Share::Create, spoiled.timeout()), &submission).await;
        bench.control.clear_faults().await;
        bench.plain().is_not_in(&format!("{report:?}"));
        let [outcome @ ItemOutcome::Unknown { .. }] = report.items.as_slice() else {
            panic!("{case}: {:?}", report.items.iter().map(told).collect::<Vec<_>>());
        };
        bench.plain().is_not_in(&told(outcome));
        assert_eq!(bench.control.books().await.calls_of("create"), 1, "{case}: a create call is made exactly once");
        finds_what_the_books_hold(&bench, &submission, t0, case).await;
    }
}

/// A look finds exactly the objects in the vendor's books that carry these references.
pub(super) async fn finds_what_the_books_hold(
    bench: &Bench,
    submission: &Submission,
    t0: domain::Timestamp,
    case: &str,
) {
    let seen = bench.locate(&query([submission], t0)).await;
    assert!(seen.complete, "{case}: the look is not complete: {:?}", seen.incomplete_because);
    let mut found: Vec<(Reference, String)> =
        seen.found.into_iter().map(|sighting| (sighting.reference, sighting.vendor.order_id)).collect();
    found.sort();
    let books = bench.control.books().await;
    let held = |reference: Reference| books.with_reference(&reference.to_string());
    let mut held: Vec<(Reference, String)> = submission
        .items
        .iter()
        .flat_map(|item| held(item.reference).into_iter().map(|entry| (item.reference, entry.id.clone())))
        .collect();
    held.sort();
    assert_eq!(found, held, "{case}: what was found is not what the books hold");
}

/// A refusal that comes after the work was done may be taken for a refusal where the vendor is known to check first, but
/// never for a call that can simply be repeated, nor for a success.
pub async fn a_refusal_after_the_work_is_never_called_unsent(make: impl AsyncFn() -> Bench) {
    for status in [400, 404, 409, 413, 422] {
        let bench = make().await;
        bench.control.arm(&json!({ "on": "create", "fault": "status_after", "status": status })).await;
        let report = bench.submit(&submission([bench.plain()])).await;
        assert!(
            matches!(report.items[0], ItemOutcome::Unknown { .. } | ItemOutcome::Rejected(_)),
            "{status}: {}",
            told(&report.items[0])
        );
        assert_eq!(bench.control.books().await.calls_of("create"), 1, "{status}: a create call is made exactly once");
    }
}
