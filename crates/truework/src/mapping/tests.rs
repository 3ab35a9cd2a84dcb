use domain::CheckInput;
use serde_json::{Value, json};

use super::*;
use crate::samples::{employment, reference, report, vendor_order, verification, word};

fn look(order: &Value, check: Option<&CheckInput>) -> Snapshot {
    let payload = Bytes::from(order.to_string());
    let claim = check.and_then(Claim::of);
    snapshot(read(&payload).expect("an order"), claim.as_ref(), payload)
}

fn shown(snapshot: &Snapshot) -> Value {
    json!({
        "native_status": snapshot.native_status,
        "part_id": snapshot.part_id,
        "reference": snapshot.carries.ours(),
        "standing": snapshot.standing,
        "documents": snapshot.documents,
    })
}

/// Everything filled, as the contract has it.
fn full() -> Value {
    vendor_order(json!([{
        "id": "vr-1",
        "created": "2026-11-20T10:00:00Z",
        "state": word("completed"),
        "type": "employment-income",
        "date_of_completion": "2026-11-21T10:00:00Z",
        "metadata": { "vetgate_ref": reference(1).to_string() },
        "something_new": { "nested": [1, 2] },
        "applicant_documents": [{
            "id": "doc-1", "url": "https://api.truework.com/documents/doc-1",
            "detections": [{ "count": 0, "outcome": word("passed"), "type": word("page-edited") }],
        }],
        "reports": [
            {
                "id": "report-1",
                "created": "2026-11-21T10:00:00Z",
                "current_as_of": "2026-11-10",
                "additional_notes": "Payroll runs twice a month.",
                "employee": {
                    "first_name": "Jane", "last_name": "Sample", "social_security_number": "***-**-6789",
                    "status": word("active"),
                    "status_detail": word("on-leave"),
                    "hired_date": "2021-03-01",
                    "original_hired_date": "2019-01-01",
                    "termination_date": null,
                    "positions": [
                        { "title": "Junior Engineer", "start_date": "2019-01-01", "end_date": "2021-02-28",
                          "employment_type": word("regular-part-time") },
                        { "title": "Software Engineer", "start_date": "2021-03-01", "end_date": null,
                          "employment_type": { "canonical_value": "other", "raw_value": "seasonal" } },
                    ],
                    "salary": {
                        "pay_rate": { "amount": "150000.10", "unit": word("annually") },
                        "pay_frequency": word("semimonthly"),
                        "hours_per_week": "40.00",
                        "reduced_covid": "unknown",
                    },
                    "earnings": [
                        { "year": "2026", "base": "100000.00", "bonus": "5000.50", "commission": "0.00", "overtime": "0.00",
                          "other": "0.00", "total": "105000.50" },
                    ],
                },
                "employer": { "name": "TECH CORP INC", "address": { "city": "San Francisco" }, "government_ids": [] },
                "respondent": { "full_name": "Pat Example", "title": "HR", "email": "hr@techcorp.example" },
                "income_analytics": { "annualized_income": {
                    "base_amount": { "amount": "150000.10", "currency": "USD" },
                    "gross_amount": { "amount": "155000.60", "currency": null },
                } },
                "disputes": [],
                "paystubs": [],
            },
            {
                "id": "report-2",
                "employee": { "status": word("inactive"), "hired_date": "2015-01-01", "termination_date": "2018-12-01" },
                "employer": { "name": "Elsewhere LLC" },
            },
        ],
    }]))
}

#[test]
fn a_full_order_is_read_completely() {
    insta::assert_json_snapshot!(shown(&look(&full(), Some(&employment()))));
}

#[test]
fn what_was_not_compared_says_so() {
    insta::assert_json_snapshot!(shown(&look(&full(), None)));
}

#[test]
fn an_answer_as_older_versions_sent_it_is_read() {
    // Plain words, numbers for texts, most empty fields left out, as captured answers had it.
    let order = vendor_order(json!([{
        "id": "vr-1",
        "created": "2022-03-01T10:00:00.123456Z",
        "state": "completed",
        "turnaround_time": {},
        "date_of_completion": null,
        "reports": [{
            "id": "report-1",
            "employee": {
                "status": "inactive", "status_detail": "inactive", "hired_date": "2019-01-20",
                "positions": [{ "title": "Software Engineer", "start_date": "2019-01-20", "end_date": "2020-01-01" }],
                "earnings": [{ "year": 2019, "base": 1000.25, "total": "1000.25" }],
            },
            "employer": { "name": "Tech Corp" },
        }],
    }]));
    insta::assert_json_snapshot!(shown(&look(&order, Some(&employment()))));
}

#[test]
fn an_applicants_link_is_handed_on() {
    let mut order = vendor_order(json!([verification("action-required")]));
    order["truework_direct_session_link"] = json!("https://direct.example/session");
    insta::assert_json_snapshot!(shown(&look(&order, None)));
}

/// What an order of these verifications stands at, in a word.
fn standing_of(verifications: Value) -> (String, String) {
    let snapshot = look(&vendor_order(verifications), Some(&employment()));
    let standing = match &snapshot.standing {
        Standing::Completed { outcome, reason, .. } => {
            let reason = reason.as_ref().map_or("-", |reason| &reason.code);
            format!("completed {outcome} {reason}")
        }
        Standing::Canceled { reason } => format!("canceled {}", reason.code),
        Standing::Failed { reason } => format!("failed {}", reason.code),
        Standing::Waiting { action } => format!("waiting {}", action.kind),
        Standing::Working { .. } => "working".to_owned(),
        Standing::Unknown => "unknown".to_owned(),
    };
    (snapshot.native_status, standing)
}

fn canceled(canonical: &str, raw: &str) -> Value {
    let mut verification = verification("canceled");
    verification["cancellation_reason"] = json!({ "canonical_value": canonical, "raw_value": raw });
    verification
}

fn completed() -> Value {
    let mut verification = verification("completed");
    verification["reports"] = json!([report()]);
    verification
}

#[test]
fn verifications_are_rolled_up() {
    let other = json!({ "id": "x", "state": { "canonical_value": "other", "raw_value": "under-audit" } });
    let table = [
        (json!([]), "none", "working"),
        (json!(null), "none", "working"),
        (json!([verification("pending-approval")]), "pending-approval", "working"),
        (json!([verification("processing")]), "processing", "working"),
        (json!([verification("action-required")]), "action-required", "waiting dashboard"),
        (json!([verification("action-requred")]), "action-requred", "waiting dashboard"),
        (json!([verification("invalid")]), "invalid", "failed invalid"),
        (json!([other]), "under-audit", "unknown"),
        (json!([verification("frobnicated")]), "frobnicated", "unknown"),
        (json!([{ "id": "x" }]), "none", "unknown"),
        (json!([verification("canceled")]), "canceled", "canceled canceled"),
        (json!([canceled("wrong-info", "wrong-info")]), "canceled", "canceled wrong_info"),
        (json!([canceled("other", "employer-refused")]), "canceled", "canceled employer_refused"),
        (json!([canceled("other", "Said Jane Sample!")]), "canceled", "canceled canceled"),
        (json!([canceled("no-match", "no-match")]), "canceled", "completed unresolved no_match"),
        (json!([completed()]), "completed", "completed clear -"),
        (json!([verification("completed")]), "completed", "completed unresolved no_report"),
        // Several verifications: any open one keeps the order open.
        (json!([completed(), verification("processing")]), "completed+processing", "working"),
        (json!([completed(), verification("action-required")]), "completed+action-required", "waiting dashboard"),
        (json!([other, verification("processing")]), "under-audit+processing", "unknown"),
        (json!([completed(), canceled("no-match", "")]), "completed+canceled", "completed unresolved partly_completed"),
        (json!([completed(), verification("invalid")]), "completed+invalid", "completed unresolved partly_completed"),
        (json!([canceled("no-match", ""), verification("canceled")]), "canceled", "canceled canceled"),
        (
            json!([canceled("no-match", ""), verification("invalid")]),
            "canceled+invalid",
            "completed unresolved no_match",
        ),
        (json!([verification("canceled"), verification("invalid")]), "canceled+invalid", "canceled canceled"),
    ];
    for (verifications, native, standing) in table {
        let told = verifications.to_string();
        assert_eq!(standing_of(verifications), (native.to_owned(), standing.to_owned()), "{told}");
    }
}

#[test]
fn a_direct_order_without_verifications_waits_for_the_applicant() {
    let mut order = vendor_order(json!([]));
    order["truework_direct"] = json!({ "targets": [] });
    let standing = look(&order, None).standing;
    assert!(matches!(standing, Standing::Waiting { action } if action.kind == ActionKind::Dashboard));
    order["truework_direct"] = Value::Null;
    assert!(matches!(look(&order, None).standing, Standing::Working { .. }));
}

#[test]
fn the_estimate_counts_from_the_beginning() {
    let mut open = verification("processing");
    open["turnaround_time"] = json!({ "lower_bound": "20", "best_estimate": "48", "upper_bound": "124" });
    let Standing::Working { estimated_completion_at } = look(&vendor_order(json!([open])), None).standing else {
        panic!("not working");
    };
    assert_eq!(estimated_completion_at, Some("2026-11-22T10:00:00Z".parse().expect("a time")));
    for nonsense in ["soon", "-4", "1e300", "NaN"] {
        open["turnaround_time"]["best_estimate"] = json!(nonsense);
        let standing = look(&vendor_order(json!([open])), None).standing;
        assert_eq!(standing, Standing::Working { estimated_completion_at: None }, "{nonsense}");
    }
}

#[test]
fn failed_document_checks_and_open_disputes_are_to_be_considered() {
    let mut flagged = completed();
    flagged["applicant_documents"] =
        json!([{ "url": "https://x.example/1", "detections": [{ "outcome": word("failed") }] }]);
    assert_eq!(standing_of(json!([flagged])).1, "completed consider document_flagged");
    let mut disputed = completed();
    disputed["reports"][0]["disputes"] = json!([{ "id": "dispute-1" }]);
    assert_eq!(standing_of(json!([disputed])).1, "completed consider disputed");
}

#[test]
fn analytics_are_missed_only_where_they_were_asked_for_and_can_be() {
    let mut verification = completed();
    let lacking = |verification: &Value| {
        let order = vendor_order(json!([verification])).to_string();
        lacking_analytics(&read(order.as_bytes()).expect("an order"))
    };
    assert!(lacking(&verification).is_empty(), "not asked for");
    verification["metadata"] = json!({ ANALYTICS_KEY: "true" });
    assert_eq!(lacking(&verification), ["report-1"]);
    verification["reports"][0]["employee"]["status"] = word("inactive");
    assert!(lacking(&verification).is_empty(), "not active");
}

#[test]
fn reports_that_were_read_one_by_one_take_their_place() {
    let order = vendor_order(json!([completed()])).to_string();
    let mut rich = report();
    rich["income_analytics"] =
        json!({ "annualized_income": { "base_amount": { "amount": "1.00", "currency": "USD" } } });
    let payload = with_reports(order.as_bytes(), &[rich.to_string().into()]);
    let order = read(&payload).expect("an order");
    assert!(lacking_analytics(&order).is_empty());
    let Standing::Completed { result: Some(CheckResult::Verification(result)), .. } =
        snapshot(order, None, payload).standing
    else {
        panic!("no result");
    };
    let base = result.income.and_then(|income| income.annualized_base).map(|money| money.amount);
    assert_eq!(base.as_deref(), Some("1.00"));
}

#[test]
fn locators_are_read_back() {
    let older = Place::OlderReport { verification: "a\",\"b".to_owned(), report: "/c:d".to_owned() };
    for place in [Place::Report("abc:x".to_owned()), older, Place::Link("https://x".to_owned())] {
        assert_eq!(Place::read(&place.locator()).as_ref(), Some(&place));
    }
    for odd in ["elsewhere", "verification-report:x", "verification-report:[\"a\"]"] {
        assert_eq!(Place::read(odd), None, "{odd}");
    }
}

#[test]
fn why_it_was_canceled_is_told_in_our_words() {
    let mut told = canceled("wrong-info", "wrong-info");
    told["cancellation_details"] = json!("Jane Sample's number 123-45-6789 is wrong");
    let order = vendor_order(json!([told]));
    let snapshot = look(&order, None);
    let Standing::Canceled { reason } = &snapshot.standing else { panic!("not canceled") };
    assert_eq!((reason.code.as_str(), reason.message.as_str()), ("wrong_info", "Truework canceled it."));
    assert!(String::from_utf8_lossy(snapshot.payload.expose()).contains("Jane Sample"), "kept in the payload");
}

#[test]
fn ids_that_cannot_be_kept_are_ignored_and_long_words_cut() {
    for id in ["x".repeat(4_096), "x\u{1}".to_owned(), " x".to_owned()] {
        let mut odd = completed();
        odd["id"] = json!(id);
        odd["metadata"] = json!({ ANALYTICS_KEY: "true" });
        odd["reports"][0]["id"] = json!(id);
        let order = vendor_order(json!([odd]));
        let snapshot = look(&order, None);
        assert_eq!((snapshot.part_id, snapshot.documents.len()), (None, 0), "{id:?}");
        assert!(lacking_analytics(&read(order.to_string().as_bytes()).expect("an order")).is_empty(), "{id:?}");
    }
    let native = look(&vendor_order(json!([verification(&"s".repeat(5_000))])), None).native_status;
    assert_eq!(native.len(), 100);
}

#[test]
fn a_payload_with_a_nul_is_unreadable_and_one_with_a_backslash_is_not() {
    let order = |text: &str| {
        let mut told = canceled("no-match", "");
        told["cancellation_details"] = json!(text);
        read(vendor_order(json!([told])).to_string().as_bytes()).is_some()
    };
    assert!(order(r"a\u0000b"));
    assert!(!order("a\u{0}b"));
}
