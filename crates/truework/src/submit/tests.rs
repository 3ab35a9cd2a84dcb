use std::time::Duration;

use domain::Standing;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::*;
use crate::samples::{employment, reference, vendor_order, verification};

fn answer(status: u16, body: impl Into<bytes::Bytes>) -> VendorAnswer {
    VendorAnswer {
        status: StatusCode::from_u16(status).expect("a status"),
        headers: HeaderMap::new(),
        body: body.into(),
        took: Duration::ZERO,
    }
}

fn account(is_sandbox: bool) -> Account {
    Account { version: Version::default(), is_sandbox }
}

fn classified(answer: &VendorAnswer) -> ItemOutcome {
    let check = employment();
    classify(answer, account(false), reference(1), Claim::of(&check).as_ref())
}

fn of_json(status: u16, body: &Value) -> ItemOutcome {
    classified(&answer(status, body.to_string()))
}

/// The class in a word, with the reason's code.
fn class(outcome: &ItemOutcome) -> String {
    match outcome {
        ItemOutcome::Accepted(accepted) if accepted.provisional => "accepted, provisional".to_owned(),
        ItemOutcome::Accepted(_) => "accepted".to_owned(),
        ItemOutcome::Rejected(why) => format!("rejected {}", why.code),
        ItemOutcome::NotSent { why, .. } => format!("not sent {}", why.code),
        ItemOutcome::Unknown { why, then: AfterAbsence::Resend } => format!("unknown {}, resend", why.code),
        ItemOutcome::Unknown { why, then: AfterAbsence::Fail { .. } } => format!("unknown {}, fail", why.code),
    }
}

#[test]
fn every_status_has_its_class() {
    let error = json!({ "error": { "message": "x" } });
    for (status, expected) in [
        (202, "unknown unexpected_status, resend"),
        (204, "unknown unexpected_status, resend"),
        (301, "unknown unexpected_status, resend"),
        (307, "unknown unexpected_status, resend"),
        (400, "unknown refused_by_vendor, fail"),
        (401, "not sent credentials_refused"),
        (403, "not sent forbidden"),
        (404, "unknown unexpected_status, resend"),
        (406, "not sent version_refused"),
        (408, "unknown unexpected_status, resend"),
        (409, "unknown unexpected_status, resend"),
        (413, "unknown refused_by_vendor, fail"),
        (422, "unknown refused_by_vendor, fail"),
        (429, "not sent rate_limited"),
        (451, "rejected ssn_frozen"),
        (500, "unknown vendor_failed, resend"),
        (501, "unknown vendor_failed, resend"),
        (502, "unknown vendor_failed, resend"),
        (503, "unknown vendor_failed, resend"),
        (504, "unknown vendor_failed, resend"),
        (599, "unknown vendor_failed, resend"),
    ] {
        assert_eq!(class(&of_json(status, &error)), expected, "{status}");
        let page = classified(&answer(status, "<html>not JSON</html>"));
        assert_eq!(class(&page), expected, "{status} with a page of a gateway");
    }
}

#[test]
fn a_success_must_name_its_order() {
    let mut order = vendor_order(json!([verification("processing")]));
    assert_eq!(class(&of_json(201, &order)), "accepted");
    assert_eq!(class(&of_json(200, &order)), "accepted");
    order["search_key"] = Value::Null;
    assert_eq!(class(&of_json(201, &order)), "accepted, provisional");
    order["search_key"] = json!(reference(2).to_string());
    assert_eq!(class(&of_json(201, &order)), "unknown answer_of_another_order, resend");
    for body in [
        json!({}),
        json!({ "id": null }),
        json!({ "id": "" }),
        json!({ "id": "x\u{1}" }),
        json!({ "id": "x".repeat(4_096) }),
    ] {
        assert_eq!(class(&of_json(201, &body)), "unknown answer_without_id, resend", "{body}");
    }
    for body in ["", "null", "[]", "\"ok\"", "<html>", "{\"id\": \"abc\""] {
        let class = class(&classified(&answer(201, body)));
        assert!(class.starts_with("unknown answer_"), "{body}: {class}");
    }
}

#[test]
fn an_accepted_order_has_its_ids_and_its_state() {
    let ItemOutcome::Accepted(accepted) = of_json(201, &vendor_order(json!([verification("processing")]))) else {
        panic!("not accepted");
    };
    assert_eq!(accepted.vendor.order_id, "order-1");
    assert_eq!(accepted.vendor.check_id.as_deref(), Some("vr-processing"));
    assert!(!accepted.reused);
    let snapshot = accepted.snapshot.expect("a snapshot");
    assert_eq!(snapshot.carries.ours(), Some(reference(1)));
    assert!(matches!(snapshot.standing, Standing::Working { .. }));
}

#[test]
fn an_oddity_deep_inside_does_not_hide_an_order() {
    let mut order = vendor_order(json!([verification("completed")]));
    order["verification_requests"][0]["reports"] = json!([{ "employee": "nobody" }]);
    let ItemOutcome::Accepted(accepted) = of_json(201, &order) else {
        panic!("not accepted");
    };
    assert!(accepted.snapshot.is_none());
}

#[test]
fn a_refusal_names_fields_and_no_values() {
    let body = json!({ "error": {
        "message": "123-45-6789 of Jane Sample is wrong",
        "invalid_fields": {
            "target": { "social_security_number": ["123-45-6789 is wrong"], "company": { "name": ["Jane"] } },
            "type": ["This field is required."],
            "Jane Sample <x>": ["odd"],
        },
    } });
    let ItemOutcome::Unknown { then: AfterAbsence::Fail { reason }, .. } = of_json(400, &body) else {
        panic!("not to fail");
    };
    assert_eq!(
        reason.message,
        "Truework refused the order with 400; it does not take: target.company.name, target.social_security_number, type."
    );
    let odd = json!({ "error": { "message": "x", "invalid_fields": "all of them" } });
    let ItemOutcome::Unknown { why, .. } = of_json(422, &odd) else { panic!("not unknown") };
    assert_eq!(why.message, "Truework refused the order with 422.");
}

#[test]
fn a_rest_that_was_asked_for_is_kept() {
    let mut answer = answer(429, "");
    answer.headers.insert("retry-after", HeaderValue::from_static("7"));
    let ItemOutcome::NotSent { retry_after, .. } = classified(&answer) else { panic!("sent") };
    assert_eq!(retry_after, Some(Duration::from_secs(7)));
}
