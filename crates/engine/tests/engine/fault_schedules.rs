//! Random orders under random faults, then a comparison of books. Each schedule is made from its seed alone; replay one
//! with `SEED=17 cargo test -p engine --test engine schedules`, or run more with `SCHEDULES=500`.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::world::{Options, VENDORS, World, draft_of};
use domain::{Case, Check, CheckStatus, ItemState, OrderId, Reason};
use futures::StreamExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use sandbox::{Fault, FaultKind};
use store::Scope;

/// How many schedules run where nobody says.
const SCHEDULES: u64 = 24;

#[tokio::test]
async fn whatever_fails_nothing_is_lost_and_nothing_is_doubled_unseen() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SCHEDULES").unwrap_or(SCHEDULES),
    };
    let faults: Vec<String> = futures::stream::iter(seeds).map(schedule).buffer_unordered(4).concat().await;
    assert!(faults.is_empty(), "{} violations:\n{}", faults.len(), faults.join("\n"));
}

/// Runs one schedule. Gives what it violated.
async fn schedule(seed: u64) -> Vec<String> {
    let random = &mut StdRng::seed_from_u64(seed);
    let settle = Duration::from_secs(random.random_range(30..300));
    let world = World::with(Options { settle, timeout: Duration::from_millis(800), ..Options::default() }).await;
    for vendor in VENDORS {
        for _ in 0..random.random_range(0..5) {
            world.vendor(vendor).control().arm(fault(random));
        }
        if random.random_bool(0.4) {
            world.vendor(vendor).control().make_strangers(random.random_range(1..8), &serde_json::json!({}));
        }
    }
    if random.random_bool(0.5) {
        // Less than any settle window: what is made shows up in time.
        let lag = random.random_range(0..20_000);
        world.vendor("theary").control().set_behavior(serde_json::json!({ "list_lag_ms": lag })).expect("a switch");
    }
    let mut orders = Vec::new();
    for order in 0..random.random_range(2..7) {
        let vendors: Vec<_> = VENDORS.into_iter().filter(|_| random.random_bool(0.5)).collect();
        let vendors = if vendors.is_empty() { vec!["theary"] } else { vendors };
        orders.push(world.accept(draft_of(&vendors, order)).await);
        match random.random_range(0..6) {
            0 => drop(world.work().await),
            1 => {
                let vendor = VENDORS.choose(random).expect("three vendors");
                world.engine.forget_a_ticket(&world.account(vendor)).await;
            }
            2 => cancel(&world, *orders.choose(random).expect("an order")).await,
            _ => {}
        }
    }
    world.work_until_settled(&orders).await;
    let cases = world.cases().await;
    let mut violations = Vec::new();
    let mut checks = Vec::new();
    for id in &orders {
        checks.extend(world.order(*id).await.checks);
    }
    for check in &checks {
        violations.extend(
            judge(&world, check, &cases)
                .into_iter()
                .map(|what| format!("seed {seed}: {} at {}: {what}", check.id, check.account)),
        );
    }
    violations
}

fn fault(random: &mut StdRng) -> Fault {
    let kinds = [
        FaultKind::DropBefore,
        FaultKind::DropAfter,
        FaultKind::StatusBefore,
        FaultKind::StatusAfter,
        FaultKind::Truncate,
        FaultKind::Garbage,
        FaultKind::Stall,
        FaultKind::RateLimit,
    ];
    let on = ["create", "create", "create", "list", "get", "searches", "cancel", "any"].choose(random).copied();
    let kind = kinds.choose(random).copied().unwrap_or(FaultKind::DropAfter);
    let status = [500, 502, 503, 504].choose(random).copied().unwrap_or(500);
    Fault::new(on.unwrap_or("create"), kind)
        .status(status)
        .times(random.random_range(1..3))
        .skip(random.random_range(0..3))
}

async fn cancel(world: &World, id: OrderId) {
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    world.engine.cancel(&mut tx, &Scope::All, id, Reason::new("caller", "no longer needed")).await.expect("noted");
    tx.save().await.expect("saved");
}

/// Holds the vendor's books against ours.
fn judge(world: &World, check: &Check, cases: &[Case]) -> Vec<String> {
    let mut violations = Vec::new();
    let books = world.books(check.account.provider.as_str());
    let reference = check.reference().to_string();
    let theirs: Vec<_> = books.with_reference(&reference).map(|object| object.id.as_str()).collect();
    let bound = check.state.binding().map(|binding| binding.vendor.order_id.as_str());
    let items: Vec<_> = cases
        .iter()
        .flat_map(|case| case.items.iter().map(move |item| (case, item)))
        .filter(|(_, item)| item.check_id == check.id)
        .collect();
    let recorded: BTreeSet<_> =
        items.iter().flat_map(|(_, item)| &item.duplicates).map(|vendor| vendor.order_id.as_str()).collect();
    match bound {
        Some(bound) if !theirs.contains(&bound) => {
            violations.push(format!("bound to {bound}, which the vendor's books do not hold for it"));
        }
        None if check.status() == CheckStatus::Completed => violations.push("completed without an object".into()),
        _ => {}
    }
    for object in &theirs {
        let is_known =
            bound == Some(*object) || recorded.contains(object) || check.status() == CheckStatus::NeedsReview;
        if !is_known {
            violations.push(format!("the vendor has {object}, which nobody here knows of"));
        }
    }
    for (case, item) in items {
        if item.resent_at.is_some_and(|resent| resent < case.window_ends_at) {
            violations.push(format!("sent again before the settle window of {} was over", case.id));
        }
        if item.state == ItemState::Absent && !item.is_settled() {
            violations.push("absent, and never settled".into());
        }
    }
    violations
}
