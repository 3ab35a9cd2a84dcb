//! The bytes of a text file: counted, without a byte order mark, and known not to be UTF-16 or a workbook.

use std::io::{BufRead, BufReader, Chain, Cursor, Read};

use crate::{Limits, Unreadable};

/// What every zip begins with, and so every xlsx.
pub(crate) const ZIP: &[u8] = b"PK\x03\x04";
/// What an old Excel file begins with, and a workbook that is protected by a password.
pub(crate) const COMPOUND_FILE: &[u8] = b"\xD0\xCF\x11\xE0";

pub(crate) struct Text<R> {
    reader: BufReader<Chain<Cursor<Vec<u8>>, R>>,
    consumed: u64,
    limit: u64,
}

impl<R: Read> Text<R> {
    pub fn open(mut input: R, limits: &Limits) -> Result<Self, Unreadable> {
        let mut first = Vec::with_capacity(4);
        input.by_ref().take(4).read_to_end(&mut first)?;
        match *first.as_slice() {
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => return Err(Unreadable::Utf16),
            // No text that is taken here begins with a letter and a NUL.
            [first, second, ..] if (first == 0) != (second == 0) => return Err(Unreadable::Utf16),
            [0xEF, 0xBB, 0xBF, ..] => drop(first.drain(..3)),
            _ if first.starts_with(ZIP) => {
                return Err(Unreadable::NotText { what: "an Excel workbook or another zip" });
            }
            _ if first.starts_with(COMPOUND_FILE) => return Err(Unreadable::NotText { what: "an old Excel file" }),
            _ => {}
        }
        let reader = BufReader::with_capacity(1 << 16, Cursor::new(first).chain(input));
        Ok(Self { reader, consumed: 0, limit: limits.bytes })
    }

    /// The next bytes, as many as there are at hand; none at the end.
    pub fn fill(&mut self) -> Result<&[u8], Unreadable> {
        let bytes = self.reader.fill_buf()?;
        if self.consumed + bytes.len() as u64 > self.limit {
            return Err(Unreadable::TooLarge { limit: self.limit });
        }
        Ok(bytes)
    }

    pub fn consume(&mut self, count: usize) {
        self.consumed += count as u64;
        self.reader.consume(count);
    }
}
