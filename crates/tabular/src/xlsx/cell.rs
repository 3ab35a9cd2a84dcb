//! What a cell says.

use serde_json::Value;

use super::serial;
use super::strings::{Strings, unescaped};
use super::styles::{NumberFormat, Styles};

/// What the cells of a sheet refer to.
pub(super) struct Book {
    pub strings: Strings,
    pub styles: Styles,
    pub from_1904: bool,
}

/// A cell as the sheet has it.
#[derive(Debug, Default)]
pub(super) struct RawCell {
    /// From 0.
    pub column: usize,
    pub kind: Kind,
    pub style: usize,
    pub formula: bool,
    /// Its value as text, or the number of one of the shared texts.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Kind {
    #[default]
    Number,
    Shared,
    Text,
    Boolean,
    Error,
    IsoDate,
}

/// Why a cell cannot be taken: a code, and the sentence that goes on after "Cell D7 ".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CellFault(pub &'static str, pub &'static str);

const FORMULA: CellFault = CellFault("formula", "holds a formula. Paste its value instead.");
const ERROR: CellFault = CellFault("cell_error", "holds an error, such as #REF! or #N/A. Put the value there.");
const INEXACT: CellFault = CellFault(
    "inexact_number",
    "holds a number of more than 15 digits, of which a spreadsheet keeps 15 only. Format the column as text and enter \
     it again.",
);
const NO_DATE: CellFault = CellFault("invalid_date", "is formatted as a date, but its value is none.");

impl Kind {
    /// From the cell's type attribute.
    pub fn new(attribute: &str) -> Option<Self> {
        Some(match attribute {
            "n" => Self::Number,
            "s" => Self::Shared,
            "str" | "inlineStr" => Self::Text,
            "b" => Self::Boolean,
            "e" => Self::Error,
            "d" => Self::IsoDate,
            _ => return None,
        })
    }
}

impl RawCell {
    pub fn clear(&mut self) {
        self.text.clear();
        (self.kind, self.style, self.formula) = (Kind::default(), 0, false);
    }

    /// Nothing is to be seen in it.
    pub fn is_blank(&self, book: &Book) -> bool {
        match self.kind {
            Kind::Shared => self.shared(book).is_some_and(str::is_empty),
            Kind::Text => self.text.is_empty(),
            _ => self.text.trim().is_empty(),
        }
    }

    /// The bytes of its text.
    pub fn size(&self, book: &Book) -> usize {
        match self.kind {
            Kind::Shared => self.shared(book).map_or(0, str::len),
            _ => self.text.len(),
        }
    }

    fn shared<'b>(&self, book: &'b Book) -> Option<&'b str> {
        book.strings.get(self.text.trim().parse().ok()?)
    }

    /// The value of a cell that is not blank. The outer error is a damaged file.
    pub fn value(&self, book: &Book) -> Result<Result<Value, CellFault>, ()> {
        if self.formula {
            return Ok(Err(FORMULA));
        }
        Ok(Ok(match self.kind {
            Kind::Shared => Value::String(self.shared(book).ok_or(())?.to_owned()),
            Kind::Text => Value::String(unescaped(&self.text).into_owned()),
            Kind::Boolean => Value::Bool(match self.text.trim() {
                "1" | "true" | "TRUE" => true,
                "0" | "false" | "FALSE" => false,
                _ => return Err(()),
            }),
            Kind::Error => return Ok(Err(ERROR)),
            Kind::IsoDate => return Ok(serial::from_iso(self.text.trim()).map(Value::String).ok_or(NO_DATE)),
            Kind::Number => {
                // Some programs do not say that a text is one.
                let Ok(number) = self.text.trim().parse() else { return Ok(Ok(Value::String(self.text.clone()))) };
                return Ok(self::number(number, book.styles.get(self.style), book.from_1904).map(Value::String));
            }
        }))
    }
}

/// Larger numbers have more than 15 digits.
const LARGEST_EXACT: f64 = 1e15;

fn number(number: f64, format: &NumberFormat, from_1904: bool) -> Result<String, CellFault> {
    match format {
        NumberFormat::Date => serial::text(number, from_1904).ok_or(NO_DATE),
        // Also what is no number at all.
        _ if number.abs().partial_cmp(&LARGEST_EXACT) != Some(std::cmp::Ordering::Less) => Err(INEXACT),
        NumberFormat::Digits(digits) if number >= 0.0 && number.fract() == 0.0 => Ok(filled(number + 0.0, digits)),
        // Zero can be negative, too.
        _ => Ok((number + 0.0).to_string()),
    }
}

/// A whole number as its format shows it. Digits that there is no place for stand in front.
fn filled(number: f64, format: &str) -> String {
    let places = format.bytes().filter(|byte| *byte == b'0').count();
    let number = format!("{number:0places$}");
    let (in_front, in_places) = number.split_at(number.len() - places);
    let mut in_places = in_places.chars();
    let shown = format.chars().filter_map(|mark| if mark == '0' { in_places.next() } else { Some(mark) });
    in_front.chars().chain(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_a_person_would() {
        let plain = |value: &str| number(value.parse().expect("a number"), &NumberFormat::Plain, false);
        for (value, text) in [
            ("123456789", "123456789"),
            ("1.23456789E8", "123456789"),
            ("999999999999999", "999999999999999"),
            ("-5", "-5"),
            ("-0", "0"),
            ("0.1", "0.1"),
            ("1234.5", "1234.5"),
            ("0.10000000000000001", "0.1"),
            ("1E-3", "0.001"),
        ] {
            assert_eq!(plain(value).as_deref(), Ok(text), "{value}");
        }
        for value in ["1000000000000000", "4.5320151128336E15", "1e300", "inf", "NaN"] {
            assert_eq!(plain(value), Err(INEXACT), "{value}");
        }
        for (value, format, text) in [
            (1234.0, "00000", "01234"),
            (123_456.0, "00000", "123456"),
            (12.5, "00000", "12.5"),
            (-5.0, "00000", "-5"),
            (12_345_678.0, "000-00-0000", "012-34-5678"),
            (1_234_567_890.0, "000-00-0000", "1234-56-7890"),
            (21_341_234.0, "00000-0000", "02134-1234"),
        ] {
            let format = NumberFormat::Digits(format.to_owned());
            assert_eq!(number(value, &format, false).as_deref(), Ok(text), "{value}");
        }
    }
}
