use std::io::Read;

use crate::{Format, Headings, Limits, Sink, Unreadable};
use crate::{csv, ndjson, xlsx};

/// Reads a file and gives `sink` each row of it. Empty rows are passed over.
///
/// Blocks. An xlsx is taken into memory first (at most [`Limits::workbook`] bytes). An error may come after rows have been
/// given: what was made of them is to be undone.
pub fn read(format: Format, input: impl Read, limits: &Limits, sink: &mut Sink<'_>) -> Result<Headings, Unreadable> {
    match format {
        Format::Ndjson => ndjson::read(input, limits, sink).map(|()| Headings::default()),
        Format::Csv => csv::read(input, limits, sink),
        Format::Xlsx => {
            let mut bytes = Vec::new();
            input.take(limits.workbook.saturating_add(1)).read_to_end(&mut bytes)?;
            xlsx::read(&bytes, limits, sink)
        }
    }
}
