//! `kill -9` at random moments under load: whatever was answered is there afterwards, once.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{VENDORS, World, until};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sandbox::{Fault, FaultKind};
use tokio_util::sync::CancellationToken;

/// Processes that are killed.
const KILLS: u64 = 5;
/// Callers at once.
const CALLERS: usize = 4;
/// Orders of each caller while it is being killed.
const MOST_ORDERS: usize = 15;

/// The seed of this run: a given one (`VETGATE_KILL_SEED`), to run it again, or another one each time.
fn seed() -> u64 {
    let given = std::env::var("VETGATE_KILL_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(rand::random)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_by_processes_that_are_killed() {
    let seed = seed();
    println!("VETGATE_KILL_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let world = World::new().await;
    for vendor in VENDORS {
        // Long enough for a kill to fall between the vendor's work and its answer.
        world.vendor(vendor).control().arm(Fault {
            delay_ms: 30,
            times: 1_000_000,
            ..Fault::new("any", FaultKind::Delay)
        });
    }
    let (answered, enough) = (AtomicUsize::new(0), CancellationToken::new());
    let callers = (0..CALLERS).map(|caller| call(&world, caller, random.random(), &answered, &enough));
    let killer = async {
        let mut random = StdRng::seed_from_u64(seed.wrapping_add(1));
        for _ in 0..KILLS {
            let gateway = world.spawn(&["serve"]);
            // Moments are counted in what happens, not in time: they are the same on a slow machine.
            let moment = happened(&world, &answered) + random.random_range(1..40_u64);
            until("something happens", async || {
                (happened(&world, &answered) >= moment || all_posted(&answered)).then_some(())
            })
            .await;
            gateway.kill();
        }
        let gateway = world.start(&["serve"]).await;
        enough.cancel();
        gateway
    };
    let (ids, gateway) = tokio::join!(futures::future::join_all(callers), killer);
    let ids: Vec<_> = ids.into_iter().flatten().collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "each key made an order of its own");
    world.assert_settled(&ids).await;
    println!("{} orders, {} calls in doubt", ids.len(), world.cases().await.len());
    drop(gateway);
}

fn all_posted(answered: &AtomicUsize) -> bool {
    answered.load(Ordering::Relaxed) >= CALLERS * MOST_ORDERS
}

/// How much has happened: orders that were answered, and calls that vendors got.
fn happened(world: &World, answered: &AtomicUsize) -> u64 {
    let calls = |vendor: &&str| world.books(vendor).calls.values().sum::<u64>();
    VENDORS.iter().map(calls).sum::<u64>() + u64::try_from(answered.load(Ordering::Relaxed)).unwrap_or(u64::MAX)
}

/// Posts orders one after the other, each until it is answered. Gives their ids.
async fn call(
    world: &World,
    caller: usize,
    seed: u64,
    answered: &AtomicUsize,
    enough: &CancellationToken,
) -> Vec<String> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut ids = Vec::new();
    while !enough.is_cancelled() && ids.len() < MOST_ORDERS {
        let mut vendors = VENDORS.to_vec();
        vendors.retain(|_| random.random_bool(0.6));
        if vendors.is_empty() {
            continue;
        }
        let key = format!("caller-{caller}-{}", ids.len());
        ids.push(world.post(&world.new_order(&vendors), &key).await);
        answered.fetch_add(1, Ordering::Relaxed);
    }
    ids
}
