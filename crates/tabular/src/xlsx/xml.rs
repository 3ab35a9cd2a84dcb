//! XML as a stream of events, with a budget for the whole part and one for each event: a single tag or text is held
//! in memory.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};

use quick_xml::Reader;
use quick_xml::escape::{resolve_xml_entity, unescape};
use quick_xml::events::{BytesRef, BytesStart, Event};

use crate::Unreadable;

/// The most bytes of one tag or one text. A cell holds at most 32,767 characters.
const LARGEST_EVENT: usize = 1 << 20;

/// Which part of a workbook, for people, and how far it may unpack.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub name: &'static str,
    /// What the budget is for.
    pub budget_of: &'static str,
    /// The whole budget, in bytes.
    pub limit: u64,
    /// What is left of it.
    pub left: u64,
}

pub(super) struct Xml<R> {
    reader: Reader<Metered<R>>,
    buffer: Vec<u8>,
    part: Part,
}

impl<R: Read> Xml<R> {
    pub fn new(input: R, part: Part) -> Self {
        let input = BufReader::with_capacity(1 << 15, input);
        let mut reader = Reader::from_reader(Metered { input, part_left: part.left, event_left: LARGEST_EVENT });
        // It keeps the names of all open elements for that, which is memory without bound.
        reader.config_mut().check_end_names = false;
        reader.config_mut().allow_unmatched_ends = true;
        Self { reader, buffer: Vec::new(), part }
    }

    pub fn next(&mut self) -> Result<Event<'_>, Unreadable> {
        self.buffer.clear();
        self.reader.get_mut().event_left = LARGEST_EVENT;
        match self.reader.read_event_into(&mut self.buffer) {
            Ok(event) => Ok(event),
            Err(_) if self.reader.get_ref().part_left == 0 => {
                Err(Unreadable::ZipBomb { part: self.part.budget_of, limit: self.part.limit })
            }
            Err(_) => Err(Unreadable::Damaged { part: self.part.name.to_owned() }),
        }
    }

    /// Reads what is left, to see that it can be read and is what the zip's checksum says. Gives the budget that is
    /// left.
    pub fn finish(mut self) -> Result<u64, Unreadable> {
        loop {
            if matches!(self.next()?, Event::Eof) {
                return Ok(self.reader.get_ref().part_left);
            }
        }
    }

    pub fn damaged(&self) -> Unreadable {
        Unreadable::Damaged { part: self.part.name.to_owned() }
    }
}

struct Metered<R> {
    input: BufReader<R>,
    part_left: u64,
    event_left: usize,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let count = bytes.len().min(into.len());
        into[..count].copy_from_slice(&bytes[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl<R: Read> BufRead for Metered<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let bytes = self.input.fill_buf()?;
        let most = usize::try_from(self.part_left).unwrap_or(usize::MAX).min(self.event_left);
        if most == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(&bytes[..bytes.len().min(most)])
    }

    fn consume(&mut self, count: usize) {
        self.part_left = self.part_left.saturating_sub(count as u64);
        self.event_left = self.event_left.saturating_sub(count);
        self.input.consume(count);
    }
}

/// The value of an attribute, whatever the prefix of its name. None too for one that cannot be read.
pub(super) fn attribute<'e>(element: &'e BytesStart<'_>, name: &str) -> Option<Cow<'e, str>> {
    let found = element
        .attributes()
        .with_checks(false)
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == name)?;
    match found.value {
        Cow::Borrowed(raw) => unescape(raw).ok(),
        Cow::Owned(raw) => unescape(&raw).ok().map(|text| Cow::Owned(text.into_owned())),
    }
}

/// What an entity stands for: one of the five of XML, or a character by its number.
pub(super) fn entity(entity: &BytesRef<'_>) -> Option<Cow<'static, str>> {
    if let Some(text) = resolve_xml_entity(entity.as_ref()) {
        return Some(Cow::Borrowed(text));
    }
    entity.resolve_char_ref().ok().flatten().map(|character| Cow::Owned(character.to_string()))
}
