//! Uploads that are accepted: every format, defaults, rows that are left out.

use std::convert::Infallible;

use axum::body::Body;
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use super::{PATH, listed, upload};
use crate::batch_files::{CSV, NDJSON, XLSX, bodies, ndjson, order, order_with, orders};
use crate::gateway::Gateway;

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
                "progress": 0.0, "rejected_count": 0, "rejected_rows": [], "files": [], "cancel_requested_at": null,
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
async fn ten_thousand_rows_are_one_batch() {
    let gateway = Gateway::start().await;
    let rows = (0..10_000).map(|number| Ok::<_, Infallible>(Bytes::from(format!("{}\n", order(number)))));
    let made = upload(&gateway, NDJSON, Body::from_stream(futures::stream::iter(rows))).await;
    assert_eq!((made.status, &made.body["counts"]["queued"]), (StatusCode::ACCEPTED, &json!(10_000)), "{}", made.text);
}
