//! A batch call that fails half-way: what was made at the vendor when, and how the gateway found out.

use std::collections::BTreeMap;

use sandbox::Books;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::scenario::HALF_WAY;
use super::tally::checks_of;

/// One order of the call.
#[derive(Debug, Serialize)]
pub struct Story {
    pub external_id: String,
    pub check_id: String,
    /// When its first object was made at the vendor, counted from the end of the call, in milliseconds. `None`: it has none.
    pub made_after_ms: Option<i64>,
    /// The scan that found it, from 1.
    pub found_by_scan: Option<usize>,
    /// It was nowhere, and was sent again.
    pub resent: bool,
    pub bound: bool,
}

/// Tells what happened to each order of the call, in the order of its making.
pub fn stories(case: &Value, orders: &[Value], books: &Books) -> Vec<Story> {
    let call_ended = at(&case["submission"]["ended_at"]);
    let items = case["items"].as_array().into_iter().flatten();
    let mut stories: Vec<_> = items
        .map(|item| {
            let (check_id, reference) = (word(&item["check_id"]), word(&item["reference"]));
            let order = orders.iter().find(|order| checks_of(order).any(|check| check["id"] == item["check_id"]));
            let made = books.with_reference(reference).filter_map(|object| read(&object.created_at)).min();
            Story {
                external_id: order.and_then(|order| order["external_id"].as_str()).unwrap_or_default().to_owned(),
                check_id: check_id.to_owned(),
                made_after_ms: made.zip(call_ended).map(|(made, ended)| milliseconds(made, ended)),
                found_by_scan: scans(case)
                    .position(|scan| found(scan).any(|seen| seen["reference"] == reference))
                    .map(|at| at + 1),
                resent: !item["resent_at"].is_null(),
                bound: !item["bound"].is_null(),
            }
        })
        .collect();
    stories.sort_by_key(|story| story.made_after_ms);
    stories
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// What is not as it should be.
pub fn complaints(cases: &[Value], stories: &[Story]) -> Vec<String> {
    let (all, made) = HALF_WAY;
    let count = |is: &dyn Fn(&Story) -> bool| stories.iter().filter(|story| is(story)).count();
    let expected = [
        ("cases", cases.len(), 1),
        ("checks in doubt", stories.len(), all),
        ("checks found and bound without sending again", count(&|story| story.bound && !story.resent), made),
        ("checks sent again, once", count(&|story| story.bound && story.resent), all - made),
    ];
    let wrong = expected.into_iter().filter(|(_, counted, expected)| counted != expected);
    wrong
        .map(|(what, counted, expected)| format!("the batch call that failed: {counted} {what}, not {expected}"))
        .collect()
}

/// The scans of a case, oldest first.
pub fn scans(case: &Value) -> impl Iterator<Item = &Value> {
    case["scans"].as_array().into_iter().flatten()
}

/// What a scan found of a case.
pub fn found(scan: &Value) -> impl Iterator<Item = &Value> {
    scan["found"].as_array().into_iter().flatten()
}

/// How long after the end of the call a scan began, in milliseconds.
pub fn began_after_ms(case: &Value, scan: &Value) -> Option<i64> {
    Some(milliseconds(at(&scan["started_at"])?, at(&case["submission"]["ended_at"])?))
}

/// How many calls the scans took, and the fewest that could have done it.
pub fn costs(case: &Value) -> BTreeMap<&'static str, u64> {
    let sum = |key: &str| scans(case).filter_map(|scan| scan["cost"][key].as_u64()).sum();
    BTreeMap::from([("calls", sum("calls")), ("least", sum("least"))])
}

fn at(value: &Value) -> Option<OffsetDateTime> {
    read(value.as_str()?)
}

fn read(time: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(time, &Rfc3339).ok()
}

fn milliseconds(at: OffsetDateTime, from: OffsetDateTime) -> i64 {
    i64::try_from((at - from).whole_milliseconds()).unwrap_or_default()
}
