use std::borrow::Cow;

use serde::{Serialize, Serializer};

/// A cell of a download.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// Text, whatever it looks like: a spreadsheet program never takes it for a formula.
    Text(Cow<'a, str>),
    /// What is not finite is written as nothing.
    Number(f64),
    Empty,
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Cell<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<u32> for Cell<'_> {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(cell: Option<T>) -> Self {
        cell.map_or(Self::Empty, Into::into)
    }
}

/// The most UTF-16 units of a text in a sheet.
const LONGEST_TEXT: usize = 32_767;
/// The end of a text that was cut.
const CUT: char = '…';

/// A text for a cell of a sheet: cut, and marked so, if it is longer than Excel opens.
pub(super) fn fitted(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST_TEXT || text.encode_utf16().nth(LONGEST_TEXT).is_none() {
        return Cow::Borrowed(text);
    }
    let mut units = CUT.len_utf16();
    let fits = |&character: &char| {
        units += character.len_utf16();
        units <= LONGEST_TEXT
    };
    Cow::Owned(text.chars().take_while(fits).chain([CUT]).collect())
}

/// As in NDJSON.
impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            // Every integer up to here is a double exactly.
            #[expect(clippy::cast_possible_truncation, reason = "it is an integer of at most 53 bits")]
            Self::Number(number) if number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0 => {
                serializer.serialize_i64(*number as i64)
            }
            Self::Number(number) if number.is_finite() => serializer.serialize_f64(*number),
            Self::Number(_) | Self::Empty => serializer.serialize_none(),
        }
    }
}
