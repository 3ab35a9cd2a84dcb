//! The vendor's endpoints.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, Path, Query, State};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use bytes::Bytes;
use http::{Method, StatusCode, Uri};
use serde::Deserialize;
use serde_json::{Value, json};

use super::habits::Habits;
use super::orders::{self, Order, bare, throws};
use super::store::{Page, State as Books, listed_until};
use super::tokens::{self, Tenant};
use super::{Simulator, strangers, uploads};
use crate::books::CreateCall;
use crate::clock::rfc3339;

pub const BASE: &str = "/background-check/v1";

type Vendor = State<Arc<Simulator>>;

pub fn router(vendor: Arc<Simulator>) -> Router {
    let api = Router::new()
        .route("/orders", post(create_order).get(list_orders))
        .route("/orders/{id}", get(get_order).delete(delete_order))
        .route("/orders/{id}/searches", get(get_searches))
        .route("/orders/{id}/searches/{search}", get(get_search))
        .route("/orders/{id}/events", get(get_events))
        .route("/batches", post(create_batch).get(list_batches))
        .route("/batches/{id}", get(get_batch).delete(delete_batch));
    Router::new()
        .nest(BASE, api)
        .route("/files/release-form/generate-upload-url", get(uploads::link))
        .layer(middleware::from_fn_with_state(Arc::clone(&vendor), tokens::authenticate))
        .route("/health", get(async || Json(json!({"success": true, "image": "verification-api:latest"}))))
        .route("/oauth/token", post(tokens::give))
        .route("/uploads/{id}", put(uploads::put))
        .fallback(nowhere)
        .with_state(vendor)
}

/// An error in the vendor's general form. A 401 has no `error`.
pub fn error_body(status: StatusCode, message: &Value) -> Value {
    if status == StatusCode::UNAUTHORIZED {
        return json!({"statusCode": 401, "message": message});
    }
    json!({"statusCode": status.as_u16(), "message": message, "error": status.canonical_reason()})
}

pub fn error(status: StatusCode, message: impl Into<Value>) -> Response {
    (status, Json(error_body(status, &message.into()))).into_response()
}

/// A 404 in a form of its own.
fn no_order(id: &str, habits: &Habits) -> Response {
    not_found(json!({"error": "Order not found", "orderId": id}), habits)
}

fn not_found(own: Value, habits: &Habits) -> Response {
    if habits.general_404 {
        return error(StatusCode::NOT_FOUND, own["error"].clone());
    }
    (StatusCode::NOT_FOUND, Json(own)).into_response()
}

async fn nowhere(method: Method, uri: Uri) -> Response {
    error(StatusCode::NOT_FOUND, format!("Cannot {method} {}", uri.path()))
}

const fn created(habits: &Habits) -> StatusCode {
    if habits.post_status_200 { StatusCode::OK } else { StatusCode::CREATED }
}

/// What is wrong with an order, or the throw inside its create.
fn refusal(order: &Value, habits: &Habits, state: &Books) -> Option<Value> {
    let mut faults = super::demands::faults(order, habits);
    let release = order["applicant"]["signedReleaseFileUrl"].as_str().unwrap_or_default();
    if habits.release_must_exist && uploads::is_missing(release, &state.releases) {
        faults.push("applicant.signedReleaseFileUrl does not exist".to_owned());
    }
    if !faults.is_empty() {
        return Some(faults.into());
    }
    throws(order).then(|| "The applicant could not be processed".into())
}

async fn create_order(State(vendor): Vendor, Extension(Tenant(tenant)): Extension<Tenant>, body: Bytes) -> Response {
    let habits = vendor.habits.get();
    let Ok(order) = serde_json::from_slice::<Value>(&body) else {
        return error(StatusCode::BAD_REQUEST, "Unexpected token in JSON");
    };
    let mut state = vendor.current();
    if let Some(message) = refusal(&order, &habits, &state) {
        return error(StatusCode::BAD_REQUEST, message);
    }
    state.creates.push(call(&vendor, "create", [&order]));
    let searches = orders::count(&order);
    if let Some(left) = habits.create_dies_after.filter(|left| *left < searches) {
        vendor.make(&mut state, tenant, &cut(order, left));
        return error(StatusCode::INTERNAL_SERVER_ERROR, "The order could not be created");
    }
    let order = if searches > 1 { cut(order, searches.saturating_sub(habits.create_leaves_out)) } else { order };
    let mut made = vendor.make(&mut state, tenant, &order);
    if habits.search_ids_backwards
        && let Some(ids) = made["searchIds"].as_array_mut()
    {
        ids.reverse();
    }
    (created(&habits), Json(made)).into_response()
}

/// The order with so many of its searches only.
fn cut(mut order: Value, left: usize) -> Value {
    if let Some(searches) = order["searchTypes"].as_array_mut() {
        searches.truncate(left);
    }
    order
}

/// For the books: what a create call asked for.
fn call<'a>(vendor: &Simulator, operation: &str, orders: impl IntoIterator<Item = &'a Value>) -> CreateCall {
    let searches = |order: &'a Value| order["searchTypes"].as_array().into_iter().flatten();
    let reference = |search: &Value| search["externalSearchId"].as_str().map(str::to_owned);
    let references = orders.into_iter().flat_map(searches).map(reference).collect();
    CreateCall { operation: operation.to_owned(), at: rfc3339(vendor.tools.clock.now()), references }
}

/// `Promise.all` over the creates: the first throw is the answer, and the others are made all the same.
async fn create_batch(State(vendor): Vendor, Extension(Tenant(tenant)): Extension<Tenant>, body: Bytes) -> Response {
    let habits = vendor.habits.get();
    if body.len() > habits.batch_body_bytes {
        return error(StatusCode::PAYLOAD_TOO_LARGE, "request entity too large");
    }
    let batch: Value = serde_json::from_slice(&body).unwrap_or_default();
    let orders = match batch["orders"].as_array() {
        Some(orders) if !orders.is_empty() => orders,
        _ => return error(StatusCode::BAD_REQUEST, json!(["orders should not be empty", "orders must be an array"])),
    };
    if habits.batch_cap.is_some_and(|cap| orders.len() > cap) {
        return error(StatusCode::BAD_REQUEST, "too many orders");
    }
    let mut state = vendor.current();
    state.creates.push(call(&vendor, "batch", orders));
    state.batches += 1;
    let refusals: Vec<Option<Value>> = orders.iter().map(|order| refusal(order, &habits, &state)).collect();
    if habits.batch_validates_first
        && let Some(message) = refusals.iter().flatten().next()
    {
        return error(StatusCode::BAD_REQUEST, message.clone());
    }
    let thrown = habits.thrown(state.batches, orders.len());
    let throw = refusals.iter().enumerate().find_map(|(at, refusal)| match refusal {
        Some(message) => Some((StatusCode::BAD_REQUEST, message.clone())),
        None if thrown == Some(at) => {
            let status = StatusCode::from_u16(habits.batch_throw_status).unwrap_or(StatusCode::BAD_REQUEST);
            Some((status, "The order could not be created".into()))
        }
        None => None,
    });
    let siblings = orders.iter().enumerate().filter(|(at, _)| refusals[*at].is_none() && thrown != Some(*at));
    if let Some((status, message)) = throw {
        let due = vendor.tools.clock.now() + Duration::from_millis(habits.siblings_after_error_ms);
        for (made, (_, order)) in siblings.enumerate() {
            if habits.siblings_after_error_ms == 0 || made < habits.siblings_before_error {
                vendor.make(&mut state, tenant, order);
            } else {
                state.make_later(due, tenant, order);
            }
        }
        return error(status, message);
    }
    let older = state.latest_of_ours().map(|order| order.id.clone());
    let made: Vec<Value> = siblings.map(|(_, order)| vendor.make(&mut state, tenant, order)).collect();
    let id = format!("batch_{}_{:09}", vendor.tools.clock.now().unix_timestamp(), rand::random_range(0..1_000_000_000));
    (created(&habits), Json(batch_answer(&habits, &id, made, older))).into_response()
}

/// The answer to a batch whose orders were all made, as it should be or not.
fn batch_answer(habits: &Habits, id: &str, mut made: Vec<Value>, older: Option<String>) -> Value {
    let counted = made.len() + usize::from(habits.batch_miscounts);
    if habits.batch_shuffle {
        made.reverse();
    }
    if habits.batch_repeats_id {
        let first = made.first().cloned();
        if let (Some(last), Some(first)) = (made.last_mut(), first) {
            *last = first;
        }
    }
    if let (Some(first), Some(older)) = (made.first_mut(), older.filter(|_| habits.batch_names_older)) {
        first["verificationOrderId"] = older.into();
    }
    made.truncate(made.len().saturating_sub(habits.batch_omits));
    json!({"success": !habits.batch_denies, "batchId": id, "ordersCreated": counted, "orders": made})
}

#[derive(Deserialize)]
struct Paging {
    page: Option<String>,
    limit: Option<String>,
}

impl Paging {
    /// Page and limit, both from 1.
    fn read(&self, cap: usize) -> Option<(usize, usize)> {
        let number = |text: Option<&String>, default: usize| match text {
            None => Some(default),
            Some(text) => text.parse().ok().filter(|number: &usize| *number > 0),
        };
        Some((number(self.page.as_ref(), 1)?, number(self.limit.as_ref(), 10)?.min(cap.max(1))))
    }
}

/// Offset paging over the live set, without any filter.
async fn list_orders(
    State(vendor): Vendor,
    Extension(Tenant(tenant)): Extension<Tenant>,
    Query(paging): Query<Paging>,
) -> Response {
    let habits = vendor.habits.get();
    let Some((page, limit)) = paging.read(habits.list_cap) else {
        return error(StatusCode::BAD_REQUEST, "page and limit must be positive integers");
    };
    let until = listed_until(vendor.tools.clock.now(), habits.list_lag_ms);
    let mut state = vendor.current();
    let skip = (page - 1).saturating_mul(limit);
    let Page { rows, total } = state.page(tenant, until, habits.unordered, skip, limit);
    let pages = total.div_ceil(limit);
    let data: Vec<Value> = rows.into_iter().map(Order::as_row).collect();
    let mut answer = json!({"data": data});
    if !habits.no_pagination {
        answer["pagination"] = json!({
            "page": page, "limit": limit, "total": total, "totalPages": pages, "hasNext": page < pages,
            "hasPrev": page > 1,
        });
    }
    strangers::make(&vendor, &mut state, habits.strangers_per_list, &Value::Null);
    for id in state.newest_strangers(tenant, habits.vanish_per_list) {
        state.unlist(&id);
    }
    Json(answer).into_response()
}

/// What the handler makes of the order, or that there is none for this tenant.
fn with_order(vendor: &Simulator, tenant: &str, id: &str, answer: impl FnOnce(&mut Order) -> Response) -> Response {
    let (mut state, habits) = (vendor.current(), vendor.habits.get());
    match state.find(tenant, id) {
        None => no_order(id, &habits),
        Some(order) => {
            vendor.progress(order, vendor.tools.clock.now(), &habits);
            answer(order)
        }
    }
}

async fn get_order(
    State(vendor): Vendor,
    Extension(Tenant(tenant)): Extension<Tenant>,
    Path(id): Path<String>,
) -> Response {
    with_order(&vendor, tenant, &id, |order| Json(order.as_order()).into_response())
}

async fn delete_order(
    State(vendor): Vendor,
    Extension(Tenant(tenant)): Extension<Tenant>,
    Path(id): Path<String>,
) -> Response {
    let (habits, now) = (vendor.habits.get(), vendor.tools.clock.now());
    let answer = with_order(&vendor, tenant, &id, |order| {
        if order.deleted && !habits.delete_again_ok {
            return no_order(&id, &habits);
        }
        if habits.delete_refuses_ended && order.has_ended() && !order.deleted {
            return error(StatusCode::BAD_REQUEST, "Cannot delete an order that has ended");
        }
        let affected = order.delete(now);
        if habits.delete_tells && affected > 0 {
            vendor.tell_canceled(order, &habits);
        }
        let status = if affected > 0 { "cancelled" } else { "deleted" };
        let answer = json!({"orderId": id, "status": status, "deletedAt": rfc3339(now), "affectedSearches": affected});
        Json(answer).into_response()
    });
    if habits.deleted_vanish && answer.status().is_success() {
        vendor.lock().unlist(&id);
    }
    answer
}

async fn get_searches(
    State(vendor): Vendor,
    Extension(Tenant(tenant)): Extension<Tenant>,
    Path(id): Path<String>,
) -> Response {
    let (habits, now) = (vendor.habits.get(), vendor.tools.clock.now());
    with_order(&vendor, tenant, &id, |order| {
        let searches = order.as_searches(&habits, now);
        let answer = if habits.searches_wrapped { json!({"searches": searches}) } else { json!(searches) };
        Json(answer).into_response()
    })
}

async fn get_search(
    State(vendor): Vendor,
    Extension(Tenant(tenant)): Extension<Tenant>,
    Path((id, search)): Path<(String, String)>,
) -> Response {
    let habits = vendor.habits.get();
    with_order(&vendor, tenant, &id, |order| {
        let Some(found) = order.searches.iter().find(|known| bare(&known.id) == bare(&search)) else {
            let body = json!({"error": "Search not found", "orderId": id, "searchId": search});
            return not_found(body, &habits);
        };
        let mut answer = order.as_search(found, &habits);
        answer["questionnaireUrl"] = Value::Null;
        answer["questionnaireAccessCode"] = Value::Null;
        answer["activity"] = json!([]);
        Json(answer).into_response()
    })
}

/// A stub at the vendor, too.
async fn get_events(Path(id): Path<String>) -> Json<Value> {
    Json(json!({"orderId": id, "events": [], "message": "Events system not yet implemented"}))
}

const NOTE: &str = "Batches are not stored; use the orders.";

async fn list_batches(Query(paging): Query<Paging>) -> Response {
    let Some((page, limit)) = paging.read(usize::MAX) else {
        return error(StatusCode::BAD_REQUEST, "page and limit must be positive integers");
    };
    let pagination =
        json!({"page": page, "limit": limit, "total": 0, "totalPages": 0, "hasNext": false, "hasPrev": false});
    Json(json!({"batches": [], "pagination": pagination, "message": "Not implemented", "note": NOTE})).into_response()
}

/// Answers cheerfully for any id.
async fn get_batch(Path(id): Path<String>) -> Json<Value> {
    Json(json!({"batchId": id, "message": "Not implemented", "note": NOTE}))
}

/// Removes nothing, and says so in the body only.
async fn delete_batch(Path(id): Path<String>) -> Json<Value> {
    Json(json!({"success": false, "batchId": id, "message": "Not implemented", "note": NOTE}))
}
