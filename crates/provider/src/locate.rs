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
    /// Vendor order ids that need not be read again: bound to checks, or dismissed by earlier scans.
    pub settled: BTreeSet<String>,
}

/// One reference that is looked for, with what helps to order the work and to show look-alikes.
#[derive(Clone)]
pub struct Sought {
    pub reference: Reference,
    pub sent_at: Timestamp,
    pub order: Arc<OrderInput>,
    pub check: Arc<CheckInput>,
}
