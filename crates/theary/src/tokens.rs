//! The bearer token of an account: ready from the settings, or fetched with client credentials.
//!
//! A fetched token is kept until 60 s before its end and then replaced by the next call that needs one. Whoever comes
//! meanwhile waits for that fetch and shares its end, good or bad, so that there is one at a time. A token that the
//! vendor refuses is replaced once: a new one that is refused as well says that the credentials are wrong, and no further
//! one is fetched for a minute.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use http::header::{ACCEPT, HeaderValue};
use provider::{CallContext, CallError, LostReason, NotSentReason, VendorHttp, VendorRequest};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::settings::{Credentials, OAuthClient};

/// Tells the monotonic time.
pub type TimeSource = Arc<dyn Fn() -> Instant + Send + Sync>;

/// A token is replaced so long before its end; one of a shorter life than twice that, after half of it.
const BEFORE_THE_END: Duration = Duration::from_mins(1);

/// The life of a token whose answer names none, as the vendor's own client has it.
const ASSUMED_LIFE: Duration = Duration::from_hours(1);

/// Whatever the answer says, a token is not kept longer.
const LONGEST_LIFE: Duration = Duration::from_hours(24);

/// A new token that was refused is not replaced until it is this old.
const REST: Duration = Duration::from_mins(1);

/// More than any answer of a token endpoint.
const MOST_OF_AN_ANSWER: usize = 64 * 1024;

/// Why there is no token. Holds nothing of what the token endpoint said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    #[error("the token endpoint cannot be asked ({0})")]
    Call(CallError),
    #[error("the token endpoint answers {0}; are client_id, client_secret and audience right?")]
    Refused(u16),
    #[error("the token endpoint answers {0}; is token_url right?")]
    Status(u16),
    #[error("the token endpoint's answer holds no token")]
    Unreadable,
}

impl TokenFault {
    /// The token endpoint's status, where it answered with an error.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(status) | Self::Status(status) => Some(*status),
            Self::Call(_) | Self::Unreadable => None,
        }
    }

    pub const fn code(&self) -> &'static str {
        match self {
            Self::Call(CallError::NotSent { why, .. }) => why.code(),
            Self::Refused(_) => "credentials_refused",
            Self::Call(CallError::Lost { .. }) | Self::Status(_) | Self::Unreadable => "no_token",
        }
    }
}

/// For reads, which have one kind of failure.
impl From<TokenFault> for CallError {
    fn from(fault: TokenFault) -> Self {
        let why = match fault {
            TokenFault::Call(error) => return error,
            TokenFault::Refused(status) | TokenFault::Status(status) => LostReason::Status(status),
            TokenFault::Unreadable => LostReason::Unreadable,
        };
        Self::Lost { why }
    }
}

/// One token.
pub struct Token {
    text: SecretString,
    since: Instant,
    /// `None`: the one of the settings, which nothing can replace.
    due: Option<Instant>,
    /// The vendor took it at least once.
    proven: AtomicBool,
}

impl Token {
    fn new(text: SecretString, since: Instant, due: Option<Instant>) -> Self {
        Self { text, since, due, proven: AtomicBool::new(false) }
    }

    /// The header, unless the token holds what no header can.
    pub fn bearer(&self) -> Option<HeaderValue> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", self.text.expose_secret())).ok()?;
        bearer.set_sensitive(true);
        Some(bearer)
    }

    /// The vendor took it.
    pub fn prove(&self) {
        self.proven.store(true, Ordering::Relaxed);
    }

    /// Whether it holds the `tenant` claim that the vendor demands, bare or under a namespace. `None`: it is not a JWT
    /// that could be read. Nothing is believed of it: its signature is the vendor's business.
    pub fn names_tenant(&self) -> Option<bool> {
        let payload = self.text.expose_secret().split('.').nth(1)?;
        let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        let Value::Object(claims) = serde_json::from_slice(&payload).ok()? else { return None };
        let is_tenant = |name: &str| name == "tenant" || name.ends_with("/tenant");
        Some(claims.iter().any(|(name, value)| is_tenant(name) && value.as_str().is_some_and(|text| !text.is_empty())))
    }
}

/// Where an account's tokens come from.
pub struct Tokens(Source);

enum Source {
    Ready(Arc<Token>),
    Client(Box<Fetcher>),
}

impl Tokens {
    pub fn new(credentials: Credentials, clock: TimeSource) -> Self {
        Self(match credentials {
            Credentials::Token(text) => Source::Ready(Arc::new(Token::new(text, clock(), None))),
            Credentials::Client(client) => Source::Client(Box::new(Fetcher {
                client,
                clock,
                turn: tokio::sync::Mutex::default(),
                ended: AtomicU64::new(0),
                kept: Mutex::default(),
            })),
        })
    }

    /// A token that has not ended.
    pub async fn get(&self, http: &VendorHttp, ctx: &CallContext) -> Result<Arc<Token>, TokenFault> {
        match &self.0 {
            Source::Ready(token) => Ok(Arc::clone(token)),
            Source::Client(fetcher) => fetcher.get(http, ctx).await,
        }
    }

    /// Takes note that the vendor refused this token. True: it is forgotten, and the next call fetches another.
    pub fn refuse(&self, token: &Token) -> bool {
        match &self.0 {
            Source::Ready(_) => false,
            Source::Client(fetcher) => fetcher.refuse(token),
        }
    }
}

struct Fetcher {
    client: OAuthClient,
    clock: TimeSource,
    /// Held by whoever fetches.
    turn: tokio::sync::Mutex<()>,
    /// How many fetches have ended.
    ended: AtomicU64,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    token: Option<Arc<Token>>,
    /// How the last fetch failed, if it did.
    fault: Option<TokenFault>,
}

impl Fetcher {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn current(&self) -> Option<Arc<Token>> {
        let now = (self.clock)();
        self.kept().token.clone().filter(|token| token.due.is_none_or(|due| now < due))
    }

    async fn get(&self, http: &VendorHttp, ctx: &CallContext) -> Result<Arc<Token>, TokenFault> {
        if let Some(token) = self.current() {
            return Ok(token);
        }
        let ended_before = self.ended.load(Ordering::Acquire);
        let _turn = self.turn.lock().await;
        if let Some(token) = self.current() {
            return Ok(token);
        }
        // Somebody fetched while we waited, and failed: asking again at once would say the same.
        if self.ended.load(Ordering::Acquire) != ended_before
            && let Some(fault) = self.kept().fault.clone()
        {
            return Err(fault);
        }
        let fetched = self.fetch(http, ctx).await;
        match fetched {
            Ok(token) => {
                let token = Arc::new(token);
                *self.kept() = Kept { token: Some(Arc::clone(&token)), fault: None };
                Ok(token)
            }
            Err(fault) => {
                // That this caller's budget or lease was used up says nothing about the others'.
                let is_own = matches!(&fault, TokenFault::Call(CallError::NotSent { why, .. }) if *why != NotSentReason::NotConnected);
                if !is_own {
                    self.kept().fault = Some(fault.clone());
                    self.ended.fetch_add(1, Ordering::Release);
                }
                Err(fault)
            }
        }
    }

    /// Makes the token call, once.
    async fn fetch(&self, http: &VendorHttp, ctx: &CallContext) -> Result<Token, TokenFault> {
        let client = &self.client;
        let asked = json!({
            "client_id": client.client_id, "client_secret": client.client_secret.expose_secret(),
            "audience": client.audience, "grant_type": "client_credentials",
        });
        let mut request = VendorRequest::new(Method::POST, client.token_url.clone())
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .body("application/json", asked.to_string());
        request.max_answer = MOST_OF_AN_ANSWER;
        // Its life is counted from before the call: never too long.
        let since = (self.clock)();
        let answer = http.send(ctx, request).await.map_err(TokenFault::Call)?;
        match answer.status.as_u16() {
            200..=299 => {}
            status @ (400 | 401 | 403) => return Err(TokenFault::Refused(status)),
            status => return Err(TokenFault::Status(status)),
        }
        let given: Given = answer.json().map_err(|_| TokenFault::Unreadable)?;
        let life = given.life();
        let due = since + life.saturating_sub(BEFORE_THE_END.min(life / 2));
        let text = given.access_token.filter(|text| !text.is_empty()).ok_or(TokenFault::Unreadable)?;
        let token = Token::new(SecretString::from(text), since, Some(due));
        token.bearer().is_some().then_some(token).ok_or(TokenFault::Unreadable)
    }

    fn refuse(&self, token: &Token) -> bool {
        let old_enough = (self.clock)().saturating_duration_since(token.since) >= REST;
        if !token.proven.load(Ordering::Relaxed) && !old_enough {
            return false;
        }
        let mut kept = self.kept();
        // Another caller may have replaced it already.
        if kept.token.as_ref().is_some_and(|current| std::ptr::eq(&raw const **current, token)) {
            kept.token = None;
        }
        true
    }
}

/// The token endpoint's answer.
#[derive(Deserialize)]
struct Given {
    access_token: Option<String>,
    #[serde(default)]
    expires_in: Value,
}

impl Given {
    fn life(&self) -> Duration {
        let seconds = match &self.expires_in {
            Value::String(text) => text.trim().parse().ok(),
            number => number.as_u64(),
        };
        seconds.map_or(ASSUMED_LIFE, Duration::from_secs).min(LONGEST_LIFE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> Token {
        let text = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload));
        Token::new(SecretString::from(text), Instant::now(), None)
    }

    #[test]
    fn a_tenant_is_a_claim_with_a_name_in_it() {
        for (payload, named) in [
            (r#"{"tenant":"acme"}"#, Some(true)),
            (r#"{"https://theary.ai/tenant":"acme","sub":"x"}"#, Some(true)),
            (r#"{"tenant":""}"#, Some(false)),
            (r#"{"tenant":7}"#, Some(false)),
            (r#"{"tenants":"acme"}"#, Some(false)),
            ("{}", Some(false)),
            ("[]", None),
            ("no json", None),
        ] {
            assert_eq!(token(payload).names_tenant(), named, "{payload}");
        }
        for opaque in ["opaque", "a.b", "", "..", "a.%%%.b"] {
            let token = Token::new(SecretString::from(opaque), Instant::now(), None);
            assert_eq!(token.names_tenant(), None, "{opaque}");
        }
    }

    #[test]
    fn a_life_is_what_the_answer_says_within_reason() {
        for (said, life) in [
            (json!(30), Duration::from_secs(30)),
            (json!("86400"), Duration::from_hours(24)),
            (json!(u64::MAX), LONGEST_LIFE),
            (json!(0), Duration::ZERO),
            (json!(-5), ASSUMED_LIFE),
            (json!("soon"), ASSUMED_LIFE),
            (Value::Null, ASSUMED_LIFE),
        ] {
            assert_eq!(Given { access_token: None, expires_in: said.clone() }.life(), life, "{said}");
        }
    }
}
