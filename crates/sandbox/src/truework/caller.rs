//! Who calls, in which version, for which part of a list; and the refusals.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Habits, Simulator};

/// The versions there are, oldest first. The first one is not played.
const VERSIONS: &[&str] = &["2019-10-15", "2020-12-07", "2022-08-01", "2023-10-30"];

/// Whether a version has verification requests instead of orders.
pub fn is_older(version: &str) -> bool {
    VERSIONS.last() != Some(&version)
}

/// An answer other than the one that was wished for.
pub struct Refusal {
    status: StatusCode,
    error: Value,
    retry_after: Option<u64>,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut answer = (self.status, Json(json!({ "error": self.error }))).into_response();
        if let Some(seconds) = self.retry_after {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }
}

pub fn refusal(status: StatusCode, message: &str) -> Refusal {
    Refusal { status, error: json!({ "message": message }), retry_after: None }
}

pub fn invalid(fields: &Value) -> Refusal {
    let error = json!({ "message": "Invalid field values provided", "invalid_fields": fields });
    Refusal { status: StatusCode::BAD_REQUEST, error, retry_after: None }
}

pub fn not_found() -> Refusal {
    refusal(StatusCode::NOT_FOUND, "Not found.")
}

pub type Answer = Result<Response, Refusal>;

/// A caller with a good key, who asks for a version that the key may ask for, within the rate limit.
pub struct Caller {
    pub wants_pdf: bool,
    pub version: String,
}

impl FromRequestParts<Arc<Simulator>> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, simulator: &Arc<Simulator>) -> Result<Self, Refusal> {
        let pin =
            simulator.pin_of(&parts.headers).ok_or_else(|| refusal(StatusCode::UNAUTHORIZED, "Invalid token."))?;
        let accept = parts.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or("*/*");
        let mut accept = accept.split(';').map(str::trim);
        let media_type = accept.next().unwrap_or_default();
        let wanted = accept.find_map(|parameter| parameter.strip_prefix("version=")).unwrap_or(&pin);
        let age = |version: &str| VERSIONS.iter().position(|known| *known == version);
        let is_new_enough = age(wanted).is_some_and(|wanted| age(&pin).is_some_and(|pin| wanted >= pin));
        let path = parts.uri.path();
        let is_report = path.starts_with("/reports/") || path.contains("/reports/");
        let wants_pdf = media_type == "application/pdf";
        if !is_new_enough || wants_pdf && !is_report {
            return Err(refusal(StatusCode::NOT_ACCEPTABLE, "Invalid API version."));
        }
        if VERSIONS.first() == Some(&wanted) {
            return Err(refusal(StatusCode::NOT_IMPLEMENTED, "Not implemented in this version."));
        }
        let is_of_older = path.starts_with("/verification-requests") || path.starts_with("/credentials/");
        if is_of_older != is_older(wanted) && !path.starts_with("/applicant-documents/") {
            let status = StatusCode::from_u16(simulator.habits.get().absent_path).unwrap_or(StatusCode::NOT_FOUND);
            return Err(refusal(status, "Not in this version."));
        }
        simulator.limit()?;
        Ok(Self { wants_pdf, version: wanted.to_owned() })
    }
}

impl Simulator {
    /// The version that the caller's key is pinned to.
    fn pin_of(&self, headers: &HeaderMap) -> Option<String> {
        let key = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
        if key == self.config.api_key {
            return Some(self.config.pin.clone());
        }
        self.config.further_keys.iter().find(|(known, _)| known == key).map(|(_, pin)| pin.clone())
    }

    /// So many requests in any second, where the switch is set.
    fn limit(&self) -> Result<(), Refusal> {
        let habits = self.habits.get();
        if habits.rate_limit == 0 {
            return Ok(());
        }
        let now = self.tools.clock.now();
        let mut state = self.state();
        while state.recent.front().is_some_and(|at| now - *at >= Duration::from_secs(1)) {
            state.recent.pop_front();
        }
        if state.recent.len() >= habits.rate_limit {
            let throttled = refusal(StatusCode::TOO_MANY_REQUESTS, "Request was throttled.");
            return Err(Refusal { retry_after: habits.retry_after, ..throttled });
        }
        state.recent.push_back(now);
        Ok(())
    }

    /// One page of a list, and where its neighbours are.
    pub fn envelope<T>(&self, paging: &Paging, rows: &[T], view: impl Fn(&T) -> Value) -> Value {
        let Paging { limit, offset, .. } = *paging;
        let page = |offset: usize| {
            let mut url = self.tools.base_url.clone();
            url.set_path(&paging.path);
            {
                let mut query = url.query_pairs_mut();
                query.append_pair("limit", &limit.to_string());
                // The vendor's own sample drops an offset of 0.
                if offset > 0 {
                    query.append_pair("offset", &offset.to_string());
                }
                if let Some(key) = &paging.search_key {
                    query.append_pair("search_key", key);
                }
            }
            url.to_string()
        };
        let results: Vec<Value> = rows.iter().skip(offset).take(limit).map(view).collect();
        json!({
            "count": rows.len(),
            "next": (offset + limit < rows.len()).then(|| page(offset + limit)),
            "previous": (offset > 0).then(|| page(offset.saturating_sub(limit))),
            "results": results,
        })
    }
}

/// Which part of a list is asked for.
pub struct Paging {
    path: String,
    limit: usize,
    offset: usize,
    search_key: Option<String>,
    state: Option<String>,
}

impl Paging {
    /// The state that all of it is to have.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    pub fn read(habits: &Habits, path: &str, filter: &Filter) -> Result<Self, Refusal> {
        Ok(Self {
            path: path.to_owned(),
            limit: number("limit", filter.limit.as_ref(), 25)?.clamp(1, habits.max_limit.max(1)),
            offset: number("offset", filter.offset.as_ref(), 0)?,
            search_key: filter.search_key.clone(),
            state: filter.state.clone(),
        })
    }
}

pub fn json_of(body: &Bytes) -> Result<Value, Refusal> {
    serde_json::from_slice(body).map_err(|_| refusal(StatusCode::BAD_REQUEST, "JSON parse error."))
}

#[derive(Deserialize)]
pub struct Filter {
    limit: Option<String>,
    offset: Option<String>,
    pub search_key: Option<String>,
    pub verification_id: Option<String>,
    state: Option<String>,
    #[serde(default)]
    pub include_report_annotations: bool,
}

impl Filter {
    pub fn without_key(self) -> Self {
        Self { search_key: None, ..self }
    }
}

fn number(name: &str, text: Option<&String>, default: usize) -> Result<usize, Refusal> {
    let wrong = || invalid(&json!({ name: ["A valid integer is required."] }));
    text.map_or(Ok(default), |text| text.parse().map_err(|_| wrong()))
}
