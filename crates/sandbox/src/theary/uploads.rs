//! Signed releases that are put where a signed link leads, in a step before the order.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::Simulator;
use super::calls::error;
use super::habits::Habits;
use super::orders::new_id;

const BUCKET: &str = "gs://sandbox-releases/";

fn uri(file: &str) -> String {
    format!("{BUCKET}{file}.pdf")
}

/// Gives out a link, and the address under which the file will be known.
pub async fn link(State(vendor): State<Arc<Simulator>>) -> Response {
    let file = new_id("release", &Habits::default());
    let own = vendor.tools.base_url.join(&format!("uploads/{file}?signature=sandbox")).map(String::from);
    let signed = vendor.habits.get().upload_link.or(own.ok()).unwrap_or_default();
    let file_uri = uri(&file);
    vendor.lock().links.insert(file);
    Json(json!({"signedUrl": signed, "fileUri": file_uri})).into_response()
}

/// Takes the file, as the storage behind the link does: it knows no tokens, only its own signature.
pub async fn put(
    State(vendor): State<Arc<Simulator>>,
    Path(file): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if headers.contains_key(AUTHORIZATION) {
        return error(StatusCode::BAD_REQUEST, "A signed link takes no Authorization header");
    }
    if headers.get(CONTENT_TYPE).is_none_or(|kind| kind != "application/pdf") || !body.starts_with(b"%PDF") {
        return error(StatusCode::BAD_REQUEST, "Expected a PDF");
    }
    let mut state = vendor.lock();
    if !state.links.remove(&file) {
        return error(StatusCode::FORBIDDEN, "The link has been used, or was never given out");
    }
    state.releases.insert(uri(&file));
    StatusCode::OK.into_response()
}

/// Whether an order names a file of this bucket that was never put there.
pub fn is_missing(release: &str, known: &std::collections::BTreeSet<String>) -> bool {
    release.starts_with(BUCKET) && !known.contains(release)
}
