//! What holds for every text of every body: its length, and that it holds no control characters.

use serde_json::Value;

use crate::faults::{Faults, extend};

/// The most characters of a text field.
pub const LONGEST: usize = 1_000;

/// The most characters of a name.
pub const LONGEST_NAME: usize = 100;

/// The most characters of a link. Signed links are longer than other texts.
pub const LONGEST_LINK: usize = 2_000;

/// Checks every text of a body.
pub fn check(body: &Value, faults: &mut Faults) {
    inside(body, &mut String::new(), faults);
}

/// `at` is one buffer for all pointers: a body may hold millions of values, most of them without a fault.
fn inside(value: &Value, at: &mut String, faults: &mut Faults) {
    if faults.is_full() {
        return;
    }
    let parent = at.len();
    match value {
        Value::String(text) => {
            let most = match at.as_str() {
                // Judged as a document, not as a text.
                "/consent/document/content_base64" => return,
                "/consent/document/url" => LONGEST_LINK,
                _ => LONGEST,
            };
            one(text, at, most, faults);
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                extend(at, &index.to_string());
                inside(item, at, faults);
                at.truncate(parent);
            }
        }
        Value::Object(entries) => {
            for (key, value) in entries {
                if key.chars().any(char::is_control) {
                    faults.push(at.as_str(), "control_character", "Leave control characters out of names.");
                    continue;
                }
                extend(at, key);
                inside(value, at, faults);
                at.truncate(parent);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Checks one text.
pub fn one(text: &str, at: &str, most: usize, faults: &mut Faults) {
    if text.chars().any(char::is_control) {
        faults.push(at, "control_character", "Leave control characters (line breaks, tabs, NUL) out.");
    }
    longest(text, at, most, faults);
}

/// Checks the length of one text.
pub fn longest(text: &str, at: &str, most: usize, faults: &mut Faults) {
    // Bytes first: counting is only needed near the limit.
    if text.len() > most && text.chars().count() > most {
        faults.push(at, "too_long", format!("At most {most} characters are taken."));
    }
}
