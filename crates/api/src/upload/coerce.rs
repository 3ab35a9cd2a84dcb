//! Cells are text, where the contract wants more than text in a few places.

use serde_json::{Map, Value};

/// Fields that are `true` or `false`, by the last part of their path; no other field of an order is called so.
const SWITCHES: &[&str] = &["security_clearance_required", "include_analytics", "force_new"];

/// Fields that are a point in time, likewise.
const TIMES: &[&str] = &["obtained_at", "expires_at"];

/// The caller's and the vendor's own fields, which are named freely.
const OWN_PAIRS: &str = "metadata";
const VENDOR_FIELDS: &str = "vendor_options";

/// Makes switches of the words for yes and no, times of dates, and text of what a sheet takes for a switch elsewhere: a name may be
/// `True`. A vendor's own fields take `true`, `false` and whole numbers for what they look like.
pub fn row(row: Map<String, Value>) -> Map<String, Value> {
    object(row, Rule::Order)
}

#[derive(Clone, Copy, PartialEq)]
enum Rule {
    Order,
    Text,
    Vendor,
}

fn object(object: Map<String, Value>, rule: Rule) -> Map<String, Value> {
    let entries = object.into_iter().map(|(key, inner)| {
        let inner = match (rule, key.as_str()) {
            (Rule::Order, OWN_PAIRS) => value(inner, Rule::Text),
            (Rule::Order, VENDOR_FIELDS) => value(inner, Rule::Vendor),
            (Rule::Order, key) if SWITCHES.contains(&key) => switch(inner),
            (Rule::Order, key) if TIMES.contains(&key) => time(inner),
            _ => value(inner, rule),
        };
        (key, inner)
    });
    entries.collect()
}

fn value(cell: Value, rule: Rule) -> Value {
    match cell {
        Value::Object(inner) => Value::Object(object(inner, rule)),
        Value::Array(items) => Value::Array(items.into_iter().map(|item| value(item, rule)).collect()),
        Value::Bool(is) if rule != Rule::Vendor => Value::String(if is { "TRUE" } else { "FALSE" }.to_owned()),
        Value::String(text) if rule == Rule::Vendor => match text.as_str() {
            "true" | "TRUE" => Value::Bool(true),
            "false" | "FALSE" => Value::Bool(false),
            // Only what is written as a number is: a code keeps its zeros, and a phone number its plus.
            digits => match digits.parse::<u32>() {
                Ok(number) if number.to_string() == digits => Value::from(number),
                _ => Value::String(text),
            },
        },
        other => other,
    }
}

fn switch(cell: Value) -> Value {
    match cell.as_str().map(str::to_ascii_lowercase).as_deref() {
        Some("true" | "yes" | "1") => Value::Bool(true),
        Some("false" | "no" | "0") => Value::Bool(false),
        _ => cell,
    }
}

/// A sheet knows no zones: a time without one is in UTC, and a date its beginning.
fn time(cell: Value) -> Value {
    match cell.as_str() {
        Some(date) if date.len() == 10 => Value::String(format!("{date}T00:00:00Z")),
        Some(local) if local.len() == 19 => Value::String(format!("{}Z", local.replacen(' ', "T", 1))),
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_no_text_in_the_contract_is_changed() {
        let Value::Object(cells) = json!({
            "subject": {"first_name": "1", "last_name": true},
            "consent": {"obtained_at": "2026-11-20", "expires_at": "2026-11-20 10:00:00"},
            "position": {"security_clearance_required": "Yes"},
            "checks": [
                {"type": "income_verification", "include_analytics": "FALSE", "vendor_options": {"minutes": "60", "on": "true", "word": "1x", "code": "007", "phone": "+5551234", "list": ["x"]}},
                {"force_new": true}, {"force_new": "maybe"}
            ],
            "metadata": {"force_new": "yes", "approved": false}
        }) else {
            unreachable!()
        };
        let expected = json!({
            "subject": {"first_name": "1", "last_name": "TRUE"},
            "consent": {"obtained_at": "2026-11-20T00:00:00Z", "expires_at": "2026-11-20T10:00:00Z"},
            "position": {"security_clearance_required": true},
            "checks": [
                {"type": "income_verification", "include_analytics": false, "vendor_options": {"minutes": 60, "on": true, "word": "1x", "code": "007", "phone": "+5551234", "list": ["x"]}},
                {"force_new": true}, {"force_new": "maybe"}
            ],
            "metadata": {"force_new": "yes", "approved": "FALSE"}
        });
        assert_eq!(Value::Object(row(cells)), expected);
    }
}
