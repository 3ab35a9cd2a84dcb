//! Monitors over HTTP.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use crate::gateway::{Answer, Gateway, SECRETS, new_order};

fn wish(more: &Value) -> Value {
    let mut wish = json!({"frequency": "weekly", "end_date": "2027-12-31"});
    let object = wish.as_object_mut().expect("an object");
    object.extend(more.as_object().expect("an object").clone());
    wish
}

async fn create(gateway: &Gateway, body: &Value) -> Answer {
    gateway.call("POST", "/v1/monitors", Some(body)).await
}

async fn made(gateway: &Gateway) -> Value {
    let answer = create(gateway, &wish(&json!({"order": new_order()}))).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    answer.body
}

fn path(monitor: &Value) -> String {
    format!("/v1/monitors/{}", monitor["id"].as_str().expect("an id"))
}

/// The faults as pointer and code.
fn faults(answer: &Answer) -> Vec<(String, String)> {
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let errors = answer.body["errors"].as_array().expect("errors");
    errors.iter().map(|error| (text(&error["pointer"]), text(&error["code"]))).collect()
}

#[tokio::test]
async fn a_monitor_and_its_order_are_accepted_together() {
    let gateway = Gateway::start().await;
    let monitor = made(&gateway).await;
    assert_eq!(monitor["status"], "enabled");
    assert_eq!(
        (&monitor["frequency"], &monitor["method"], &monitor["vendor"]),
        (&json!("P1W"), &json!("reorder"), &Value::Null)
    );
    assert_eq!((&monitor["next_run_at"], &monitor["runs"]), (&json!("2026-11-28T09:00:00Z"), &json!(0)));
    let order = monitor["order_id"].as_str().expect("an order");
    let answer = gateway.call("GET", &format!("/v1/orders/{order}"), None).await;
    assert_eq!((answer.status, &answer.body["status"]), (StatusCode::OK, &json!("queued")));
    for answer in [gateway.call("GET", &path(&monitor), None).await, gateway.call("GET", "/v1/monitors", None).await] {
        assert_eq!(answer.status, StatusCode::OK);
        assert!(SECRETS.iter().all(|secret| !answer.text.contains(secret)), "{}", answer.text);
    }
    // Neither of the two, where the other cannot be.
    let count = async || gateway.call("GET", "/v1/orders", None).await.body["data"].as_array().expect("a list").len();
    let refused =
        create(&gateway, &json!({"order": new_order(), "frequency": "yearly", "end_date": "2027-01-01"})).await;
    assert_eq!(faults(&refused), [("/end_date".to_owned(), "invalid".to_owned())]);
    assert_eq!(count().await, 1);
}

#[tokio::test]
async fn a_repeated_request_makes_no_second_monitor() {
    let gateway = Gateway::start().await;
    let body = wish(&json!({"order": new_order()})).to_string();
    let send = async || {
        let headers = [("content-type", "application/json"), ("idempotency-key", "k-1")];
        gateway.raw("POST", "/v1/monitors", &headers, body.clone()).await
    };
    let (first, second) = (send().await, send().await);
    assert_eq!((first.status, second.status), (StatusCode::CREATED, StatusCode::CREATED), "{}", first.text);
    assert_eq!((&first.body, second.headers["idempotent-replayed"].as_bytes()), (&second.body, &b"true"[..]));
    assert_eq!(gateway.call("GET", "/v1/monitors", None).await.body["data"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn every_fault_is_told_at_its_place() {
    let gateway = Gateway::start().await;
    let mut order = new_order();
    order["checks"][0]["country"] = json!("Narnia");
    let body = json!({"order": order, "frequency": "P1H", "end_date": "soon", "watch": "daily"});
    let mut told = faults(&create(&gateway, &body).await);
    told.sort();
    let expected = [
        ("/end_date", "invalid"),
        ("/frequency", "invalid"),
        ("/order/checks/0/country", "invalid"),
        ("/watch", "unknown_field"),
    ];
    assert_eq!(told, expected.map(|(place, code)| (place.to_owned(), code.to_owned())));
    // What the vendor lacks is told at its place as well.
    let mut order = new_order();
    order["subject"]["last_name"] = Value::Null;
    let told = faults(&create(&gateway, &wish(&json!({"order": order}))).await);
    assert_eq!(told, [("/order/subject/last_name".to_owned(), "required".to_owned())]);
    for (body, place) in [
        (wish(&json!({})), "/order"),
        (wish(&json!({"order": new_order(), "from_order_id": "ord_01jd5z0x9gf0r8w1v4m2h7k3ta"})), "/from_order_id"),
        (wish(&json!({"from_order_id": "ord_x"})), "/from_order_id"),
        (json!([]), ""),
    ] {
        assert_eq!(faults(&create(&gateway, &body).await)[0].0, place, "{body}");
    }
}

#[tokio::test]
async fn an_order_that_is_there_is_monitored_once_and_only_by_its_tenant() {
    let gateway = Gateway::start().await;
    let order = gateway.order(&new_order()).await;
    let body = wish(&json!({"from_order_id": order["id"]}));
    let elsewhere =
        gateway.token_with(&["monitors:manage", "orders:read"], |claims| claims["tenant"] = json!("globex"));
    let theirs = gateway.call_as(&elsewhere, "POST", "/v1/monitors", Some(&body)).await;
    assert_eq!(theirs.status, StatusCode::NOT_FOUND);
    let monitor = create(&gateway, &body).await;
    assert_eq!((monitor.status, &monitor.body["order_id"]), (StatusCode::CREATED, &order["id"]));
    assert_eq!(create(&gateway, &body).await.status, StatusCode::CONFLICT);
    for method in ["GET", "DELETE"] {
        assert_eq!(gateway.call_as(&elsewhere, method, &path(&monitor.body), None).await.status, StatusCode::NOT_FOUND);
    }
    let found = gateway
        .call("GET", &format!("/v1/monitors?status=enabled&order_id={}", order["id"].as_str().expect("an id")), None)
        .await;
    assert_eq!(found.body["data"], json!([monitor.body]));
}

#[tokio::test]
async fn an_order_without_a_result_or_a_subject_is_not_monitored() {
    let gateway = Gateway::start().await;
    let order = gateway.order(&new_order()).await;
    let canceled =
        gateway.call("POST", &format!("/v1/orders/{}/cancel", order["id"].as_str().expect("an id")), None).await;
    assert_eq!(canceled.body["status"], "canceled");
    let refused = create(&gateway, &wish(&json!({"from_order_id": order["id"]}))).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
    let unknown = create(&gateway, &wish(&json!({"from_order_id": "ord_01jd5z0x9gf0r8w1v4m2h7k3ta"}))).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_monitor_is_paused_enabled_changed_and_deleted() {
    let gateway = Gateway::start().await;
    let monitor = made(&gateway).await;
    let patch = async |body: Value| gateway.call("PATCH", &path(&monitor), Some(&body)).await;
    let paused = patch(json!({"status": "paused"})).await.body;
    assert_eq!((&paused["status"], &paused["status_reason"]["code"]), (&json!("paused"), &json!("caller")));
    assert_eq!(paused["next_run_at"], Value::Null);
    gateway.clock.advance(Duration::from_mins(1));
    let enabled = patch(json!({"status": "enabled", "frequency": "P1M"})).await.body;
    assert_eq!((&enabled["status"], &enabled["frequency"]), (&json!("enabled"), &json!("P1M")));
    assert_eq!(enabled["next_run_at"], "2026-12-21T09:01:00Z");
    assert_eq!(faults(&patch(json!({"frequency": "P5Y"})).await)[0].0, "/end_date");
    for refused in [json!({"status": "ended"}), json!({"frequency": "often"}), json!({"end_date": "2030-01-01"})] {
        assert_eq!(patch(refused).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let gone = gateway.call("DELETE", &path(&monitor), None).await;
    assert_eq!((gone.status, gone.text.as_str()), (StatusCode::NO_CONTENT, ""));
    assert_eq!(gateway.call("GET", &path(&monitor), None).await.status, StatusCode::NOT_FOUND);
    assert_eq!(gateway.call("DELETE", &path(&monitor), None).await.status, StatusCode::NOT_FOUND);
    assert_eq!(gateway.call("GET", "/v1/monitors", None).await.body["data"], json!([]));
}

#[tokio::test]
async fn runs_are_listed_the_latest_first() {
    let gateway = Gateway::start().await;
    let monitor = made(&gateway).await;
    for _ in 0..3 {
        gateway.clock.advance(Duration::from_hours(7 * 24));
        assert_eq!(gateway.engine.run_monitors().await.expect("worked"), 1);
    }
    let runs = format!("{}/runs", path(&monitor));
    let first = gateway.call("GET", &format!("{runs}?limit=3"), None).await.body;
    let seen: Vec<_> =
        first["data"].as_array().expect("runs").iter().map(|run| (&run["number"], &run["state"])).collect();
    let (skipped, open) = (json!("skipped"), json!("open"));
    assert_eq!(
        seen,
        [(&json!(3), &skipped), (&json!(2), &skipped), (&json!(1), &skipped)],
        "the first order was never sent"
    );
    let cursor = first["next_cursor"].as_str().expect("a cursor");
    let last = gateway.call("GET", &format!("{runs}?limit=3&cursor={cursor}"), None).await.body;
    assert_eq!((&last["data"][0]["number"], &last["data"][0]["state"]), (&json!(0), &open));
    assert_eq!((&last["data"][0]["order_id"], &last["next_cursor"]), (&monitor["order_id"], &Value::Null));
}
