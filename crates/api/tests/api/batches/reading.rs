//! Batches after they were accepted: listed, canceled and reported.

use std::time::Duration;

use axum::body::Body;
use domain::CheckType;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{PATH, listed, upload};
use crate::batch_files::{CSV, NDJSON, XLSX, cells, ndjson, order, orders};
use crate::gateway::{Answer, Gateway, SECRETS, all_scopes};

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
async fn the_head_of_a_report_needs_no_report() {
    let gateway = Gateway::with(|settings| settings.max_exports = 0).await;
    let made = upload(&gateway, NDJSON, ndjson(&orders(1))).await;
    let id = made.body["id"].as_str().expect("an id");
    let path = format!("{PATH}/{id}/report?format=xlsx");
    assert_eq!(gateway.call("GET", &path, None).await.status, StatusCode::SERVICE_UNAVAILABLE);
    let head = gateway.call("HEAD", &path, None).await;
    assert_eq!((head.status, head.text.as_str()), (StatusCode::OK, ""));
    assert_eq!(head.headers["content-disposition"], format!("attachment; filename=\"{id}.xlsx\"").as_str());
    // How long it would be is not known.
    assert!(!head.headers.contains_key("content-length"));
    let nobodys = format!("{PATH}/bat_01jd5z0x9gf0r8w1v4m2h7k3th/report");
    assert_eq!(gateway.call("HEAD", &nobodys, None).await.status, StatusCode::NOT_FOUND);
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
