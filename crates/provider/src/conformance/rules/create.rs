//! Creating what can be created, and seeing it through.

use std::collections::BTreeSet;

use domain::case::Sighting;

use super::super::bench::{Bench, now, query, submission, told};
use crate::{Carries, ItemOutcome};

/// Every sample validates clean, is accepted with ids, and is in the books exactly once, under our reference.
pub async fn every_sample_is_accepted(make: impl AsyncFn() -> Bench) {
    let samples = make().await.samples;
    assert!(!samples.is_empty(), "a bench needs samples");
    for sample in samples {
        let bench = make().await;
        let faults = bench.provider.validate(&sample.order, &sample.check);
        assert!(faults.is_empty(), "{}: does not validate: {faults:?}", sample.name);

        let submission = submission([&sample]);
        let report = bench.submit(&submission).await;
        sample.is_not_in(&format!("{report:?}"));
        let ItemOutcome::Accepted(accepted) = &report.items[0] else {
            panic!("{}: not accepted: {}", sample.name, told(&report.items[0]));
        };
        assert!(!accepted.vendor.order_id.is_empty(), "{}: accepted without an id", sample.name);
        assert!(!accepted.reused, "{}: said to be an older object at an account that had none", sample.name);

        let books = bench.control.books().await;
        let ours = books.with_reference(&submission.items[0].reference.to_string());
        assert_eq!(ours.len(), 1, "{}: in the books: {ours:?}", sample.name);
        assert_eq!(ours[0].id, accepted.vendor.order_id, "{}: bound to another object", sample.name);
        if let Some(part) = &accepted.vendor.check_id {
            assert!(ours[0].parts.contains(part), "{}: {part} is no part of {:?}", sample.name, ours[0]);
        }
        assert_eq!(books.calls_of("create"), 1, "{}: a create call is made exactly once", sample.name);
    }
}

/// Every sample comes to the end that it is meant to come to, never says less than the vendor's own word, and says the
/// same when it is looked at again.
pub async fn every_sample_comes_to_its_end(make: impl AsyncFn() -> Bench) {
    for sample in make().await.samples {
        let bench = make().await;
        let (submission, accepted) = bench.order(&sample).await;
        let first = bench.settle(&sample, &accepted.vendor).await;
        assert!(
            sample.ends.are_reached(&first.standing),
            "{}: should have ended {:?}, ended {:?} ({:?})",
            sample.name,
            sample.ends,
            first.standing,
            first.native_status
        );
        if let Some(reference) = first.carries.ours() {
            assert_eq!(reference, submission.items[0].reference, "{}: the vendor gave another reference", sample.name);
        }
        assert_ne!(first.carries, Carries::Foreign, "{}: our own object is taken for somebody else's", sample.name);
        let again = bench.look(&sample, &accepted.vendor).await;
        assert!(first.standing == again.standing, "{}: another look at the same gave another result", sample.name);
        sample.is_not_in(&format!("{first:?} {:?}", first.documents));
    }
}

/// A batch is accepted item by item, each bound to the object that carries its reference.
pub async fn a_batch_is_accepted_whole(make: impl AsyncFn() -> Bench) {
    let bench = make().await;
    let size = bench.provider.descriptor().batch_size.min(4);
    if size < 2 {
        return;
    }
    let t0 = now();
    let batch = submission(bench.samples.iter().cycle().take(size));
    let report = bench.submit(&batch).await;
    let books = bench.control.books().await;
    let mut ids = BTreeSet::new();
    for (item, outcome) in batch.items.iter().zip(&report.items) {
        let ItemOutcome::Accepted(accepted) = outcome else { panic!("not accepted: {}", told(outcome)) };
        let ours = books.with_reference(&item.reference.to_string());
        assert_eq!(ours.len(), 1, "in the books: {ours:?}");
        assert_eq!(ours[0].id, accepted.vendor.order_id, "bound to the object of another item");
        ids.insert(accepted.vendor.order_id.clone());
    }
    assert_eq!(ids.len(), size, "two items share an object");

    let seen = bench.locate(&query([&batch], t0)).await;
    assert!(seen.complete, "{:?}", seen.incomplete_because);
    let found = |sighting: &Sighting| ids.contains(&sighting.vendor.order_id);
    assert_eq!(seen.found.iter().filter(|&sighting| found(sighting)).count(), size, "{:?}", seen.found);
}
