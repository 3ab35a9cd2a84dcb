use std::fmt::Write as _;

use domain::{ConsentDocument, Subject};
use serde_json::json;

use super::*;
use crate::examples;

fn now() -> Timestamp {
    "2026-11-21T09:00:00Z".parse().expect("a time")
}

fn faults(body: Value) -> String {
    match order(body, now()) {
        Ok(_) => "accepted".to_owned(),
        Err(problem) => problem.faults().iter().fold(String::new(), |mut text, fault| {
            let place = serde_json::to_string(&fault.place).expect("json");
            let _ = writeln!(text, "{place} {}: {}", fault.code, fault.detail);
            text
        }),
    }
}

/// The example with one place changed.
fn with(pointer: &str, value: Value) -> Value {
    let mut body = examples::order();
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    match body.pointer_mut(parent).expect("a place in the example") {
        Value::Object(object) => {
            object.insert(key.to_owned(), value);
        }
        Value::Array(array) => array[key.parse::<usize>().expect("an index")] = value,
        _ => panic!("{pointer} leads into a value"),
    }
    body
}

#[test]
fn the_examples_are_orders() {
    let draft = order(examples::order(), now()).expect("an order");
    assert_eq!((draft.checks.len(), draft.external_id.as_deref()), (1, Some("ATS-4711")));
    assert_eq!(draft.checks[0].providers[0].provider.as_str(), "theary");
    let input = draft.input.expose();
    let person = input.subject.as_person().expect("a person");
    assert_eq!((person.identifiers.len(), person.addresses.len(), person.aliases.len()), (1, 1, 1));
    assert!(matches!(input.consent.document, Some(ConsentDocument::Link { .. })));
    assert!(order(examples::background_order(), now()).is_ok());
}

#[test]
fn vehicles_and_companies_are_orders_too() {
    let vehicle = json!({
        "type": "vehicle", "license_plate": "ABC123",
        "owner": {"name": "Ana", "identifier": {"type": "national_id", "country": "CO", "value": "1"}},
        "driver": {"first_name": "Ana", "identifiers": [{"type": "driver_license", "country": "CO", "value": "2"}]}
    });
    let draft = order(with("/subject", vehicle), now()).expect("an order");
    let Subject::Vehicle(vehicle) = &draft.input.expose().subject else { panic!("a vehicle") };
    assert_eq!(vehicle.driver.as_ref().map(|driver| driver.identifiers.len()), Some(1));
    let company = json!({"type": "company", "name": "Example", "identifiers": [{"type": "tax_id", "country": "MX", "value": "X1"}]});
    assert!(order(with("/subject", company), now()).is_ok());
}

#[test]
fn every_fault_is_told_at_once() {
    insta::assert_snapshot!(faults(json!({
        "external_id": "", "package": "basic", "provider": ["truework", 5], "purpose": "curiosity",
        "subject": {
            "type": "person", "first_name": 5, "last_name": "x".repeat(101), "date_of_birth": "2030-01-01", "email": "nobody",
            "phone": "555", "nationality": "us", "hair": "brown",
            "identifiers": [
                {"type": "library_card", "country": "US", "value": "1"},
                {"type": "ssn", "country": "usa", "value": "--"},
                {"country": "US"}
            ],
            "addresses": [{"from": "2022-01-01", "to": "2021-01-01", "country": "XX"}, "home"],
            "aliases": {"first_name": "J"}
        },
        "position": {"country": "USA", "salary": {"amount": "1e5", "currency": "usd"}, "level": "boss"},
        "consent": {"obtained_at": "2026-11-22T00:00:00Z", "expires_at": "2026-11-20T00:00:00Z", "document": {"filename": "a/b.pdf", "content_base64": "aGVsbG8="}},
        "checks": [
            {"type": "employment_verification", "employer": {"email": "x"}, "start_date": "2023-01-01", "end_date": "2022-01-01", "provider": 5},
            {"type": "background_check", "country": "Colombia", "vendor_options": []},
            {"type": "palm_reading"}, {}, 5
        ],
        "metadata": {"": "x", "number": 5, ("k".repeat(41)): "x", "long": "v".repeat(501)}
    })));
}

#[test]
fn what_is_missing_is_named() {
    insta::assert_snapshot!(faults(json!({})));
    insta::assert_snapshot!(faults(json!({"subject": null, "consent": {}, "checks": []})));
    insta::assert_snapshot!(faults(json!([])));
}

#[test]
fn consent_is_judged() {
    let document = |document: Value| faults(with("/consent/document", document));
    let pdf = |bytes: &[u8]| {
        use base64::Engine as _;
        base64::prelude::BASE64_STANDARD.encode(bytes)
    };
    assert_eq!(document(json!({"filename": "a.pdf", "content_base64": pdf(b"%PDF-1.7")})), "accepted");
    assert_eq!(document(json!({"url": "gs://bucket/a.pdf"})), "accepted");
    assert_eq!(document(json!({"url": format!("https://example.com/{}", "x".repeat(1_500))})), "accepted");
    assert_eq!(document(Value::Null), "accepted");
    let mut told = String::new();
    for refused in [
        json!({}),
        json!({"url": "http://example.com/a.pdf"}),
        json!({"url": "https://"}),
        json!({"url": format!("https://example.com/{}", "x".repeat(2_000))}),
        json!({"url": "https://example.com/a.pdf", "filename": "a.pdf"}),
        json!({"filename": "a.pdf"}),
        json!({"content_base64": "x"}),
        json!({"filename": "", "content_base64": pdf(b"%PDF-1.7")}),
        json!({"filename": "a.pdf", "content_base64": "%%%"}),
        json!({"filename": "a.pdf", "content_base64": pdf(b"PK")}),
        json!({"filename": "a.pdf", "content_base64": "A".repeat(14 * 1024 * 1024)}),
        json!("a.pdf"),
    ] {
        told.push_str(&document(refused));
    }
    insta::assert_snapshot!(told);
}

#[test]
fn texts_hold_no_control_characters_and_have_an_end() {
    for (pointer, value) in [
        ("/subject/first_name", json!("Jo\u{0}hn")),
        ("/subject/addresses/0/line1", json!("a\nb")),
        ("/position/title", json!("x".repeat(1_001))),
        ("/checks/0/vendor_options", json!({"deep": ["a", {"b": "\u{7f}"}]})),
        ("/metadata/requisition", json!("\u{85}")),
        ("/external_id", json!("\u{1b}[31m")),
    ] {
        let told = faults(with(pointer, value));
        assert!(told.contains("control_character") || told.contains("too_long"), "{pointer}: {told}");
    }
    assert_eq!(faults(with("/position/title", json!("ü".repeat(1_000)))), "accepted");
}

#[test]
fn times_at_the_end_of_time_are_only_faults() {
    for time in
        ["9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00+23:59", "2026-11-20T10:00:00", "2026-02-30T00:00:00Z", ""]
    {
        let told = faults(with("/consent/obtained_at", json!(time)));
        assert!(!told.is_empty(), "{time}");
    }
}

#[test]
fn counts_are_bounded() {
    let check = json!({"type": "background_check", "country": "CO"});
    assert_eq!(faults(with("/checks", json!(vec![check.clone(); 20]))), "accepted");
    assert!(faults(with("/checks", json!(vec![check; 21]))).contains("/checks"));
    let identifier = json!({"type": "ssn", "country": "US", "value": "1"});
    assert_eq!(faults(with("/subject/identifiers", json!(vec![identifier.clone(); 50]))), "accepted");
    assert!(faults(with("/subject/identifiers", json!(vec![identifier; 51]))).contains("too_many"));
    let metadata: Map<String, Value> = (0..51).map(|index| (format!("k{index}"), json!("v"))).collect();
    assert!(faults(with("/metadata", Value::Object(metadata))).contains("too_many"));
}

/// Each field of the example, replaced by a value of every other type, is refused or taken, and nothing breaks.
#[test]
fn wrong_types_are_faults_at_their_own_place() {
    let mut pointers = Vec::new();
    collect(&examples::order(), "", &mut pointers);
    assert!(pointers.len() > 40);
    for pointer in pointers {
        for value in
            [json!(5), json!(true), json!([[]]), json!({"x": {}}), json!(1.5), json!([null]), json!("\u{0}"), json!(-1)]
        {
            let told = faults(with(&pointer, value.clone()));
            let is_taken = told == "accepted";
            let allowed = pointer == "/position/security_clearance_required" && value.is_boolean();
            assert!(is_taken == allowed || told.contains(pointer.as_str()), "{pointer} = {value}: {told}");
        }
    }
}

fn collect(value: &Value, at: &str, pointers: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                pointers.push(format!("{at}/{key}"));
                collect(value, &format!("{at}/{key}"), pointers);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                pointers.push(format!("{at}/{index}"));
                collect(value, &format!("{at}/{index}"), pointers);
            }
        }
        _ => {}
    }
}
