//! Reading workbooks: made by a library, and by hand where no program would make them like that.

mod common;

use common::{Parts, WORKBOOK, collect, failure, faults, objects};
use rust_xlsxwriter::{ExcelDateTime, Format as Style, Formula, Workbook};
use serde_json::json;
use tabular::{Format, Limits, Unreadable};

fn read(bytes: &[u8]) -> Result<Vec<tabular::Row>, Unreadable> {
    collect(Format::Xlsx, bytes, &Limits::default()).map(|(rows, _)| rows)
}

fn written(fill: impl FnOnce(&mut Workbook) -> Result<(), rust_xlsxwriter::XlsxError>) -> Vec<u8> {
    let mut workbook = Workbook::new();
    fill(&mut workbook).expect("a workbook");
    workbook.save_to_buffer().expect("a workbook")
}

#[test]
fn cells_become_what_they_show() {
    let bytes = written(|workbook| {
        let date = Style::new().set_num_format("dd/mm/yyyy");
        let sheet = workbook.add_worksheet();
        for (column, name) in ["text", "int", "id", "half", "born", "seen", "yes", "zip", "b.0.c"].iter().enumerate() {
            sheet.write(0, u16::try_from(column).expect("few"), *name)?;
        }
        sheet.write(1, 0, " 007 ü😀 <&> _x000D_\nline ")?;
        sheet.write(1, 1, 5)?;
        sheet.write(1, 2, 123_456_789_012_345_i64)?;
        sheet.write(1, 3, 0.5)?;
        sheet.write_with_format(1, 4, &ExcelDateTime::from_ymd(1990, 5, 7)?, &date)?;
        sheet.write_with_format(1, 5, &ExcelDateTime::from_ymd(2024, 1, 2)?.and_hms(7, 30, 0)?, &date)?;
        sheet.write(1, 6, true)?;
        sheet.write_with_format(1, 7, 1234, &Style::new().set_num_format("00000"))?;
        sheet.write(1, 8, "x")?;
        // Formats alone are nothing; and the next row with something in it is far below.
        sheet.write_blank(2, 0, &Style::new().set_bold())?;
        sheet.write(1_048_575, 6, false)?;
        Ok(())
    });
    assert_eq!(
        objects(&read(&bytes).expect("rows")),
        [
            (
                2,
                json!({
                    "text": " 007 ü😀 <&> _x000D_\nline ", "int": "5", "id": "123456789012345", "half": "0.5",
                    "born": "1990-05-07", "seen": "2024-01-02T07:30:00Z", "yes": true, "zip": "01234", "b": [{"c": "x"}],
                })
            ),
            (1_048_576, json!({"yes": false})),
        ]
    );
}

#[test]
fn formulas_and_errors_are_faults_that_name_the_cell() {
    let bytes = written(|workbook| {
        let sheet = workbook.add_worksheet();
        sheet.write(0, 0, "a")?.write(0, 27, "b.c")?;
        sheet.write(1, 0, "1")?.write(1, 27, Formula::new("=1+1").set_result("2"))?;
        sheet.write(2, 0, "1")?.write(2, 27, "2")?;
        sheet.write(4, 0, "1")?.write(4, 27, Formula::new("=IF(1,\"\")").set_result(""))?;
        sheet.write(5, 0, 1e15)?.write(5, 27, Formula::new("=1/0").set_result("#DIV/0!"))?;
        Ok(())
    });
    let rows = read(&bytes).expect("rows");
    assert_eq!(
        faults(&rows),
        [
            "2 b.c formula: Cell AB2 holds a formula. Paste its value instead.",
            "5 b.c formula: Cell AB5 holds a formula. Paste its value instead.",
            "6 a inexact_number: Cell A6 holds a number of more than 15 digits, of which a spreadsheet keeps 15 only. \
             Format the column as text and enter it again.",
            "6 b.c formula: Cell AB6 holds a formula. Paste its value instead.",
        ]
    );
    assert_eq!(objects(&rows), [(3, json!({"a": "1", "b": {"c": "2"}}))]);

    // Formulas filled down over rows that are not used yet show nothing.
    let blank = "<row r='2'><c t='str'><f>X</f><v></v></c></row><row r='3'><c><v>1</v></c><c><f/></c></row>";
    let blank = Parts::sheet(&format!("<row r='1'><c t='str'><v>a</v></c><c t='str'><v>b</v></c></row>{blank}"));
    assert_eq!(
        faults(&read(&blank.zip()).expect("rows")),
        ["3 b formula: Cell B3 holds a formula. Paste its value instead."]
    );

    let error = Parts::sheet("<row r='1'><c t='str'><v>a</v></c></row><row><c r='A2' t='e'><v>#REF!</v></c></row>");
    assert_eq!(
        faults(&read(&error.zip()).expect("rows")),
        ["2 a cell_error: Cell A2 holds an error, such as #REF! or #N/A. Put the value there."]
    );
    let heading = Parts::sheet("<row><c t='str'><f>X</f><v>a</v></c></row><row><c><v>1</v></c></row>");
    assert_eq!(failure(read(&heading.zip())), "Column A: its heading, in row 1, is not plain text.");
}

#[test]
fn merged_cells_and_rich_text_and_inline_text_are_read() {
    let bytes = written(|workbook| {
        let bold = Style::new().set_bold();
        let sheet = workbook.add_worksheet();
        sheet.write(0, 0, "a")?.write(0, 1, "b")?;
        sheet.merge_range(1, 0, 2, 1, "both", &bold)?;
        sheet.write_rich_string(3, 0, &[(&bold, "so "), (&Style::default(), "what")])?;
        Ok(())
    });
    assert_eq!(objects(&read(&bytes).expect("rows")), [(2, json!({"a": "both"})), (4, json!({"a": "so what"}))]);

    let inline = Parts::sheet(
        "<row><c t='inlineStr'><is><t>a</t></is></c></row>\
         <row><c t='inlineStr'><is><r><t xml:space='preserve'>x </t></r><r><t> &amp;y&#x1F600; </t></r>\
         <rPh sb='0' eb='1'><t>no</t></rPh></is></c></row>",
    );
    assert_eq!(objects(&read(&inline.zip()).expect("rows")), [(2, json!({"a": "x &y😀"}))]);
}

#[test]
fn the_sheet_called_orders_is_read_or_else_the_first_that_is_seen() {
    let sheets = |names: &[(&str, bool)]| {
        written(|workbook| {
            for (name, hidden) in names {
                let sheet = workbook.add_worksheet().set_name(*name)?;
                sheet.write(0, 0, "sheet")?.write(1, 0, *name)?.set_hidden(*hidden);
                if !hidden {
                    sheet.set_active(true);
                }
            }
            Ok(())
        })
    };
    for (names, read_one) in [
        (&[("help", false), ("Orders", false)][..], "Orders"),
        (&[("one", false), ("two", false)], "one"),
        (&[("one", true), ("two", false)], "two"),
    ] {
        assert_eq!(objects(&read(&sheets(names)).expect("rows")), [(2, json!({"sheet": read_one}))]);
    }
}

#[test]
fn dates_may_be_counted_from_1904() {
    let mut parts = Parts::sheet("<row><c t='str'><v>d</v></c></row><row><c s='1'><v>0</v></c></row>");
    parts.set("xl/workbook.xml", &WORKBOOK.replace("<sheets>", "<workbookPr date1904='1'/><sheets>"));
    parts.set("xl/styles.xml", "<styleSheet><cellXfs><xf/><xf numFmtId='14'/></cellXfs></styleSheet>");
    assert_eq!(objects(&read(&parts.zip()).expect("rows")), [(2, json!({"d": "1904-01-01"}))]);
}

#[test]
fn a_sheet_may_lie_about_its_size_and_leave_out_what_can_be_counted() {
    let row = "<row><c t='str'><v>a</v></c></row><row/><row><c/><c s='1'/></row><row><c><v>1.0</v></c><c t='s'/></row>";
    for dimension in ["A1", "A1:XFD1048576", "C9:A1", "A99999999999", ""] {
        let mut parts = Parts::sheet(row);
        let sheet = format!("<worksheet><dimension ref='{dimension}'/><sheetData>{row}</sheetData></worksheet>");
        parts.set("xl/worksheets/sheet1.xml", &sheet);
        assert_eq!(objects(&read(&parts.zip()).expect("rows")), [(4, json!({"a": "1"}))], "{dimension}");
    }
}

#[test]
fn what_is_no_workbook_is_told_from_what_is_damaged() {
    let directory = |name: &str| {
        let mut bytes = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec();
        bytes.resize(1024, 0);
        bytes.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
        bytes.resize(2048, 0);
        bytes
    };
    assert!(matches!(read(&directory("Workbook")), Err(Unreadable::OldExcel)));
    assert!(matches!(read(&directory("EncryptedPackage")), Err(Unreadable::PasswordProtected)));
    assert!(matches!(read(b""), Err(Unreadable::Empty)));
    assert!(matches!(read(b"a,b\n1,2\n"), Err(Unreadable::NotAWorkbook { .. })));
    assert!(failure(read(b"PK\x03\x04 and no more")).contains("the zip that it is cannot be read"));

    let good = || Parts::sheet("<row><c t='str'><v>a</v></c></row><row><c><v>1</v></c></row>");
    assert_eq!(read(&good().zip()).expect("rows").len(), 1);
    for (path, content, told) in [
        ("_rels/.rels", None, "The file is not an Excel workbook (.xlsx): it is a zip without a workbook."),
        ("xl/workbook.xml", None, "The file is not an Excel workbook (.xlsx): it is a zip without a workbook."),
        ("xl/workbook.xml", Some("<workbook><sheets/></workbook>"), "The workbook has no sheet with cells."),
        ("xl/workbook.xml", Some("<other/>"), "its list of sheets cannot be read"),
        ("xl/_rels/workbook.xml.rels", None, "The workbook has no sheet with cells."),
        ("xl/worksheets/sheet1.xml", None, "the sheet is not in it"),
        ("xl/worksheets/sheet1.xml", Some("<worksheet><sheetData><row"), "the sheet cannot be read"),
        ("xl/worksheets/sheet1.xml", Some("<worksheet><sheetData>"), "the sheet cannot be read"),
        ("xl/worksheets/sheet1.xml", Some("<worksheet/>"), "the sheet cannot be read"),
        ("xl/worksheets/sheet1.xml", Some("<worksheet><sheetData/></worksheet>"), "The file has no rows."),
        ("xl/sharedStrings.xml", Some("<sst><si><t>&unknown;</t></si></sst>"), "its texts cannot be read"),
        ("xl/sharedStrings.xml", Some("\0"), ""),
        ("xl/styles.xml", Some("<styleSheet><"), "its styles cannot be read"),
    ] {
        let mut parts = good();
        match content {
            Some(content) => parts.set(path, content),
            None => parts.remove(path),
        }
        match read(&parts.zip()) {
            Ok(_) => assert_eq!(told, "", "{path} {content:?}"),
            Err(error) => assert!(!told.is_empty() && error.to_string().contains(told), "{path} {content:?}: {error}"),
        }
    }
    let mut ods = Parts::default();
    ods.set("mimetype", "application/vnd.oasis.opendocument.spreadsheet");
    ods.set("content.xml", "<x/>");
    assert!(failure(read(&ods.zip())).contains("OpenDocument"));
}

#[test]
fn cells_that_cannot_be_are_damage_told_with_their_row() {
    let heading = "<row><c t='str'><v>a</v></c></row>";
    for cells in [
        "<row r='1'/>",
        "<row r='0'/>",
        "<row r='1048577'/>",
        "<row r='99999999999999999999'/>",
        "<row r='2'><c r='A3'/></row>",
        "<row r='2'><c r='2'/></row>",
        "<row r='2'><c r='AAAA2'/></row>",
        "<row r='2'><c r='XFE2'/></row>",
        "<row r='2'><c r='B2'/><c r='A2'/></row>",
        "<row r='2'><c r='é2'/></row>",
        "<row r='2'><c t='s'><v>7</v></c></row>",
        "<row r='2'><c t='s'><v>-1</v></c></row>",
        "<row r='2'><c t='b'><v>7</v></c></row>",
        "<row r='2'><c t='wrong'><v>7</v></c></row>",
        "<row r='2'><c><v>&unknown;</v></c></row>",
    ] {
        let told = failure(read(&Parts::sheet(&format!("{heading}{cells}")).zip()));
        assert!(told.contains("damaged: the sheet"), "{cells}: {told}");
    }
}

#[test]
fn columns_without_heading_and_too_many_are_refused() {
    let bytes = written(|workbook| {
        let sheet = workbook.add_worksheet();
        sheet.write(0, 0, "a")?.write(1, 0, "1")?.write(2, 2, "x")?;
        Ok(())
    });
    assert!(failure(read(&bytes)).starts_with("Column C: row 3 has something here, but the column has no heading."));
    let bytes = written(|workbook| {
        workbook.add_worksheet().write(0, 0, "a")?.write(0, 500, "b")?;
        Ok(())
    });
    assert!(matches!(read(&bytes), Err(Unreadable::TooManyColumns { limit: 500 })));
}

#[test]
fn bombs_are_refused_whatever_they_declare() {
    let limits = Limits { inflated: 1 << 20, inflated_parts: 1 << 20, ..Limits::default() };
    let read = |parts: &Parts| collect(Format::Xlsx, &parts.zip(), &limits);
    let row = "<row><c><v>1</v></c></row>";
    let many = format!("<row><c t='str'><v>a</v></c></row>{}", row.repeat((1 << 20) / row.len()));
    assert!(matches!(read(&Parts::sheet(&many)), Err(Unreadable::ZipBomb { part: "its sheet", .. })));

    let mut texts = Parts::sheet("");
    texts.set("xl/sharedStrings.xml", &format!("<sst>{}</sst>", "<si/>".repeat(1 << 18)));
    assert!(matches!(read(&texts), Err(Unreadable::ZipBomb { part: "its texts and styles", .. })));

    let few = Limits { texts: 1000, ..Limits::default() };
    for texts in ["<si/>".repeat(251), format!("<si><t>{}</t></si>", "x".repeat(997))] {
        let mut parts = Parts::sheet("");
        parts.set("xl/sharedStrings.xml", &format!("<sst>{texts}</sst>"));
        let refused = collect(Format::Xlsx, &parts.zip(), &few);
        assert!(matches!(refused, Err(Unreadable::ZipBomb { part: "the texts of its cells", limit: 1000 })));
    }

    // The budget is one for all parts together.
    let mut parts = Parts::sheet("");
    let most = " ".repeat(600_000);
    parts.set("xl/sharedStrings.xml", &format!("<sst>{most}</sst>"));
    parts.set("xl/styles.xml", &format!("<styleSheet>{most}</styleSheet>"));
    assert!(matches!(read(&parts), Err(Unreadable::ZipBomb { part: "its texts and styles", .. })));

    // The declared sizes, in the zip's directory and before the entry, are a lie.
    let mut zip = Parts::sheet(&many).zip();
    let sheet = many.len() + "<worksheet><sheetData></sheetData></worksheet>".len();
    let declared = u32::try_from(sheet).expect("small").to_le_bytes();
    let mut lies = 0;
    for at in 0..zip.len() - 4 {
        if zip[at..at + 4] == declared {
            zip[at..at + 4].copy_from_slice(&100_u32.to_le_bytes());
            lies += 1;
        }
    }
    assert!(lies >= 1, "the size is in the directory");
    let told = failure(collect(Format::Xlsx, &zip, &limits));
    assert!(told.contains("unpacks to more than 1048576 bytes") || told.contains("damaged"), "{told}");

    let mut entries = Parts::sheet("");
    for number in 0..10_001 {
        entries.set(&format!("{number}"), "");
    }
    assert!(failure(read(&entries)).contains("too many files"));

    let big = Limits { workbook: 100, ..Limits::default() };
    assert!(matches!(collect(Format::Xlsx, &[b'P'; 101], &big), Err(Unreadable::TooLarge { limit: 100 })));
}

#[test]
fn one_huge_thing_in_a_part_is_not_held() {
    let huge = "x".repeat(3 << 20);
    for sheet in [
        format!("<!--{huge}-->"),
        format!("<row {huge}>"),
        format!("<row><c t='str'><v>{huge}</v></c></row>"),
        format!("<row><c t='str'><v>{}</v></c></row>", format!("{}<!-- -->", "x".repeat(1 << 19)).repeat(6)),
        format!(
            "<row><c t='inlineStr'><is><t>{}</t></is></c></row>",
            format!("{}<!-- -->", "x".repeat(1 << 19)).repeat(6)
        ),
        format!("<![CDATA[{huge}]]>"),
        format!("<?{huge}?>"),
        format!("&{huge};"),
    ] {
        let told = failure(read(&Parts::sheet(&sheet).zip()));
        assert!(told.contains("damaged: the sheet"), "{told}");
    }
    let mut texts = Parts::sheet("");
    texts.set("xl/sharedStrings.xml", &format!("<sst><si><t>{}</t></si></sst>", "x".repeat(200_000)));
    assert!(failure(read(&texts.zip())).contains("its texts cannot be read"));
}

#[test]
fn a_row_of_too_much_text_is_a_fault_of_its_own() {
    let limits = Limits { row: 100, ..Limits::default() };
    let text = "x".repeat(60);
    let bytes = written(|workbook| {
        let sheet = workbook.add_worksheet();
        sheet.write(0, 0, "a")?.write(0, 1, "b")?;
        sheet.write(1, 0, &text)?.write(1, 1, &text)?;
        sheet.write(2, 0, "y".repeat(200))?;
        sheet.write(3, 0, "z")?;
        Ok(())
    });
    let (rows, _) = collect(Format::Xlsx, &bytes, &limits).expect("rows");
    let told = "too_large: The text of the row is larger than 100 bytes.";
    assert_eq!(faults(&rows), [format!("2 {told}"), format!("3 {told}")]);
    assert_eq!(objects(&rows), [(4, json!({"a": "z"}))]);
}

#[test]
fn a_bit_that_flipped_is_noticed() {
    let parts = Parts::sheet("<row><c t='str'><v>a</v></c></row><row><c><v>12345</v></c></row>");
    let mut zip = parts.stored();
    let at = zip.windows(5).position(|window| window == b"12345").expect("stored as it is");
    zip[at] = b'9';
    assert!(failure(read(&zip)).contains("damaged"));
}
