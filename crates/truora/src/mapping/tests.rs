use domain::Outcome;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use super::*;
use crate::fixtures::{colombian, colombian_item, item, reference};

fn form(subject: &Value, fields: &Value) -> Vec<String> {
    let request = request(&item(subject, fields)).expect("a request");
    request.form.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
}

fn look(check: &Value) -> Snapshot {
    let read: wire::Check = serde_json::from_value(check.clone()).expect("a check");
    snapshot(&OutcomePolicy::default(), &read, Bytes::from(check.to_string()))
}

fn document(kind: &str, country: &str, value: &str) -> Value {
    json!({ "type": kind, "country": country, "value": value })
}

/// A person's check as it comes back at the end, quirks included.
fn finished() -> Value {
    json!({
        "check_id": "CHK00000000000000000000000000000001", "country": "CO", "type": "person", "status": "completed",
        "custom_input": reference(1).to_string(), "national_id": "1032456701", "score": 0.9, "id_score": 0.9, "name_score": 1,
        "scores": [
            {
                "data_set": "legal_background", "score": 0.199, "result": "found", "severity": "high",
                "by_id": { "result": "found", "score": 0.199, "severity": "high" },
                "by_name": { "result": "ignored", "score": 1, "severity": "unknown" },
            },
            {
                "data_set": "alert_in_media", "score": 1, "result": "ignored", "severity": "unknown",
                "by_id": { "result": "ignored", "score": 1, "severity": "unknown" },
                "by_name": { "result": "ignored", "score": 1, "severity": "unknown" },
            },
        ],
        "statuses": [
            { "database_id": "DBI1", "database_name": "Registro", "data_set": "legal_background", "status": "completed" },
            { "database_id": "DBI1", "database_name": "Registro", "data_set": "criminal_record", "status": "completed" },
            { "database_id": "DBI2", "database_name": "Otro", "data_set": "legal_background", "status": "expired" },
            { "database_id": "DBI3", "database_name": "Otro", "data_set": "legal_background", "status": "error" },
            { "database_name": "Salud", "status": "skipped", "invalid_inputs": ["document_expedition_date", "document_expedition_date"] },
            { "database_name": "Pensión", "status": "skipped", "invalid_inputs": ["phone_number", "brand_new_input"] },
            { "database_name": "Nuevo", "status": "a new word" },
        ],
        "summary": {
            "result": "found", "identity_status": "found", "gender": "female", "date_of_birth": "1990-05-15T00:00:00Z",
            "names_found": [
                { "first_name": "LUCIA", "last_name": "PRUEBA", "count": 1 },
                { "first_name": "LUCIA INES", "last_name": "PRUEBA FICTICIA", "count": 5 },
            ],
            "drivers_license": { "status": "not_found", "categories": [] },
        },
        "company_summary": { "result": "skipped", "company_status": "not_found" },
        "vehicle_summary": { "result": "skipped", "vehicle_status": "not_found" },
        "wrong_inputs": [{ "Input": "last_name" }],
        "creation_date": "2026-11-20T10:00:00.076788029Z", "update_date": "2026-11-20T10:03:10.5-05:00",
    })
}

#[test]
fn a_national_is_searched_by_her_number() {
    assert_json_snapshot!(form(&colombian(), &json!({ "country": "co" })));
}

#[test]
fn a_foreigner_in_chile() {
    let subject = json!({
        "type": "person", "first_name": "Mateo", "last_name": "Ejemplo", "date_of_birth": "1988-03-04", "nationality": "ve",
        "identifiers": [
            { "type": "foreign_id", "country": "CL", "value": "25111222-3", "serial": "A0123", "verification_code": "9" },
            document("national_id", "VE", "18765432"),
        ],
    });
    let fields = json!({ "country": "CL", "payment_date": "2026-10-01", "certificate_folio": "500123" });
    assert_json_snapshot!(form(&subject, &fields));
}

#[test]
fn every_paper_of_a_colombian_foreigner() {
    let documents: Vec<_> = domain::IdentifierType::ALL
        .iter()
        .filter(|kind| kind.as_str() != "national_id")
        .map(|kind| document(kind.as_str(), "CO", &format!("no-{kind}")))
        .collect();
    let subject =
        json!({ "type": "person", "date_of_birth": "1988-03-04", "gender": "other", "identifiers": documents });
    assert_json_snapshot!(form(&subject, &json!({ "country": "CO" })));
}

#[test]
fn a_vehicle_with_its_driver_and_owner() {
    let subject = json!({
        "type": "vehicle", "license_plate": "ABC101", "vin": "9BWZZZ377VT004251",
        "owner": { "name": "Ejemplo SAS", "identifier": document("tax_id", "CO", "900123456") },
        "driver": { "first_name": "Lucía", "last_name": "Prueba", "identifiers": [document("national_id", "CO", "1032456703"), document("driver_license", "CO", "L-1")] },
    });
    assert_json_snapshot!(form(&subject, &json!({ "country": "CO" })));
}

#[test]
fn a_company_in_brazil() {
    let subject = json!({ "type": "company", "name": "Exemplo Ltda", "identifiers": [document("tax_id", "BR", "11222333000181")] });
    assert_json_snapshot!(form(&subject, &json!({ "country": "BR", "region": "sp" })));
}

#[test]
fn international_sources_are_searched_by_name_and_passport() {
    assert_json_snapshot!(form(&colombian(), &json!({ "country": "ALL" })));
}

#[test]
fn a_custom_type_takes_the_place_of_the_subjects() {
    let fields = json!({
        "country": "CO", "custom_type": "driver_screening",
        "vendor_options": { "imei": "123456789012345", "report_id": "RPT1", "escrow": "e", "priority": "low" },
    });
    let item = item(&colombian(), &fields);
    let request = request(&item).expect("a request");
    let value = |field: &str| request.form.iter().find(|(name, _)| *name == field).map(|(_, value)| value.as_str());
    assert_eq!(value("type"), Some("driver_screening"));
    assert_eq!(
        (value("imei"), value("report_id"), value("escrow")),
        (Some("123456789012345"), Some("RPT1"), Some("e"))
    );
    assert_eq!((request.priority.as_deref(), value("priority")), (Some("low"), None), "a header, not a field");
}

#[test]
fn a_new_check_is_forced_only_when_asked_for() {
    let forced =
        |item: &SubmissionItem| request(item).expect("a request").form.contains(&("force_creation", "true".to_owned()));
    assert!(!forced(&colombian_item()));
    assert!(forced(&SubmissionItem { force_new: true, ..colombian_item() }));
    // What the check asks for is for whoever sends: a call that follows a lost one must not force a second check.
    assert!(!forced(&item(&colombian(), &json!({ "country": "CO", "force_new": true }))));
}

#[test]
fn a_finished_check_in_our_words() {
    let snapshot = look(&finished());
    let Standing::Completed { outcome, result: Some(CheckResult::Background(result)), reason, certainty } =
        &snapshot.standing
    else {
        panic!("{snapshot:?}")
    };
    assert_eq!((*outcome, *certainty), (Outcome::Consider, Certainty::Full));
    assert_eq!(reason.as_ref().map(|reason| reason.code.as_str()), Some("dataset_below_threshold"));
    assert_eq!(snapshot.carries.ours(), Some(reference(1)));
    assert_eq!(snapshot.vendor_time.map(|at| at.to_string()).as_deref(), Some("2026-11-20T15:03:10.5Z"));
    assert_eq!(snapshot.documents.len(), 1);
    assert_eq!(pdf_of(&snapshot.documents[0].locator), Some("CHK00000000000000000000000000000001"));
    assert_json_snapshot!(result);
}

#[test]
fn lists_in_another_order_are_the_same_result() {
    let mut turned = finished();
    for list in ["scores", "statuses"] {
        turned[list].as_array_mut().expect("a list").reverse();
    }
    turned["summary"]["names_found"].as_array_mut().expect("a list").reverse();
    assert!(look(&turned).standing == look(&finished()).standing);
}

#[test]
fn keys_of_version_0_name_the_score_otherwise() {
    let mut old = finished();
    let fields = old.as_object_mut().expect("an object");
    fields.remove("name_score");
    fields.insert("homonym_score".to_owned(), json!(0.75));
    fields.insert("homonym_scores".to_owned(), json!([]));
    let read: wire::Check = serde_json::from_value(old).expect("a check");
    assert_eq!(result(&read).score_by_name, Some(0.75));
}

#[test]
fn scores_are_not_read_before_the_end() {
    for status in ["not_started", "in_progress", "delayed"] {
        let mut running = finished();
        running["status"] = json!(status);
        let snapshot = look(&running);
        assert!(matches!(snapshot.standing, Standing::Working { .. }), "{status}");
        assert!(snapshot.documents.is_empty());
        assert_eq!(snapshot.native_status, status);
    }
}

#[test]
fn an_error_is_completed_and_unresolved() {
    let mut failed = finished();
    failed["status"] = json!("error");
    let snapshot = look(&failed);
    assert!(matches!(snapshot.standing, Standing::Completed { outcome: Outcome::Unresolved, .. }));
    assert_eq!(snapshot.native_status, "error");
}

#[test]
fn a_word_that_nobody_knows_is_kept_and_said() {
    for (status, native) in [(json!("paused"), "paused"), (json!("COMPLETED"), "COMPLETED"), (json!(null), "")] {
        let mut odd = finished();
        odd["status"] = status;
        let snapshot = look(&odd);
        assert!(snapshot.standing == Standing::Unknown);
        assert_eq!(snapshot.native_status, native);
    }
}

#[test]
fn a_foreign_reference_is_none_of_ours() {
    let mut other = finished();
    other["custom_input"] = json!("somebody else's");
    assert_eq!(look(&other).carries.ours(), None);
}
