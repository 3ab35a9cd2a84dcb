//! `/openapi.json`, its rendering at `/docs`, and a page for each kind of problem. Everything comes from the binary.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Path;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_swagger_ui::Config;

use crate::app::App;
use crate::path::PathTexts;
use crate::problem::{Kind, Problem};
use crate::refusals::refusals;

/// Only what this gateway serves itself. The rendering sets styles on its elements, and draws icons inline.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
     font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// May be kept, and is asked for again each time.
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");

/// The document is the same for every caller and made once.
static DOCUMENT: LazyLock<Bytes> =
    LazyLock::new(|| crate::openapi::openapi().to_pretty_json().unwrap_or_default().into());

static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    let config = Config::from("/openapi.json").display_operation_id(true).doc_expansion("none").filter(true);
    Arc::new(config.try_it_out_enabled(false).persist_authorization(false).validator_url("none"))
});

/// The routes that are not part of the contract themselves.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/openapi.json", get(document))
        .route("/docs", get(|| async { Redirect::permanent("/docs/") }))
        .route("/docs/", get(|| async { rendering("index.html") }))
        .route("/docs/{*file}", get(|Path(file): Path<String>| async move { rendering(&file) }))
}

async fn document() -> Response {
    let headers = [(CONTENT_TYPE, HeaderValue::from_static("application/json")), (CACHE_CONTROL, REVALIDATE)];
    (headers, DOCUMENT.clone()).into_response()
}

fn rendering(file: &str) -> Response {
    match utoipa_swagger_ui::serve(file, Arc::clone(&CONFIG)) {
        Ok(Some(found)) => {
            let mut response = found.bytes.into_owned().into_response();
            let headers = response.headers_mut();
            if let Ok(kind) = HeaderValue::from_str(&found.content_type) {
                headers.insert(CONTENT_TYPE, kind);
            }
            if found.gzpipped {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            headers.insert(CONTENT_SECURITY_POLICY, POLICY);
            headers.insert(CACHE_CONTROL, REVALIDATE);
            response
        }
        Ok(None) => Problem::not_found("file").into_response(),
        Err(error) => Problem::internal(&error).into_response(),
    }
}

/// What a kind of problem means.
#[derive(Serialize, ToSchema)]
pub struct ProblemKind {
    #[serde(rename = "type")]
    #[schema(format = "uri-reference", examples("/problems/not-found"))]
    uri: String,
    title: &'static str,
    status: u16,
    /// What it means.
    meaning: &'static str,
    /// What to do about it.
    advice: &'static str,
}

impl ProblemKind {
    pub fn of(kind: Kind) -> Self {
        Self {
            uri: kind.type_uri(),
            title: kind.title(),
            status: kind.status().as_u16(),
            meaning: kind.meaning().trim(),
            advice: kind.advice(),
        }
    }
}

/// What a kind of problem means
///
/// The `type` of every error answer leads here. As a page for browsers, else as JSON.
#[utoipa::path(
    get, path = "/problems/{kind}", operation_id = "getProblemKind", tag = "problems",
    params(("kind" = String, Path, description = "The last part of a problem's `type`.", example = "not-found")),
    responses(
        (status = 200, description = "What it means.", content(
            (ProblemKind = "application/json", example = json!(ProblemKind::of(Kind::NotFound))),
            (String = "text/html"),
        )),
        KindRefusals,
    ),
    security(())
)]
pub async fn problem_kind(PathTexts(texts): PathTexts, headers: HeaderMap) -> Result<Response, Problem> {
    let slug = texts.into_iter().next().unwrap_or_default();
    let kind =
        Kind::ALL.iter().find(|kind| kind.slug() == slug).ok_or_else(|| Problem::not_found("kind of problem"))?;
    let kind = ProblemKind::of(*kind);
    let wants_page =
        headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/html"));
    if !wants_page {
        return Ok(axum::Json(kind).into_response());
    }
    // All of it is our own text.
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\
         <h1>{title}</h1><p>Status {status}</p><p>{meaning}</p><p>{advice}</p></html>",
        title = kind.title,
        status = kind.status,
        meaning = kind.meaning,
        advice = kind.advice,
    );
    Ok(([(CONTENT_SECURITY_POLICY, POLICY)], Html(page)).into_response())
}

refusals!(KindRefusals: ; NotFound, Internal, Unavailable);
