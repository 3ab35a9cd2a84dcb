//! A large file is read, and written, in a process of its own, which then says how much memory it ever had.
//!
//! Ignored, since unoptimised code takes long to make the files: `cargo test --release -p tabular --test memory -- --ignored`.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::process::Command;
use std::time::Instant;

use tabular::{Cell, Format, Limits, Table, TableWriter};

mod common;

const ROWS: usize = 100_000;
const COLUMNS: usize = 25;
/// The most that the process may have held, in kB: when reading, and when writing.
const MOST: u64 = 128 << 10;
const MOST_WRITING: u64 = 20 << 10;
/// What tells the child what to read, or what to write.
const FILE: &str = "TABULAR_MEMORY_FILE";
const FORMAT: &str = "TABULAR_MEMORY_FORMAT";

/// How many of the columns are texts that occur once; the others repeat.
fn cell(row: usize, column: usize, unique: usize) -> String {
    if column < unique { format!("text {row:06} of {column:02}") } else { format!("{}", row % 50) }
}

fn lines(unique: usize, separator: &str, open: &str, close: &str, named: bool) -> String {
    let mut text = String::new();
    for row in 0..ROWS {
        let cells = (0..COLUMNS).map(|column| {
            let cell = cell(row, column, unique);
            if named { format!("\"field_{column}\":\"{cell}\"") } else { cell }
        });
        let cells: Vec<String> = cells.collect();
        writeln!(text, "{open}{}{close}", cells.join(separator)).expect("to memory");
    }
    text
}

fn xlsx(unique: usize) -> Vec<u8> {
    let mut texts = String::from("<sst>");
    let mut sheet = String::from("<worksheet><sheetData><row>");
    for column in 0..COLUMNS {
        write!(sheet, "<c t='str'><v>field_{column}.x</v></c>").expect("to memory");
    }
    sheet.push_str("</row>");
    let mut shared = 0;
    for row in 0..ROWS {
        write!(sheet, "<row r=\"{}\" spans=\"1:25\">", row + 2).expect("to memory");
        for column in 0..COLUMNS {
            let letter = char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXY"[column]);
            let text = cell(row, column, unique);
            if column < unique {
                write!(texts, "<si><t>{text}</t></si>").expect("to memory");
                write!(sheet, "<c r=\"{letter}{}\" s=\"1\" t=\"s\"><v>{shared}</v></c>", row + 2).expect("to memory");
                shared += 1;
            } else {
                write!(sheet, "<c r=\"{letter}{}\" s=\"1\"><v>{text}</v></c>", row + 2).expect("to memory");
            }
        }
        sheet.push_str("</row>");
    }
    texts.push_str("</sst>");
    sheet.push_str("</sheetData></worksheet>");
    let mut parts = common::Parts::sheet("");
    parts.set("xl/worksheets/sheet1.xml", &sheet);
    parts.set("xl/sharedStrings.xml", &texts);
    let size = sheet.len() + texts.len();
    let zip = parts.zip();
    println!("xlsx: {} MB, unpacked {} MB", zip.len() >> 20, size >> 20);
    zip
}

/// Reads the file and prints what it took; only as a child of the test below.
#[test]
#[ignore = "a part of the other test"]
fn reads_one_file() {
    let Ok(path) = std::env::var(FILE) else { return };
    let name = std::path::Path::new(&path);
    let format = Format::ALL.into_iter().find(|format| name.extension().is_some_and(|it| it == format.as_str()));
    let file = std::fs::File::open(&path).expect("the file");
    let start = Instant::now();
    let (mut rows, mut values) = (0_usize, 0_usize);
    tabular::read(format.expect("a format"), file, &Limits::default(), &mut |row| {
        rows += 1;
        values += row.content.expect("no faults").len();
        ControlFlow::Continue(tabular::Taken::Row)
    })
    .expect("a file that can be read");
    tell(start);
    assert_eq!(rows, ROWS);
    assert!(values > 0);
}

/// Writes a file and prints what it took; only as a child of the test below.
#[test]
#[ignore = "a part of the other test"]
fn writes_one_file() {
    let Ok(name) = std::env::var(FORMAT) else { return };
    let format = Format::ALL.into_iter().find(|format| format.as_str() == name).expect("a format");
    let columns: Vec<String> = (0..COLUMNS).map(|column| format!("field_{column}")).collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let start = Instant::now();
    let mut writer = TableWriter::new(format, &Table { name: "rows", columns: &columns }).expect("a writer");
    let mut bytes = 0;
    for row in 0..ROWS {
        let cells = (0..COLUMNS).map(|column| Cell::from(cell(row, column, 12)));
        writer.row(&cells.collect::<Vec<_>>()).expect("a row");
        if row % 200 == 0 {
            bytes += writer.take().expect("bytes").len();
        }
    }
    bytes += writer.finish().expect("bytes").len();
    tell(start);
    println!("{name} written: {} MB", bytes >> 20);
}

fn tell(start: Instant) {
    let took = start.elapsed();
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    println!("PEAK {} {took:?}", peak.trim().trim_end_matches(" kB"));
}

/// What a test took in a process of its own: kB, and both figures as text.
fn took(test: &str, name: &str, value: &std::ffi::OsStr) -> (u64, String) {
    let child = Command::new(std::env::current_exe().expect("this program"))
        .args([test, "--exact", "--ignored", "--nocapture"])
        .env(name, value)
        .output()
        .expect("a child");
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{said}{}", String::from_utf8_lossy(&child.stderr));
    let peak = said.lines().find_map(|line| line.split("PEAK ").nth(1)).expect("what it took");
    (peak.split(' ').next().and_then(|peak| peak.parse().ok()).expect("a number"), peak.to_owned())
}

#[test]
#[ignore = "slow where it is not optimised"]
fn large_files_are_written_in_little_memory() {
    for format in Format::ALL {
        let (peak, told) = took("writes_one_file", FORMAT, format.as_str().as_ref());
        println!("{} written, peak kB and time: {told}", format.as_str());
        assert!(peak < MOST_WRITING, "{format:?}: {peak} kB");
    }
}

#[test]
#[ignore = "slow where it is not optimised"]
fn large_files_take_little_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    for unique in [12, COLUMNS] {
        let heading = (0..COLUMNS).map(|column| format!("field_{column}.x")).collect::<Vec<_>>().join(",");
        for (name, bytes) in [
            ("rows.csv", format!("{heading}\n{}", lines(unique, ",", "", "", false)).into_bytes()),
            ("rows.ndjson", lines(unique, ",", "{", "}", true).into_bytes()),
            ("rows.xlsx", xlsx(unique)),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, &bytes).expect("a file");
            let (peak, told) = took("reads_one_file", FILE, path.as_os_str());
            println!(
                "{name}, {unique} columns of different texts: {} MB of file, peak kB and time: {told}",
                bytes.len() >> 20
            );
            assert!(peak < MOST, "{name}: {peak} kB");
        }
    }
}
