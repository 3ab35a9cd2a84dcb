use serde_json::{Value, json};

use super::*;
use crate::fixtures::{answer, colombian_item, reference};

fn judged(answer: &VendorAnswer) -> ItemOutcome {
    classify(&OutcomePolicy::default(), &colombian_item(), answer)
}

/// The check that the vendor made of the fixture, with some fields otherwise.
fn made_of(fields: &Value) -> Value {
    let mut check = json!({
        "check_id": "CHK1", "country": "CO", "type": "person", "status": "not_started", "score": -1, "id_score": 0,
        "national_id": "1032456701", "custom_input": reference(1).to_string(),
        "creation_date": "2026-11-20T10:00:00.076788029Z", "update_date": "2026-11-20T10:00:00.076788029Z",
    });
    let fields = fields.as_object().expect("an object").clone();
    check.as_object_mut().expect("an object").extend(fields);
    json!({ "check": check, "details": "/v1/checks/CHK1/details", "self": "/v1/checks/CHK1" })
}

fn accepted(answer: &VendorAnswer) -> Accepted {
    match judged(answer) {
        ItemOutcome::Accepted(accepted) => *accepted,
        other => panic!("{other:?}"),
    }
}

fn error(status: u16, message: &str) -> VendorAnswer {
    answer(status, json!({ "code": 10_000 + status, "http_code": status, "message": message }))
}

fn is_unknown_then_resend(answer: &VendorAnswer) -> bool {
    matches!(judged(answer), ItemOutcome::Unknown { then: AfterAbsence::Resend, .. })
}

#[test]
fn any_good_status_with_a_check_is_accepted() {
    for status in [200, 201, 202, 203] {
        let accepted = accepted(&answer(status, made_of(&json!({}))));
        assert_eq!(accepted.vendor, VendorRef::order("CHK1"));
        assert!(!accepted.reused && !accepted.provisional);
        let snapshot = accepted.snapshot.expect("it says how the check stands");
        assert_eq!(snapshot.native_status, "not_started");
        assert_eq!(snapshot.carries.ours(), Some(reference(1)));
    }
}

#[test]
fn an_earlier_check_of_the_vendors_dedupe_is_told_apart() {
    // By another reference, of ours or of anybody.
    for text in [reference(2).to_string(), "someone else's".to_owned()] {
        assert!(accepted(&answer(201, made_of(&json!({ "custom_input": text })))).reused);
    }
    // By its age, where no reference is given back.
    let dated = |created: &str| {
        let mut answer = answer(201, made_of(&json!({ "custom_input": null, "creation_date": created })));
        answer.headers.insert(DATE, "Fri, 20 Nov 2026 10:00:00 GMT".parse().expect("a header"));
        answer
    };
    assert!(accepted(&dated("2026-11-20T09:59:00Z")).reused);
    assert!(!accepted(&dated("2026-11-20T09:59:45Z")).reused, "clocks tick in seconds, and calls take some");
    // With our own reference it was made for this very check, however long ago.
    let mut resent = dated("2026-11-19T00:00:00Z");
    resent.body = made_of(&json!({ "creation_date": "2026-11-19T00:00:00Z" })).to_string().into();
    assert!(!accepted(&resent).reused);
    // Without a date nothing is claimed; a blank reference is none.
    for none in [json!(null), json!(""), json!(" ")] {
        assert!(!accepted(&answer(201, made_of(&json!({ "custom_input": none })))).reused);
    }
}

#[test]
fn an_answer_may_be_completed_already() {
    let scores = json!([{ "data_set": "criminal_record", "score": 1, "result": "not_found", "severity": "none" }]);
    let accepted = accepted(&answer(201, made_of(&json!({ "status": "completed", "score": 1, "scores": scores }))));
    assert!(accepted.snapshot.expect("a snapshot").standing.is_final());
}

#[test]
fn an_id_in_hand_binds_even_where_the_rest_is_unreadable() {
    let accepted = accepted(&answer(201, made_of(&json!({ "status": "completed", "score": "good" }))));
    assert!(accepted.snapshot.is_none());
}

#[test]
fn a_good_status_without_a_fitting_check_is_unknown() {
    for body in [
        String::new(),
        "<html>".to_owned(),
        "{}".to_owned(),
        json!({ "check": {} }).to_string(),
        made_of(&json!({ "check_id": "" })).to_string(),
        made_of(&json!({ "check_id": "CHK2" })).to_string(),
        json!({ "check": { "check_id": "x".repeat(4_096), "custom_input": reference(1).to_string() } }).to_string(),
        json!({ "check": { "check_id": "CHK\u{1}", "custom_input": reference(1).to_string() } }).to_string(),
        made_of(&json!({ "custom_input": null, "country": "PE" })).to_string(),
        made_of(&json!({ "custom_input": null, "type": "company" })).to_string(),
        made_of(&json!({ "custom_input": reference(2).to_string(), "national_id": "52000000" })).to_string(),
    ] {
        assert!(is_unknown_then_resend(&answer(201, &body)), "{body}");
    }
}

#[test]
fn a_good_status_without_a_body_is_unknown() {
    for status in [204, 206, 299] {
        assert!(is_unknown_then_resend(&answer(status, made_of(&json!({})))), "{status}");
    }
}

#[test]
fn a_refusal_is_looked_for_and_then_fails() {
    for status in [400, 413, 422] {
        for answer in [error(status, "Invalid request: native country was expected"), answer(status, "<html>")] {
            let ItemOutcome::Unknown { then: AfterAbsence::Fail { reason }, .. } = judged(&answer) else {
                panic!("{status}")
            };
            assert_eq!(reason.code, "vendor_refused");
            assert!(reason.message.starts_with(&format!("The vendor answered {status}")), "{}", reason.message);
        }
    }
}

#[test]
fn refused_credentials_are_not_sent() {
    let denied = "User is not authorized to access this resource with an explicit deny: the api key has expired";
    for answer in [
        answer(401, json!({ "message": "Unauthorized" })),
        answer(401, ""),
        answer(403, json!({ "message": denied })),
        error(403, denied),
        error(403, "missing required permissions"),
    ] {
        let ItemOutcome::NotSent { why, .. } = judged(&answer) else { panic!("{answer:?}") };
        assert_eq!(why.code, "credentials_refused");
    }
}

#[test]
fn an_unknown_route_is_not_sent() {
    let ItemOutcome::NotSent { why, .. } = judged(&answer(403, json!({ "message": "Missing Authentication Token" })))
    else {
        panic!("sent")
    };
    assert_eq!(why.code, "wrong_address");
}

#[test]
fn any_other_403_is_unknown() {
    assert!(is_unknown_then_resend(&answer(403, "<html>Request blocked</html>")));
    assert!(is_unknown_then_resend(&error(403, "Forbidden")));
}

#[test]
fn other_refusals_fail_in_the_services_own_words_only() {
    for status in [404, 405, 406, 415] {
        let outcome = judged(&error(status, "Resource not found"));
        assert!(matches!(outcome, ItemOutcome::Unknown { then: AfterAbsence::Fail { .. }, .. }), "{status}");
        assert!(is_unknown_then_resend(&answer(status, "<html>")), "{status} of a proxy");
        assert!(is_unknown_then_resend(&answer(status, json!({ "message": "Not Found" }))), "{status} of a gateway");
    }
}

#[test]
fn too_much_is_not_sent_and_says_how_long_to_wait() {
    // With the code of a 400; the HTTP status counts.
    let mut limited = answer(429, json!({ "code": 10_400, "http_code": 429, "message": "too many" }));
    assert!(matches!(judged(&limited), ItemOutcome::NotSent { retry_after: None, .. }));
    limited.headers.insert(http::header::RETRY_AFTER, "7".parse().expect("a header"));
    let seven = Some(Duration::from_secs(7));
    assert!(matches!(judged(&limited), ItemOutcome::NotSent { retry_after, .. } if retry_after == seven));
}

#[test]
fn everything_else_is_unknown() {
    for status in [301, 302, 307, 402, 408, 409, 410, 418, 451, 500, 501, 502, 503, 504, 599] {
        assert!(is_unknown_then_resend(&error(status, "Internal server error, try again later")), "{status}");
        assert!(is_unknown_then_resend(&answer(status, "")), "{status}");
    }
}

#[test]
fn a_vendors_sentence_stays_in_the_evidence() {
    for (status, sentence) in
        [(400, "1032456701 of Lucía is wrong"), (404, "no Lucía"), (403, "Lucía?"), (500, "Lucía")]
    {
        let ItemOutcome::Unknown { why, then } = judged(&error(status, sentence)) else { panic!("known") };
        assert_eq!(why.message, format!("The vendor answered {status}, with its code {}.", 10_000 + status));
        if let AfterAbsence::Fail { reason } = then {
            assert_eq!(reason.message, why.message);
        }
    }
    let ItemOutcome::Unknown { why, .. } = judged(&answer(500, "Lucía")) else { panic!("known") };
    assert_eq!(why.message, "The vendor answered 500.");
}

#[test]
fn one_check_travels_per_call() {
    let submission = Submission {
        id: domain::SubmissionId::from_uuid(uuid::Uuid::nil()),
        items: vec![colombian_item(), colombian_item()],
        joint: false,
        hook_url: None,
    };
    let report = not_a_call(&submission);
    assert!(matches!(report.items.as_slice(), [ItemOutcome::NotSent { .. }, ItemOutcome::NotSent { .. }]));
}
