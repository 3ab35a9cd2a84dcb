//! Where records begin and end, so that one is held at a time and none without bound. What is in them is the CSV
//! library's to say.

use std::io::Read;

use crate::Unreadable;
use crate::text::Text;

pub(super) struct Frames<R> {
    text: Text<R>,
    separators: Vec<u8>,
    /// The most bytes of a record.
    most: usize,
    /// The line that the next byte is in, from 1.
    line: u64,
    /// The last byte was a carriage return that ended a record: a line feed behind it belongs to it.
    after_return: bool,
    record: Vec<u8>,
}

/// A record that was found; its bytes are [`Frames::record`].
pub(super) struct Frame {
    /// The line it begins in, from 1.
    pub line: u64,
    /// Text follows a closing quotation mark.
    pub stray_quote: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum At {
    CellStart,
    Plain,
    Quoted,
    /// Behind a quotation mark within quotation marks: the closing one, or the first of two that mean one.
    QuoteInQuoted,
}

impl<R: Read> Frames<R> {
    pub fn new(text: Text<R>, separators: &[u8], most: usize) -> Self {
        Self { text, separators: separators.to_vec(), most, line: 1, after_return: false, record: Vec::new() }
    }

    /// Cells are separated by these from now on.
    pub fn separated_by(&mut self, separators: &[u8]) {
        self.separators = separators.to_vec();
    }

    /// The bytes of the record that was found last, with a line feed for its end.
    pub fn record(&self) -> &[u8] {
        &self.record
    }

    /// Finds the next record that is not blank.
    pub fn next(&mut self) -> Result<Option<Frame>, Unreadable> {
        self.record.clear();
        let mut frame = Frame { line: self.line, stray_quote: false };
        let mut at = At::CellStart;
        let mut quote_line = 0;
        loop {
            let bytes = self.text.fill()?;
            if bytes.is_empty() {
                if at == At::Quoted {
                    return Err(Unreadable::UnclosedQuote { row: quote_line });
                }
                let found = !self.record.is_empty();
                self.record.push(b'\n');
                return Ok(found.then_some(frame));
            }
            let mut used = 0;
            let mut ended = false;
            for byte in bytes {
                used += 1;
                if std::mem::take(&mut self.after_return) && *byte == b'\n' {
                    frame.line = self.line;
                    continue;
                }
                if matches!(byte, b'\r' | b'\n') && at != At::Quoted {
                    self.line += 1;
                    self.after_return = *byte == b'\r';
                    if self.record.is_empty() {
                        frame.line = self.line;
                        continue;
                    }
                    ended = true;
                    break;
                }
                at = match (at, byte) {
                    (At::CellStart, b'"') => {
                        quote_line = self.line;
                        At::Quoted
                    }
                    (At::QuoteInQuoted, b'"') => At::Quoted,
                    (At::Quoted, b'"') => At::QuoteInQuoted,
                    (At::Quoted, _) => {
                        self.line += u64::from(*byte == b'\n');
                        At::Quoted
                    }
                    (_, byte) if self.separators.contains(byte) => At::CellStart,
                    (before, _) => {
                        frame.stray_quote |= before == At::QuoteInQuoted;
                        At::Plain
                    }
                };
                self.record.push(*byte);
            }
            self.text.consume(used);
            if self.record.len() > self.most {
                return Err(Unreadable::RowTooLarge { row: frame.line, limit: self.most });
            }
            if ended {
                self.record.push(b'\n');
                return Ok(Some(frame));
            }
        }
    }
}
