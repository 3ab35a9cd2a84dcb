//! Sheets by their names, as the plain texts of their cells: for a workbook whose headings are another's words.

use std::ops::ControlFlow;

use super::package::Package;
use super::workbook::{self, Workbook};
use super::{cell, sheet, strings, styles};
use crate::{Limits, Unreadable};

/// A workbook to be read sheet by sheet, under the same limits as an upload.
pub struct Sheets<'b> {
    package: Package<'b>,
    workbook: Workbook,
    book: cell::Book,
    limits: Limits,
}

/// What a cell says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    Nothing,
    Text(String),
    /// A formula, an error, a number that the workbook does not hold exactly.
    Odd,
}

impl Seen {
    /// The text without space around it; `None` where there is none, or nothing that can be taken for one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            Self::Nothing | Self::Odd => None,
        }
    }
}

/// Takes the rows of a sheet that have something in them: the number of each, from 1, and its cells from column A on.
pub type CellSink<'a> = dyn FnMut(u64, &[Seen]) -> ControlFlow<()> + 'a;

impl<'b> Sheets<'b> {
    pub fn open(bytes: &'b [u8], limits: &Limits) -> Result<Self, Unreadable> {
        let mut package = Package::open(bytes, limits)?;
        let workbook = workbook::read(&mut package)?;
        let styles = styles::read(&mut package, &workbook)?;
        let strings = strings::read(&mut package, &workbook)?;
        let book = cell::Book { strings, styles, from_1904: workbook.from_1904 };
        Ok(Self { package, workbook, book, limits: *limits })
    }

    /// In their order, hidden ones too.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.workbook.named().map(|(name, _)| name)
    }

    /// Gives `sink` the rows of the first sheet of this name. A sheet without any gives none.
    pub fn read(&mut self, name: &str, sink: &mut CellSink<'_>) -> Result<(), Unreadable> {
        let path = self.workbook.named().find(|(known, _)| *known == name).map(|(_, path)| path.to_owned());
        let path = path.ok_or(Unreadable::NoSheet)?;
        sheet::read_cells(self.package.sheet(&path)?, &self.book, &self.limits, sink)
    }
}
