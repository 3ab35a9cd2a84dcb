#![allow(dead_code, reason = "each test file takes what it needs")]

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::ops::ControlFlow;

use serde_json::Value;
use tabular::{Format, Headings, Limits, Row, Taken, Unreadable};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

pub const WORKBOOK: &str =
    "<workbook xmlns:r='r'><sheets><sheet name='Sheet1' sheetId='1' r:id='rId1'/></sheets></workbook>";

pub fn collect(format: Format, bytes: &[u8], limits: &Limits) -> Result<(Vec<Row>, Headings), Unreadable> {
    let mut rows = Vec::new();
    let headings = tabular::read(format, bytes, limits, &mut |row| {
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
    let mut told = Vec::new();
    for row in rows {
        for fault in row.content.as_ref().err().into_iter().flatten() {
            let column = fault.column.as_ref().map_or_else(String::new, |column| format!(" {column}"));
            told.push(format!("{}{column} {}: {}", row.number, fault.code, fault.detail));
        }
    }
    told
}

pub fn failure<T>(result: Result<T, Unreadable>) -> String {
    result.err().expect("the file is unreadable").to_string()
}

/// The parts of a workbook, by their paths.
#[derive(Default, Clone)]
pub struct Parts(BTreeMap<String, Vec<u8>>);

impl Parts {
    /// A workbook of one sheet with these rows.
    pub fn sheet(rows: &str) -> Self {
        let mut parts = Self::default();
        let relation = |id: &str, kind: &str, target: &str| {
            format!("<Relationship Id='{id}' Type='http://example.com/relationships/{kind}' Target='{target}'/>")
        };
        let root = relation("rId1", "officeDocument", "xl/workbook.xml");
        parts.set("_rels/.rels", &format!("<Relationships>{root}</Relationships>"));
        let below = [
            relation("rId1", "worksheet", "worksheets/sheet1.xml"),
            relation("rId2", "sharedStrings", "sharedStrings.xml"),
            relation("rId3", "styles", "/xl/styles.xml"),
        ];
        parts.set("xl/_rels/workbook.xml.rels", &format!("<Relationships>{}</Relationships>", below.concat()));
        parts.set("xl/workbook.xml", WORKBOOK);
        parts.set("xl/worksheets/sheet1.xml", &format!("<worksheet><sheetData>{rows}</sheetData></worksheet>"));
        parts
    }

    pub fn set(&mut self, path: &str, content: &str) {
        self.0.insert(path.to_owned(), content.as_bytes().to_vec());
    }

    pub fn set_bytes(&mut self, path: &str, content: &[u8]) {
        self.0.insert(path.to_owned(), content.to_vec());
    }

    pub fn remove(&mut self, path: &str) {
        self.0.remove(path);
    }

    pub fn zip(&self) -> Vec<u8> {
        self.zip_with(CompressionMethod::Deflated)
    }

    /// As they are, not packed.
    pub fn stored(&self) -> Vec<u8> {
        self.zip_with(CompressionMethod::Stored)
    }

    fn zip_with(&self, method: CompressionMethod) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(method);
        for (path, content) in &self.0 {
            zip.start_file(path, options).expect("a zip");
            zip.write_all(content).expect("a zip");
        }
        zip.finish().expect("a zip").into_inner()
    }
}
