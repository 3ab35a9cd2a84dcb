//! A made-up vendor: it sells background checks, three to a page.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{Path, Query, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{Method, StatusCode};
use sandbox::clock::{SimClock, rfc3339};
use sandbox::{Behavior, BookEntry, Running, Switches, Tools, Vendor, server};
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

pub const KEY: &str = "shop-key";

struct Sold {
    id: String,
    reference: Option<String>,
    at: OffsetDateTime,
    canceled: bool,
}

struct Shop {
    tools: Tools,
    switches: Switches<()>,
    sold: Mutex<Vec<Sold>>,
}

pub async fn start() -> Running {
    let make = |tools| Shop { tools, switches: Switches::default(), sold: Mutex::default() };
    server::start(0, SimClock::wall(), make).await.expect("a shop")
}

impl Shop {
    fn sold(&self) -> MutexGuard<'_, Vec<Sold>> {
        self.sold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sell(&self, reference: Option<String>) -> String {
        let mut sold = self.sold();
        let id = format!("S{:04}", sold.len() + 10);
        sold.push(Sold { id: id.clone(), reference, at: self.tools.clock.now(), canceled: false });
        id
    }

    fn state(&self, sold: &Sold) -> &'static str {
        match self.tools.clock.elapsed_since(sold.at) {
            _ if sold.canceled => "stopped",
            age if age < Duration::from_hours(1) => "open",
            _ => "done",
        }
    }

    fn show(&self, sold: &Sold) -> Value {
        json!({ "id": sold.id, "state": self.state(sold), "note": sold.reference, "at": rfc3339(sold.at) })
    }
}

impl Vendor for Shop {
    fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/orders", post(create).get(list))
            .route("/orders/{id}", get(fetch).delete(cancel))
            .route("/orders/{id}/report", get(report))
            .layer(from_fn_with_state((), authorize))
            .with_state(self)
    }

    fn classify(&self, method: &Method, path: &str) -> &'static str {
        match (method.as_str(), path) {
            ("POST", "/orders") => "create",
            ("GET", "/orders") => "list",
            ("GET", path) if path.ends_with("/report") => "document",
            ("GET", _) => "get",
            ("DELETE", _) => "cancel",
            _ => "other",
        }
    }

    fn error_body(&self, status: StatusCode) -> Value {
        json!({ "error": status.canonical_reason() })
    }

    fn objects(&self) -> Vec<BookEntry> {
        let entry = |sold: &Sold| BookEntry {
            id: sold.id.clone(),
            parts: Vec::new(),
            references: sold.reference.iter().cloned().collect(),
            state: self.state(sold).to_owned(),
            created_at: rfc3339(sold.at),
            canceled: sold.canceled,
            stranger: sold.reference.is_none(),
        };
        self.sold().iter().map(entry).collect()
    }

    fn behavior(&self) -> &dyn Behavior {
        &self.switches
    }

    fn make_strangers(&self, count: usize, _: &Value) -> Vec<String> {
        (0..count).map(|_| self.sell(None)).collect()
    }
}

async fn authorize(State(()): State<()>, request: Request, next: Next) -> Response {
    let key = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    if key == Some(KEY) { next.run(request).await } else { StatusCode::UNAUTHORIZED.into_response() }
}

#[derive(Deserialize)]
struct New {
    note: String,
    name: Option<String>,
    email: Option<String>,
}

async fn create(State(shop): State<Arc<Shop>>, Json(new): Json<New>) -> Response {
    if new.name.is_none() || new.email.is_none() {
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "error": "name and email" }))).into_response();
    }
    let id = shop.sell(Some(new.note));
    (StatusCode::CREATED, Json(json!({ "id": id }))).into_response()
}

#[derive(Deserialize)]
struct Page {
    page: usize,
}

async fn list(State(shop): State<Arc<Shop>>, Query(Page { page }): Query<Page>) -> Json<Value> {
    const SIZE: usize = 25;
    let sold = shop.sold();
    let rows: Vec<Value> = sold.iter().rev().skip(page * SIZE).take(SIZE).map(|sold| shop.show(sold)).collect();
    Json(json!({ "rows": rows, "more": sold.len() > (page + 1) * SIZE }))
}

async fn fetch(State(shop): State<Arc<Shop>>, Path(id): Path<String>) -> Result<Json<Value>, StatusCode> {
    let sold = shop.sold();
    sold.iter().find(|sold| sold.id == id).map(|sold| Json(shop.show(sold))).ok_or(StatusCode::NOT_FOUND)
}

async fn cancel(State(shop): State<Arc<Shop>>, Path(id): Path<String>) -> StatusCode {
    let mut all = shop.sold();
    match all.iter_mut().find(|sold| sold.id == id) {
        None => StatusCode::NOT_FOUND,
        Some(sold) if shop.state(sold) == "open" => {
            sold.canceled = true;
            StatusCode::NO_CONTENT
        }
        Some(_) => StatusCode::CONFLICT,
    }
}

async fn report(Path(id): Path<String>) -> String {
    format!("The report of {id}.\n").repeat(100)
}
