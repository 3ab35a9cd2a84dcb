//! `/v1/batches` and the links that its answers give.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value, json};
use time::{OffsetDateTime, UtcOffset};

use super::{Batch, LINK, MAX_FILE, MappedReference, SecondStart, Status, report, sheet};
use crate::truora::form::{self, Fields};
use crate::truora::{Habits, Simulator, gateway};

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// What takes the account's key, also under the prefix of the vendor's web front.
pub fn behind_key() -> Router<Arc<Simulator>> {
    let under = |prefix: &str| {
        let at = |rest: &str| format!("{prefix}/v1/batches{rest}");
        Router::new()
            .route(&at(""), post(create))
            .route(&at("/{id}"), get(look).put(stop))
            .route(&at("/{id}/start"), post(start))
            .route(&at("/{id}/report"), post(ask_for_report).get(report_link))
    };
    under("").merge(under("/account-api"))
}

/// The links: whoever has one needs no key.
pub fn around_key() -> Router<Arc<Simulator>> {
    Router::new()
        .route("/batch-upload-service/{client}/checks/{id}", put(upload))
        .route("/batch-reports/{id}", get(report_file))
}

fn invalid(message: &str) -> Response {
    gateway::error(StatusCode::BAD_REQUEST, &format!("Invalid request: {message}"))
}

fn not_found(message: &str) -> Response {
    gateway::error(StatusCode::NOT_FOUND, message)
}

/// As the store of the files words it.
fn denied() -> Response {
    let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>AccessDenied</Code><Message>Access denied</Message></Error>";
    (StatusCode::FORBIDDEN, [(CONTENT_TYPE, "application/xml")], body).into_response()
}

async fn create(State(simulator): State<Arc<Simulator>>, body: Bytes) -> Response {
    let habits = simulator.habits.get();
    let Ok(fields) = serde_urlencoded::from_bytes::<Vec<(String, String)>>(&body) else {
        return invalid("malformed form");
    };
    let fields: Fields = fields.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let field = |name: &str| fields.get(name).map(String::as_str);
    if field("service") != Some("checks") {
        return invalid("service was expected");
    }
    let (Some(kind), Some(country)) = (field("type"), field("country")) else {
        return invalid("type and country were expected");
    };
    let country = country.to_ascii_uppercase();
    if let Some(fault) = form::unknown_place(kind, &country, &habits) {
        return invalid(fault);
    }
    if field("end_date").is_some() != field("frequency").is_some() {
        return invalid("end date and frequency go together");
    }
    let columns = match columns(&fields, kind, &habits) {
        Ok(columns) => columns,
        Err(fault) => return invalid(&fault),
    };
    let now = simulator.tools.clock.now();
    let batch = Batch::new(kind, &country, columns, field("frequency").map(str::to_owned), now);
    let link = format!(
        "{}/batch-upload-service/TCI0001/checks/{}?max-size={MAX_FILE}&method=PUT&retries=1&token={}&Expires={}&Signature=sandbox",
        base(&simulator, &habits.batches.upload_base, &habits),
        batch.id,
        batch.token,
        (now + LINK).unix_timestamp(),
    );
    let answer = json!({ "batch_id": batch.id, "columns": batch.columns, "file_upload_link": link });
    simulator.account().batches.0.push(batch);
    Json(answer).into_response()
}

/// The inputs of the columns: as they are mapped, or all of them in an order of the vendor's own.
fn columns(fields: &Fields, kind: &str, habits: &Habits) -> Result<Vec<String>, String> {
    let mapped = |name: &str| form::is_input(name) || name == "custom_input";
    let mut columns: BTreeMap<usize, String> = BTreeMap::new();
    for (name, place) in fields.iter().filter_map(|(name, place)| Some((name.strip_prefix("columns_mapping.")?, place)))
    {
        if !mapped(name) || name == "custom_input" && habits.batches.custom_input == MappedReference::Refused {
            return Err(format!("unknown input {name}"));
        }
        let place = place.parse().map_err(|_| "column numbers were expected".to_owned())?;
        if columns.insert(place, name.to_owned()).is_some() {
            return Err("two inputs have the same column".to_owned());
        }
    }
    if columns.keys().enumerate().any(|(at, place)| at != *place) {
        return Err("the columns have a gap".to_owned());
    }
    if columns.is_empty() {
        return Ok(form::inputs_of(kind).map(str::to_owned).collect());
    }
    Ok(columns.into_values().collect())
}

/// Where a link begins.
fn base(simulator: &Simulator, other: &str, habits: &Habits) -> String {
    let own = simulator.tools.base_url.as_str();
    let base = if other.is_empty() { own } else { other };
    format!("{}{}", base.trim_end_matches('/'), if habits.batches.double_slash { "/" } else { "" })
}

async fn upload(
    State(simulator): State<Arc<Simulator>>,
    Path((_, id)): Path<(String, String)>,
    Query(query): Query<BTreeMap<String, String>>,
    file: Bytes,
) -> Response {
    let now = simulator.tools.clock.now();
    let mut account = simulator.account();
    let Some(batch) = account.batches.find_mut(&id) else { return denied() };
    // Only the first file is taken.
    if batch.file.is_some() || !batch.is_link(&query, batch.created_at, now) {
        return denied();
    }
    if file.len() > MAX_FILE {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    batch.file = Some(sheet::read(&file, &batch.columns));
    Json(json!({ "message": "file uploaded successfully" })).into_response()
}

async fn start(State(simulator): State<Arc<Simulator>>, Path(id): Path<String>) -> Response {
    let (habits, now) = (simulator.habits.get(), simulator.tools.clock.now());
    let mut account = simulator.account();
    let Some(batch) = account.batches.find_mut(&id) else { return not_found("Batch not found") };
    if batch.file.is_none() {
        return not_found("Batch File not found");
    }
    match habits.batches.second_start {
        _ if batch.starts.is_empty() && batch.status == Status::NotStarted => batch.begin(&habits.batches, now),
        SecondStart::Refused => return invalid("the batch was started already"),
        SecondStart::Ignored => {}
        SecondStart::Repeats => batch.begin(&habits.batches, now),
    }
    Json(json!({ "message": "batch started successfully" })).into_response()
}

async fn look(State(simulator): State<Arc<Simulator>>, Path(id): Path<String>) -> Response {
    match simulator.account().batches.find(&id) {
        Some(batch) => Json(shown(batch)).into_response(),
        None => not_found("Batch not found"),
    }
}

async fn stop(State(simulator): State<Arc<Simulator>>, Path(id): Path<String>) -> Response {
    let mut account = simulator.account();
    let Some(batch) = account.batches.find_mut(&id) else { return not_found("Batch not found") };
    if batch.status.is_final() {
        return invalid("the batch has ended");
    }
    (batch.status, batch.updated_at) = (Status::Stopped, simulator.tools.clock.now());
    Json(shown(batch)).into_response()
}

fn shown(batch: &Batch) -> Value {
    let mapping: Map<String, Value> =
        batch.columns.iter().enumerate().map(|(at, input)| (input.clone(), at.into())).collect();
    let mut body = json!({
        "batch_id": batch.id, "service": "checks", "type": batch.kind, "country": batch.country,
        "size": batch.rows().len(), "status": batch.status.as_str(), "columns_mapping": mapping,
        "creation_date": in_bogota(batch.created_at), "update_date": in_bogota(batch.updated_at),
    });
    if let Some(why) = &batch.failure {
        body["failure_reason"] = json!(why);
    }
    body
}

/// Times of batches, other than those of checks, carry an offset.
fn in_bogota(at: OffsetDateTime) -> String {
    let offset = UtcOffset::from_hms(-5, 0, 0).unwrap_or(UtcOffset::UTC);
    at.to_offset(offset).format(&time::format_description::well_known::Rfc3339).unwrap_or_default()
}

async fn ask_for_report(
    State(simulator): State<Arc<Simulator>>,
    Path(id): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
    body: Bytes,
) -> Response {
    let mut account = simulator.account();
    let Some(batch) = account.batches.find_mut(&id) else { return not_found("Batch not found") };
    let form: BTreeMap<String, String> = serde_urlencoded::from_bytes(&body).unwrap_or_default();
    if form.get("format").or_else(|| query.get("format")).map(String::as_str) != Some("xlsx") {
        return invalid("format was expected");
    }
    if batch.starts.is_empty() {
        return invalid("the batch was not started");
    }
    batch.report_asked_at = Some(simulator.tools.clock.now());
    (StatusCode::CREATED, Json(json!({}))).into_response()
}

/// `None`: there is no report yet.
fn ready_since(simulator: &Simulator, batch: &Batch, habits: &Habits) -> Option<OffsetDateTime> {
    let asked_at = batch.report_asked_at?;
    let worked = simulator.tools.clock.elapsed_since(asked_at);
    (worked.as_millis() >= u128::from(habits.batches.report_ms)).then_some(asked_at)
}

async fn report_link(State(simulator): State<Arc<Simulator>>, Path(id): Path<String>) -> Response {
    let (habits, now) = (simulator.habits.get(), simulator.tools.clock.now());
    let account = simulator.account();
    let batch = account.batches.find(&id);
    let Some(batch) = batch.filter(|batch| ready_since(&simulator, batch, &habits).is_some()) else {
        return not_found("Batch not found");
    };
    let link = format!(
        "{}/batch-reports/{}.xlsx?token={}&Expires={}&Signature=sandbox",
        base(&simulator, &habits.batches.report_base, &habits),
        batch.id,
        batch.token,
        (now + LINK).unix_timestamp(),
    );
    Json(json!({ "batch_report_url": link })).into_response()
}

async fn report_file(
    State(simulator): State<Arc<Simulator>>,
    Path(name): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    let (habits, now) = (simulator.habits.get(), simulator.tools.clock.now());
    let account = simulator.account();
    let batch = name.strip_suffix(".xlsx").and_then(|id| account.batches.find(id));
    let expires =
        query.get("Expires").and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds.parse().ok()?).ok());
    let (Some(batch), Some(expires)) = (batch, expires) else { return denied() };
    if !batch.is_link(&query, expires - LINK, now) || ready_since(&simulator, batch, &habits).is_none() {
        return denied();
    }
    match report::write(batch, &account, &habits) {
        Ok(file) => ([(CONTENT_TYPE, XLSX)], file).into_response(),
        Err(error) => {
            tracing::error!(%error, "a report could not be written");
            gateway::error(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error, try again later")
        }
    }
}

/// The prefix of the web front is no part of what a call is.
pub fn classify(method: &str, segments: &[&str]) -> Option<&'static str> {
    let segments = segments.strip_prefix(&["account-api"]).unwrap_or(segments);
    Some(match (method, segments) {
        ("POST", ["v1", "batches"]) => "batch_create",
        ("PUT", ["batch-upload-service", ..]) => "batch_upload",
        ("POST", ["v1", "batches", _, "start"]) => "batch_start",
        ("GET", ["v1", "batches", _]) => "batch_get",
        ("PUT", ["v1", "batches", _]) => "batch_stop",
        ("POST", ["v1", "batches", _, "report"]) => "batch_report",
        ("GET", ["v1", "batches", _, "report"]) => "batch_report_link",
        ("GET", ["batch-reports", _]) => "batch_file",
        _ => return None,
    })
}
