//! The vendor's webhooks. A static token is all that proves them: the body is not signed, so it only says what to fetch.

use bytes::Bytes;
use domain::VendorRef;
use provider::hook::named_id;
use provider::http::read_json;
use provider::{HookNews, HookRefused, HookRequest, HookSays, native_status};
use secrecy::{ExposeSecret as _, SecretString};
use subtle::{Choice, ConstantTimeEq as _};

use crate::session;
use crate::settings::Version;
use crate::wire::{Hook, Word, reference_in};

const TOKEN: &str = "x-truework-token";

pub fn receive(tokens: &[SecretString], version: Version, request: &HookRequest) -> Result<Vec<HookNews>, HookRefused> {
    if tokens.is_empty() {
        return Err(HookRefused::NotConfigured);
    }
    let given = request.headers.get(TOKEN).ok_or(HookRefused::NotAuthentic)?;
    if !is_one_of(tokens, given.as_bytes()) {
        return Err(HookRefused::NotAuthentic);
    }
    read(version, &request.body).map(|news| vec![news])
}

/// Compares with every token, whichever fits, so that the time taken tells nothing.
fn is_one_of(tokens: &[SecretString], given: &[u8]) -> bool {
    let fits = tokens.iter().fold(Choice::from(0), |fits, token| fits | token.expose_secret().as_bytes().ct_eq(given));
    !given.is_empty() && fits.into()
}

/// The events that say that something can be fetched. The last one is retired, and was of older versions.
const KNOWN: &[&str] = &["order.completed", "verification_request.state.change", SESSION];
const SESSION: &str = "credentials_session.state.change";

/// Every key is optional, and older subscriptions lack some. What is there is used; what is missing is learned by a fetch.
fn read(version: Version, body: &Bytes) -> Result<HookNews, HookRefused> {
    let hook: Hook = read_json(body).ok_or(HookRefused::Unreadable)?;
    let (Some(head), Some(data)) = (hook.hook, hook.data) else {
        return Err(HookRefused::Unreadable);
    };
    let event = head.event.ok_or(HookRefused::Unreadable)?;
    let order_id = named_id(data.order_id.as_deref())?;
    let part_id = named_id(data.verification_request_id.as_deref())?;
    let reference = reference_in(data.metadata.as_ref()).and_then(|reference| reference.parse().ok());
    let state = data.state.as_ref().map(Word::telling).map(correct).unwrap_or_default();
    // The vendor numbers webhooks, not deliveries, so the key is made of what tells two events apart. An order is named
    // only by `order.completed`, or where the verification is missing.
    let token = data.credentials_session_token.as_deref();
    let about = part_id.as_deref().or(order_id.as_deref()).or(token).unwrap_or_default();
    let dedupe_key = [event.as_str(), about, state, head.triggered_at.as_deref().unwrap_or_default()].join("|");
    let known = KNOWN.contains(&event.as_str());
    // What is fetched is the order, or in older versions the verification: an order's id means nothing there, though a
    // subscription of a newer version would name it.
    let is_of_session = token.is_some() || event == SESSION;
    let vendor = match reference {
        Some(reference) if is_of_session && !version.has_orders() => Some(session::object(reference, part_id)),
        _ if version.has_orders() => order_id.map(VendorRef::order),
        _ => part_id.map(VendorRef::order),
    };
    Ok(HookNews {
        dedupe_key,
        reference,
        vendor,
        says: if known { HookSays::Changed } else { HookSays::Note { kind: native_status(&event) } },
    })
}

/// The vendor's contract misspells one state; both spellings are the same news.
fn correct(state: &str) -> &str {
    if state == "action-requred" { "action-required" } else { state }
}

#[cfg(test)]
mod tests;
