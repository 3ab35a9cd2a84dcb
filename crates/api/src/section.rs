//! Reading a JSON value into a type, with every fault told at once and at its exact pointer.
//!
//! Serde stops at the first fault. Here the part that it stumbled over is noted, taken out, and the rest is read
//! again, until nothing is left to find. Serde's own texts quote what they refuse; of them only what was *expected*
//! is kept, which comes from our types.

use std::collections::HashSet;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::{Path, Segment};

use crate::faults::{Faults, join};

/// A value with more faults than this is not read to its end.
const TRIES: usize = 64;

/// Reads a value. With faults, what can be read of the rest still comes back, so that it can be judged too; it must not
/// be used for anything else.
pub fn parse<T: DeserializeOwned>(mut value: Value, at: &str, faults: &mut Faults) -> Option<T> {
    let mut seen = HashSet::new();
    let mut filled = HashSet::new();
    for _ in 0..TRIES {
        let error = match serde_path_to_error::deserialize(&value) {
            Ok(parsed) => return Some(parsed),
            Err(error) => error,
        };
        let found = explain(error.path(), &error.inner().to_string());
        if seen.insert(found.pointer.clone()) {
            faults.push(format!("{at}{}", found.pointer), found.code, found.detail);
        }
        let went_on = match found.code {
            // An empty text lets the reader go on to the next field.
            "required" => {
                filled.insert(found.pointer.clone()) && put(&mut value, &found.pointer, Value::String(String::new()))
            }
            _ => !filled.contains(&found.pointer) && remove(&mut value, &found.pointer),
        };
        if !went_on {
            return None;
        }
    }
    None
}

/// Takes an array off an object and reads its elements one by one, so that a fault in one does not hide the others'.
/// `judge` is asked about each, with its pointer.
pub fn elements<T: DeserializeOwned>(
    object: &mut Map<String, Value>,
    key: &str,
    at: &str,
    most: usize,
    faults: &mut Faults,
    judge: impl Fn(&T, &str, &mut Faults),
) -> Vec<T> {
    let pointer = join(at, key);
    let items = match object.remove(key) {
        None => return Vec::new(),
        Some(Value::Array(items)) if items.len() <= most => items,
        Some(Value::Array(_)) => {
            faults.push(pointer, "too_many", format!("At most {most} entries are taken."));
            return Vec::new();
        }
        Some(_) => {
            faults.push(pointer, "invalid", "Expected an array.");
            return Vec::new();
        }
    };
    let mut elements = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let at = format!("{pointer}/{index}");
        if let Some(element) = parse(item, &at, faults) {
            judge(&element, &at, faults);
            elements.push(element);
        }
    }
    elements
}

struct Found {
    pointer: String,
    code: &'static str,
    detail: String,
}

fn explain(path: &Path, text: &str) -> Found {
    let mut pointer = String::new();
    for segment in path {
        pointer = match segment {
            Segment::Seq { index } => format!("{pointer}/{index}"),
            Segment::Map { key } => join(&pointer, key),
            Segment::Enum { .. } | Segment::Unknown => pointer,
        };
    }
    if let Some(field) = quoted(text, "missing field ") {
        return Found {
            pointer: join(&pointer, field),
            code: "required",
            detail: "This field is required.".to_owned(),
        };
    }
    if let Some(field) = quoted(text, "unknown field ") {
        let inner = join("", field);
        let pointer = if pointer.ends_with(&inner) { pointer } else { format!("{pointer}{inner}") };
        let known = expected(text).map(|known| format!(" Known here: {}.", known.trim_start_matches("one of ")));
        let known = known.unwrap_or_default();
        return Found { pointer, code: "unknown_field", detail: format!("There is no such field.{known}") };
    }
    let detail =
        expected(text).map_or_else(|| "This value is not valid.".to_owned(), |what| format!("Expected {what}."));
    Found { pointer, code: "invalid", detail }
}

/// The name behind the prefix, without the backticks that serde puts around names.
fn quoted<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    text.strip_prefix(prefix)?.strip_prefix('`')?.split('`').next()
}

/// What would have been right, in the words of the contract.
fn expected(text: &str) -> Option<String> {
    // The last one: an earlier one could be part of the refused value.
    let what = text.rsplit_once("expected ")?.1.replace('`', "");
    let what = match what.as_str() {
        "a sequence" => "an array",
        "a map" => "an object",
        other if other.starts_with("struct ") || other.starts_with("internally tagged enum ") => "an object",
        "u8" | "u16" | "u32" | "u64" | "i64" => "a whole number",
        other => other.strip_suffix(" at line 0 column 0").unwrap_or(other),
    };
    Some(what.to_owned())
}

/// Takes out what the pointer leads to.
fn remove(value: &mut Value, pointer: &str) -> bool {
    let Some((parent, key)) = pointer.rsplit_once('/') else { return false };
    match value.pointer_mut(parent) {
        Some(Value::Object(object)) => object.remove(&unescape(key)).is_some(),
        _ => false,
    }
}

fn put(value: &mut Value, pointer: &str, filling: Value) -> bool {
    let Some((parent, key)) = pointer.rsplit_once('/') else { return false };
    match value.pointer_mut(parent) {
        Some(Value::Object(object)) => {
            object.insert(unescape(key), filling);
            true
        }
        _ => false,
    }
}

fn unescape(key: &str) -> String {
    key.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use domain::{Address, Identifier, Person};
    use serde_json::json;

    use super::*;

    fn faults_of<T: DeserializeOwned>(value: Value) -> Vec<String> {
        let mut faults = Faults::default();
        let parsed: Option<T> = parse(value, "/at", &mut faults);
        let problem = faults.settle().expect_err("faults");
        drop(parsed);
        problem.faults().iter().map(|fault| format!("{:?} {}: {}", fault.place, fault.code, fault.detail)).collect()
    }

    #[test]
    fn tells_every_fault_of_an_object_at_once() {
        insta::assert_json_snapshot!(faults_of::<Identifier>(json!({
            "type": "ssn, expected `x`", "value": 5, "issued_on": "yesterday", "a/b": true, "serial": ["x"]
        })));
        insta::assert_json_snapshot!(faults_of::<Address>(
            json!({"from": {}, "to": "2021-13-01", "city": false, "zip": "1"})
        ));
        insta::assert_json_snapshot!(faults_of::<Person>(json!([])));
        insta::assert_json_snapshot!(faults_of::<Person>(json!("Smith")));
        insta::assert_json_snapshot!(faults_of::<Person>(json!({"gender": "John", "aliases": [{"first_name": 1}]})));
    }

    #[test]
    fn never_quotes_what_it_refuses() {
        for value in [
            json!({"first_name": {"secret": 1}}),
            json!({"gender": "secret"}),
            json!({"aliases": "secret"}),
            json!({"date_of_birth": "secret"}),
        ] {
            let told = faults_of::<Person>(value).join("\n");
            assert!(!told.contains("secret"), "{told}");
        }
    }
}
