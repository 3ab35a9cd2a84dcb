//! Whatever comes in, no answer is the gateway's own fault.

use crate::gateway::{Gateway, all_scopes, new_order};
use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn bodies_that_are_none() {
    let gateway = Gateway::start().await;
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let bodies: Vec<(Vec<u8>, u16)> = vec![
        (b"".to_vec(), 400),
        (b" ".to_vec(), 400),
        (b"{".to_vec(), 400),
        (b"{\"a\":1,\"a\":2}".to_vec(), 400),
        (b"{}{}".to_vec(), 400),
        (b"\xff\xfe{}".to_vec(), 400),
        (b"\xef\xbb\xbf{}".to_vec(), 400),
        (b"{\"a\": \"\\ud800\"}".to_vec(), 400),
        (b"{\"\0\": 1}".to_vec(), 400),
        (b"[1e999]".to_vec(), 400),
        (nested(65).into_bytes(), 400),
        (nested(1_000_000).into_bytes(), 400),
        (b"[]".to_vec(), 422),
        (b"null".to_vec(), 422),
        (b"5".to_vec(), 422),
        (b"\"text\"".to_vec(), 422),
        (b"{}".to_vec(), 422),
        (nested(64).into_bytes(), 422),
        (b"{\"\\u0000\": 1}".to_vec(), 422),
        (faulty_texts(&["k".repeat(1_000_000)]), 400),
        (faulty_texts(&["k".repeat(201)]), 400),
        (faulty_texts(&vec!["~".repeat(200); 60]), 422),
        (faulty_texts(&["k".repeat(200)]), 422),
        (vec![b' '; 17 * 1024 * 1024], 413),
    ];
    for (body, status) in bodies {
        let start = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        let answer = gateway.raw("POST", "/v1/orders", &[JSON], body).await;
        assert_eq!(answer.status.as_u16(), status, "{start}: {}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{start}");
        assert!(answer.text.len() < 100_000, "{start}");
    }
    // Without a length, too.
    let endless = Body::from_stream(Chunks(17 * 1024));
    assert_eq!(gateway.raw("POST", "/v1/orders", &[JSON], endless).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    // A large body of the right shape is fine.
    let mut order = new_order();
    order["consent"]["document"] =
        json!({"filename": "a.pdf", "content_base64": format!("JVBERi0x{}", "AAAA".repeat(2_500_000))});
    let large = gateway.call("POST", "/v1/orders", Some(&order)).await;
    assert_eq!(large.status, StatusCode::CREATED, "{}", large.text);
}

/// Texts with a fault each, under these keys.
fn faulty_texts(keys: &[String]) -> Vec<u8> {
    let texts = vec!["\"\\u0001\""; 300].join(",");
    keys.iter().rfold(format!("[{texts}]"), |inner, key| format!("{{\"{key}\":{inner}}}")).into_bytes()
}

/// So many chunks of a kilobyte.
struct Chunks(usize);

impl futures::Stream for Chunks {
    type Item = Result<bytes::Bytes, std::convert::Infallible>;
    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        let more = self.0.checked_sub(1);
        self.0 = more.unwrap_or(0);
        std::task::Poll::Ready(more.map(|_| Ok(bytes::Bytes::from(vec![b' '; 1024]))))
    }
}

#[tokio::test]
async fn media_types_that_are_not_taken() {
    let gateway = Gateway::start().await;
    let order = new_order().to_string();
    for headers in [
        vec![],
        vec![("content-type", "text/plain")],
        vec![("content-type", "application/x-www-form-urlencoded")],
        vec![("content-type", "application/json; charset=utf-16")],
        vec![("content-type", "application/jsonp")],
        vec![JSON, ("content-encoding", "gzip")],
    ] {
        let answer = gateway.raw("POST", "/v1/orders", &headers, order.clone()).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{headers:?}: {}", answer.text);
    }
    for kind in ["application/json", "Application/JSON; charset=UTF-8", "application/json;charset=\"utf-8\""] {
        let answer = gateway.raw("POST", "/v1/orders", &[("content-type", kind)], order.clone()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{kind}: {}", answer.text);
    }
}

#[tokio::test]
async fn every_field_of_the_wrong_type() {
    let gateway = Gateway::start().await;
    let bodies = [
        ("/v1/orders".to_owned(), new_order()),
        (
            "/v1/orders/search".to_owned(),
            json!({
                "status": "queued", "check_status": "queued", "provider": "x", "check_type": "background_check",
                "outcome": "clear", "external_id": "x", "batch_id": "bat_01h455vb4pex5vsknk084sn02q",
                "created_after": "2026-11-21T09:00:00Z", "created_before": "2026-11-21T09:00:00Z", "metadata": {"k": "v"},
                "subject": {"email": "a@b.co", "last_name": "x", "identifier": {"type": "ssn", "country": "US", "value": "1"}},
                "limit": 5, "cursor": "x"
            }),
        ),
        (
            "/v1/batches".to_owned(),
            json!({
                "external_id": "x", "on_invalid": "skip", "defaults": {"metadata": {"k": "v"}},
                "orders": [{"checks": [{"type": "background_check"}], "consent": {"document": {"url": "x"}}}]
            }),
        ),
        (
            format!("/v1/orders/{}/cancel", gateway.order(&new_order()).await["id"].as_str().expect("an id")),
            json!({"reason": "other", "details": "x"}),
        ),
        (
            format!("/v1/reconciliation/cases/{}/resolve", gateway.case_of(&gateway.order(&new_order()).await).await),
            json!({
                "items": [{"check_id": "chk_01h455vb4pex5vsknk084sn02q", "decision": "bind", "vendor_order_id": "x"}],
                "cancel_vendor_orders": ["x"], "note": "x"
            }),
        ),
        ("/v1/providers/fictive/pause".to_owned(), json!({"reason": "x"})),
    ];
    let wrong = [
        json!(null),
        json!(5),
        json!(-1),
        json!(1.5e300),
        json!(true),
        json!(""),
        json!("\u{0}"),
        json!("\u{1f600}"),
        json!("x".repeat(1_001)),
        json!([]),
        json!([[]]),
        json!([null]),
        json!({}),
        json!({"x": {}}),
        json!("9999-12-31T23:59:59-23:59"),
    ];
    let token = gateway.token(&all_scopes());
    for (path, body) in bodies {
        let mut pointers = vec![String::new()];
        collect(&body, "", &mut pointers);
        for pointer in pointers {
            for value in &wrong {
                let mut changed = body.clone();
                *changed.pointer_mut(&pointer).expect("a place") = value.clone();
                let answer = gateway.call_as(&token, "POST", &path, Some(&changed)).await;
                assert!(!answer.status.is_server_error(), "{path} {pointer} = {value}: {}", answer.text);
                for error in answer.body["errors"].as_array().into_iter().flatten() {
                    assert!(
                        error["pointer"].is_string() && error["code"].is_string() && error["detail"].is_string(),
                        "{error}"
                    );
                }
            }
        }
    }
}

fn collect(value: &Value, at: &str, pointers: &mut Vec<String>) {
    let mut visit = |key: &str, value: &Value| {
        pointers.push(format!("{at}/{key}"));
        collect(value, &format!("{at}/{key}"), pointers);
    };
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| visit(key, value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, value)| visit(&index.to_string(), value)),
        _ => {}
    }
}

#[tokio::test]
async fn queries_and_paths_that_make_no_sense() {
    let gateway = Gateway::start().await;
    for query in [
        "status=none",
        "limit=0",
        "limit=201",
        "limit=x",
        "limit=",
        "cursor=x",
        "cursor=b3Jk",
        "created_after=now",
        "created_before=9999-12-31T23:59:59-23:59",
        "batch_id=x",
        "external_id=%00",
        "provider=%ff",
        "x=1",
        "status=queued&status=queued",
        "check_type=x",
        "outcome=x",
        "metadata.k=%00",
        "external_id=%E2%80",
        "&&&=",
    ] {
        let answer = gateway.call("GET", &format!("/v1/orders?{query}"), None).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}: {}", answer.text);
        assert!(answer.body["errors"][0]["parameter"].is_string(), "{query}: {}", answer.text);
    }
    for query in ["metadata.=x", "external_id=%25", "external_id='", "provider=\u{e9}", "metadata.%24.a=1"] {
        let answer = gateway.call("GET", &format!("/v1/orders?{}", query.replace('\u{e9}', "%C3%A9")), None).await;
        assert!(answer.status.is_success(), "{query}: {}", answer.text);
    }
    for path in [
        "/v1/orders/x",
        "/v1/orders/%00",
        "/v1/orders/%ff",
        "/v1/orders/chk_01h455vb4pex5vsknk084sn02q",
        "/v1/orders/ord_01h455vb4pex5vsknk084sn02q",
        "/v1/checks/x",
        "/v1/reconciliation/cases/x",
        "/v1/providers/%00",
        "/v1/providers/%ff",
        "/v1/nothing",
        "/",
        "/v1",
        "/v1/orders/",
        "/problems/%ff",
    ] {
        let answer = gateway.call("GET", path, None).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {}", answer.text);
        assert_eq!(answer.body["type"], "/problems/not-found", "{path}");
    }
    for (method, path) in
        [("DELETE", "/v1/orders"), ("PUT", "/v1/orders/x"), ("POST", "/healthz"), ("GET", "/vendor-hooks/fictive")]
    {
        let answer = gateway.call(method, path, None).await;
        assert_eq!(
            (answer.status, &answer.body["type"]),
            (StatusCode::METHOD_NOT_ALLOWED, &json!("/problems/method-not-allowed")),
            "{path}"
        );
        assert!(answer.headers.contains_key("allow"), "{method} {path}");
    }
}

#[tokio::test]
async fn hooks_are_stored_or_refused() {
    let gateway = Gateway::start().await;
    let hook = async |path: &str, token: &str, body: Vec<u8>| {
        let request = Request::post(path).header("x-token", token).body(Body::from(body)).expect("a request");
        gateway.send(request).await.status.as_u16()
    };
    assert_eq!(hook("/vendor-hooks/fictive", "good", b"{}".to_vec()).await, 200);
    assert_eq!(hook("/vendor-hooks/fictive/default", "good", b"{}".to_vec()).await, 200);
    assert_eq!(hook("/vendor-hooks/fictive", "bad", b"{}".to_vec()).await, 401);
    assert_eq!(hook("/vendor-hooks/fictive", "good", b"\xff".to_vec()).await, 400);
    assert_eq!(hook("/vendor-hooks/fictive", "good", vec![b'{'; 2 * 1024 * 1024 + 1]).await, 413);
    for path in ["/vendor-hooks/nobody", "/vendor-hooks/sleeping", "/vendor-hooks/fictive/none", "/vendor-hooks/%ff"] {
        assert_eq!(hook(path, "good", b"{}".to_vec()).await, 404, "{path}");
    }
    let now = gateway.engine.now();
    let items =
        gateway.engine.store().claim_inbox(now, now + std::time::Duration::from_mins(1), 10).await.expect("read");
    assert_eq!(items.len(), 2);
    gateway.engine.store().close().await;
    assert_eq!(hook("/vendor-hooks/fictive", "good", b"{}".to_vec()).await, 503);
}
