//! Synthetic subjects, and hooks signed by hand.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use domain::{CheckInput, OrderInput, Timestamp};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use provider::HookRequest;
use secrecy::SecretString;
use serde_json::{Value, json};
use sha2::Sha256;
use truora::{IdentitySettings, Settings, Truora};
use url::Url;

pub fn order(subject: &Value) -> OrderInput {
    let order = json!({
        "subject": subject, "position": null, "purpose": "employment",
        "consent": { "obtained_at": "2026-11-20T10:00:00Z", "text_version": "v1", "expires_at": null, "document": null },
    });
    serde_json::from_value(order).expect("an order")
}

pub fn check(fields: &Value) -> CheckInput {
    let mut spec = json!({ "type": "background_check" });
    let fields = fields.as_object().expect("an object").clone();
    spec.as_object_mut().expect("an object").extend(fields);
    serde_json::from_value(json!({ "spec": spec, "vendor_options": {} })).expect("a check")
}

/// A Colombian whose number makes the simulator end the check in a certain way.
pub fn colombian(number: &str) -> Value {
    json!({
        "type": "person", "first_name": "Lucía", "middle_name": "Inés", "last_name": "Prueba Ficticia",
        "date_of_birth": "1990-05-15", "gender": "female", "phone": "+573001234567",
        "identifiers": [{ "type": "national_id", "country": "CO", "value": number, "issued_on": "2008-06-01" }],
    })
}

pub fn truora(checks_url: &Url, api_key: &str, hook_key: &str) -> Truora {
    let settings = Settings {
        identity: IdentitySettings {
            url: checks_url.clone(),
            page_url: checks_url.clone(),
            flow: Some(sandbox::truora::IDENTITY_FLOW.to_owned()),
            ..IdentitySettings::default()
        },
        checks_url: checks_url.clone(),
        account_url: checks_url.clone(),
        hook_key: Some(SecretString::from(hook_key)),
        file_hosts: truora::FileHosts::new(checks_url.host_str().map(str::to_owned)),
        ..Settings::new(SecretString::from(api_key))
    };
    Truora::new(settings).expect("good settings")
}

pub fn sign(header: &Value, claims: &Value, key: &[u8]) -> String {
    let signed = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key");
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

pub fn hs256(claims: &Value, key: &[u8]) -> String {
    sign(&json!({ "alg": "HS256", "typ": "JWT" }), claims, key)
}

pub fn hook(body: impl Into<Bytes>, received_at: Timestamp) -> HookRequest {
    HookRequest { headers: HeaderMap::new(), body: body.into(), received_at }
}
