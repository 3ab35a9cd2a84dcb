//! Batches: uploaded, watched, canceled and reported.

mod arriving;
mod reading;
mod refusals;
mod uploads;

use axum::body::Body;
use http::StatusCode;
use serde_json::Value;

use crate::gateway::{Answer, Gateway};

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
