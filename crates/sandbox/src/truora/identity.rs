//! Digital Identity: links for applicants, and the processes that begin when one is opened.
//!
//! `POST /v1/api-keys` makes a token. Opening the applicants' page, `GET /?token=<token>`, is what the applicant does: it
//! begins a process (or goes on with the one that this token has begun), which then comes to its end by itself. No control
//! call is needed for it, and nothing begins without it.
//!
//! # How a process ends
//!
//! The last two digits of the phone number that the link was made with choose; without a number it ends well.
//!
//! | digits | what happens |
//! |---|---|
//! | `90` | declined: the document is a photocopy |
//! | `91` | declined: the face is another's |
//! | `92` | a validation is late by some minutes, then it ends well |
//! | `93` | the applicant does not finish: `failure_status` is `expired` |
//! | `94` | declined, and then overridden to `success` |
//! | `95` | ends well, and is then overridden to `failure` |
//! | `96` | the call for a link is answered 429 |
//! | `97` | the applicant cancels |
//! | `98` | a register cannot be reached: nobody is declined |
//! | `99` | a status that no document knows (`manual_review`), then it ends well |
//! | any other | it ends well |
//!
//! There is no such convention at the vendor.

mod bodies;
mod desk;

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::form::Fields;
use super::{Simulator, checks, gateway, hooks, pdf};
use crate::books::BookEntry;
use crate::clock::rfc3339;

pub use desk::Desk;
use desk::Fate;

/// The flow that the account has.
pub const FLOW: &str = "IPF5a0dbf1e2c3d4e5f60718293a4b5c6d7";

/// What is not documented of Digital Identity, or differs from account to account. Under `identity` of the switches.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "switches are thrown one by one")]
pub struct IdentityHabits {
    /// The account's flows.
    pub flows: Vec<String>,
    /// How long a link can be opened.
    pub link_ms: u64,
    /// Tokens say when they end.
    pub token_has_end: bool,
    /// How long the applicant and the validations take.
    pub run_ms: u64,
    /// How much longer a late validation takes.
    pub late_ms: u64,
    /// How long after its end a process is overridden.
    pub override_ms: u64,
    /// The list takes `account_id` as a filter.
    pub list_filters: bool,
    /// A process has a result only once it has ended; before, it is answered 404.
    pub result_at_end_only: bool,
    /// A second link of the same account goes on with the process that the first has begun.
    pub one_process_per_account: bool,
}

impl Default for IdentityHabits {
    fn default() -> Self {
        Self {
            flows: vec![FLOW.to_owned()],
            link_ms: 2 * 60 * 60 * 1_000,
            token_has_end: true,
            run_ms: 3_000,
            late_ms: 5 * 60 * 1_000,
            override_ms: 60_000,
            list_filters: true,
            result_at_end_only: false,
            one_process_per_account: false,
        }
    }
}

/// What needs the account's key.
pub fn router() -> Router<Arc<Simulator>> {
    Router::new()
        .route("/v1/api-keys", post(make_link))
        .route("/v1/processes", get(list))
        .route("/v1/processes/{id}", get(fetch))
        .route("/v1/processes/{id}/result", get(result))
        .route("/v1/processes/{id}/pdf", get(read_pdf))
}

/// The applicants' page, which needs a token only.
pub fn page() -> Router<Arc<Simulator>> {
    Router::new().route("/", get(open)).method_not_allowed_fallback(gateway::unknown_route)
}

/// The processes as books show them. Links are none: nobody has begun by one.
pub fn entries(desk: &Desk) -> impl Iterator<Item = BookEntry> {
    desk.processes().iter().map(|process| BookEntry {
        id: process.id.clone(),
        parts: Vec::new(),
        references: vec![process.account_id.clone()],
        state: process.word().to_owned(),
        created_at: rfc3339(process.created_at),
        canceled: false,
        stranger: false,
    })
}

async fn make_link(State(simulator): State<Arc<Simulator>>, headers: HeaderMap, body: Bytes) -> Response {
    let invalid = |message: &str| gateway::error(StatusCode::BAD_REQUEST, &format!("Invalid request: {message}"));
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !content_type.starts_with("application/x-www-form-urlencoded") {
        return invalid("a form was expected");
    }
    let Ok(form) = serde_urlencoded::from_bytes::<Fields>(&body) else { return invalid("malformed form") };
    let given = |field: &str| form.get(field).map(String::as_str).unwrap_or_default();
    let habits = simulator.habits.get().identity;
    for (field, word) in [("key_type", "web"), ("grant", "digital-identity"), ("api_key_version", "1")] {
        if given(field) != word {
            return invalid(&format!("invalid {}", field.replace('_', " ")));
        }
    }
    if given("country") != "ALL" {
        return invalid("invalid country");
    }
    if !habits.flows.iter().any(|flow| flow == given("flow_id")) {
        return invalid("flow not found");
    }
    let account_id = given("account_id");
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if account_id.is_empty() || !account_id.bytes().all(is_plain) {
        return invalid("invalid account id");
    }
    let phone = given("phone");
    if !phone.is_empty() && !phone.starts_with('+') {
        return invalid("invalid phone");
    }
    if Fate::of(phone) == Fate::Refused {
        return gateway::error(StatusCode::TOO_MANY_REQUESTS, checks::TOO_MANY);
    }
    let now = simulator.tools.clock.now();
    let ends_at = now + std::time::Duration::from_millis(habits.link_ms);
    let mut claims = json!({
        "iat": now.unix_timestamp(), "iss": "Truora", "key_type": "web", "grant": "digital-identity",
        "flow_id": given("flow_id"), "account_id": account_id, "jti": hex::encode(rand::random::<[u8; 16]>()),
    });
    if habits.token_has_end {
        claims["exp"] = json!(ends_at.unix_timestamp());
    }
    let token = hooks::sign(&claims, &simulator.config.api_key, false);
    simulator.identity().add_link(token.clone(), given("flow_id"), account_id, phone, ends_at);
    Json(json!({ "api_key": token, "message": "API key created successfully" })).into_response()
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
}

/// The applicant opens a link.
async fn open(State(simulator): State<Arc<Simulator>>, Query(query): Query<Token>) -> Response {
    let Some(token) = query.token else { return gateway::unknown_route().await };
    let habits = simulator.habits.get().identity;
    let now = simulator.tools.clock.now();
    let opened = simulator.identity().open(&token, &habits, now);
    let page = |status, text: &str| (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], text.to_owned());
    match opened {
        desk::Opened::Process(id) => page(StatusCode::OK, &format!("<p>Process {id}</p>")),
        desk::Opened::Ended => page(StatusCode::FORBIDDEN, "<p>This link has expired.</p>"),
        desk::Opened::Unknown => page(StatusCode::FORBIDDEN, "<p>This link is not valid.</p>"),
    }
    .into_response()
}

#[derive(Deserialize)]
struct ListQuery {
    account_id: Option<String>,
    start_key: Option<String>,
}

async fn list(State(simulator): State<Arc<Simulator>>, Query(query): Query<ListQuery>) -> Response {
    let habits = simulator.habits.get();
    let desk = simulator.identity();
    let after = query.start_key.and_then(|key| String::from_utf8(URL_SAFE_NO_PAD.decode(key).ok()?).ok());
    let filter = query.account_id.filter(|_| habits.identity.list_filters);
    let is_asked_for = |process: &&desk::Process| filter.as_ref().is_none_or(|asked| *asked == process.account_id);
    let rows: Vec<_> = desk.processes().iter().rev().filter(is_asked_for).collect();
    let from = after.and_then(|id| rows.iter().position(|process| process.id == id)).map_or(0, |at| at + 1);
    let size = habits.page_size.max(1);
    let shown: Vec<_> = rows.iter().skip(from).take(size).map(|process| bodies::process(process)).collect();
    let next = match rows.get(from + size - 1) {
        Some(last) if rows.len() > from + size => {
            let filter = filter.map(|asked| format!("account_id={asked}&")).unwrap_or_default();
            format!("/v1/processes?{filter}start_key={}", URL_SAFE_NO_PAD.encode(&last.id))
        }
        _ => String::new(),
    };
    Json(json!({ "processes": shown, "self": "/v1/processes", "next": next })).into_response()
}

async fn fetch(State(simulator): State<Arc<Simulator>>, Path(id): Path<String>) -> Response {
    let desk = simulator.identity();
    desk.find(&id).map_or_else(not_found, |process| Json(bodies::process(process)).into_response())
}

async fn result(State(simulator): State<Arc<Simulator>>, Path(id): Path<String>) -> Response {
    let at_end_only = simulator.habits.get().identity.result_at_end_only;
    let desk = simulator.identity();
    let process = desk.find(&id).filter(|process| !at_end_only || process.has_ended());
    process.map_or_else(not_found, |process| Json(bodies::result(process)).into_response())
}

async fn read_pdf(State(simulator): State<Arc<Simulator>>, Path(id): Path<String>) -> Response {
    let desk = simulator.identity();
    let text = desk.find(&id).map(|process| format!("Proceso {} {}", process.id, process.word()));
    match text {
        Some(text) => ([(CONTENT_TYPE, "application/pdf")], pdf::of(&text)).into_response(),
        None => not_found(),
    }
}

fn not_found() -> Response {
    gateway::error(StatusCode::NOT_FOUND, "Resource not found")
}

/// Tells of one step of a process, if anybody listens.
pub fn tell(simulator: &Simulator, news: &desk::News) {
    let object = bodies::hook(&news.process);
    hooks::deliver(simulator, &simulator.habits.get(), "digital_identity.identity_process", news.action, &object);
}
