use serde_json::{Value, json};

use super::*;
use crate::mapping;

/// A finished check with a clean criminal record, and some fields otherwise.
fn judged_by(policy: &OutcomePolicy, fields: &Value) -> (Outcome, String) {
    let mut check = json!({
        "check_id": "CHK1", "status": "completed", "score": 1, "id_score": 1, "name_score": 1,
        "scores": [side("criminal_record", "not_found", 1.0, "none")],
        "statuses": [{ "status": "completed" }],
        "summary": { "result": "found", "identity_status": "found" },
        "company_summary": { "result": "skipped", "company_status": "not_found" },
        "vehicle_summary": { "result": "skipped", "vehicle_status": "not_found" },
    });
    check.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
    let check: wire::Check = serde_json::from_value(check).expect("a check");
    let (outcome, reason) = of_completed(policy, &check, &mapping::result(&check));
    (outcome, reason.map(|reason| reason.code).unwrap_or_default())
}

fn judged(fields: &Value) -> (Outcome, String) {
    judged_by(&OutcomePolicy::default(), fields)
}

fn side(data_set: &str, result: &str, score: f64, severity: &str) -> Value {
    json!({ "data_set": data_set, "result": result, "score": score, "severity": severity })
}

/// One data set with two sides, as the vendor scores it: by the worse one.
fn two_sided(by_id: &Value, by_name: &Value) -> Value {
    let least = [by_id, by_name].into_iter().filter_map(|side| side["score"].as_f64()).fold(1.0, f64::min);
    json!({ "scores": [{ "data_set": "criminal_record", "score": least, "by_id": by_id, "by_name": by_name }] })
}

fn is(outcome: Outcome, code: &str) -> (Outcome, String) {
    (outcome, code.to_owned())
}

#[test]
fn nothing_against_it_is_clear() {
    assert_eq!(judged(&json!({})), is(Outcome::Clear, ""));
}

#[test]
fn what_was_found_is_judged_by_its_score() {
    let of =
        |score: f64, severity: &str| judged(&json!({ "scores": [side("legal_background", "found", score, severity)] }));
    assert_eq!(of(1.0, "none").0, Outcome::Clear, "found may be harmless");
    assert_eq!(of(0.8, "very_low").0, Outcome::Clear);
    assert_eq!(of(0.799, "very_low").0, Outcome::Clear, "the vendor's scores carry noise");
    for (score, severity) in [(0.6, "low"), (0.4, "medium"), (0.199, "high"), (0.0, "very_high")] {
        assert_eq!(of(score, severity), is(Outcome::Consider, "dataset_below_threshold"), "{severity}");
    }
    assert_eq!(of(1.0, "high").0, Outcome::Consider, "where score and severity disagree, the worse counts");
}

#[test]
fn a_small_weight_does_not_hide_a_data_set() {
    let fields = json!({ "score": 0.9, "scores": [side("legal_background", "found", 0.0, "very_high")] });
    assert_eq!(judged(&fields).0, Outcome::Consider);
}

#[test]
fn the_whole_score_counts_too() {
    assert_eq!(judged(&json!({ "score": 0.5 })), is(Outcome::Consider, "score_below_threshold"));
    assert_eq!(judged(&json!({ "score": -1 })), is(Outcome::Unresolved, "no_score"));
    assert_eq!(judged(&json!({ "score": null })), is(Outcome::Unresolved, "no_score"));
}

#[test]
fn an_ignored_side_carries_no_weight() {
    let ignored = side("", "ignored", 1.0, "unknown");
    let clean = side("", "not_found", 1.0, "none");
    let bad = side("", "found", 0.0, "very_high");
    assert_eq!(judged(&two_sided(&ignored, &clean)).0, Outcome::Clear);
    assert_eq!(judged(&two_sided(&ignored, &ignored)), is(Outcome::Unresolved, "nothing_searched"));
    assert_eq!(judged(&two_sided(&bad, &ignored)), is(Outcome::Consider, "dataset_below_threshold"));
    assert_eq!(judged(&two_sided(&ignored, &bad)), is(Outcome::Consider, "possible_homonym"));
}

#[test]
fn a_hit_by_name_alone_may_be_a_namesakes() {
    let clean = side("", "not_found", 1.0, "none");
    let bad = side("", "found", 0.199, "high");
    assert_eq!(judged(&two_sided(&clean, &bad)), is(Outcome::Consider, "possible_homonym"));
    assert_eq!(judged(&two_sided(&bad, &bad)), is(Outcome::Consider, "dataset_below_threshold"));
}

#[test]
fn nobody_is_cleared_by_what_was_not_looked_at() {
    assert_eq!(judged(&json!({ "scores": [] })), is(Outcome::Unresolved, "nothing_searched"));
    assert_eq!(judged(&json!({ "scores": null })), is(Outcome::Unresolved, "nothing_searched"));
    for result in ["error", "delayed", "pending"] {
        let fields = json!({ "scores": [side("criminal_record", result, 1.0, "unknown")] });
        assert_eq!(judged(&fields), is(Outcome::Unresolved, "dataset_incomplete"), "{result}");
    }
    let unscored = json!({ "scores": [side("criminal_record", "found", -1.0, "unknown")] });
    assert_eq!(judged(&unscored), is(Outcome::Unresolved, "dataset_incomplete"));
}

#[test]
fn advisory_data_sets_are_shown_and_not_judged() {
    let media = side("alert_in_media", "found", 0.0, "very_high");
    let fields = json!({ "scores": [media, side("criminal_record", "not_found", 1.0, "none")] });
    assert_eq!(judged(&fields).0, Outcome::Clear);
    let strict = OutcomePolicy { advisory_datasets: Vec::new(), ..OutcomePolicy::default() };
    assert_eq!(judged_by(&strict, &fields).0, Outcome::Consider);
}

#[test]
fn too_many_failed_sources_leave_it_open() {
    let rows = |failed: usize, completed: usize, skipped: usize| {
        let row = |status: &str| json!({ "status": status });
        let rows = [("error", failed), ("completed", completed), ("skipped", skipped)];
        json!({ "statuses": rows.iter().flat_map(|(word, n)| vec![row(word); *n]).collect::<Vec<_>>() })
    };
    assert_eq!(judged(&rows(3, 7, 90)).0, Outcome::Clear, "exactly the vendor's own limit, skipped ones aside");
    assert_eq!(judged(&rows(4, 6, 90)), is(Outcome::Unresolved, "sources_failed"));
    let strict = OutcomePolicy { max_failed_share: 0.0, ..OutcomePolicy::default() };
    assert_eq!(judged_by(&strict, &rows(1, 99, 0)), is(Outcome::Unresolved, "sources_failed"));
}

#[test]
fn contradicted_inputs_are_looked_at() {
    for row in [json!({ "Input": "first_name" }), json!({ "input": "first_name" }), json!("first_name"), json!({})] {
        assert_eq!(judged(&json!({ "wrong_inputs": [row] })), is(Outcome::Consider, "inputs_contradicted"));
    }
    assert_eq!(judged(&json!({ "wrong_inputs": [] })).0, Outcome::Clear);
}

#[test]
fn identities_are_judged_where_they_were_searched() {
    let person = |result: &str, status: &str| json!({ "summary": { "result": result, "identity_status": status } });
    assert_eq!(judged(&person("found", "dead")), is(Outcome::Consider, "identity_flagged"));
    assert_eq!(judged(&person("not_found", "not_found")), is(Outcome::Unresolved, "identity_not_found"));
    assert_eq!(judged(&person("skipped", "not_found")).0, Outcome::Clear, "those that do not apply say so too");
    let lax = OutcomePolicy { require_identity: false, ..OutcomePolicy::default() };
    assert_eq!(judged_by(&lax, &person("not_found", "not_found")).0, Outcome::Clear);
    for (status, outcome) in [
        ("active", Outcome::Clear),
        ("found", Outcome::Clear),
        ("cancelled", Outcome::Consider),
        ("suspended", Outcome::Consider),
        ("not_reinscribed", Outcome::Consider),
        ("incapable", Outcome::Consider),
        ("a new word", Outcome::Consider),
        ("not_found", Outcome::Unresolved),
    ] {
        let fields = json!({
            "summary": { "result": "skipped", "identity_status": "not_found" },
            "company_summary": { "result": "found", "company_status": status },
        });
        assert_eq!(judged(&fields).0, outcome, "{status}");
    }
}

#[test]
fn what_speaks_against_the_subject_goes_before_what_is_missing() {
    let fields = json!({ "score": -1, "scores": [side("criminal_record", "found", 0.0, "very_high")] });
    assert_eq!(judged(&fields).0, Outcome::Consider);
}

#[test]
fn too_many_failures_make_an_error_unresolved() {
    let (outcome, reason) = of_error();
    assert_eq!((outcome, reason.expect("a reason").code.as_str()), (Outcome::Unresolved, "sources_failed"));
}

#[test]
fn thresholds_run_from_0_to_1() {
    assert!(OutcomePolicy::default().fault().is_none());
    for bad in [-0.1, 1.1, f64::NAN] {
        assert!(OutcomePolicy { clear_score: bad, ..OutcomePolicy::default() }.fault().is_some(), "{bad}");
    }
}
