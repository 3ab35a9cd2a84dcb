//! Finding again what a lost answer was about.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::{CheckInput, OrderInput, Reference, Timestamp};

/// "Which of these are yours?", for every open doubt of an account at once.
#[derive(Clone)]
pub struct LocateQuery {
    pub sought: Vec<Sought>,
    /// Nothing that is looked for is older: the earliest create call less the skew of clocks.
    pub since: Timestamp,
    /// Nothing that is looked for is newer: the end of the latest settle window. A candidate that carries no reference
    /// yet is dismissed for good only if it is older than this and its parts were readable.
    pub until: Timestamp,
    /// When this scan began, by our clock.
    pub started_at: Timestamp,
    /// Vendor order ids that need not be read again: bound to checks, or dismissed by earlier scans. Nothing is said of
    /// them but that they are listed – and, where the list itself shows it, that they carry a reference that is sought, or
    /// are candidates: what was dismissed for want of a reference may be what never shows one.
    pub settled: BTreeSet<String>,
}

/// "What do you have of us?", for a whole account and a stretch of time, with nothing in doubt.
#[derive(Clone)]
pub struct SweepQuery {
    /// Nothing older is looked at. Where the vendor's list shows its order, the pages before it are not read.
    pub since: Timestamp,
    /// Nothing newer is looked at: the next sweep begins here. An object without a reference is dismissed only by a sweep
    /// that began later, so leave the time that a reference may take to appear.
    pub until: Timestamp,
    /// When this sweep began, by our clock.
    pub started_at: Timestamp,
    /// As [`LocateQuery::settled`].
    pub settled: BTreeSet<String>,
}

impl From<SweepQuery> for LocateQuery {
    /// The same stretch of time, with nothing sought.
    fn from(sweep: SweepQuery) -> Self {
        let SweepQuery { since, until, started_at, settled } = sweep;
        Self { sought: Vec::new(), since, until, started_at, settled }
    }
}

/// One reference that is looked for, with what helps to order the work and to show look-alikes.
#[derive(Clone)]
pub struct Sought {
    pub reference: Reference,
    pub sent_at: Timestamp,
    pub order: Arc<OrderInput>,
    pub check: Arc<CheckInput>,
}
