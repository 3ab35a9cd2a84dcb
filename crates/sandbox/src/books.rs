//! A simulator's own truth: what it made, and which calls it got.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::faults;

/// One object that the vendor holds, as its books show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookEntry {
    pub id: String,
    /// The ids of its parts, for vendors whose orders have parts.
    #[serde(default)]
    pub parts: Vec<String>,
    /// Every reference of the client's that it was made with, whether the vendor gives it back or not.
    #[serde(default)]
    pub references: Vec<String>,
    /// The vendor's own word.
    pub state: String,
    /// RFC 3339.
    pub created_at: String,
    #[serde(default)]
    pub canceled: bool,
    /// Made by another client of the same account.
    #[serde(default)]
    pub stranger: bool,
}

/// A create call whose work the vendor began, whatever became of its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateCall {
    /// `create`, or `batch` for a call that may make many.
    pub operation: String,
    /// RFC 3339.
    pub at: String,
    /// What the client asked for, in its order: the reference of each order, or of each of its parts where it has some;
    /// `null` where one brought none.
    pub references: Vec<Option<String>>,
}

/// A batch of the vendor's own: a file of rows that become objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchEntry {
    pub id: String,
    /// The vendor's own word.
    pub state: String,
    /// RFC 3339.
    pub created_at: String,
    /// The rows of its file; 0 while there is none.
    pub rows: usize,
    /// How often its work was begun.
    pub starts: usize,
}

/// What `GET /_sandbox/books` shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Books {
    pub objects: Vec<BookEntry>,
    /// How many calls of each operation came in, whatever became of them.
    pub calls: BTreeMap<String, u64>,
    /// The create calls, in the order they came, for vendors that keep them. Those that a fault answered before the work
    /// are in `calls` only.
    #[serde(default)]
    pub creates: Vec<CreateCall>,
    #[serde(default)]
    pub batches: Vec<BatchEntry>,
}

impl Books {
    /// The objects that were made with this reference.
    pub fn with_reference<'a>(&'a self, reference: &'a str) -> impl Iterator<Item = &'a BookEntry> {
        self.objects.iter().filter(move |object| object.references.iter().any(|known| known == reference))
    }

    /// The objects of each reference, for asking after many.
    pub fn by_reference(&self) -> BTreeMap<&str, Vec<&BookEntry>> {
        let mut held: BTreeMap<&str, Vec<&BookEntry>> = BTreeMap::new();
        for object in &self.objects {
            for reference in &object.references {
                held.entry(reference).or_default().push(object);
            }
        }
        held
    }

    /// How many calls of an operation came in. A `batch` is a `create`, too.
    pub fn calls_of(&self, operation: &str) -> u64 {
        let counted = self.calls.iter().filter(|(known, _)| faults::is_a(known, operation));
        counted.map(|(_, count)| count).sum()
    }
}

/// Counts calls by operation.
#[derive(Debug, Default)]
pub(crate) struct Calls(Mutex<BTreeMap<&'static str, u64>>);

impl Calls {
    pub(crate) fn count(&self, operation: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(operation).or_default() += 1;
    }

    pub(crate) fn counted(&self) -> BTreeMap<String, u64> {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().map(|(operation, count)| ((*operation).to_owned(), *count)).collect()
    }
}
