//! What is counted: the promises with how often each was examined and broken, what was made to fail, and what came of it.

use std::collections::BTreeMap;

/// What must hold after every schedule, whatever failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    CheckEnds,
    OwnObject,
    ObjectKnown,
    SettleRule,
    CanceledStays,
    CaseSettles,
    BatchCounts,
    BatchEnds,
    EventsInOrder,
    ForgeryRefused,
    WorkersGoOn,
    WorkersRest,
}

impl Invariant {
    pub const ALL: [Self; 12] = [
        Self::CheckEnds,
        Self::OwnObject,
        Self::ObjectKnown,
        Self::SettleRule,
        Self::CanceledStays,
        Self::CaseSettles,
        Self::BatchCounts,
        Self::BatchEnds,
        Self::EventsInOrder,
        Self::ForgeryRefused,
        Self::WorkersGoOn,
        Self::WorkersRest,
    ];

    /// The promise, and what was examined for it.
    pub const fn says(self) -> &'static str {
        match self {
            Self::CheckEnds => "an accepted check is final in the end, or waits for a person",
            Self::OwnObject => "a bound check's object exists at the vendor and carries its reference",
            Self::ObjectKnown => "an object made for a check is bound, or recorded as a duplicate or an orphan",
            Self::SettleRule => "nothing is sent again before its settle rule",
            Self::CanceledStays => "nothing is sent of what was canceled before",
            Self::CaseSettles => "a case is resolved in the end, or waits for a person",
            Self::BatchCounts => "a batch's counts equal a full count",
            Self::BatchEnds => "a batch has ended if and only if all its checks are final",
            Self::EventsInOrder => "an order's events are in order, and nothing final goes on",
            Self::ForgeryRefused => "a forged hook is refused",
            Self::WorkersGoOn => "no worker fails for good",
            Self::WorkersRest => "workers rest when nothing is due",
        }
    }

    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CheckEnds => "check_ends",
            Self::OwnObject => "own_object",
            Self::ObjectKnown => "object_known",
            Self::SettleRule => "settle_rule",
            Self::CanceledStays => "canceled_stays",
            Self::CaseSettles => "case_settles",
            Self::BatchCounts => "batch_counts",
            Self::BatchEnds => "batch_ends",
            Self::EventsInOrder => "events_in_order",
            Self::ForgeryRefused => "forgery_refused",
            Self::WorkersGoOn => "workers_go_on",
            Self::WorkersRest => "workers_rest",
        }
    }
}

/// How often a promise was examined, and how often it was found broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    pub examined: u64,
    pub violated: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tallies {
    invariants: BTreeMap<Invariant, Count>,
    /// What was made to fail, by its name.
    pub injected: BTreeMap<String, u64>,
    /// What came of it.
    pub came: BTreeMap<&'static str, u64>,
}

impl Tallies {
    pub fn invariant(&self, invariant: Invariant) -> Count {
        self.invariants.get(&invariant).copied().unwrap_or_default()
    }

    pub fn inject(&mut self, what: impl Into<String>, times: u64) {
        if times > 0 {
            *self.injected.entry(what.into()).or_default() += times;
        }
    }

    pub fn came(&mut self, what: &'static str, times: u64) {
        *self.came.entry(what).or_default() += times;
    }

    /// Adds another schedule's.
    pub fn add(&mut self, other: &Self) {
        for (invariant, count) in &other.invariants {
            let sum = self.invariants.entry(*invariant).or_default();
            sum.examined += count.examined;
            sum.violated += count.violated;
        }
        for (what, times) in &other.injected {
            self.inject(what, *times);
        }
        for (what, times) in &other.came {
            self.came(what, *times);
        }
    }
}

/// What one schedule came to.
#[derive(Debug, Clone, Default)]
pub struct Report {
    pub seed: u64,
    /// In sentences, each with the seed to run it again.
    pub violations: Vec<String>,
    pub tallies: Tallies,
}

impl Report {
    pub(crate) fn examine(&mut self, invariant: Invariant, holds: bool, what: impl FnOnce() -> String) {
        let count = self.tallies.invariants.entry(invariant).or_default();
        count.examined += 1;
        if !holds {
            count.violated += 1;
            self.violations.push(format!("seed {}: {}: {}", self.seed, invariant.name(), what()));
        }
    }
}

impl std::fmt::Display for Tallies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "examined  violated  promise")?;
        for invariant in Invariant::ALL {
            let Count { examined, violated } = self.invariant(invariant);
            writeln!(f, "{examined:>8}  {violated:>8}  {}", invariant.says())?;
        }
        writeln!(f, "made to fail:")?;
        for (what, times) in &self.injected {
            writeln!(f, "{times:>8}  {what}")?;
        }
        writeln!(f, "what came of it:")?;
        for (what, times) in &self.came {
            writeln!(f, "{times:>8}  {what}")?;
        }
        Ok(())
    }
}
