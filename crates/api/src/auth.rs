//! Who is calling: bearer tokens (JWT, RFC 7519), signed with a shared secret or by a key of a JWKS.
//!
//! The algorithm never comes from the token alone. Each key is tied to exactly one algorithm when it is loaded, the
//! shared secret to HS256, a published key to what its type says; a token whose header names another is refused before
//! anything is verified. So a public key can never serve as a shared secret, and `none` is no algorithm at all.

use std::sync::Arc;
use std::time::Duration;

use domain::{Clock, TenantId};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

use crate::jwks::Jwks;
use crate::problem::{Kind, Problem};
use crate::scope::Scopes;

/// How far the issuer's clock may be from ours.
const LEEWAY: Duration = Duration::from_secs(30);

/// Longer tokens are refused unread.
const LONGEST_TOKEN: usize = 8 * 1024;

/// The longest `sub` and `tenant`.
const LONGEST_NAME: usize = 200;

/// The shortest shared secret: as long as what the signature's hash puts out (RFC 7518, section 3.2).
const SHORTEST_SECRET: usize = 32;

/// How tokens are verified. At least one of the two kinds of keys must be set.
#[derive(Debug, Clone, Default)]
pub struct AuthSettings {
    /// The shared secret of HS256 tokens, at least 32 bytes.
    pub hs256_secret: Option<SecretString>,
    /// Where the public keys of RS256, ES256 and `EdDSA` tokens are published. `https`, or `http` on this machine.
    pub jwks_url: Option<Url>,
    /// Where set, `iss` must be this.
    pub issuer: Option<String>,
    /// Where set, `aud` must name this.
    pub audience: Option<String>,
}

/// Why the settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthSetupError {
    #[error("no key to verify tokens with: set auth.hs256_secret or auth.jwks_url")]
    NoKey,
    #[error("auth.hs256_secret is too short: it needs at least 32 bytes")]
    ShortSecret,
    #[error("auth.jwks_url must be https, or http on this machine")]
    InsecureJwks,
}

/// A verified caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The token's `sub`: the person or program, as it is noted in the audit log.
    pub subject: String,
    pub tenant: TenantId,
    pub scopes: Scopes,
}

/// Why a token is refused. The texts are for the caller and quote nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("The request carries no bearer token.")]
    Missing,
    #[error("The token cannot be read as a JWT.")]
    Malformed,
    #[error("The token is signed with an algorithm that is not in use here.")]
    Algorithm,
    #[error("The token is signed with a key that is not known here.")]
    UnknownKey,
    #[error("The token's signature is wrong.")]
    Signature,
    #[error("The token has expired.")]
    Expired,
    #[error("The token is not valid yet.")]
    NotYet,
    #[error("The token is of another issuer.")]
    Issuer,
    #[error("The token is meant for another audience.")]
    Audience,
    #[error("The token needs the claims sub, tenant, scope and exp.")]
    Claims,
    #[error("The keys that tokens are verified with cannot be fetched right now.")]
    KeysUnavailable,
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::KeysUnavailable => {
                Self::new(Kind::Unavailable, refusal.to_string()).retry_after(Duration::from_secs(5))
            }
            _ => Self::new(Kind::Unauthenticated, refusal.to_string()),
        }
    }
}

/// Verifies tokens.
pub struct Authenticator {
    secret: Option<DecodingKey>,
    jwks: Option<Jwks>,
    issuer: Option<String>,
    audience: Option<String>,
    clock: Arc<dyn Clock>,
}

impl Authenticator {
    pub fn new(settings: &AuthSettings, clock: Arc<dyn Clock>) -> Result<Self, AuthSetupError> {
        if settings.hs256_secret.is_none() && settings.jwks_url.is_none() {
            return Err(AuthSetupError::NoKey);
        }
        let secret = match &settings.hs256_secret {
            Some(secret) if secret.expose_secret().len() < SHORTEST_SECRET => return Err(AuthSetupError::ShortSecret),
            Some(secret) => Some(DecodingKey::from_secret(secret.expose_secret().as_bytes())),
            None => None,
        };
        let jwks = match &settings.jwks_url {
            Some(url) if !Jwks::may_be_at(url) => return Err(AuthSetupError::InsecureJwks),
            Some(url) => Some(Jwks::new(url.clone(), clock.clone())),
            None => None,
        };
        Ok(Self { secret, jwks, issuer: settings.issuer.clone(), audience: settings.audience.clone(), clock })
    }

    /// The caller that this `Authorization` header stands for.
    pub async fn identify(&self, header: Option<&http::HeaderValue>) -> Result<Identity, Refusal> {
        let text = header.ok_or(Refusal::Missing)?.to_str().map_err(|_| Refusal::Malformed)?;
        let (scheme, token) = text.split_once(' ').ok_or(Refusal::Missing)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Refusal::Missing);
        }
        self.verify(token.trim()).await
    }

    async fn verify(&self, token: &str) -> Result<Identity, Refusal> {
        if token.len() > LONGEST_TOKEN {
            return Err(Refusal::Malformed);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| Refusal::Malformed)?;
        // RFC 7515, section 4.1.11: extensions marked critical must be understood, and none is.
        if header.crit.is_some() {
            return Err(Refusal::Malformed);
        }
        let key = match (header.alg, &self.secret, &self.jwks) {
            (Algorithm::HS256, Some(secret), _) => secret.clone(),
            (alg @ (Algorithm::RS256 | Algorithm::ES256 | Algorithm::EdDSA), _, Some(jwks)) => {
                jwks.key(header.kid.as_deref(), alg).await?
            }
            _ => return Err(Refusal::Algorithm),
        };
        // The library only checks the signature; the claims are judged below, by our own clock.
        let mut validation = Validation::new(header.alg);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        let claims =
            jsonwebtoken::decode::<Claims>(token, &key, &validation).map_err(|error| refusal_of(&error))?.claims;
        self.judge(claims)
    }

    fn judge(&self, claims: Claims) -> Result<Identity, Refusal> {
        let now = self.clock.now().get().unix_timestamp();
        let leeway = i64::try_from(LEEWAY.as_secs()).unwrap_or(0);
        if claims.exp.seconds().saturating_add(leeway) <= now {
            return Err(Refusal::Expired);
        }
        if claims.nbf.is_some_and(|nbf| nbf.seconds().saturating_sub(leeway) > now) {
            return Err(Refusal::NotYet);
        }
        if self.issuer.is_some() && claims.iss != self.issuer {
            return Err(Refusal::Issuer);
        }
        if let Some(audience) = &self.audience
            && !claims.aud.is_some_and(|aud| aud.names(audience))
        {
            return Err(Refusal::Audience);
        }
        if !is_name(&claims.sub) || !is_name(&claims.tenant) {
            return Err(Refusal::Claims);
        }
        Ok(Identity { subject: claims.sub, tenant: TenantId::new(claims.tenant), scopes: Scopes::parse(&claims.scope) })
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_NAME && !text.chars().any(char::is_control)
}

fn refusal_of(error: &jsonwebtoken::errors::Error) -> Refusal {
    use jsonwebtoken::errors::ErrorKind as E;
    match error.kind() {
        E::InvalidSignature => Refusal::Signature,
        E::InvalidAlgorithm | E::InvalidAlgorithmName | E::UnsupportedAlgorithm | E::MissingAlgorithm => {
            Refusal::Algorithm
        }
        // The header was read before, so what is wrong with the JSON is wrong with the claims.
        E::Json(_) => Refusal::Claims,
        _ => Refusal::Malformed,
    }
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    tenant: String,
    scope: String,
    exp: Seconds,
    nbf: Option<Seconds>,
    iss: Option<String>,
    aud: Option<Audience>,
}

/// A `NumericDate`, which may have a fraction.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Seconds {
    Whole(i64),
    Fraction(f64),
}

impl Seconds {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the cast saturates, which is what a date beyond time should do"
    )]
    const fn seconds(self) -> i64 {
        match self {
            Self::Whole(seconds) => seconds,
            Self::Fraction(seconds) => seconds as i64,
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn names(&self, wanted: &str) -> bool {
        match self {
            Self::One(one) => one == wanted,
            Self::Many(many) => many.iter().any(|one| one == wanted),
        }
    }
}

#[cfg(test)]
mod tests;
