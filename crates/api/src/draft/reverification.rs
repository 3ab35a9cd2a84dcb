//! The body of a reverification: all of it may be left out.

use std::collections::BTreeMap;

use domain::{CheckId, Timestamp};
use engine::{IfUnavailable, ReverifyWish};
use serde_json::{Map, Value};

use super::{LONGEST_EXTERNAL_ID, consent, metadata, present, text};
use crate::faults::{Faults, join};
use crate::problem::Problem;
use crate::texts;

pub const FIELDS: &[&str] = &["checks", "external_id", "metadata", "consent", "if_unavailable"];

/// Reads it, or tells every fault that was found in it.
pub fn reverification(body: Value, now: Timestamp) -> Result<ReverifyWish, Problem> {
    let mut faults = Faults::default();
    texts::check(&body, &mut faults);
    let wish = read(body, now, &mut faults);
    faults.settle()?;
    Ok(wish)
}

fn read(body: Value, now: Timestamp, faults: &mut Faults) -> ReverifyWish {
    let Value::Object(mut body) = body else {
        faults.push("", "invalid", "Expected an object.");
        return ReverifyWish::default();
    };
    for key in body.keys().filter(|key| !FIELDS.contains(&key.as_str())) {
        if faults.is_full() {
            break;
        }
        let known = FIELDS.join(", ");
        faults.push(join("", key), "unknown_field", format!("There is no such field. Known here: {known}."));
    }
    let external_id = text(&mut body, "external_id", "", faults);
    if let Some(id) = &external_id {
        if id.is_empty() {
            faults.push("/external_id", "invalid", "Leave it out, or give it at least one character.");
        }
        texts::longest(id, "/external_id", LONGEST_EXTERNAL_ID, faults);
    }
    ReverifyWish {
        checks: checks(&mut body, faults),
        external_id,
        metadata: given_metadata(&mut body, faults),
        consent: present(&mut body, "consent").and_then(|value| consent::read(value, now, faults)),
        if_unavailable: if_unavailable(&mut body, faults),
    }
}

fn given_metadata(body: &mut Map<String, Value>, faults: &mut Faults) -> Option<BTreeMap<String, String>> {
    let is_given = body.get("metadata").is_some_and(|value| !value.is_null());
    is_given.then(|| metadata(body, faults))
}

fn checks(body: &mut Map<String, Value>, faults: &mut Faults) -> Vec<CheckId> {
    let named = match present(body, "checks") {
        None => return Vec::new(),
        Some(Value::Array(named)) if (1..=super::checks::MOST).contains(&named.len()) => named,
        Some(_) => {
            let most = super::checks::MOST;
            let detail = format!("Expected 1 to {most} ids of the order's checks; leave it out to mean all of them.");
            faults.push("/checks", "invalid", detail);
            return Vec::new();
        }
    };
    let mut ids = Vec::with_capacity(named.len());
    for (index, id) in named.iter().enumerate() {
        match id.as_str().and_then(|id| id.parse().ok()) {
            Some(id) => ids.push(id),
            None => faults.push(format!("/checks/{index}"), "invalid", "Expected a check's id."),
        }
    }
    ids
}

fn if_unavailable(body: &mut Map<String, Value>, faults: &mut Faults) -> IfUnavailable {
    match present(body, "if_unavailable").as_ref().map(Value::as_str) {
        None | Some(Some("order")) => IfUnavailable::Order,
        Some(Some("refuse")) => IfUnavailable::Refuse,
        Some(_) => {
            faults.push("/if_unavailable", "invalid", "Expected order or refuse.");
            IfUnavailable::Order
        }
    }
}
