//! Theary's hooks: `X-Webhook-Signature: sha256=<hex>` is the HMAC-SHA256 of the raw body under the order's secret.
//!
//! The whole body is signed and the headers are not, so only the body is believed. There is no timestamp in the
//! signature and no window against replay: a repeated body is the same news, and has the same key.

use bytes::Bytes;
use domain::{Reference, Sensitive, VendorRef};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use provider::hook::named_id;
use provider::http::read_json;
use provider::{Carries, HookNews, HookRefused, HookRequest, HookSays, Snapshot, native_status};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use crate::mapping::standing;
use crate::wire::{Event, search_id};

/// Verifies a hook and says what is in it.
pub fn receive(secret: Option<&SecretString>, request: &HookRequest) -> Result<Vec<HookNews>, HookRefused> {
    let secret = secret.ok_or(HookRefused::NotConfigured)?;
    verify(secret, &request.headers, &request.body)?;
    let event: Event = read_json(&request.body).ok_or(HookRefused::Unreadable)?;
    Ok(news(&event, request)?.into_iter().collect())
}

fn verify(secret: &SecretString, headers: &HeaderMap, body: &[u8]) -> Result<(), HookRefused> {
    // Anybody can sign with an empty secret.
    if secret.expose_secret().is_empty() {
        return Err(HookRefused::NotConfigured);
    }
    let signature = headers.get("x-webhook-signature").and_then(|value| value.to_str().ok());
    let signature =
        signature.and_then(|text| text.trim().strip_prefix("sha256=")).and_then(|text| hex::decode(text).ok());
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).map_err(|_| HookRefused::NotConfigured)?;
    mac.update(body);
    // Compares in constant time.
    mac.verify_slice(&signature.unwrap_or_default()).map_err(|_| HookRefused::NotAuthentic)
}

/// `None`: of another client of the account, or of nothing that could be named.
fn news(event: &Event, request: &HookRequest) -> Result<Option<HookNews>, HookRefused> {
    let carries = Carries::read(event.data.external_search_id.as_deref());
    if carries == Carries::Foreign {
        return Ok(None);
    }
    // No sample shows an order id. Without one the news is known by its reference alone.
    let part_id = named_id(event.data.search_id.as_deref())?.and_then(|id| search_id(&id));
    let order_id = named_id(event.data.order_id.as_deref())?;
    let vendor = order_id.map(|order_id| VendorRef { order_id, check_id: part_id.clone() });
    let (reference, says) = match carries.ours() {
        Some(reference) => (Some(reference), says(event, carries, part_id, &request.body)),
        // The header is not signed: good enough to have a look, not to be believed.
        None => (reference_of_header(&request.headers), HookSays::Changed),
    };
    Ok((reference.is_some() || vendor.is_some()).then(|| HookNews {
        dedupe_key: dedupe_key(event, &request.body),
        reference,
        vendor,
        says,
    }))
}

fn says(event: &Event, carries: Carries, part_id: Option<String>, body: &Bytes) -> HookSays {
    let (status, standing) = match event.name.as_str() {
        "verification.completed" => ("COMPLETED", standing::of_completed_event(event)),
        "verification.action_required" => ("verification.action_required", standing::of_action_event(event)),
        "verification.notification" => {
            let kind = event.data.notification_type.as_deref().unwrap_or("verification.notification");
            return HookSays::Note { kind: native_status(kind) };
        }
        // A word we do not know may still mean that something changed.
        _ => return HookSays::Changed,
    };
    HookSays::Snapshot(Box::new(Snapshot {
        part_id,
        carries,
        vendor_time: event.occurred_at.as_deref().and_then(|at| at.parse().ok()),
        native_status: native_status(event.data.status.as_deref().unwrap_or(status)),
        standing,
        documents: Vec::new(),
        payload: Sensitive::new(body.clone()),
    }))
}

fn reference_of_header(headers: &HeaderMap) -> Option<Reference> {
    headers.get("x-external-search-id")?.to_str().ok()?.trim().parse().ok()
}

/// By content alone. `X-Event-Id` is no second key: it is not signed, so whoever can send us a body that the vendor once
/// signed could use up the id of news to come and so suppress it; it differs between the targets of one event, and may
/// differ between retries. All it could add is that a retry whose body was written anew is known, which does no harm. The
/// body's digest keeps apart what the three names do not.
fn dedupe_key(event: &Event, body: &[u8]) -> String {
    let digest = hex::encode(&Sha256::digest(body)[..12]);
    let search = event.data.search_id.as_deref().unwrap_or("-");
    let at = event.occurred_at.as_deref().unwrap_or("-");
    format!("{search}:{}:{at}:{digest}", event.name)
}

#[cfg(test)]
mod tests;
