//! How values are written for people.

use domain::{CheckId, CheckType, Money, Timestamp};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const TIME: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");

/// `employment_status` as `Employment status`.
pub fn label(word: &str) -> String {
    let text = word.replace(['_', '-'], " ");
    if let Some(rest) = text.strip_prefix("ssn").filter(|rest| rest.is_empty() || rest.starts_with(' ')) {
        return format!("SSN{rest}");
    }
    let mut letters = text.chars();
    letters.next().map(|first| format!("{}{}", first.to_uppercase(), letters.as_str())).unwrap_or_default()
}

/// `2026-11-21 09:00:02`, of which the reader knows that it is in UTC.
pub fn time(at: Timestamp) -> String {
    at.get().format(TIME).unwrap_or_default()
}

/// `2026-11-21 09:00:02 UTC`
pub fn utc(at: Timestamp) -> String {
    format!("{} UTC", time(at))
}

/// `1 d 2 h 3 min 4 s`
pub fn took(seconds: u64) -> String {
    let parts = [(seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let told: Vec<_> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count} {unit}")).collect();
    if told.is_empty() { "0 s".to_owned() } else { told.join(" ") }
}

/// `150000.00 USD`
pub fn money(money: &Money) -> String {
    format!("{} {}", money.amount, money.currency)
}

/// `0.25`, with as many places as there are.
pub fn number(value: f64) -> String {
    value.to_string()
}

pub const fn yes_or_no(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}

/// The parts that are there, with something between them.
pub fn joined<'t>(parts: impl IntoIterator<Item = Option<&'t str>>, between: &str) -> String {
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(between)
}

/// The same, where there are any.
pub fn some_joined<'t>(parts: impl IntoIterator<Item = Option<&'t str>>, between: &str) -> Option<String> {
    Some(joined(parts, between)).filter(|text| !text.is_empty())
}

/// A vendor, and the product of its own that was asked for.
pub fn vendor(provider: &str, product: Option<&str>) -> String {
    joined([Some(provider), product], ": ")
}

/// How checks are called in this report: by their number and what they are.
pub struct Names<'r>(Vec<(CheckId, &'r str)>);

impl<'r> Names<'r> {
    pub fn of(checks: impl Iterator<Item = (CheckId, CheckType)>) -> Names<'static> {
        Names(checks.map(|(id, kind)| (id, kind.as_str())).collect())
    }

    /// `2 Income verification`
    pub fn full(&self, id: CheckId) -> String {
        self.find(id).map(|(number, kind)| format!("{number} {}", label(kind))).unwrap_or_default()
    }

    /// `2`
    pub fn number(&self, id: CheckId) -> String {
        self.find(id).map(|(number, _)| number.to_string()).unwrap_or_default()
    }

    fn find(&self, id: CheckId) -> Option<(usize, &'r str)> {
        let at = self.0.iter().position(|(known, _)| *known == id)?;
        self.0.get(at).map(|(_, kind)| (at + 1, *kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_for_people() {
        assert_eq!(label("employment_status"), "Employment status");
        assert_eq!(label("employee-eligibility"), "Employee eligibility");
        assert_eq!((label("ssn-mismatch"), label("")), ("SSN mismatch".to_owned(), String::new()));
        assert_eq!(utc("2026-11-21T10:00:02.5+01:00".parse().expect("a time")), "2026-11-21 09:00:02 UTC");
        assert_eq!(
            [0, 59, 60, 3_661, 93_784].map(took),
            ["0 s", "59 s", "1 min", "1 h 1 min 1 s", "1 d 2 h 3 min 4 s"]
        );
        assert_eq!(vendor("acme", Some("quick")), "acme: quick");
        assert_eq!(joined([Some("a"), None, Some(""), Some("b")], ", "), "a, b");
    }
}
