//! CSV: a heading line and a record per row.

use std::io::Read;
use std::ops::Range;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use serde_json::{Map, Value};

use crate::headings::shown;
use crate::row::{Content, Rows, fault};
use crate::text::Text;
use crate::{Headings, Limits, Sink, Unreadable};

mod frames;

use frames::{Frame, Frames};

/// What cells may be separated by: Excel writes semicolons wherever the comma is in numbers.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

pub(crate) fn read(input: impl Read, limits: &Limits, sink: &mut Sink<'_>) -> Result<Headings, Unreadable> {
    let mut frames = Frames::new(Text::open(input, limits)?, &SEPARATORS, limits.row);
    let mut rows = Rows::new(sink, limits);
    let Some((headings, mut cells)) = heading(&mut frames, limits)? else { return Err(Unreadable::Empty) };
    while let Some(frame) = frames.next()? {
        cells.split(frames.record());
        if cells.all_empty() {
            continue;
        }
        let content = content(&frame, &cells, &headings)?;
        if rows.give(frame.line, content)?.is_break() {
            return Ok(headings);
        }
    }
    rows.end().map(|()| headings)
}

/// Reads up to the heading line, and finds out what separates the cells.
fn heading(frames: &mut Frames<impl Read>, limits: &Limits) -> Result<Option<(Headings, Cells)>, Unreadable> {
    let mut told = None;
    while let Some(frame) = frames.next()? {
        let record = frames.record();
        // Excel's own way to say it, in a line of its own.
        if let [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', separator, b'\n'] = record
            && SEPARATORS.contains(separator)
        {
            told = Some(*separator);
            continue;
        }
        let separator = told.unwrap_or_else(|| separator_of(record));
        let mut cells = Cells::new(separator);
        cells.split(record);
        if cells.all_empty() {
            continue;
        }
        if frame.stray_quote {
            return Err(Unreadable::BadHeading { column: shown(0, None), detail: STRAY_QUOTE.to_owned() });
        }
        let texts = cells
            .iter()
            .enumerate()
            .map(|(index, cell)| text(cell, frame.line, || shown(index, None)).map(str::to_owned));
        let mut texts: Vec<String> = texts.collect::<Result<_, _>>()?;
        let used = texts.iter().rposition(|text| !text.trim().is_empty()).map_or(0, |last| last + 1);
        cells.expected = texts.len();
        texts.truncate(used);
        frames.separated_by(&[separator]);
        return Ok(Some((Headings::new(texts, limits)?, cells)));
    }
    Ok(None)
}

/// The one that there is most of in the heading line, outside quotation marks.
fn separator_of(record: &[u8]) -> u8 {
    let mut counts = [0; SEPARATORS.len()];
    let mut quoted = false;
    for byte in record {
        quoted ^= *byte == b'"';
        if let Some(index) = SEPARATORS.iter().position(|separator| separator == byte)
            && !quoted
        {
            counts[index] += 1;
        }
    }
    // Of equals the last counts for `max_by_key`; the comma is the first choice.
    let most = (0..SEPARATORS.len()).rev().max_by_key(|index| counts[*index]);
    SEPARATORS[most.unwrap_or(0)]
}

const STRAY_QUOTE: &str = "Text follows a closing quotation mark. Double the quotation marks that are meant as text.";

fn content(frame: &Frame, cells: &Cells, headings: &Headings) -> Result<Content, Unreadable> {
    if frame.stray_quote {
        return Ok(Err(fault("stray_quote", STRAY_QUOTE.to_owned())));
    }
    if cells.len() != cells.expected {
        let detail = format!("The row has {} columns; the heading line has {}.", cells.len(), cells.expected);
        return Ok(Err(fault("ragged", detail)));
    }
    let mut object = Map::new();
    for (index, cell) in cells.iter().enumerate() {
        let name = || shown(index, headings.place(index).map(|(name, _)| name));
        let text = text(cell, frame.line, name)?;
        if !text.is_empty() {
            headings.put(&mut object, index, frame.line, Value::String(text.to_owned()))?;
        }
    }
    Ok(Ok(object))
}

fn text(cell: &[u8], row: u64, column: impl Fn() -> String) -> Result<&str, Unreadable> {
    std::str::from_utf8(cell).map_err(|_| Unreadable::NotUtf8 { row, column: Some(column()) })
}

/// The cells of one record, unquoted.
struct Cells {
    reader: Reader,
    text: Vec<u8>,
    /// Where in `text` each cell ends.
    ends: Vec<usize>,
    count: usize,
    /// How many cells the heading line has.
    expected: usize,
}

impl Cells {
    fn new(separator: u8) -> Self {
        let reader = ReaderBuilder::new().delimiter(separator).build();
        Self { reader, text: Vec::new(), ends: vec![0; 64], count: 0, expected: 0 }
    }

    /// Splits a record, its line feed included.
    fn split(&mut self, record: &[u8]) {
        if self.text.len() < record.len() {
            self.text.resize(record.len(), 0);
        }
        let (mut read, mut written) = (0, 0);
        self.count = 0;
        loop {
            let (result, used, wrote, ends) =
                self.reader.read_record(&record[read..], &mut self.text[written..], &mut self.ends[self.count..]);
            read += used;
            written += wrote;
            self.count += ends;
            match result {
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                // A record comes whole.
                ReadRecordResult::Record | ReadRecordResult::InputEmpty | ReadRecordResult::End => return,
            }
        }
    }

    fn len(&self) -> usize {
        self.count
    }

    fn all_empty(&self) -> bool {
        self.count == 0 || self.ends[self.count - 1] == 0
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let cell = |index: usize| -> Range<usize> {
            let start = if index == 0 { 0 } else { self.ends[index - 1] };
            start..self.ends[index]
        };
        (0..self.count).map(move |index| &self.text[cell(index)])
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{collect, failure, faults, objects};
    use crate::{Format, Row};

    fn read(text: impl AsRef<[u8]>) -> Result<Vec<Row>, Unreadable> {
        collect(Format::Csv, text.as_ref(), &Limits::default()).map(|(rows, _)| rows)
    }

    #[test]
    fn reads_what_excel_writes() {
        let rows = read(
            "\u{FEFF}a.x, b ,\"c\"\r\n1,\" two \"\"2\"\"\nlines\",\r\n,,\r\n\r\n007,\"x,y\",5\" pipe\r\nlast,ü,=1+1",
        );
        assert_eq!(
            objects(&rows.expect("rows")),
            [
                (2, json!({"a": {"x": "1"}, "b": " two \"2\"\nlines"})),
                (6, json!({"a": {"x": "007"}, "b": "x,y", "c": "5\" pipe"})),
                (7, json!({"a": {"x": "last"}, "b": "ü", "c": "=1+1"})),
            ]
        );
    }

    #[test]
    fn finds_out_what_separates_the_cells() {
        let one = [(2, json!({"a": "1,5", "b": "2"}))];
        assert_eq!(objects(&read("a;b\n1,5;2\n").expect("rows")), one);
        assert_eq!(objects(&read("a\tb\n1,5\t2\n").expect("rows")), one);
        assert_eq!(objects(&read("a,b\n\"1,5\",2\n").expect("rows")), one);
        assert_eq!(objects(&read("\"a,,,\";b;c\n1;2;3\n").expect("rows"))[0].1["c"], "3");
        assert_eq!(objects(&read("sep=;\r\na;b\r\n1,5;2").expect("rows")), [(3, one[0].1.clone())]);
        assert_eq!(objects(&read("a\n1;2\n").expect("rows")), [(2, json!({"a": "1;2"}))]);
    }

    #[test]
    fn old_line_ends_and_quoted_line_feeds_do_not_confuse_the_numbers() {
        let rows = read("a,b\r\r1,\"x\r\ny\"\r2,\"z\"\r").expect("rows");
        assert_eq!(objects(&rows), [(3, json!({"a": "1", "b": "x\r\ny"})), (5, json!({"a": "2", "b": "z"}))]);
    }

    #[test]
    fn a_bad_row_is_a_fault_of_its_own() {
        let rows = read("a,b\n1\n1,2,3\n,,,\n\"x\"y,2\n\"he said \"hi\"\",2\n1,2\n").expect("rows");
        assert_eq!(
            faults(&rows),
            [
                "2 ragged: The row has 1 columns; the heading line has 2.",
                "3 ragged: The row has 3 columns; the heading line has 2.",
                "5 stray_quote: Text follows a closing quotation mark. Double the quotation marks that are meant as text.",
                "6 stray_quote: Text follows a closing quotation mark. Double the quotation marks that are meant as text.",
            ]
        );
        assert_eq!(objects(&rows), [(7, json!({"a": "1", "b": "2"}))]);
    }

    #[test]
    fn a_quotation_mark_that_is_never_closed_is_told_with_its_row() {
        assert!(failure(read("a,b\n1,2\n3,\"four\n5,6\n")).contains("opens in row 3 is never closed"));
        assert!(failure(read("a,b\n1,2\n\"x\ny\",\"four\n5,6\n")).contains("opens in row 4 is never closed"));
        assert!(failure(read("a,\"b\n1,2\n")).contains("opens in row 1"));
        let limits = Limits { row: 100, ..Limits::default() };
        let long = format!("a,b\n1,2\n3,\"{}", "x\n".repeat(1000));
        assert_eq!(
            failure(collect(Format::Csv, long.as_bytes(), &limits)),
            "The row that begins in line 3 is larger than 100 bytes. Is a quotation mark not closed there?"
        );
    }

    #[test]
    fn columns_without_heading_are_for_nothing() {
        assert_eq!(objects(&read("a,,b,,\n1,,2,,\n").expect("rows")), [(2, json!({"a": "1", "b": "2"}))]);
        assert_eq!(
            failure(read("a,,b,,\n1,,2,,\n1,,2,,x\n")),
            "Column E: row 3 has something here, but the column has no heading. Give it one or clear it."
        );
        assert!(failure(read("a,,b\n1,x,2\n")).starts_with("Column B: row 2 has something"));
    }

    #[test]
    fn other_encodings_are_told_with_row_and_column() {
        assert_eq!(
            failure(read(b"subject.name,b\nAna,1\nM\xFCller,2\n")),
            "The text of row 3, column A (subject.name), is not UTF-8 but perhaps Latin-1 or Windows-1252. Save the file as \
             UTF-8 (in Excel: \"CSV UTF-8\")."
        );
        assert!(failure(read(b"a,\xFC\n1,2\n")).contains("row 1, column B,"));
        assert!(failure(read(b"\xFF\xFEa\0,\0b\0")).contains("UTF-16"));
        assert!(failure(read(b"a\0,\0b\0")).contains("UTF-16"));
        assert!(failure(read(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")).contains("old Excel"));
    }

    #[test]
    fn files_without_rows_are_empty() {
        for empty in ["", "\n\n", "a,b", "a,b\n", "a,b\n,\n\n", ",,\n", "sep=,\n"] {
            assert!(matches!(read(empty), Err(Unreadable::Empty)), "{empty:?}");
        }
    }

    #[test]
    fn many_columns_are_refused_and_many_cells_ragged() {
        let many = ["a"; 501].join(",");
        assert!(matches!(read(&many), Err(Unreadable::TooManyColumns { limit: 500 })));
        let rows = read(format!("a,b\n{}", many.replace('a', "1"))).expect("rows");
        assert_eq!(faults(&rows), ["2 ragged: The row has 501 columns; the heading line has 2."]);
    }
}
