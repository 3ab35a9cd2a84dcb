//! A report as it stands on paper: headings, pairs, tables, notes. One content for the page and the PDF, so that neither
//! says what the other does not.

use domain::Timestamp;

/// The longest word that makes a column as wide as itself: an id.
const LONGEST_WORD: usize = 32;

/// A report that can be printed.
pub struct Paper {
    /// What it is called where others see it, too: in a window's title, in a file's data. Names nobody.
    pub title: String,
    /// Stands at the foot of every page.
    pub order: String,
    pub generated_at: Timestamp,
    pub sections: Vec<Section>,
}

pub struct Section {
    pub level: Level,
    pub heading: String,
    pub blocks: Vec<Block>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Chapter,
    Part,
}

pub enum Block {
    Entries(Entries),
    Table(Table),
    Note(String),
}

/// Names, and what they stand for.
#[derive(Default)]
pub struct Entries(Vec<(String, String)>);

pub struct Table {
    pub caption: String,
    pub columns: Vec<Column>,
    /// Each as long as the columns are.
    pub rows: Vec<Vec<String>>,
}

pub struct Column {
    pub title: &'static str,
    /// Amounts stand below each other by their last digit.
    pub is_number: bool,
}

impl Section {
    pub fn chapter(heading: impl Into<String>) -> Self {
        Self { level: Level::Chapter, heading: heading.into(), blocks: Vec::new() }
    }

    pub fn part(heading: impl Into<String>) -> Self {
        Self { level: Level::Part, heading: heading.into(), blocks: Vec::new() }
    }

    pub fn entries(&mut self, entries: Entries) {
        if !entries.0.is_empty() {
            self.blocks.push(Block::Entries(entries));
        }
    }

    /// Leaves a table without rows out, and of the others the columns that hold nothing.
    pub fn table(&mut self, mut table: Table) {
        let is_told = |at: usize| table.rows.iter().any(|row| row.get(at).is_some_and(|cell| !cell.is_empty()));
        let told: Vec<bool> = (0..table.columns.len()).map(is_told).collect();
        let is_kept = |at: usize| told.get(at).copied().unwrap_or_default();
        retain_at(&mut table.columns, is_kept);
        table.rows.iter_mut().for_each(|row| retain_at(row, is_kept));
        if !table.rows.is_empty() {
            self.blocks.push(Block::Table(table));
        }
    }

    pub fn note(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Note(text.into()));
    }

    pub const fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }
}

fn retain_at<T>(all: &mut Vec<T>, is_kept: impl Fn(usize) -> bool) {
    let mut at = 0;
    all.retain(|_| {
        at += 1;
        is_kept(at - 1)
    });
}

impl Entries {
    /// With one more, unless there is nothing to say.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: Option<impl Into<String>>) -> Self {
        let value = value.map(Into::into).unwrap_or_default();
        if !value.trim().is_empty() {
            self.0.push((name.into(), value));
        }
        self
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl Table {
    /// With such columns; those whose title begins with `#` hold numbers.
    pub fn new(caption: impl Into<String>, titles: &[&'static str]) -> Self {
        let column = |title: &&'static str| match title.strip_prefix('#') {
            Some(title) => Column { title, is_number: true },
            None => Column { title, is_number: false },
        };
        Self { caption: caption.into(), columns: titles.iter().map(column).collect(), rows: Vec::new() }
    }

    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        let mut row = Vec::from(cells);
        row.resize(self.columns.len(), String::new());
        self.rows.push(row);
    }

    /// What kind of cell it is: one with a word that no column has room for may be broken anywhere.
    pub fn class(&self, at: usize, cell: &str) -> &'static str {
        let is_long = cell.split_whitespace().any(|word| word.chars().count() > LONGEST_WORD);
        match self.columns.get(at) {
            _ if is_long => "long",
            Some(column) if column.is_number => "number",
            _ => "text",
        }
    }
}

impl Paper {
    /// Every text in it.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.sections.iter().flat_map(|section| {
            std::iter::once(section.heading.as_str()).chain(section.blocks.iter().flat_map(Block::texts))
        })
    }
}

impl Block {
    fn texts(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match self {
            Self::Entries(entries) => Box::new(entries.iter().flat_map(|(name, value)| [name, value])),
            Self::Table(table) => {
                Box::new(std::iter::once(table.caption.as_str()).chain(table.rows.iter().flatten().map(String::as_str)))
            }
            Self::Note(text) => Box::new(std::iter::once(text.as_str())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_nothing_is_left_out() {
        let mut section = Section::chapter("Pay");
        section.table(Table::new("None", &["Year", "#Base"]));
        section.entries(Entries::default().with("Bonus", None::<String>).with("Base", Some(" ")));
        assert!(section.is_empty());

        let mut table = Table::new("Earnings", &["Year", "#Base", "#Bonus"]);
        table.row(["2025".to_owned(), String::new(), "10.00".to_owned()]);
        table.row(["2024".to_owned()]);
        section.table(table);
        let [Block::Table(table)] = section.blocks.as_slice() else { panic!("a table") };
        assert_eq!(table.columns.iter().map(|column| column.title).collect::<Vec<_>>(), ["Year", "Bonus"]);
        assert_eq!(table.rows, [["2025", "10.00"], ["2024", ""]]);
    }
}
