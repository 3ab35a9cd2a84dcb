//! Whether a list shows that it is sorted newest first, for vendors that do not say.

use domain::Timestamp;

/// So many times the creation time must have fallen from row to row, and never risen, before a list is taken to be sorted
/// newest first: an unsorted one would look like that once in 9! times. Rows of the same instant say nothing.
const FALLS_OF_A_SORTED_LIST: u32 = 8;

/// How the rows of a list are sorted, as far as they tell: what is read from it may end at a page wholly older than what
/// is looked for only where the rows themselves show that nothing newer follows.
#[derive(Debug, Clone, Default)]
pub struct RowOrder {
    previous: Option<Timestamp>,
    falls: u32,
    broken: bool,
}

impl RowOrder {
    /// Takes in the next row. One without a time could belong anywhere.
    pub fn note(&mut self, created_at: Option<Timestamp>) {
        match (self.previous, created_at) {
            (Some(previous), Some(at)) if at < previous => self.falls += 1,
            (Some(previous), Some(at)) => self.broken |= at > previous,
            (None, Some(_)) => {}
            (_, None) => self.broken = true,
        }
        self.previous = created_at.or(self.previous);
    }

    pub const fn is_newest_first(&self) -> bool {
        !self.broken && self.falls >= FALLS_OF_A_SORTED_LIST
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn is_newest_first(times: impl IntoIterator<Item = Option<u64>>) -> bool {
        let mut order = RowOrder::default();
        times.into_iter().for_each(|at| order.note(at.map(|at| Timestamp::EPOCH + Duration::from_secs(at))));
        order.is_newest_first()
    }

    #[test]
    fn a_list_is_sorted_only_if_its_rows_say_so() {
        assert!(is_newest_first((0..9).rev().map(Some)));
        assert!(is_newest_first((0..9).rev().flat_map(|at| [Some(at), Some(at)])), "repeated rows are fine");
        assert!(!is_newest_first((0..8).rev().map(Some)), "too few to tell");
        assert!(!is_newest_first([Some(5); 100]), "rows of one instant say nothing");
        assert!(!is_newest_first((0..50).rev().chain([60]).map(Some)), "one that rises");
        assert!(!is_newest_first((0..50).rev().map(Some).chain([None])), "one without a time");
        assert!(!is_newest_first([]));
    }
}
