//! Which checks of a batch go to the vendor in which file. Pure.

use std::collections::HashSet;

/// A check that may go in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Only rows with the same one share a file.
    pub file: String,
    /// Rows with the same one never do.
    pub identity: [u8; 32],
    /// The caller asked for a file, however few they are.
    pub asked_for: bool,
}

/// Which rows go in which file, by their index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Files {
    pub files: Vec<Vec<usize>>,
    pub singly: Vec<usize>,
}

/// So many files are filled side by side. A subject that stands in a batch still more often goes singly.
const SIDE_BY_SIDE: usize = 4;

#[derive(Default)]
struct Open {
    rows: Vec<usize>,
    identities: HashSet<[u8; 32]>,
}

/// Puts like rows together, in their order, at most `most_rows` in a file. A file has at least `used_from` rows, or holds
/// only such as asked for it.
pub fn files(rows: &[Row], most_rows: usize, used_from: Option<usize>) -> Files {
    let mut planned = Files::default();
    let mut kinds: Vec<(&str, Vec<usize>)> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        match kinds.iter_mut().find(|(file, _)| *file == row.file) {
            Some((_, of_kind)) => of_kind.push(at),
            None => kinds.push((&row.file, vec![at])),
        }
    }
    for (_, of_kind) in kinds {
        let (filled, left) = fill(rows, &of_kind, most_rows);
        planned.singly.extend(left);
        for (nth, file) in filled.into_iter().enumerate() {
            if used_from.is_some_and(|least| file.len() >= least) {
                planned.files.push(file);
                continue;
            }
            let (asked, others): (Vec<_>, Vec<_>) = file.into_iter().partition(|at| rows[*at].asked_for);
            planned.singly.extend(others);
            // A second file for one who stands in the first already would be of no use to anybody.
            if asked.len() > usize::from(nth > 0) {
                planned.files.push(asked);
            } else {
                planned.singly.extend(asked);
            }
        }
    }
    planned.singly.sort_unstable();
    planned
}

/// Each row goes in the first file that has room and does not hold its like.
fn fill(rows: &[Row], of_kind: &[usize], most_rows: usize) -> (Vec<Vec<usize>>, Vec<usize>) {
    let (mut full, mut open, mut left) = (Vec::new(), Vec::<Open>::new(), Vec::new());
    for at in of_kind {
        let identity = rows[*at].identity;
        let free = open.iter().position(|file| !file.identities.contains(&identity));
        let place = match free {
            Some(place) => place,
            None if open.len() < SIDE_BY_SIDE => {
                open.push(Open::default());
                open.len() - 1
            }
            None => {
                left.push(*at);
                continue;
            }
        };
        let Some(file) = open.get_mut(place) else { continue };
        file.rows.push(*at);
        file.identities.insert(identity);
        if file.rows.len() >= most_rows {
            full.push(open.remove(place).rows);
        }
    }
    full.extend(open.into_iter().map(|file| file.rows));
    (full, left)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(kind: u8, who: u16, asked_for: bool) -> Row {
        let mut identity = [0; 32];
        identity[..2].copy_from_slice(&who.to_be_bytes());
        Row { file: format!("k{kind}"), identity, asked_for }
    }

    fn sizes(rows: &[Row], most_rows: usize, used_from: Option<usize>) -> (Vec<usize>, usize) {
        let planned = files(rows, most_rows, used_from);
        (planned.files.iter().map(Vec::len).collect(), planned.singly.len())
    }

    #[test]
    fn two_and_a_half_thousand_like_rows_make_three_files() {
        let rows: Vec<_> = (0..2_500).map(|who| row(0, who, false)).collect();
        assert_eq!(sizes(&rows, 1_000, Some(100)), (vec![1_000, 1_000, 500], 0));
    }

    #[test]
    fn too_few_go_singly_unless_they_ask() {
        let mut rows: Vec<_> = (0..9).map(|who| row(0, who, false)).collect();
        assert_eq!(sizes(&rows, 1_000, Some(10)), (vec![], 9));
        assert_eq!(sizes(&rows, 1_000, None), (vec![], 9));
        rows[3].asked_for = true;
        assert_eq!(files(&rows, 1_000, Some(10)).files, [[3]]);
        rows.push(row(0, 9, false));
        assert_eq!(sizes(&rows, 1_000, Some(10)), (vec![10], 0));
    }

    #[test]
    fn whoever_stands_in_it_twice_goes_in_another_file_or_singly() {
        let rows: Vec<_> = (0..20).map(|at| row(0, at % 10, false)).collect();
        assert_eq!(sizes(&rows, 1_000, Some(10)), (vec![10, 10], 0));
        assert_eq!(sizes(&rows[..15], 1_000, Some(10)), (vec![10], 5));
        let same: Vec<_> = (0..1_000).map(|_| row(0, 1, true)).collect();
        assert_eq!(sizes(&same, 1_000, Some(10)), (vec![1], 999));
    }

    prop_compose! {
        fn some_rows()(rows in prop::collection::vec((0_u8..3, 0_u16..40, prop::bool::weighted(0.2)), 0..150)) -> Vec<Row> {
            rows.into_iter().map(|(kind, who, asked)| row(kind, who, asked)).collect()
        }
    }

    proptest! {
        #[test]
        fn every_row_goes_once_and_files_are_of_like_rows_of_different_people(
            rows in some_rows(), most in 1_usize..30, used_from in prop::option::of(1_usize..12),
        ) {
            let planned = files(&rows, most, used_from);
            let mut all = planned.files.concat();
            all.extend(&planned.singly);
            all.sort_unstable();
            prop_assert_eq!(all, (0..rows.len()).collect::<Vec<_>>());
            for file in &planned.files {
                prop_assert!((1..=most).contains(&file.len()));
                prop_assert!(file.is_sorted(), "in the order of the batch");
                let people: HashSet<_> = file.iter().map(|at| rows[*at].identity).collect();
                prop_assert_eq!(people.len(), file.len());
                prop_assert!(file.iter().all(|at| rows[*at].file == rows[file[0]].file));
                let enough = used_from.is_some_and(|least| file.len() >= least);
                prop_assert!(enough || file.iter().all(|at| rows[*at].asked_for));
            }
        }

        #[test]
        fn different_people_go_singly_only_where_they_are_too_few(
            counts in prop::collection::vec(0_u16..60, 1..4), most in 1_usize..30, least in 1_usize..12,
        ) {
            let rows: Vec<_> = (0_u8..)
                .zip(&counts)
                .flat_map(|(kind, count)| (0..*count).map(move |who| row(kind, who, false)))
                .collect();
            let planned = files(&rows, most, Some(least));
            let left = counts.iter().map(|count| usize::from(*count) % most).filter(|rest| *rest < least);
            let full_are_too_few = most < least;
            let singly = if full_are_too_few { rows.len() } else { left.sum() };
            prop_assert_eq!(planned.singly.len(), singly);
        }
    }
}
