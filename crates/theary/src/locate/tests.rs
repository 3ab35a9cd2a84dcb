use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use provider::Sought;
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
fn noted(searches: Value, started: u64) -> Sightings {
    noted_by(&query(started), searches)
}

fn noted_by(query: &LocateQuery, searches: Value) -> Sightings {
    let mut scan = Scan::new(query);
    scan.note(&row("ord_1"), &read(searches));
    let seen = scan.finish();
    assert_eq!(seen.read, 1);
    seen
}

fn read(searches: Value) -> Vec<wire::Search> {
    serde_json::from_value(searches).expect("searches")
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
    let seen = noted(json!([search(Some(&reference))]), 50);
    assert_eq!(seen.found.len(), 1);
    assert_eq!(seen.found[0].reference, samples::reference(1));
    assert_eq!(seen.found[0].vendor.check_id.as_deref(), Some("search_1"));
    assert!(seen.echoes && seen.dismissed.is_empty() && seen.look_alikes.is_empty());

    for other in
        [reference.to_uppercase(), format!("{reference} "), format!("x{reference}"), reference[..20].to_owned()]
    {
        let seen = noted(json!([search(Some(&other))]), 50);
        assert!(seen.found.is_empty() && !seen.echoes, "{other}");
        assert_eq!(seen.dismissed, ["ord_1"], "another client's reference");
    }
}

#[test]
fn a_part_that_cannot_be_kept_is_learnt_by_no_scan() {
    let mut odd = search(Some(&samples::reference(1).to_string()));
    odd["id"] = json!("s".repeat(4_096));
    let seen = noted(json!([odd]), 50);
    assert_eq!(seen.found.len(), 1);
    assert_eq!(seen.found[0].vendor, VendorRef::order("ord_1"));
}

#[test]
fn a_reference_of_ours_that_is_not_sought_is_found_and_never_dismissed() {
    for other in [samples::reference(99), Reference { attempt: 2, ..samples::reference(1) }] {
        for sought in [query(200), LocateQuery { sought: Vec::new(), ..query(200) }] {
            let seen = noted_by(&sought, json!([search(Some(&other.to_string()))]));
            assert_eq!(seen.found.iter().map(|found| found.reference).collect::<Vec<_>>(), [other]);
            assert!(seen.echoes && seen.dismissed.is_empty());
        }
    }
}

#[test]
fn each_reference_of_an_order_is_found_once() {
    let with = |id: &str, reference: Option<Reference>| json!({"id": id, "externalSearchId": reference.map(|reference| reference.to_string())});
    let (one, two) = (samples::reference(1), samples::reference(2));
    let seen = noted(json!([with("a", Some(one)), with("b", Some(two)), with("c", Some(one)), with("d", None)]), 50);
    let found: Vec<_> = seen.found.iter().map(|found| (found.reference, found.vendor.check_id.as_deref())).collect();
    assert_eq!(found, [(one, None), (two, Some("b"))], "which of two searches is meant is not said");
}

#[test]
fn an_order_without_searches_stays_open() {
    let seen = noted(json!([]), 200);
    assert!(!seen.complete && seen.incomplete_because.is_some() && seen.dismissed.is_empty());
}

#[test]
fn an_order_without_a_reference_is_dismissed_after_the_window_only() {
    let stranger =
        json!([{"id": "s", "searchType": "EDUCATION", "applicant": {"firstName": "Else", "lastName": "Body"}}]);
    assert!(noted(stranger.clone(), 50).dismissed.is_empty());
    assert_eq!(noted(stranger, 101).dismissed, ["ord_1"]);
}

#[test]
fn a_look_alike_is_shown_by_every_scan() {
    let seen = noted(json!([search(None)]), 101);
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
        assert!(noted(json!([other]), 50).look_alikes.is_empty(), "{field}");
    }
    let mut hidden = search(None);
    hidden["startDate"] = Value::Null;
    hidden["entityName"] = json!("Hiring Works");
    assert_eq!(
        noted(json!([hidden]), 50).look_alikes[0].agrees_in,
        ["first_name", "last_name", "search_type", "entity", "end_date"],
        "what is not shown cannot differ, and the entity may be the hiring one"
    );
    let half = json!([search(None), search(Some("theirs-7"))]);
    assert!(noted(half, 50).look_alikes.is_empty(), "an order that carries some reference is no look-alike");
}

#[test]
fn likely_candidates_are_read_first_and_settled_ones_not_at_all() {
    let named = |id: &str, first: &str, last: &str| Row {
        first_name: Some(first.to_owned()),
        last_name: Some(last.to_owned()),
        ..row(id)
    };
    let rows = vec![named("a", "Else", "Body"), row("b"), named("c", "ada", " SAMPLE "), named("d", "Ada", "Sample")];
    let mut query = query(50);
    query.settled.insert("d".to_owned());
    let mut scan = Scan::new(&query);
    let order: Vec<String> = scan.list(rows).into_iter().map(|row| row.id).collect();
    assert_eq!(order, ["c", "a", "b"]);
    assert_eq!(scan.finish().listed.len(), 4, "what is settled is listed all the same");
}

/// In an account that gives nothing back every order of an applicant is like every check on them.
#[test]
fn of_many_look_alikes_some_are_kept_and_none_is_dismissed() {
    let query = LocateQuery { sought: (1..=50).map(sought).collect(), ..query(200) };
    let mut scan = Scan::new(&query);
    for n in 0..100 {
        scan.note(&row(&format!("ord_{n}")), &read(json!([search(None)])));
    }
    let seen = scan.finish();
    let of_one = |number| seen.look_alikes.iter().filter(|alike| alike.reference == samples::reference(number)).count();
    assert!((1..=50).all(|number| (1..=20).contains(&of_one(number))), "each is shown, none too often");
    assert!(seen.dismissed.is_empty());
}

#[test]
fn what_hides_its_name_is_held_against_every_check() {
    let mut hidden = search(None);
    hidden["applicant"] = Value::Null;
    assert_eq!(noted(json!([hidden]), 50).look_alikes.len(), 2);
}
