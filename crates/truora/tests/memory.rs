//! The files of a batch of 1,000 rows take little memory: each is made, or read, in a process of its own, which then says
//! how much more it held at most than before.

use std::io::{Cursor, Write as _};
use std::process::Command;
use std::sync::Arc;

use domain::CheckId;
use provider::{RowOutcome, SubmissionItem};
use rust_xlsxwriter::Workbook;
use serde_json::json;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const ROWS: u32 = 1_000;
/// In kB.
const MOST: u64 = 32 << 10;
/// What tells the child what to do.
const WORK: &str = "TRUORA_MEMORY_WORK";

fn item(number: u32) -> SubmissionItem {
    let order = json!({
        "subject": {
            "type": "person", "first_name": "Lucía", "last_name": format!("Prueba {number}"),
            "identifiers": [{ "type": "national_id", "country": "CO", "value": format!("10{number:08}") }],
        },
        "position": null, "purpose": "employment",
        "consent": { "obtained_at": "2026-11-20T10:00:00Z", "text_version": null, "expires_at": null, "document": null },
    });
    let check = json!({ "spec": { "type": "background_check", "country": "CO" }, "vendor_options": {} });
    SubmissionItem {
        reference: format!("{}_{number:026}", CheckId::PREFIX).parse().expect("a reference"),
        order: Arc::new(serde_json::from_value(order).expect("an order")),
        check: Arc::new(serde_json::from_value(check).expect("a check")),
        force_new: false,
    }
}

fn report(items: &[SubmissionItem]) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet().set_name("Results").expect("a name");
    for (column, name) in (0..).zip(["check_id", "custom_input"]) {
        sheet.write_string(0, column, name).expect("a cell");
    }
    for (line, item) in (1..).zip(items) {
        sheet.write_string(line, 0, format!("CHK{line:031x}a")).expect("a cell");
        sheet.write_string(line, 1, item.reference.to_string()).expect("a cell");
        for column in 2..40 {
            sheet.write_string(line, column, format!("something else {line} {column}")).expect("a cell");
        }
    }
    workbook.save_to_buffer().expect("a workbook")
}

/// A sheet whose every cell is the same long text, which the file holds once.
fn echo() -> Vec<u8> {
    let mut sheet = String::from("<worksheet><sheetData>");
    for line in 1..=4_000 {
        let cell = if line == 1 { "<c t='str'><v>national_id</v></c>" } else { "<c t='s'><v>0</v></c>" };
        sheet.push_str(&["<row>", cell, "</row>"].concat());
    }
    sheet.push_str("</sheetData></worksheet>");
    let relation = |id: &str, kind: &str, target: &str| {
        format!("<Relationship Id='{id}' Type='http://example.com/relationships/{kind}' Target='{target}'/>")
    };
    let root = relation("rId1", "officeDocument", "xl/workbook.xml");
    let below =
        relation("rId1", "worksheet", "worksheets/sheet1.xml") + &relation("rId2", "sharedStrings", "texts.xml");
    let texts = format!("<sst><si><t>{}</t></si></sst>", "9".repeat(60_000));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, content) in [
        ("_rels/.rels", format!("<Relationships>{root}</Relationships>")),
        ("xl/_rels/workbook.xml.rels", format!("<Relationships>{below}</Relationships>")),
        (
            "xl/workbook.xml",
            "<workbook xmlns:r='r'><sheets><sheet name='Errors' r:id='rId1'/></sheets></workbook>".to_owned(),
        ),
        ("xl/texts.xml", texts),
        ("xl/worksheets/sheet1.xml", sheet),
    ] {
        zip.start_file(path, SimpleFileOptions::default()).expect("a zip");
        zip.write_all(content.as_bytes()).expect("a zip");
    }
    zip.finish().expect("a zip").into_inner()
}

fn status(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(key)).expect("it is told");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Only as a child of the test below.
#[test]
#[ignore = "a part of the other test"]
fn does_one_kind_of_work() {
    let Ok(work) = std::env::var(WORK) else { return };
    let items: Vec<_> = (0..ROWS).map(item).collect();
    let file = match work.as_str() {
        "echo" => echo(),
        _ => report(&items),
    };
    std::fs::write("/proc/self/clear_refs", "5").expect("the peak is reset");
    let before = status("VmRSS:");
    match work.as_str() {
        "write" => assert!(truora::file_of(&items).is_some_and(|file| file.len() > 10_000)),
        "read" => {
            let outcomes = truora::outcomes_of(&file, &items).expect("a report");
            assert!(outcomes.iter().all(|outcome| matches!(outcome, RowOutcome::Made(_))));
        }
        _ => assert!(truora::outcomes_of(&file, &items).is_none(), "it unpacks to too much"),
    }
    println!("PEAK {}", status("VmHWM:").saturating_sub(before));
}

#[test]
fn files_of_a_batch_take_little_memory() {
    for work in ["write", "read", "echo"] {
        let child = Command::new(std::env::current_exe().expect("this program"))
            .args(["does_one_kind_of_work", "--exact", "--ignored", "--nocapture"])
            .env(WORK, work)
            .output()
            .expect("a child");
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success(), "{said}{}", String::from_utf8_lossy(&child.stderr));
        let peak = said.lines().find_map(|line| line.split("PEAK ").nth(1)).expect("what it took");
        let peak: u64 = peak.trim().parse().expect("a number");
        assert!(peak < MOST, "{work}: {peak} kB");
    }
}
