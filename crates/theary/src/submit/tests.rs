use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use provider::{LostReason, NotSentReason};

use super::*;

fn answer(status: u16, body: &str) -> VendorAnswer {
    VendorAnswer {
        status: StatusCode::from_u16(status).expect("a status"),
        headers: HeaderMap::new(),
        body: Bytes::copy_from_slice(body.as_bytes()),
        took: Duration::ZERO,
    }
}

/// How a call ended.
struct Ended(Result<VendorAnswer, NoAnswer>);

impl From<VendorAnswer> for Ended {
    fn from(answer: VendorAnswer) -> Self {
        Self(Ok(answer))
    }
}

impl From<CallError> for Ended {
    fn from(error: CallError) -> Self {
        Self(Err(error.into()))
    }
}

/// One word for an outcome: the class, the reason's code, and what follows.
fn word(outcome: &ItemOutcome) -> String {
    match outcome {
        ItemOutcome::Accepted(accepted) => {
            let kind = if accepted.provisional { "provisional" } else { "accepted" };
            format!("{kind} {} {}", accepted.vendor.order_id, accepted.vendor.check_id.as_deref().unwrap_or("-"))
        }
        ItemOutcome::Rejected(reason) => format!("rejected {}", reason.code),
        ItemOutcome::NotSent { why, .. } => format!("not_sent {}", why.code),
        ItemOutcome::Unknown { why, then: AfterAbsence::Resend } => format!("unknown {} resend", why.code),
        ItemOutcome::Unknown { why, then: AfterAbsence::Fail { .. } } => format!("unknown {} fail", why.code),
    }
}

fn single(answer: impl Into<Ended>) -> String {
    let outcomes = classify(answer.into().0, 1, Carried::Order);
    assert_eq!(outcomes.len(), 1);
    word(&outcomes[0])
}

fn batch(answer: impl Into<Ended>, count: usize) -> Vec<String> {
    let outcomes = classify(answer.into().0, count, Carried::Batch);
    assert_eq!(outcomes.len(), count);
    outcomes.iter().map(word).collect()
}

const REFUSAL: &str = r#"{"statusCode":400,"message":["ssn must match"],"error":"Bad Request"}"#;

#[test]
fn every_line_of_the_table_for_single_creates() {
    for (status, expected) in [
        (401, "not_sent credentials_refused"),
        (400, "unknown vendor_refused fail"),
        (413, "unknown vendor_refused fail"),
        (422, "unknown vendor_refused fail"),
        (429, "unknown unexpected_status resend"),
        (403, "unknown unexpected_status resend"),
        (404, "unknown unexpected_status resend"),
        (409, "unknown unexpected_status resend"),
        (302, "unknown unexpected_status resend"),
        (500, "unknown unexpected_status resend"),
        (502, "unknown unexpected_status resend"),
        (503, "unknown unexpected_status resend"),
        (504, "unknown unexpected_status resend"),
        (599, "unknown unexpected_status resend"),
    ] {
        assert_eq!(single(answer(status, REFUSAL)), expected, "{status}");
    }
}

fn searches(answer: impl Into<Ended>, count: usize) -> Vec<String> {
    let outcomes = classify(answer.into().0, count, Carried::Searches);
    assert_eq!(outcomes.len(), count);
    outcomes.iter().map(word).collect()
}

#[test]
fn every_line_of_the_table_for_orders_with_several_searches() {
    for status in [400, 413, 422, 429, 403, 404, 409, 302, 500, 502, 503, 504] {
        assert_eq!(searches(answer(status, REFUSAL), 2), vec!["unknown unexpected_status resend"; 2], "{status}");
    }
    assert_eq!(searches(answer(401, REFUSAL), 2), vec!["not_sent credentials_refused"; 2]);
}

/// The order is every check's, and which search is whose only the searches themselves say.
#[test]
fn several_searches_share_the_order_and_none_is_taken_by_its_place() {
    let body = r#"{"verificationOrderId":"ord_1","searchIds":["s1","s2"]}"#;
    assert_eq!(searches(answer(201, body), 2), ["provisional ord_1 -"; 2]);
    for (case, odd) in [
        ("one search less", r#"{"verificationOrderId":"ord_1","searchIds":["s1"]}"#),
        ("one search more", r#"{"verificationOrderId":"ord_1","searchIds":["s1","s2","s3"]}"#),
        ("one search twice", r#"{"verificationOrderId":"ord_1","searchIds":["s1","s1"]}"#),
        ("no searches", r#"{"verificationOrderId":"ord_1"}"#),
        ("one that cannot be read", r#"{"verificationOrderId":"ord_1","searchIds":["s1",null]}"#),
        ("no order", r#"{"searchIds":["s1","s2"]}"#),
        ("a denial", r#"{"success":false,"verificationOrderId":"ord_1","searchIds":["s1","s2"]}"#),
    ] {
        assert_eq!(searches(answer(201, odd), 2), ["unknown contradictory_answer resend"; 2], "{case}");
    }
    assert_eq!(searches(answer(201, "<html>"), 2), ["unknown answer_unreadable resend"; 2]);
}

#[test]
fn every_line_of_the_table_for_batches() {
    for status in [400, 413, 422, 429, 403, 404, 409, 302, 500, 502, 503, 504] {
        assert_eq!(batch(answer(status, REFUSAL), 2), vec!["unknown unexpected_status resend"; 2], "{status}");
    }
    assert_eq!(batch(answer(401, REFUSAL), 2), vec!["not_sent credentials_refused"; 2]);
}

#[test]
fn every_status_has_a_line_with_a_reason() {
    for status in 100..600 {
        assert!(TABLE.iter().any(|line| (line.from..=line.to).contains(&status) && !line.because.is_empty()));
    }
}

#[test]
fn a_refusal_fails_in_our_words() {
    let ItemOutcome::Unknown { then: AfterAbsence::Fail { reason }, .. } =
        &classify(Ok(answer(400, REFUSAL)), 1, Carried::Order)[0]
    else {
        panic!("unknown, then fail")
    };
    assert_eq!(reason.message, "Theary answered 400.");
}

#[test]
fn a_vendors_sentence_stays_in_the_evidence() {
    for body in [r#"{"message":"Ada Sample"}"#, r#"{"message":["Ada"]}"#, r#"{"error":"Ada"}"#, "Ada", "<p>Ada</p>"] {
        for status in [400, 401, 404, 413, 422, 429, 500] {
            for outcome in classify(Ok(answer(status, body)), 2, Carried::Batch) {
                let (ItemOutcome::Unknown { why, .. } | ItemOutcome::NotSent { why, .. }) = outcome else {
                    panic!("{status}")
                };
                assert_eq!(why.message, format!("Theary answered {status}."));
            }
        }
    }
}

#[test]
fn calls_without_an_answer() {
    for why in [
        NotSentReason::NotConnected,
        NotSentReason::OverBudget,
        NotSentReason::LeaseTooShort,
        NotSentReason::BadRequest,
    ] {
        let error = CallError::NotSent { why, retry_after: Some(Duration::from_secs(3)) };
        let outcomes = classify(Err(error.into()), 2, Carried::Batch);
        assert!(outcomes.iter().all(|outcome| matches!(
            outcome,
            ItemOutcome::NotSent { why: reason, retry_after: Some(_) } if reason.code == why.code()
        )));
    }
    for why in [
        LostReason::TimedOut,
        LostReason::Broken,
        LostReason::Truncated,
        LostReason::TooLarge,
        LostReason::Unreadable,
        LostReason::Status(500),
    ] {
        let expected = format!("unknown {} resend", why.code());
        assert_eq!(single(CallError::Lost { why }), expected);
        assert_eq!(batch(CallError::Lost { why }, 2), vec![expected; 2]);
    }
}

#[test]
fn without_a_token_nothing_is_sent_however_the_token_call_ended() {
    let call = |error: CallError| TokenFault::Call(error);
    let not_connected = CallError::NotSent { why: NotSentReason::NotConnected, retry_after: None };
    for (fault, code) in [
        (TokenFault::Refused(401), "credentials_refused"),
        (TokenFault::Status(503), "no_token"),
        (TokenFault::Unreadable, "no_token"),
        (call(CallError::Lost { why: LostReason::TimedOut }), "no_token"),
        (call(not_connected), "not_connected"),
    ] {
        let outcomes = classify(Err(NoAnswer::Token(fault)), 2, Carried::Batch);
        let expected = format!("not_sent {code}");
        assert_eq!(outcomes.iter().map(word).collect::<Vec<_>>(), vec![expected; 2]);
    }
    let ended = classify(Err(NoAnswer::TokenEnded(answer(401, REFUSAL))), 1, Carried::Order);
    assert!(matches!(ended.as_slice(), [ItemOutcome::NotSent { retry_after: Some(Duration::ZERO), .. }]));
}

#[test]
fn successes_of_single_creates() {
    for status in [200, 201, 202] {
        let body = r#"{"verificationOrderId":"ord_1","searchIds":["search_1"]}"#;
        assert_eq!(single(answer(status, body)), "accepted ord_1 search_1", "{status}");
    }
    for (body, expected) in [
        (r#"{"verificationOrderId":"ord_1","searchIds":[]}"#, "accepted ord_1 -"),
        (r#"{"verificationOrderId":"ord_1"}"#, "accepted ord_1 -"),
        (r#"{"verificationOrderId":"ord_1","searchIds":["a","b"]}"#, "accepted ord_1 -"),
        (r#"{"verificationOrderId":"","searchIds":["a"]}"#, "unknown contradictory_answer resend"),
        (r#"{"success":false,"verificationOrderId":"ord_1"}"#, "unknown contradictory_answer resend"),
        (r#"{"verificationOrderId":"ord_1\u0007"}"#, "unknown contradictory_answer resend"),
        (r#"{"verificationOrderId":" ord_1"}"#, "unknown contradictory_answer resend"),
        (r#"{"verificationOrderId":"ord_1","searchIds":["s\u0007"]}"#, "accepted ord_1 -"),
        ("{}", "unknown contradictory_answer resend"),
        ("[]", "unknown contradictory_answer resend"),
        ("", "unknown answer_unreadable resend"),
        ("<html></html>", "unknown answer_unreadable resend"),
    ] {
        assert_eq!(single(answer(201, body)), expected, "{body}");
    }
    assert_eq!(
        single(answer(201, &"[".repeat(100_000))),
        "unknown answer_unreadable resend",
        "depth is bounded by the JSON reader"
    );
}

const GOOD: &str = r#"{"success":true,"batchId":"b","ordersCreated":2,"orders":[
    {"verificationOrderId":"ord_1","searchIds":["s1"]},{"verificationOrderId":"ord_2","searchIds":["s2"]}]}"#;

fn with(old: &str, new: &str) -> String {
    assert!(GOOD.contains(old), "{old}");
    GOOD.replace(old, new)
}

#[test]
fn successes_of_batches() {
    let good = vec!["provisional ord_1 s1", "provisional ord_2 s2"];
    for status in [200, 201, 202, 207] {
        assert_eq!(batch(answer(status, GOOD), 2), good, "{status}");
    }
    for (case, body) in [
        ("no count", with(r#""ordersCreated":2,"#, "")),
        ("a count of null", with(r#""ordersCreated":2"#, r#""ordersCreated":null"#)),
        ("no word on success", with(r#""success":true,"#, "")),
        ("more than is known", with(r#""batchId":"b""#, r#""batchId":7,"note":{"any":[1]}"#)),
    ] {
        assert_eq!(batch(answer(200, &body), 2), good, "{case}");
    }
}

/// More or fewer searches than the one that was sent: the order is known, its search is learnt by the first look.
#[test]
fn an_odd_number_of_searches_binds_the_order_only() {
    for odd in ["[]", "null", "{}", r#"["a","b"]"#, r#"["s2",null]"#, "[null]", r#"["s\u0007"]"#, r#"[["s2"]]"#] {
        let body = with(r#"["s2"]"#, odd);
        assert_eq!(batch(answer(201, &body), 2), ["provisional ord_1 s1", "provisional ord_2 -"], "{odd}");
    }
    let body = with(r#","searchIds":["s2"]"#, "");
    assert_eq!(batch(answer(201, &body), 2), ["provisional ord_1 s1", "provisional ord_2 -"]);
}

/// If one thing does not add up none of it is believed, and the whole answer is kept for those who look into it.
#[test]
fn batches_that_contradict_themselves() {
    let (one, two) = (
        r#"{"verificationOrderId":"ord_1","searchIds":["s1"]}"#,
        r#"{"verificationOrderId":"ord_2","searchIds":["s2"]}"#,
    );
    for (case, body) in [
        ("counts one more", with(r#""ordersCreated":2"#, r#""ordersCreated":3"#)),
        ("counts one less", with(r#""ordersCreated":2"#, r#""ordersCreated":1"#)),
        ("counts as many as there can be", with(r#""ordersCreated":2"#, r#""ordersCreated":18446744073709551615"#)),
        ("denies success", with(r#""success":true"#, r#""success":false"#)),
        (
            "denies success of one order",
            with(r#"{"verificationOrderId":"ord_2""#, r#"{"success":false,"verificationOrderId":"ord_2""#),
        ),
        ("one order twice", with("ord_2", "ord_1")),
        ("one search twice", with(r#"["s2"]"#, r#"["s1"]"#)),
        ("one search twice in an order", with(r#"["s2"]"#, r#"["s2","s2"]"#)),
        ("an empty id", with("ord_2", "")),
        ("an id that is too long", with("ord_2", &"x".repeat(4_096))),
        ("an id with a control character", with("ord_2", r"ord\u00012")),
        ("an id of null", with(r#""ord_2""#, "null")),
        ("an id that is an object", with(r#""ord_2""#, r#"{"id":"ord_2"}"#)),
        ("one order listed", with(&format!(",{two}"), "")),
        ("three orders listed", with(one, &format!(r#"{one},{{"verificationOrderId":"ord_3","searchIds":["s3"]}}"#))),
        ("none listed", r#"{"success":true,"ordersCreated":0,"orders":[]}"#.to_owned()),
        ("none listed, all counted", r#"{"success":true,"ordersCreated":2,"orders":[]}"#.to_owned()),
        ("an order without anything", with(two, "{}")),
    ] {
        assert_eq!(batch(answer(201, &body), 2), vec!["unknown contradictory_answer resend"; 2], "{case}: {body}");
    }
    assert_eq!(batch(answer(201, GOOD), 3), vec!["unknown contradictory_answer resend"; 3], "more were sent");
    let outcomes = classify(Ok(answer(201, &with("ord_2", "ord_1"))), 2, Carried::Batch);
    let ItemOutcome::Unknown { why, .. } = &outcomes[0] else { panic!("unknown") };
    assert!(!why.message.contains("ord_1"), "what the vendor named stays in the evidence: {}", why.message);
}

#[test]
fn batches_that_cannot_be_read() {
    let half = &GOOD[..GOOD.len() / 2];
    let orders_in = |value: &str| format!(r#"{{"success":true,"ordersCreated":2,"orders":{value}}}"#);
    for body in [
        String::new(),
        "<html>".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        half.to_owned(),
        format!("{GOOD}{GOOD}"),
        r#"{"success":true}"#.to_owned(),
        orders_in("null"),
        orders_in(r#""many""#),
        orders_in(r#"{"0":{"verificationOrderId":"ord_1"},"1":{"verificationOrderId":"ord_2"}}"#),
        orders_in(r#"["ord_1","ord_2"]"#),
        orders_in("[null,null]"),
        with(r#""success":true"#, r#""success":"false""#),
        with(r#""ordersCreated":2"#, r#""ordersCreated":"2""#),
        with(r#""ordersCreated":2"#, r#""ordersCreated":-2"#),
        with(r#""batchId":"b""#, r#""orders":[]"#),
        r#"[{"verificationOrderId":"ord_1"},{"verificationOrderId":"ord_2"}]"#.to_owned(),
        "[".repeat(100_000),
    ] {
        let shown: String = body.chars().take(100).collect();
        assert_eq!(batch(answer(201, &body), 2), vec!["unknown answer_unreadable resend"; 2], "{shown}");
    }
}
