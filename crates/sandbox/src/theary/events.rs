//! The simulator's hooks: whom an event is sent to, and how it is signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use sha2::Sha256;
use url::Url;

use super::habits::Habits;
use super::orders::{Happening, Order, Search};
use crate::clock::{SimClock, rfc3339};
use crate::hooks::Hook;

/// Where hooks go that no order says otherwise of: the tenant's own config.
pub struct TenantHooks {
    pub target: Option<Url>,
    pub secret: String,
}

/// The hooks of something that happened to a search: one per target that wants it.
pub fn hooks(
    order: &Order,
    search: &Search,
    what: Happening,
    habits: &Habits,
    tenant: &TenantHooks,
    clock: &SimClock,
) -> Vec<Hook> {
    let (event, data) = event(search, what, habits);
    let body = json!({"event": event, "occurredAt": rfc3339(clock.now()), "data": data});
    let body = Bytes::from(body.to_string());
    // As the vendor's code has it: the order's config governs `completed` alone, the override the other two.
    let config = if event == "verification.completed" || !habits.override_needed {
        &order.body["webhookConfig"]
    } else {
        &search.config["notifications"]["webhookOverride"]
    };
    let mut targets = targets(config, &search.kind);
    if config.is_null()
        && let Some(url) = &tenant.target
    {
        let events = ["verification.completed", "verification.notification", "verification.action_required"];
        targets.push((json!({"url": url, "events": events, "secret": tenant.secret}), "fallback"));
    }
    targets
        .into_iter()
        .filter(|(target, _)| wants(target, event, &search.kind))
        // A delivery made twice is two deliveries, each with an id of its own.
        .flat_map(|target| std::iter::repeat_n(target, if habits.redeliver { 2 } else { 1 }))
        .filter_map(|(target, source)| {
            let url = target.as_str().or_else(|| target["url"].as_str())?.parse().ok()?;
            let secret = target["secret"].as_str().or_else(|| config["secret"].as_str());
            let headers = headers(event, search, habits, &target, source, secret, &body);
            Some(Hook { url, headers, body: body.clone() })
        })
        .collect()
}

/// The targets for this type of search: its own, else the fallback.
fn targets(config: &Value, kind: &str) -> Vec<(Value, &'static str)> {
    if config["enabled"] == false {
        return Vec::new();
    }
    let all = |value: &Value| match value {
        Value::Null => Vec::new(),
        Value::Array(targets) => targets.clone(),
        one => vec![one.clone()],
    };
    let own = all(&config["closeoutEndpoints"][kind]);
    if own.is_empty() {
        all(&config["fallbackEndpoint"]).into_iter().map(|target| (target, "fallback")).collect()
    } else {
        own.into_iter().map(|target| (target, "type-specific")).collect()
    }
}

/// Without `events` a target gets `verification.completed` only.
fn wants(target: &Value, event: &str, kind: &str) -> bool {
    let holds = |list: &Value, word: &str| list.as_array().is_some_and(|words| words.iter().any(|known| known == word));
    let of_event =
        if target["events"].is_array() { holds(&target["events"], event) } else { event == "verification.completed" };
    let of_type = !target["searchTypes"].is_array() || holds(&target["searchTypes"], kind);
    target["enabled"] != false && of_event && of_type
}

fn event(search: &Search, what: Happening, habits: &Habits) -> (&'static str, Value) {
    let mut data = json!({
        "searchType": search.kind, "searchId": search.shown_id(habits), "externalSearchId": search.shown_reference(habits),
    });
    let event = match what {
        Happening::Note(kind) => {
            data["notificationType"] = kind.into();
            let (part, content) = match kind {
                "CONTACT_PLAN" => ("contactPlan", json!([{"channel": "EMAIL", "priority": 1}])),
                "OUTBOUND_ATTEMPT" => {
                    ("outboundAttempt", json!({"channel": "EMAIL", "attemptNumber": 1, "contactEntity": "HR"}))
                }
                _ => ("classification", json!({"type": kind, "confidence": 0.9})),
            };
            data[part] = content;
            "verification.notification"
        }
        Happening::ActionRequired => {
            data["verificationId"] = search.verification_id.as_str().into();
            data["reasonCode"] = habits.action_reason.as_str().into();
            data["status"] = "REASSIGNED".into();
            data["contact"] = json!({"type": search.kind, "data": {}});
            "verification.action_required"
        }
        Happening::Completed => {
            data["verificationId"] = search.verification_id.as_str().into();
            data["channel"] = "EMAIL".into();
            let result = search.full_result();
            data["verificationResult"] = if habits.results_swapped { json!([result]) } else { result };
            "verification.completed"
        }
        Happening::Canceled => {
            data["verificationId"] = search.verification_id.as_str().into();
            data["status"] = "CANCELLED".into();
            "verification.completed"
        }
    };
    (event, data)
}

fn headers(
    event: &str,
    search: &Search,
    habits: &Habits,
    target: &Value,
    source: &'static str,
    secret: Option<&str>,
    body: &[u8],
) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut set = |name: &str, value: &str| {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    };
    for (name, value) in target["headers"].as_object().into_iter().flatten() {
        set(name, value.as_str().unwrap_or_default());
    }
    set("content-type", "application/json");
    set("user-agent", "Theary-Webhook-Delivery/1.0");
    set("x-event-type", event);
    // One per delivery: retries keep it, other targets have their own.
    set("x-event-id", &uuid::Builder::from_random_bytes(rand::random()).into_uuid().to_string());
    set("x-search-type", &search.kind);
    set("x-endpoint-source", source);
    if let Some(reference) = search.shown_reference(habits) {
        set("x-external-search-id", reference);
    }
    if let Some(user) = target["basicAuth"]["username"].as_str() {
        let password = target["basicAuth"]["password"].as_str().unwrap_or_default();
        set("authorization", &format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))));
    }
    if let Some(secret) = secret {
        set("x-webhook-signature", &sign(secret, body));
    }
    headers
}

/// `sha256=` and the HMAC-SHA256 of the raw body, in hex.
pub fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("an HMAC takes a key of any length");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}
