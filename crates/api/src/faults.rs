//! Collecting the faults of a request, so that a caller learns of all of them at once.

use crate::problem::{Fault, Place, Problem};

/// More faults than this help nobody.
const MOST: usize = 200;

/// The most characters by which a place is named.
const LONGEST_PLACE: usize = 300;

/// The faults of one body, in the order they were found, one per place.
#[derive(Debug, Default)]
pub struct Faults {
    found: Vec<Fault>,
    /// How many were pushed, also for a place that had one already: what bounds the work must not depend on the places.
    pushed: usize,
}

impl Faults {
    /// Notes a fault, unless the place has one already: the first says best what is wrong.
    pub fn push(&mut self, pointer: impl AsRef<str>, code: &str, detail: impl Into<String>) {
        self.add(|| Place::Pointer(nearest(pointer.as_ref()).to_owned()), code, detail);
    }

    pub fn parameter(&mut self, name: &str, code: &str, detail: impl Into<String>) {
        self.add(|| Place::Parameter(name.chars().take(LONGEST_PLACE).collect()), code, detail);
    }

    fn add(&mut self, place: impl FnOnce() -> Place, code: &str, detail: impl Into<String>) {
        if self.is_full() {
            return;
        }
        self.pushed += 1;
        let place = place();
        if !self.found.iter().any(|fault| fault.place == place) {
            self.found.push(Fault::new(place, code, detail));
        }
    }

    /// Whether looking for more is in vain.
    pub const fn is_full(&self) -> bool {
        self.pushed >= MOST
    }

    #[cfg(test)]
    pub const fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// `Ok` if there are none.
    pub fn settle(self) -> Result<(), Problem> {
        if self.found.is_empty() { Ok(()) } else { Err(Problem::invalid(self.found)) }
    }
}

/// The pointer itself or, if it is too long, the nearest part around it: a pointer that is cut elsewhere leads nowhere.
fn nearest(pointer: &str) -> &str {
    match pointer.char_indices().nth(LONGEST_PLACE) {
        None => pointer,
        Some((end, _)) => pointer[..end].rsplit_once('/').map_or("", |(around, _)| around),
    }
}

/// One more part of a JSON Pointer, escaped as RFC 6901 says.
pub fn join(pointer: &str, key: &str) -> String {
    let mut joined = pointer.to_owned();
    extend(&mut joined, key);
    joined
}

/// [`join`] in place.
pub fn extend(pointer: &mut String, key: &str) {
    pointer.push('/');
    for letter in key.chars() {
        match letter {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(faults: Faults) -> Vec<Place> {
        faults.settle().expect_err("faults").faults().iter().map(|fault| fault.place.clone()).collect()
    }

    #[test]
    fn a_long_pointer_leads_to_what_is_around_the_place() {
        let mut faults = Faults::default();
        let (key, whole) = ("ü".repeat(200), format!("/{}", "k".repeat(299)));
        faults.push(&whole, "invalid", "");
        faults.push(format!("{whole}k"), "invalid", "");
        faults.push(format!("/a/{key}/{key}"), "invalid", "");
        faults.push(format!("/a/{key}/{key}/b"), "invalid", "");
        faults.parameter(&"ü".repeat(60_000), "invalid", "");
        let expected = [Place::Pointer(whole), Place::Pointer(String::new()), Place::Pointer(format!("/a/{key}"))];
        let found = places(faults);
        assert_eq!((&found[..3], found.len()), (&expected[..], 4));
        assert_eq!(found[3], Place::Parameter("ü".repeat(300)));
    }

    #[test]
    fn it_is_full_even_when_all_faults_are_at_one_place() {
        let mut faults = Faults::default();
        for _ in 0..MOST {
            assert!(!faults.is_full());
            faults.push("/a", "invalid", "");
        }
        assert!(faults.is_full());
        faults.push("/b", "invalid", "");
        assert_eq!(places(faults), [Place::Pointer("/a".to_owned())]);
    }
}
