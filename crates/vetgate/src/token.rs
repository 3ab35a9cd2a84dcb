//! Tokens for calling the API, signed with the shared secret.

use std::time::Duration;

use domain::{Clock as _, TenantId};
use engine::SystemClock;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

/// What a token says.
pub struct Claims<'c> {
    pub subject: &'c str,
    pub tenant: &'c TenantId,
    /// Separated by spaces.
    pub scopes: &'c str,
    pub ttl: Duration,
    pub issuer: Option<&'c str>,
    pub audience: Option<&'c str>,
}

#[derive(Serialize)]
struct Body<'c> {
    sub: &'c str,
    tenant: &'c str,
    scope: &'c str,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'c str>,
}

/// Signs a token that begins now.
pub fn mint(secret: &SecretString, claims: &Claims<'_>) -> anyhow::Result<String> {
    let now = SystemClock.now().get().unix_timestamp();
    let body = Body {
        sub: claims.subject,
        tenant: claims.tenant.as_str(),
        scope: claims.scopes,
        iat: now,
        exp: now.saturating_add(i64::try_from(claims.ttl.as_secs()).unwrap_or(i64::MAX)),
        iss: claims.issuer,
        aud: claims.audience,
    };
    let key = EncodingKey::from_secret(secret.expose_secret().as_bytes());
    Ok(jsonwebtoken::encode(&Header::new(Algorithm::HS256), &body, &key)?)
}
