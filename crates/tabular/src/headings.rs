//! Headings: dotted paths, and the objects that the cells under them make up.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value};

use crate::{Limits, Unreadable};

/// The longest heading, in bytes.
const LONGEST: usize = 200;
/// The most parts of a heading.
const DEEPEST: usize = 16;
/// The last position of an array that a heading may name.
const LAST_POSITION: usize = 99;

/// The headings of a file's columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headings {
    /// In the order of the columns; None for a column without heading.
    columns: Vec<Option<Column>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    name: String,
    path: Vec<Step>,
    /// The path as a JSON Pointer.
    pointer: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Position(usize),
}

impl Headings {
    /// The heading of the column that the place comes from which a JSON Pointer into a row's object names: the heading
    /// that is the place itself or above it. None in formats without columns.
    pub fn column_of(&self, pointer: &str) -> Option<&str> {
        let at_or_below = |column: &&Column| {
            pointer.strip_prefix(&column.pointer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.columns.iter().flatten().find(at_or_below).map(|column| column.name.as_str())
    }

    /// The headings in the order of the columns.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().flatten().map(|column| column.name.as_str())
    }

    /// From the cells of the heading row, of which the last is not empty.
    pub(crate) fn new(cells: Vec<String>, limits: &Limits) -> Result<Self, Unreadable> {
        if cells.len() > limits.columns {
            return Err(Unreadable::TooManyColumns { limit: limits.columns });
        }
        let mut columns = Vec::with_capacity(cells.len());
        for (index, cell) in cells.into_iter().enumerate() {
            let name = cell.trim();
            columns.push(if name.is_empty() { None } else { Some(Column::new(name, index)?) });
        }
        let headings = Self { columns };
        headings.judge()?;
        Ok(headings)
    }

    /// The name and the pointer of a column; None if it has no heading.
    pub(crate) fn place(&self, index: usize) -> Option<(&str, &str)> {
        self.columns.get(index)?.as_ref().map(|column| (column.name.as_str(), column.pointer.as_str()))
    }

    /// Puts a cell's value where its heading says. The cells of a row come in the order of their columns or otherwise.
    pub(crate) fn put(
        &self,
        object: &mut Map<String, Value>,
        index: usize,
        row: u64,
        value: Value,
    ) -> Result<(), Unreadable> {
        let Some(Some(column)) = self.columns.get(index) else {
            return Err(bad(
                index,
                None,
                format!("row {row} has something here, but the column has no heading. Give it one or clear it."),
            ));
        };
        // The first step is a key: `Column::new` has seen to it.
        let Some((Step::Key(first), rest)) = column.path.split_first() else { return Ok(()) };
        let mut place = object.entry(first.as_str()).or_insert(Value::Null);
        for (step, below) in rest.iter().zip(1..) {
            place = match step {
                Step::Key(key) => {
                    if place.is_null() {
                        *place = Value::Object(Map::new());
                    }
                    let Value::Object(object) = place else { return Ok(()) };
                    object.entry(key.as_str()).or_insert(Value::Null)
                }
                Step::Position(position) => {
                    if place.is_null() {
                        *place = Value::Array(Vec::new());
                    }
                    let Value::Array(array) = place else { return Ok(()) };
                    // Positions that the row leaves out are there all the same, or the others would not keep theirs.
                    while array.len() <= *position {
                        array.push(nothing_of(rest.get(below)));
                    }
                    &mut array[*position]
                }
            };
        }
        *place = value;
        Ok(())
    }

    /// Refuses headings that do not go together.
    fn judge(&self) -> Result<(), Unreadable> {
        let mut leaves: HashMap<&str, usize> = HashMap::new();
        let mut inner: HashMap<&str, (bool, usize)> = HashMap::new();
        let mut positions: BTreeMap<&str, (BTreeSet<usize>, usize)> = BTreeMap::new();
        for (index, column) in self.columns.iter().enumerate() {
            let Some(column) = column else { continue };
            if let Some(other) = leaves.insert(&column.name, index) {
                return Err(Unreadable::DuplicateHeading {
                    first: shown(other, None),
                    second: shown(index, Some(&column.name)),
                });
            }
            for (dot, step) in column.name.match_indices('.').zip(column.path.iter().skip(1)) {
                let above = &column.name[..dot.0];
                let is_array = matches!(step, Step::Position(_));
                let (known, _) = *inner.entry(above).or_insert((is_array, index));
                if known != is_array {
                    return Err(bad(index, Some(&column.name), "it goes on with a number where another column has a name, or the other way round. Use numbers or names, not both.".to_owned()));
                }
                if let Step::Position(position) = step {
                    let (all, last) = positions.entry(above).or_default();
                    all.insert(*position);
                    *last = index;
                }
            }
        }
        for (name, index) in &leaves {
            if let Some((_, other)) = inner.get(name) {
                return Err(bad(
                    *index,
                    Some(name),
                    format!(
                        "it is a value here, and {} has something below it. Keep one of the two.",
                        shown(*other, None)
                    ),
                ));
            }
        }
        for (all, index) in positions.into_values() {
            if let Some(missing) = (0..all.len()).find(|position| !all.contains(position)) {
                let name = self.place(index).map(|(name, _)| name);
                return Err(bad(
                    index,
                    name,
                    format!("positions are numbered from 0 without gaps, and {missing} is missing beside it."),
                ));
            }
        }
        Ok(())
    }
}

impl Column {
    fn new(name: &str, index: usize) -> Result<Self, Unreadable> {
        let refuse = |detail: String| Err(bad(index, Some(name), detail));
        if name.len() > LONGEST {
            return refuse(format!("its heading is longer than {LONGEST} bytes."));
        }
        let mut path = Vec::new();
        let mut pointer = String::new();
        for part in name.split('.') {
            if part.is_empty() {
                return refuse("its heading has a dot too many. Write the names with one dot between them, such as subject.first_name.".to_owned());
            }
            pointer.push('/');
            pointer.push_str(&part.replace('~', "~0").replace('/', "~1"));
            if !part.bytes().all(|byte| byte.is_ascii_digit()) {
                path.push(Step::Key(part.to_owned()));
                continue;
            }
            match part.parse() {
                _ if path.is_empty() => {
                    return refuse("its heading begins with a number. It begins with the name of a field.".to_owned());
                }
                Ok(position) if position <= LAST_POSITION && (part == "0" || !part.starts_with('0')) => {
                    path.push(Step::Position(position));
                }
                _ => return refuse(format!("a position in its heading is not one of 0 to {LAST_POSITION}.")),
            }
        }
        if path.len() > DEEPEST {
            return refuse(format!("its heading has more than {DEEPEST} parts."));
        }
        Ok(Self { name: name.to_owned(), path, pointer })
    }
}

/// What stands at a position that a row leaves out, given the step below it.
fn nothing_of(below: Option<&Step>) -> Value {
    match below {
        None => Value::Null,
        Some(Step::Key(_)) => Value::Object(Map::new()),
        Some(Step::Position(_)) => Value::Array(Vec::new()),
    }
}

fn bad(index: usize, name: Option<&str>, detail: String) -> Unreadable {
    Unreadable::BadHeading { column: shown(index, name), detail }
}

/// A column for people: its letter, and its heading where that is one. In a file without headings the first row's
/// values stand in their place; those are not to be repeated.
pub(crate) fn shown(index: usize, name: Option<&str>) -> String {
    let is_path = |name: &&str| {
        let of_path = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'.');
        name.contains('.') && name.bytes().all(of_path)
    };
    match name.filter(is_path) {
        Some(name) => format!("{} ({name})", letters(index)),
        None => letters(index),
    }
}

/// The letters of a column: A, B … Z, AA, AB …
pub(crate) fn letters(index: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = index + 1;
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"[rest % 26]));
        rest /= 26;
    }
    letters.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::failure;

    fn headings(names: &[&str]) -> Result<Headings, Unreadable> {
        Headings::new(names.iter().map(|name| (*name).to_owned()).collect(), &Limits::default())
    }

    fn row(names: &[&str], cells: &[(usize, &str)]) -> Value {
        let headings = headings(names).expect("headings");
        let mut object = Map::new();
        for (index, cell) in cells {
            headings.put(&mut object, *index, 2, json!(cell)).expect("a place");
        }
        Value::Object(object)
    }

    #[test]
    fn a_place_leads_to_its_column() {
        let headings =
            headings(&["subject.first_name", "checks.0.type", "metadata.a/b~c", "tags.0", "id"]).expect("headings");
        for (pointer, column) in [
            ("/subject/first_name", Some("subject.first_name")),
            ("/subject/first_name/0", Some("subject.first_name")),
            ("/subject/first_names", None),
            ("/subject", None),
            ("", None),
            ("/checks/0/type", Some("checks.0.type")),
            ("/checks/1/type", None),
            ("/metadata/a~1b~0c", Some("metadata.a/b~c")),
            ("/tags/0", Some("tags.0")),
            ("/id", Some("id")),
        ] {
            assert_eq!(headings.column_of(pointer), column, "{pointer}");
        }
        assert_eq!(Headings::default().column_of("/id"), None);
    }

    #[test]
    fn cells_make_up_objects() {
        let names = ["id", "subject.name", "checks.0.type", "checks.0.tags.0", "checks.1.type", "codes.0", "codes.1"];
        assert_eq!(
            row(&names, &[(0, "7"), (1, "n"), (2, "a"), (3, "t"), (4, "b"), (5, "x"), (6, "y")]),
            json!({
                "id": "7", "subject": {"name": "n"},
                "checks": [{"type": "a", "tags": ["t"]}, {"type": "b"}], "codes": ["x", "y"],
            })
        );
        // What a row leaves out is not there, but what comes behind it keeps its position.
        assert_eq!(row(&names, &[(4, "b"), (6, "y")]), json!({"checks": [{}, {"type": "b"}], "codes": [null, "y"]}));
        assert_eq!(row(&names, &[(2, "a")]), json!({"checks": [{"type": "a"}]}));
        assert_eq!(row(&names, &[]), json!({}));
    }

    #[test]
    fn headings_that_do_not_go_together_are_refused() {
        for (names, told) in [
            (&["a.x", "b", "a.x"][..], "Columns A and C (a.x) have the same heading. Keep one of them."),
            (&["a", "a.x"], "Column A: it is a value here, and B has something below it. Keep one of the two."),
            (
                &["a.0", "a.2"],
                "Column B (a.2): positions are numbered from 0 without gaps, and 1 is missing beside it.",
            ),
            (&["a.1.b"], "Column A (a.1.b): positions are numbered from 0 without gaps, and 0 is missing beside it."),
            (
                &["a.0", "a.b"],
                "Column B (a.b): it goes on with a number where another column has a name, or the other way round. Use numbers or names, not both.",
            ),
            (&["a.0", "a.100"], "Column B (a.100): a position in its heading is not one of 0 to 99."),
            (&["a.00"], "Column A (a.00): a position in its heading is not one of 0 to 99."),
            (&["0.a"], "Column A (0.a): its heading begins with a number. It begins with the name of a field."),
            (
                &["x", "a..b"],
                "Column B (a..b): its heading has a dot too many. Write the names with one dot between them, such as subject.first_name.",
            ),
        ] {
            assert_eq!(failure(headings(names)), told);
        }
        assert!(headings(&["a.10", "a.1", "a.0"]).is_err());
        let eleven: Vec<String> = (0..11).rev().map(|position| format!("a.{position}.b")).collect();
        assert!(Headings::new(eleven, &Limits::default()).is_ok());
        assert!(failure(headings(&[&"a".repeat(201)])).contains("longer than 200"));
        assert!(failure(headings(&["a.".repeat(20).trim_end_matches('.')])).contains("more than 16"));
        let limits = Limits { columns: 2, ..Limits::default() };
        let three = ["a", "b", "c"].map(str::to_owned).to_vec();
        assert!(matches!(Headings::new(three, &limits), Err(Unreadable::TooManyColumns { limit: 2 })));
    }

    #[test]
    fn a_first_row_without_headings_is_not_repeated() {
        let told = failure(headings(&["Ana", "Ana"]));
        assert_eq!(told, "Columns A and B have the same heading. Keep one of them.");
    }

    #[test]
    fn columns_have_letters() {
        for (index, name) in
            [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA"), (16383, "XFD")]
        {
            assert_eq!(letters(index), name);
        }
    }
}
