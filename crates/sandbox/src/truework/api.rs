//! The simulator's endpoints.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, OriginalUri, Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post, put};
use axum::{Json, Router};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::cases::{Ending, ending};
use super::intake::Request;
use super::order::{Cancellation, Mode, Order};
use super::views::{Extent, finish};
use super::{Simulator, pdf};

type Shared = State<Arc<Simulator>>;

/// The versions there are, oldest first. Only the last one is played.
const VERSIONS: &[&str] = &["2019-10-15", "2020-12-07", "2022-08-01", "2023-10-30"];

pub fn router(simulator: Arc<Simulator>) -> Router {
    let mut router = Router::new();
    for (path, route) in [
        ("/orders/target-employer", post(target_employer)),
        ("/orders/employer-search", post(employer_search)),
        ("/orders", get(list)),
        ("/orders/{id}", get(fetch)),
        ("/orders/{id}/cancel", put(cancel)),
        ("/reports/{id}", get(report)),
        ("/applicant-documents/{id}", get(applicant_document)),
    ] {
        // The documents print no slash at the end, the official clients send one.
        let route: MethodRouter<Arc<Simulator>> = route;
        router = router.route(path, route.clone()).route(&format!("{path}/"), route);
    }
    router.fallback(async || not_found()).with_state(simulator)
}

/// An answer other than the one that was wished for.
struct Refusal {
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

fn refusal(status: StatusCode, message: &str) -> Refusal {
    Refusal { status, error: json!({ "message": message }), retry_after: None }
}

fn invalid(fields: &Value) -> Refusal {
    let error = json!({ "message": "Invalid field values provided", "invalid_fields": fields });
    Refusal { status: StatusCode::BAD_REQUEST, error, retry_after: None }
}

fn not_found() -> Refusal {
    refusal(StatusCode::NOT_FOUND, "Not found.")
}

type Answer = Result<Response, Refusal>;

/// A caller with a good key, who asks for a version that the key may ask for, within the rate limit.
struct Caller {
    wants_pdf: bool,
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
        let is_report = parts.uri.path().starts_with("/reports/");
        let wants_pdf = media_type == "application/pdf";
        if !is_new_enough || wants_pdf && !is_report {
            return Err(refusal(StatusCode::NOT_ACCEPTABLE, "Invalid API version."));
        }
        if VERSIONS.last() != Some(&wanted) {
            // What the vendor answers to a path that the version does not have is unknown; this is ours.
            return Err(refusal(StatusCode::NOT_IMPLEMENTED, "Not implemented in this version."));
        }
        simulator.limit()?;
        Ok(Self { wants_pdf })
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

    fn create(&self, mode: Mode, body: &Bytes, extent: Extent) -> Answer {
        let body = serde_json::from_slice(body).map_err(|_| refusal(StatusCode::BAD_REQUEST, "JSON parse error."))?;
        let request = Request::read(mode, &body).map_err(|fields| invalid(&fields))?;
        if ending(&request.ssn_digits()) == Some(Ending::Frozen) {
            return Err(refusal(StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS, "Frozen SSN"));
        }
        let habits = self.habits.get();
        let mut state = self.state();
        let order = Order::new(&mut state, mode, request, &habits, self.tools.clock.now());
        let view = self.order_view(&habits, &order, extent);
        state.add(order);
        Ok((StatusCode::CREATED, Json(finish(&habits, view))).into_response())
    }
}

async fn target_employer(State(simulator): Shared, _: Caller, body: Bytes) -> Answer {
    simulator.create(Mode::TargetEmployer, &body, Extent::default())
}

#[derive(Deserialize)]
struct Analytics {
    #[serde(default)]
    include_income_analytics: bool,
}

async fn employer_search(State(simulator): Shared, _: Caller, Query(query): Query<Analytics>, body: Bytes) -> Answer {
    let took = simulator.habits.get().search_ms;
    if took > 0 {
        tokio::time::sleep(Duration::from_millis(took)).await;
    }
    simulator.create(Mode::EmployerSearch, &body, Extent { analytics: query.include_income_analytics })
}

#[derive(Deserialize)]
struct Filter {
    limit: Option<String>,
    offset: Option<String>,
    search_key: Option<String>,
    verification_id: Option<String>,
}

async fn list(
    State(simulator): Shared,
    _: Caller,
    OriginalUri(uri): OriginalUri,
    Query(filter): Query<Filter>,
) -> Answer {
    let habits = simulator.habits.get();
    let limit = number("limit", filter.limit.as_ref(), 25)?.clamp(1, habits.max_limit.max(1));
    let offset = number("offset", filter.offset.as_ref(), 0)?;
    let state = simulator.state();
    let now = simulator.tools.clock.now();
    let is_listed = |order: &&Order| now - order.created >= Duration::from_millis(habits.list_lag_ms);
    let key = filter.search_key.as_deref().filter(|_| !habits.ignore_search_key);
    let mut orders: Vec<&Order> = match key {
        Some(key) if !habits.loose_search_key => {
            state.by_search_key.get(key).into_iter().flatten().map(|place| &state.orders[*place]).collect()
        }
        Some(key) => {
            let begins = |order: &&Order| order.request.search_key.as_ref().is_some_and(|known| known.starts_with(key));
            state.orders.iter().filter(begins).collect()
        }
        None => state.orders.iter().collect(),
    };
    orders.retain(is_listed);
    if let Some(verification) = &filter.verification_id {
        orders.retain(|order| order.verification_id == *verification);
    }
    if habits.newest_first {
        orders.reverse();
    }
    let page = |offset: usize| {
        let mut url = simulator.tools.base_url.clone();
        url.set_path(uri.path());
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("limit", &limit.to_string());
            // The vendor's own sample drops an offset of 0.
            if offset > 0 {
                query.append_pair("offset", &offset.to_string());
            }
            if let Some(key) = &filter.search_key {
                query.append_pair("search_key", key);
            }
        }
        url.to_string()
    };
    let results: Vec<Value> = orders
        .iter()
        .skip(offset)
        .take(limit)
        .map(|order| finish(&habits, simulator.order_view(&habits, order, Extent::default())))
        .collect();
    let envelope = json!({
        "count": orders.len(),
        "next": (offset + limit < orders.len()).then(|| page(offset + limit)),
        "previous": (offset > 0).then(|| page(offset.saturating_sub(limit))),
        "results": results,
    });
    Ok(Json(finish(&habits, envelope)).into_response())
}

fn number(name: &str, text: Option<&String>, default: usize) -> Result<usize, Refusal> {
    let wrong = || invalid(&json!({ name: ["A valid integer is required."] }));
    text.map_or(Ok(default), |text| text.parse().map_err(|_| wrong()))
}

async fn fetch(State(simulator): Shared, _: Caller, Path(id): Path<String>) -> Answer {
    let habits = simulator.habits.get();
    let state = simulator.state();
    let order = state.find(&id).ok_or_else(not_found)?;
    Ok(Json(finish(&habits, simulator.order_view(&habits, order, Extent::default()))).into_response())
}

const REASONS: &[&str] = &["immediate", "high-turnaround-time", "competitor", "wrong-info", "other"];

async fn cancel(State(simulator): Shared, _: Caller, Path(id): Path<String>, body: Bytes) -> Answer {
    let habits = simulator.habits.get();
    let clock = &simulator.tools.clock;
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let reason = body["cancellation_reason"].as_str().filter(|reason| REASONS.contains(reason));
    let reason = reason.ok_or_else(|| invalid(&json!({ "cancellation_reason": ["This field is required."] })))?;
    let mut state = simulator.state();
    let order = state.find_mut(&id).ok_or_else(not_found)?;
    let now = order.state(clock);
    if Order::is_ended(now) {
        let status = StatusCode::from_u16(habits.cancel_ended_status).unwrap_or(StatusCode::BAD_REQUEST);
        return Err(refusal(status, "The order cannot be canceled."));
    }
    let is_young = clock.elapsed_since(order.created) < Duration::from_hours(48);
    if habits.two_day_rule && reason != "immediate" && is_young {
        return Err(refusal(StatusCode::FORBIDDEN, "The order cannot be canceled yet."));
    }
    let details = body["cancellation_details"].as_str().map(str::to_owned);
    order.canceled = Some(Cancellation { reason: reason.to_owned(), details, after: now });
    let view = simulator.cancel_view(&habits, order);
    Ok(Json(finish(&habits, view)).into_response())
}

async fn report(
    State(simulator): Shared,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<Analytics>,
) -> Answer {
    let habits = simulator.habits.get();
    let state = simulator.state();
    let place_in = |order: &Order| order.report_ids.iter().position(|known| *known == id);
    let found = state.orders.iter().find_map(|order| Some((order, place_in(order)?)));
    let (order, place) = found.ok_or_else(not_found)?;
    if order.state(&simulator.tools.clock) != "completed" {
        return Err(refusal(StatusCode::BAD_REQUEST, "The verification is not completed."));
    }
    if caller.wants_pdf {
        let title = order.employments()[place].title;
        return Ok(document(&["Truework simulator".to_owned(), format!("Report {id}"), title.to_owned()]));
    }
    let extent = Extent { analytics: query.include_income_analytics };
    Ok(Json(finish(&habits, simulator.report_view(&habits, order, place, extent))).into_response())
}

/// A link that the vendor's answers give out; it needs the key like everything else.
async fn applicant_document(State(simulator): Shared, _: Caller, Path(id): Path<String>) -> Answer {
    simulator.state().find(&id).ok_or_else(not_found)?;
    Ok(document(&["Truework simulator".to_owned(), "A document of the applicant".to_owned()]))
}

fn document(lines: &[String]) -> Response {
    ([(CONTENT_TYPE, "application/pdf")], pdf::page(lines)).into_response()
}
