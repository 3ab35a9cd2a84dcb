//! The vendor's report, read: what ran, and what could not be made.
//!
//! Its columns are not documented, so they are found by their names: whatever their case, however words are parted,
//! wherever they stand, also with a word like `input` in front, and below lines of something else. A name that two columns
//! have is nobody's. The file is from outside, and is read under limits of a report's size.

use std::ops::ControlFlow;

use domain::Timestamp;
use provider::{Carries, vendor_id};
use tabular::{Limits, Seen, Sheets, Unreadable};

use super::calls::MAX_REPORT;
use super::workbook::input_of;
use crate::inputs::Input;
use crate::wire;

/// A report on 1,000 rows has some hundred kilobytes, unpacked.
const LIMITS: Limits = Limits {
    rows: 5_000,
    bytes: MAX_REPORT as u64,
    workbook: MAX_REPORT as u64,
    row: 64 << 10,
    columns: 300,
    inflated: 48 << 20,
    inflated_parts: 16 << 20,
    texts: 8 << 20,
};

/// The most bytes that are kept of what its rows say.
const MOST_KEPT: usize = 8 << 20;

/// The names of the columns stand in one of so many rows.
const HEAD: u64 = 20;

/// Words that may stand before the name of an input.
const PREFIXES: [&str; 6] = ["input", "inputs", "check", "field", "row", "query"];

/// Personal data, so it has no `Debug`.
#[derive(Default)]
pub struct Report {
    pub results: Vec<Line>,
    pub errors: Vec<Line>,
    /// There is a sheet of results, whether it has any or not.
    pub has_results: bool,
}

pub struct Line {
    pub id: Id,
    pub carries: Carries,
    pub kind: Option<String>,
    pub country: Option<String>,
    pub created_at: Option<Timestamp>,
    /// What it says of the inputs.
    pub inputs: Vec<(Input, String)>,
}

#[derive(Clone, PartialEq, Eq)]
pub enum Id {
    Nothing,
    /// Something is there, and it is no check's id.
    Odd,
    Check(String),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    CheckId,
    Reference,
    Kind,
    Country,
    CreatedAt,
    Input(Input),
}

pub fn read(file: &[u8]) -> Result<Report, Unreadable> {
    let mut sheets = Sheets::open(file, &LIMITS)?;
    let names: Vec<String> = sheets.names().map(str::to_owned).collect();
    let (mut report, mut kept) = (Report::default(), 0);
    for name in names {
        let is_of_errors = name.to_lowercase().contains("error");
        let mut sheet = Sheet::default();
        let mut is_too_large = false;
        sheets.read(&name, &mut |number, cells| {
            if sheet.columns.is_empty() {
                sheet.take_head(cells);
                let gives_up = sheet.columns.is_empty() && number >= HEAD;
                return if gives_up { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
            }
            if let Some(line) = sheet.line(cells) {
                kept += line.inputs.iter().map(|(_, text)| text.len() + size_of::<Line>()).sum::<usize>();
                // In a sheet of errors something with an id was made nevertheless.
                let list =
                    if is_of_errors && line.id == Id::Nothing { &mut report.errors } else { &mut report.results };
                list.push(line);
            }
            is_too_large = kept > MOST_KEPT;
            if is_too_large { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if is_too_large {
            return Err(Unreadable::TooLarge { limit: MOST_KEPT as u64 });
        }
        report.has_results |= !is_of_errors && sheet.columns.iter().any(|(_, column)| *column == Column::CheckId);
    }
    // Without an id a row of results says nothing.
    report.results.retain(|line| line.id != Id::Nothing);
    Ok(report)
}

/// The columns of a sheet that mean something.
#[derive(Default)]
struct Sheet {
    columns: Vec<(usize, Column)>,
}

impl Sheet {
    /// Takes a row for the names of the columns, if it has any that are known.
    fn take_head(&mut self, cells: &[Seen]) {
        let named = |plain: bool| -> Vec<(usize, Column)> {
            let texts = cells.iter().enumerate().filter_map(|(at, cell)| Some((at, words(cell.text()?))));
            texts.filter_map(|(at, words)| Some((at, if plain { exact(&words) } else { prefixed(&words) }?))).collect()
        };
        let once = |all: Vec<(usize, Column)>| -> Vec<(usize, Column)> {
            let count = |column: &Column| all.iter().filter(|(_, other)| other == column).count();
            all.iter().copied().filter(|(_, column)| count(column) == 1).collect()
        };
        let plain = named(true);
        let mut others = once(named(false));
        others.retain(|(_, column)| !plain.iter().any(|(_, known)| known == column));
        self.columns = once(plain);
        self.columns.extend(others);
    }

    /// `None`: a row in which none of the known columns says anything.
    fn line(&self, cells: &[Seen]) -> Option<Line> {
        let mut line = Line {
            id: Id::Nothing,
            carries: Carries::Nothing,
            kind: None,
            country: None,
            created_at: None,
            inputs: Vec::new(),
        };
        let mut says_something = false;
        for (at, column) in &self.columns {
            let cell = cells.get(*at).unwrap_or(&Seen::Nothing);
            says_something |= *cell != Seen::Nothing;
            if (*column, cell) == (Column::CheckId, &Seen::Odd) {
                line.id = Id::Odd;
            }
            let Some(text) = cell.text() else { continue };
            match column {
                Column::CheckId => line.id = check_id(text),
                Column::Reference => line.carries = Carries::read(Some(text)),
                Column::Kind => line.kind = Some(text.to_owned()),
                Column::Country => line.country = Some(text.to_owned()),
                Column::CreatedAt => line.created_at = wire::timestamp(text),
                Column::Input(input) => line.inputs.push((*input, text.to_owned())),
            }
        }
        says_something.then_some(line)
    }
}

/// Ids are opaque. But where columns are found by names that no document gives, a status or a date must not become one.
fn check_id(text: &str) -> Id {
    let is_plain = text.len() >= 10 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let has_both =
        text.bytes().any(|byte| byte.is_ascii_digit()) && text.bytes().any(|byte| byte.is_ascii_alphabetic());
    vendor_id(text).filter(|_| is_plain && has_both).map_or(Id::Odd, Id::Check)
}

/// `Check ID`, `checkId` and `CHECK-ID` as `check_id`.
fn words(heading: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in heading.chars() {
        let begins = !c.is_alphanumeric() || before.is_lowercase() && c.is_uppercase();
        if begins && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

fn exact(words: &[String]) -> Option<Column> {
    let name = words.join("_");
    Some(match input_of(&name) {
        "check_id" => Column::CheckId,
        "custom_input" => Column::Reference,
        "type" | "check_type" => Column::Kind,
        "country" => Column::Country,
        "creation_date" => Column::CreatedAt,
        field => Column::Input(Input::of_field(field)?),
    })
}

fn prefixed(words: &[String]) -> Option<Column> {
    let (first, rest) = words.split_first()?;
    PREFIXES.contains(&first.as_str()).then(|| exact(rest)).flatten().filter(|_| exact(words).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_known_by_their_names_however_they_are_written() {
        let column = |heading: &str| {
            let words = words(heading);
            exact(&words).or_else(|| prefixed(&words))
        };
        for heading in ["check_id", "Check ID", "checkId", " CHECK-ID ", "Check  Id:"] {
            assert!(column(heading) == Some(Column::CheckId), "{heading}");
        }
        for heading in ["national_id", "Input: National ID", "inputNationalId", "National Id"] {
            assert!(column(heading) == Some(Column::Input(Input::NationalId)), "{heading}");
        }
        assert!(column("document_expedition_date") == Some(Column::Input(Input::IssueDate)));
        for heading in ["previous_check_id", "found national id", "id", "", "score", "owner national id"] {
            assert!(column(heading).is_none(), "{heading}");
        }
        assert!(column("native_national_id") == Some(Column::Input(Input::NativeNationalId)));
    }

    #[test]
    fn what_is_no_id_of_a_check_does_not_become_one() {
        assert!(
            check_id("CHK00112233445566778899aabbccddeeff")
                == Id::Check("CHK00112233445566778899aabbccddeeff".to_owned())
        );
        for text in ["completed", "1032456701", "2026-11-20T10:00:00Z", "CHK1", "in_progress", "CHK0011 22334455"] {
            assert!(check_id(text) == Id::Odd, "{text}");
        }
    }
}
