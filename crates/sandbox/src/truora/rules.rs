//! `/v1/bre/rules`: what is done when something happens. A rule's HTTP action without a body template of its own sends
//! the signed token; one with a template sends plain JSON.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};
use time::OffsetDateTime;
use url::Url;

use super::account::new_id;
use super::{HookFormat, Simulator, bodies, checks, gateway};

pub struct Rule {
    id: String,
    name: String,
    event_type: String,
    condition: String,
    actions: Vec<Action>,
    made_at: OffsetDateTime,
    changed_at: OffsetDateTime,
}

struct Action {
    id: String,
    name: String,
    kind: String,
    status: String,
    config: Value,
}

impl Rule {
    /// Whether it listens to this step of a check.
    pub fn is_about(&self, action: &str) -> bool {
        self.event_type == format!("checks.check.{action}")
    }

    /// Where its enabled actions send something, and in what form.
    pub fn targets(&self) -> Vec<(Url, HookFormat)> {
        let is_hook = |action: &&Action| action.kind == "http_request" && action.status == "enabled";
        let target = |action: &Action| {
            let has_template = action.config["body_template"].as_str().is_some_and(|text| !text.is_empty());
            let format = if has_template { HookFormat::Json } else { HookFormat::Token };
            Some((action.config["url"].as_str()?.parse().ok()?, format))
        };
        self.actions.iter().filter(is_hook).filter_map(target).collect()
    }

    fn json(&self) -> Value {
        json!({ "rule_id": self.id, "name": self.name, "event_type": self.event_type, "condition": self.condition,
                "creation_date": bodies::moment(self.made_at), "update_date": bodies::moment(self.changed_at) })
    }
}

impl Action {
    fn json(&self) -> Value {
        json!({ "action_id": self.id, "name": self.name, "type": self.kind, "status": self.status, "config": self.config })
    }
}

pub fn router() -> Router<Arc<Simulator>> {
    Router::new()
        .route("/v1/bre/rules", get(list).post(create))
        .route("/v1/bre/rules/{id}", get(one).delete(remove))
        .route("/v1/bre/rules/{id}/actions", get(actions).post(add))
        .route("/v1/bre/rules/{id}/actions/{action_id}", put(change).delete(drop_action))
}

type Pairs = Vec<(String, String)>;

fn field(pairs: &Pairs, name: &str) -> String {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default()
}

fn invalid(what: &str) -> Response {
    gateway::error(StatusCode::BAD_REQUEST, &format!("Invalid request: {what}"))
}

/// Refuses an account that may not use this interface.
fn closed(simulator: &Simulator) -> Option<Response> {
    let refusal = || gateway::error(StatusCode::FORBIDDEN, "missing required permissions");
    (!simulator.habits.get().rules_api).then(refusal)
}

fn form(body: &Bytes) -> Pairs {
    serde_urlencoded::from_bytes(body).unwrap_or_default()
}

async fn list(State(simulator): State<Arc<Simulator>>) -> Response {
    if let Some(refusal) = closed(&simulator) {
        return refusal;
    }
    let rules: Vec<_> = simulator.own().rules.iter().map(Rule::json).collect();
    Json(json!({ "rules": rules, "self": "/v1/bre/rules", "next": "" })).into_response()
}

/// Rules can be made for the end of checks only.
async fn create(State(simulator): State<Arc<Simulator>>, body: Bytes) -> Response {
    if let Some(refusal) = closed(&simulator) {
        return refusal;
    }
    let pairs = form(&body);
    let (name, event_type, condition) =
        (field(&pairs, "name"), field(&pairs, "event_type"), field(&pairs, "condition"));
    if event_type != "checks.check.finished" {
        return invalid("invalid event type");
    }
    if name.is_empty() || serde_json::from_str::<Value>(&condition).is_err() {
        return invalid("name and condition were expected");
    }
    let now = simulator.tools.clock.now();
    let id = new_id("RUL", 16);
    let rule = Rule { id, name, event_type, condition, actions: Vec::new(), made_at: now, changed_at: now };
    let shown = rule.json();
    simulator.own().rules.push(rule);
    Json(shown).into_response()
}

async fn one(State(simulator): State<Arc<Simulator>>, Path(id): Path<String>) -> Response {
    match simulator.own().rules.iter().find(|rule| rule.id == id) {
        Some(rule) => Json(rule.json()).into_response(),
        None => checks::not_found(),
    }
}

async fn remove(State(simulator): State<Arc<Simulator>>, Path(id): Path<String>) -> Response {
    let mut own = simulator.own();
    let Some(at) = own.rules.iter().position(|rule| rule.id == id) else { return checks::not_found() };
    Json(own.rules.remove(at).json()).into_response()
}

async fn actions(State(simulator): State<Arc<Simulator>>, Path(id): Path<String>) -> Response {
    match simulator.own().rules.iter().find(|rule| rule.id == id) {
        Some(rule) => {
            let actions: Vec<_> = rule.actions.iter().map(Action::json).collect();
            Json(json!({ "actions": actions, "self": format!("/v1/bre/rules/{id}/actions"), "next": "" }))
                .into_response()
        }
        None => checks::not_found(),
    }
}

/// An action as a form has it: `config` is JSON in a text, as a rule's condition is.
fn read(pairs: &Pairs) -> Result<(String, String, String, Value), &'static str> {
    let (name, kind, status) = (field(pairs, "name"), field(pairs, "type"), field(pairs, "status"));
    let config: Value = serde_json::from_str(&field(pairs, "config")).map_err(|_| "invalid config")?;
    let is_known = matches!(kind.as_str(), "http_request" | "email" | "create_check");
    let has_status = matches!(status.as_str(), "enabled" | "disabled");
    let has_url = kind != "http_request" || config["url"].as_str().is_some_and(|url| url.parse::<Url>().is_ok());
    if name.is_empty() || !is_known || !has_status || !has_url {
        return Err("invalid action");
    }
    Ok((name, kind, status, config))
}

async fn add(State(simulator): State<Arc<Simulator>>, Path(id): Path<String>, body: Bytes) -> Response {
    let (name, kind, status, config) = match read(&form(&body)) {
        Ok(read) => read,
        Err(what) => return invalid(what),
    };
    let shows_key = simulator.habits.get().rules_show_key;
    let mut own = simulator.own();
    let Some(rule) = own.rules.iter_mut().find(|rule| rule.id == id) else { return checks::not_found() };
    let action = Action { id: new_id("ACT", 16), name, kind, status, config };
    let mut shown = action.json();
    if shows_key {
        shown["signing_key"] = json!(simulator.config.hook_key);
    }
    rule.actions.push(action);
    Json(shown).into_response()
}

async fn change(
    State(simulator): State<Arc<Simulator>>,
    Path((id, action_id)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let (name, kind, status, config) = match read(&form(&body)) {
        Ok(read) => read,
        Err(what) => return invalid(what),
    };
    let now = simulator.tools.clock.now();
    let mut own = simulator.own();
    let Some(rule) = own.rules.iter_mut().find(|rule| rule.id == id) else { return checks::not_found() };
    let Some(action) = rule.actions.iter_mut().find(|action| action.id == action_id) else {
        return checks::not_found();
    };
    *action = Action { id: action_id, name, kind, status, config };
    let shown = action.json();
    rule.changed_at = now;
    Json(shown).into_response()
}

async fn drop_action(
    State(simulator): State<Arc<Simulator>>,
    Path((id, action_id)): Path<(String, String)>,
) -> Response {
    let mut own = simulator.own();
    let rule = own.rules.iter_mut().find(|rule| rule.id == id);
    let Some(rule) = rule else { return checks::not_found() };
    let Some(at) = rule.actions.iter().position(|action| action.id == action_id) else { return checks::not_found() };
    Json(rule.actions.remove(at).json()).into_response()
}
