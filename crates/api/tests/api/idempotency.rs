//! The same request twice makes one thing.

use crate::gateway::{Gateway, all_scopes, new_order};
use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};

async fn create(gateway: &Gateway, tenant: &str, key: &str, body: &Value) -> crate::gateway::Answer {
    let token = gateway.token_with(&all_scopes(), |claims| claims["tenant"] = json!(tenant));
    let request = Request::post("/v1/orders")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .header("idempotency-key", key)
        .body(Body::from(body.to_string()));
    gateway.send(request.expect("a request")).await
}

async fn count(gateway: &Gateway) -> usize {
    let answer = gateway.call_as(&gateway.token(&all_scopes()), "GET", "/v1/orders?limit=200", None).await;
    answer.body["data"].as_array().map(Vec::len).expect("data")
}

#[tokio::test]
async fn an_answer_is_given_again() {
    let gateway = Gateway::start().await;
    let first = create(&gateway, "acme", "k1", &new_order()).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
    assert!(!first.headers.contains_key("idempotent-replayed"));
    let again = create(&gateway, "acme", "k1", &new_order()).await;
    assert_eq!((again.status, &again.text), (first.status, &first.text));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(
        (&again.headers["location"], &again.headers["content-type"]),
        (&first.headers["location"], &first.headers["content-type"])
    );
    assert_ne!(again.headers["x-request-id"], first.headers["x-request-id"]);
    assert_eq!(count(&gateway).await, 1);

    let other_body = create(&gateway, "acme", "k1", &json!({})).await;
    assert_eq!(
        (other_body.status, &other_body.body["type"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("/problems/idempotency-key-reused"))
    );
    let other_tenant = create(&gateway, "umbrella", "k1", &new_order()).await;
    assert!(other_tenant.status == StatusCode::CREATED && other_tenant.body["id"] != first.body["id"]);
    assert_eq!(count(&gateway).await, 2);
}

#[tokio::test]
async fn a_consent_that_expires_meanwhile_does_not_change_the_answer() {
    let gateway = Gateway::start().await;
    let mut order = new_order();
    order["consent"]["expires_at"] = json!("2026-11-21T09:30:00Z");
    let first = create(&gateway, "acme", "k1", &order).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
    gateway.clock.advance(std::time::Duration::from_hours(1));
    let again = create(&gateway, "acme", "k1", &order).await;
    assert_eq!((again.status, again.text), (first.status, first.text));
    assert_eq!(create(&gateway, "acme", "k2", &order).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn refusals_are_not_kept() {
    let gateway = Gateway::start().await;
    assert_eq!(create(&gateway, "acme", "k1", &json!({})).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(create(&gateway, "acme", "k1", &new_order()).await.status, StatusCode::CREATED);
    for key in ["", "a b", &"k".repeat(256)] {
        let refused = create(&gateway, "acme", key, &new_order()).await;
        assert_eq!(
            (refused.status, &refused.body["errors"][0]["header"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("idempotency-key"))
        );
    }
    assert_eq!(count(&gateway).await, 1);
}

#[tokio::test]
async fn many_at_once_make_one() {
    let gateway = Gateway::start().await;
    let order = new_order();
    let all = (0..12).map(|_| create(&gateway, "acme", "k1", &order));
    let answers = futures::future::join_all(all).await;
    for answer in &answers {
        let is_fine = answer.status == StatusCode::CREATED
            || (answer.status == StatusCode::CONFLICT && answer.body["type"] == "/problems/request-in-progress");
        assert!(is_fine, "{}", answer.text);
    }
    assert!(answers.iter().any(|answer| answer.status == StatusCode::CREATED));
    assert_eq!(count(&gateway).await, 1);
}

#[tokio::test]
async fn actions_are_repeatable_too() {
    let gateway = Gateway::start().await;
    let id = gateway.order(&new_order()).await["id"].as_str().expect("an id").to_owned();
    for action in ["refresh", "cancel"] {
        let path = format!("/v1/orders/{id}/{action}");
        let first = gateway.raw("POST", &path, &[("idempotency-key", "k1")], "").await;
        assert_eq!(first.status, StatusCode::OK, "{}", first.text);
        let again = gateway.raw("POST", &path, &[("idempotency-key", "k1")], "").await;
        assert_eq!((again.status, &again.text), (first.status, &first.text));
        assert_eq!(again.headers["idempotent-replayed"], "true", "{action}");
    }
}
