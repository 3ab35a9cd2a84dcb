use serde::{Serialize, Serializer};

use super::Cell;
use super::table::{Unwritable, same_length};

/// One value as a line of NDJSON, with its line feed.
pub fn ndjson_line(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}

/// A table as objects: one key for each column, in their order, the heading as it is.
pub(super) struct NdjsonLines {
    columns: Vec<String>,
    bytes: Vec<u8>,
}

impl NdjsonLines {
    pub fn new(columns: &[&str]) -> Self {
        Self { columns: columns.iter().map(|column| (*column).to_owned()).collect(), bytes: Vec::new() }
    }

    pub fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), Unwritable> {
        same_length(cells.len(), self.columns.len())?;
        let object = Object { columns: &self.columns, cells };
        serde_json::to_writer(&mut self.bytes, &object).map_err(|error| Unwritable::Line(error.to_string()))?;
        self.bytes.push(b'\n');
        Ok(())
    }

    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }
}

struct Object<'o> {
    columns: &'o [String],
    cells: &'o [Cell<'o>],
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.columns.iter().zip(self.cells))
    }
}
