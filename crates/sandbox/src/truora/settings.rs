//! `/v1/settings`: how the account's checks are made. There is no way to ask how they stand.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{Simulator, gateway};

pub fn router() -> Router<Arc<Simulator>> {
    Router::new().route("/v1/settings", post(change))
}

/// Echoes what was set by this call.
async fn change(State(simulator): State<Arc<Simulator>>, body: Bytes) -> Response {
    let invalid = |what: &str| gateway::error(StatusCode::BAD_REQUEST, &format!("Invalid request: invalid {what}"));
    let Ok(pairs) = serde_urlencoded::from_bytes::<Vec<(String, String)>>(&body) else { return invalid("form") };
    let mut set = Map::new();
    for (name, value) in pairs {
        let read = match name.as_str() {
            "names_matching_type" => matches!(value.as_str(), "soft" | "exact").then(|| json!(value)),
            "retries" => value.to_ascii_lowercase().parse::<bool>().ok().map(Value::from),
            "max_duration" => minutes(&value).filter(|minutes| (15..=168 * 60).contains(minutes)).map(|_| json!(value)),
            _ => continue,
        };
        let Some(read) = read else { return invalid(&name) };
        set.insert(name, read);
    }
    if set.is_empty() {
        return invalid("settings");
    }
    simulator.own().settings.extend(set.clone());
    Json(json!({ "settings": set })).into_response()
}

/// `<n>m` or `<n>h`.
fn minutes(text: &str) -> Option<u32> {
    let (number, minutes) = match text.strip_suffix('h') {
        Some(hours) => (hours, 60),
        None => (text.strip_suffix('m')?, 1),
    };
    number.parse::<u32>().ok()?.checked_mul(minutes)
}
