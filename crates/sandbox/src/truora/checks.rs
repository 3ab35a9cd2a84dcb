//! `/v1/checks` and what is under it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::account::{Check, Created};
use super::fate::Fate;
use super::{Habits, Simulator, bodies, findings, form, gateway, pdf};

pub const TOO_MANY: &str =
    "There are too many high priority background checks being processed. Please try again later.";

pub fn router() -> Router<Arc<Simulator>> {
    Router::new()
        .route("/v1/checks", post(create).get(list))
        .route("/v1/checks/{id}", get(fetch).delete(erase))
        .route("/v1/checks/{id}/details", get(details))
        .merge(findings::router())
        .route("/v1/checks/{id}/pdf", post(print_pdf).get(read_pdf))
}

pub fn not_found() -> Response {
    gateway::error(StatusCode::NOT_FOUND, "Resource not found")
}

fn envelope(check: &Check, habits: &Habits) -> Value {
    let link = format!("/v1/checks/{}", check.id);
    json!({ "check": bodies::check(check, habits), "details": format!("{link}/details"), "self": link })
}

async fn create(State(simulator): State<Arc<Simulator>>, headers: HeaderMap, body: Bytes) -> Response {
    let invalid = |message: &str| gateway::error(StatusCode::BAD_REQUEST, message);
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !header("content-type").starts_with("application/x-www-form-urlencoded") {
        return invalid("Invalid request: a form was expected");
    }
    let habits = simulator.habits.get();
    let form = match form::read(&body) {
        Ok(form) => form,
        Err(message) => return invalid(&message),
    };
    let mut known = habits.clone();
    known.custom_types.extend(simulator.own().types.of(form.get("country").map_or("", String::as_str)));
    if let Some(message) = form::fault(&form, &known) {
        return invalid(&message);
    }
    let mut account = simulator.account();
    let high_priority = header("truora-priority").eq_ignore_ascii_case("high");
    let is_full = high_priority && account.running_high_priority() >= habits.max_high_priority;
    if is_full || Fate::of(&form) == Fate::Refused {
        return gateway::error(StatusCode::TOO_MANY_REQUESTS, TOO_MANY);
    }
    match account.create(form, high_priority, &habits, simulator.tools.clock.now()) {
        Created::New(at) => (StatusCode::CREATED, Json(envelope(account.check(at), &habits))).into_response(),
        Created::Earlier(at) => {
            let status = StatusCode::from_u16(habits.dedupe_status).unwrap_or(StatusCode::CREATED);
            (status, Json(envelope(account.check(at), &habits))).into_response()
        }
    }
}

#[derive(Deserialize)]
pub struct Cursor {
    start_key: Option<String>,
    /// ISO 639-1. What the vendor has no words in stays Spanish.
    lang: Option<String>,
}

impl Cursor {
    pub fn is_english(&self) -> bool {
        self.lang.as_deref() == Some("en")
    }
}

pub struct BadCursor;

impl IntoResponse for BadCursor {
    fn into_response(self) -> Response {
        let message = "error decoding start key: illegal base64 data at input byte 0";
        gateway::error(StatusCode::BAD_REQUEST, message)
    }
}

/// The id that a page begins after.
pub fn decode(cursor: &Cursor) -> Result<Option<String>, BadCursor> {
    let Some(key) = cursor.start_key.as_deref().filter(|key| !key.is_empty()) else { return Ok(None) };
    let id = URL_SAFE_NO_PAD.decode(key).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    id.map(Some).ok_or(BadCursor)
}

/// One page: its rows, and the link to the next one, empty at the end.
pub fn page<T>(
    rows: impl Iterator<Item = T>,
    path: &str,
    key: impl Fn(&T) -> String,
    habits: &Habits,
) -> (Vec<T>, String) {
    let size = habits.page_size.max(1);
    let mut rows: Vec<_> = rows.take(size + 1).collect();
    let link = |query: &str| format!("{}{path}{query}", habits.next_prefix);
    if rows.len() <= size {
        return (rows, if habits.next_loops { link("") } else { String::new() });
    }
    rows.truncate(size);
    let last = rows.last().map(key).unwrap_or_default();
    (rows, link(&format!("?start_key={}", URL_SAFE_NO_PAD.encode(last))))
}

async fn list(State(simulator): State<Arc<Simulator>>, Query(cursor): Query<Cursor>) -> Response {
    let after = match decode(&cursor) {
        Ok(after) => after,
        Err(refused) => return refused.into_response(),
    };
    let habits = simulator.habits.get();
    let account = simulator.account();
    let visible_before = simulator.tools.clock.now() - Duration::from_millis(habits.list_lag_ms);
    let is_shown = |check: &&Check| check.deleted_at.is_none() && check.created_at <= visible_before;
    let after = after.and_then(|id| account.position(&id));
    let checks = account.checks();
    let key = |check: &&Check| check.id.clone();
    let (rows, next) = if habits.oldest_first {
        let from = after.map_or(0, |at| at + 1);
        page(checks[from..].iter().filter(is_shown), "/v1/checks", key, &habits)
    } else {
        let to = after.unwrap_or(checks.len());
        page(checks[..to].iter().rev().filter(is_shown), "/v1/checks", key, &habits)
    };
    let rows: Vec<_> = rows.into_iter().map(|check| bodies::check(check, &habits)).collect();
    Json(json!({ "checks": rows, "self": "/v1/checks", "next": next })).into_response()
}

async fn fetch(State(simulator): State<Arc<Simulator>>, Path(id): Path<String>) -> Response {
    let habits = simulator.habits.get();
    match simulator.account().find(&id) {
        Some(check) => Json(envelope(check, &habits)).into_response(),
        None => not_found(),
    }
}

/// Erases. What runs is not stopped by it.
async fn erase(State(simulator): State<Arc<Simulator>>, Path(id): Path<String>) -> Response {
    let now = simulator.tools.clock.now();
    let mut account = simulator.account();
    if account.find(&id).is_some() && account.position(&id).is_some_and(|at| account.is_first_of_continuous(at)) {
        let message = "Invalid request: the first check of a continuous check cannot be deleted";
        return gateway::error(StatusCode::BAD_REQUEST, message);
    }
    let Some(check) = account.find_mut(&id) else { return not_found() };
    check.deleted_at = Some(now);
    Json(json!({ "check": bodies::deleted(check, now), "self": format!("/v1/checks/{id}") })).into_response()
}

async fn details(
    State(simulator): State<Arc<Simulator>>,
    Path(id): Path<String>,
    Query(cursor): Query<Cursor>,
) -> Response {
    let after = match decode(&cursor) {
        Ok(after) => after,
        Err(refused) => return refused.into_response(),
    };
    let habits = simulator.habits.get();
    let account = simulator.account();
    let Some(check) = account.find(&id) else { return not_found() };
    let path = format!("/v1/checks/{id}/details");
    let rows = bodies::details(check, cursor.is_english());
    let key = |row: &Value| row["id"].as_str().unwrap_or_default().to_owned();
    let from = after.and_then(|after| rows.iter().position(|row| key(row) == after)).map_or(0, |at| at + 1);
    let (rows, next) = page(rows.into_iter().skip(from), &path, key, &habits);
    Json(json!({ "details": rows, "self": path, "next": next })).into_response()
}

/// Prints what exists, on an unfinished check too.
async fn print_pdf(State(simulator): State<Arc<Simulator>>, Path(id): Path<String>) -> Response {
    match simulator.account().find_mut(&id) {
        Some(check) => {
            check.printed = true;
            Json(json!({ "pdf_path": format!("/v1/checks/{id}/pdf/") })).into_response()
        }
        None => not_found(),
    }
}

async fn read_pdf(
    State(simulator): State<Arc<Simulator>>,
    Path(id): Path<String>,
    Query(asked): Query<Cursor>,
) -> Response {
    match simulator.account().find(&id).filter(|check| check.printed) {
        Some(check) => {
            let title = if asked.is_english() { "Report" } else { "Reporte" };
            let text = format!("{title} {} {}", check.id, check.status().as_str());
            ([(CONTENT_TYPE, "application/pdf")], pdf::of(&text)).into_response()
        }
        None => not_found(),
    }
}
