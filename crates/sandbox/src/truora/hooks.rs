//! Hooks: a JWT (HS256) as the whole body, signed with the hook's key as text. Each event is in the event log as well,
//! whether or not anybody listens. Who listens: the target of the hook switches, and the actions of the account's rules.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use sha2::Sha256;

use super::account::{Account, Check, News, new_id};
use super::continuous::Changed;
use super::rules::Rule;
use super::{Habits, HookFormat, Simulator, bodies, event_log};
use crate::hooks::Hook;

/// Tells of one step of a check, if anybody listens.
pub fn send(simulator: &Simulator, habits: &Habits, account: &Account, news: &News) {
    let Some(action) = news.status.hook_action() else { return };
    let object = bodies::check_at(account.check(news.check), news.status, habits);
    deliver(simulator, habits, &habits.hook_event_type, action, &object);
}

/// Tells of a run that differs from the one before.
pub fn send_changed(simulator: &Simulator, habits: &Habits, account: &Account, changed: &Changed) {
    // Rules name the product before the kind.
    let kind = match habits.hook_event_type.rsplit_once('.') {
        Some((product, _)) => format!("{product}.continuous_check"),
        None => "continuous_check".to_owned(),
    };
    deliver(simulator, habits, &kind, "changed", &account.continuous[changed.0].body(account, habits));
}

/// Tells that a check's variables are there. How the vendor writes the action is not documented; its page names the event
/// "decision variables finished".
pub fn send_variables(simulator: &Simulator, habits: &Habits, check: &Check) {
    deliver(simulator, habits, &habits.hook_event_type, "decision_variables_finished", &bodies::check(check, habits));
}

/// Sends one event to whoever listens, and notes that it did.
pub fn deliver(simulator: &Simulator, habits: &Habits, kind: &str, action: &str, object: &Value) {
    let now = simulator.tools.clock.now();
    let claims = json!({
        "iss": "Truora",
        "iat": now.unix_timestamp(),
        "events": [{
            "id": new_id("HKE", 20),
            "event_type": kind,
            "event_action": action,
            "version": "1.0",
            "timestamp": bodies::moment(now),
            "object": object,
        }],
    });
    let wanted = simulator.tools.hooks.target().map(|url| (url, habits.hook_format));
    // Rules are about checks.
    let is_of_check = kind == habits.hook_event_type;
    let of_rules: Vec<_> = simulator
        .own()
        .rules
        .iter()
        .filter(|rule| is_of_check && rule.is_about(action))
        .flat_map(Rule::targets)
        .collect();
    let sent = wanted.into_iter().chain(of_rules).map(|(url, format)| {
        let (content_type, body) = match format {
            HookFormat::Token => ("text/plain", sign(&claims, &simulator.config.hook_key, habits.hook_key_hex)),
            HookFormat::Wrapped => {
                let token = sign(&claims, &simulator.config.hook_key, habits.hook_key_hex);
                ("application/json", json!({ "token": token }).to_string())
            }
            HookFormat::Json => ("application/json", claims.to_string()),
        };
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
        simulator.tools.hooks.send_watched(Hook { url, headers, body: body.into() })
    });
    let entry = event_log::Entry::new(kind, action, object, now, sent.collect());
    simulator.log().note(entry);
}

/// `key_is_hex`: the bytes that the key's hex digits stand for sign, rather than the digits.
pub fn sign(claims: &Value, key: &str, key_is_hex: bool) -> String {
    let decoded = if key_is_hex { hex::decode(key).ok() } else { None };
    let key = decoded.unwrap_or_else(|| key.as_bytes().to_vec());
    let header = json!({ "alg": "HS256", "typ": "JWT" });
    let signed = [header.to_string(), claims.to_string()].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
    let mut mac =
        Hmac::<Sha256>::new_from_slice(&key).unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}
