//! The control endpoints that every simulator has under `/_sandbox/`, and the same by function calls.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::books::{Books, Calls};
use crate::clock::{SimClock, rfc3339};
use crate::faults::{Fault, Faults};
use crate::hooks::{HookReport, HookSender};
use crate::vendor::{Behavior as _, Vendor};

/// Behind the scenes of one running simulator.
pub struct Control {
    pub(crate) vendor: Arc<dyn Vendor>,
    pub(crate) faults: Faults,
    pub(crate) calls: Calls,
    pub(crate) clock: SimClock,
    pub(crate) hooks: HookSender,
}

impl Control {
    pub fn arm(&self, fault: Fault) {
        self.faults.arm(fault);
    }

    pub fn clear_faults(&self) {
        self.faults.clear();
    }

    /// The faults that still wait for their calls.
    pub fn armed(&self) -> Vec<Fault> {
        self.faults.armed()
    }

    pub fn books(&self) -> Books {
        self.vendor.tick();
        Books {
            objects: self.vendor.objects(),
            calls: self.calls.counted(),
            creates: self.vendor.creates(),
            batches: self.vendor.batches(),
        }
    }

    /// The vendor's switches, and those of its hooks under `hooks`.
    pub fn behavior(&self) -> Value {
        let mut shown = self.vendor.behavior().show();
        shown["hooks"] = self.hooks.switches().show();
        shown
    }

    /// Merges a JSON object into the switches. `Err`: what is wrong with it.
    pub fn set_behavior(&self, mut patch: Value) -> Result<(), String> {
        let of_vendor = patch.as_object_mut().ok_or("expected a JSON object")?;
        if let Some(of_hooks) = of_vendor.remove("hooks") {
            self.hooks.switches().merge(&of_hooks)?;
        }
        self.vendor.behavior().merge(&patch)
    }

    /// Makes objects of other clients of the account. Gives their ids.
    pub fn make_strangers(&self, count: usize, options: &Value) -> Vec<String> {
        self.vendor.make_strangers(count, options)
    }

    /// Moves the simulator's clock forward and lets that take effect.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.vendor.tick();
    }

    pub fn hook_reports(&self) -> Vec<HookReport> {
        self.hooks.reports()
    }
}

pub(crate) fn router(control: Arc<Control>) -> Router {
    Router::new()
        .route("/_sandbox/faults", post(arm).get(armed).delete(clear_faults))
        .route("/_sandbox/books", get(books))
        .route("/_sandbox/behavior", get(behavior).put(set_behavior))
        .route("/_sandbox/strangers", post(make_strangers))
        .route("/_sandbox/advance", post(advance))
        .route("/_sandbox/hooks", get(hook_reports))
        .with_state(control)
}

async fn arm(State(control): State<Arc<Control>>, Json(fault): Json<Fault>) -> (StatusCode, Json<Fault>) {
    control.arm(fault.clone());
    (StatusCode::CREATED, Json(fault))
}

async fn armed(State(control): State<Arc<Control>>) -> Json<Vec<Fault>> {
    Json(control.armed())
}

async fn clear_faults(State(control): State<Arc<Control>>) -> StatusCode {
    control.clear_faults();
    StatusCode::NO_CONTENT
}

async fn books(State(control): State<Arc<Control>>) -> Json<Books> {
    Json(control.books())
}

async fn behavior(State(control): State<Arc<Control>>) -> Json<Value> {
    Json(control.behavior())
}

async fn set_behavior(
    State(control): State<Arc<Control>>,
    Json(patch): Json<Value>,
) -> Result<Json<Value>, (StatusCode, String)> {
    control.set_behavior(patch).map_err(|wrong| (StatusCode::UNPROCESSABLE_ENTITY, wrong))?;
    Ok(Json(control.behavior()))
}

async fn make_strangers(State(control): State<Arc<Control>>, Json(options): Json<Value>) -> (StatusCode, Json<Value>) {
    let count = options["count"].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or(1);
    let ids = control.make_strangers(count, &options);
    (StatusCode::CREATED, Json(json!({ "ids": ids })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    ms: u64,
}

async fn advance(State(control): State<Arc<Control>>, Json(by): Json<Advance>) -> Json<Value> {
    control.advance(Duration::from_millis(by.ms));
    Json(json!({ "now": rfc3339(control.clock.now()) }))
}

async fn hook_reports(State(control): State<Arc<Control>>) -> Json<Vec<HookReport>> {
    Json(control.hook_reports())
}
