//! The rows of a sheet.

use std::io::Read;

use domain::RowFault;
use quick_xml::events::{BytesStart, Event};
use serde_json::Map;

use super::cell::{Book, Kind, RawCell};
use super::named::{CellSink, Seen};
use super::strings::RichText;
use super::xml::{Xml, attribute, entity};
use crate::headings::{letters, shown};
use crate::row::{Content, Rows, fault};
use crate::{Headings, Limits, Unreadable};

/// The last row and column that there can be.
const LAST_ROW: u64 = 1_048_576;
const LAST_COLUMN: usize = 16_384;

pub(super) fn read<R: Read>(
    xml: Xml<R>,
    book: &Book,
    limits: &Limits,
    rows: &mut Rows<'_, '_>,
) -> Result<Headings, Unreadable> {
    let mut sheet = Sheet::new(xml, limits);
    let headings = loop {
        if !sheet.next_row(book)? {
            return Err(Unreadable::Empty);
        }
        if let Some(texts) = sheet.texts(book)? {
            break Headings::new(texts, limits)?;
        }
    };
    while sheet.next_row(book)? {
        if let Some(content) = sheet.content(book, &headings)?
            && rows.give(sheet.row, content)?.is_break()
        {
            return Ok(headings);
        }
    }
    sheet.xml.finish()?;
    rows.end().map(|()| headings)
}

/// The rows as they are, without headings.
pub(super) fn read_cells<R: Read>(
    xml: Xml<R>,
    book: &Book,
    limits: &Limits,
    sink: &mut CellSink<'_>,
) -> Result<(), Unreadable> {
    let mut sheet = Sheet::new(xml, limits);
    let mut given = 0;
    while sheet.next_row(book)? {
        if given == limits.rows {
            return Err(Unreadable::TooManyRows { limit: limits.rows });
        }
        given += 1;
        let row = sheet.seen(book)?;
        if sink(sheet.row, &row).is_break() {
            return Ok(());
        }
    }
    sheet.xml.finish().map(drop)
}

struct Sheet<'l, R> {
    xml: Xml<R>,
    /// The row that was read last, from 1.
    row: u64,
    /// Its cells that have something in them are the first `used`; the others are kept to be used again.
    cells: Vec<RawCell>,
    used: usize,
    /// The bytes of their text.
    bytes: usize,
    limits: &'l Limits,
}

impl<'l, R: Read> Sheet<'l, R> {
    const fn new(xml: Xml<R>, limits: &'l Limits) -> Self {
        Self { xml, row: 0, cells: Vec::new(), used: 0, bytes: 0, limits }
    }

    /// Reads the next row that has cells with something in them. False after the last.
    fn next_row(&mut self, book: &Book) -> Result<bool, Unreadable> {
        (self.used, self.bytes) = (0, 0);
        let mut in_row = false;
        let mut next_column = 0;
        loop {
            let event = self.xml.next()?;
            let (element, open) = match &event {
                Event::Start(element) => (element, true),
                Event::Empty(element) => (element, false),
                Event::End(element) => match element.local_name().as_ref() {
                    "row" if self.used > 0 || self.bytes > self.limits.row => return Ok(true),
                    "row" => {
                        in_row = false;
                        continue;
                    }
                    "sheetData" => return Ok(false),
                    _ => continue,
                },
                // It breaks off before the end of the rows.
                Event::Eof => return Err(damaged(self.row)),
                _ => continue,
            };
            match element.local_name().as_ref() {
                "row" => {
                    self.row = row_number(element, self.row).ok_or_else(|| damaged(self.row))?;
                    in_row = open;
                    next_column = 0;
                }
                "c" if in_row => {
                    let column = column_of(element, self.row, next_column).ok_or_else(|| damaged(self.row))?;
                    next_column = column + 1;
                    if open {
                        let kind = attribute(element, "t").map_or(Some(Kind::Number), |kind| Kind::new(&kind));
                        let kind = kind.ok_or_else(|| damaged(self.row))?;
                        let style = attribute(element, "s").and_then(|style| style.parse().ok()).unwrap_or(0);
                        self.read_cell(book, column, kind, style)?;
                    }
                }
                "sheetData" if !open => return Ok(false),
                _ => {}
            }
        }
    }

    /// Reads a cell to its end and keeps it if there is something in it.
    fn read_cell(&mut self, book: &Book, column: usize, kind: Kind, style: usize) -> Result<(), Unreadable> {
        if self.used == self.cells.len() {
            self.cells.push(RawCell::default());
        }
        let cell = &mut self.cells[self.used];
        cell.clear();
        (cell.column, cell.kind, cell.style) = (column, kind, style);
        let mut inline = RichText::default();
        let (mut in_value, mut in_inline) = (false, false);
        loop {
            let event = self.xml.next()?;
            let fits = match &event {
                Event::Start(element) if in_inline => inline.take(&Event::Start(element.borrow())),
                Event::Start(element) | Event::Empty(element) => {
                    let open = matches!(event, Event::Start(_));
                    match element.local_name().as_ref() {
                        "v" => in_value = open,
                        "is" => in_inline = open,
                        "f" => cell.formula = true,
                        _ => {}
                    }
                    true
                }
                Event::End(element) => match element.local_name().as_ref() {
                    "c" => break,
                    "v" => {
                        in_value = false;
                        true
                    }
                    "is" => {
                        in_inline = false;
                        true
                    }
                    _ => inline.take(&event),
                },
                Event::Text(text) if in_value => push(cell, &text.xml10_content(), self.limits),
                Event::CData(text) if in_value => push(cell, &text.xml10_content(), self.limits),
                Event::GeneralRef(reference) if in_value => {
                    entity(reference).is_some_and(|text| push(cell, &text, self.limits))
                }
                Event::Eof => false,
                event if in_inline => inline.take(event),
                _ => true,
            };
            if !fits {
                return Err(damaged(self.row));
            }
        }
        if !inline.as_str().is_empty() {
            cell.text.clear();
            cell.text.push_str(inline.as_str());
        }
        // What a formula without result shows is nothing, but it is a formula nevertheless.
        if cell.formula || !cell.is_blank(book) {
            self.bytes += cell.size(book);
            // Too much of text is told with the row; what comes is not held any more.
            if self.bytes <= self.limits.row && self.used < LAST_COLUMN {
                self.used += 1;
            }
        }
        Ok(())
    }

    fn cells(&self) -> &[RawCell] {
        &self.cells[..self.used]
    }

    /// The row as headings; None if there is nothing in it.
    fn texts(&self, book: &Book) -> Result<Option<Vec<String>>, Unreadable> {
        let Some(last) = self.cells().iter().rfind(|cell| !cell.is_blank(book)) else { return Ok(None) };
        if last.column >= self.limits.columns {
            return Err(Unreadable::TooManyColumns { limit: self.limits.columns });
        }
        let mut texts = vec![String::new(); last.column + 1];
        for cell in self.cells().iter().filter(|cell| !cell.is_blank(book)) {
            let text = match cell.value(book).map_err(|()| damaged(self.row))? {
                Ok(serde_json::Value::String(text)) if cell.kind != Kind::Number => text,
                _ => String::new(),
            };
            if text.is_empty() {
                return Err(Unreadable::BadHeading {
                    column: shown(cell.column, None),
                    detail: format!("its heading, in row {}, is not plain text.", self.row),
                });
            }
            texts[cell.column] = text;
        }
        Ok(Some(texts))
    }

    /// The row's cells from the first column on.
    fn seen(&self, book: &Book) -> Result<Vec<Seen>, Unreadable> {
        if self.bytes > self.limits.row {
            return Err(damaged(self.row));
        }
        let width = self.cells().last().map_or(0, |cell| cell.column + 1);
        if width > self.limits.columns {
            return Err(Unreadable::TooManyColumns { limit: self.limits.columns });
        }
        let mut row = vec![Seen::Nothing; width];
        for cell in self.cells() {
            row[cell.column] = match cell.value(book).map_err(|()| damaged(self.row))? {
                Ok(serde_json::Value::String(text)) => Seen::Text(text),
                Ok(other) => Seen::Text(other.to_string()),
                Err(_) => Seen::Odd,
            };
        }
        Ok(row)
    }

    /// What the row stands for; None if there is nothing to be seen in it.
    fn content(&self, book: &Book, headings: &Headings) -> Result<Option<Content>, Unreadable> {
        if self.bytes > self.limits.row {
            let detail = format!("The text of the row is larger than {} bytes.", self.limits.row);
            return Ok(Some(Err(fault("too_large", detail))));
        }
        if self.cells().iter().all(|cell| cell.is_blank(book)) {
            return Ok(None);
        }
        let mut object = Map::new();
        let mut faults = Vec::new();
        for cell in self.cells() {
            match cell.value(book).map_err(|()| damaged(self.row))? {
                Ok(value) => headings.put(&mut object, cell.column, self.row, value)?,
                Err(fault) => {
                    let (column, pointer) = headings.place(cell.column).unzip();
                    faults.push(RowFault {
                        pointer: pointer.unwrap_or_default().to_owned(),
                        column: column.map(str::to_owned),
                        code: fault.0.to_owned(),
                        detail: format!("Cell {}{} {}", letters(cell.column), self.row, fault.1),
                    });
                }
            }
        }
        Ok(Some(if faults.is_empty() { Ok(object) } else { Err(faults) }))
    }
}

fn damaged(row: u64) -> Unreadable {
    Unreadable::Damaged { part: if row == 0 { "the sheet".to_owned() } else { format!("the sheet at row {row}") } }
}

/// Adds to a cell's text. False if it is more than a row may have.
fn push(cell: &mut RawCell, text: &str, limits: &Limits) -> bool {
    cell.text.push_str(text);
    cell.text.len() <= limits.row
}

/// The number of a row, which is larger than that of the one before.
fn row_number(element: &BytesStart<'_>, before: u64) -> Option<u64> {
    let number = match attribute(element, "r") {
        Some(number) => number.parse().ok()?,
        None => before + 1,
    };
    (number > before && number <= LAST_ROW).then_some(number)
}

/// The column of a cell, from 0, which is behind the one before.
fn column_of(element: &BytesStart<'_>, row: u64, next: usize) -> Option<usize> {
    let Some(reference) = attribute(element, "r") else { return (next < LAST_COLUMN).then_some(next) };
    let digits = reference.find(|character: char| character.is_ascii_digit())?;
    let (column, number) = reference.split_at(digits);
    if number.parse() != Ok(row) || column.is_empty() || column.len() > 3 {
        return None;
    }
    let mut count = 0;
    for letter in column.bytes() {
        if !letter.is_ascii_alphabetic() {
            return None;
        }
        count = count * 26 + usize::from(letter.to_ascii_uppercase() - b'A') + 1;
    }
    let column = count - 1;
    (column >= next && column < LAST_COLUMN).then_some(column)
}
