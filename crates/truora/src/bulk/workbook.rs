//! The workbook that is sent: a line of names, and a row for each check. Every cell is text, so that no zero in front of a
//! number is lost and nothing is taken for a formula.

use provider::SubmissionItem;
use tabular::{Cell, Format, Table, TableWriter, Unwritable};

use crate::mapping;

/// Where our reference goes, if it may.
pub const REFERENCE: &str = "custom_input";

/// The most UTF-16 units of a cell.
const LONGEST: usize = 32_767;

/// Whether a cell can hold the text as it is.
pub fn is_held_exactly(text: &str) -> bool {
    let fits_xml =
        |c: char| (!c.is_control() || matches!(c, '\t' | '\n' | '\r')) && !matches!(c, '\u{FFFE}' | '\u{FFFF}');
    text.len() <= LONGEST && text.chars().all(fits_xml)
}

/// The inputs that any of the checks has, each once, in the order in which they first come.
pub fn columns(items: &[SubmissionItem]) -> Vec<&'static str> {
    let mut columns = Vec::new();
    for (input, _) in
        items.iter().filter_map(|item| mapping::asked(&item.order, &item.check)).flat_map(|asked| asked.inputs)
    {
        if !columns.contains(&input) {
            columns.push(input);
        }
    }
    columns
}

/// The vendor's name of a column as the form's name of an input.
pub fn input_of(column: &str) -> &str {
    match column.trim() {
        // As its reference writes it once, and as checks name it inside.
        "issue_data" | "document_expedition_date" => "issue_date",
        column => column,
    }
}

/// `columns`: as the vendor wants them. One that no check has stays empty; every input must have one.
pub fn write(columns: &[String], items: &[SubmissionItem]) -> Result<Vec<u8>, Unwritable> {
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut writer = TableWriter::new(Format::Xlsx, &Table { name: "checks", columns: &names })?;
    let mut file = Vec::new();
    for item in items {
        let reference = item.reference.to_string();
        let inputs = mapping::asked(&item.order, &item.check).map(|asked| asked.inputs).unwrap_or_default();
        let cell = |column: &&str| -> Cell<'_> {
            match input_of(column) {
                REFERENCE => reference.as_str().into(),
                input => inputs.iter().find(|(known, _)| *known == input).map(|(_, value)| value.as_str()).into(),
            }
        };
        writer.row(&names.iter().map(cell).collect::<Vec<_>>())?;
        file.append(&mut writer.take()?);
    }
    file.append(&mut writer.finish()?);
    Ok(file)
}
