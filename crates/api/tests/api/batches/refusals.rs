//! Uploads that are refused, and how they are told why.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use bytes::Bytes;
use futures::StreamExt as _;
use http::StatusCode;
use serde_json::{Value, json};

use super::{PATH, nothing_is_there, upload};
use crate::batch_files::{CSV, NDJSON, XLSX, bodies, bomb, csv, ndjson, order, order_with, orders, xlsx};
use crate::gateway::{Gateway, SECRETS};

#[tokio::test]
async fn one_invalid_row_and_nothing_is_accepted() {
    let gateway = Gateway::start().await;
    let mut rows = orders(3);
    rows[1] = order_with(1, "/subject/identifiers/0/country", json!("USA"));
    // What only the vendor asks for.
    rows[2] = order_with(2, "/subject/last_name", Value::Null);
    for ((media_type, body), first_row) in bodies(&rows).into_iter().zip([1, 1, 2, 2]) {
        let refused = upload(&gateway, media_type, body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{media_type}: {}", refused.text);
        assert_eq!(refused.body["detail"], "Nothing was accepted: 2 rows must be corrected.");
        let errors = refused.body["errors"].as_array().expect("errors");
        let (prefix, has_columns) = match media_type {
            "application/json" => (["/orders/1", "/orders/2"], false),
            NDJSON => (["", ""], false),
            _ => (["", ""], true),
        };
        let column = |name: &str| if has_columns { json!(name) } else { Value::Null };
        let told: Vec<_> =
            errors.iter().map(|error| (&error["row"], &error["column"], &error["pointer"], &error["code"])).collect();
        assert_eq!(
            told,
            [
                (
                    &json!(first_row + 1),
                    &column("subject.identifiers.0.country"),
                    &json!(format!("{}/subject/identifiers/0/country", prefix[0])),
                    &json!("invalid")
                ),
                (
                    &json!(first_row + 2),
                    &column("subject.last_name"),
                    &json!(format!("{}/subject/last_name", prefix[1])),
                    &json!("required")
                ),
            ],
            "{media_type}: {}",
            refused.text
        );
        assert!(SECRETS.iter().all(|secret| !refused.text.contains(secret)), "{}", refused.text);
    }
    nothing_is_there(&gateway).await;
}

#[tokio::test]
async fn only_the_first_thousand_faults_are_told() {
    let gateway = Gateway::start().await;
    let bad = order_with(1, "/checks/0/country", json!("USA"));
    let answers = [
        upload(&gateway, NDJSON, ndjson(&vec![bad.clone(); 1_500])).await,
        gateway
            .raw("POST", "/v1/batches?on_invalid=skip", &[("content-type", NDJSON)], ndjson(&vec![bad.clone(); 1_500]))
            .await,
    ];
    for refused in answers {
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
        assert_eq!(refused.body["errors"].as_array().map(Vec::len), Some(1_000));
        assert!(
            refused.body["detail"].as_str().is_some_and(|text| text.contains("Only the first 1000 faults")),
            "{}",
            refused.body["detail"]
        );
    }
    let mut rows = vec![bad; 1_500];
    rows.push(order(1));
    let made = gateway.raw("POST", "/v1/batches?on_invalid=skip", &[("content-type", NDJSON)], ndjson(&rows)).await;
    assert_eq!((made.status, &made.body["rejected_count"]), (StatusCode::ACCEPTED, &json!(1_500)), "{}", made.text);
    assert_eq!(made.body["rejected_rows"].as_array().map(Vec::len), Some(1_000));
}

#[tokio::test]
async fn files_that_cannot_be_read_say_why() {
    let gateway = Gateway::start().await;
    let good = String::from_utf8(csv(&orders(2))).expect("text");
    let utf16 = |text: &str| {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        [0xff, 0xfe].into_iter().chain(units).collect::<Vec<u8>>()
    };
    let encrypted: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let ole = [&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1][..], &[0; 600]].concat();
    let latin1: Vec<u8> = good.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?')).collect();
    let cases: Vec<(&str, &str, Vec<u8>, u16)> = vec![
        ("nothing", CSV, Vec::new(), 400),
        ("nothing", NDJSON, Vec::new(), 400),
        ("nothing", XLSX, Vec::new(), 400),
        ("nothing", "application/json", Vec::new(), 400),
        ("blank lines", NDJSON, b"\n \n\n".to_vec(), 400),
        ("a head only", NDJSON, b"{\"defaults\": {}, \"on_invalid\": \"skip\"}\n".to_vec(), 400),
        ("headings only", CSV, good.lines().next().expect("a line").as_bytes().to_vec(), 400),
        ("a sheet without rows", XLSX, xlsx(&[]), 400),
        ("UTF-16", CSV, utf16(&good), 400),
        ("UTF-16", NDJSON, utf16("{}"), 400),
        ("Latin-1", CSV, latin1, 400),
        ("an unknown heading's twin", CSV, b"a,a\n1,2\n".to_vec(), 400),
        ("a quote that is not closed", CSV, [good.as_bytes(), b"\"x,"].concat(), 400),
        ("a workbook called CSV", CSV, xlsx(&orders(1)), 400),
        ("a CSV called a workbook", XLSX, good.clone().into_bytes(), 400),
        ("a workbook with a password", XLSX, [&ole[..512], &encrypted, &[0; 600]].concat(), 400),
        ("an old workbook", XLSX, ole, 400),
        (
            "half a workbook",
            XLSX,
            {
                let whole = xlsx(&orders(50));
                whole[..whole.len() / 2].to_vec()
            },
            400,
        ),
        ("no orders at all", CSV, b"a,b\n1,2\n".to_vec(), 422),
        ("ragged rows", CSV, [good.as_bytes(), b"x,y\n"].concat(), 422),
        ("no JSON", NDJSON, b"{\"a\": 1,}\n".to_vec(), 422),
        ("a key twice", NDJSON, b"{\"a\": 1, \"a\": 2}\n".to_vec(), 422),
        ("no object", NDJSON, b"[]\n".to_vec(), 422),
        ("no JSON", "application/json", b"{".to_vec(), 400),
    ];
    for (what, media_type, body, status) in cases {
        let refused = upload(&gateway, media_type, body).await;
        if let Some(word) = ["password", "UTF-16", ".xls)"]
            .into_iter()
            .zip(["a password", "UTF-16", "an old"])
            .find_map(|(word, case)| what.contains(case).then_some(word))
        {
            assert!(
                refused.body["detail"].as_str().is_some_and(|text| text.contains(word)),
                "{what}: {}",
                refused.text
            );
        }
        assert_eq!(refused.status.as_u16(), status, "{what}: {}", refused.text);
        let kind = match (status, media_type) {
            (400, "application/json") => "/problems/malformed-request",
            (400, _) => "/problems/unreadable-file",
            _ => "/problems/invalid-request",
        };
        assert_eq!(refused.body["type"], kind, "{what}: {}", refused.text);
        assert!(!refused.text.contains("Smith-") && !refused.text.contains("123-45"), "{what}: {}", refused.text);
    }
    nothing_is_there(&gateway).await;
}

/// Or else its caller, who still sends, would see the connection end and not the answer.
#[tokio::test]
async fn a_file_that_is_refused_early_is_read_to_its_end() {
    let gateway = Gateway::start().await;
    for (media_type, beginning) in [(CSV, "a,a\n"), (NDJSON, "{\"defaults\": 5}\n")] {
        let read = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&read);
        let pieces = (0..64).map(move |number| {
            counted.fetch_add(1, Ordering::Relaxed);
            Ok::<_, std::io::Error>(Bytes::from(if number == 0 { beginning.to_owned() } else { "x".repeat(65_536) }))
        });
        let refused = upload(&gateway, media_type, Body::from_stream(futures::stream::iter(pieces))).await;
        assert!(refused.status.is_client_error(), "{}", refused.text);
        assert_eq!(read.load(Ordering::Relaxed), 64, "{media_type}");
    }
    nothing_is_there(&gateway).await;
}

#[tokio::test]
async fn files_that_are_too_large_are_refused() {
    let gateway = Gateway::start().await;
    // As announced, before a byte of it was read.
    for (media_type, length, says) in [
        ("application/json", 16 << 20, "16 MiB"),
        (NDJSON, 256 << 20, "256 MiB"),
        (CSV, 256 << 20, "256 MiB"),
        (XLSX, 32 << 20, "32 MiB"),
    ] {
        let length = u64::to_string(&(length + 1));
        let headers = [("content-type", media_type), ("content-length", length.as_str())];
        let refused = gateway.raw("POST", PATH, &headers, Body::empty()).await;
        assert_eq!(
            (refused.status, refused.body["detail"].as_str().is_some_and(|text| text.contains(says))),
            (StatusCode::PAYLOAD_TOO_LARGE, true),
            "{}",
            refused.text
        );
    }
    // And as it came.
    let chunk = Bytes::from(vec![b' '; 1 << 20]);
    let endless = Body::from_stream(futures::stream::repeat_with(move || Ok::<_, Infallible>(chunk.clone())).take(17));
    assert_eq!(upload(&gateway, "application/json", endless).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let line = Bytes::from(format!("{{\"a\": \"{}\"}}\n", "x".repeat(2 << 20)));
    let refused = upload(&gateway, NDJSON, line).await;
    assert!(matches!(refused.status.as_u16(), 400 | 422), "{}", refused.text);
    let refused = upload(&gateway, XLSX, bomb(&xlsx(&orders(1)))).await;
    assert_eq!(
        (refused.status, refused.body["detail"].as_str().is_some_and(|text| text.contains("unpacks to more than"))),
        (StatusCode::PAYLOAD_TOO_LARGE, true),
        "{}",
        refused.text
    );

    // The head is no row, and at the bound nothing is too many.
    let head = Bytes::from_static(b"{\"on_invalid\": \"skip\"}\n");
    for (extra, status) in [("", StatusCode::UNPROCESSABLE_ENTITY), ("5\n", StatusCode::PAYLOAD_TOO_LARGE)] {
        let rows = (0..100).map(|_| Bytes::from("5\n".repeat(1_000)));
        let lines = [head.clone()].into_iter().chain(rows).chain([Bytes::from(extra)]).map(Ok::<_, Infallible>);
        let refused =
            upload(&gateway, NDJSON, Body::from_stream(futures::stream::iter(lines.collect::<Vec<_>>()))).await;
        assert_eq!(refused.status, status, "{}", refused.text);
    }
    let rows = futures::stream::iter((0..=100).map(|_| Ok::<_, Infallible>(Bytes::from("5\n".repeat(1_000)))));
    let refused =
        gateway.raw("POST", "/v1/batches?on_invalid=skip", &[("content-type", NDJSON)], Body::from_stream(rows)).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", refused.text);
    nothing_is_there(&gateway).await;
}

#[tokio::test]
async fn media_types_that_are_not_taken_name_those_that_are() {
    let gateway = Gateway::start().await;
    let body = ndjson(&orders(1));
    for headers in [
        vec![],
        vec![("content-type", "text/plain")],
        vec![("content-type", "application/vnd.ms-excel")],
        vec![("content-type", "multipart/form-data; boundary=x")],
        vec![("content-type", "text/csv; charset=windows-1252")],
        vec![("content-type", NDJSON), ("content-encoding", "gzip")],
    ] {
        let refused = gateway.raw("POST", PATH, &headers, body.clone()).await;
        assert_eq!(refused.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{headers:?}: {}", refused.text);
        let detail = refused.body["detail"].as_str().expect("text");
        let is_named = [NDJSON, CSV, XLSX, "application/json"].iter().all(|known| detail.contains(known));
        assert!(is_named || detail.contains("encoding") || detail.contains("UTF-8"), "{detail}");
    }
    for kind in ["Text/CSV; Charset=\"UTF-8\"; header=present", "text/csv"] {
        assert_eq!(upload(&gateway, kind, csv(&orders(1))).await.status, StatusCode::ACCEPTED, "{kind}");
    }
    for query in ["on_invalid=maybe", "external_id=", "x=1"] {
        let refused = gateway.raw("POST", &format!("{PATH}?{query}"), &[("content-type", NDJSON)], body.clone()).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}: {}", refused.text);
        assert!(refused.body["errors"][0]["parameter"].is_string(), "{}", refused.text);
    }
}

#[tokio::test]
async fn without_its_database_nothing_is_accepted() {
    let gateway = Gateway::start().await;
    gateway.engine.store().close().await;
    let away = upload(&gateway, NDJSON, ndjson(&orders(1))).await;
    assert_eq!(
        (away.status, &away.body["type"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!("/problems/unavailable")),
        "{}",
        away.text
    );
}
