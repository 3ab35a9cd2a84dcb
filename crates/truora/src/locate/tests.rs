use std::sync::Arc;
use std::time::Duration;

use provider::Sought;
use serde_json::{Value, json};

use super::*;
use crate::fixtures::{check, colombian, order, reference};

fn at(seconds: u64) -> Timestamp {
    Timestamp::EPOCH + Duration::from_secs(1_000_000 + seconds)
}

/// Looks for one Colombian, sent at 1000, in the time from 700 to 1120.
fn query() -> LocateQuery {
    let sought = Sought {
        reference: reference(1),
        sent_at: at(1000),
        order: Arc::new(order(&colombian())),
        check: Arc::new(check(&json!({ "country": "CO" }))),
    };
    LocateQuery {
        sought: vec![sought],
        since: at(700),
        until: at(1120),
        started_at: at(1130),
        settled: BTreeSet::new(),
    }
}

fn row(id: &str, created: u64, fields: &Value) -> BareCheck {
    let mut row = json!({ "check_id": id, "creation_date": at(created).to_string() });
    row.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
    serde_json::from_value(row).expect("a row")
}

fn plain(id: &str, created: u64) -> BareCheck {
    row(id, created, &json!({ "custom_input": "x" }))
}

fn seen(rows: &[BareCheck]) -> Sightings {
    seen_by(&query(), rows)
}

fn seen_by(query: &LocateQuery, rows: &[BareCheck]) -> Sightings {
    let mut scan = Scan::new(query);
    scan.read(rows);
    scan.into_seen()
}

#[test]
fn only_the_whole_reference_binds() {
    let ours = reference(1).to_string();
    let found = seen(&[
        row("CHK1", 1001, &json!({ "custom_input": ours })),
        row("CHK2", 1002, &json!({ "custom_input": format!("{ours}_2") })),
        row("CHK3", 1003, &json!({ "custom_input": format!(" {ours}") })),
        row("CHK4", 1004, &json!({ "custom_input": reference(2).to_string() })),
        row("CHK1", 1001, &json!({ "custom_input": ours })),
    ]);
    let sighting = |reference, id: &str, seconds| {
        let vendor = VendorRef::order(id);
        Sighting { reference, vendor, created_at: Some(at(seconds)) }
    };
    let again = Reference { attempt: 2, ..reference(1) };
    let expected =
        [sighting(reference(1), "CHK1", 1001), sighting(again, "CHK2", 1002), sighting(reference(2), "CHK4", 1004)];
    assert_eq!(found.found, expected, "sought or not, and only what is of our form to the letter");
    assert_eq!(found.objects, 4, "a row that is repeated on the next page is one object");
}

#[test]
fn what_is_not_sought_is_found_in_the_time_that_is_looked_at_only() {
    let of = |number| json!({ "custom_input": reference(number).to_string() });
    let old = seen(&[row("CHK1", 600, &of(1)), row("CHK2", 600, &of(2)), row("CHK3", 1001, &of(3))]);
    let found: Vec<_> = old.found.iter().map(|found| found.vendor.order_id.as_str()).collect();
    assert_eq!(found, ["CHK1", "CHK3"]);
    assert!(old.dismissed.is_empty() && old.read == 0);
}

#[test]
fn nothing_is_said_of_what_is_settled_unless_it_is_sought() {
    let settled = LocateQuery { settled: BTreeSet::from(["CHK1".to_owned()]), ..query() };
    let of = |number| [row("CHK1", 1001, &json!({ "custom_input": reference(number).to_string() }))];
    let found = seen_by(&settled, &of(2));
    assert!(found.found.is_empty() && found.listed.len() == 1);
    assert!(found.echoes, "the account gives references back, all the same");
    let shared = seen_by(&settled, &of(1));
    assert_eq!(shared.found.len(), 1, "another check holds it by the vendor's dedupe; it was made for this one");
}

#[test]
fn a_sweep_dismisses_what_is_not_ours() {
    let rows = [
        row("ours", 1001, &json!({ "custom_input": reference(1).to_string() })),
        row("foreign", 1001, &json!({ "custom_input": "theirs" })),
        row("bare", 1001, &json!({})),
        row("old", 600, &json!({ "custom_input": "theirs" })),
    ];
    for (started_at, dismissed) in [(1130, vec!["foreign", "bare"]), (1119, vec!["foreign"])] {
        let query = LocateQuery { sought: Vec::new(), started_at: at(started_at), ..query() };
        let mut scan = Scan { dismisses: true, ..Scan::new(&query) };
        scan.read(&rows);
        let seen = scan.into_seen();
        assert_eq!(seen.dismissed, dismissed, "a reference may still be to come");
        assert_eq!(seen.found.len(), 1);
    }
}

#[test]
fn an_account_echoes_once_it_gave_back_any_reference_of_our_form() {
    assert!(seen(&[row("CHK1", 1, &json!({ "custom_input": reference(9).to_string() }))]).echoes);
    assert!(!seen(&[plain("CHK1", 1), row("CHK2", 1, &json!({}))]).echoes);
}

#[test]
fn what_lies_outside_of_the_time_is_not_listed() {
    let listed = seen(&[
        plain("new", 1121),
        plain("in", 900),
        plain("old", 699),
        row("undated", 0, &json!({ "creation_date": "?" })),
    ]);
    let ids: Vec<_> = listed.listed.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["in", "undated"]);
}

#[test]
fn a_look_alike_agrees_in_number_type_and_country_and_carries_no_reference() {
    let alike = json!({ "type": "person", "country": "co", "national_id": "1032456701" });
    let with = |name: &str, value: Value| {
        let mut row = alike.clone();
        row[name] = value;
        row
    };
    let first = seen(&[row("CHK1", 1001, &alike)]).look_alikes;
    let [first] = first.as_slice() else { panic!("{first:?}") };
    assert_eq!((first.reference, first.vendor_order_id.as_str()), (reference(1), "CHK1"));
    assert_eq!(first.agrees_in, ["type", "country", "identifiers[national_id]"]);

    for (case, fields) in [
        ("another number", with("national_id", json!("1032456702"))),
        ("no number", with("national_id", json!(null))),
        ("another type", with("type", json!("vehicle"))),
        ("another country", with("country", json!("PE"))),
        ("a reference", with("custom_input", json!("somebody else's"))),
    ] {
        assert!(seen(&[row("CHK1", 1001, &fields)]).look_alikes.is_empty(), "{case}");
    }
    assert!(seen(&[row("CHK1", 600, &alike)]).look_alikes.is_empty(), "older than the call");
    let settled = LocateQuery { settled: BTreeSet::from(["CHK1".to_owned()]), ..query() };
    assert!(seen_by(&settled, &[row("CHK1", 1001, &alike)]).look_alikes.is_empty(), "bound to another check");
}

/// A page whose rows fall by a second each.
fn falling(from: u64, rows: u64) -> Vec<BareCheck> {
    (0..rows).map(|n| plain(&format!("CHK{}", from - n), from - n)).collect()
}

#[test]
fn it_stops_at_a_page_wholly_older_while_times_only_fell() {
    let query = query();
    let mut scan = Scan::new(&query);
    assert!(!scan.read(&falling(704, 5)));
    assert!(!scan.read(&falling(700, 2)), "partly older");
    assert!(scan.read(&falling(690, 3)));
    let mut nothing_new = Scan::new(&query);
    assert!(nothing_new.read(&falling(600, 10)));
}

#[test]
fn a_few_rows_show_no_order() {
    let query = query();
    // The first pages of a list that begins with the oldest may look like this.
    let mut short = Scan::new(&query);
    assert!(!short.read(&falling(600, 1)));
    assert!(!short.read(&falling(500, 7)));
    assert!(short.read(&falling(400, 1)));
    let mut equal = Scan::new(&query);
    let rows: Vec<_> = (0..50).map(|n| plain(&format!("CHK{n}"), 500)).collect();
    assert!(!equal.read(&rows));
}

#[test]
fn it_reads_on_where_times_rose_or_lack() {
    let query = query();
    let mut rising = Scan::new(&query);
    assert!(!rising.read(&[plain("a", 500), plain("b", 501)]));
    assert!(!rising.read(&falling(490, 20)), "once risen, all pages are read");
    let mut undated = Scan::new(&query);
    assert!(!undated.read(&[row("a", 0, &json!({ "creation_date": null }))]));
    assert!(!undated.read(&falling(490, 20)));
    let mut empty = Scan::new(&query);
    assert!(!empty.read(&falling(720, 20)[..10]));
    assert!(!empty.read(&[]), "an empty page says nothing about the next");
}

#[test]
fn a_row_with_a_bad_id_is_passed_over_and_something_is_missing() {
    let query = query();
    let good = row("CHK1", 1001, &json!({ "custom_input": reference(1).to_string() }));
    for id in [json!(null), json!(""), json!("x".repeat(4_096)), json!("CHK\u{0}"), json!("CHK2 ")] {
        let mut bad = good.clone();
        bad.check_id = id.as_str().map(str::to_owned);
        let mut scan = Scan::new(&query);
        scan.read(&[bad, good.clone()]);
        assert!(matches!(scan.fault(), Some(Fault::BadIds(1))), "{id}");
        let seen = scan.into_seen();
        assert_eq!((seen.found.len(), seen.objects, seen.listed.len()), (1, 1, 1), "{id}");
    }
    let mut scan = Scan::new(&query);
    scan.read(&[good]);
    assert!(scan.fault().is_none());
}
