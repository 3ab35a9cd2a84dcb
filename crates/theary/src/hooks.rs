//! Theary's hooks: `X-Webhook-Signature: sha256=<hex>` is the HMAC-SHA256 of the raw body under the order's secret.
//!
//! The whole body is signed and the headers are not, so only the body is believed. There is no timestamp in the
//! signature and no window against replay: a repeated body is the same news, and has the same key.

use bytes::Bytes;
use domain::{Reference, Sensitive, VendorRef};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use provider::{Carries, HookNews, HookRefused, HookRequest, HookSays, Snapshot};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use crate::mapping::standing;
use crate::wire::Event;

/// Verifies a hook and says what is in it.
pub fn receive(secret: Option<&SecretString>, request: &HookRequest) -> Result<Vec<HookNews>, HookRefused> {
    let secret = secret.ok_or(HookRefused::NotConfigured)?;
    verify(secret, &request.headers, &request.body)?;
    let event: Event = serde_json::from_slice(&request.body).map_err(|_| HookRefused::Unreadable)?;
    Ok(news(&event, request).into_iter().collect())
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
fn news(event: &Event, request: &HookRequest) -> Option<HookNews> {
    let said = event.data.external_search_id.as_deref();
    let reference: Option<Reference> = said.and_then(|text| text.parse().ok());
    if said.is_some() && reference.is_none() {
        return None;
    }
    // No sample shows an order id. Without one the news is known by its reference alone.
    let vendor =
        event.data.order_id.clone().map(|order_id| VendorRef { order_id, check_id: event.data.search_id.clone() });
    let (reference, says) = match reference {
        Some(_) => (reference, says(event, reference, &request.body)),
        // The header is not signed: good enough to have a look, not to be believed.
        None => (reference_of_header(&request.headers), HookSays::Changed),
    };
    (reference.is_some() || vendor.is_some()).then(|| HookNews {
        dedupe_key: dedupe_key(event, &request.body),
        reference,
        vendor,
        says,
    })
}

fn says(event: &Event, reference: Option<Reference>, body: &Bytes) -> HookSays {
    let (native_status, standing) = match event.name.as_str() {
        "verification.completed" => ("COMPLETED", standing::of_completed_event(event)),
        "verification.action_required" => ("verification.action_required", standing::of_action_event(event)),
        "verification.notification" => {
            let kind = event.data.notification_type.as_deref().unwrap_or("verification.notification");
            return HookSays::Note { kind: kind.to_owned() };
        }
        // A word we do not know may still mean that something changed.
        _ => return HookSays::Changed,
    };
    HookSays::Snapshot(Box::new(Snapshot {
        part_id: event.data.search_id.clone(),
        carries: reference.map_or(Carries::Nothing, Carries::Ours),
        vendor_time: event.occurred_at.as_deref().and_then(|at| at.parse().ok()),
        native_status: event.data.status.clone().unwrap_or_else(|| native_status.to_owned()),
        standing,
        documents: Vec::new(),
        payload: Sensitive::new(body.clone()),
    }))
}

fn reference_of_header(headers: &HeaderMap) -> Option<Reference> {
    headers.get("x-external-search-id")?.to_str().ok()?.trim().parse().ok()
}

/// By content, not by `X-Event-Id`: the header is unsigned, differs between the targets of one event, and may differ
/// between retries. The body's digest keeps apart what the three names do not.
fn dedupe_key(event: &Event, body: &[u8]) -> String {
    let digest = hex::encode(&Sha256::digest(body)[..12]);
    let search = event.data.search_id.as_deref().unwrap_or("-");
    let at = event.occurred_at.as_deref().unwrap_or("-");
    format!("{search}:{}:{at}:{digest}", event.name).chars().take(300).collect()
}

#[cfg(test)]
mod tests;
