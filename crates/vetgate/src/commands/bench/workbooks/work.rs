//! What is measured: both ways of ours, and the same by the libraries.

use std::io::Cursor;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use calamine::{Reader as _, Xlsx};
use clap::ValueEnum;
use domain::{CheckId, CheckInput, OrderInput};
use provider::{RowOutcome, SubmissionItem};
use rust_xlsxwriter::Workbook;
use serde_json::json;

pub const WRITER: &str = "rust_xlsxwriter, in memory";
pub const READER: &str = "calamine, whole sheets";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Work {
    Write,
    WritePeer,
    Read,
    ReadPeer,
}

impl Work {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::WritePeer => "write-peer",
            Self::Read => "read",
            Self::ReadPeer => "read-peer",
        }
    }
}

/// Checks of a file, and the vendor's report on it.
pub struct Bench {
    items: Vec<SubmissionItem>,
    cells: Vec<Vec<String>>,
    report: Vec<u8>,
}

/// The columns of the file, as they come of such subjects.
const COLUMNS: [&str; 8] =
    ["custom_input", "national_id", "first_name", "last_name", "date_of_birth", "gender", "phone_number", "issue_date"];

/// What a report says beside them.
const OF_CHECK: [&str; 6] = ["check_id", "status", "score", "id_score", "name_score", "creation_date"];

impl Bench {
    pub fn new(rows: u32) -> anyhow::Result<Self> {
        let items = (0..rows).map(item).collect::<anyhow::Result<Vec<_>>>()?;
        let cells: Vec<Vec<String>> = (0..rows).zip(&items).map(|(number, item)| cells(number, item)).collect();
        let report = report(&cells)?;
        Ok(Self { items, cells, report })
    }

    /// Does it once. Gives what it took; what comes of it is looked at after that.
    pub fn run(&self, work: Work) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        match work {
            Work::Write => {
                let file = truora::file_of(&self.items).context("the file could not be written")?;
                let took = begun.elapsed();
                anyhow::ensure!(rows_of(&file)? == self.items.len(), "rows are missing");
                Ok(took)
            }
            Work::WritePeer => {
                let file = peer(&self.cells)?;
                let took = begun.elapsed();
                anyhow::ensure!(rows_of(&file)? == self.items.len(), "rows are missing");
                Ok(took)
            }
            Work::Read => {
                let outcomes =
                    truora::outcomes_of(&self.report, &self.items).context("the report could not be read")?;
                let took = begun.elapsed();
                let all = outcomes.iter().all(|outcome| matches!(outcome, RowOutcome::Made(_)));
                anyhow::ensure!(all, "rows were not found in the report");
                Ok(took)
            }
            Work::ReadPeer => {
                let rows = rows_of(&self.report)?;
                let took = begun.elapsed();
                anyhow::ensure!(rows == self.items.len(), "rows are missing");
                Ok(took)
            }
        }
    }
}

/// Reads every sheet as a whole. Gives the rows of the first, without its head.
fn rows_of(file: &[u8]) -> anyhow::Result<usize> {
    let mut workbook: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(file))?;
    let sheets = workbook.worksheets();
    let (_, first) = sheets.first().context("there is no sheet")?;
    Ok(first.rows().count().saturating_sub(1))
}

fn item(number: u32) -> anyhow::Result<SubmissionItem> {
    let order: OrderInput = serde_json::from_value(json!({
        "subject": {
            "type": "person", "first_name": format!("Lucía {number}"), "last_name": "Prueba Ficticia",
            "date_of_birth": "1990-05-15", "gender": "female", "phone": "+573001234567",
            "identifiers": [{ "type": "national_id", "country": "CO", "value": national_id(number), "issued_on": "2008-06-01" }],
        },
        "position": null, "purpose": "employment",
        "consent": { "obtained_at": "2026-11-20T10:00:00Z", "text_version": null, "expires_at": null, "document": null },
    }))?;
    let check: CheckInput = serde_json::from_value(
        json!({ "spec": { "type": "background_check", "country": "CO" }, "vendor_options": {} }),
    )?;
    let reference = format!("{}_{number:026}", CheckId::PREFIX).parse()?;
    Ok(SubmissionItem { reference, order: Arc::new(order), check: Arc::new(check), force_new: false })
}

fn national_id(number: u32) -> String {
    format!("10{number:08}")
}

fn cells(number: u32, item: &SubmissionItem) -> Vec<String> {
    let name = format!("Lucía {number}");
    let number = national_id(number);
    let texts = [&number, &name, "Prueba Ficticia", "1990-05-15", "female", "+573001234567", "2008-06-01"];
    [item.reference.to_string()].into_iter().chain(texts.map(str::to_owned)).collect()
}

/// The same cells by the library alone.
fn peer(cells: &[Vec<String>]) -> anyhow::Result<Vec<u8>> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (column, name) in (0..).zip(COLUMNS) {
        sheet.write_string(0, column, name)?;
    }
    for (line, row) in (1..).zip(cells) {
        for (column, text) in (0..).zip(row) {
            sheet.write_string(line, column, text)?;
        }
    }
    Ok(workbook.save_to_buffer()?)
}

fn report(cells: &[Vec<String>]) -> anyhow::Result<Vec<u8>> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet().set_name("Results")?;
    for (column, name) in (0..).zip(COLUMNS.iter().chain(&OF_CHECK)) {
        sheet.write_string(0, column, *name)?;
    }
    for (line, row) in (1..).zip(cells) {
        let id = format!("CHK{line:031x}a");
        let of_check = [id.as_str(), "completed", "1", "1", "1", "2026-11-20T10:00:00.123456789Z"];
        for (column, text) in (0..).zip(row.iter().map(String::as_str).chain(of_check)) {
            sheet.write_string(line, column, text)?;
        }
    }
    let errors = workbook.add_worksheet().set_name("Errors")?;
    errors.write_string(0, 0, "row_number")?.write_string(0, 1, "error")?;
    Ok(workbook.save_to_buffer()?)
}
