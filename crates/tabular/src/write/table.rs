use super::Cell;
use super::csv::CsvLines;
use super::ndjson::NdjsonLines;
use super::xlsx::XlsxRows;
use crate::Format;

/// What a download is made of: one sheet where the format has sheets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table<'a> {
    /// The name of the sheet: at most 31 characters, none of `[]:*?/\`.
    pub name: &'a str,
    /// The headings, in order.
    pub columns: &'a [&'a str],
}

/// Why a download cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Unwritable {
    #[error("a row has {cells} cells where the table has {columns} columns")]
    Ragged { cells: usize, columns: usize },
    #[error("a line cannot be written: {0}")]
    Line(String),
    /// Such as more rows than a sheet can have.
    #[error("the workbook cannot be written: {0}")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
    /// Such as a sheet of more than 4 GiB, unpacked.
    #[error("the workbook cannot be packed: {0}")]
    Packing(#[from] std::io::Error),
}

/// Writes a table in any [`Format`], as bytes: give it rows, [`take`](Self::take) the bytes there are, send them on.
///
/// CSV begins with a byte order mark, without which Excel takes it for another encoding, and its lines end with CR LF.
/// Text that looks like a formula is made inert: see [`neutralize`](crate::neutralize) for CSV, [`Workbook`] for xlsx.
/// In xlsx, text that is too long for a cell is cut as told there, and characters that XML cannot hold, control
/// characters mostly, become U+FFFD.
///
/// [`Workbook`]: crate::Workbook
pub struct TableWriter(Inner);

enum Inner {
    Ndjson(NdjsonLines),
    Csv(Box<CsvLines>),
    Xlsx(Box<XlsxRows>),
}

impl TableWriter {
    pub fn new(format: Format, table: &Table<'_>) -> Result<Self, Unwritable> {
        Ok(Self(match format {
            Format::Ndjson => Inner::Ndjson(NdjsonLines::new(table.columns)),
            Format::Csv => Inner::Csv(Box::new(CsvLines::new(table.columns)?)),
            Format::Xlsx => Inner::Xlsx(Box::new(XlsxRows::new(table)?)),
        }))
    }

    /// Writes a row; it has as many cells as there are columns.
    pub fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), Unwritable> {
        match &mut self.0 {
            Inner::Ndjson(lines) => lines.row(cells),
            Inner::Csv(lines) => lines.row(cells),
            Inner::Xlsx(rows) => rows.row(cells),
        }
    }

    /// The bytes since the last time. What was written last may come later: xlsx is packed.
    pub fn take(&mut self) -> Result<Vec<u8>, Unwritable> {
        match &mut self.0 {
            Inner::Ndjson(lines) => Ok(lines.take()),
            Inner::Csv(lines) => lines.take(),
            Inner::Xlsx(rows) => Ok(rows.take()),
        }
    }

    /// The bytes that are left.
    pub fn finish(mut self) -> Result<Vec<u8>, Unwritable> {
        match self.0 {
            Inner::Xlsx(rows) => rows.finish(),
            _ => self.take(),
        }
    }
}

pub(super) fn same_length(cells: usize, columns: usize) -> Result<(), Unwritable> {
    if cells == columns { Ok(()) } else { Err(Unwritable::Ragged { cells, columns }) }
}
