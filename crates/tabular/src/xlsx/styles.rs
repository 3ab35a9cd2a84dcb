//! What the format of a number says about its value.

use std::collections::HashMap;

use quick_xml::events::Event;

use super::package::{Package, PartXml};
use super::workbook::Workbook;
use super::xml::attribute;
use crate::Unreadable;

/// Excel has at most 64,000 styles.
const MOST_STYLES: usize = 65_536;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum NumberFormat {
    #[default]
    Plain,
    /// A date, a time of day, or both.
    Date,
    /// A digit for each `0`, filled up with zeros, and what stands between them: such as `00000` for a ZIP code, or
    /// `000-00-0000`.
    Digits(String),
}

/// The format of each style, by its number.
#[derive(Debug, Default)]
pub(super) struct Styles(Vec<NumberFormat>);

impl Styles {
    pub fn get(&self, style: usize) -> &NumberFormat {
        self.0.get(style).unwrap_or(&NumberFormat::Plain)
    }
}

pub(super) fn read(package: &mut Package<'_>, workbook: &Workbook) -> Result<Styles, Unreadable> {
    let Some(path) = &workbook.styles else { return Ok(Styles::default()) };
    Ok(package.part(path, "its styles", parse)?.unwrap_or_default())
}

fn parse(xml: &mut PartXml<'_, '_>) -> Result<Styles, Unreadable> {
    let mut custom = HashMap::new();
    let mut styles = Vec::new();
    let mut in_cell_formats = false;
    loop {
        let event = xml.next()?;
        match &event {
            Event::Start(element) | Event::Empty(element) => match element.local_name().as_ref() {
                "numFmt" => {
                    if let (Some(id), Some(code)) = (attribute(element, "numFmtId"), attribute(element, "formatCode")) {
                        custom.insert(id.into_owned(), format_of(&code));
                    }
                }
                "cellXfs" => in_cell_formats = matches!(event, Event::Start(_)),
                "xf" if in_cell_formats => {
                    let id = attribute(element, "numFmtId").unwrap_or_default();
                    styles.push(custom.get(&*id).cloned().unwrap_or_else(|| built_in(&id)));
                }
                _ => {}
            },
            Event::End(element) if element.local_name().as_ref() == "cellXfs" => in_cell_formats = false,
            Event::Eof => return Ok(Styles(styles)),
            _ => {}
        }
        if styles.len() > MOST_STYLES || custom.len() > MOST_STYLES {
            return Err(xml.damaged());
        }
    }
}

/// The formats that have a number instead of a code (ECMA-376 part 1, 18.8.30).
fn built_in(id: &str) -> NumberFormat {
    match id.parse() {
        Ok(14..=22 | 27..=36 | 45 | 47 | 50..=58) => NumberFormat::Date,
        _ => NumberFormat::Plain,
    }
}

/// From a format's code, such as `yyyy-mm-dd;@`.
fn format_of(code: &str) -> NumberFormat {
    if let Some(digits) = digits_of(code) {
        return NumberFormat::Digits(digits);
    }
    let mut characters = code.chars();
    while let Some(character) = characters.next() {
        match character {
            // What follows is meant as itself, or as its width.
            '\\' | '_' | '*' => drop(characters.next()),
            '"' => drop(characters.find(|character| *character == '"')),
            // A colour, a condition or a language; or time that has passed, which is no date.
            '[' => drop(characters.find(|character| *character == ']')),
            // Only what stands for positive numbers.
            ';' => break,
            'd' | 'D' | 'm' | 'M' | 'y' | 'Y' | 'h' | 'H' | 's' | 'S' => return NumberFormat::Date,
            _ => {}
        }
    }
    NumberFormat::Plain
}

/// The digits, and the marks between them, of a code that has nothing else.
fn digits_of(code: &str) -> Option<String> {
    let mut digits = String::new();
    let mut characters = code.chars();
    while let Some(character) = characters.next() {
        match character {
            '0' | '-' | ' ' => digits.push(character),
            '\\' => digits.push(characters.next().filter(char::is_ascii_punctuation)?),
            // What stands for negative numbers and for text.
            ';' => break,
            _ => return None,
        }
    }
    let count = digits.bytes().filter(|byte| *byte == b'0').count();
    (digits.starts_with('0') && digits.ends_with('0') && count <= 15).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_say_what_is_a_date() {
        for code in ["yyyy-mm-dd", "DD/MM/YY;@", "[$-409]d-mmm-yy", "h:mm AM/PM", "\"le \"d", "*-yyyy", "[Red]mm/dd"] {
            assert_eq!(format_of(code), NumberFormat::Date, "{code}");
        }
        for code in ["General", "0.00", "#,##0 \"days\"", "0\\d", "[Red]0", "#,##0_d;yyyy", "@", "0\"unclosed d", "[h]"]
        {
            assert_eq!(format_of(code), NumberFormat::Plain, "{code}");
        }
        for (code, digits) in [
            ("00000", "00000"),
            ("00000;@", "00000"),
            ("000\\-00\\-0000", "000-00-0000"),
            ("00000-0000", "00000-0000"),
            ("000 000", "000 000"),
        ] {
            assert_eq!(format_of(code), NumberFormat::Digits(digits.to_owned()), "{code}");
        }
        for code in ["", "0.00", "0 \"days\"", "0\\d", "-0", "0 ", "0000000000000000", "0\\"] {
            assert_eq!(format_of(code), NumberFormat::Plain, "{code}");
        }
        assert_eq!(
            (built_in("14"), built_in("49"), built_in("x")),
            (NumberFormat::Date, NumberFormat::Plain, NumberFormat::Plain)
        );
    }
}
