//! What it costs to find a thousand lost orders among ten thousand.

use std::time::{Duration, Instant};

use domain::CaseState;
use sandbox::{Fault, FaultKind};
use serde_json::json;

use crate::drafts::draft;
use crate::world::{Options, World};

/// Rows of a page of the vendor's list.
const PAGE: u64 = 100;

/// What it took, counted from the vendor's own books.
#[derive(Debug, Clone)]
pub struct ScanCost {
    /// Checks whose create calls were lost.
    pub unknown: u64,
    /// Orders in the vendor's list.
    pub listed: u64,
    /// Checks that were bound in the end.
    pub found: u64,
    /// Calls that the vendor got for it: pages of the list, and orders that were read.
    pub pages: u64,
    pub read: u64,
    /// The fewest calls that could do it: each page once, each order once.
    pub least: u64,
    pub took: Duration,
}

impl ScanCost {
    /// How many times the least it took.
    #[expect(clippy::cast_precision_loss, reason = "counts of calls are small")]
    pub fn ratio(&self) -> f64 {
        (self.pages + self.read) as f64 / self.least as f64
    }
}

/// Loses the answers of the calls for so many checks, all of which were made, among so many orders of the account in all,
/// and lets the gateway find them.
pub async fn scan_cost(unknown: u32, listed: u32) -> ScanCost {
    let options = Options { settle: Duration::from_mins(15), timeout: Duration::from_mins(1), ..Options::default() };
    let world = World::with(options).await;
    let theary = world.vendor("theary").control();
    theary.set_behavior(json!({ "list_cap": PAGE })).expect("a switch");
    theary.arm(Fault::new("create", FaultKind::StatusAfter).status(504).times(u32::MAX));
    world.accept_batch("acme", (0..unknown).map(|number| draft("theary", number))).await;
    let account = world.account("theary");
    while world.engine.dispatch(&account, 50).await.expect("dispatched") > 0 {}
    theary.clear_faults();
    theary.make_strangers((listed - unknown) as usize, &json!({ "kind": "mixed" }));
    assert_eq!(world.books("theary").objects.len(), listed as usize, "the vendor's orders");

    let (begun, before) = (Instant::now(), world.books("theary"));
    // So many failures have opened the circuit: once its break is over, looking begins.
    while !world.cases().await.iter().all(|case| case.state == CaseState::Resolved) {
        world.clock.advance(Duration::from_secs(5));
        world.engine.reconcile().await.expect("reconciled");
    }
    let (took, after) = (begun.elapsed(), world.books("theary"));
    let calls = |operation| after.calls_of(operation) - before.calls_of(operation);
    let cases = world.cases().await;
    let found = cases.iter().flat_map(|case| &case.items).filter(|item| item.bound.is_some()).count();
    let listed = u64::from(listed);
    ScanCost {
        unknown: unknown.into(),
        listed,
        found: found as u64,
        pages: calls("list"),
        read: calls("searches"),
        least: listed.div_ceil(PAGE) + listed,
        took,
    }
}
