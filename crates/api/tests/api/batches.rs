//! Batches: uploaded, watched, canceled and reported.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use domain::CheckType;
use futures::{SinkExt as _, StreamExt as _};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::batch_files::{CSV, NDJSON, XLSX, bodies, bomb, cells, csv, ndjson, order, order_with, orders, xlsx};
use crate::gateway::{Answer, Gateway, SECRETS, all_scopes};

const PATH: &str = "/v1/batches";

async fn upload(gateway: &Gateway, media_type: &str, body: impl Into<Body>) -> Answer {
    gateway.raw("POST", PATH, &[("content-type", media_type)], body).await
}

async fn listed(gateway: &Gateway, path: &str) -> Vec<Value> {
    let answer = gateway.call("GET", path, None).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
    answer.body["data"].as_array().expect("data").clone()
}

async fn nothing_is_there(gateway: &Gateway) {
    assert_eq!(listed(gateway, "/v1/orders").await, Vec::<Value>::new());
    assert_eq!(listed(gateway, PATH).await, Vec::<Value>::new());
}

fn last_names(orders: &[Value]) -> Vec<String> {
    let mut names: Vec<_> =
        orders.iter().map(|order| order["subject"]["last_name"].as_str().unwrap_or_default().to_owned()).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn every_format_makes_the_same_batch() {
    let gateway = Gateway::start().await;
    for (media_type, body) in bodies(&orders(3)) {
        let made = upload(&gateway, media_type, body).await;
        assert_eq!(made.status, StatusCode::ACCEPTED, "{media_type}: {}", made.text);
        let id = made.body["id"].as_str().expect("an id");
        assert_eq!(made.headers["location"], format!("{PATH}/{id}").as_str());
        assert_eq!(
            made.body,
            json!({
                "id": id, "external_id": null, "status": "in_progress", "orders": 3, "checks": 3,
                "counts": {
                    "queued": 3, "submitting": 0, "unconfirmed": 0, "in_progress": 0, "action_required": 0,
                    "needs_review": 0, "completed": 0, "canceled": 0, "failed": 0
                },
                "progress": 0.0, "rejected_count": 0, "rejected_rows": [], "cancel_requested_at": null,
                "created_at": "2026-11-21T09:00:00Z", "completed_at": null
            }),
            "{media_type}"
        );
        let read = gateway.call("GET", &format!("{PATH}/{id}"), None).await;
        assert_eq!((read.status, &read.body), (StatusCode::OK, &made.body), "{media_type}");
        let all = listed(&gateway, &format!("{PATH}/{id}/orders")).await;
        assert_eq!(last_names(&all), ["Smith-0", "Smith-1", "Smith-2"], "{media_type}");
        assert!(all.iter().all(|order| order["batch_id"] == id), "{media_type}");
    }
}

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
async fn invalid_rows_are_skipped_if_so_wished() {
    let gateway = Gateway::start().await;
    let mut rows = orders(4);
    rows[0] = order_with(0, "/subject/last_name", Value::Null);
    rows[2] = order_with(2, "/checks/0/type", json!("palm_reading"));
    for (media_type, body) in bodies(&rows) {
        let path = format!("{PATH}?on_invalid=skip&external_id=hires%201");
        let made = gateway.raw("POST", &path, &[("content-type", media_type)], body).await;
        assert_eq!(made.status, StatusCode::ACCEPTED, "{media_type}: {}", made.text);
        assert_eq!(
            (&made.body["orders"], &made.body["rejected_count"], &made.body["external_id"]),
            (&json!(2), &json!(2), &json!("hires 1"))
        );
        let first = if matches!(media_type, CSV | XLSX) { 2 } else { 1 };
        let rejected = made.body["rejected_rows"].as_array().expect("rows");
        assert_eq!((&rejected[0]["row"], &rejected[1]["row"]), (&json!(first), &json!(first + 2)), "{media_type}");
        // The pointer leads into the order, whatever the format.
        assert_eq!(rejected[1]["errors"][0]["pointer"], "/checks/0/type", "{media_type}");
        let column = if first == 2 { json!("checks.0.type") } else { Value::Null };
        assert_eq!(rejected[1]["errors"][0]["column"], column, "{media_type}");
        let id = made.body["id"].as_str().expect("an id");
        assert_eq!(gateway.call("GET", &format!("{PATH}/{id}"), None).await.body, made.body);
        assert_eq!(last_names(&listed(&gateway, &format!("{PATH}/{id}/orders")).await), ["Smith-1", "Smith-3"]);
    }
    let batches = listed(&gateway, "/v1/batches?external_id=hires%201").await;
    assert!(batches.len() == 4 && batches.iter().all(|batch| batch.get("rejected_rows").is_none()));
    // A field may be called anything, and be told of.
    let named = [json!({"a\u{0}b": 1}), order(1)];
    let made = gateway.raw("POST", "/v1/batches?on_invalid=skip", &[("content-type", NDJSON)], ndjson(&named)).await;
    assert_eq!((made.status, &made.body["rejected_count"]), (StatusCode::ACCEPTED, &json!(1)), "{}", made.text);
    let faults = made.body["rejected_rows"][0]["errors"].as_array().expect("faults");
    assert!(faults.iter().any(|fault| fault["pointer"] == "/a\u{FFFD}b"), "{}", made.text);
    // None is valid: there is nothing to make a batch of.
    let none =
        gateway.raw("POST", "/v1/batches?on_invalid=skip", &[("content-type", NDJSON)], ndjson(&rows[..1])).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", none.text);
    assert_eq!(none.body["errors"][0]["row"], 1);
    assert_eq!(listed(&gateway, PATH).await.len(), 5);
}

#[tokio::test]
async fn defaults_lie_under_every_row() {
    let gateway = Gateway::start().await;
    let defaults = json!({
        "subject": {"type": "person", "last_name": "Doe"}, "consent": {"obtained_at": "2026-11-20T10:00:00Z"},
        "checks": [{"type": "background_check", "country": "US"}], "metadata": {"team": "red", "site": "1"}
    });
    let rows = [
        json!({"subject": {"first_name": "A"}}),
        json!({"subject": {"first_name": "B", "last_name": "Own"}, "metadata": {"team": "blue"}}),
        json!({"subject": {"first_name": "C"}, "metadata": null}),
    ];
    let head = json!({"defaults": defaults, "external_id": "b1", "on_invalid": "skip"});
    let mut all = head.clone();
    all["orders"] = json!(rows);
    let lines = [&[head], rows.as_slice()].concat();
    for (media_type, body) in [("application/json", all.to_string().into_bytes()), (NDJSON, ndjson(&lines))] {
        let made = upload(&gateway, media_type, body).await;
        assert_eq!((made.status, &made.body["orders"]), (StatusCode::ACCEPTED, &json!(3)), "{}", made.text);
        assert_eq!(made.body["external_id"], "b1");
        let id = made.body["id"].as_str().expect("an id");
        let all = listed(&gateway, &format!("{PATH}/{id}/orders")).await;
        assert_eq!(last_names(&all), ["Doe", "Doe", "Own"]);
        let metadata = |name: &str| {
            let of = all.iter().find(|order| order["subject"]["first_name"] == name).expect("the order");
            of["metadata"].clone()
        };
        assert_eq!(
            [metadata("A"), metadata("B"), metadata("C")],
            [json!({"team": "red", "site": "1"}), json!({"team": "blue", "site": "1"}), json!({})]
        );
    }
    for (body, pointer) in [
        (json!({"defaults": 5, "orders": [order(1)]}), "/defaults"),
        (json!({"defaults": {"metadata": {"a": "x".repeat(65 * 1024)}}, "orders": [order(1)]}), "/defaults"),
        (json!({"on_invalid": "ignore", "orders": [order(1)]}), "/on_invalid"),
        (json!({"external_id": "", "orders": [order(1)]}), "/external_id"),
        (json!({"external_id": "x".repeat(201), "orders": [order(1)]}), "/external_id"),
        (json!({"name": "x", "orders": [order(1)]}), "/name"),
        (json!({"orders": []}), "/orders"),
        (json!({"orders": {}}), "/orders"),
        (json!({"orders": vec![5; 1_001]}), "/orders"),
        (json!({"orders": [5]}), "/orders/0"),
        (json!({}), "/orders"),
        (json!([]), ""),
    ] {
        let refused = gateway.call("POST", PATH, Some(&body)).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{pointer}: {}", refused.text);
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{}", refused.text);
    }
    let lines = [json!({"on_invalid": "reject"}), order(1)];
    let twice = gateway.raw("POST", "/v1/batches?on_invalid=skip", &[("content-type", NDJSON)], ndjson(&lines)).await;
    assert_eq!((twice.status.as_u16(), &twice.body["errors"][0]["code"]), (422, &json!("repeated")), "{}", twice.text);
}

#[tokio::test]
async fn a_repeated_upload_gives_the_same_answer() {
    let gateway = Gateway::start().await;
    let (mut rows, key) = (orders(3), ("idempotency-key", "k1"));
    for (media_type, body) in bodies(&rows).into_iter().skip(1) {
        let headers = [("content-type", media_type), ("idempotency-key", media_type)];
        let first = gateway.raw("POST", PATH, &headers, body.clone()).await;
        assert_eq!(first.status, StatusCode::ACCEPTED, "{}", first.text);
        let again = gateway.raw("POST", PATH, &headers, body).await;
        assert_eq!((again.status, &again.text), (first.status, &first.text));
        assert_eq!(
            (&again.headers["idempotent-replayed"], &again.headers["location"]),
            (&"true".parse().expect("a header"), &first.headers["location"])
        );
    }
    assert_eq!(listed(&gateway, PATH).await.len(), 3);

    let send = async |path: &str, media_type: &str, body: Vec<u8>| {
        gateway.raw("POST", path, &[("content-type", media_type), key], body).await
    };
    assert_eq!(send(PATH, NDJSON, ndjson(&rows)).await.status, StatusCode::ACCEPTED);
    rows[2]["external_id"] = json!("other");
    for (path, media_type, body) in [
        (PATH, NDJSON, ndjson(&rows)),
        (PATH, CSV, ndjson(&orders(3))),
        ("/v1/batches?on_invalid=skip", NDJSON, ndjson(&orders(3))),
    ] {
        let other = send(path, media_type, body).await;
        assert_eq!(
            (other.status, &other.body["type"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("/problems/idempotency-key-reused")),
            "{}",
            other.text
        );
    }
    assert_eq!(listed(&gateway, PATH).await.len(), 4);
}

/// A body whose chunks the test sends.
fn slow_body() -> (futures::channel::mpsc::Sender<Result<Bytes, std::io::Error>>, Body) {
    let (sender, receiver) = futures::channel::mpsc::channel(0);
    (sender, Body::from_stream(receiver))
}

fn request(gateway: &Gateway, key: &str, body: Body) -> Request<Body> {
    let request = Request::post(PATH)
        .header("authorization", format!("Bearer {}", gateway.token(&all_scopes())))
        .header("content-type", NDJSON)
        .header("idempotency-key", key);
    request.body(body).expect("a request")
}

#[tokio::test]
async fn of_two_uploads_at_once_one_waits() {
    let gateway = Gateway::start().await;
    let (mut chunks, body) = slow_body();
    let first = tokio::spawn(gateway.router.clone().oneshot(request(&gateway, "k1", body)));
    chunks.send(Ok(Bytes::from(ndjson(&orders(2))))).await.expect("read");
    // A channel without room: the second is taken once the first was, which is after the key was.
    chunks.send(Ok(Bytes::new())).await.expect("read");
    let second = gateway.send(request(&gateway, "k1", Body::from(ndjson(&orders(2))))).await;
    assert_eq!(
        (second.status, &second.body["type"]),
        (StatusCode::CONFLICT, &json!("/problems/request-in-progress")),
        "{}",
        second.text
    );
    drop(chunks);
    let first = first.await.expect("an answer").expect("infallible");
    assert_eq!(first.status(), StatusCode::ACCEPTED);
    let replayed = gateway.send(request(&gateway, "k1", Body::from(ndjson(&orders(2))))).await;
    assert_eq!(
        (replayed.status, &replayed.headers["idempotent-replayed"]),
        (StatusCode::ACCEPTED, &"true".parse().expect("a header"))
    );
    assert_eq!(listed(&gateway, PATH).await.len(), 1);
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let gateway = Gateway::start().await;
    // More than are written at once.
    let most = Bytes::from(ndjson(&orders(1_200)));
    let (mut chunks, body) = slow_body();
    let broken = tokio::spawn(gateway.router.clone().oneshot(request(&gateway, "k1", body)));
    chunks.send(Ok(most.clone())).await.expect("read");
    chunks.send(Err(std::io::ErrorKind::ConnectionReset.into())).await.expect("read");
    let broken = broken.await.expect("an answer").expect("infallible");
    assert_eq!(broken.status(), StatusCode::BAD_REQUEST);
    nothing_is_there(&gateway).await;

    // The client hangs up, and with it the request is dropped.
    let (mut chunks, body) = slow_body();
    let hung_up = tokio::spawn(gateway.router.clone().oneshot(request(&gateway, "k1", body)));
    chunks.send(Ok(most.clone())).await.expect("read");
    chunks.send(Ok(Bytes::new())).await.expect("read");
    hung_up.abort();
    assert!(hung_up.await.is_err_and(|error| error.is_cancelled()));
    drop(chunks);
    nothing_is_there(&gateway).await;
    // Its key is free again, as soon as the database has heard of it.
    let again = loop {
        let again = gateway.send(request(&gateway, "k1", Body::from(most.clone()))).await;
        if again.status != StatusCode::CONFLICT {
            break again;
        }
    };
    assert_eq!((again.status, &again.body["orders"]), (StatusCode::ACCEPTED, &json!(1_200)), "{}", again.text);
}

#[tokio::test]
async fn only_so_many_uploads_at_once() {
    let gateway = Gateway::with(|settings| settings.max_uploads = 1).await;
    let (mut chunks, body) = slow_body();
    let first = tokio::spawn(gateway.router.clone().oneshot(request(&gateway, "k1", body)));
    chunks.send(Ok(Bytes::new())).await.expect("read");
    chunks.send(Ok(Bytes::new())).await.expect("read");
    let shed = upload(&gateway, NDJSON, ndjson(&orders(1))).await;
    assert_eq!(
        (shed.status, &shed.headers["retry-after"]),
        (StatusCode::SERVICE_UNAVAILABLE, &"5".parse().expect("a header")),
        "{}",
        shed.text
    );
    chunks.send(Ok(Bytes::from(ndjson(&orders(1))))).await.expect("read");
    drop(chunks);
    assert_eq!(first.await.expect("an answer").expect("infallible").status(), StatusCode::ACCEPTED);
    assert_eq!(upload(&gateway, NDJSON, ndjson(&orders(1))).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn an_upload_may_take_longer_than_an_answer() {
    let gateway = Gateway::with(|settings| settings.request_timeout = Duration::ZERO).await;
    assert_eq!(upload(&gateway, NDJSON, ndjson(&orders(2))).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_batch_is_canceled_as_one() {
    let gateway = Gateway::start().await;
    let made = upload(&gateway, NDJSON, ndjson(&orders(3))).await;
    let path = format!("{PATH}/{}", made.body["id"].as_str().expect("an id"));
    let reason = json!({"reason": "wrong-info", "details": "Uploaded by mistake."});
    gateway.clock.advance(Duration::from_secs(1));
    let canceled = gateway.call("POST", &format!("{path}/cancel"), Some(&reason)).await;
    assert_eq!(canceled.status, StatusCode::OK, "{}", canceled.text);
    assert_eq!(
        (&canceled.body["status"], &canceled.body["cancel_requested_at"]),
        (&json!("in_progress"), &json!("2026-11-21T09:00:01Z"))
    );
    while gateway.engine.cancel_batches().await.expect("canceled") > 0 {}
    gateway.engine.store().fold_batch_moves(gateway.engine.now()).await.expect("folded");
    let ended = gateway.call("GET", &path, None).await.body;
    assert_eq!(
        (&ended["status"], &ended["counts"]["canceled"], &ended["counts"]["queued"], &ended["progress"]),
        (&json!("canceled"), &json!(3), &json!(0), &json!(1.0)),
        "{ended}"
    );
    let all = listed(&gateway, &format!("{path}/orders?status=canceled&check_status=canceled")).await;
    assert_eq!(all.len(), 3);
    assert!(all.iter().all(|order| order["checks"][0]["status_reason"]["code"] == "wrong-info"));
    assert_eq!(listed(&gateway, &format!("{path}/orders?status=queued")).await.len(), 0);
    // Asking again is fine, and without a body too.
    let again = gateway.call("POST", &format!("{path}/cancel"), None).await;
    assert_eq!((again.status, &again.body["status"]), (StatusCode::OK, &json!("canceled")), "{}", again.text);
    for (query, count) in [
        ("status=canceled", 1),
        ("status=in_progress", 0),
        ("created_after=2026-11-21T09:00:00Z", 1),
        ("created_before=2026-11-21T09:00:00Z", 0),
    ] {
        assert_eq!(listed(&gateway, &format!("{PATH}?{query}")).await.len(), count, "{query}");
    }
}

#[tokio::test]
async fn batches_and_their_orders_are_listed_in_pages() {
    let gateway = Gateway::start().await;
    for number in 0..3 {
        // The same ids again and again: all are kept.
        let made = gateway
            .raw(
                "POST",
                "/v1/batches?external_id=same",
                &[("content-type", NDJSON)],
                ndjson(&[order(1), order(1), order(number)]),
            )
            .await;
        assert_eq!((made.status, &made.body["orders"]), (StatusCode::ACCEPTED, &json!(3)), "{}", made.text);
        gateway.clock.advance(Duration::from_secs(1));
    }
    for path in ["/v1/batches?external_id=same&limit=2".to_owned(), {
        let newest = listed(&gateway, PATH).await;
        format!("{PATH}/{}/orders?limit=2", newest[0]["id"].as_str().expect("an id"))
    }] {
        let first = gateway.call("GET", &path, None).await;
        let cursor = first.body["next_cursor"].as_str().expect("a next page");
        let second = gateway.call("GET", &format!("{path}&cursor={cursor}"), None).await;
        let ids = |answer: &Answer| {
            answer.body["data"].as_array().expect("data").iter().map(|one| one["id"].to_string()).collect::<Vec<_>>()
        };
        let mut all = [ids(&first), ids(&second)].concat();
        assert!(all.is_sorted_by(|newer, older| newer >= older), "{all:?}");
        all.dedup();
        assert_eq!((all.len(), &second.body["next_cursor"]), (3, &Value::Null), "{path}");
    }
    let newest = listed(&gateway, PATH).await;
    let id = newest[0]["id"].as_str().expect("an id");
    assert_eq!(listed(&gateway, &format!("{PATH}/{id}/orders?external_id=A-1")).await.len(), 2);
    let stranger = gateway.token_with(&all_scopes()[..], |claims| {
        claims["tenant"] = json!("other");
        claims["scope"] = json!("orders:read orders:write");
    });
    for (method, path) in [
        ("GET", format!("{PATH}/{id}")),
        ("GET", format!("{PATH}/{id}/orders")),
        ("GET", format!("{PATH}/{id}/report")),
        ("POST", format!("{PATH}/{id}/cancel")),
    ] {
        assert_eq!(gateway.call_as(&stranger, method, &path, None).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(listed(&gateway, PATH).await[0]["cancel_requested_at"], Value::Null);
}

#[tokio::test]
async fn a_report_has_a_line_for_each_check_and_no_formulas() {
    let gateway = Gateway::start().await;
    let mut rows = orders(401);
    rows[7]["subject"]["first_name"] = json!("=HYPERLINK(\"https://example.com\")");
    rows[7]["external_id"] = json!("+1");
    rows[7]["checks"] =
        json!([{"type": "background_check", "country": "US"}, {"type": "background_check", "country": "CO"}]);
    let made = upload(&gateway, NDJSON, ndjson(&rows)).await;
    assert_eq!(made.status, StatusCode::ACCEPTED, "{}", made.text);
    let id = made.body["id"].as_str().expect("an id");
    let report = async |format: &str| {
        let path = format!("{PATH}/{id}/report?format={format}");
        let request = Request::get(path).header("authorization", format!("Bearer {}", gateway.token(&all_scopes())));
        let response =
            gateway.router.clone().oneshot(request.body(Body::empty()).expect("a request")).await.expect("infallible");
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(
            response.headers()["content-disposition"],
            format!("attachment; filename=\"{id}.{format}\"").as_str()
        );
        let body = http_body_util::BodyExt::collect(response.into_body()).await.expect("whole");
        body.to_bytes()
    };

    let lines = report("ndjson").await;
    let lines: Vec<Value> = lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).expect("json"))
        .collect();
    assert_eq!(lines.len(), 402);
    let odd: Vec<_> = lines.iter().filter(|line| line["last_name"] == "Smith-7").collect();
    // What is no sheet has no formulas.
    assert!(odd.len() == 2 && odd.iter().all(|line| line["first_name"] == rows[7]["subject"]["first_name"]), "{odd:?}");
    assert_eq!(
        (&odd[0]["check_status"], &odd[0]["provider"], &odd[0]["verdict"]),
        (&json!("queued"), &json!("fictive"), &Value::Null)
    );
    let distinct: std::collections::BTreeSet<_> = lines.iter().map(|line| line["check_id"].to_string()).collect();
    assert_eq!(distinct.len(), 402);

    let text = report("csv").await;
    let mut reader = csv::Reader::from_reader(text.as_ref());
    let headings = reader.headers().expect("headings").clone();
    let columns: Vec<_> = headings.iter().map(|name| name.trim_start_matches('\u{feff}')).collect();
    let keys: std::collections::BTreeSet<_> =
        lines[0].as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(columns.iter().copied().collect::<std::collections::BTreeSet<_>>(), keys);
    let records: Vec<_> = reader.records().map(|record| record.expect("a record")).collect();
    assert_eq!(records.len(), 402);
    let of = |record: &csv::StringRecord, name: &str| {
        record[columns.iter().position(|column| *column == name).expect("a column")].to_owned()
    };
    let odd = records.iter().find(|record| of(record, "last_name") == "Smith-7").expect("the row");
    assert_eq!(
        (of(odd, "first_name"), of(odd, "order_external_id")),
        ("'=HYPERLINK(\"https://example.com\")".to_owned(), "'+1".to_owned())
    );

    let sheet = cells(&report("xlsx").await, "Checks");
    assert_eq!((sheet.len(), &sheet[0]), (403, &columns.iter().map(ToString::to_string).collect()));
    assert_eq!(sheet.iter().flatten().filter(|cell| cell.contains("=HYPERLINK")).count(), 2);

    for secret in SECRETS {
        assert!(!text.windows(secret.len()).any(|part| part == secret.as_bytes()), "{secret}");
    }
    assert_eq!(
        gateway.call("GET", &format!("{PATH}/{id}/report?format=pdf"), None).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
}

#[tokio::test]
async fn a_template_that_is_filled_in_is_accepted() {
    let gateway = Gateway::build(CheckType::ALL, |_| {}).await;
    for kind in CheckType::ALL {
        let path = format!("/v1/batch-templates/{kind}");
        let template = gateway.call("GET", &path, None).await;
        assert_eq!(template.status, StatusCode::OK, "{}", template.text);
        assert_eq!(template.headers["content-disposition"], format!("attachment; filename=\"{kind}.csv\"").as_str());
        let headings: Vec<_> = template.text.trim_start_matches('\u{feff}').trim_end().split(',').collect();

        let request = Request::get(format!("{path}?format=xlsx"))
            .header("authorization", format!("Bearer {}", gateway.token(&["orders:read"])));
        let response =
            gateway.router.clone().oneshot(request.body(Body::empty()).expect("a request")).await.expect("infallible");
        let workbook = http_body_util::BodyExt::collect(response.into_body()).await.expect("whole").to_bytes();
        assert_eq!(
            cells(&workbook, "Orders"),
            [headings.iter().map(ToString::to_string).collect::<Vec<_>>()],
            "{kind}"
        );
        let help = cells(&workbook, "Help");
        let examples: Vec<_> = help.iter().skip(1).map(|row| row[3].as_str()).collect();
        assert_eq!(help.iter().skip(1).map(|row| row[0].as_str()).collect::<Vec<_>>(), headings, "{kind}");
        assert!(help.iter().skip(1).all(|row| !row[2].is_empty() && !row[1].is_empty()));

        // As it comes it has no rows.
        for (media_type, body) in [(CSV, template.text.clone().into_bytes()), (XLSX, workbook.to_vec())] {
            let empty = upload(&gateway, media_type, body).await;
            assert_eq!(
                (empty.status, &empty.body["type"]),
                (StatusCode::BAD_REQUEST, &json!("/problems/unreadable-file")),
                "{}",
                empty.text
            );
        }
        // With the help's example in it, and with what must be there alone.
        let least: Vec<_> = help.iter().skip(1).map(|row| if row[1] == "no" { "" } else { row[3].as_str() }).collect();
        for row in [&examples, &least] {
            let mut filled = format!("{}\r\n", template.text.trim_end()).into_bytes();
            let mut line = csv::Writer::from_writer(Vec::new());
            line.write_record(row).expect("written");
            filled.extend(line.into_inner().expect("written"));
            let made = upload(&gateway, CSV, filled).await;
            assert_eq!(made.status, StatusCode::ACCEPTED, "{kind}: {}", made.text);
            let id = made.body["id"].as_str().expect("an id");
            let all = listed(&gateway, &format!("{PATH}/{id}/orders")).await;
            assert_eq!(all[0]["checks"][0]["type"], kind.as_str());
        }
    }
    assert_eq!(gateway.call("GET", "/v1/batch-templates/palm_reading", None).await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        gateway.call("GET", "/v1/batch-templates/background_check?format=ndjson", None).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
}

#[tokio::test]
async fn ten_thousand_rows_are_one_batch() {
    let gateway = Gateway::start().await;
    let rows = (0..10_000).map(|number| Ok::<_, Infallible>(Bytes::from(format!("{}\n", order(number)))));
    let made = upload(&gateway, NDJSON, Body::from_stream(futures::stream::iter(rows))).await;
    assert_eq!((made.status, &made.body["counts"]["queued"]), (StatusCode::ACCEPTED, &json!(10_000)), "{}", made.text);
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
async fn documents_are_given_by_link_and_switches_by_words() {
    let gateway = Gateway::start().await;
    let inline = order_with(1, "/consent/document", json!({"filename": "a.pdf", "content_base64": "JVBERi0x"}));
    for (media_type, body) in bodies(&[inline]) {
        let refused = upload(&gateway, media_type, body).await;
        let pointer = refused.body["errors"][0]["pointer"].as_str().unwrap_or_default();
        assert!(
            refused.status.as_u16() == 422 && pointer.ends_with("/consent/document/content_base64"),
            "{}",
            refused.text
        );
        assert!(!refused.text.contains("JVBER"), "{}", refused.text);
    }
    let link = order_with(1, "/consent/document", json!({"url": "https://example.com/a.pdf"}));
    for (media_type, body) in bodies(&[link]) {
        assert_eq!(upload(&gateway, media_type, body).await.status, StatusCode::ACCEPTED, "{media_type}");
    }
    let table = |switch: &str| {
        format!(
            "subject.type;subject.last_name;consent.obtained_at;checks.0.type;checks.0.country;checks.0.force_new\n\
             person;Smith;2026-11-20;background_check;US;{switch}\n"
        )
    };
    for switch in ["true", "FALSE", "yes", ""] {
        let made = upload(&gateway, CSV, table(switch)).await;
        assert_eq!(made.status, StatusCode::ACCEPTED, "{switch}: {}", made.text);
    }
    let refused = upload(&gateway, CSV, table("perhaps")).await;
    assert_eq!(
        (&refused.body["errors"][0]["column"], &refused.body["errors"][0]["row"]),
        (&json!("checks.0.force_new"), &json!(2)),
        "{}",
        refused.text
    );
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
