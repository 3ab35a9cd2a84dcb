//! Reading the body of an order: part by part, so that every fault is told at once and exactly.
//!
//! Here the request is judged by what the contract says for all vendors. What the chosen vendor demands on top is
//! asked of its adapter when the order is accepted.

mod checks;
mod consent;
mod countries;
mod position;
mod reverification;
mod rules;
mod subject;

use std::collections::BTreeMap;

use domain::{OrderDraft, OrderInput, Purpose, Sensitive, Timestamp, Wish};
use serde_json::{Map, Value};

use crate::faults::{Faults, join};
use crate::problem::Problem;
use crate::texts;

pub use reverification::reverification;
pub use rules::is_country;

/// The fields of an order.
pub const FIELDS: &[&str] =
    &["external_id", "subject", "position", "purpose", "consent", "provider", "checks", "metadata"];

/// The most characters of an `external_id`.
pub const LONGEST_EXTERNAL_ID: usize = 200;

/// The most vendors that a check is tried at.
pub const MOST_PROVIDERS: usize = 5;
const MOST_METADATA: usize = 50;
pub const LONGEST_METADATA_KEY: usize = 40;
pub const LONGEST_METADATA_VALUE: usize = 500;

/// Reads an order, or tells every fault that was found in it.
pub fn order(body: Value, now: Timestamp) -> Result<OrderDraft, Problem> {
    let mut faults = Faults::default();
    texts::check(&body, &mut faults);
    let draft = read(body, now, &mut faults);
    faults.settle()?;
    draft.ok_or_else(|| Problem::internal(&"an order could not be read, and no fault was found in it"))
}

fn read(body: Value, now: Timestamp, faults: &mut Faults) -> Option<OrderDraft> {
    let Value::Object(mut body) = body else {
        faults.push("", "invalid", "Expected an object.");
        return None;
    };
    for key in body.keys().filter(|key| !FIELDS.contains(&key.as_str())) {
        if faults.is_full() {
            break;
        }
        faults.push(
            join("", key),
            "unknown_field",
            format!("There is no such field. Known here: {}.", FIELDS.join(", ")),
        );
    }
    let external_id = text(&mut body, "external_id", "", faults);
    if let Some(id) = &external_id {
        if id.is_empty() {
            faults.push("/external_id", "invalid", "Leave it out, or give it at least one character.");
        }
        texts::longest(id, "/external_id", LONGEST_EXTERNAL_ID, faults);
    }
    let providers = providers(&mut body, "", faults);
    let purpose = purpose(&mut body, faults);
    let subject = required(&mut body, "subject", faults).and_then(|value| subject::read(value, now, faults));
    let position = present(&mut body, "position").and_then(|value| position::read(value, faults));
    let consent = required(&mut body, "consent", faults).and_then(|value| consent::read(value, now, faults));
    let checks = required(&mut body, "checks", faults).and_then(|value| checks::read(value, faults));
    let metadata = metadata(&mut body, faults);
    Some(OrderDraft {
        external_id,
        input: Sensitive::new(OrderInput { subject: subject?, position, purpose, consent: consent? }),
        providers,
        checks: checks?,
        metadata,
    })
}

/// Takes a field off; `null` stands for none.
fn present(object: &mut Map<String, Value>, key: &str) -> Option<Value> {
    object.remove(key).filter(|value| !value.is_null())
}

fn required(object: &mut Map<String, Value>, key: &str, faults: &mut Faults) -> Option<Value> {
    let value = present(object, key);
    if value.is_none() {
        faults.push(join("", key), "required", "This field is required.");
    }
    value
}

fn text(object: &mut Map<String, Value>, key: &str, at: &str, faults: &mut Faults) -> Option<String> {
    if let Value::String(text) = present(object, key)? {
        return Some(text);
    }
    faults.push(join(at, key), "invalid", "Expected a string.");
    None
}

/// A vendor's name, or a list of them to be tried in turn.
fn providers(object: &mut Map<String, Value>, at: &str, faults: &mut Faults) -> Vec<Wish> {
    const EXPECTED: &str = "Expected the name of a provider, such as theary, with a product where it has some \
                            (truework:employer-search), or a list of them to be tried in turn.";
    let pointer = join(at, "provider");
    let names = match present(object, "provider") {
        None => return Vec::new(),
        Some(Value::Array(names)) if (1..=MOST_PROVIDERS).contains(&names.len()) => names,
        Some(Value::Array(_)) => {
            faults.push(pointer, "invalid", format!("A list names 1 to {MOST_PROVIDERS} providers."));
            return Vec::new();
        }
        Some(name) => vec![name],
    };
    let mut wishes: Vec<Wish> = Vec::with_capacity(names.len());
    for name in &names {
        match name.as_str().and_then(Wish::parse) {
            Some(wish) if wishes.contains(&wish) => {
                faults.push(pointer, "invalid", "A list names each provider, or each of its products, once.");
                return Vec::new();
            }
            Some(wish) => wishes.push(wish),
            None => {
                faults.push(pointer, "invalid", EXPECTED);
                return Vec::new();
            }
        }
    }
    wishes
}

fn purpose(body: &mut Map<String, Value>, faults: &mut Faults) -> Purpose {
    let Some(value) = present(body, "purpose") else { return Purpose::default() };
    value.as_str().and_then(Purpose::parse).unwrap_or_else(|| {
        let known = Purpose::ALL.iter().map(|purpose| purpose.as_str()).collect::<Vec<_>>().join(", ");
        faults.push("/purpose", "invalid", format!("Expected one of {known}."));
        Purpose::default()
    })
}

fn metadata(body: &mut Map<String, Value>, faults: &mut Faults) -> BTreeMap<String, String> {
    let mut metadata = BTreeMap::new();
    let entries = match present(body, "metadata") {
        None => return metadata,
        Some(Value::Object(entries)) => entries,
        Some(_) => {
            faults.push("/metadata", "invalid", "Expected an object of strings.");
            return metadata;
        }
    };
    if entries.len() > MOST_METADATA {
        faults.push("/metadata", "too_many", format!("At most {MOST_METADATA} pairs are taken."));
        return metadata;
    }
    for (key, value) in entries {
        let pointer = join("/metadata", &key);
        if key.is_empty() {
            faults.push(pointer.as_str(), "invalid", "A key needs at least one character.");
        }
        texts::one(&key, &pointer, LONGEST_METADATA_KEY, faults);
        match value {
            Value::String(value) => {
                texts::longest(&value, &pointer, LONGEST_METADATA_VALUE, faults);
                metadata.insert(key, value);
            }
            _ => faults.push(pointer, "invalid", "Expected a string."),
        }
    }
    metadata
}

#[cfg(test)]
mod tests;
