//! `/v1/config/credentials`: what the vendor logs in with at databases that want the client's own access. Errors say
//! `message` only.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use super::Simulator;

/// By the database's id.
pub type Credentials = BTreeMap<String, Map<String, Value>>;

pub fn router() -> Router<Arc<Simulator>> {
    Router::new()
        .route("/v1/config/credentials", get(list))
        .route("/v1/config/credentials/{database_id}", post(put).delete(remove))
}

fn says(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}

/// The one call that takes JSON.
async fn put(
    State(simulator): State<Arc<Simulator>>,
    Path(database_id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let is_json = headers.get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let given = serde_json::from_slice::<Map<String, Value>>(&body).ok().filter(|given| is_json && !given.is_empty());
    let Some(given) = given else { return says(StatusCode::BAD_REQUEST, "invalid credentials") };
    if !database_id.starts_with("DBI") {
        return says(StatusCode::BAD_REQUEST, "the database takes no credentials");
    }
    simulator.own().credentials.insert(database_id, given);
    says(StatusCode::OK, "credentials saved")
}

async fn list(State(simulator): State<Arc<Simulator>>) -> Response {
    let of = |(id, given): (&String, &Map<String, Value>)| {
        let names: Vec<_> = given.keys().collect();
        json!({ "database_id": id, "credentials": names })
    };
    let rows: Vec<_> = simulator.own().credentials.iter().map(of).collect();
    Json(json!({ "credentials": rows })).into_response()
}

async fn remove(State(simulator): State<Arc<Simulator>>, Path(database_id): Path<String>) -> Response {
    match simulator.own().credentials.remove(&database_id) {
        Some(_) => says(StatusCode::OK, "credentials deleted"),
        None => says(StatusCode::NOT_FOUND, "credentials not found"),
    }
}
