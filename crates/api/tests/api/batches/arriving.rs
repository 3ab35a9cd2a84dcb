//! Uploads while they arrive: twice, slowly, not to their end, too many at once.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::SinkExt as _;
use http::{Request, StatusCode};
use serde_json::json;
use tower::ServiceExt as _;

use super::{PATH, listed, nothing_is_there, upload};
use crate::batch_files::{CSV, NDJSON, bodies, ndjson, orders};
use crate::gateway::{Gateway, all_scopes};

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
async fn a_tenant_leaves_half_of_the_places_to_others() {
    let gateway = Gateway::with(|settings| settings.max_uploads = 2).await;
    let (mut chunks, body) = slow_body();
    let first = tokio::spawn(gateway.router.clone().oneshot(request(&gateway, "k1", body)));
    chunks.send(Ok(Bytes::new())).await.expect("read");
    chunks.send(Ok(Bytes::new())).await.expect("read");
    let shed = upload(&gateway, NDJSON, ndjson(&orders(1))).await;
    assert_eq!(
        (shed.status, &shed.body["type"], &shed.headers["retry-after"]),
        (StatusCode::TOO_MANY_REQUESTS, &json!("/problems/rate-limited"), &"5".parse().expect("a header")),
        "{}",
        shed.text
    );
    let token = gateway.token_with(&all_scopes(), |claims| claims["tenant"] = json!("other"));
    let other = gateway.call_as(&token, "POST", PATH, Some(&json!({"orders": orders(1)}))).await;
    assert_eq!(other.status, StatusCode::ACCEPTED, "{}", other.text);
    chunks.send(Ok(Bytes::from(ndjson(&orders(1))))).await.expect("read");
    drop(chunks);
    assert_eq!(first.await.expect("an answer").expect("infallible").status(), StatusCode::ACCEPTED);
    assert_eq!(upload(&gateway, NDJSON, ndjson(&orders(1))).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn an_upload_has_half_an_hour_in_all() {
    let gateway = Gateway::start().await;
    for (minutes, seconds, status) in [(30, 0, StatusCode::ACCEPTED), (30, 1, StatusCode::REQUEST_TIMEOUT)] {
        let (mut chunks, body) = slow_body();
        let slow = tokio::spawn(gateway.router.clone().oneshot(request(&gateway, status.as_str(), body)));
        chunks.send(Ok(Bytes::from(ndjson(&orders(1))))).await.expect("read");
        chunks.send(Ok(Bytes::new())).await.expect("read");
        gateway.clock.advance(Duration::from_secs(minutes * 60 + seconds));
        chunks.send(Ok(Bytes::from(ndjson(&orders(1))))).await.expect("read");
        drop(chunks);
        assert_eq!(slow.await.expect("an answer").expect("infallible").status(), status);
        assert_eq!(listed(&gateway, PATH).await.len(), 1);
    }
    assert_eq!(listed(&gateway, "/v1/orders").await.len(), 2);
    // Its key and its place are free again.
    let again = gateway.send(request(&gateway, "408", Body::from(ndjson(&orders(1))))).await;
    assert_eq!(again.status, StatusCode::ACCEPTED, "{}", again.text);
}

#[tokio::test]
async fn an_upload_may_take_longer_than_an_answer() {
    let gateway = Gateway::with(|settings| settings.request_timeout = Duration::ZERO).await;
    assert_eq!(upload(&gateway, NDJSON, ndjson(&orders(2))).await.status, StatusCode::ACCEPTED);
}
