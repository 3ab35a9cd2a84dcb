//! Verification requests of older versions, with fields absent and null where the vendor's captured answers had them so.
//! Synthetic throughout.

use domain::CheckInput;
use serde_json::{Value, json};

use super::*;
use crate::samples::{check, employment, income_search, reference};

fn look(verification: &Value, check: &CheckInput) -> Snapshot {
    let payload = Bytes::from(verification.to_string());
    snapshot(read(&payload).expect("readable"), Claim::of(check).as_ref(), payload)
}

/// What all of them have, and the nulls that came along.
fn verification(state: &str, company: &Value) -> Value {
    json!({
        "id": "vr-1",
        "created": "2022-03-05T20:07:54.381235Z",
        "date_of_completion": null,
        "loan_id": null,
        "permissible_purpose": "employment",
        "price": { "amount": "42.95", "currency": "USD" },
        "reseller_originating_party": null,
        "state": state,
        "target": { "company": company, "first_name": "Jane", "last_name": "Sample", "social_security_number": "***-**-0000" },
        "turnaround_time": {},
        "type": "employment-income",
        "use_case": "background",
    })
}

fn named() -> Value {
    json!({ "id": 1, "name": "Tech Corp" })
}

/// A search names no company, and its answer names one without a name.
fn nameless() -> Value {
    json!({ "name": null })
}

fn with_report(report: &Value) -> Value {
    let mut verification = verification("completed", &named());
    verification["reports"] = json!([report]);
    verification
}

fn result_of(verification: &Value) -> (Outcome, VerificationResult) {
    match look(verification, &employment()).standing {
        Standing::Completed { outcome, result: Some(CheckResult::Verification(result)), .. } => (outcome, *result),
        other => panic!("not completed: {other:?}"),
    }
}

#[test]
fn an_active_employee() {
    let verification = with_report(&json!({
        "id": "report-1", "created": "2022-03-05T20:07:54.560013Z", "current_as_of": "2022-01-20", "pricing_tier": "smart-outreach",
        "employee": {
            "first_name": "Jane", "last_name": "Sample", "social_security_number": "***-**-0000",
            "status": "active", "status_detail": "active", "hired_date": "2019-01-01",
            "positions": [{ "title": "Software Engineer", "start_date": "2019-01-01", "employment_type": "regular-full-time" }],
            "salary": { "gross_pay": "150000.00", "pay_frequency": "annually", "reduced_covid": "unknown" },
            "earnings": [{ "year": "2022", "base": "50000.00", "bonus": "0.00", "commission": "0.00", "overtime": "0.00",
                           "other": "0.00", "total": "50000.00" }],
        },
        "employer": { "name": "Tech Corp", "address": "1 Example Street\nSpringfield, CA 94105" },
    }));
    insta::assert_json_snapshot!(look(&verification, &employment()).standing);
}

#[test]
fn an_inactive_employee_has_no_salary_and_one_on_leave_may_be_inactive() {
    let (outcome, result) = result_of(&with_report(&json!({
        "id": "report-1",
        "employee": {
            "status": "inactive", "status_detail": "inactive", "hired_date": "2019-01-20", "termination_date": "2022-01-01",
            "positions": [{ "title": "Software Engineer", "start_date": "2019-01-20", "end_date": "2022-01-01" }],
        },
        "employer": { "name": "Tech Corp" },
    })));
    assert_eq!(outcome, Outcome::Clear);
    assert!(result.income.is_none());
    let (_, result) = result_of(&with_report(&json!({
        "id": "report-1",
        "employee": { "status": "inactive", "status_detail": "inactive", "on_leave_date": "2022-01-01" },
    })));
    assert_eq!(result.details.and_then(|details| details.on_leave_since).as_deref(), Some("2022-01-01"));
}

#[test]
fn numbers_stay_as_they_are_written() {
    let text = with_report(
        &json!({ "id": "report-1", "employee": { "salary": { "gross_pay": "@", "pay_frequency": "annually" },
        "earnings": [{ "year": "@year", "base": "@base", "total": null }] } }),
    )
    .to_string()
    .replace("\"@\"", "150000.10")
    .replace("\"@year\"", "2019")
    .replace("\"@base\"", "12345678901234567890.120");
    let payload = Bytes::from(text);
    let Standing::Completed { result: Some(CheckResult::Verification(result)), .. } =
        snapshot(read(&payload).expect("readable"), None, payload).standing
    else {
        panic!("not completed");
    };
    let income = result.income.expect("an income");
    assert_eq!(income.pay_rate.map(|pay| pay.amount).as_deref(), Some("150000.10"));
    assert_eq!(income.earnings[0].year, "2019");
    assert_eq!(income.earnings[0].base.as_deref(), Some("12345678901234567890.120"));
}

#[test]
fn a_cancellation_shows_its_price_and_no_reason() {
    let standing = look(&verification("canceled", &named()), &employment()).standing;
    assert!(matches!(standing, Standing::Canceled { reason } if reason.code == "canceled"));
    // In a search that is how nothing is found; unless somebody stopped it.
    let mut search = verification("canceled", &nameless());
    let standing = look(&search, &income_search()).standing;
    assert!(matches!(standing, Standing::Completed { reason: Some(why), .. } if why.code == "no_match"));
    search["cancellation_reason"] = json!("immediate");
    let standing = look(&search, &income_search()).standing;
    assert!(matches!(standing, Standing::Canceled { reason } if reason.code == "immediate"));
}

#[test]
fn every_state_of_the_older_versions_is_known() {
    for (state, expected) in [
        ("pending-approval", "Working"),
        ("processing", "Working"),
        ("action-required", "Waiting"),
        ("completed", "Completed"),
        ("canceled", "Canceled"),
        ("invalid", "Failed"),
        ("frobnicated", "Unknown"),
    ] {
        let snapshot = look(&verification(state, &named()), &employment());
        assert_eq!(format!("{:?}", snapshot.standing), expected);
        assert_eq!((snapshot.native_status.as_str(), snapshot.part_id), (state, None));
    }
    let mut open = verification("processing", &named());
    open["turnaround_time"] = json!({ "best_estimate": "48", "lower_bound": "20", "upper_bound": "124" });
    let Standing::Working { estimated_completion_at: Some(at) } = look(&open, &employment()).standing else {
        panic!("no estimate");
    };
    assert_eq!(at.to_string(), "2022-03-07T20:07:54.381235Z");
}

#[test]
fn the_reference_is_in_the_metadata_and_a_branch_does_not_matter() {
    let mut later = verification("processing", &named());
    later["metadata"] = json!({ "vetgate_ref": reference(1).to_string() });
    for branch in [json!(null), json!(7), json!("b-7")] {
        later["branch_id"] = branch;
        assert_eq!(look(&later, &employment()).carries.ours(), Some(reference(1)));
    }
    // All that is left of an answer in which everything empty is left out.
    let least = json!({ "id": "vr-1", "state": "processing" });
    let check = check(employment().spec);
    assert!(matches!(look(&least, &check).standing, Standing::Working { estimated_completion_at: None }));
}
