//! What the tests of the readers have in common.

use std::ops::ControlFlow;

use serde_json::Value;

use crate::{Format, Headings, Limits, Row, Taken, Unreadable, read};

pub fn collect(format: Format, bytes: &[u8], limits: &Limits) -> Result<(Vec<Row>, Headings), Unreadable> {
    let mut rows = Vec::new();
    let headings = read(format, bytes, limits, &mut |row| {
        rows.push(row);
        ControlFlow::Continue(Taken::Row)
    })?;
    Ok((rows, headings))
}

/// The rows that have no fault, with their numbers.
pub fn objects(rows: &[Row]) -> Vec<(u64, Value)> {
    rows.iter()
        .filter_map(|row| row.content.as_ref().ok().map(|object| (row.number, Value::Object(object.clone()))))
        .collect()
}

/// The faults as `row column code: detail`.
pub fn faults(rows: &[Row]) -> Vec<String> {
    let told = |row: &Row| {
        let faults = row.content.as_ref().err().cloned().unwrap_or_default();
        let number = row.number;
        faults.into_iter().map(move |fault| match fault.column {
            Some(column) => format!("{number} {column} {}: {}", fault.code, fault.detail),
            None => format!("{number} {}: {}", fault.code, fault.detail),
        })
    };
    rows.iter().flat_map(|row| told(row).collect::<Vec<_>>()).collect()
}

pub fn failure<T>(result: Result<T, Unreadable>) -> String {
    result.err().expect("the file is unreadable").to_string()
}
