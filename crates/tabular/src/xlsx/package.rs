//! The zip around a workbook.

use std::collections::HashMap;
use std::io::Cursor;

use zip::ZipArchive;
use zip::read::ZipFile;
use zip::result::ZipError;

use super::xml::{Part, Xml};
use crate::text::{COMPOUND_FILE, ZIP};
use crate::{Limits, Unreadable};

/// The most entries of a zip; a workbook has some dozens. Each takes memory before anything is read of it.
const MOST_ENTRIES: usize = 10_000;

pub(super) struct Package<'b> {
    archive: ZipArchive<Cursor<&'b [u8]>>,
    /// The number of each entry by its path; in small letters, as spreadsheet programs do not mind the case.
    entries: HashMap<String, usize>,
    limits: Limits,
    /// What is left of the budget for everything that is not the sheet.
    parts_left: u64,
}

pub(super) type PartXml<'a, 'b> = Xml<ZipFile<'a, Cursor<&'b [u8]>>>;

impl<'b> Package<'b> {
    pub fn open(bytes: &'b [u8], limits: &Limits) -> Result<Self, Unreadable> {
        judge(bytes, limits)?;
        let archive = ZipArchive::new(Cursor::new(bytes))
            .map_err(|_| Unreadable::Damaged { part: "the zip that it is".to_owned() })?;
        let mut entries = HashMap::with_capacity(archive.len());
        for index in 0..archive.len() {
            if let Some(Ok(name)) = archive.name_for_index(index) {
                entries.insert(name.replace('\\', "/").to_ascii_lowercase(), index);
            }
        }
        Ok(Self { archive, entries, limits: *limits, parts_left: limits.inflated_parts })
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    pub fn has(&self, path: &str) -> bool {
        self.entries.contains_key(&path.to_ascii_lowercase())
    }

    /// Reads a part other than the sheet; None if there is none at this path.
    pub fn part<T>(
        &mut self,
        path: &str,
        name: &'static str,
        read: impl FnOnce(&mut PartXml<'_, 'b>) -> Result<T, Unreadable>,
    ) -> Result<Option<T>, Unreadable> {
        let Some(&index) = self.entries.get(&path.to_ascii_lowercase()) else { return Ok(None) };
        let budget_of = "its texts and styles";
        let part = Part { name, budget_of, limit: self.limits.inflated_parts, left: self.parts_left };
        let mut xml = self.open_entry(index, part)?;
        let value = read(&mut xml)?;
        self.parts_left = xml.finish()?;
        Ok(Some(value))
    }

    pub fn sheet(&mut self, path: &str) -> Result<PartXml<'_, 'b>, Unreadable> {
        let missing = Unreadable::MissingPart { part: "the sheet" };
        let index = *self.entries.get(&path.to_ascii_lowercase()).ok_or(missing)?;
        let limit = self.limits.inflated;
        self.open_entry(index, Part { name: "the sheet", budget_of: "its sheet", limit, left: limit })
    }

    fn open_entry(&mut self, index: usize, part: Part) -> Result<PartXml<'_, 'b>, Unreadable> {
        let file = self.archive.by_index(index).map_err(|error| match error {
            ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => Unreadable::PasswordProtected,
            _ => Unreadable::Damaged { part: part.name.to_owned() },
        })?;
        // What it declares may be too little, but is reason enough to refuse if it is too much.
        if file.size() > part.left {
            return Err(Unreadable::ZipBomb { part: part.budget_of, limit: part.limit });
        }
        Ok(Xml::new(file, part))
    }
}

/// Refuses what is no xlsx, before anything is made of it.
fn judge(bytes: &[u8], limits: &Limits) -> Result<(), Unreadable> {
    if bytes.len() as u64 > limits.workbook {
        return Err(Unreadable::TooLarge { limit: limits.workbook });
    }
    if bytes.is_empty() {
        return Err(Unreadable::Empty);
    }
    if bytes.starts_with(COMPOUND_FILE) {
        // Names in a compound file's directory are UTF-16, in entries of 128 bytes each at a multiple of that.
        let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let encrypted = bytes.chunks(128).any(|entry| entry.starts_with(&name));
        return Err(if encrypted { Unreadable::PasswordProtected } else { Unreadable::OldExcel });
    }
    if !bytes.starts_with(ZIP) {
        return Err(Unreadable::NotAWorkbook { detail: "it does not begin like one" });
    }
    // Every entry has such a header. In packed data the same four bytes hardly ever occur.
    if bytes.windows(4).filter(|window| window == b"PK\x01\x02").take(MOST_ENTRIES + 1).count() > MOST_ENTRIES {
        return Err(Unreadable::NotAWorkbook { detail: "it is a zip of too many files" });
    }
    Ok(())
}
