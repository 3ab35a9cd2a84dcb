//! Hooks: a JWT (HS256) as the whole body, signed with the hook's key as text. Each event is in the event log as well,
//! whether or not anybody listens. Who listens: the target of the hook switches, and the actions of the account's rules.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use sha2::Sha256;

use super::account::{Account, News, new_id};
use super::rules::Rule;
use super::{Habits, HookFormat, Simulator, bodies, event_log};
use crate::hooks::Hook;

/// Tells of one step of a check, and notes that it did.
pub fn send(simulator: &Simulator, habits: &Habits, account: &Account, news: &News) {
    let Some(action) = news.status.hook_action() else { return };
    let check = account.check(news.check);
    let now = simulator.tools.clock.now();
    let object = bodies::check_at(check, news.status, habits);
    let claims = json!({
        "iss": "Truora",
        "iat": now.unix_timestamp(),
        "events": [{
            "id": new_id("HKE", 20),
            "event_type": habits.hook_event_type,
            "event_action": action,
            "version": "1.0",
            "timestamp": bodies::moment(now),
            "object": object,
        }],
    });
    let wanted = simulator.tools.hooks.target().map(|url| (url, habits.hook_format));
    let of_rules: Vec<_> =
        simulator.own().rules.iter().filter(|rule| rule.is_about(action)).flat_map(Rule::targets).collect();
    let wanted = wanted.into_iter().chain(of_rules);
    let sent = wanted.map(|(url, format)| {
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
    let entry = event_log::Entry::new(action, &object, now, sent.collect());
    simulator.log().note(entry);
}

/// `key_is_hex`: the bytes that the key's hex digits stand for sign, rather than the digits.
fn sign(claims: &Value, key: &str, key_is_hex: bool) -> String {
    let decoded = if key_is_hex { hex::decode(key).ok() } else { None };
    let key = decoded.unwrap_or_else(|| key.as_bytes().to_vec());
    let header = json!({ "alg": "HS256", "typ": "JWT" });
    let signed = [header.to_string(), claims.to_string()].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
    let mut mac =
        Hmac::<Sha256>::new_from_slice(&key).unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}
