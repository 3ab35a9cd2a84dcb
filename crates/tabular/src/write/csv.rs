use csv::{Terminator, Writer, WriterBuilder};

use super::Cell;
use super::table::{Unwritable, same_length};
use crate::neutralize;

const BYTE_ORDER_MARK: &[u8] = "\u{FEFF}".as_bytes();

pub(super) struct CsvLines {
    writer: Writer<Vec<u8>>,
    columns: usize,
}

impl CsvLines {
    pub fn new(columns: &[&str]) -> Result<Self, Unwritable> {
        let mut lines = Self { writer: writer(BYTE_ORDER_MARK.to_vec()), columns: columns.len() };
        lines.writer.write_record(columns).map_err(line)?;
        Ok(lines)
    }

    pub fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), Unwritable> {
        same_length(cells.len(), self.columns)?;
        for cell in cells {
            match cell {
                Cell::Text(text) => self.writer.write_field(neutralize(text).as_bytes()),
                Cell::Number(number) if number.is_finite() => self.writer.write_field(number.to_string()),
                Cell::Number(_) | Cell::Empty => self.writer.write_field(b""),
            }
            .map_err(line)?;
        }
        self.writer.write_record(None::<&[u8]>).map_err(line)
    }

    pub fn take(&mut self) -> Result<Vec<u8>, Unwritable> {
        let full = std::mem::replace(&mut self.writer, writer(Vec::new()));
        full.into_inner().map_err(|error| Unwritable::Line(error.to_string()))
    }
}

fn writer(bytes: Vec<u8>) -> Writer<Vec<u8>> {
    WriterBuilder::new().terminator(Terminator::CRLF).from_writer(bytes)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn line(error: csv::Error) -> Unwritable {
    Unwritable::Line(error.to_string())
}
