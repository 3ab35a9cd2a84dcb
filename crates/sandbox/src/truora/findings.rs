//! What is beside a check's result: attachments and the files behind their links, the summary, the variables.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::account::Check;
use super::checks::{self, Cursor, not_found};
use super::{AttachmentFlaw, Habits, Simulator, bodies, pdf};

pub fn router() -> Router<Arc<Simulator>> {
    Router::new()
        .route("/v1/checks/{id}/attachments", get(attachments))
        .route("/v1/checks/{id}/summarize", get(summarize))
        .route("/v1/checks/{id}/variables", get(variables))
}

/// What a link leads to. It takes no key: the link is one.
pub fn files() -> Router<Arc<Simulator>> {
    Router::new().route("/attachments/{id}/{number}", get(file))
}

async fn attachments(
    State(simulator): State<Arc<Simulator>>,
    Path(id): Path<String>,
    Query(cursor): Query<Cursor>,
) -> Response {
    let after = match checks::decode(&cursor) {
        Ok(after) => after.and_then(|after| after.parse::<usize>().ok()),
        Err(refused) => return refused.into_response(),
    };
    let habits = simulator.habits.get();
    let account = simulator.account();
    let Some(check) = account.find(&id) else { return not_found() };
    let count = if check.status().is_final() { habits.attachments } else { 0 };
    let path = format!("/v1/checks/{id}/attachments");
    let from = after.map_or(0, |after| after + 1);
    let (rows, next) = checks::page(from..count.max(from), &path, ToString::to_string, &habits);
    let files: Vec<_> = rows.into_iter().map(|number| attachment(&simulator, &habits, check, number)).collect();
    Json(json!({ "files": files, "next": next, "self": path, "total": count })).into_response()
}

/// A source names its files as it likes, at times after the person.
fn attachment(simulator: &Simulator, habits: &Habits, check: &Check, number: usize) -> Value {
    let name = |field: &str| check.form.get(field).map_or("", String::as_str);
    let mut row = json!({
        "database_id": bodies::database_id(&format!("attachments {}", number / 2)),
        "file_name": format!("certificado {} {}.pdf", name("first_name"), name("last_name")),
        "link": link(simulator, habits, &check.id, number),
        "mime_type": "application/pdf",
    });
    match habits.attachment_flaw {
        AttachmentFlaw::WrongMime => row["mime_type"] = json!("image/png"),
        AttachmentFlaw::NoLink => row["link"] = Value::Null,
        AttachmentFlaw::ForeignHost => row["link"] = json!("https://files.example.net/attachment.pdf?Signature=x"),
        AttachmentFlaw::None | AttachmentFlaw::NotPdf | AttachmentFlaw::Endless | AttachmentFlaw::Silent => {}
    }
    row
}

fn link(simulator: &Simulator, habits: &Habits, check: &str, number: usize) -> String {
    let ends = (simulator.tools.clock.now() + Duration::from_millis(habits.link_ms)).unix_timestamp();
    let signature = signature(simulator, check, number, ends);
    format!("{}attachments/{check}/{number}?Expires={ends}&Signature={signature}", simulator.tools.base_url)
}

fn signature(simulator: &Simulator, check: &str, number: usize, ends: i64) -> String {
    hex::encode(Sha256::digest(format!("{}/{check}/{number}/{ends}", simulator.config.hook_key)))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Signed {
    expires: i64,
    signature: String,
}

async fn file(
    State(simulator): State<Arc<Simulator>>,
    Path((id, number)): Path<(String, usize)>,
    Query(signed): Query<Signed>,
    headers: HeaderMap,
) -> Response {
    if headers.contains_key("truora-api-key") {
        return (StatusCode::BAD_REQUEST, "Only one auth mechanism allowed").into_response();
    }
    let is_good = signed.signature == signature(&simulator, &id, number, signed.expires)
        && simulator.tools.clock.now().unix_timestamp() <= signed.expires;
    if !is_good {
        return (StatusCode::FORBIDDEN, "Access denied").into_response();
    }
    let pdf = pdf::of(&format!("Certificado {id} {number}"));
    let beginning = stream::iter([Ok::<_, Infallible>(Bytes::copy_from_slice(&pdf))]);
    let body = match simulator.habits.get().attachment_flaw {
        AttachmentFlaw::NotPdf => Body::from("<html><p>Not here</p></html>"),
        AttachmentFlaw::Endless => {
            const MORE: Bytes = Bytes::from_static(&[b'%'; 64 * 1024]);
            Body::from_stream(beginning.chain(stream::repeat_with(|| Ok(MORE))))
        }
        AttachmentFlaw::Silent => Body::from_stream(beginning.chain(stream::pending())),
        _ => Body::from(pdf),
    };
    ([(CONTENT_TYPE, "application/pdf")], body).into_response()
}

/// Written by a machine, in English where nothing else is asked for.
async fn summarize(State(simulator): State<Arc<Simulator>>, Path(id): Path<String>) -> Response {
    match simulator.account().find(&id) {
        Some(check) => {
            let text = format!("\nThe background check is {}.", check.status().as_str().replace('_', " "));
            Json(json!({ "summary": text })).into_response()
        }
        None => not_found(),
    }
}

async fn variables(State(simulator): State<Arc<Simulator>>, Path(id): Path<String>) -> Response {
    let takes = Duration::from_millis(simulator.habits.get().variables_ms);
    match simulator.account().find(&id) {
        Some(check) => {
            let is_ready = check.has_variables(&simulator.tools.clock, takes);
            let link = format!("/v1/checks/{id}");
            let records = if is_ready { json!({ "count": 0 }) } else { json!({}) };
            Json(json!({
                "check_id": id, "check": link, "details": format!("{link}/details"), "country": check.form.get("country"),
                "check_status": check.status().as_str(),
                "variables_status": if is_ready { "completed" } else { "in_progress" },
                "person": { "criminal_records": records },
            }))
            .into_response()
        }
        None => not_found(),
    }
}
