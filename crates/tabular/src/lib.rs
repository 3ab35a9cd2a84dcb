//! Rows of uploads and downloads: NDJSON, CSV and Excel workbooks (`.xlsx`), one row at a time in bounded memory.
//!
//! A row of an upload becomes a JSON object, and what is wrong with one row is told as [`RowFault`]s without giving up
//! the others; what makes the whole file unreadable ends it with [`Unreadable`]. Columns of CSV and xlsx are dotted
//! paths (`subject.first_name`, `checks.0.type`). What the fields mean, and whether they are there at all, is not known
//! here. Reading blocks; whoever is async calls [`read`] on a thread of its own.
//!
//! No text for people repeats a value of the file.

pub mod json;

mod csv;
mod format;
mod headings;
mod limits;
mod merge;
mod ndjson;
mod neutralize;
mod read;
mod row;
#[cfg(test)]
mod testing;
mod text;
mod unreadable;
mod write;
mod xlsx;

pub use domain::RowFault;

pub use format::Format;
pub use headings::Headings;
pub use limits::Limits;
pub use merge::merge;
pub use neutralize::neutralize;
pub use read::read;
pub use row::{Row, Sink, Taken};
pub use unreadable::Unreadable;
pub use write::{Cell, Table, TableWriter, Unwritable, Workbook, ndjson_line};
pub use xlsx::{CellSink, Seen, Sheets};
