//! What surrounds every request, and what needs no token.

use std::time::Duration;

use crate::gateway::{Gateway, new_order};
use axum::body::Body;
use futures::StreamExt as _;
use http::{Request, StatusCode};
use serde_json::json;
use tower::ServiceExt as _;

#[tokio::test]
async fn requests_have_an_id() {
    let gateway = Gateway::start().await;
    let own = gateway.raw("GET", "/healthz", &[("x-request-id", "mine-1")], "").await;
    assert_eq!((own.status, &own.headers["x-request-id"]), (StatusCode::OK, &http::HeaderValue::from_static("mine-1")));
    // What is noted is never the caller's own word.
    let noted = gateway.raw("GET", "/v1/nothing", &[("x-request-id", "ssn-123-45-6789")], "").await;
    assert_eq!(noted.headers["x-request-id"], "ssn-123-45-6789");
    assert!(noted.body["request_id"].as_str().is_some_and(|id| id.starts_with("req_")), "{}", noted.text);
    let made = gateway.raw("GET", "/v1/nothing", &[("x-request-id", "not mine")], "").await;
    let id = made.headers["x-request-id"].to_str().expect("an id");
    assert!(id.starts_with("req_") && made.body["request_id"] == id && made.body["instance"] == "/v1/nothing");
    assert_eq!(made.headers["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn the_contract_is_served_and_rendered() {
    let gateway = Gateway::start().await;
    let document = gateway.raw("GET", "/openapi.json", &[], "").await;
    assert_eq!(document.body["openapi"], "3.1.0");
    assert_eq!(gateway.raw("GET", "/docs", &[], "").await.status, StatusCode::PERMANENT_REDIRECT);
    let page = gateway.raw("GET", "/docs/", &[], "").await;
    assert!(page.status == StatusCode::OK && page.text.contains("swagger-ui"));
    assert!(page.headers["content-security-policy"].to_str().expect("text").contains("script-src 'self'"));
    assert!(!page.text.contains("<script>"), "an inline script would be stopped by the policy");
    let start = gateway.raw("GET", "/docs/swagger-initializer.js", &[], "").await;
    assert!(start.text.contains("/openapi.json"), "{}", start.text);
    for file in ["swagger-ui-bundle.js", "swagger-ui.css", "index.css"] {
        assert_eq!(gateway.raw("GET", &format!("/docs/{file}"), &[], "").await.status, StatusCode::OK, "{file}");
    }
    assert_eq!(gateway.raw("GET", "/docs/..%2fCargo.toml", &[], "").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn every_kind_of_problem_is_explained() {
    let gateway = Gateway::start().await;
    for kind in api::ProblemKind::ALL {
        let path = kind.type_uri();
        let explained = gateway.raw("GET", &path, &[], "").await;
        assert_eq!((explained.status, &explained.body["type"]), (StatusCode::OK, &json!(path)));
        let page = gateway.raw("GET", &path, &[("accept", "text/html,*/*;q=0.8")], "").await;
        assert!(page.headers["content-type"].to_str().expect("text").starts_with("text/html"));
        assert!(page.text.contains(kind.title()));
    }
}

#[tokio::test]
async fn a_tenant_that_sends_too_much_waits() {
    let gateway = Gateway::with(|settings| settings.rate = Some(2.0)).await;
    let first = gateway.call("GET", "/v1/orders", None).await;
    assert_eq!(first.status, StatusCode::OK);
    assert_eq!(
        (&first.headers["ratelimit-policy"], &first.headers["ratelimit"]),
        (&"\"tenant\";q=2;w=1".parse().expect("a header"), &"\"tenant\";r=1;t=1".parse().expect("a header"))
    );
    gateway.call("GET", "/v1/orders", None).await;
    let refused = gateway.call("GET", "/v1/orders", None).await;
    assert_eq!(
        (refused.status, &refused.body["type"]),
        (StatusCode::TOO_MANY_REQUESTS, &json!("/problems/rate-limited"))
    );
    assert_eq!(refused.headers["retry-after"], "1");
    assert!(refused.headers.contains_key("ratelimit"));
    gateway.clock.advance(Duration::from_millis(500));
    assert_eq!(gateway.call("GET", "/v1/orders", None).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_overloaded_gateway_says_so_and_stays_alive() {
    let gateway = Gateway::with(|settings| settings.max_in_flight = 0).await;
    let shed = gateway.call("GET", "/v1/orders", None).await;
    assert_eq!(
        (shed.status, &shed.headers["retry-after"]),
        (StatusCode::SERVICE_UNAVAILABLE, &http::HeaderValue::from_static("1"))
    );
    assert_eq!(gateway.raw("GET", "/healthz", &[], "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn slow_hooks_keep_only_hooks_out() {
    let gateway = Gateway::with(|settings| (settings.max_in_flight, settings.max_hooks_in_flight) = (1, 1)).await;
    let hook = |body: Body| Request::post("/vendor-hooks/fictive").header("x-token", "good").body(body);
    // Tells when its body is being read, and never has it.
    let (reached, mut is_read) = futures::channel::mpsc::channel(1);
    let stalled = futures::stream::poll_fn(move |_| {
        let _ = reached.clone().try_send(());
        std::task::Poll::<Option<Result<bytes::Bytes, std::convert::Infallible>>>::Pending
    });
    let slow = tokio::spawn(gateway.router.clone().oneshot(hook(Body::from_stream(stalled)).expect("a request")));
    is_read.next().await.expect("the body is read");
    let refused = gateway.send(hook(Body::from("{}")).expect("a request")).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(gateway.call("POST", "/v1/orders", Some(&new_order())).await.status, StatusCode::CREATED);
    slow.abort();
    let _ = slow.await;
    assert_eq!(gateway.send(hook(Body::from("{}")).expect("a request")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_slow_answer_is_given_up() {
    let gateway = Gateway::with(|settings| settings.request_timeout = Duration::ZERO).await;
    // It waits for a body that never comes: however fast everything else is, the limit is over first.
    let stalled = futures::stream::pending::<Result<bytes::Bytes, std::convert::Infallible>>();
    let request = Request::post("/v1/orders")
        .header("authorization", format!("Bearer {}", gateway.token(&["orders:write"])))
        .header("content-type", "application/json")
        .body(Body::from_stream(stalled));
    let late = gateway.send(request.expect("a request")).await;
    assert_eq!(late.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn without_its_database_it_is_alive_and_not_ready() {
    let gateway = Gateway::start().await;
    assert_eq!(gateway.raw("GET", "/readyz", &[], "").await.status, StatusCode::OK);
    let id = gateway.order(&new_order()).await["id"].as_str().expect("an id").to_owned();
    gateway.engine.store().close().await;
    assert_eq!(gateway.raw("GET", "/healthz", &[], "").await.status, StatusCode::OK);
    let ready = gateway.raw("GET", "/readyz", &[], "").await;
    assert_eq!((ready.status, &ready.body["type"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("/problems/not-ready")));
    for (method, path, body) in [
        ("POST", "/v1/orders".to_owned(), Some(new_order())),
        ("GET", format!("/v1/orders/{id}"), None),
        ("GET", "/v1/orders".to_owned(), None),
        ("POST", format!("/v1/orders/{id}/cancel"), None),
        ("POST", format!("/v1/orders/{id}/refresh"), None),
        ("GET", "/v1/providers".to_owned(), None),
        ("GET", "/v1/audit".to_owned(), None),
    ] {
        let answer = gateway.call(method, &path, body.as_ref()).await;
        assert_eq!(
            (answer.status, &answer.body["type"]),
            (StatusCode::SERVICE_UNAVAILABLE, &json!("/problems/unavailable")),
            "{path}"
        );
        assert!(answer.headers.contains_key("retry-after"), "{path}");
    }
}
