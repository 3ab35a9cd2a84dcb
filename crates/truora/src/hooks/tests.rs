use http::HeaderMap;
use serde_json::json;

use super::*;
use crate::fixtures::reference;

/// Signed outside of this project: HS256 over the known parts, with a key of 64 hex digits as text, and with its bytes.
const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const BY_TEXT: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJUcnVvcmEiLCJpYXQiOjE3OTAwMDAwMDAsImV2ZW50cyI6W3siaWQiOiJIS0U3IiwiZXZlbnRfdHlwZSI6ImNoZWNrIiwiZXZlbnRfYWN0aW9uIjoiZGVsYXllZCIsInZlcnNpb24iOiIxLjAiLCJ0aW1lc3RhbXAiOiIyMDI2LTA5LTIxVDEzOjMzOjIwWiIsIm9iamVjdCI6eyJjaGVja19pZCI6IkNISzciLCJzdGF0dXMiOiJkZWxheWVkIiwic2NvcmUiOi0xfX1dfQ.UaiGACtyxzuRYdtKeundZ_lilhcZKAKdv3Bl0VVx-7Y";
const BY_BYTES: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJUcnVvcmEiLCJpYXQiOjE3OTAwMDAwMDAsImV2ZW50cyI6W3siaWQiOiJIS0U3IiwiZXZlbnRfdHlwZSI6ImNoZWNrIiwiZXZlbnRfYWN0aW9uIjoiZGVsYXllZCIsInZlcnNpb24iOiIxLjAiLCJ0aW1lc3RhbXAiOiIyMDI2LTA5LTIxVDEzOjMzOjIwWiIsIm9iamVjdCI6eyJjaGVja19pZCI6IkNISzciLCJzdGF0dXMiOiJkZWxheWVkIiwic2NvcmUiOi0xfX1dfQ.t0T-jT3Cqx1WowbuNXFznXMQen8mD0iYzpnTfOeun4M";

fn at(unix: u64) -> Timestamp {
    Timestamp::EPOCH + Duration::from_secs(unix)
}

/// The token's `iat`.
const ISSUED: u64 = 1_790_000_000;

fn take(body: impl Into<Bytes>, received_at: Timestamp) -> Result<Vec<HookNews>, HookRefused> {
    let keys = HookKeys::new(&SecretString::from(KEY));
    let request = HookRequest { headers: HeaderMap::new(), body: body.into(), received_at };
    receive(Some(&keys), UnsignedHooks::Refuse, &OutcomePolicy::default(), &request)
}

fn token(claims: &Value) -> String {
    let key = jsonwebtoken::EncodingKey::from_secret(KEY.as_bytes());
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), claims, &key).expect("a token")
}

fn event(kind: &str, action: &str) -> Value {
    json!({
        "id": "HKE1", "event_type": kind, "event_action": action, "version": "1.0", "timestamp": "2026-09-21T13:33:20Z",
        "object": {
            "check_id": "CHK1", "country": "CO", "type": "person", "status": "in_progress", "score": -1,
            "custom_input": reference(1).to_string(), "update_date": "2026-09-21T13:33:20.123456789Z",
        },
    })
}

fn news_of(event: &Value) -> HookNews {
    let news = take(token(&json!({ "iat": ISSUED, "events": [event] })), at(ISSUED)).expect("an authentic hook");
    let [one] = news.as_slice() else { panic!("{news:?}") };
    one.clone()
}

#[test]
fn known_tokens_are_read_whichever_way_the_key_was_meant() {
    for body in [BY_TEXT, BY_BYTES] {
        let news = take(body, at(ISSUED)).expect("a known token");
        let [one] = news.as_slice() else { panic!("{news:?}") };
        assert_eq!(one.dedupe_key, "HKE7");
        assert_eq!(one.vendor, Some(VendorRef::order("CHK7")));
        assert!(matches!(&one.says, HookSays::Snapshot(snapshot) if snapshot.native_status == "delayed"));
    }
}

#[test]
fn the_three_forms_of_a_body_are_taken() {
    let quoted = format!("\"{BY_TEXT}\"");
    let wrapped = json!({ "token": BY_TEXT }).to_string();
    for body in [format!(" {BY_TEXT}\n"), quoted, wrapped] {
        assert_eq!(take(body, at(ISSUED)).expect("authentic").len(), 1);
    }
}

#[test]
fn a_signed_event_is_an_observation() {
    for action in ["created", "started", "delayed", "finished"] {
        let news = news_of(&event("check", action));
        let HookSays::Snapshot(snapshot) = news.says else { panic!("{action}") };
        assert_eq!(snapshot.carries.ours(), Some(reference(1)));
        assert_eq!(news.reference, Some(reference(1)));
        assert_eq!(snapshot.vendor_time.map(|at| at.to_string()).as_deref(), Some("2026-09-21T13:33:20.123456Z"));
        let payload: Value = serde_json::from_slice(snapshot.payload.expose()).expect("JSON");
        assert_eq!(payload["check_id"], "CHK1");
    }
}

#[test]
fn events_of_every_generation_are_known() {
    for (kind, action) in [
        ("check", "finished"),
        ("Check", "Finished"),
        ("checks.check", "finished"),
        ("checks.check.finished", "finished"),
        ("checks.check.delayed", "delayed"),
    ] {
        assert!(matches!(news_of(&event(kind, action)).says, HookSays::Snapshot(_)), "{kind}");
    }
    let mut trigger = event("checks.check.finished", "");
    trigger.as_object_mut().expect("an object").remove("event_action");
    assert!(matches!(news_of(&trigger).says, HookSays::Snapshot(_)));
}

#[test]
fn other_events_are_notes() {
    for (kind, action, noted) in [
        ("continuous_check", "changed", "continuous_check.changed"),
        ("digital_identity.identity_process", "created", "identity_process.created"),
        ("check", "decision_variables_finished", "check.decision_variables_finished"),
        ("check", "decision variables finished", "check.decision_variables_finished"),
        ("checks.check.decision_variables_finished", "", "check.decision_variables_finished"),
        ("checks.continuous_check.changed", "changed", "continuous_check.changed"),
        ("", "", "."),
    ] {
        let news = news_of(&event(kind, action));
        assert!(matches!(&news.says, HookSays::Note { kind } if kind == noted), "{kind}: {news:?}");
    }
    assert!(matches!(news_of(&json!({})).says, HookSays::Note { .. }));
    let nameless = json!({ "event_type": "check", "event_action": "finished", "object": { "status": "completed" } });
    assert!(matches!(news_of(&nameless).says, HookSays::Note { .. }));
}

#[test]
fn every_event_of_a_hook_is_read() {
    let mut second = event("check", "finished");
    second["id"] = json!("HKE2");
    let body = token(&json!({ "iat": ISSUED, "events": [event("check", "created"), second] }));
    let keys: Vec<_> = take(body, at(ISSUED)).expect("authentic").into_iter().map(|news| news.dedupe_key).collect();
    assert_eq!(keys, ["HKE1", "HKE2"]);
}

#[test]
fn an_object_may_be_a_text_that_holds_json() {
    let mut logged = event("check", "started");
    logged["object"] = json!(logged["object"].to_string());
    assert!(matches!(news_of(&logged).says, HookSays::Snapshot(_)));
}

#[test]
fn a_finished_check_without_its_scores_is_fetched() {
    let mut finished = event("check", "finished");
    finished["object"]["status"] = json!("completed");
    finished["object"]["score"] = json!(1);
    assert!(matches!(news_of(&finished).says, HookSays::Changed));
    finished["object"]["scores"] = json!([{ "data_set": "criminal_record", "score": 1, "result": "not_found" }]);
    let HookSays::Snapshot(snapshot) = news_of(&finished).says else { panic!("not whole") };
    assert!(snapshot.standing.is_final());
}

#[test]
fn an_event_without_an_id_is_told_by_what_it_says() {
    let mut nameless = event("check", "started");
    nameless["id"] = json!("");
    assert_eq!(news_of(&nameless).dedupe_key, "CHK1:check.started:2026-09-21T13:33:20Z");
}

#[test]
fn long_ids_of_events_are_told_apart_to_their_ends() {
    let key = |end: char| {
        let mut long = event("check", "started");
        long["id"] = json!(format!("{}{end}", "x".repeat(5_000)));
        news_of(&long).dedupe_key
    };
    assert_eq!(key('a'), key('a'));
    assert_ne!(key('a'), key('b'));
}

#[test]
fn what_a_hook_says_is_bounded() {
    let refused = |events: Value| take(token(&json!({ "iat": ISSUED, "events": events })), at(ISSUED)).map(|_| ());
    assert_eq!(refused(vec![event("check", "started"); 1_000].into()), Ok(()));
    assert_eq!(refused(vec![event("check", "started"); 1_001].into()), Err(HookRefused::Unreadable));
    for id in ["x".repeat(4_096), "CHK\u{1}".to_owned(), "CHK\u{0}".to_owned(), " CHK1".to_owned()] {
        for action in ["started", "unheard_of"] {
            let mut bad = event("check", action);
            bad["object"]["check_id"] = json!(id);
            assert_eq!(refused(json!([event("check", "created"), bad])), Err(HookRefused::Unreadable), "{id:?}");
            let undated = token(&json!({ "events": [bad] }));
            assert_eq!(take(undated, at(ISSUED)).map(|_| ()), Err(HookRefused::Unreadable), "{id:?} without a date");
            bad["object"] = json!(bad["object"].to_string());
            let inside = take(token(&json!({ "iat": ISSUED, "events": [bad] })), at(ISSUED)).unwrap_or_default();
            assert!(inside.iter().all(|news| news.vendor.is_none()), "{id:?} in an object that is a text");
        }
    }
    let HookSays::Note { kind } = news_of(&event(&"k".repeat(5_000), "x")).says else { panic!("a note") };
    assert_eq!(kind.len(), 100);
    let mut wordy = event("check", "started");
    wordy["object"]["status"] = json!("s".repeat(5_000));
    let HookSays::Snapshot(snapshot) = news_of(&wordy).says else { panic!("a snapshot") };
    assert_eq!(snapshot.native_status.len(), 100);
}

#[test]
fn an_old_hook_is_refused_and_so_is_one_of_the_future() {
    let age = |seconds: u64| take(BY_TEXT, at(ISSUED + seconds)).map(|_| ());
    assert_eq!(age(7 * 86_400), Ok(()));
    assert_eq!(age(7 * 86_400 + 1), Err(HookRefused::Expired));
    let early = |seconds: u64| take(BY_TEXT, at(ISSUED - seconds)).map(|_| ());
    assert_eq!(early(300), Ok(()));
    assert_eq!(early(301), Err(HookRefused::Expired));
    for iat in [-1, i64::MIN, i64::MAX] {
        let body = token(&json!({ "iat": iat, "events": [] }));
        assert_eq!(take(body, at(ISSUED)).map(|_| ()), Err(HookRefused::Expired), "{iat}");
    }
}

#[test]
fn a_signed_hook_without_a_date_is_a_hint_that_cannot_hide_a_dated_event() {
    let body = token(&json!({ "events": [event("check", "started")] }));
    let news = take(body, at(ISSUED)).expect("a hint");
    assert!(matches!(news[0].says, HookSays::Changed) && news[0].reference.is_none());
    assert_eq!(news[0].vendor, Some(VendorRef::order("CHK1")));
    assert_ne!(news[0].dedupe_key, news_of(&event("check", "started")).dedupe_key);
}

#[test]
fn what_is_not_signed_is_not_authentic() {
    let plain = json!({ "iat": ISSUED, "events": [event("check", "finished")] }).to_string();
    for body in [plain.as_str(), "", "{}", "{", "{\"token\": 5}", "{\"events\": []}", "{\"token\": \"\"}", "\"\""] {
        assert_eq!(take(body.to_owned(), at(ISSUED)).map(|_| ()), Err(HookRefused::NotAuthentic), "{body}");
    }
    assert_eq!(take(vec![0xff, 0xfe], at(ISSUED)).map(|_| ()), Err(HookRefused::NotAuthentic));
}

#[test]
fn what_is_not_authentic_is_refused() {
    let (signed, signature) = BY_TEXT.rsplit_once('.').expect("three parts");
    for body in [
        format!("{signed}."),
        signed.to_owned(),
        format!("{signed}.{}", signature.replace(['A', 'a'], "b")),
        "x".into(),
    ] {
        assert_eq!(take(body.clone(), at(ISSUED)).map(|_| ()), Err(HookRefused::NotAuthentic), "{body}");
    }
    let other = HookKeys::new(&SecretString::from("another key"));
    let request = HookRequest { headers: HeaderMap::new(), body: BY_TEXT.into(), received_at: at(ISSUED) };
    let policy = OutcomePolicy::default();
    assert_eq!(
        receive(Some(&other), UnsignedHooks::Hint, &policy, &request).map(|_| ()),
        Err(HookRefused::NotAuthentic)
    );
    assert_eq!(receive(None, UnsignedHooks::Hint, &policy, &request).map(|_| ()), Err(HookRefused::NotConfigured));
}

#[test]
fn what_is_signed_and_cannot_be_read_is_refused() {
    for events in [json!("none"), json!({}), json!(null), json!([5])] {
        let body = token(&json!({ "iat": ISSUED, "events": events }));
        assert_eq!(take(body, at(ISSUED)).map(|_| ()), Err(HookRefused::Unreadable), "{events}");
    }
}

#[test]
fn a_changed_continuous_check_is_a_hint_to_look_at_it() {
    for (kind, action) in [
        ("continuous_check", "changed"),
        ("checks.continuous_check", "changed"),
        ("checks.continuous_check.changed", ""),
        ("checks.continuous_check.changed", "changed"),
    ] {
        let mut event = event(kind, action);
        event["object"] = json!({ "continuous_check_id": "CCK1", "check": { "check_id": "CHK1" } });
        let news = news_of(&event);
        assert!(
            matches!(&news.says, HookSays::MonitorChanged { monitor_id } if monitor_id == "CCK1"),
            "{kind} {action}"
        );
        assert_eq!((&news.vendor, &news.reference), (&None, &None));
        let undated = take(token(&json!({ "events": [event] })), at(ISSUED)).expect("a hint").remove(0);
        assert!(matches!(undated.says, HookSays::MonitorChanged { .. }), "{kind} {action}");
        assert_ne!(undated.dedupe_key, news.dedupe_key);
    }
    // Neither other news of it nor one that names none is more than a note.
    let mut created = event("continuous_check", "created");
    created["object"] = json!({ "continuous_check_id": "CCK1" });
    assert!(matches!(news_of(&created).says, HookSays::Note { .. }));
    assert!(matches!(news_of(&event("continuous_check", "changed")).says, HookSays::Note { .. }));
}

/// What is taken of a body without a signature where hints are.
fn hint(body: &Value) -> Result<Vec<HookNews>, HookRefused> {
    let request = HookRequest { headers: HeaderMap::new(), body: body.to_string().into(), received_at: at(ISSUED) };
    receive(None, UnsignedHooks::Hint, &OutcomePolicy::default(), &request)
}

#[test]
fn of_an_unsigned_hook_nothing_is_used_but_the_ids_of_checks() {
    let finished = event("check", "finished");
    for body in [
        json!({ "iat": ISSUED, "events": [finished] }),
        json!({ "check": { "check_id": "CHK1", "status": "completed" } }),
        json!({ "check_id": "CHK1", "status": "completed", "custom_input": reference(1).to_string() }),
    ] {
        let news = hint(&body).expect("a hint");
        let [one] = news.as_slice() else { panic!("{news:?}") };
        assert!(matches!(one.says, HookSays::Hint) && one.reference.is_none(), "{one:?}");
        assert_eq!(one.vendor, Some(VendorRef::order("CHK1")));
        assert_ne!(one.dedupe_key, news_of(&finished).dedupe_key, "it hides no signed event");
        assert_eq!(hint(&body).expect("a hint")[0].dedupe_key, one.dedupe_key, "within the minute it is the same");
    }
}

#[test]
fn hints_are_bounded_and_a_bad_signature_is_none() {
    let named = |count: usize| {
        let events: Vec<_> = (0..count).map(|n| json!({ "object": { "check_id": format!("CHK{n}") } })).collect();
        hint(&json!({ "events": events })).map(|news| news.len())
    };
    assert_eq!(
        (named(10), named(11), named(0)),
        (Ok(10), Err(HookRefused::NotAuthentic), Err(HookRefused::NotAuthentic))
    );
    assert_eq!(hint(&json!({ "check_id": " CHK1" })).map(|_| ()), Err(HookRefused::Unreadable));
    let forged = json!({ "token": BY_TEXT, "check_id": "CHK1" });
    assert_eq!(hint(&forged).map(|_| ()), Err(HookRefused::NotConfigured), "it claims to be signed");
}
