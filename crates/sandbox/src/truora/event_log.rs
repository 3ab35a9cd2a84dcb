//! `/v1/hooks/events`: what was told, or would have been, in the last 60 days.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::account::new_id;
use super::{Simulator, bodies, checks};
use crate::hooks::HookFate;

const KEPT: Duration = Duration::from_hours(60 * 24);

pub struct Entry {
    /// Another id than the one in the hook.
    key: String,
    /// The product and the kind of object, as the log writes them.
    product: &'static str,
    kind: String,
    action: String,
    /// JSON as a text, as the log writes it.
    object: String,
    at: OffsetDateTime,
    sent: Vec<HookFate>,
}

impl Entry {
    pub fn new(kind: &str, action: &str, object: &Value, at: OffsetDateTime, sent: Vec<HookFate>) -> Self {
        let product = if kind.starts_with("digital_identity") { "digital_identity" } else { "checks" };
        let kind = kind.rsplit('.').next().unwrap_or(kind).to_owned();
        Self { key: new_id("HIK", 20), product, kind, action: action.to_owned(), object: object.to_string(), at, sent }
    }

    fn json(&self) -> Value {
        let reports: Vec<_> = self.sent.iter().filter_map(HookFate::report).collect();
        let attempts: u32 = reports.iter().map(|report| report.attempts).sum();
        let went_well = |status: Option<u16>| status.is_some_and(|status| (200..300).contains(&status));
        let status = if reports.len() < self.sent.len() || self.sent.is_empty() {
            "pending"
        } else if reports.iter().all(|report| went_well(report.status)) {
            "success"
        } else {
            "failure"
        };
        json!({
            "idempotency_key": self.key, "client_id": "TCIsandbox", "product": self.product, "event_type": self.kind,
            "event_action": self.action, "object": self.object, "delivery_attempts": attempts,
            "delivery_status": status, "timestamp": bodies::moment(self.at), "update_date": bodies::moment(self.at),
        })
    }
}

/// The most entries that are kept.
const MOST: usize = 20_000;

#[derive(Default)]
pub struct EventLog(VecDeque<Entry>);

impl EventLog {
    pub fn note(&mut self, entry: Entry) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(entry);
    }
}

pub fn router() -> Router<Arc<Simulator>> {
    Router::new().route("/v1/hooks/events", get(list)).route("/v1/hooks/events/{key}", get(one))
}

async fn list(State(simulator): State<Arc<Simulator>>, Query(cursor): Query<checks::Cursor>) -> Response {
    let after = match checks::decode(&cursor) {
        Ok(after) => after,
        Err(refused) => return refused.into_response(),
    };
    // What fell due meanwhile is told before the log is shown.
    drop(simulator.account());
    let habits = simulator.habits.get();
    let oldest = simulator.tools.clock.now() - KEPT;
    let log = simulator.log();
    let mut kept: Vec<_> = log.0.iter().filter(|entry| entry.at >= oldest).collect();
    if !habits.event_log_oldest_first {
        kept.reverse();
    }
    let from = after.and_then(|after| kept.iter().position(|entry| entry.key == after)).map_or(0, |at| at + 1);
    let path = habits.event_log_path.clone();
    let (rows, next) = checks::page(kept.into_iter().skip(from), &path, |entry| entry.key.clone(), &habits);
    let rows: Vec<_> = rows.into_iter().map(Entry::json).collect();
    Json(json!({ "events": rows, "self": "/v1/events", "next": next })).into_response()
}

async fn one(State(simulator): State<Arc<Simulator>>, Path(key): Path<String>) -> Response {
    match simulator.log().0.iter().find(|entry| entry.key == key) {
        Some(entry) => Json(entry.json()).into_response(),
        None => checks::not_found(),
    }
}
