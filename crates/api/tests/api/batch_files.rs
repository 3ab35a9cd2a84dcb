//! Files of orders, as callers make them.

use std::io::{Cursor, Write as _};

use calamine::Reader as _;
use serde_json::{Value, json};
use tabular::{Cell, Table, Workbook};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

pub const NDJSON: &str = "application/x-ndjson";
pub const CSV: &str = "text/csv";
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// An order that fits into a row.
pub fn order(number: usize) -> Value {
    json!({
        "external_id": format!("A-{number}"),
        "subject": {
            "type": "person", "first_name": "Juán", "last_name": format!("Smith-{number}"), "date_of_birth": "1990-05-15",
            "identifiers": [{"type": "ssn", "country": "US", "value": "123-45-6789"}]
        },
        "consent": {"obtained_at": "2026-11-20T10:00:00Z"},
        "checks": [{"type": "background_check", "country": "US"}]
    })
}

/// The same order with one place changed; `null` takes the place out.
pub fn order_with(number: usize, pointer: &str, value: Value) -> Value {
    let mut order = order(number);
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let parent = order.pointer_mut(parent).expect("a place in the order");
    match parent.as_object_mut() {
        Some(object) if value.is_null() => drop(object.remove(key)),
        Some(object) => drop(object.insert(key.to_owned(), value)),
        None => parent[key.parse::<usize>().expect("an index")] = value,
    }
    order
}

pub fn orders(count: usize) -> Vec<Value> {
    (0..count).map(order).collect()
}

/// A body of each media type with these orders, by its media type.
pub fn bodies(orders: &[Value]) -> [(&'static str, Vec<u8>); 4] {
    [
        ("application/json", json!({ "orders": orders }).to_string().into_bytes()),
        (NDJSON, ndjson(orders)),
        (CSV, csv(orders)),
        (XLSX, xlsx(orders)),
    ]
}

pub fn ndjson(orders: &[Value]) -> Vec<u8> {
    orders.iter().fold(String::new(), |text, order| text + &order.to_string() + "\n").into_bytes()
}

pub fn csv(orders: &[Value]) -> Vec<u8> {
    let (headings, rows) = table(orders);
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&headings).expect("written");
    for row in rows {
        writer.write_record(&row).expect("written");
    }
    writer.into_inner().expect("written")
}

pub fn xlsx(orders: &[Value]) -> Vec<u8> {
    let (headings, rows) = table(orders);
    let headings: Vec<_> = headings.iter().map(String::as_str).collect();
    let mut workbook = Workbook::new();
    workbook.sheet(&Table { name: "Orders", columns: &headings }).expect("written");
    for row in rows {
        let cells: Vec<_> = row.into_iter().map(|text| Cell::Text(text.into())).collect();
        workbook.row(&cells).expect("written");
    }
    workbook.finish().expect("written")
}

/// Every leaf of the orders under its dotted path.
fn table(orders: &[Value]) -> (Vec<String>, Vec<Vec<String>>) {
    let mut headings = Vec::new();
    let mut rows = Vec::new();
    for order in orders {
        let mut leaves = Vec::new();
        collect(order, "", &mut leaves);
        for (path, _) in &leaves {
            if !headings.contains(path) {
                headings.push(path.clone());
            }
        }
        rows.push(leaves);
    }
    let cell = |row: &[(String, String)], heading: &String| {
        row.iter().find(|(path, _)| path == heading).map(|(_, text)| text.clone()).unwrap_or_default()
    };
    let rows = rows.iter().map(|row| headings.iter().map(|heading| cell(row, heading)).collect()).collect();
    (headings, rows)
}

fn collect(value: &Value, at: &str, leaves: &mut Vec<(String, String)>) {
    let below = |key: &str| if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") };
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| collect(value, &below(key), leaves)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| collect(value, &below(&index.to_string()), leaves));
        }
        Value::Null => {}
        Value::String(text) => leaves.push((at.to_owned(), text.clone())),
        other => leaves.push((at.to_owned(), other.to_string())),
    }
}

/// The cells of a sheet, as text.
pub fn cells(workbook: &[u8], sheet: &str) -> Vec<Vec<String>> {
    let mut workbook: calamine::Xlsx<_> = calamine::Xlsx::new(Cursor::new(workbook)).expect("a workbook");
    let formulas = workbook.worksheet_formula(sheet).expect("a sheet");
    assert!(formulas.cells().all(|(_, _, formula)| formula.is_empty()), "a formula");
    let range = workbook.worksheet_range(sheet).expect("a sheet");
    range.rows().map(|row| row.iter().map(ToString::to_string).collect()).collect()
}

/// The workbook with a few bytes more, which unpack to many.
pub fn bomb(workbook: &[u8]) -> Vec<u8> {
    let mut whole = ZipArchive::new(Cursor::new(workbook)).expect("a zip");
    let mut bomb = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..whole.len() {
        let part = whole.by_index_raw(index).expect("a part");
        if part.name().expect("a name") == "xl/sharedStrings.xml" {
            continue;
        }
        bomb.raw_copy_file(part).expect("copied");
    }
    bomb.start_file("xl/sharedStrings.xml", SimpleFileOptions::default()).expect("begun");
    let text = format!("<si><t>{}</t></si>", "x".repeat(30_000));
    bomb.write_all(b"<sst xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\">").expect("packed");
    for _ in 0..5_000 {
        bomb.write_all(text.as_bytes()).expect("packed");
    }
    bomb.write_all(b"</sst>").expect("packed");
    bomb.finish().expect("packed").into_inner()
}
