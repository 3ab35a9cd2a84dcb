//! How answers are dressed, which is the same for all of them: enums, empty fields, and what the switches do to either.

use serde_json::{Value, json};

use super::Habits;

/// One enum value: wrapped, unless the switch has it plain.
pub fn word(habits: &Habits, canonical: &str, raw: &str) -> Value {
    if habits.plain_words { json!(raw) } else { json!({ "canonical_value": canonical, "raw_value": raw }) }
}

pub fn same(habits: &Habits, value: &str) -> Value {
    word(habits, value, value)
}

/// Leaves empty fields out, writes amounts as numbers and adds what nobody knows, where the switches say so.
pub fn finish(habits: &Habits, mut value: Value) -> Value {
    if habits.new_fields {
        add_new_fields(&mut value);
    }
    if habits.number_amounts {
        number_amounts(&mut value);
    }
    if habits.omit_empty { without_empty(value) } else { value }
}

/// Unknown fields at every level, some of which are called like what other versions have there.
fn add_new_fields(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(add_new_fields);
            let is_word = fields.contains_key("canonical_value");
            if !is_word {
                fields.insert("submitting_party".to_owned(), json!({ "name": "Sandbox", "numbers": [1, 2.5, null] }));
                fields.entry("state").or_insert_with(|| json!("active"));
            }
        }
        Value::Array(values) => values.iter_mut().for_each(add_new_fields),
        _ => {}
    }
}

/// The texts that some answers of the vendor had as numbers.
fn number_amounts(value: &mut Value) {
    const NAMES: [&str; 16] = [
        "year",
        "base",
        "bonus",
        "commission",
        "overtime",
        "other",
        "total",
        "gross",
        "net",
        "amount",
        "gross_pay",
        "hours_per_week",
        "pay_period_hours",
        "best_estimate",
        "lower_bound",
        "upper_bound",
    ];
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let number = value.as_str().filter(|_| NAMES.contains(&name.as_str()));
                if let Some(number) = number.and_then(|text| serde_json::from_str(text).ok()) {
                    *value = Value::Number(number);
                } else {
                    number_amounts(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(number_amounts),
        _ => {}
    }
}

fn without_empty(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key, without_empty(value))).collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(without_empty).collect()),
        other => other,
    }
}
