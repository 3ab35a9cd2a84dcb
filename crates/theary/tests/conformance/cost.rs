//! What a scan of a large account costs: its pages and each candidate once, however many checks are sought.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::case::Sightings;
use provider::conformance::{Books, Control};
use provider::{Share, SubmissionItem, SweepQuery};
use sandbox::{Fault, FaultKind};
use serde_json::json;

use crate::bench::{World, classes, jobs, now};

const NOW: Duration = Duration::ZERO;
const SOUGHT: u128 = 1_000;
const LISTED: usize = 10_000;
const PAGE: usize = 100;

/// A thousand orders of ours, made by batches whose answers were all lost, among nine thousand of another client.
async fn large_account(world: &World) -> Vec<SubmissionItem> {
    let control = world.simulator.control();
    let strangers = LISTED - usize::try_from(SOUGHT).expect("a size");
    control.make_strangers(strangers / 2, &json!({"kind": "foreign"}));
    control.arm(Fault::new("batch", FaultKind::DropAfter).times(100));
    let items = jobs(SOUGHT);
    for batch in items.chunks(10) {
        assert_eq!(classes(&world.submit(batch, None).await), vec!["unknown, resend"; 10]);
    }
    control.make_strangers(strangers / 2, &json!({"kind": "foreign"}));
    let books = control.books();
    assert_eq!((books.objects.len(), books.calls_of("batch")), (LISTED, 100));
    items
}

/// How many pages and how many searches the simulator was asked for.
fn asked(before: &Books, after: &Books) -> (usize, usize) {
    let made = after.calls_since(before);
    let of = |operation: &str| made.get(operation).map_or(0, |count| *count as usize);
    assert_eq!(made.values().sum::<u32>() as usize, of("list") + of("searches"), "{made:?}");
    (of("list"), of("searches"))
}

fn ids(seen: &Sightings) -> BTreeSet<String> {
    seen.listed.iter().map(|listed| listed.id.clone()).collect()
}

#[tokio::test]
async fn a_thousand_are_found_among_ten_thousand_by_reading_each_once() {
    let world = World::with(json!({})).await;
    let items = large_account(&world).await;
    let control = Control::at(world.simulator.base_url().clone());

    // Two look-alikes are made while each page is read: by the end of the list it has moved on by two pages.
    control.set_behavior(&json!({"strangers_per_list": 2})).await;
    let before = control.books().await;
    let mut query = world.query(&items, NOW);
    let first = world.locate(&query).await;
    let after = control.books().await;
    control.set_behavior(&json!({"strangers_per_list": 0})).await;
    assert!(first.complete, "{:?}", first.incomplete_because);
    world.found_what_is_there(&first, &items);
    let (pages, read) = asked(&before, &after);
    assert_eq!((first.pages as usize, first.read as usize, first.calls as usize), (pages, read, pages + read));
    assert_eq!(read, first.listed.len(), "each candidate once");
    assert!(read >= LISTED, "the whole account is of that time");
    let least = LISTED / PAGE;
    // What came in pushed the end of the list by three pages, and the row that was on top as far down for the second pass.
    assert!((least + 1..=least + 6).contains(&pages), "{pages} pages");
    let calls = pages + read;
    assert!(calls * 10 <= (least + LISTED) * 11, "{calls} calls for {least} pages and {LISTED} candidates");

    // Found is bound, foreign is dismissed: what is left to read came in meanwhile and carries nothing.
    query.settled = first.dismissed.iter().cloned().collect();
    query.settled.extend(first.found.iter().map(|found| found.vendor.order_id.clone()));
    let before = control.books().await;
    let second = world.locate(&query).await;
    let (pages, read) = asked(&before, &control.books().await);
    assert!(second.complete && second.found.is_empty(), "{:?}", second.incomplete_because);
    let open = ids(&second).difference(&query.settled).count();
    assert_eq!((pages, read), (second.objects as usize / PAGE + 2, open), "the pages, the top again, and what is open");
    assert!(open < LISTED / 20, "{open} are left to read");

    // With everything settled a scan costs its pages and one more look at the top; a sweep, too.
    query.settled = ids(&second);
    let before = control.books().await;
    let third = world.locate(&query).await;
    let (pages, read) = asked(&before, &control.books().await);
    assert!(third.complete);
    assert_eq!((pages, read), ((third.objects as usize).div_ceil(PAGE) + 1, 0));
    let sweep =
        SweepQuery { since: query.since, until: query.until, started_at: now(), settled: query.settled.clone() };
    let before = control.books().await;
    let seen = provider::Provider::sweep(&world.theary, &World::ctx(Share::LookUp), &sweep).await;
    assert!(seen.complete && seen.found.is_empty() && seen.dismissed.is_empty());
    assert_eq!(asked(&before, &control.books().await), ((seen.objects as usize).div_ceil(PAGE) + 1, 0));
}
