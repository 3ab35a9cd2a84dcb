//! Sheets by their names, as the texts of their cells.

mod common;

use std::ops::ControlFlow;

use rust_xlsxwriter::{Formula, Workbook};
use tabular::{Limits, Seen, Sheets, Unreadable};

fn workbook() -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet().set_name("Results").expect("a name");
    sheet.write(1, 1, "Check ID").expect("a cell");
    sheet.write(3, 0, " 007 ").expect("a cell");
    sheet.write(3, 1, 1_032_456_701).expect("a cell");
    sheet.write(3, 3, Formula::new("=1+1")).expect("a cell");
    workbook.add_worksheet().set_name("Errors").and_then(|sheet| sheet.write(0, 0, "error")).expect("a cell");
    workbook.add_worksheet().set_name("Empty").expect("a name");
    workbook.save_to_buffer().expect("a workbook")
}

fn rows(bytes: &[u8], name: &str, limits: &Limits) -> Result<Vec<(u64, Vec<Seen>)>, Unreadable> {
    let mut rows = Vec::new();
    Sheets::open(bytes, limits)?.read(name, &mut |number, cells| {
        rows.push((number, cells.to_vec()));
        ControlFlow::Continue(())
    })?;
    Ok(rows)
}

#[test]
fn each_sheet_gives_its_rows_with_something_in_them() {
    let (bytes, limits) = (workbook(), Limits::default());
    let sheets = Sheets::open(&bytes, &limits).expect("a workbook");
    assert_eq!(sheets.names().collect::<Vec<_>>(), ["Results", "Errors", "Empty"]);
    let text = |text: &str| Seen::Text(text.to_owned());
    assert_eq!(
        rows(&bytes, "Results", &limits).expect("rows"),
        [
            (2, vec![Seen::Nothing, text("Check ID")]),
            (4, vec![text(" 007 "), text("1032456701"), Seen::Nothing, Seen::Odd]),
        ]
    );
    assert_eq!(rows(&bytes, "Errors", &limits).expect("rows").len(), 1);
    assert!(rows(&bytes, "Empty", &limits).expect("no rows").is_empty());
    assert!(matches!(rows(&bytes, "Other", &limits), Err(Unreadable::NoSheet)));
    assert_eq!((text(" 007 ").text(), text("  ").text(), Seen::Odd.text()), (Some("007"), None, None));
}

#[test]
fn the_limits_of_an_upload_hold() {
    let bytes = workbook();
    let limits = Limits { rows: 1, ..Limits::default() };
    assert!(matches!(rows(&bytes, "Results", &limits), Err(Unreadable::TooManyRows { limit: 1 })));
    let limits = Limits { columns: 3, ..Limits::default() };
    assert!(matches!(rows(&bytes, "Results", &limits), Err(Unreadable::TooManyColumns { limit: 3 })));
    let limits = Limits { row: 4, ..Limits::default() };
    assert!(matches!(rows(&bytes, "Results", &limits), Err(Unreadable::Damaged { .. })));
    let limits = Limits { inflated: 100, ..Limits::default() };
    assert!(matches!(rows(&bytes, "Results", &limits), Err(Unreadable::ZipBomb { .. })));
    let limits = Limits { workbook: 100, ..Limits::default() };
    assert!(matches!(rows(&bytes, "Results", &limits), Err(Unreadable::TooLarge { .. })));
}

#[test]
fn a_sheet_may_be_left_before_its_end() {
    let bytes = workbook();
    let mut seen = 0;
    let mut sheets = Sheets::open(&bytes, &Limits::default()).expect("a workbook");
    let read = sheets.read("Results", &mut |_, _| {
        seen += 1;
        ControlFlow::Break(())
    });
    assert!(read.is_ok() && seen == 1);
}
