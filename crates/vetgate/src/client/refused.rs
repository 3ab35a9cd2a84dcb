//! What the API refuses, told as people read it.

use std::borrow::Cow;
use std::fmt;

use reqwest::Response;
use serde_json::Value;

/// How many faults are told.
const MOST_FAULTS: usize = 50;

/// An answer that is no success.
#[derive(Debug)]
pub struct Refused {
    pub status: u16,
    /// The problem document (RFC 9457); `null` where something else was answered.
    pub problem: Value,
}

impl Refused {
    pub async fn of(answer: Response) -> Self {
        let status = answer.status().as_u16();
        let body = answer.bytes().await.unwrap_or_default();
        let problem = serde_json::from_slice(&body).ok().filter(|problem: &Value| problem["title"].is_string());
        Self { status, problem: problem.unwrap_or_default() }
    }

    /// Whether it is of this kind: the last part of the problem's type.
    pub fn is(&self, kind: &str) -> bool {
        self.problem["type"].as_str().and_then(|uri| uri.rsplit('/').next()) == Some(kind)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |key: &str| self.problem[key].as_str().filter(|text| !text.is_empty()).map(plain);
        let Some(title) = text("title") else {
            return write!(f, "it was answered {} without a word why. Is that the gateway's address?", self.status);
        };
        write!(f, "{title} ({})", self.status)?;
        if let Some(detail) = text("detail") {
            write!(f, ". {}", detail.trim_end_matches('.'))?;
        }
        let faults = self.problem["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        for fault in faults.iter().take(MOST_FAULTS) {
            write!(f, "\n  {}", Told(fault))?;
        }
        if let Some(more) = faults.len().checked_sub(MOST_FAULTS).filter(|more| *more > 0) {
            write!(f, "\n  … and {more} more; --json shows all of them")?;
        }
        if let Some(id) = text("request_id").filter(|_| self.status >= 500) {
            write!(f, "\n  (request {id})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refused {}

/// A text that changes nothing but what is read: what vendors and callers say must not steer the terminal.
pub fn plain(text: &str) -> Cow<'_, str> {
    // Line feeds are the tables' own.
    let steers = |character: char| character.is_control() && character != '\n';
    if text.contains(steers) { text.replace(steers, "\u{FFFD}").into() } else { text.into() }
}

/// What the token may not see is as good as nothing.
pub fn nothing_if_forbidden<T: Default>(answer: anyhow::Result<T>) -> anyhow::Result<T> {
    match answer {
        Err(error) if error.downcast_ref::<Refused>().is_some_and(|refused| refused.status == 403) => Ok(T::default()),
        answer => answer,
    }
}

/// One fault: where, what, and its word.
pub struct Told<'f>(pub &'f Value);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = self.0;
        let text = |key: &str| fault[key].as_str().filter(|text| !text.is_empty()).map(plain);
        let mut place = Vec::new();
        if let Some(row) = fault["row"].as_u64() {
            place.push(format!("row {row}"));
        }
        // The column is the pointer in the words of the file.
        if let Some(column) = text("column") {
            place.push(format!("column {column}"));
        } else if let Some(pointer) = text("pointer") {
            place.push(pointer.into_owned());
        }
        if let Some(parameter) = text("parameter") {
            place.push(format!("parameter {parameter}"));
        }
        if let Some(header) = text("header") {
            place.push(format!("header {header}"));
        }
        if !place.is_empty() {
            write!(f, "{}: ", place.join(", "))?;
        }
        write!(f, "{}", text("detail").unwrap_or("is not right".into()))?;
        text("code").map_or(Ok(()), |code| write!(f, " ({code})"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_fault_says_where_it_is() {
        let problem = json!({
            "type": "/problems/invalid-request", "title": "The request is not valid", "status": 422,
            "detail": "4 parts of the request must be corrected.", "request_id": "req_1",
            "errors": [
                { "pointer": "/checks/0/type", "code": "required", "detail": "This field is required." },
                { "row": 4, "pointer": "/subject/first_name", "column": "subject.first_name", "code": "too_long", "detail": "At most 100." },
                { "row": 7, "pointer": "", "column": null, "code": "malformed", "detail": "Not JSON." },
                { "parameter": "state", "code": "invalid", "detail": "Expected open." },
                { "pointer": "/\u{1b}[2J", "code": "unknown_field", "detail": "There is no such field." },
            ],
        });
        let refused = Refused { status: 422, problem };
        assert!(refused.is("invalid-request") && !refused.is("invalid"));
        assert_eq!(
            refused.to_string(),
            "The request is not valid (422). 4 parts of the request must be corrected\n  \
             /checks/0/type: This field is required. (required)\n  \
             row 4, column subject.first_name: At most 100. (too_long)\n  \
             row 7: Not JSON. (malformed)\n  \
             parameter state: Expected open. (invalid)\n  \
             /\u{FFFD}[2J: There is no such field. (unknown_field)"
        );
    }

    #[test]
    fn an_answer_of_something_else_is_told_too() {
        let refused = Refused { status: 502, problem: Value::Null };
        assert!(refused.to_string().contains("502"));
    }
}
