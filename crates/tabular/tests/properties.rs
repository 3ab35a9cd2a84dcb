//! What holds of any input.

mod common;

use std::collections::BTreeMap;

use calamine::Reader;
use common::{Parts, collect, objects};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tabular::{Cell, Format, Limits, Table, TableWriter, Workbook, merge};

fn small() -> Limits {
    Limits {
        rows: 50,
        bytes: 1 << 16,
        row: 1 << 10,
        columns: 20,
        inflated: 1 << 20,
        inflated_parts: 1 << 18,
        ..Limits::default()
    }
}

/// Bytes of which many mean something in one of the formats.
fn some_bytes() -> impl Strategy<Value = Vec<u8>> {
    let telling = prop::sample::select(&b",;\t\"\r\n{}[]:'=<>/&\0\\aA0.1\xEF\xBB\xBF\xFC"[..]);
    prop::collection::vec(prop_oneof![4 => telling, 1 => any::<u8>()], 0..400)
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c]", inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn object() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map("[a-c]", json_value(), 0..4).prop_map(|map| map.into_iter().collect())
}

/// Everything that a row says is there, at its place.
fn says(merged: &Value, row: &Value) -> bool {
    match (merged, row) {
        (Value::Object(merged), Value::Object(row)) => {
            row.iter().all(|(key, value)| merged.get(key).is_some_and(|merged| says(merged, value)))
        }
        (Value::Array(merged), Value::Array(row)) => {
            merged.len() == row.len() && merged.iter().zip(row).all(|(merged, row)| says(merged, row))
        }
        _ => merged == row,
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~üñ😀]{0,12}", "[,;\"\n\t=+@-]{0,4}", "_x000[0-9A-F]_", "[0-9]{1,20}"]
}

/// Also what XML cannot hold, and what means something in it or in the texts of a workbook.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => any::<char>().prop_map(String::from),
        1 => any::<u8>().prop_map(|byte| char::from(byte).to_string()),
        2 => prop::sample::select(&["\r", "\n", " ", "_", "_x000D", "x000d_", "&#13;", "]]>", "<", "&", "\u{FFFE}", "\u{FFFF}", "\u{A0}"][..])
            .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn cells(columns: usize, text: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<Vec<String>>> {
    prop::collection::vec(prop::collection::vec(text, columns), 1..8)
}

/// The text with U+FFFD for the characters that XML 1.0 cannot hold.
fn in_xml(text: &str) -> String {
    let held = |&it: &char| matches!(it, '\t' | '\n' | '\r' | ' '..='\u{FFFD}') || it > '\u{FFFF}';
    text.chars().map(|it| if held(&it) { it } else { '\u{FFFD}' }).collect()
}

/// The rows as a reader is to give them: without the empty cells and rows.
fn expected(columns: &[String], rows: &[Vec<String>]) -> Vec<Value> {
    let object = |row: &Vec<String>| -> Map<String, Value> {
        let filled = columns.iter().zip(row).filter(|(_, text)| !text.is_empty());
        filled.map(|(column, text)| (column.clone(), json!(text))).collect()
    };
    rows.iter().map(object).filter(|object| !object.is_empty()).map(Value::Object).collect()
}

fn written(format: Format, columns: &[String], rows: &[Vec<String>]) -> Vec<u8> {
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut writer = TableWriter::new(format, &Table { name: "rows", columns: &names }).expect("a writer");
    let mut bytes = Vec::new();
    for row in rows {
        let cells: Vec<Cell<'_>> = row.iter().map(|text| Cell::from(text.as_str())).collect();
        writer.row(&cells).expect("a row");
        bytes.extend(writer.take().expect("bytes"));
    }
    bytes.extend(writer.finish().expect("bytes"));
    bytes
}

fn columns(count: usize) -> Vec<String> {
    (0..count).map(|column| format!("c{column}")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_reader_is_upset_by_any_bytes(bytes in some_bytes(), zip in any::<bool>()) {
        for format in Format::ALL {
            let mut bytes = bytes.clone();
            if zip {
                bytes.splice(0..0, *b"PK\x03\x04");
            }
            if let Ok((rows, headings)) = collect(format, &bytes, &small()) {
                prop_assert!(!rows.is_empty() && rows.len() <= 50);
                prop_assert!(rows.windows(2).all(|pair| pair[0].number < pair[1].number));
                prop_assert!(headings.iter().count() <= 20);
            }
        }
    }

    #[test]
    fn text_around_a_heading_line_is_read_as_rows_or_faults(bytes in some_bytes()) {
        let mut csv = b"a,b.0.c\n1,2\n".to_vec();
        csv.extend(&bytes);
        let _ = collect(Format::Csv, &csv, &small());
        let mut ndjson = b"{}\n".to_vec();
        ndjson.extend(&bytes);
        let _ = collect(Format::Ndjson, &ndjson, &small());
    }

    #[test]
    fn no_part_of_a_workbook_upsets_the_reader(
        part in prop::sample::select(&["_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml", "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"][..]),
        pieces in prop::collection::vec(prop::sample::select(&[
            "<row>", "</row>", "<row r='2'>", "<c>", "<c r='A1' t='s'>", "<c t='str'>", "</c>", "<v>", "</v>", "<f/>", "<is>", "<t>", "</t>", "<si>", "</si>",
            "<sst>", "<sheetData>", "</sheetData>", "1", "a", "&amp;", "&#0;", "&x;", "<!--", "-->", "<![CDATA[", "]]>", "<xf numFmtId='14'/>", "<cellXfs>",
            "<numFmt numFmtId='164' formatCode='[y\"\\'/>", "<sheet name='orders' id='rId1'/>", "<rPh>", "</rPh>", "\0", "é", "<?", "<!DOCTYPE x [", "'", "\"", ">", "<",
        ][..]), 0..30),
    ) {
        let mut parts = Parts::sheet("<row><c t='str'><v>a</v></c></row><row><c t='s'><v>0</v></c></row>");
        parts.set("xl/sharedStrings.xml", "<sst><si><t>x</t></si></sst>");
        parts.set(part, &pieces.concat());
        let _ = collect(Format::Xlsx, &parts.zip(), &small());
    }

    #[test]
    fn no_broken_workbook_upsets_the_reader(
        breaks in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        end in any::<prop::sample::Index>(),
        cut in any::<bool>(),
        stored in any::<bool>(),
    ) {
        let mut parts = Parts::sheet("<row><c t='str'><v>a</v></c></row><row><c t='s'><v>0</v></c></row>");
        parts.set("xl/sharedStrings.xml", "<sst><si><t>x</t></si></sst>");
        let mut zip = if stored { parts.stored() } else { parts.zip() };
        for (at, byte) in breaks {
            let at = at.index(zip.len());
            zip[at] = byte;
        }
        if cut {
            zip.truncate(end.index(zip.len()));
        }
        let _ = collect(Format::Xlsx, &zip, &small());
    }

    #[test]
    fn a_row_wins_over_the_defaults(defaults in object(), row in object()) {
        let merged = merge(&defaults, row.clone());
        prop_assert!(says(&Value::Object(merged.clone()), &Value::Object(row.clone())));
        // What the row does not speak of is the defaults'.
        for (key, default) in &defaults {
            if !row.contains_key(key) {
                prop_assert_eq!(merged.get(key), Some(default));
            }
        }
        prop_assert!(merged.keys().all(|key| row.contains_key(key) || defaults.contains_key(key)));
        prop_assert_eq!(&merge(&Map::new(), row.clone()), &row);
        prop_assert_eq!(&merge(&defaults, Map::new()), &defaults);
        prop_assert_eq!(merge(&defaults, merged.clone()), merged);
    }

    #[test]
    fn what_is_written_as_csv_is_read_again_but_for_formulas(rows in cells(3, text())) {
        let columns = columns(3);
        let inert: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|text| tabular::neutralize(text).into_owned()).collect()).collect();
        let wanted = expected(&columns, &inert);
        let bytes = written(Format::Csv, &columns, &rows);
        prop_assert_eq!(&bytes[..13], b"\xEF\xBB\xBFc0,c1,c2\r\n");
        match collect(Format::Csv, &bytes, &Limits::default()) {
            Ok((read, _)) => {
                let read: Vec<Value> = objects(&read).into_iter().map(|(_, object)| object).collect();
                prop_assert_eq!(read, wanted);
            }
            Err(error) => prop_assert!(wanted.is_empty(), "{}", error),
        }
    }

    #[test]
    fn what_is_written_as_xlsx_is_read_again_and_as_another_reader_does(rows in cells(4, prop_oneof![text(), any_text()])) {
        let columns = columns(4);
        let bytes = written(Format::Xlsx, &columns, &rows);
        let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|text| in_xml(text)).collect()).collect();
        let wanted = expected(&columns, &rows);
        match collect(Format::Xlsx, &bytes, &Limits::default()) {
            Ok((read, _)) => {
                let read: Vec<Value> = objects(&read).into_iter().map(|(_, object)| object).collect();
                prop_assert_eq!(read, wanted);
            }
            Err(error) => prop_assert!(wanted.is_empty(), "{}", error),
        }
        let mut other = calamine::Xlsx::new(std::io::Cursor::new(&bytes)).expect("a workbook");
        let range = other.worksheet_range("rows").expect("the sheet");
        for (number, row) in rows.iter().enumerate() {
            for (column, text) in row.iter().enumerate() {
                let place = (u32::try_from(number).expect("few") + 1, u32::try_from(column).expect("few"));
                let found = range.get_value(place).map(ToString::to_string).unwrap_or_default();
                prop_assert_eq!(&found, text);
            }
        }
    }

    #[test]
    fn numbers_are_written_as_numbers(numbers in prop::collection::vec(any::<f64>(), 1..20)) {
        let mut writer = TableWriter::new(Format::Xlsx, &Table { name: "rows", columns: &["a"] }).expect("a writer");
        for number in &numbers {
            writer.row(&[Cell::Number(*number)]).expect("a row");
        }
        let bytes = writer.finish().expect("bytes");
        let mut other = calamine::Xlsx::new(std::io::Cursor::new(&bytes)).expect("a workbook");
        let range = other.worksheet_range("rows").expect("the sheet");
        for (number, row) in numbers.iter().zip(1..) {
            let found = range.get_value((row, 0)).unwrap_or(&calamine::Data::Empty);
            if number.is_finite() {
                prop_assert_eq!(found, &calamine::Data::Float(*number));
            } else {
                prop_assert_eq!(found, &calamine::Data::Empty);
            }
        }
    }

    #[test]
    fn numbers_and_dates_are_what_another_reader_finds(numbers in prop::collection::vec((any::<i32>(), 61_u32..200_000), 1..20)) {
        let mut workbook = rust_xlsxwriter::Workbook::new();
        let date = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd");
        let sheet = workbook.add_worksheet();
        sheet.write(0, 0, "number").expect("a cell").write(0, 1, "date").expect("a cell");
        for ((number, day), row) in numbers.iter().zip(1..) {
            sheet.write(row, 0, *number).expect("a cell").write_with_format(row, 1, *day, &date).expect("a cell");
        }
        let bytes = workbook.save_to_buffer().expect("a workbook");
        let (read, _) = collect(Format::Xlsx, &bytes, &Limits::default()).expect("rows");
        let mut other = calamine::Xlsx::new(std::io::Cursor::new(&bytes)).expect("a workbook");
        let range = other.worksheet_range("Sheet1").expect("the sheet");
        for ((_, object), row) in objects(&read).into_iter().zip(1..) {
            let calamine::Data::DateTime(found) = range.get_value((row, 1)).expect("a date") else { panic!("no date") };
            let (year, month, day, ..) = found.to_ymd_hms_milli();
            prop_assert_eq!(&object["date"], &json!(format!("{year:04}-{month:02}-{day:02}")));
            prop_assert_eq!(&object["number"], &json!(range.get_value((row, 0)).expect("a number").to_string()));
        }
    }

    #[test]
    fn the_column_of_a_place_is_its_own(names in prop::collection::btree_set("[a-z~/]{1,3}", 1..6)) {
        let names: Vec<String> = names.into_iter().collect();
        let row = vec!["x"; names.len()].join(",");
        let (_, headings) = collect(Format::Csv, format!("{}\n{row}\n", names.join(",")).as_bytes(), &Limits::default()).expect("rows");
        for name in &names {
            let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
            prop_assert_eq!(headings.column_of(&pointer), Some(name.as_str()));
            prop_assert_eq!(headings.column_of(&format!("{pointer}/below")), Some(name.as_str()));
        }
    }
}

#[test]
fn ndjson_is_written_as_objects_in_the_order_of_the_columns() {
    let mut writer = TableWriter::new(Format::Ndjson, &Table { name: "rows", columns: &["b", "a"] }).expect("a writer");
    writer.row(&["=1+1".into(), Cell::Number(0.5)]).expect("a row");
    writer.row(&[Cell::Empty, Cell::Number(3.0)]).expect("a row");
    let text = String::from_utf8(writer.finish().expect("bytes")).expect("text");
    assert_eq!(text, "{\"b\":\"=1+1\",\"a\":0.5}\n{\"b\":null,\"a\":3}\n");
    assert_eq!(tabular::ndjson_line(&json!({"a": 1})).expect("a line"), b"{\"a\":1}\n");
}

#[test]
fn csv_is_what_excel_reads() {
    let mut writer =
        TableWriter::new(Format::Csv, &Table { name: "rows", columns: &["name", "cost"] }).expect("a writer");
    writer.row(&["Ñandú, \"x\"".into(), Cell::Number(-1.5)]).expect("a row");
    assert_eq!(writer.take().expect("bytes"), "\u{FEFF}name,cost\r\n\"Ñandú, \"\"x\"\"\",-1.5\r\n".as_bytes());
    writer.row(&["=HYPERLINK(\"http://x\")".into(), Cell::Empty]).expect("a row");
    assert_eq!(writer.finish().expect("bytes"), b"\"'=HYPERLINK(\"\"http://x\"\")\",\r\n");
}

#[test]
fn a_row_has_as_many_cells_as_there_are_columns() {
    for format in Format::ALL {
        let mut writer = TableWriter::new(format, &Table { name: "rows", columns: &["a", "b"] }).expect("a writer");
        assert!(writer.row(&[Cell::Empty]).is_err(), "{format:?}");
    }
}

#[test]
fn a_workbook_has_sheets_with_frozen_headings_and_inert_formulas() {
    let mut workbook = Workbook::new();
    workbook.sheet(&Table { name: "orders", columns: &["a.b", "c"] }).expect("a sheet");
    workbook.keep_as_text(0).expect("a column");
    workbook.row(&["=HYPERLINK(\"http://x\")".into(), Cell::Number(7.0)]).expect("a row");
    workbook.row(&["x".repeat(40_000).into(), Cell::Number(f64::NAN)]).expect("a row");
    workbook.sheet(&Table { name: "help", columns: &["column", "required"] }).expect("a sheet");
    workbook.row(&["a.b".into(), "yes".into()]).expect("a row");
    let bytes = workbook.finish().expect("a workbook");

    let (rows, _) = collect(Format::Xlsx, &bytes, &Limits::default()).expect("rows");
    let rows = objects(&rows);
    assert_eq!(rows[0].1, json!({"a": {"b": "=HYPERLINK(\"http://x\")"}, "c": "7"}));
    assert_eq!(rows[1].1["a"]["b"], json!("x".repeat(32_766) + "…"));

    let parts = unzipped(&bytes);
    let sheet = &parts["xl/worksheets/sheet1.xml"];
    assert!(!sheet.contains("<f>"), "no formula");
    assert!(sheet.contains("state=\"frozen\"") && sheet.contains("<autoFilter ref=\"A1:B3\"/>"));
    assert!(parts["xl/styles.xml"].contains("quotePrefix=\"1\""));
    assert!(parts["xl/worksheets/sheet2.xml"].contains("<autoFilter ref=\"A1:B2\"/>"));
}

#[test]
fn a_report_looks_like_any_workbook() {
    let columns = ["check_id", "note"];
    let mut writer = TableWriter::new(Format::Xlsx, &Table { name: "R&D \"1\"", columns: &columns }).expect("a writer");
    writer.row(&["=HYPERLINK(\"http://x\")".into(), Cell::Number(-7.5)]).expect("a row");
    writer.row(&["x".repeat(30).into(), " a\r\nb".into()]).expect("a row");
    let bytes = writer.finish().expect("bytes");

    let other: calamine::Xlsx<_> = calamine::Xlsx::new(std::io::Cursor::new(&bytes)).expect("a workbook");
    assert_eq!(other.sheet_names(), ["R&D \"1\""]);
    let parts = unzipped(&bytes);
    let filter = "<definedName name=\"_xlnm._FilterDatabase\" localSheetId=\"0\" hidden=\"1\">";
    assert!(parts["xl/workbook.xml"].contains(&format!("{filter}'R&amp;D &quot;1&quot;'!$A$1:$B$3</definedName>")));
    let sheet = &parts["xl/worksheets/sheet1.xml"];
    let (_, sheet) = sheet.split_once("<sheetViews>").expect("the head");
    assert_eq!(
        sheet,
        "<sheetView tabSelected=\"1\" workbookViewId=\"0\">\
         <pane ySplit=\"1\" topLeftCell=\"A2\" activePane=\"bottomLeft\" state=\"frozen\"/>\
         <selection pane=\"bottomLeft\"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight=\"15\"/>\
         <cols><col min=\"1\" max=\"1\" width=\"34\" customWidth=\"1\"/>\
         <col min=\"2\" max=\"2\" width=\"12\" customWidth=\"1\"/></cols><sheetData>\
         <row r=\"1\"><c r=\"A1\" s=\"1\" t=\"inlineStr\"><is><t>check_id</t></is></c>\
         <c r=\"B1\" s=\"1\" t=\"inlineStr\"><is><t>note</t></is></c></row>\
         <row r=\"2\"><c r=\"A2\" s=\"2\" t=\"inlineStr\"><is><t>=HYPERLINK(&quot;http://x&quot;)</t></is></c>\
         <c r=\"B2\"><v>-7.5</v></c></row>\
         <row r=\"3\"><c r=\"A3\" s=\"0\" t=\"inlineStr\"><is><t>xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx</t></is></c>\
         <c r=\"B3\" s=\"0\" t=\"inlineStr\"><is><t xml:space=\"preserve\"> a&#13;\nb</t></is></c></row>\
         </sheetData><autoFilter ref=\"A1:B3\"/></worksheet>"
    );
}

#[test]
fn a_report_comes_while_it_is_written() {
    let columns = columns(3);
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    for format in Format::ALL {
        let mut writer = TableWriter::new(format, &Table { name: "rows", columns: &names }).expect("a writer");
        let (mut bytes, mut largest) = (Vec::new(), 0);
        for row in 0..20_000_u32 {
            writer
                .row(&["the same".into(), format!("{:x}", row.wrapping_mul(2_654_435_761)).into(), row.into()])
                .expect("a row");
            let taken = writer.take().expect("bytes");
            largest = largest.max(taken.len());
            bytes.extend(taken);
        }
        let rest = writer.finish().expect("bytes");
        assert!(
            largest < 1 << 16 && rest.len() < 1 << 17 && bytes.len() > rest.len(),
            "{format:?}: {largest}, {}",
            rest.len()
        );
        bytes.extend(rest);
        let (rows, _) = collect(format, &bytes, &Limits::default()).expect("rows");
        assert_eq!(rows.len(), 20_000, "{format:?}");
    }
}

#[test]
fn a_text_is_cut_to_what_excel_opens() {
    let text_of = |text: &str| {
        let bytes = written(Format::Xlsx, &columns(1), &[vec![text.to_owned()]]);
        let (rows, _) = collect(Format::Xlsx, &bytes, &Limits::default()).expect("rows");
        objects(&rows)[0].1["c0"].as_str().expect("text").to_owned()
    };
    for whole in ["x".repeat(32_767), "ü".repeat(32_767), format!("x{}", "😀".repeat(16_383))] {
        assert_eq!(text_of(&whole), whole);
    }
    for (long, cut) in [
        ("x".repeat(32_768), format!("{}…", "x".repeat(32_766))),
        ("ü".repeat(40_000), format!("{}…", "ü".repeat(32_766))),
        ("😀".repeat(16_384), format!("{}…", "😀".repeat(16_383))),
        (format!("x{}", "😀".repeat(16_384)), format!("x{}…", "😀".repeat(16_382))),
    ] {
        assert_eq!(text_of(&long), cut);
        assert!(cut.encode_utf16().count() <= 32_767);
    }
}

#[test]
fn a_sheet_has_a_name_and_no_more_columns_than_there_can_be() {
    let new = |name: &str, columns: usize| {
        let columns = vec!["a"; columns];
        TableWriter::new(Format::Xlsx, &Table { name, columns: &columns }).map(|writer| writer.finish().expect("bytes"))
    };
    for name in ["", "a/b", "a name of more than 31 characters"] {
        assert!(new(name, 1).is_err(), "{name}");
    }
    assert!(new("rows", 16_385).is_err());
    let widest = new("rows", 16_384).expect("a workbook");
    assert!(unzipped(&widest)["xl/worksheets/sheet1.xml"].contains("<autoFilter ref=\"A1:XFD1\"/>"));
    let none = new("rows", 0).expect("a workbook");
    assert!(calamine::Xlsx::new(std::io::Cursor::new(&none)).is_ok());
}

fn unzipped(bytes: &[u8]) -> BTreeMap<String, String> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a zip");
    let names: Vec<String> = archive.file_names().map(|name| name.expect("a name").into_owned()).collect();
    let mut read = |name: String| {
        let mut file = archive.by_name(&name).expect("a part");
        let text = std::io::read_to_string(&mut file).expect("text");
        drop(file);
        (name, text)
    };
    names.into_iter().map(&mut read).collect()
}
