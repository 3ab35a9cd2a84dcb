use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::samples;

fn at(seconds: u64) -> Timestamp {
    Timestamp::EPOCH + Duration::from_secs(1_000_000 + seconds)
}

fn row(id: &str) -> Row {
    Row { id: id.to_owned(), created_at: Some(at(10)), first_name: None, last_name: None }
}

fn sought(number: u128) -> Sought {
    let item = samples::employment(number);
    let (order, check) = (Arc::clone(&item.order), Arc::clone(&item.check));
    Sought { reference: item.reference, sent_at: at(5), order, check }
}

fn query(started: u64) -> LocateQuery {
    LocateQuery {
        sought: vec![sought(1), sought(2)],
        since: at(0),
        until: at(100),
        started_at: at(started),
        settled: BTreeSet::new(),
    }
}

/// What a scan that began `started` seconds in notes of one order with these searches.
fn noted(searches: Value, started: u64) -> (Sightings, u32) {
    let searches: Vec<wire::Search> = serde_json::from_value(searches).expect("searches");
    let (query, row) = (query(started), row("ord_1"));
    let (mut seen, mut bare) = (Sightings::default(), 0);
    note(&mut seen, &query, &row, judge(&row, &searches, &query), &mut bare);
    (seen, bare)
}

fn search(external: Option<&str>) -> Value {
    json!({
        "id": "search_1", "externalSearchId": external, "searchType": "EMPLOYMENT", "entityName": "FORMER works",
        "startDate": "2015-02-01T00:00:00.000Z", "endDate": "2019-12-31",
        "applicant": {"firstName": "ADA", "lastName": " Sample"}
    })
}

#[test]
fn only_the_exact_reference_binds() {
    let reference = samples::reference(1).to_string();
    let (seen, _) = noted(json!([search(Some(&reference))]), 50);
    assert_eq!(seen.found.len(), 1);
    assert_eq!(seen.found[0].reference, samples::reference(1));
    assert_eq!(seen.found[0].vendor.check_id.as_deref(), Some("search_1"));
    assert!(seen.echoes && seen.dismissed.is_empty() && seen.look_alikes.is_empty());

    for other in
        [reference.to_uppercase(), format!("{reference} "), format!("x{reference}"), reference[..20].to_owned()]
    {
        let (seen, _) = noted(json!([search(Some(&other))]), 50);
        assert!(seen.found.is_empty() && !seen.echoes, "{other}");
        assert_eq!(seen.dismissed, ["ord_1"], "another client's reference");
    }
}

#[test]
fn a_part_that_cannot_be_kept_is_learnt_by_no_scan() {
    let mut odd = search(Some(&samples::reference(1).to_string()));
    odd["id"] = json!("s".repeat(4_096));
    let (seen, _) = noted(json!([odd]), 50);
    assert_eq!(seen.found.len(), 1);
    assert_eq!(seen.found[0].vendor, VendorRef::order("ord_1"));
}

#[test]
fn a_reference_of_ours_that_is_not_sought_is_never_dismissed() {
    for other in [samples::reference(99).to_string(), format!("{}_2", samples::reference(1))] {
        let (seen, _) = noted(json!([search(Some(&other))]), 200);
        assert!(seen.echoes && seen.found.is_empty() && seen.dismissed.is_empty(), "{other}");
    }
}

#[test]
fn an_order_without_searches_stays_open() {
    let (seen, bare) = noted(json!([]), 200);
    assert_eq!((bare, seen.dismissed.len()), (1, 0));
}

#[test]
fn an_order_without_a_reference_is_dismissed_after_the_window_only() {
    let stranger =
        json!([{"id": "s", "searchType": "EDUCATION", "applicant": {"firstName": "Else", "lastName": "Body"}}]);
    assert!(noted(stranger.clone(), 50).0.dismissed.is_empty());
    assert_eq!(noted(stranger, 101).0.dismissed, ["ord_1"]);
}

#[test]
fn a_look_alike_is_shown_by_every_scan() {
    let (seen, _) = noted(json!([search(None)]), 101);
    assert_eq!(seen.look_alikes.len(), 2, "both sought checks are alike");
    assert_eq!(
        seen.look_alikes[0].agrees_in,
        ["first_name", "last_name", "search_type", "entity", "start_date", "end_date"]
    );
    assert!(seen.dismissed.is_empty() && !seen.echoes);
}

#[test]
fn whatever_differs_makes_a_stranger() {
    for (field, value) in [
        ("searchType", json!("EDUCATION")),
        ("entityName", json!("Other Works")),
        ("startDate", json!("2015-02-02")),
        ("endDate", json!("2020-12-31")),
        ("applicant", json!({"firstName": "Adam", "lastName": "Sample"})),
        ("applicant", json!({"firstName": "Ada", "lastName": "Simple"})),
    ] {
        let mut other = search(None);
        other[field] = value;
        assert!(noted(json!([other]), 50).0.look_alikes.is_empty(), "{field}");
    }
    let mut hidden = search(None);
    hidden["startDate"] = Value::Null;
    hidden["entityName"] = json!("Hiring Works");
    assert_eq!(
        noted(json!([hidden]), 50).0.look_alikes[0].agrees_in,
        ["first_name", "last_name", "search_type", "entity", "end_date"],
        "what is not shown cannot differ, and the entity may be the hiring one"
    );
    let half = json!([search(None), search(Some("theirs-7"))]);
    assert!(noted(half, 50).0.look_alikes.is_empty(), "an order that carries some reference is no look-alike");
}

#[test]
fn likely_candidates_are_read_first_and_settled_ones_not_at_all() {
    let named = |id: &str, first: &str, last: &str| Row {
        first_name: Some(first.to_owned()),
        last_name: Some(last.to_owned()),
        ..row(id)
    };
    let window = vec![named("a", "Else", "Body"), row("b"), named("c", "ada", " SAMPLE "), named("d", "Ada", "Sample")];
    let mut query = query(50);
    query.settled.insert("d".to_owned());
    let order: Vec<String> = in_likely_order(window, &query).into_iter().map(|row| row.id).collect();
    assert_eq!(order, ["c", "a", "b"]);
}
