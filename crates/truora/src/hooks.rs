//! Truora's hooks: a compact JWT (HS256) as the whole body, with an array of events inside.
//!
//! * No header carries a signature, and no claim says when the token ends. Replays are bounded by `iat` and by the
//!   events' ids.
//! * The signing key is 64 hex digits and used as text. Whether some hooks use its bytes is not known; both are taken.
//! * A rule with a body template of its own sends plain JSON. Anybody can, so it is refused, and polling finds out the same;
//!   where the settings have it otherwise it is a hint, of which nothing but a check's id is used.
//! * A token without `iat` could be replayed for ever: it is a hint to fetch, and its reference is not passed on.
//! * Event types differ by generation (`check`, `checks.check`, a rule's trigger `checks.check.finished`).

use std::time::Duration;

use bytes::Bytes;
use domain::{Timestamp, VendorRef};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use provider::hook::{MOST_NEWS, named_id};
use provider::http::read_json;
use provider::{HookNews, HookRefused, HookRequest, HookSays, native_status};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;

use crate::identity;
use crate::mapping;
use crate::outcome::OutcomePolicy;
use crate::wire::{self, HookClaims, HookEvent};

/// How old a signed hook may be. The vendor's retries take seconds; a queue of somebody's own may take days.
const OLDEST: Duration = Duration::from_hours(7 * 24);

/// How far the vendor's clock may be ahead.
const SKEW: Duration = Duration::from_mins(5);

const ACTIONS: &[&str] = &["created", "started", "delayed", "finished"];

/// The keys that one secret may mean.
pub struct HookKeys(Vec<DecodingKey>);

impl HookKeys {
    pub fn new(secret: &SecretString) -> Self {
        let text = secret.expose_secret().trim();
        let bytes = hex::decode(text).ok().filter(|bytes| !bytes.is_empty());
        let keys = [Some(text.as_bytes().to_vec()), bytes].into_iter().flatten();
        Self(keys.map(|key| DecodingKey::from_secret(&key)).collect())
    }

    /// The claims of a token that was signed with one of the keys.
    fn verify(&self, token: &str) -> Result<Value, HookRefused> {
        // The algorithm is ours to choose, never the token's. There is no `exp`; `iat` is looked at by the caller.
        let mut validation = Validation::new(Algorithm::HS256);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let mut refused = HookRefused::NotAuthentic;
        for key in &self.0 {
            match jsonwebtoken::decode::<Value>(token, key, &validation) {
                Ok(token) => return Ok(token.claims),
                // Signed, but no JSON inside.
                Err(error) if matches!(error.kind(), ErrorKind::Json(_) | ErrorKind::Utf8(_)) => {
                    refused = HookRefused::Unreadable;
                }
                Err(_) => {}
            }
        }
        Err(refused)
    }
}

/// What is done with a hook that shows no signature at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnsignedHooks {
    #[default]
    Refuse,
    /// It is a hint to look at checks that are known here.
    Hint,
}

pub fn receive(
    keys: Option<&HookKeys>,
    unsigned: UnsignedHooks,
    policy: &OutcomePolicy,
    request: &HookRequest,
) -> Result<Vec<HookNews>, HookRefused> {
    let token = token(&request.body);
    if token.is_none() && unsigned == UnsignedHooks::Hint {
        return hints(request);
    }
    let keys = keys.ok_or(HookRefused::NotConfigured)?;
    let token = token.ok_or(HookRefused::NotAuthentic)?;
    // Written out and read again, so that no text of it escapes the shared reader's guard.
    let claims = keys.verify(&token)?.to_string();
    let claims: HookClaims = read_json(claims.as_bytes()).ok_or(HookRefused::Unreadable)?;
    if claims.events.len() > MOST_NEWS {
        return Err(HookRefused::Unreadable);
    }
    let is_dated = match claims.iat {
        Some(iat) => check_age(iat, request.received_at).map(|()| true)?,
        // Signed, but of no known time: no more than a hint.
        None => false,
    };
    claims.events.iter().map(|event| if is_dated { dated(policy, event) } else { undated(event) }).collect()
}

/// The raw token, the same in quotes, or `{"token": "…"}`: the content type is not documented. `None`: there is no token,
/// so nothing is signed.
fn token(body: &Bytes) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Json {
        Wrapped { token: String },
        Text(String),
    }
    let text = std::str::from_utf8(body).ok()?.trim();
    if !text.starts_with(['{', '"']) {
        return Some(text.to_owned());
    }
    let (Json::Wrapped { token } | Json::Text(token)) = read_json(text.as_bytes())?;
    Some(token)
}

/// The most checks that one unsigned hook may name. The vendor's own name one.
const MOST_HINTS: usize = 10;

/// Of a body that anybody may have sent: the ids of the checks that it names, as hooks or a template of somebody's own
/// would. One hint a minute and check is enough; the rest are repetitions.
fn hints(request: &HookRequest) -> Result<Vec<HookNews>, HookRefused> {
    let body: Value = read_json(&request.body).ok_or(HookRefused::NotAuthentic)?;
    let events = body.get("events").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let objects = events.iter().filter_map(|event| event.get("object")).chain(body.get("check")).chain([&body]);
    let mut ids = Vec::new();
    for id in objects.filter_map(|object| check_id(object).transpose()) {
        ids.push(id?);
    }
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() || ids.len() > MOST_HINTS {
        return Err(HookRefused::NotAuthentic);
    }
    let minute = request.received_at.get().unix_timestamp() / 60;
    let hint = |id: String| HookNews {
        dedupe_key: format!("hint:{id}:{minute}"),
        reference: None,
        vendor: Some(VendorRef::order(id)),
        says: HookSays::Hint,
    };
    Ok(ids.into_iter().map(hint).collect())
}

fn check_age(iat: i64, now: Timestamp) -> Result<(), HookRefused> {
    let seconds = u64::try_from(iat).map_err(|_| HookRefused::Expired)?;
    let issued = Timestamp::EPOCH + Duration::from_secs(seconds);
    if issued + OLDEST < now || issued > now + SKEW { Err(HookRefused::Expired) } else { Ok(()) }
}

/// News of a continuous check: no more than a hint to look at it. `None`: it is of something else, or names none.
fn of_continuous(event: &HookEvent, kind: &str, action: &str) -> Result<Option<HookNews>, HookRefused> {
    if kind != "continuous_check" || action != "changed" {
        return Ok(None);
    }
    let id = named_id(object(event).get("continuous_check_id").and_then(Value::as_str))?;
    Ok(id.map(|monitor_id| HookNews {
        dedupe_key: dedupe_key(event, &monitor_id),
        reference: None,
        vendor: None,
        says: HookSays::MonitorChanged { monitor_id },
    }))
}

/// News of a dated hook, or of the vendor's own log. Its object is as good as a fetch, where it is whole.
pub fn dated(policy: &OutcomePolicy, event: &HookEvent) -> Result<HookNews, HookRefused> {
    let (kind, action) = words(event);
    if let Some(news) = of_continuous(event, &kind, &action)? {
        return Ok(news);
    }
    let object = object(event);
    if let Some(of_process) = identity::news(&kind, &object)? {
        return Ok(HookNews {
            dedupe_key: dedupe_key(event, &of_process.vendor.order_id),
            reference: Some(of_process.reference),
            vendor: Some(of_process.vendor),
            says: of_process.says,
        });
    }
    let id = check_id(&object)?;
    let check: Option<wire::Check> = Deserialize::deserialize(&object).ok();
    let (Some(check), Some(id), true) = (check, id.clone(), is_of_check(&kind, &action)) else {
        return Ok(note(event, id, &kind, &action));
    };
    let snapshot = mapping::snapshot(policy, &check, Bytes::from(object.to_string()));
    // A final state without its scores would be judged as if nothing had been searched.
    let is_whole = !snapshot.standing.is_final() || check.scores.is_some();
    Ok(HookNews {
        dedupe_key: dedupe_key(event, &id),
        reference: snapshot.carries.ours(),
        vendor: Some(VendorRef::order(id)),
        says: if is_whole { HookSays::Snapshot(Box::new(snapshot)) } else { HookSays::Changed },
    })
}

/// News of a hook that could be of any age: only the check's id is used. Its key has a prefix of its own, so that a replayed
/// hint can never make a dated event look like a repetition.
fn undated(event: &HookEvent) -> Result<HookNews, HookRefused> {
    let (kind, action) = words(event);
    let object = object(event);
    let id = check_id(&object)?;
    if let Some(of_process) = identity::news(&kind, &object)? {
        let dedupe_key = format!("undated:{}", dedupe_key(event, &of_process.vendor.order_id));
        let vendor = Some(of_process.vendor);
        return Ok(HookNews { dedupe_key, reference: None, vendor, says: HookSays::Changed });
    }
    let news = match id {
        _ if kind == "continuous_check" => {
            of_continuous(event, &kind, &action)?.unwrap_or_else(|| note(event, id, &kind, &action))
        }
        Some(id) if is_of_check(&kind, &action) => HookNews {
            dedupe_key: dedupe_key(event, &id),
            reference: None,
            vendor: Some(VendorRef::order(id)),
            says: HookSays::Changed,
        },
        id => note(event, id, &kind, &action),
    };
    Ok(HookNews { dedupe_key: format!("undated:{}", news.dedupe_key), ..news })
}

fn note(event: &HookEvent, check_id: Option<String>, kind: &str, action: &str) -> HookNews {
    HookNews {
        dedupe_key: dedupe_key(event, check_id.as_deref().unwrap_or_default()),
        reference: None,
        vendor: check_id.map(VendorRef::order),
        says: HookSays::Note { kind: native_status(&format!("{kind}.{action}")) },
    }
}

fn check_id(object: &Value) -> Result<Option<String>, HookRefused> {
    named_id(object.get("check_id").and_then(Value::as_str))
}

/// The event's kind and action, whatever generation it is of.
pub fn words(event: &HookEvent) -> (String, String) {
    // The documents write some names with blanks: `decision variables finished`.
    let plain = |text: Option<&str>| text.unwrap_or_default().trim().to_lowercase().replace([' ', '-'], "_");
    let (kind, action) = (plain(event.event_type.as_deref()), plain(event.event_action.as_deref()));
    let parts: Vec<_> = kind.split('.').collect();
    match parts.as_slice() {
        [.., kind, last] if action.is_empty() || *last == action => ((*kind).to_owned(), (*last).to_owned()),
        [.., kind] => ((*kind).to_owned(), action),
        [] => (String::new(), action),
    }
}

pub fn is_of_check(kind: &str, action: &str) -> bool {
    kind == "check" && ACTIONS.contains(&action)
}

/// In the vendor's event log the object is a text that holds JSON; a hook that is sent again from there may be too.
fn object(event: &HookEvent) -> Value {
    match &event.object {
        Value::String(text) => read_json(text.as_bytes()).unwrap_or_default(),
        object => object.clone(),
    }
}

/// The event's own id; where it has none, what makes it different from other news of the same check.
fn dedupe_key(event: &HookEvent, check_id: &str) -> String {
    let id = event.id.as_deref().map(str::trim).filter(|id| !id.is_empty());
    id.map_or_else(
        || {
            let (kind, action) = words(event);
            format!("{check_id}:{kind}.{action}:{}", event.timestamp.as_deref().unwrap_or_default())
        },
        str::to_owned,
    )
}

#[cfg(test)]
mod tests;
