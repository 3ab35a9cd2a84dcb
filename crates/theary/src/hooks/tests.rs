use domain::Timestamp;
use domain::observation::Standing;
use http::HeaderValue;
use serde_json::{Value, json};

use super::*;
use crate::samples;

const SECRET: &str = "hook-secret";

fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

fn request(body: impl Into<Bytes>, signature: Option<&str>) -> HookRequest {
    let mut headers = HeaderMap::new();
    if let Some(signature) = signature {
        headers.insert("x-webhook-signature", signature.parse().expect("a header"));
    }
    HookRequest { headers, body: body.into(), received_at: Timestamp::EPOCH }
}

fn signed(body: &Value) -> HookRequest {
    let body = body.to_string();
    let signature = signature(SECRET, body.as_bytes());
    request(body, Some(&signature))
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

fn taken(request: &HookRequest) -> Vec<HookNews> {
    receive(Some(&secret(SECRET)), request).expect("taken")
}

fn completed() -> Value {
    json!({
        "event": "verification.completed", "occurredAt": "2026-11-21T09:30:00.000Z",
        "data": {
            "searchType": "EMPLOYMENT", "searchId": "search_1", "externalSearchId": samples::reference(1).to_string(),
            "verificationId": "v", "channel": "EMAIL",
            "verificationResult": {"id": "r", "outcome": "VERIFIED", "discrepancy": false}
        }
    })
}

/// Computed with another implementation: `printf '{}' | openssl dgst -sha256 -hmac s`.
#[test]
fn known_answer() {
    let known = "sha256=143ca8d517ba1b181025d732b1cf275d90104fca57bb02a565542978aa18c4b6";
    assert_eq!(signature("s", b"{}"), known);
    // An empty object names no event: authentic, and unreadable.
    assert_eq!(receive(Some(&secret("s")), &request("{}", Some(known))).err(), Some(HookRefused::Unreadable));
}

#[test]
fn whatever_is_not_signed_right_is_refused() {
    let body = completed().to_string();
    let right = signature(SECRET, body.as_bytes());
    let refused = |signature: Option<&str>| receive(Some(&secret(SECRET)), &request(body.clone(), signature)).err();
    assert_eq!(refused(Some(&right)), None);
    for wrong in [
        None,
        Some(""),
        Some("sha256="),
        Some("sha256=zz"),
        Some(right.trim_start_matches("sha256=")),
        Some(&right[..right.len() - 2]),
        Some(&right.replace("sha256", "sha1")),
        Some(&signature("other", body.as_bytes())),
        Some(&signature(SECRET, b"{}")),
    ] {
        assert_eq!(refused(wrong), Some(HookRefused::NotAuthentic), "{wrong:?}");
    }
    assert_eq!(receive(None, &request(body.clone(), Some(&right))).err(), Some(HookRefused::NotConfigured));
    let by_nobody = signature("", body.as_bytes());
    assert_eq!(receive(Some(&secret("")), &request(body, Some(&by_nobody))).err(), Some(HookRefused::NotConfigured));
}

#[test]
fn a_completed_search_is_as_good_as_a_fetch() {
    let news = taken(&signed(&completed()));
    assert_eq!(news.len(), 1);
    assert_eq!(news[0].reference, Some(samples::reference(1)));
    assert_eq!(news[0].vendor, None, "hooks name no order");
    let HookSays::Snapshot(snapshot) = &news[0].says else { panic!("a snapshot") };
    assert_eq!(snapshot.part_id.as_deref(), Some("search_1"));
    assert_eq!(snapshot.native_status, "COMPLETED");
    assert_eq!(snapshot.vendor_time, "2026-11-21T09:30:00Z".parse().ok());
    assert!(matches!(
        snapshot.standing,
        Standing::Completed { outcome: domain::Outcome::Clear, certainty: domain::Certainty::Full, .. }
    ));
}

#[test]
fn the_other_events() {
    let mut event = completed();
    event["event"] = json!("verification.action_required");
    event["data"]["reasonCode"] = json!("SLA_REACHED");
    let HookSays::Snapshot(snapshot) = taken(&signed(&event)).remove(0).says else { panic!("a snapshot") };
    assert!(matches!(snapshot.standing, Standing::Waiting { .. }));

    event["event"] = json!("verification.notification");
    event["data"]["notificationType"] = json!("CONTACT_PLAN");
    let HookSays::Note { kind } = taken(&signed(&event)).remove(0).says else { panic!("a note") };
    assert_eq!(kind, "CONTACT_PLAN");

    event["event"] = json!("verification.reopened");
    assert!(matches!(taken(&signed(&event)).remove(0).says, HookSays::Changed));
}

#[test]
fn an_order_id_is_used_where_there_is_one() {
    let mut event = completed();
    event["data"]["orderId"] = json!("ord_1");
    let vendor = taken(&signed(&event)).remove(0).vendor;
    assert_eq!(vendor, Some(VendorRef { order_id: "ord_1".to_owned(), check_id: Some("search_1".to_owned()) }));
}

#[test]
fn news_of_others_is_no_news() {
    let mut event = completed();
    event["data"]["externalSearchId"] = json!("client-9-search-1");
    assert!(taken(&signed(&event)).is_empty());
    event["data"].as_object_mut().expect("an object").remove("externalSearchId");
    assert!(taken(&signed(&event)).is_empty());
}

#[test]
fn the_unsigned_header_is_a_hint_only() {
    let mut event = completed();
    event["data"].as_object_mut().expect("an object").remove("externalSearchId");
    let mut request = signed(&event);
    let reference = samples::reference(2).to_string();
    request.headers.insert("x-external-search-id", HeaderValue::from_str(&reference).expect("a header"));
    let news = taken(&request).remove(0);
    assert_eq!(news.reference, Some(samples::reference(2)));
    assert!(matches!(news.says, HookSays::Changed));

    // Where the body names one, the header counts for nothing.
    let mut request = signed(&completed());
    request.headers.insert("x-external-search-id", HeaderValue::from_str(&reference).expect("a header"));
    assert_eq!(taken(&request)[0].reference, Some(samples::reference(1)));
}

#[test]
fn the_key_is_that_of_the_news_and_not_of_the_delivery() {
    let key = |request: &HookRequest| taken(request).remove(0).dedupe_key;
    let mut first = signed(&completed());
    first.headers.insert("x-event-id", HeaderValue::from_static("1"));
    let mut second = signed(&completed());
    second.headers.insert("x-event-id", HeaderValue::from_static("2"));
    assert_eq!(key(&first), key(&second));
    let mut other = completed();
    other["data"]["verificationResult"]["discrepancy"] = json!(true);
    let mut other = signed(&other);
    other.headers.insert("x-event-id", HeaderValue::from_static("1"));
    assert_ne!(key(&first), key(&other), "the header alone hides nothing");
    assert!(!key(&first).contains("Ada"));
}

#[test]
fn long_news_is_told_apart_to_its_end() {
    let key = |discrepancy: bool| {
        let mut event = completed();
        event["event"] = json!("x".repeat(5_000));
        event["data"]["verificationResult"]["discrepancy"] = json!(discrepancy);
        taken(&signed(&event)).remove(0).dedupe_key
    };
    assert_eq!(key(true), key(true));
    assert_ne!(key(true), key(false));
}

#[test]
fn what_a_hook_says_is_bounded() {
    for field in ["searchId", "orderId"] {
        for id in ["x".repeat(4_096), "s\u{1}".to_owned(), "s\u{0}".to_owned(), " s".to_owned()] {
            let mut event = completed();
            event["data"][field] = json!(id);
            let refused = receive(Some(&secret(SECRET)), &signed(&event)).err();
            assert_eq!(refused, Some(HookRefused::Unreadable), "{field} {id:?}");
        }
    }
    let mut event = completed();
    event["data"]["status"] = json!("s".repeat(5_000));
    let HookSays::Snapshot(snapshot) = taken(&signed(&event)).remove(0).says else { panic!("a snapshot") };
    assert_eq!(snapshot.native_status.len(), 100);
    event["event"] = json!("verification.notification");
    event["data"]["notificationType"] = json!("n".repeat(5_000));
    let HookSays::Note { kind } = taken(&signed(&event)).remove(0).says else { panic!("a note") };
    assert_eq!(kind.len(), 100);
    event["data"]["comments"] = json!("a\u{0}b");
    assert_eq!(receive(Some(&secret(SECRET)), &signed(&event)).err(), Some(HookRefused::Unreadable), "a NUL");
}

proptest::proptest! {
    #[test]
    fn never_panics_on_a_signed_body(body: Vec<u8>) {
        let signature = signature(SECRET, &body);
        let _ = receive(Some(&secret(SECRET)), &request(body, Some(&signature)));
    }
}
