//! The published keys of a token issuer (RFC 7517): fetched when needed, kept, and fetched again when a token names a
//! key that is not among them.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::{Clock, Timestamp};
use http::Method;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use provider::call::Unlimited;
use provider::{CallContext, Share, VendorHttp, VendorRequest};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use crate::auth::Refusal;

/// After this the keys are fetched again, so that a withdrawn key stops to count.
const FRESH_FOR: Duration = Duration::from_mins(10);

/// How long keys serve on while they cannot be fetched.
const STALE_FOR: Duration = Duration::from_hours(24);

/// Tokens with invented key ids must not make us flood the issuer.
const BETWEEN_FETCHES: Duration = Duration::from_secs(10);

const TIMEOUT: Duration = Duration::from_secs(5);
const LARGEST: usize = 256 * 1024;

/// The shortest RSA modulus, in bytes (2048 bits).
const SHORTEST_MODULUS: usize = 256;

pub struct Jwks {
    url: Url,
    http: VendorHttp,
    clock: Arc<dyn Clock>,
    keys: RwLock<Option<Arc<Keys>>>,
    /// Held while fetching; holds when that was last begun.
    last_fetch: Mutex<Option<Timestamp>>,
}

struct Keys {
    keys: Vec<Key>,
    fetched_at: Timestamp,
}

#[derive(Debug)]
struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    verifier: DecodingKey,
}

impl Jwks {
    pub fn new(url: Url, clock: Arc<dyn Clock>) -> Self {
        Self { url, http: VendorHttp::new(), clock, keys: RwLock::default(), last_fetch: Mutex::default() }
    }

    /// Keys that arrive over an open line could be anybody's.
    pub fn may_be_at(url: &Url) -> bool {
        let is_local = match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        url.scheme() == "https" || (url.scheme() == "http" && is_local)
    }

    /// The key of this id that is made for this algorithm. Without an id, the only key of the algorithm.
    pub async fn key(&self, id: Option<&str>, algorithm: Algorithm) -> Result<DecodingKey, Refusal> {
        let kept = self.kept();
        let found = kept.as_deref().and_then(|keys| keys.find(id, algorithm));
        let is_fresh = kept.as_ref().is_some_and(|keys| self.clock.now().since(keys.fetched_at) < FRESH_FOR);
        match found {
            Some(key) if is_fresh => Ok(key),
            _ => {
                self.fetch_unless_just_done().await;
                let keys = self.kept().ok_or(Refusal::KeysUnavailable)?;
                if self.clock.now().since(keys.fetched_at) > STALE_FOR {
                    return Err(Refusal::KeysUnavailable);
                }
                keys.find(id, algorithm).ok_or(Refusal::UnknownKey)
            }
        }
    }

    fn kept(&self) -> Option<Arc<Keys>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn fetch_unless_just_done(&self) {
        // Whoever waits here finds the other's keys fetched.
        let mut last = self.last_fetch.lock().await;
        let now = self.clock.now();
        if last.is_some_and(|last| now.since(last) < BETWEEN_FETCHES) {
            return;
        }
        *last = Some(now);
        match self.fetch().await {
            Ok(keys) => {
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) =
                    Some(Arc::new(Keys { keys, fetched_at: now }));
            }
            Err(why) => tracing::warn!(why, "the token issuer's keys could not be fetched"),
        }
    }

    async fn fetch(&self) -> Result<Vec<Key>, String> {
        let ctx = CallContext::new(Share::LookUp, TIMEOUT, Arc::new(Unlimited));
        let mut request = VendorRequest::new(Method::GET, self.url.clone());
        request.max_answer = LARGEST;
        let answer = self.http.send(&ctx, request).await.map_err(|error| error.to_string())?;
        if answer.status != http::StatusCode::OK {
            return Err(format!("the answer's status is {}", answer.status.as_u16()));
        }
        let set: Set = answer.json().map_err(|error| error.to_string())?;
        // A key of a kind that is not known here must not take the others with it.
        Ok(set
            .keys
            .into_iter()
            .filter_map(|key| serde_json::from_value(key).ok())
            .filter_map(|key| usable(&key))
            .collect())
    }
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

impl Keys {
    fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
        let mut fitting = self.keys.iter().filter(|key| key.algorithm == algorithm);
        match id {
            Some(id) => fitting.find(|key| key.id.as_deref() == Some(id)).map(|key| key.verifier.clone()),
            None => match (fitting.next(), fitting.next()) {
                (Some(only), None) => Some(only.verifier.clone()),
                _ => None,
            },
        }
    }
}

/// The key with the one algorithm that its type stands for; `None` if it is not for verifying signatures, is weak, or
/// says that it is for another algorithm.
fn usable(jwk: &Jwk) -> Option<Key> {
    let (algorithm, named) = match &jwk.algorithm {
        AlgorithmParameters::RSA(rsa) => {
            let modulus = BASE64_URL_SAFE_NO_PAD.decode(&rsa.n).ok()?;
            if modulus.iter().skip_while(|byte| **byte == 0).count() < SHORTEST_MODULUS {
                return None;
            }
            (Algorithm::RS256, KeyAlgorithm::RS256)
        }
        AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        // A shared secret in a published set is no secret.
        _ => return None,
    };
    let common = &jwk.common;
    let is_for_it = common.key_algorithm.is_none_or(|known| known == named)
        && common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
    if !is_for_it {
        return None;
    }
    Some(Key { id: common.key_id.clone(), algorithm, verifier: DecodingKey::from_jwk(jwk).ok()? })
}
