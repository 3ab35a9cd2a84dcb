//! The texts that cells share.

use std::borrow::Cow;

use quick_xml::events::Event;

use super::package::{Package, PartXml};
use super::workbook::Workbook;
use super::xml::{attribute, entity};
use crate::Unreadable;

/// One after the other in one piece of memory: a sheet of 100,000 rows can have millions, most of them a few bytes.
#[derive(Debug, Default)]
pub(super) struct Strings {
    text: String,
    ends: Vec<u32>,
}

impl Strings {
    pub fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)? as usize;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.text.get(start..end)
    }

    /// Keeps one more, unless that makes them more than `most` bytes.
    fn push(&mut self, text: &str, most: usize) -> Result<(), Unreadable> {
        self.text.push_str(text);
        let size = self.text.len() + (self.ends.len() + 1) * size_of::<u32>();
        match u32::try_from(self.text.len()) {
            Ok(end) if size <= most => {
                self.ends.push(end);
                Ok(())
            }
            _ => Err(Unreadable::ZipBomb { part: "the texts of its cells", limit: most as u64 }),
        }
    }
}

pub(super) fn read(package: &mut Package<'_>, workbook: &Workbook) -> Result<Strings, Unreadable> {
    let Some(path) = &workbook.strings else { return Ok(Strings::default()) };
    let most = package.limits().texts;
    Ok(package.part(path, "its texts", |xml| parse(xml, most))?.unwrap_or_default())
}

fn parse(xml: &mut PartXml<'_, '_>, most: usize) -> Result<Strings, Unreadable> {
    let mut strings = Strings::default();
    let mut text = RichText::default();
    loop {
        let event = xml.next()?;
        match &event {
            Event::Start(element) if element.local_name().as_ref() == "si" => text.clear(),
            Event::Empty(element) if element.local_name().as_ref() == "si" => strings.push("", most)?,
            Event::End(element) if element.local_name().as_ref() == "si" => {
                strings.push(&unescaped(text.as_str()), most)?;
            }
            Event::Eof => return Ok(strings),
            event => {
                if !text.take(event) {
                    return Err(xml.damaged());
                }
            }
        }
    }
}

/// Text that may be in several runs (`<r><t>…`), without how it is pronounced (`<rPh>`).
#[derive(Debug, Default)]
pub(super) struct RichText {
    text: String,
    in_text: bool,
    in_phonetic: bool,
    preserved: bool,
    run_start: usize,
}

/// The most bytes of one text: 32,767 characters of at most 4.
const LONGEST: usize = 4 * 32_767;

impl RichText {
    pub fn clear(&mut self) {
        self.text.clear();
        (self.in_text, self.in_phonetic) = (false, false);
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Takes an event within the text. False if it cannot be text of a cell.
    pub fn take(&mut self, event: &Event<'_>) -> bool {
        match event {
            Event::Start(element) => match element.local_name().as_ref() {
                "t" => {
                    self.in_text = !self.in_phonetic;
                    self.preserved = attribute(element, "space").is_some_and(|space| space == "preserve");
                    self.run_start = self.text.len();
                }
                "rPh" => self.in_phonetic = true,
                _ => {}
            },
            Event::End(element) => match element.local_name().as_ref() {
                "t" => self.end_run(),
                "rPh" => self.in_phonetic = false,
                _ => {}
            },
            Event::Text(text) if self.in_text => self.text.push_str(&text.xml10_content()),
            Event::CData(text) if self.in_text => self.text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) if self.in_text => match entity(reference) {
                Some(text) => self.text.push_str(&text),
                None => return false,
            },
            _ => {}
        }
        self.text.len() <= LONGEST
    }

    /// Space around a run is layout of the XML unless it says otherwise.
    fn end_run(&mut self) {
        if std::mem::take(&mut self.in_text) && !self.preserved {
            let space = [' ', '\t', '\r', '\n'];
            let kept = self.text[self.run_start..].trim_matches(space).to_owned();
            self.text.truncate(self.run_start);
            self.text.push_str(&kept);
        }
    }
}

/// Characters that XML cannot hold are written as `_x000D_`, and the underscore before such a thing as `_x005F_`.
pub(super) fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains("_x") {
        return Cow::Borrowed(text);
    }
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let escaped = rest.strip_prefix("_x").and_then(|rest| {
            let (digits, rest) = rest.split_at_checked(4)?;
            let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            Some((u16::from_str_radix(digits, 16).ok().filter(|_| is_hex)?, rest.strip_prefix('_')?))
        });
        if let Some((unit, behind)) = escaped {
            units.push(unit);
            rest = behind;
        } else {
            units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
            rest = &rest[character.len_utf8()..];
        }
    }
    Cow::Owned(String::from_utf16_lossy(&units))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_xml_cannot_hold_are_unescaped() {
        for (written, meant) in [
            ("plain", "plain"),
            ("a_x000D_b", "a\rb"),
            ("_x005F_x000D_", "_x000D_"),
            ("_xD83D__xDE00_ü😀", "😀ü😀"),
            ("_xD83D_", "\u{FFFD}"),
            ("_x00_ _x+0D_ _xüü_ _x", "_x00_ _x+0D_ _xüü_ _x"),
        ] {
            assert_eq!(unescaped(written), meant);
        }
    }
}
