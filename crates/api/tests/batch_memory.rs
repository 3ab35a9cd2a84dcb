//! How much memory large uploads and reports take. On its own, since the peak is the whole process's.
//!
//! `BATCH_ROWS=100000` tries the largest that are taken.
#![cfg(target_os = "linux")]

#[path = "api/gateway.rs"]
#[allow(dead_code, reason = "most of it is for other tests")]
mod gateway;

use std::convert::Infallible;
use std::io::{Cursor, Write as _};

use axum::body::Body;
use bytes::Bytes;
use futures::StreamExt as _;
use gateway::{Gateway, all_scopes, new_order};
use http::{Request, StatusCode};
use serde_json::json;
use tower::ServiceExt as _;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Rows of each upload. The promise is for 100,000; fewer show as well that memory does not grow with them.
const ROWS: usize = 5_000;

/// The most that the process may have held at any time, in KiB.
const MOST: u64 = 128 * 1024;

#[tokio::test]
async fn memory_stays_within_bounds() {
    let rows = std::env::var("BATCH_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(ROWS);
    let gateway = Gateway::start().await;
    let mut id = String::new();
    for (media_type, body) in [
        ("application/x-ndjson", ndjson(rows)),
        ("text/csv", csv(rows)),
        // Last: making it takes some memory as well.
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Body::from(xlsx(rows))),
    ] {
        id = upload(&gateway, media_type, body, rows).await;
        println!("peak memory: {} KiB after {rows} rows of {media_type}", peak());
    }
    for format in ["ndjson", "csv", "xlsx"] {
        let bytes = report(&gateway, &format!("/v1/batches/{id}/report?format={format}")).await;
        assert!(bytes > 10 * rows, "{bytes} bytes");
        println!("peak memory: {} KiB after the report as {format}", peak());
    }
    assert!(peak() < MOST, "{} KiB", peak());
}

fn ndjson(rows: usize) -> Body {
    let order = new_order();
    let lines = (0..rows).map(move |number| {
        let mut order = order.clone();
        order["external_id"] = json!(format!("A-{number}"));
        Ok::<_, Infallible>(Bytes::from(format!("{order}\n")))
    });
    Body::from_stream(futures::stream::iter(lines))
}

const HEADINGS: [&str; 11] = [
    "external_id",
    "subject.type",
    "subject.first_name",
    "subject.last_name",
    "subject.date_of_birth",
    "subject.identifiers.0.type",
    "subject.identifiers.0.country",
    "subject.identifiers.0.value",
    "consent.obtained_at",
    "checks.0.type",
    "checks.0.country",
];

/// A row of distinct texts, where they may be.
fn cells(number: usize) -> [String; HEADINGS.len()] {
    [
        format!("ATS-{number}"),
        "person".to_owned(),
        format!("First name of {number}"),
        format!("Last name of {number}"),
        "1990-05-15".to_owned(),
        "ssn".to_owned(),
        "US".to_owned(),
        format!("123-45-{number}"),
        "2026-11-20T10:00:00Z".to_owned(),
        "background_check".to_owned(),
        "US".to_owned(),
    ]
}

fn csv(rows: usize) -> Body {
    let heading = std::iter::once(HEADINGS.join(","));
    let lines = heading.chain((0..rows).map(|number| cells(number).join(",")));
    Body::from_stream(futures::stream::iter(lines.map(|line| Ok::<_, Infallible>(Bytes::from(format!("{line}\r\n"))))))
}

/// A workbook as Excel writes it, with every text in the table of shared texts.
fn xlsx(rows: usize) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
    const TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml";
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let begin = |zip: &mut ZipWriter<_>, name: &str| zip.start_file(name, SimpleFileOptions::default()).expect("begun");
    begin(&mut zip, "[Content_Types].xml");
    write!(zip, r#"<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="{TYPE}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="{TYPE}.worksheet+xml"/><Override PartName="/xl/sharedStrings.xml" ContentType="{TYPE}.sharedStrings+xml"/></Types>"#).expect("written");
    begin(&mut zip, "_rels/.rels");
    write!(zip, r#"<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#).expect("written");
    begin(&mut zip, "xl/workbook.xml");
    write!(zip, r#"<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets><sheet name="Orders" sheetId="1" r:id="rId1"/></sheets></workbook>"#).expect("written");
    begin(&mut zip, "xl/_rels/workbook.xml.rels");
    write!(zip, r#"<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>"#).expect("written");
    let all = || std::iter::once(HEADINGS.map(str::to_owned)).chain((0..rows).map(cells));
    begin(&mut zip, "xl/sharedStrings.xml");
    write!(zip, r#"<sst xmlns="{MAIN}">"#).expect("written");
    for text in all().flatten() {
        write!(zip, "<si><t>{text}</t></si>").expect("written");
    }
    write!(zip, "</sst>").expect("written");
    begin(&mut zip, "xl/worksheets/sheet1.xml");
    write!(zip, r#"<worksheet xmlns="{MAIN}"><sheetData>"#).expect("written");
    for (row, cells) in all().enumerate() {
        write!(zip, r#"<row r="{}">"#, row + 1).expect("written");
        for (column, letter) in (0..cells.len()).zip('A'..) {
            write!(zip, r#"<c r="{letter}{}" t="s"><v>{}</v></c>"#, row + 1, row * HEADINGS.len() + column)
                .expect("written");
        }
        write!(zip, "</row>").expect("written");
    }
    write!(zip, "</sheetData></worksheet>").expect("written");
    zip.finish().expect("written").into_inner()
}

async fn upload(gateway: &Gateway, media_type: &str, body: Body, rows: usize) -> String {
    let request = Request::post("/v1/batches")
        .header("authorization", format!("Bearer {}", gateway.token(&all_scopes())))
        .header("content-type", media_type)
        .header("idempotency-key", media_type)
        .body(body);
    let made = gateway.send(request.expect("a request")).await;
    assert_eq!((made.status, &made.body["orders"]), (StatusCode::ACCEPTED, &json!(rows)), "{}", made.text);
    made.body["id"].as_str().expect("an id").to_owned()
}

/// Receives a report piece by piece. Gives how many bytes it has.
async fn report(gateway: &Gateway, path: &str) -> usize {
    let request = Request::get(path).header("authorization", format!("Bearer {}", gateway.token(&all_scopes())));
    let response = gateway.router.clone().oneshot(request.body(Body::empty()).expect("a request")).await;
    let pieces = response.expect("infallible").into_body().into_data_stream();
    pieces.fold(0, async |bytes, piece| bytes + piece.expect("a piece").len()).await
}

/// The most memory that this process had at any time, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a line");
    line.split_ascii_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}
