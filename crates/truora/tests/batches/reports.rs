//! Reports in every shape that they may have, and in some that they should not have.

use std::fmt::Write as _;

use provider::{BulkProgress, BulkStage};
use serde_json::{Value, json};

use super::shapes::{Spy, id, raw, report};
use super::{File, Site, item, words};

const NUMBERS: [&str; 3] = ["0032456701", "1032456702", "1032456703"];

/// What becomes of three rows under these switches of batches.
async fn ends(batches: Value) -> Vec<String> {
    let site = Site::with(batches.clone()).await;
    let mut file = File::of_numbers(&NUMBERS);
    let rows = site.finish(&mut file).await;
    assert_eq!(site.books().objects.len(), 3, "{batches}");
    // What is bound is bound to the right one.
    let held = batches["custom_input"] != "lost";
    for (made, reference) in
        site.made(&rows).into_iter().zip(file.references()).filter(|(made, _)| held && made.is_some())
    {
        assert_eq!(made, reference, "{batches}");
    }
    words(&rows)
}

#[tokio::test]
async fn columns_are_found_wherever_they_stand_and_however_they_are_named() {
    for batches in [
        json!({ "report_titles": true }),
        json!({ "report_titles": true, "report_prefix": "Input " }),
        json!({ "report_prefix": "input_" }),
        json!({ "report_reversed": true }),
        json!({ "report_shift": 3 }),
        json!({ "report_reversed": true, "report_shift": 2, "report_titles": true }),
        json!({ "report_lacks": ["Errors"] }),
        json!({ "report_omits": ["status", "score", "id_score", "name_score", "creation_date"] }),
    ] {
        assert_eq!(ends(batches.clone()).await, ["made"; 3], "{batches}");
    }
}

#[tokio::test]
async fn either_the_reference_or_the_numbers_are_enough() {
    let inputs = ["national_id", "first_name", "last_name", "date_of_birth", "gender", "phone_number", "issue_date"];
    assert_eq!(ends(json!({ "report_omits": inputs })).await, ["made"; 3]);
    assert_eq!(ends(json!({ "report_omits": ["custom_input"] })).await, ["made"; 3]);
    assert_eq!(ends(json!({ "custom_input": "lost" })).await, ["made"; 3]);
}

#[tokio::test]
async fn what_the_report_does_not_tell_is_looked_for_where_that_can_find_it() {
    let nothing = ["custom_input", "national_id", "check_id"];
    for batches in [
        json!({ "report_slip": 1 }),
        json!({ "report_omits": ["custom_input", "national_id"] }),
        json!({ "report_omits": nothing }),
        json!({ "report_lacks": ["Results"] }),
        json!({ "report_lacks": ["Results", "Errors"] }),
    ] {
        assert_eq!(ends(batches.clone()).await, ["missing not_in_report"; 3], "{batches}");
        // The same where rows do not keep their references: looking for them would prove nothing.
        let mut lost = batches;
        lost["custom_input"] = json!("lost");
        assert_eq!(ends(lost.clone()).await, ["ambiguous not_in_report"; 3], "{lost}");
    }
}

#[tokio::test]
async fn a_report_that_never_comes_is_given_up() {
    let site = Site::with(json!({ "report_ms": 1_000_000_000 })).await;
    let mut file = File::of_numbers(&NUMBERS);
    assert_eq!(words(&site.finish(&mut file).await), ["missing not_there"; 3]);
    assert_eq!(site.books().calls_of("batch_report"), 3);
}

#[tokio::test]
async fn subjects_without_numbers_are_told_by_their_names() {
    let site = Site::with(json!({ "custom_input": "lost" })).await;
    let named = |first: &str, last: &str| {
        item(&json!({ "type": "person", "first_name": first, "last_name": last }), &json!({ "country": "ALL" }))
    };
    let mut file = File::of(vec![named("Ana María", "Muestra"), named("Ana", "Muestra"), named("Ana", "Ejemplo")]);
    assert_eq!(words(&site.finish(&mut file).await), ["made"; 3]);
}

/// What becomes of the file when this is its report.
async fn under(file: &mut File, report: Vec<u8>) -> Vec<String> {
    let spy = Spy::with(report).await;
    let site = Site::with(json!({ "report_base": spy.url() })).await;
    let rows = site.finish(file).await;
    assert!(!spy.heads().is_empty());
    assert!(spy.heads().iter().all(|head| !head.to_ascii_lowercase().contains("truora-api-key")));
    assert_eq!(site.books().objects.len(), file.items.len(), "nothing was made twice");
    words(&rows)
}

#[tokio::test]
async fn files_that_are_no_reports_are_survived() {
    let row = "<row r='1'><c r='A1' t='inlineStr'><is><t>check_id</t></is></c></row>";
    let mut many = format!("<worksheet><sheetData>{row}");
    for line in 2..6_000 {
        write!(many, "<row r='{line}'><c r='A{line}' t='inlineStr'><is><t>CHK{line}aaaaaaaa</t></is></c></row>")
            .expect("to memory");
    }
    many.push_str("</sheetData></worksheet>");
    let good = report(&[("Results", &[&["check_id", "national_id"]])]);
    let mut bomb = b"<worksheet><sheetData>".to_vec();
    bomb.resize(49 << 20, b' ');
    for (what, file) in [
        ("nothing", Vec::new()),
        ("a page", b"<html>Not found</html>".to_vec()),
        ("half a workbook", good[..good.len() / 2].to_vec()),
        ("an old workbook", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 rest".to_vec()),
        ("a zip of nothing", b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec()),
        ("a bomb", raw(&bomb)),
        ("too many rows", raw(many.as_bytes())),
        ("a far column", raw(b"<worksheet><sheetData><row r='1'><c r='XFD1' t='str'><v>check_id</v></c></row></sheetData></worksheet>")),
        ("an endless sheet", raw(b"<worksheet><sheetData><row r='1'>")),
    ] {
        let mut file_of_ours = File::of_numbers(&["1032456701"]);
        assert_eq!(under(&mut file_of_ours, file).await, ["missing report_unreadable"], "{what}");
    }
}

#[tokio::test]
async fn of_a_report_on_many_nothing_is_kept_as_evidence() {
    let site = Site::start().await;
    let mut file = File::of_numbers(&NUMBERS);
    site.bring_to(&mut file, BulkStage::Read).await;
    let evidence = loop {
        if let BulkProgress::Done { evidence, .. } = site.step(&mut file).await {
            break evidence;
        }
    };
    assert_eq!((evidence.status, evidence.answer.expose().len()), (Some(200), 0));
}

#[tokio::test]
async fn absurd_dimensions_are_not_believed() {
    let (reference, file) = referenced();
    let cell = |place: &str, text: &str| format!("<c r='{place}' t='str'><v>{text}</v></c>");
    let sheet = format!(
        "<worksheet><dimension ref='A1:XFD1048576'/><sheetData><row r='5'>{}{}</row><row r='1048576'>{}{}</row></sheetData></worksheet>",
        cell("B5", "check_id"),
        cell("C5", "custom_input"),
        cell("B1048576", &id(1)),
        cell("C1048576", &reference),
    );
    let mut file = file;
    assert_eq!(under(&mut file, raw(sheet.as_bytes())).await, ["made"]);
}

#[tokio::test]
async fn an_oversized_report_is_not_read() {
    let mut file = File::of_numbers(&["1032456701"]);
    assert_eq!(under(&mut file, vec![b'x'; 9 << 20]).await, ["missing answer_too_large"]);
}

fn referenced() -> (String, File) {
    let file = File::of_numbers(&["1032456701"]);
    (file.items[0].reference.to_string(), file)
}

#[tokio::test]
async fn a_formula_is_no_id() {
    let (reference, mut file) = referenced();
    let sheet = format!(
        "<worksheet><sheetData><row r='1'><c r='A1' t='str'><v>check_id</v></c><c r='B1' t='str'><v>custom_input</v></c></row>\
         <row r='2'><c r='A2' t='str'><f>\"CHK\"&amp;1</f><v>{}</v></c><c r='B2' t='str'><v>{reference}</v></c></row></sheetData></worksheet>",
        id(1)
    );
    assert_eq!(under(&mut file, raw(sheet.as_bytes())).await, ["ambiguous contradictory_report"]);
}

#[tokio::test]
async fn rows_that_can_be_about_two_are_about_none() {
    let (one, other) = ("1032456701", "1032456702");
    let heads: &[&str] = &["check_id", "custom_input", "national_id", "creation_date"];
    let (a, b, c) = (id(1), id(2), id(3));
    let ambiguous = "ambiguous contradictory_report";
    for (what, expected) in [
        ("two checks of one number", [ambiguous, "made"]),
        ("the same check for both", [ambiguous, ambiguous]),
        ("a reference with another's number", [ambiguous, ambiguous]),
        ("two checks with one reference", [ambiguous, "made"]),
        ("the same line twice", ["made", "made"]),
        ("no id", ["missing not_in_report", "made"]),
        ("another type", ["missing not_in_report", "made"]),
    ] {
        let mut file = File::of_numbers(&[one, other]);
        let (first, second) = (file.items[0].reference.to_string(), file.items[1].reference.to_string());
        let typed: &[&str] = &["check_id", "type", "national_id", "country"];
        let rows: Vec<Vec<&str>> = match what {
            "two checks of one number" => vec![heads.into(), vec![&a, "", one], vec![&b, "", one], vec![&c, "", other]],
            "the same check for both" => vec![heads.into(), vec![&a, "", one], vec![&a, "", other]],
            "a reference with another's number" => vec![heads.into(), vec![&a, &first, other], vec![&b, "", other]],
            "two checks with one reference" => {
                vec![heads.into(), vec![&a, &first], vec![&b, &first], vec![&c, &second]]
            }
            "the same line twice" => vec![heads.into(), vec![&a, &first], vec![&a, &first], vec![&c, &second]],
            "no id" => vec![heads.into(), vec!["", "", one], vec![&c, "", other]],
            _ => vec![typed.into(), vec![&a, "vehicle", one, "CO"], vec![&c, "PERSON", other, "co"]],
        };
        let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
        assert_eq!(under(&mut file, report(&[("Results", &rows)])).await, expected, "{what}");
    }
}

#[tokio::test]
async fn a_row_that_is_both_made_and_an_error_is_left_to_a_person() {
    let (number, made) = ("1032456701", id(1));
    let mut file = File::of_numbers(&[number]);
    let sheets: [(&str, &[&[&str]]); 2] = [
        ("Results", &[&["check_id", "national_id"], &[&made, number]]),
        ("Errors", &[&["national_id", "error"], &[number, "Invalid request: something"]]),
    ];
    assert_eq!(under(&mut file, report(&sheets)).await, ["ambiguous contradictory_report"]);
    // A sheet of errors that names a check has a result in it.
    let sheets: [(&str, &[&[&str]]); 1] = [("Errors", &[&["national_id", "check_id"], &[number, &made]])];
    assert_eq!(under(&mut File::of_numbers(&[number]), report(&sheets)).await, ["made"]);
}

#[tokio::test]
async fn columns_of_the_same_name_are_nobodys() {
    let (number, made, other) = ("1032456701", id(1), id(2));
    let mut file = File::of_numbers(&[number]);
    let rows: [&[&str]; 2] = [&["check_id", "national_id", "Check ID"], &[&made, number, &other]];
    assert_eq!(under(&mut file, report(&[("Results", &rows)])).await, ["missing not_in_report"]);
    // The plain name goes before one with a word in front.
    let rows: [&[&str]; 2] = [&["input national id", "national_id", "check_id"], &["99", number, &made]];
    assert_eq!(under(&mut File::of_numbers(&[number]), report(&[("Results", &rows)])).await, ["made"]);
}
