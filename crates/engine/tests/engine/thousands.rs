//! The promises at the size they are made for.

use std::time::{Duration, Instant};

use domain::CheckStatus;
use serde_json::json;
use trials::SideBySide;

use crate::world::{Options, World, draft};

const SETTLE: Duration = Duration::from_mins(15);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_orders_and_a_partial_failure_in_every_tenth_call_make_a_thousand_vendor_orders() {
    let begun = Instant::now();
    let options = Options { settle: SETTLE, timeout: Duration::from_secs(20), batch_size: 10, ..Options::default() };
    let world = World::with(options).await;
    let theary = world.vendor("theary").control();
    theary
        .set_behavior(json!({
            "batch_throw_every": 10, "siblings_after_error_ms": 120_000, "siblings_before_error": 3,
            "strangers_per_list": 1, "list_cap": 100,
            // Done by the first look, so that each check is looked at once.
            "start_after_ms": 10_000, "complete_after_ms": 60_000,
        }))
        .expect("switches");
    let batch = world.accept_batch("acme", (0..1_000).map(|number| draft("theary", number))).await;
    theary.make_strangers(200, &json!({ "kind": "mixed" }));
    world.work_until_batch_ends(batch).await;

    let both = SideBySide::of_batch(&world, "theary", batch).await;
    println!("{}\nit took {:.1?}", both.summary(), begun.elapsed());
    let calls: Vec<_> = both.lines.iter().flat_map(|line| &line.sends).filter(|sent| sent.together > 1).collect();
    assert!(calls.iter().all(|sent| sent.together == 10));
    assert_eq!(both.lines.len(), 1_000);
    assert!(both.lines.iter().all(|line| line.check.status() == CheckStatus::Completed && line.is_one_to_one()));
    assert_eq!((both.objects(), both.duplicates(), both.sent_too_early(SETTLE)), (1_000, 0, 0));
    // A hundred calls of ten; one check of each tenth call was nowhere, and was sent once more, alone.
    assert_eq!((calls.len(), both.sends(), both.creates), (1_000, 1_010, 110));
    assert!(both.strangers >= 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_unknown_among_ten_thousand_listed_cost_each_page_and_each_order_once() {
    let cost = trials::scan_cost(1_000, 10_000).await;
    println!("{cost:?}: {:.3} times the least", cost.ratio());
    assert_eq!(cost.found, 1_000);
    assert!(cost.ratio() <= 1.1, "{cost:?}");
}
