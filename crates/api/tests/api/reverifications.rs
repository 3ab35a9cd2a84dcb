//! Reverifications over HTTP, with a vendor that has none: what is ordered then is a check like the first.

use std::time::Duration;

use domain::{
    Certainty, CheckId, CheckResult, News, Observation, ObservedAt, OrderId, Outcome, Standing, SubmissionId, VendorRef,
};
use engine::OsEntropy;
use http::StatusCode;
use serde_json::{Value, json};
use store::Plan;

use crate::gateway::{Answer, Gateway, SECRETS, new_order};

/// An order of an employment verification and a background check.
fn both() -> Value {
    let mut order = new_order();
    order["checks"] = json!([{"type": "employment_verification", "title": "Engineer"}, order["checks"][0]]);
    order
}

async fn accepted(gateway: &Gateway) -> Value {
    gateway.order(&both()).await
}

/// Completes every check: the verification with a result, the other without.
async fn complete(gateway: &Gateway, order: &Value) {
    let id: OrderId = order["id"].as_str().expect("an id").parse().expect("an id");
    let now = domain::Clock::now(&*gateway.clock);
    let mut tx = gateway.engine.store().begin().await.expect("a transaction");
    let mut order = tx.orders().lock(id).await.expect("locked").expect("an order");
    let (mut plans, mut events) = (Vec::new(), Vec::new());
    let checks: Vec<CheckId> = order.checks.iter().map(|check| check.id).collect();
    for (index, check_id) in checks.into_iter().enumerate() {
        let (vendor, submission) =
            (VendorRef::order(format!("F-{check_id}")), SubmissionId::generate(&*gateway.clock, &OsEntropy));
        let result = (index == 0).then(|| CheckResult::Verification(Box::default()));
        let standing =
            Standing::Completed { outcome: Outcome::Clear, result, reason: None, certainty: Certainty::Full };
        let observed = ObservedAt { at: now, sequence: 1 };
        let seen = Observation { vendor: vendor.clone(), observed, native_status: "done".to_owned(), standing };
        events.extend(order.tell(check_id, &News::Sending { submission }, now));
        events.extend(order.tell(check_id, &News::Accepted { submission, vendor, provisional: false, at: now }, now));
        events.extend(order.tell(check_id, &News::Observed(seen), now));
        plans.push(Plan { check_id, work: None });
    }
    tx.orders().save(&order, &plans, &events).await.expect("saved");
    tx.save().await.expect("saved");
}

async fn completed(gateway: &Gateway) -> Value {
    let order = accepted(gateway).await;
    complete(gateway, &order).await;
    order
}

fn path(order: &Value) -> String {
    format!("/v1/orders/{}/reverify", order["id"].as_str().expect("an id"))
}

async fn reverify(gateway: &Gateway, order: &Value, body: Option<&Value>) -> Answer {
    gateway.call("POST", &path(order), body).await
}

/// The faults as pointer and code.
fn faults<'a>(answer: &'a Answer) -> Vec<(&'a str, &'a str)> {
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
    let errors = answer.body["errors"].as_array().expect("errors");
    let text = |value: &'a Value| value.as_str().unwrap_or_default();
    errors.iter().map(|error| (text(&error["pointer"]), text(&error["code"]))).collect()
}

#[tokio::test]
async fn a_new_order_has_the_old_one_as_its_parent() {
    let gateway = Gateway::start().await;
    let first = completed(&gateway).await;
    let answer = reverify(&gateway, &first, None).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let order = &answer.body;
    let location = format!("/v1/orders/{}", order["id"].as_str().expect("an id"));
    assert_eq!(answer.headers["location"].as_bytes(), location.as_bytes());
    assert_eq!((&order["parent_order_id"], &order["status"]), (&first["id"], &json!("queued")));
    for same in ["external_id", "subject", "purpose", "metadata"] {
        assert_eq!(order[same], first[same], "{same}");
    }
    // The background check has no verification's result.
    let checks = order["checks"].as_array().expect("checks");
    assert_eq!((checks.len(), &checks[0]["reverifies"]), (1, &first["checks"][0]["id"]));
    assert_eq!((&checks[0]["reverification"], &checks[0]["status"]), (&json!("new_check"), &json!("queued")));
    assert_eq!(
        (&first["checks"][0]["reverifies"], &first["checks"][0]["reverification"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(gateway.call("GET", &location, None).await.body, *order);
    assert!(SECRETS.iter().all(|secret| !answer.text.contains(secret)), "{}", answer.text);
}

#[tokio::test]
async fn the_caller_may_say_what_is_new() {
    let gateway = Gateway::start().await;
    let first = completed(&gateway).await;
    let body = json!({
        "checks": [first["checks"][0]["id"]], "external_id": "A-2", "metadata": {"round": "2"}, "if_unavailable": "order",
        "consent": {"obtained_at": "2026-11-21T08:00:00Z", "text_version": "v2"}
    });
    let answer = reverify(&gateway, &first, Some(&body)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    assert_eq!((&answer.body["external_id"], &answer.body["metadata"]), (&body["external_id"], &body["metadata"]));
    let id = answer.body["id"].as_str().expect("an id").parse().expect("an id");
    let mut tx = gateway.engine.store().begin().await.expect("a transaction");
    let order = tx.orders().get(&store::Scope::All, id).await.expect("read").expect("an order");
    assert_eq!(order.input.expose().consent.text_version.as_deref(), Some("v2"));
}

#[tokio::test]
async fn a_check_is_verified_again_once_at_a_time() {
    let gateway = Gateway::start().await;
    let first = completed(&gateway).await;
    let open = reverify(&gateway, &first, None).await.body;
    let second = reverify(&gateway, &first, None).await;
    let names_it =
        second.body["detail"].as_str().is_some_and(|detail| detail.contains(open["id"].as_str().expect("an id")));
    assert!(second.status == StatusCode::CONFLICT && names_it, "{}", second.text);
    complete(&gateway, &open).await;
    assert_eq!(reverify(&gateway, &first, None).await.status, StatusCode::CREATED);
    // The new result can be verified again as well.
    let again = reverify(&gateway, &open, None).await;
    assert_eq!((again.status, &again.body["parent_order_id"]), (StatusCode::CREATED, &open["id"]));
    assert_eq!(again.body["checks"][0]["reverifies"], open["checks"][0]["id"]);
}

#[tokio::test]
async fn a_repeated_request_makes_no_second_order() {
    let gateway = Gateway::start().await;
    let first = completed(&gateway).await;
    let send = async || gateway.raw("POST", &path(&first), &[("idempotency-key", "k-1")], "").await;
    let (one, two) = (send().await, send().await);
    assert_eq!((one.status, two.status), (StatusCode::CREATED, StatusCode::CREATED), "{}", one.text);
    assert_eq!((&one.body, two.headers["idempotent-replayed"].as_bytes()), (&two.body, &b"true"[..]));
}

#[tokio::test]
async fn what_the_vendor_does_not_verify_again_can_be_refused() {
    let gateway = Gateway::start().await;
    let first = completed(&gateway).await;
    let refused = reverify(&gateway, &first, Some(&json!({"if_unavailable": "refuse"}))).await;
    assert_eq!(faults(&refused), [("/checks", "not_offered")]);
    let check = &first["checks"][0]["id"];
    assert!(refused.body["errors"][0]["detail"].as_str().expect("a text").starts_with(check.as_str().expect("an id")));
    let named = reverify(&gateway, &first, Some(&json!({"if_unavailable": "refuse", "checks": [check]}))).await;
    assert_eq!(faults(&named), [("/checks/0", "not_offered")]);
    let orders = gateway.call("GET", "/v1/orders", None).await;
    assert_eq!(orders.body["data"].as_array().map(Vec::len), Some(1), "nothing was ordered");
}

#[tokio::test]
async fn every_refusal_says_what_is_wrong() {
    let gateway = Gateway::start().await;
    let open = accepted(&gateway).await;
    let answer = reverify(&gateway, &open, None).await;
    assert!(answer.status == StatusCode::CONFLICT && answer.text.contains("queued"), "{}", answer.text);
    let background = gateway.order(&new_order()).await;
    gateway.complete(&background).await;
    let answer = reverify(&gateway, &background, None).await;
    assert!(answer.status == StatusCode::CONFLICT && answer.text.contains("verification"), "{}", answer.text);

    let first = completed(&gateway).await;
    let (verified, other) = (&first["checks"][0]["id"], &first["checks"][1]["id"]);
    for (body, expected) in [
        (json!({"checks": [verified, open["checks"][0]["id"]]}), vec![("/checks/1", "unknown_check")]),
        (json!({"checks": [other]}), vec![("/checks/0", "not_verified")]),
        (json!({"checks": [verified, verified]}), vec![("/checks/1", "invalid")]),
        (json!({"checks": []}), vec![("/checks", "invalid")]),
        (json!({"checks": ["chk_x", 7]}), vec![("/checks/0", "invalid"), ("/checks/1", "invalid")]),
        (
            json!({"if_unavailable": "maybe", "subject": {}}),
            vec![("/subject", "unknown_field"), ("/if_unavailable", "invalid")],
        ),
        (
            json!({"external_id": "", "metadata": {"a": 1}}),
            vec![("/external_id", "invalid"), ("/metadata/a", "invalid")],
        ),
        (json!({"consent": {}}), vec![("/consent/obtained_at", "required")]),
        (json!([]), vec![("", "invalid")]),
    ] {
        assert_eq!(faults(&reverify(&gateway, &first, Some(&body)).await), expected, "{body}");
    }
}

#[tokio::test]
async fn expired_consent_is_not_enough() {
    let gateway = Gateway::start().await;
    let mut body = both();
    body["consent"]["expires_at"] = json!("2026-11-21T10:00:00Z");
    let first = gateway.order(&body).await;
    complete(&gateway, &first).await;
    gateway.clock.advance(Duration::from_hours(2));
    assert_eq!(faults(&reverify(&gateway, &first, None).await), [("/consent/expires_at", "expired")]);
    let renewed = json!({"consent": {"obtained_at": "2026-11-21T10:30:00Z"}});
    assert_eq!(reverify(&gateway, &first, Some(&renewed)).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn another_tenants_order_is_not_found() {
    let gateway = Gateway::start().await;
    let first = completed(&gateway).await;
    let elsewhere = gateway.token_with(&["orders:write"], |claims| claims["tenant"] = json!("globex"));
    assert_eq!(gateway.call_as(&elsewhere, "POST", &path(&first), None).await.status, StatusCode::NOT_FOUND);
    let operator =
        gateway.token_with(&["orders:write", "tenants:all"], |claims| claims["tenant"] = json!("operations"));
    let answer = gateway.call_as(&operator, "POST", &path(&first), None).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let id = answer.body["id"].as_str().expect("an id");
    assert_eq!(
        gateway.call("GET", &format!("/v1/orders/{id}"), None).await.status,
        StatusCode::OK,
        "it is its tenant's"
    );
}
