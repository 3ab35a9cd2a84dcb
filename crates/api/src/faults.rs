//! Collecting the faults of a request, so that a caller learns of all of them at once.

use crate::problem::{Fault, Place, Problem};

/// More faults than this help nobody.
const MOST: usize = 200;

/// The faults of one body, in the order they were found, one per place.
#[derive(Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Notes a fault, unless the place has one already: the first says best what is wrong.
    pub fn push(&mut self, pointer: impl Into<String>, code: &str, detail: impl Into<String>) {
        self.add(Place::Pointer(pointer.into()), code, detail.into());
    }

    pub fn parameter(&mut self, name: &str, code: &str, detail: impl Into<String>) {
        self.add(Place::Parameter(name.to_owned()), code, detail.into());
    }

    fn add(&mut self, place: Place, code: &str, detail: String) {
        if self.0.len() < MOST && !self.0.iter().any(|fault| fault.place == place) {
            self.0.push(Fault { place, code: code.to_owned(), detail });
        }
    }

    #[cfg(test)]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Ok` if there are none.
    pub fn settle(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::invalid(self.0)) }
    }
}

/// One more part of a JSON Pointer, escaped as RFC 6901 says.
pub fn join(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}
