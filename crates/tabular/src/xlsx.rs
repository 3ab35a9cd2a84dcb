//! Excel workbooks since 2007: a zip of XML parts. Read as a stream with a budget for everything that a file can make
//! large, since a file of a few kilobytes can unpack to gigabytes, and what it declares of its sizes can be a lie.
//!
//! The zip and the XML are libraries' work; what the elements mean is said here. The readers of whole workbooks that
//! there are make room for as many texts as a file claims to have, hold a piece of memory for each of them, and a tag
//! or a text of any size: not for files from outside. The tests compare with one of them.

mod cell;
mod named;
mod package;
mod serial;
mod sheet;
mod strings;
mod styles;
mod workbook;
mod xml;

pub use named::{CellSink, Seen, Sheets};
use package::Package;

use crate::row::Rows;
use crate::{Headings, Limits, Sink, Unreadable};

pub(crate) fn read(bytes: &[u8], limits: &Limits, sink: &mut Sink<'_>) -> Result<Headings, Unreadable> {
    let mut package = Package::open(bytes, limits)?;
    let workbook = workbook::read(&mut package)?;
    let sheet = workbook.sheet()?;
    let styles = styles::read(&mut package, &workbook)?;
    let strings = strings::read(&mut package, &workbook)?;
    let book = cell::Book { strings, styles, from_1904: workbook.from_1904 };
    let mut rows = Rows::new(sink, limits);
    sheet::read(package.sheet(sheet)?, &book, limits, &mut rows)
}
