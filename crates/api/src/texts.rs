//! What holds for every text of every body: its length, and that it holds no control characters.

use serde_json::Value;

use crate::faults::{Faults, join};

/// The most characters of a text field.
pub const LONGEST: usize = 1_000;

/// The most characters of a name.
pub const LONGEST_NAME: usize = 100;

/// The most characters of a link. Signed links are longer than other texts.
pub const LONGEST_LINK: usize = 2_000;

/// Checks every text in the value.
pub fn check(value: &Value, at: &str, faults: &mut Faults) {
    match value {
        Value::String(text) => {
            let most = match at {
                // Judged as a document, not as a text.
                "/consent/document/content_base64" => return,
                "/consent/document/url" => LONGEST_LINK,
                _ => LONGEST,
            };
            one(text, at, most, faults);
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                check(item, &format!("{at}/{index}"), faults);
            }
        }
        Value::Object(entries) => {
            for (key, value) in entries {
                check(value, &join(at, key), faults);
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
