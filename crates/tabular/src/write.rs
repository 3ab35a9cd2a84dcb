//! Rows of downloads, written.

mod cell;
mod csv;
mod ndjson;
mod table;
mod workbook;
mod xlsx;

pub use cell::Cell;
pub use ndjson::ndjson_line;
pub use table::{Table, TableWriter, Unwritable};
pub use workbook::Workbook;
