//! `Idempotency-Key`: a caller that lost our answer may ask again and gets the same one, and nothing is made twice.
//!
//! The key is looked up, and the answer kept, in the transaction that makes what the answer tells of. Only committed
//! successes are kept; a refused request may be corrected and sent again under the same key.

use axum::extract::{FromRequestParts, OriginalUri};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use domain::TenantId;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use store::{Begun, KeyHash, Looked, RequestHash, StoredAnswer, Tx};

use crate::app::App;
use crate::problem::{Fault, Kind, Place, Problem};

pub const HEADER: &str = "idempotency-key";

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The longest key.
const LONGEST: usize = 255;

/// The request's key, if it has one, with the method and path that it belongs to.
pub struct Key {
    text: Option<String>,
    method: Method,
    path: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut given = parts.headers.get_all(HEADER).iter();
        let key = match (given.next(), given.next()) {
            (None, _) => None,
            (Some(key), None) => Some(readable(key).ok_or_else(unreadable)?),
            _ => return Err(unreadable()),
        };
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(uri)| uri);
        Ok(Self { text: key, method: parts.method.clone(), path: uri.path().to_owned() })
    }
}

fn readable(key: &HeaderValue) -> Option<String> {
    let key = key.to_str().ok()?;
    let is_key = (1..=LONGEST).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    is_key.then(|| key.to_owned())
}

fn unreadable() -> Problem {
    let detail = format!("Expected one key of 1 to {LONGEST} visible ASCII characters, such as a UUID.");
    Problem::invalid(vec![Fault::new(Place::Header(HEADER.to_owned()), "invalid", detail)])
}

/// A transaction under a key, or an ordinary one where the request has none.
pub struct Attempt {
    pub tx: Tx,
    hashes: Option<(KeyHash, RequestHash)>,
}

/// A transaction under a key whose request is still coming in.
pub struct Pending {
    pub tx: Tx,
    key: Option<KeyHash>,
}

/// Where a request stands with its key before its body is known.
pub enum Opening {
    /// It is the first with this key: go on.
    Fresh(Pending),
    /// A request was answered under this key. Whether it is the same one, the body will tell.
    Known(Earlier),
}

/// What was answered to whom.
pub struct Earlier {
    request: RequestHash,
    answer: StoredAnswer,
}

/// Takes in what makes two requests the same, as it comes.
#[derive(Clone)]
pub struct RequestHasher(Option<Sha256>);

/// Where a request stands with its key.
pub enum Start {
    /// It is the first with this key: go on.
    Fresh(Attempt),
    /// It was answered before: give this answer.
    Replay(Response),
}

impl Key {
    pub const fn is_given(&self) -> bool {
        self.text.is_some()
    }

    /// Begins a transaction and looks the key up in it.
    pub async fn begin(&self, app: &App, tenant: &TenantId, body: &Bytes) -> Result<Start, Problem> {
        let mut tx = app.store().begin().await?;
        let Some((key, request)) = self.hashes(tenant, body) else {
            return Ok(Start::Fresh(Attempt { tx, hashes: None }));
        };
        let begun = tx.idempotency().begin(&key, &request).await?;
        if matches!(begun, Begun::New) {
            return Ok(Start::Fresh(Attempt { tx, hashes: Some((key, request)) }));
        }
        tx.cancel().await?;
        match begun {
            Begun::Replay(answer) => Ok(Start::Replay(replay(&answer))),
            Begun::OtherRequest => Err(reused()),
            Begun::InFlight | Begun::New => Err(in_flight()),
        }
    }

    /// Begins a transaction and looks the key up in it, for a request whose body is read in the course of the work.
    pub async fn look(&self, app: &App, tenant: &TenantId) -> Result<Opening, Problem> {
        let mut tx = app.store().begin().await?;
        let Some(key) = self.key_hash(tenant) else { return Ok(Opening::Fresh(Pending { tx, key: None })) };
        match tx.idempotency().look(&key).await? {
            Looked::New => Ok(Opening::Fresh(Pending { tx, key: Some(key) })),
            Looked::Known { request, answer } => {
                tx.cancel().await?;
                Ok(Opening::Known(Earlier { request, answer }))
            }
            Looked::InFlight => {
                tx.cancel().await?;
                Err(in_flight())
            }
        }
    }

    /// `also`: what says beside the body what is asked for.
    pub fn hasher(&self, also: &[&str]) -> RequestHasher {
        let hash = self.salted().map(|hash| also.iter().fold(hash, |hash, part| with_length(hash, part)));
        RequestHasher(hash)
    }

    /// The answer, if the request was answered before. For what must be done before a transaction begins.
    pub async fn replay(&self, app: &App, tenant: &TenantId, body: &Bytes) -> Result<Option<Response>, Problem> {
        if self.text.is_none() {
            return Ok(None);
        }
        match self.begin(app, tenant, body).await? {
            Start::Replay(answer) => Ok(Some(answer)),
            Start::Fresh(attempt) => {
                attempt.tx.cancel().await?;
                Ok(None)
            }
        }
    }

    /// For work that makes its own transactions and does no harm when it is done twice: the answer is kept afterwards.
    pub async fn around<T: Serialize>(
        &self,
        app: &App,
        tenant: &TenantId,
        body: &Bytes,
        work: impl Future<Output = Result<T, Problem>>,
    ) -> Result<Response, Problem> {
        if self.text.is_none() {
            return Ok(axum::Json(work.await?).into_response());
        }
        if let Some(answer) = self.replay(app, tenant, body).await? {
            return Ok(answer);
        }
        let done = work.await?;
        match self.begin(app, tenant, body).await? {
            Start::Replay(answer) => Ok(answer),
            Start::Fresh(attempt) => attempt.finish(app, StatusCode::OK, None, &done).await,
        }
    }

    fn hashes(&self, tenant: &TenantId, body: &Bytes) -> Option<(KeyHash, RequestHash)> {
        let mut hasher = self.hasher(&[]);
        hasher.update(body);
        self.key_hash(tenant).zip(hasher.finish())
    }

    fn key_hash(&self, tenant: &TenantId) -> Option<KeyHash> {
        let parts = [tenant.as_str(), self.method.as_str(), &self.path, self.text.as_deref()?];
        let hash = parts.into_iter().fold(Sha256::new(), with_length);
        Some(KeyHash(hash.finalize().into()))
    }

    /// The key, which is stored nowhere, salts the hash of the body: a body can be guessed, a good key cannot.
    fn salted(&self) -> Option<Sha256> {
        Some(with_length(Sha256::new(), self.text.as_deref()?))
    }
}

/// Each part with its length, so that no two different requests give the same bytes.
fn with_length(hash: Sha256, part: &str) -> Sha256 {
    hash.chain_update((part.len() as u64).to_be_bytes()).chain_update(part)
}

fn reused() -> Problem {
    Problem::new(Kind::KeyReused, "The key was used with another body; a key stands for one request.")
}

fn in_flight() -> Problem {
    let detail = "A request with this key is being worked on; ask again in a moment.";
    Problem::new(Kind::InProgress, detail).retry_after(std::time::Duration::from_secs(1))
}

impl RequestHasher {
    /// For tests of what only hands it on.
    #[cfg(test)]
    pub const fn none() -> Self {
        Self(None)
    }

    pub fn update(&mut self, bytes: &[u8]) {
        if let Some(hash) = &mut self.0 {
            hash.update(bytes);
        }
    }

    /// `None` for a request without a key.
    pub fn finish(self) -> Option<RequestHash> {
        self.0.map(|hash| RequestHash(hash.finalize().into()))
    }
}

impl Pending {
    /// Goes on as if the request had been known from the start.
    pub fn of(self, request: Option<RequestHash>) -> Attempt {
        Attempt { tx: self.tx, hashes: self.key.zip(request) }
    }
}

impl Earlier {
    /// The answer, if the request is the same.
    pub fn answer(self, request: Option<RequestHash>) -> Result<Response, Problem> {
        if request == Some(self.request) { Ok(replay(&self.answer)) } else { Err(reused()) }
    }
}

impl Attempt {
    /// Goes on with what was made, or ends the transaction before the refusal is told: a dropped one holds the key a
    /// moment longer, and the corrected request would be told that the first is still running.
    pub async fn made<T>(self, made: Result<T, Problem>) -> Result<(Self, T), Problem> {
        match made {
            Ok(made) => Ok((self, made)),
            Err(refusal) => {
                // Whether or not the database hears of it, nothing is kept.
                let _ = self.tx.cancel().await;
                Err(refusal)
            }
        }
    }

    /// Keeps the answer under the key, commits, and gives the answer.
    pub async fn finish<T: Serialize>(
        mut self,
        app: &App,
        status: StatusCode,
        location: Option<String>,
        body: &T,
    ) -> Result<Response, Problem> {
        let body = serde_json::to_vec(body).map_err(|error| Problem::internal(&error))?;
        let headers = location.into_iter().map(|location| ("location".to_owned(), location)).collect();
        let answer = StoredAnswer { status: status.as_u16(), headers, body: body.into() };
        if let Some((key, request)) = &self.hashes {
            self.tx.idempotency().keep(key, request, &answer, app.now()).await?;
        }
        self.tx.save().await?;
        Ok(give(&answer))
    }
}

fn give(answer: &StoredAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = (status, answer.body.clone()).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in &answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn replay(answer: &StoredAnswer) -> Response {
    let mut response = give(answer);
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(key: &str, path: &str) -> Key {
        Key { text: Some(key.to_owned()), method: Method::POST, path: path.to_owned() }
    }

    fn hashes(tenant: &str, one: &Key, body: &'static str) -> (KeyHash, RequestHash) {
        one.hashes(&TenantId::new(tenant), &Bytes::from_static(body.as_bytes())).expect("a key")
    }

    #[test]
    fn a_key_belongs_to_one_tenant_and_path_and_its_request_to_one_body() {
        let first = hashes("a", &key("k", "/v1/orders"), "{}");
        assert_eq!(first, hashes("a", &key("k", "/v1/orders"), "{}"));
        for other in [
            hashes("b", &key("k", "/v1/orders"), "{}"),
            hashes("a", &key("l", "/v1/orders"), "{}"),
            hashes("a", &key("k", "/v1/order"), "{}"),
            hashes("a", &key("sk", "/v1/order"), "{}"),
        ] {
            assert_ne!(first.0, other.0);
        }
        let other_body = hashes("a", &key("k", "/v1/orders"), "{ }");
        assert!(first.0 == other_body.0 && first.1 != other_body.1);
    }

    #[test]
    fn keys_are_short_and_visible() {
        for good in ["a", "01HZX-…".trim_end_matches('…'), &"k".repeat(255)] {
            assert!(HeaderValue::from_str(good).ok().as_ref().and_then(readable).is_some(), "{good}");
        }
        for bad in ["", "a b", &"k".repeat(256)] {
            assert!(HeaderValue::from_str(bad).ok().as_ref().and_then(readable).is_none(), "{bad}");
        }
    }
}
