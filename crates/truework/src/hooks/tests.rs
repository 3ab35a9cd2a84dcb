use domain::Timestamp;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::*;
use crate::samples::reference;

fn tokens() -> Vec<SecretString> {
    ["the-old-token", "the-new-token"].map(SecretString::from).into()
}

fn request(token: Option<&'static str>, body: impl Into<Bytes>) -> HookRequest {
    let mut headers = HeaderMap::new();
    if let Some(token) = token {
        headers.insert("X-Truework-Token", HeaderValue::from_static(token));
    }
    HookRequest { headers, body: body.into(), received_at: Timestamp::EPOCH }
}

fn hook() -> Value {
    json!({
        "version": "2023-10-30",
        "hook": {
            "id": 68, "event": "verification_request.state.change", "target": "https://gateway.example/hooks",
            "triggered_at": "2026-11-20T10:00:00Z",
        },
        "data": {
            "order_id": "order-1", "verification_request_id": "vr-1", "state": "processing",
            "metadata": { "vetgate_ref": reference(1).to_string() },
        },
    })
}

fn news(body: &Value) -> HookNews {
    let mut news =
        receive(&tokens(), Version::default(), &request(Some("the-new-token"), body.to_string())).expect("taken");
    assert_eq!(news.len(), 1);
    news.remove(0)
}

#[test]
fn any_of_the_tokens_opens_and_nothing_else_does() {
    let body = hook().to_string();
    for token in ["the-old-token", "the-new-token"] {
        assert!(receive(&tokens(), Version::default(), &request(Some(token), body.clone())).is_ok());
    }
    for token in [None, Some(""), Some("the-old-toke"), Some("the-old-tokenx"), Some("THE-OLD-TOKEN")] {
        let refused = receive(&tokens(), Version::default(), &request(token, body.clone())).expect_err("refused");
        assert_eq!(refused, HookRefused::NotAuthentic, "{token:?}");
    }
    assert_eq!(
        receive(&[], Version::default(), &request(Some(""), body)).expect_err("refused"),
        HookRefused::NotConfigured
    );
    let empty = vec![SecretString::from("")];
    assert_eq!(
        receive(&empty, Version::default(), &request(Some(""), "{}")).expect_err("refused"),
        HookRefused::NotAuthentic
    );
}

#[test]
fn it_says_what_to_fetch_and_carries_our_reference() {
    let news = news(&hook());
    assert_eq!(news.vendor, Some(VendorRef::order("order-1")));
    assert_eq!(news.reference, Some(reference(1)));
    assert!(matches!(news.says, HookSays::Changed));
}

#[test]
fn the_same_news_has_the_same_key_and_other_news_another() {
    let same = news(&hook()).dedupe_key;
    assert_eq!(news(&hook()).dedupe_key, same);
    for (pointer, value) in [
        ("/hook/event", "order.completed"),
        ("/hook/triggered_at", "2026-11-20T10:00:01Z"),
        ("/data/verification_request_id", "vr-2"),
        ("/data/state", "completed"),
    ] {
        let mut other = hook();
        *other.pointer_mut(pointer).expect("there") = json!(value);
        assert_ne!(news(&other).dedupe_key, same, "{pointer}");
    }
    let (mut spelt, mut misspelt) = (hook(), hook());
    spelt["data"]["state"] = json!("action-required");
    misspelt["data"]["state"] = json!("action-requred");
    assert_eq!(news(&spelt).dedupe_key, news(&misspelt).dedupe_key);
}

#[test]
fn older_hooks_lack_much() {
    // No version, no time, no order; the id of the webhook as a text.
    let old = json!({
        "hook": { "id": "68", "event": "verification_request.state.change", "target": "https://gateway.example/hooks" },
        "data": { "verification_request_id": "vr-1", "state": "completed" },
    });
    let news = news(&old);
    assert_eq!((news.vendor, news.reference), (None, None));
    assert_eq!(news.dedupe_key, "verification_request.state.change|vr-1|completed|");
    assert!(matches!(news.says, HookSays::Changed));
}

#[test]
fn an_event_that_nobody_knows_is_a_note() {
    let mut unheard = hook();
    unheard["hook"]["event"] = json!("order.archived");
    assert!(matches!(news(&unheard).says, HookSays::Note { kind } if kind == "order.archived"));
}

#[test]
fn older_versions_fetch_the_verification_whatever_the_hook_names() {
    let of = |version, body: &Value| {
        let request = request(Some("the-new-token"), body.to_string());
        receive(&tokens(), version, &request).expect("taken").remove(0).vendor
    };
    let order = |id: &str| Some(VendorRef::order(id));
    let mut retired = hook();
    retired["hook"]["event"] = json!("credentials_session.state.change");
    retired["hook"]["id"] = json!("68");
    for body in [hook(), retired.clone()] {
        assert_eq!(of(Version::V2023_10_30, &body), order("order-1"));
    }
    for version in [Version::V2022_08_01, Version::V2020_12_07] {
        assert_eq!(of(version, &hook()), order("vr-1"));
        // What is told of a session is of the check that is bound to it.
        let mut with_token = hook();
        with_token["data"]["credentials_session_token"] = json!("a-token");
        for body in [&retired, &with_token] {
            assert_eq!(of(version, body), Some(session::object(reference(1), Some("vr-1".to_owned()))));
        }
    }
    assert!(matches!(news(&retired).says, HookSays::Changed));
    let mut done = hook();
    done["data"]["verification_request_id"] = Value::Null;
    assert_eq!(of(Version::V2020_12_07, &done), None, "an order's id means nothing there");
}

#[test]
fn sessions_without_ids_are_told_apart_by_their_tokens() {
    let with_token = |token: &str| {
        json!({ "hook": { "event": "credentials_session.state.change" },
                "data": { "state": "success", "credentials_session_token": token } })
    };
    assert_ne!(news(&with_token("a")).dedupe_key, news(&with_token("b")).dedupe_key);
    assert_eq!(news(&with_token("a")).dedupe_key, news(&with_token("a")).dedupe_key);
}

#[test]
fn what_cannot_be_read_is_refused() {
    for body in ["", "null", "[]", "{}", "{\"hook\": {}}", "{\"hook\": {\"event\": 4}, \"data\": {}}", "<html>"] {
        let refused =
            receive(&tokens(), Version::default(), &request(Some("the-new-token"), body)).expect_err("refused");
        assert_eq!(refused, HookRefused::Unreadable, "{body}");
    }
}

#[test]
fn what_a_hook_says_is_bounded() {
    for pointer in ["/data/order_id", "/data/verification_request_id"] {
        for id in ["x".repeat(4_096), "x\u{1}".to_owned(), "x\u{0}".to_owned(), " x".to_owned()] {
            let mut bad = hook();
            *bad.pointer_mut(pointer).expect("there") = json!(id);
            let refused = receive(&tokens(), Version::default(), &request(Some("the-new-token"), bad.to_string()))
                .expect_err("refused");
            assert_eq!(refused, HookRefused::Unreadable, "{pointer} {id:?}");
        }
    }
    let mut long = hook();
    long["hook"]["event"] = json!("e".repeat(5_000));
    let news = news(&long);
    assert!(matches!(&news.says, HookSays::Note { kind } if kind.len() == 100));
    assert!(news.dedupe_key.starts_with(&"e".repeat(5_000)), "told apart to the end");
}
