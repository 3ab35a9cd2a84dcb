//! The simulator's endpoints.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{OriginalUri, Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post, put};
use axum::{Json, Router};
use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::{Answer, Caller, Filter, Paging, Refusal, invalid, json_of, not_found, refusal};
use super::cases::{Ending, ending};
use super::dress::finish;
use super::intake::Request;
use super::order::{Cancellation, Mode, Order, Verification};
use super::views::Extent;
use super::{Habits, Simulator, older_api, pdf, signing};

pub type Shared = State<Arc<Simulator>>;

pub fn router(simulator: Arc<Simulator>) -> Router {
    let mut router = Router::new();
    let newest = [
        ("/orders/target-employer", post(target_employer)),
        ("/orders/employer-search", post(employer_search)),
        ("/orders/truework-direct", post(direct)),
        ("/orders/reverification", post(reverification)),
        ("/orders", get(list)),
        ("/orders/{id}", get(fetch)),
        ("/orders/{id}/cancel", put(cancel)),
        ("/orders/{id}/events", get(events)),
        ("/reports/{id}", get(report)),
        ("/applicant-documents/{id}", get(applicant_document)),
    ];
    for (path, route) in newest.into_iter().chain(older_api::routes()) {
        // The documents print no slash at the end, the official clients send one.
        let route: MethodRouter<Arc<Simulator>> = route;
        router = router.route(path, route.clone()).route(&format!("{path}/"), route);
    }
    let signed = axum::middleware::from_fn_with_state(Arc::clone(&simulator), signing::sign);
    router.fallback(async || not_found()).with_state(simulator).layer(signed)
}

impl Simulator {
    /// Makes an order of what was read, unless its subject's number is frozen.
    pub fn make(&self, mode: Mode, request: Result<Request, Value>, is_older: bool) -> Result<Order, Refusal> {
        let request = request.map_err(|fields| invalid(&fields))?;
        if ending(&request.ssn_digits()) == Some(Ending::Frozen) {
            return Err(refusal(StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS, "Frozen SSN"));
        }
        let habits = self.habits.get();
        let order = Order::new(&mut self.state(), mode, request, &habits, self.tools.clock.now());
        Ok(Order { is_older, ..order })
    }

    fn create(&self, mode: Mode, body: &Bytes, extent: Extent) -> Answer {
        let order = self.make(mode, Request::read(mode, &json_of(body)?), false)?;
        let habits = self.habits.get();
        let view = self.order_view(&habits, &order, extent);
        self.state().add(order);
        Ok((StatusCode::CREATED, Json(finish(&habits, view))).into_response())
    }

    /// A reverification of this report, if it is of a completed verification and young enough.
    pub fn again(&self, report_id: &str, is_older: bool) -> Result<Order, Refusal> {
        let clock = &self.tools.clock;
        let (request, parent, completed) = {
            let state = self.state();
            let (order, verification, _) = state.report(report_id).ok_or_else(not_found)?;
            let completed = (verification.state(clock) == "completed").then(|| verification.completed_at());
            (order.request.again(), order.id.clone(), completed)
        };
        let is_young = completed.is_some_and(|at| clock.now() - at <= time::Duration::days(90));
        if !is_young {
            return Err(refusal(StatusCode::BAD_REQUEST, "The report cannot be reverified."));
        }
        let order = self.make(Mode::Reverification, Ok(request), is_older)?;
        Ok(Order { parent: Some(parent), ..order })
    }

    /// The caller's reason, and what it stops: everything of the order that has not ended.
    pub fn stop(&self, id: &str, body: &Bytes) -> Result<(), Refusal> {
        let habits = self.habits.get();
        let clock = &self.tools.clock;
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let reason = body["cancellation_reason"].as_str().filter(|reason| REASONS.contains(reason));
        let reason = reason.ok_or_else(|| invalid(&json!({ "cancellation_reason": ["This field is required."] })))?;
        let mut state = self.state();
        let order = state.find_mut(id).ok_or_else(not_found)?;
        let is_young = clock.elapsed_since(order.created) < Duration::from_hours(48);
        if order.is_over(clock) {
            let status = StatusCode::from_u16(habits.cancel_ended_status).unwrap_or(StatusCode::BAD_REQUEST);
            return Err(refusal(status, "The order cannot be canceled."));
        }
        if habits.two_day_rule && reason != "immediate" && is_young {
            return Err(refusal(StatusCode::FORBIDDEN, "The order cannot be canceled yet."));
        }
        // A Direct order that nobody signed in to has nothing to stop yet.
        let now = clock.now();
        for verification in order.verifications.iter_mut().filter(|verification| verification.created <= now) {
            let after = verification.state(clock);
            if !Verification::is_ended(after) {
                let details = body["cancellation_details"].as_str().map(str::to_owned);
                verification.canceled = Some(Cancellation { reason: reason.to_owned(), details, after, at: now });
            }
        }
        Ok(())
    }
}

async fn target_employer(State(simulator): Shared, _: Caller, body: Bytes) -> Answer {
    simulator.create(Mode::TargetEmployer, &body, Extent::default())
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    include_income_analytics: bool,
    #[serde(default)]
    include_report_annotations: bool,
}

impl Wanted {
    /// Analytics are for reports and searches only.
    const fn all(&self) -> Extent {
        Extent { analytics: self.include_income_analytics, annotations: self.include_report_annotations }
    }

    const fn of_order(&self) -> Extent {
        Extent { analytics: false, annotations: self.include_report_annotations }
    }
}

async fn employer_search(State(simulator): Shared, _: Caller, Query(wanted): Query<Wanted>, body: Bytes) -> Answer {
    simulator.search().await;
    simulator.create(Mode::EmployerSearch, &body, wanted.all())
}

impl Simulator {
    /// Takes the time that a search takes.
    pub async fn search(&self) {
        let took = self.habits.get().search_ms;
        if took > 0 {
            tokio::time::sleep(Duration::from_millis(took)).await;
        }
    }
}

async fn direct(State(simulator): Shared, _: Caller, body: Bytes) -> Answer {
    simulator.create(Mode::Direct, &body, Extent::default())
}

/// Which header value is used makes no difference here: a reverification is answered before it is done.
async fn reverification(State(simulator): Shared, _: Caller, body: Bytes) -> Answer {
    let body = json_of(&body)?;
    let report = body["report_id"].as_str();
    let report = report.ok_or_else(|| invalid(&json!({ "report_id": ["This field is required."] })))?;
    let order = simulator.again(report, false)?;
    let habits = simulator.habits.get();
    let view = simulator.order_view(&habits, &order, Extent::default());
    simulator.state().add(order);
    let status = StatusCode::from_u16(habits.reverify_status).unwrap_or(StatusCode::CREATED);
    Ok((status, Json(finish(&habits, view))).into_response())
}

async fn list(
    State(simulator): Shared,
    _: Caller,
    OriginalUri(uri): OriginalUri,
    Query(filter): Query<Filter>,
) -> Answer {
    let habits = simulator.habits.get();
    let paging = Paging::read(&habits, uri.path(), &filter)?;
    let clock = &simulator.tools.clock;
    let state = simulator.state();
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
    orders.retain(|order| simulator.is_listed(&habits, order));
    if let Some(wanted) = &filter.verification_id {
        orders.retain(|order| order.begun(clock).any(|verification| verification.id == *wanted));
    }
    if habits.newest_first {
        orders.reverse();
    }
    let extent = Extent { analytics: false, annotations: filter.include_report_annotations };
    let view = |order: &&Order| simulator.order_view(&habits, order, extent);
    Ok(Json(finish(&habits, simulator.envelope(&paging, &orders, view))).into_response())
}

impl Simulator {
    /// New ones take a while to be listed, where the switch says so.
    pub fn is_listed(&self, habits: &Habits, order: &Order) -> bool {
        self.tools.clock.now() - order.created >= Duration::from_millis(habits.list_lag_ms)
    }
}

async fn fetch(State(simulator): Shared, _: Caller, Path(id): Path<String>, Query(wanted): Query<Wanted>) -> Answer {
    let habits = simulator.habits.get();
    let state = simulator.state();
    let order = state.find(&id).ok_or_else(not_found)?;
    Ok(Json(finish(&habits, simulator.order_view(&habits, order, wanted.of_order()))).into_response())
}

const REASONS: &[&str] = &["immediate", "high-turnaround-time", "competitor", "wrong-info", "other"];

async fn cancel(State(simulator): Shared, _: Caller, Path(id): Path<String>, body: Bytes) -> Answer {
    simulator.stop(&id, &body)?;
    let habits = simulator.habits.get();
    if habits.empty_cancel {
        return Ok(StatusCode::OK.into_response());
    }
    let state = simulator.state();
    let order = state.find(&id).ok_or_else(not_found)?;
    Ok(Json(finish(&habits, simulator.cancel_view(&habits, order))).into_response())
}

async fn events(
    State(simulator): Shared,
    _: Caller,
    OriginalUri(uri): OriginalUri,
    Path(id): Path<String>,
    Query(filter): Query<Filter>,
) -> Answer {
    let habits = simulator.habits.get();
    let paging = Paging::read(&habits, uri.path(), &filter)?;
    let state = simulator.state();
    let order = state.find(&id).ok_or_else(not_found)?;
    let events = simulator.events_of(&habits, order);
    Ok(Json(finish(&habits, simulator.envelope(&paging, &events, Value::clone))).into_response())
}

async fn report(
    State(simulator): Shared,
    caller: Caller,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Answer {
    let habits = simulator.habits.get();
    let state = simulator.state();
    let (order, verification, place) = state.report(&id).ok_or_else(not_found)?;
    if verification.state(&simulator.tools.clock) != "completed" {
        return Err(refusal(StatusCode::BAD_REQUEST, "The verification is not completed."));
    }
    if caller.wants_pdf {
        return Ok(report_pdf(&id, verification.employments()[place].title));
    }
    let view = simulator.report_view(&habits, order, verification, place, wanted.all());
    Ok(Json(finish(&habits, view)).into_response())
}

pub fn report_pdf(id: &str, title: &str) -> Response {
    document(&["Truework simulator".to_owned(), format!("Report {id}"), title.to_owned()])
}

/// A link that the vendor's answers give out; it needs the key like everything else.
async fn applicant_document(State(simulator): Shared, _: Caller, Path(id): Path<String>) -> Answer {
    simulator.state().find(&id).ok_or_else(not_found)?;
    Ok(document(&["Truework simulator".to_owned(), "A document of the applicant".to_owned()]))
}

fn document(lines: &[String]) -> Response {
    ([(CONTENT_TYPE, "application/pdf")], pdf::page(lines)).into_response()
}
