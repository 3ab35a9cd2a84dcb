//! The faults that the rules arm.

use std::time::Duration;

use serde_json::{Value, json};

use super::bench::{LONG, SHORT};

/// A fault with its name for messages.
pub(super) struct Spoiled {
    pub(super) name: String,
    pub(super) fault: Value,
}

impl Spoiled {
    fn new(name: impl Into<String>, fault: Value) -> Self {
        Self { name: name.into(), fault }
    }

    /// The protocol's words for it: at every further call of the operation, once `skip` have passed.
    pub(super) fn on(&self, operation: &str, skip: u32) -> Value {
        let mut fault = self.fault.clone();
        fault["on"] = operation.into();
        fault["skip"] = skip.into();
        fault["times"] = 1_000_000.into();
        fault
    }

    /// What never answers gets a short time-out; everything else must not depend on time.
    pub(super) fn timeout(&self) -> Duration {
        if self.fault["fault"] == "stall" { SHORT } else { LONG }
    }
}

/// After each of these nobody can know whether the work was done.
pub(super) fn of_lost_answers() -> Vec<Spoiled> {
    let mut all = Vec::new();
    for fault in ["drop_before", "drop_after", "truncate", "garbage", "flood", "stall"] {
        all.push(Spoiled::new(fault, json!({ "fault": fault })));
    }
    for status in [500, 502, 503, 504] {
        for fault in ["status_before", "status_after"] {
            all.push(Spoiled::new(format!("{fault} {status}"), json!({ "fault": fault, "status": status })));
        }
    }
    for (name, body) in unreadable() {
        all.push(Spoiled::new(format!("{name} for an answer"), json!({ "fault": "garbage", "body": body })));
    }
    all
}

/// The same for a create call, whose answer must hold ids.
pub(super) fn of_lost_creates() -> Vec<Spoiled> {
    let mut all = of_lost_answers();
    all.push(Spoiled::new("halve", json!({ "fault": "halve" })));
    for body in ["{}", "[]"] {
        all.push(Spoiled::new(format!("{body} for an answer"), json!({ "fault": "garbage", "body": body })));
    }
    all
}

/// Each of these makes any answer unreadable.
pub(super) fn of_any_answer() -> Vec<Spoiled> {
    let mut all = of_lost_answers();
    all.push(Spoiled::new("rate_limit", json!({ "fault": "rate_limit" })));
    all
}

/// Bodies that are JSON, or nearly, and hold nothing that any vendor would answer with.
fn unreadable() -> Vec<(&'static str, String)> {
    let deep = 200_000;
    vec![
        ("an empty text", String::new()),
        ("null", "null".to_owned()),
        ("a number", "1e400".to_owned()),
        ("a text", "\"created\"".to_owned()),
        ("deep arrays", "[".repeat(deep)),
        ("deep objects", format!("{}1{}", "{\"a\":".repeat(deep), "}".repeat(deep))),
        ("half a surrogate pair", "{\"id\": \"\\ud800\"}".to_owned()),
    ]
}
