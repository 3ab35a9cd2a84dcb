//! Random orders and batches under random faults, then a comparison of books. Each schedule is made from its seed alone;
//! replay one with `SEED=17 cargo test -p engine --test engine schedules`, or run more with `SCHEDULES=500`.

use futures::StreamExt as _;
use trials::{Options, Tallies};

/// How many schedules run where nobody says.
const SCHEDULES: u64 = 16;
/// So many at once: they wait for simulators that let calls hang.
const AT_ONCE: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_fails_nothing_is_lost_and_nothing_is_doubled_unseen() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SCHEDULES").unwrap_or(SCHEDULES),
    };
    let options = Options::default();
    let run = |seed| {
        let options = options.clone();
        async move { tokio::spawn(async move { trials::schedule(seed, &options).await }).await.expect("it runs") }
    };
    let mut reports = futures::stream::iter(seeds).map(run).buffer_unordered(AT_ONCE);
    let (mut tallies, mut violations) = (Tallies::default(), Vec::new());
    while let Some(report) = reports.next().await {
        tallies.add(&report.tallies);
        violations.extend(report.violations);
    }
    println!("{tallies}");
    assert!(violations.is_empty(), "{} violations:\n{}", violations.len(), violations.join("\n"));
}
