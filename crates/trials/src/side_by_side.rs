//! What the gateway believes beside what a vendor's own books say, check by check.

use std::fmt::Write as _;

use domain::{BatchId, Case, Check, Order, OrderId};
use store::Scope;

use crate::watch::Sent;
use crate::world::{World, orders_of};

/// One check.
pub struct Line {
    pub check: Check,
    /// The ids of the vendor's objects that were made with its reference.
    pub theirs: Vec<String>,
    pub bound: Option<String>,
    /// Further objects that are recorded here.
    pub duplicates: Vec<String>,
    /// The create calls that carried it.
    pub sends: Vec<Sent>,
}

impl Line {
    /// Bound to the one object that the vendor has for it.
    pub fn is_one_to_one(&self) -> bool {
        self.theirs.len() == 1 && self.bound.as_ref() == self.theirs.first()
    }
}

/// Every check at one vendor.
pub struct SideBySide {
    pub lines: Vec<Line>,
    /// The vendor's objects of other clients.
    pub strangers: usize,
    /// The create calls that the vendor got, a batch for one.
    pub creates: u64,
}

impl SideBySide {
    /// Compares these orders' checks at a vendor with its books.
    pub async fn of(world: &World, vendor: &str, orders: &[OrderId]) -> Self {
        let mut tx = world.engine.store().begin().await.expect("a transaction");
        let orders: Vec<Order> = tx.orders().get_many(&Scope::All, orders).await.expect("read");
        drop(tx);
        let (cases, books, wire) = (world.cases().await, world.books(vendor), world.wire.all());
        let at_vendor = |check: &Check| check.account.provider.as_str() == vendor;
        let checks = orders.into_iter().flat_map(|order| order.checks).filter(at_vendor);
        let lines = checks.map(|check| {
            let reference = check.reference();
            let text = reference.to_string();
            Line {
                theirs: books.with_reference(&text).map(|object| object.id.clone()).collect(),
                bound: check.state.binding().map(|binding| binding.vendor.order_id.clone()),
                duplicates: duplicates(&cases, &check),
                sends: wire.iter().filter(|sent| sent.reference == reference).cloned().collect(),
                check,
            }
        });
        Self {
            lines: lines.collect(),
            strangers: books.objects.iter().filter(|object| object.stranger).count(),
            creates: books.calls_of("create"),
        }
    }

    pub async fn of_batch(world: &World, vendor: &str, batch: BatchId) -> Self {
        let mut tx = world.engine.store().begin().await.expect("a transaction");
        let orders = orders_of(&mut tx, batch).await;
        drop(tx);
        let ids: Vec<_> = orders.iter().map(|order| order.id).collect();
        Self::of(world, vendor, &ids).await
    }

    /// How many of the vendor's objects were made for these checks.
    pub fn objects(&self) -> usize {
        self.lines.iter().map(|line| line.theirs.len()).sum()
    }

    pub fn duplicates(&self) -> usize {
        self.lines.iter().map(|line| line.duplicates.len()).sum()
    }

    pub fn sends(&self) -> usize {
        self.lines.iter().map(|line| line.sends.len()).sum()
    }

    /// Create calls that came before the one before them could count as absent.
    pub fn sent_too_early(&self, settle: std::time::Duration) -> usize {
        let pairs = self.lines.iter().flat_map(|line| line.sends.windows(2));
        let too_early = pairs.filter(|pair| {
            let (ended, class) = pair[0].ended.unwrap_or((pair[0].at, crate::watch::Class::Unknown));
            class != crate::watch::Class::NotSent && pair[1].at < ended + settle
        });
        too_early.count()
    }

    /// A table: the vendor's books on the left, ours on the right.
    pub fn table(&self) -> String {
        let mut table = format!(
            "{:<38}  {:<14}  {:<16}  {:<14}  {:>10}  sends\n",
            "reference", "vendor has", "we say", "bound to", "duplicates"
        );
        for line in &self.lines {
            let theirs: Vec<_> = line.theirs.iter().map(|id| short(id)).collect();
            let sends = line.sends.iter().map(|sent| sent.together.to_string()).collect::<Vec<_>>().join("+");
            let _ = writeln!(
                table,
                "{:<38}  {:<14}  {:<16}  {:<14}  {:>10}  {} (of {})",
                line.check.reference().to_string(),
                theirs.join(" "),
                line.check.status().to_string(),
                line.bound.as_deref().map_or("-", short),
                line.duplicates.len(),
                line.sends.len(),
                if sends.is_empty() { "0" } else { &sends },
            );
        }
        let _ = writeln!(table, "{}", self.summary());
        table
    }

    pub fn summary(&self) -> String {
        let bound = self.lines.iter().filter(|line| line.is_one_to_one()).count();
        format!(
            "{} checks, {} vendor objects, {bound} bound one to one, {} duplicates, {} sends; {} create calls; {} objects of others",
            self.lines.len(),
            self.objects(),
            self.duplicates(),
            self.sends(),
            self.creates,
            self.strangers
        )
    }
}

fn duplicates(cases: &[Case], check: &Check) -> Vec<String> {
    let items = cases.iter().flat_map(|case| &case.items).filter(|item| item.check_id == check.id);
    let mut duplicates: Vec<String> =
        items.flat_map(|item| &item.duplicates).map(|vendor| vendor.order_id.clone()).collect();
    duplicates.sort();
    duplicates.dedup();
    duplicates
}

/// The end of an id, enough to tell it from others.
fn short(id: &str) -> &str {
    id.get(id.len().saturating_sub(8)..).unwrap_or(id)
}
