//! Query parameters: each known, given once, and well-formed; every fault is told at once.

use std::str::FromStr;

use url::form_urlencoded;

use crate::faults::Faults;
use crate::problem::Problem;

/// The most parameters of a request.
const MOST: usize = 100;

/// The most characters of a value.
const LONGEST: usize = 500;

/// The parameters of one request.
pub struct Query {
    pairs: Vec<(String, String)>,
    pub faults: Faults,
}

impl Query {
    pub fn of(uri: &http::Uri) -> Self {
        let mut faults = Faults::default();
        let mut pairs: Vec<(String, String)> = Vec::new();
        let given = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned();
        for (index, (name, value)) in given.enumerate() {
            if index == MOST {
                faults.parameter(&name, "too_many", format!("At most {MOST} parameters are taken."));
                break;
            }
            // Decoding replaces what is no UTF-8 by a mark; it would not be found anyway.
            if value
                .chars()
                .chain(name.chars())
                .any(|letter| letter.is_control() || letter == char::REPLACEMENT_CHARACTER)
            {
                faults.parameter(&name, "control_character", "Leave control characters out, and encode text as UTF-8.");
            } else if value.chars().count() > LONGEST {
                faults.parameter(&name, "too_long", format!("At most {LONGEST} characters are taken."));
            } else if pairs.iter().any(|(known, _)| *known == name) {
                faults.parameter(&name, "repeated", "Give this parameter once.");
            } else {
                pairs.push((name, value));
            }
        }
        Self { pairs, faults }
    }

    /// Takes a parameter off.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let index = self.pairs.iter().position(|(known, _)| known == name)?;
        Some(self.pairs.swap_remove(index).1)
    }

    /// Takes a parameter off and reads it.
    pub fn parsed<T>(&mut self, name: &str, expected: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.text(name)?;
        let value = read(&text);
        if value.is_none() {
            self.faults.parameter(name, "invalid", format!("Expected {expected}."));
        }
        value
    }

    pub fn id<T: FromStr<Err = domain::id::IdError>>(&mut self, name: &str) -> Option<T> {
        let text = self.text(name)?;
        match text.parse() {
            Ok(id) => Some(id),
            Err(error) => {
                self.faults.parameter(name, "invalid", sentence(&error.to_string()));
                None
            }
        }
    }

    pub fn time(&mut self, name: &str) -> Option<domain::Timestamp> {
        // A plus in a query stands for a space; an offset that was not encoded is still an offset.
        self.parsed(name, "a time in RFC 3339, such as 2026-11-20T10:00:00Z", |text| {
            text.replace(' ', "+").parse().ok()
        })
    }

    /// Takes off all parameters whose names begin so, without what they begin with.
    pub fn prefixed(&mut self, prefix: &str) -> Vec<(String, String)> {
        let (fitting, rest) =
            std::mem::take(&mut self.pairs).into_iter().partition(|(name, _)| name.starts_with(prefix));
        self.pairs = rest;
        let fitting: Vec<(String, String)> = fitting;
        fitting.into_iter().map(|(name, value)| (name[prefix.len()..].to_owned(), value)).collect()
    }

    /// Refuses whatever was not taken off, and tells all faults.
    pub fn end(mut self) -> Result<(), Problem> {
        for (name, _) in self.pairs {
            self.faults.parameter(&name, "unknown_parameter", "There is no such parameter.");
        }
        self.faults.settle()
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| format!("{}{}.", first.to_uppercase(), letters.as_str())).unwrap_or_default()
}

/// Refuses every parameter, for operations that have none.
pub struct NoQuery;

impl<S: Sync> axum::extract::FromRequestParts<S> for NoQuery {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut http::request::Parts, _: &S) -> Result<Self, Problem> {
        Query::of(&parts.uri).end().map(|()| Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query {
        Query::of(&format!("/x?{text}").parse().expect("a uri"))
    }

    #[test]
    fn parameters_are_taken_once_and_decoded() {
        let mut query = query("a=b%20c&metadata.k%C3%A9=v&t=2026-11-20T10:00:00+01:00");
        assert_eq!(query.text("a").as_deref(), Some("b c"));
        assert_eq!(query.prefixed("metadata."), [("ké".to_owned(), "v".to_owned())]);
        assert_eq!(query.time("t").map(|time| time.to_string()).as_deref(), Some("2026-11-20T09:00:00Z"));
        assert!(query.end().is_ok());
    }

    #[test]
    fn there_may_be_only_so_many() {
        let end = |count: usize| {
            let text: Vec<_> = (0..count).map(|index| format!("metadata.{index}=")).collect();
            let mut query = query(&text.join("&"));
            assert_eq!(query.prefixed("metadata.").len(), count.min(100));
            query.end()
        };
        assert!(end(100).is_ok());
        let problem = end(4_000).expect_err("too many");
        assert_eq!((problem.faults().len(), problem.faults()[0].code.as_str()), (1, "too_many"));
    }

    #[test]
    fn what_is_not_known_or_not_clean_is_refused() {
        for (text, code) in [
            ("x=1", "unknown_parameter"),
            ("a=%00", "control_character"),
            ("a=%ff", "control_character"),
            ("a=1&a=2", "repeated"),
        ] {
            let mut query = query(text);
            let _ = query.text("a");
            let problem = query.end().expect_err(text);
            assert_eq!(problem.faults()[0].code, code, "{text}");
        }
    }
}
