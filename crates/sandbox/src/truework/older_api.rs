//! The endpoints of versions 2020-12-07 and 2022-08-01.

use std::sync::Arc;

use axum::Json;
use axum::extract::{OriginalUri, Path, Query, State};
use axum::response::IntoResponse as _;
use axum::routing::{MethodRouter, get, post, put};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Simulator;
use super::api::{Shared, report_pdf};
use super::caller::{Answer, Caller, Filter, Paging, invalid, json_of, not_found, refusal};
use super::dress::finish;
use super::intake::Request;
use super::order::{Mode, Order, Verification};

pub fn routes() -> [(&'static str, MethodRouter<Arc<Simulator>>); 7] {
    [
        ("/verification-requests", get(list).post(create)),
        ("/verification-requests/{id}", get(fetch)),
        ("/verification-requests/{id}/cancel", put(cancel)),
        ("/verification-requests/{id}/reverify", put(reverify)),
        ("/verification-requests/{id}/reports/{report}", get(report)),
        ("/credentials/session", post(session)),
        ("/widget/{token}", get(sign_in)),
    ]
}

/// `sync` waits for the end, and is for requests without an employer only.
fn is_sync(headers: &HeaderMap) -> bool {
    headers.get("request-sync").is_some_and(|value| value.as_bytes() == b"sync")
}

async fn create(State(simulator): Shared, caller: Caller, headers: HeaderMap, body: Bytes) -> Answer {
    let body = json_of(&body)?;
    let has_company = body["target"].get("company").is_some_and(|company| !company.is_null());
    let mode = match (is_sync(&headers), has_company) {
        (true, true) => {
            return Err(refusal(StatusCode::BAD_REQUEST, "A synchronous request cannot name a company."));
        }
        (true, false) => {
            simulator.search().await;
            Mode::EmployerSearch
        }
        (false, true) => Mode::TargetEmployer,
        // Found instantly or not at all, but answered before that.
        (false, false) => Mode::Reverification,
    };
    let order = simulator.make(mode, Request::read_older(mode, &body), true)?;
    simulator.answer_with(order, &caller.version, StatusCode::CREATED)
}

impl Simulator {
    /// Keeps a new order, and shows its verification.
    fn answer_with(&self, order: Order, version: &str, status: StatusCode) -> Answer {
        let habits = self.habits.get();
        let only = order.verifications.first().ok_or_else(not_found)?;
        let view = self.older_view(&habits, &order, only, version, false);
        self.state().add(order);
        Ok((status, Json(finish(&habits, view))).into_response())
    }
}

async fn list(
    State(simulator): Shared,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Query(filter): Query<Filter>,
) -> Answer {
    let habits = simulator.habits.get();
    // There is no search key in these versions; whoever sends one is not heard.
    let paging = Paging::read(&habits, uri.path(), &filter.without_key())?;
    let clock = &simulator.tools.clock;
    let state = simulator.state();
    let listed = state.orders.iter().filter(|order| simulator.is_listed(&habits, order));
    let mut rows: Vec<(&Order, &Verification)> =
        listed.flat_map(|order| order.begun(clock).map(move |verification| (order, verification))).collect();
    if let Some(wanted) = paging.state() {
        rows.retain(|(_, verification)| verification.state(clock) == wanted);
    }
    if habits.newest_first {
        rows.reverse();
    }
    let view = |(order, verification): &(&Order, &Verification)| {
        simulator.older_view(&habits, order, verification, &caller.version, false)
    };
    Ok(Json(finish(&habits, simulator.envelope(&paging, &rows, view))).into_response())
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    income_analytics: bool,
}

async fn fetch(
    State(simulator): Shared,
    caller: Caller,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Answer {
    let habits = simulator.habits.get();
    let state = simulator.state();
    let (order, verification) = state.verification(&id, &simulator.tools.clock).ok_or_else(not_found)?;
    let view = simulator.older_view(&habits, order, verification, &caller.version, wanted.income_analytics);
    Ok(Json(finish(&habits, view)).into_response())
}

async fn cancel(State(simulator): Shared, _: Caller, Path(id): Path<String>, body: Bytes) -> Answer {
    let order_id = {
        let state = simulator.state();
        state.verification(&id, &simulator.tools.clock).ok_or_else(not_found)?.0.id.clone()
    };
    simulator.stop(&order_id, &body)?;
    let habits = simulator.habits.get();
    if habits.empty_cancel {
        return Ok(StatusCode::OK.into_response());
    }
    let state = simulator.state();
    let (order, verification) = state.verification(&id, &simulator.tools.clock).ok_or_else(not_found)?;
    Ok(Json(finish(&habits, simulator.older_cancel_view(order, verification))).into_response())
}

async fn reverify(
    State(simulator): Shared,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let body = json_of(&body)?;
    let report = body["report_id"].as_str();
    let report = report.ok_or_else(|| invalid(&json!({ "report_id": ["This field is required."] })))?;
    {
        let state = simulator.state();
        let (order, verification) = state.verification(&id, &simulator.tools.clock).ok_or_else(not_found)?;
        if !verification.report_ids.iter().any(|known| known == report) {
            return Err(not_found());
        }
        if is_sync(&headers) && order.mode != Mode::EmployerSearch {
            return Err(refusal(StatusCode::BAD_REQUEST, "The original was not synchronous."));
        }
    }
    let order = simulator.again(report, true)?;
    let status = StatusCode::from_u16(simulator.habits.get().reverify_status).unwrap_or(StatusCode::CREATED);
    simulator.answer_with(order, &caller.version, status)
}

async fn report(
    State(simulator): Shared,
    caller: Caller,
    Path((id, report)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
) -> Answer {
    let habits = simulator.habits.get();
    let state = simulator.state();
    let (order, verification, place) = state.report(&report).ok_or_else(not_found)?;
    if verification.id != id {
        return Err(not_found());
    }
    if verification.state(&simulator.tools.clock) != "completed" {
        return Err(refusal(StatusCode::BAD_REQUEST, "The verification is not completed."));
    }
    if caller.wants_pdf {
        return Ok(report_pdf(&report, verification.employments()[place].title));
    }
    let view = simulator.older_report_view(&habits, order, verification, place, wanted.income_analytics);
    Ok(Json(finish(&habits, view)).into_response())
}

/// The applicant's session. It cannot be looked at again; what comes of it are verifications like any others. Nobody but the
/// caller has the token, so nobody signs in before the widget is opened with it.
async fn session(State(simulator): Shared, _: Caller, body: Bytes) -> Answer {
    let request = Request::read_older(Mode::Reverification, &json_of(&body)?);
    let mut order = simulator.make(Mode::Direct, request, true)?;
    order.wait_for_the_widget();
    let view: Value = json!({ "id": order.id, "token": order.session_token });
    simulator.state().add(order);
    Ok((StatusCode::CREATED, Json(view)).into_response())
}

/// Stands for the widget, opened with a session's token: the applicant signs in at once.
async fn sign_in(State(simulator): Shared, Path(token): Path<String>) -> Answer {
    let now = simulator.tools.clock.now();
    let mut state = simulator.state();
    let session = state.orders.iter_mut().find(|order| order.is_older && order.session_token == token);
    session.ok_or_else(not_found)?.sign_in(now);
    Ok(StatusCode::NO_CONTENT.into_response())
}
