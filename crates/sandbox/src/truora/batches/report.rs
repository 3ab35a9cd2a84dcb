//! The report on a batch: what ran, and what could not be made.

use rust_xlsxwriter::{Workbook, XlsxError};
use serde_json::Value;

use super::{Batch, BatchHabits, Row};
use crate::truora::account::Account;
use crate::truora::{Habits, bodies};

/// What a report says of a check beside its inputs.
const OF_CHECK: [&str; 6] = ["check_id", "status", "score", "id_score", "name_score", "creation_date"];

pub fn write(batch: &Batch, account: &Account, habits: &Habits) -> Result<Vec<u8>, XlsxError> {
    let style = &habits.batches;
    let mut workbook = Workbook::new();
    let inputs: Vec<&str> = batch.columns.iter().map(String::as_str).collect();
    let results = [&inputs[..], &OF_CHECK].concat();
    let errors = [&["row_number"], &inputs[..], &["error"]].concat();
    let (made, failed): (Vec<_>, Vec<_>) = batch.done.iter().partition(|row| row.outcome.is_ok());
    if !style.report_lacks.iter().any(|sheet| sheet == "Results") {
        let value = |row: &Row, column: &str| {
            let check = bodies::check(account.check(*row.outcome.as_ref().ok()?), habits);
            match check.get(column) {
                Some(Value::String(text)) if !OF_CHECK.contains(&column) && column.ends_with("date") => {
                    Some(Value::String(text.trim_end_matches("T00:00:00Z").to_owned()))
                }
                found => found.cloned(),
            }
        };
        sheet(&mut workbook, "Results", &results, &inputs, &made, style, value)?;
    }
    if !style.report_lacks.iter().any(|sheet| sheet == "Errors") {
        let value = |row: &Row, column: &str| match column {
            "row_number" => Some(row.number.into()),
            "error" => row.outcome.as_ref().err().cloned().map(Value::String),
            "custom_input" if style.custom_input != super::MappedReference::Kept => None,
            input => row.fields.get(input).cloned().map(Value::String),
        };
        sheet(&mut workbook, "Errors", &errors, &inputs, &failed, style, value)?;
    }
    if workbook.worksheets().is_empty() {
        workbook.add_worksheet();
    }
    workbook.save_to_buffer()
}

fn sheet(
    workbook: &mut Workbook,
    name: &str,
    columns: &[&str],
    inputs: &[&str],
    rows: &[&Row],
    style: &BatchHabits,
    value: impl Fn(&Row, &str) -> Option<Value>,
) -> Result<(), XlsxError> {
    let mut columns: Vec<_> =
        columns.iter().filter(|column| !style.report_omits.iter().any(|it| it == *column)).collect();
    if style.report_reversed {
        columns.reverse();
    }
    let sheet = workbook.add_worksheet().set_name(name)?;
    let (left, top) = (style.report_shift + style.report_slip, u32::from(style.report_shift));
    for line in 0..top {
        sheet.write_string(line, 0, "Truora")?;
    }
    for (place, column) in (left..).zip(&columns) {
        let prefix = if inputs.contains(column) { style.report_prefix.as_str() } else { "" };
        let heading = if style.report_titles { title(column) } else { (**column).to_owned() };
        sheet.write_string(top, place - style.report_slip, format!("{prefix}{heading}"))?;
        for (line, row) in (top + 1..).zip(rows) {
            match value(row, column) {
                Some(Value::Number(number)) => {
                    sheet.write_number(line, place, number.as_f64().unwrap_or_default())?;
                }
                Some(Value::String(text)) => {
                    sheet.write_string(line, place, text)?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// `check_id` as `Check ID`.
fn title(column: &str) -> String {
    let word = |word: &str| match word {
        "id" => "ID".to_owned(),
        word => word[..1].to_ascii_uppercase() + &word[1..],
    };
    column.split('_').map(word).collect::<Vec<_>>().join(" ")
}
