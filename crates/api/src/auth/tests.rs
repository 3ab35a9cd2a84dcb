//! Every way in which a token can be wrong. The keys in `fixtures` were made for these tests and are used nowhere else.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use axum::Json;
use axum::routing::get;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::Timestamp;
use http::HeaderValue;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};

use super::*;
use crate::scope::Scope;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const NOW: u64 = 1_800_000_000;

struct Hand(AtomicU64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH + Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

fn hand() -> Arc<Hand> {
    Arc::new(Hand(AtomicU64::new(NOW)))
}

fn settings() -> AuthSettings {
    AuthSettings {
        hs256_secret: Some(SecretString::from(SECRET)),
        jwks_url: None,
        issuer: Some("https://issuer.example".to_owned()),
        audience: Some("vetgate".to_owned()),
    }
}

fn claims() -> Value {
    json!({
        "sub": "jane", "tenant": "acme", "scope": "orders:read pii:read", "exp": NOW + 600,
        "iss": "https://issuer.example", "aud": "vetgate"
    })
}

fn with(field: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[field] = value;
    claims
}

fn without(field: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().expect("claims").remove(field);
    claims
}

fn signed(claims: &Value) -> String {
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).expect("a token")
}

async fn judged(authenticator: &Authenticator, token: &str) -> Result<Identity, Refusal> {
    let header = HeaderValue::from_str(&format!("Bearer {token}")).expect("a header");
    authenticator.identify(Some(&header)).await
}

#[tokio::test]
async fn a_good_token_is_taken() {
    let authenticator = Authenticator::new(&settings(), hand()).expect("settings");
    let identity = judged(&authenticator, &signed(&claims())).await.expect("an identity");
    assert_eq!((identity.subject.as_str(), identity.tenant.as_str()), ("jane", "acme"));
    assert!(identity.scopes.contains(Scope::PiiRead) && !identity.scopes.contains(Scope::OrdersWrite));
    for good in [with("aud", json!(["other", "vetgate"])), with("exp", json!(1_800_000_100.5)), with("nbf", json!(NOW))]
    {
        assert!(judged(&authenticator, &signed(&good)).await.is_ok(), "{good}");
    }
}

#[tokio::test]
async fn every_fault_of_the_claims_is_found() {
    let authenticator = Authenticator::new(&settings(), hand()).expect("settings");
    for (claims, refusal) in [
        (with("exp", json!(NOW - 31)), Refusal::Expired),
        (with("exp", json!(0)), Refusal::Expired),
        (with("exp", json!(-1e300)), Refusal::Expired),
        (without("exp"), Refusal::Claims),
        (with("exp", json!("never")), Refusal::Claims),
        (with("nbf", json!(NOW + 31)), Refusal::NotYet),
        (with("nbf", json!(1e300)), Refusal::NotYet),
        (with("iss", json!("https://other.example")), Refusal::Issuer),
        (without("iss"), Refusal::Issuer),
        (with("aud", json!("other")), Refusal::Audience),
        (with("aud", json!([])), Refusal::Audience),
        (without("aud"), Refusal::Audience),
        (without("sub"), Refusal::Claims),
        (with("sub", json!("")), Refusal::Claims),
        (without("tenant"), Refusal::Claims),
        (with("tenant", json!(["acme"])), Refusal::Claims),
        (with("tenant", json!("ac\nme")), Refusal::Claims),
        (with("tenant", json!("x".repeat(201))), Refusal::Claims),
        (without("scope"), Refusal::Claims),
        (with("scope", json!(["orders:read"])), Refusal::Claims),
        (json!([]), Refusal::Claims),
    ] {
        assert_eq!(judged(&authenticator, &signed(&claims)).await, Err(refusal), "{claims}");
    }
}

#[tokio::test]
async fn the_clock_of_the_issuer_may_be_a_little_off() {
    let authenticator = Authenticator::new(&settings(), hand()).expect("settings");
    assert!(judged(&authenticator, &signed(&with("exp", json!(NOW - 29)))).await.is_ok());
    assert!(judged(&authenticator, &signed(&with("nbf", json!(NOW + 30)))).await.is_ok());
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let authenticator = Authenticator::new(&settings(), hand()).expect("settings");
    let good = signed(&claims());
    let (head, _) = good.rsplit_once('.').expect("three parts");
    let encode = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let body = encode(claims());
    let unsigned = |algorithm: &str| format!("{}.{body}.", encode(json!({"alg": algorithm, "typ": "JWT"})));
    let critical = {
        let mut header = Header::new(Algorithm::HS256);
        header.crit = Some(vec!["b64".to_owned()]);
        jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(SECRET.as_bytes())).expect("a token")
    };
    let other_secret = EncodingKey::from_secret(b"another secret of thirty-two bytes!");
    let foreign = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims(), &other_secret).expect("a token");
    let longer = EncodingKey::from_secret(SECRET.as_bytes());
    let hs512 = jsonwebtoken::encode(&Header::new(Algorithm::HS512), &claims(), &longer).expect("a token");
    for (token, refusal) in [
        (unsigned("none"), Refusal::Malformed),
        (unsigned("NONE"), Refusal::Malformed),
        (unsigned("HS256"), Refusal::Signature),
        (unsigned("RS256"), Refusal::Algorithm),
        (format!("{head}."), Refusal::Signature),
        (format!("{head}.AAAA"), Refusal::Signature),
        (format!("{good}x"), Refusal::Signature),
        (foreign, Refusal::Signature),
        (hs512, Refusal::Algorithm),
        (critical, Refusal::Malformed),
        (String::new(), Refusal::Malformed),
        ("a".to_owned(), Refusal::Malformed),
        ("a.b.c".to_owned(), Refusal::Malformed),
        (format!("{good}.x"), Refusal::Malformed),
        ("x".repeat(LONGEST_TOKEN + 1), Refusal::Malformed),
    ] {
        assert_eq!(judged(&authenticator, &token).await, Err(refusal), "{token}");
    }
    for header in ["", "Bearer", "Basic YTpi", &good] {
        let header = HeaderValue::from_str(header).expect("a header");
        assert!(authenticator.identify(Some(&header)).await.is_err(), "{header:?}");
    }
    assert_eq!(authenticator.identify(None).await, Err(Refusal::Missing));
}

#[test]
fn weak_settings_are_refused() {
    let refused = |settings: AuthSettings| Authenticator::new(&settings, hand()).err();
    assert_eq!(refused(AuthSettings::default()), Some(AuthSetupError::NoKey));
    let short = AuthSettings { hs256_secret: Some(SecretString::from("short")), ..AuthSettings::default() };
    assert_eq!(refused(short), Some(AuthSetupError::ShortSecret));
    for (url, taken) in [
        ("https://issuer.example/jwks", true),
        ("http://127.0.0.1:1/jwks", true),
        ("http://localhost/jwks", true),
        ("http://issuer.example/jwks", false),
        ("http://127.0.0.1.example/jwks", false),
        ("file:///etc/jwks", false),
    ] {
        let settings = AuthSettings { jwks_url: Some(Url::parse(url).expect("a url")), ..AuthSettings::default() };
        assert_eq!(refused(settings).is_none(), taken, "{url}");
    }
}

/// An issuer that publishes keys.
struct Issuer {
    keys: Arc<Mutex<Value>>,
    fetches: Arc<AtomicUsize>,
    url: Url,
}

impl Issuer {
    async fn start(keys: Value) -> Self {
        let (keys, fetches) = (Arc::new(Mutex::new(keys)), Arc::new(AtomicUsize::new(0)));
        let (served, counted) = (Arc::clone(&keys), Arc::clone(&fetches));
        let answer = move || {
            counted.fetch_add(1, Ordering::Relaxed);
            let keys = served.lock().unwrap_or_else(PoisonError::into_inner).clone();
            async move { Json(keys) }
        };
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let url = format!("http://{}/jwks", listener.local_addr().expect("an address"));
        let router = axum::Router::new().route("/jwks", get(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { keys, fetches, url: Url::parse(&url).expect("a url") }
    }

    fn publish(&self, keys: Value) {
        *self.keys.lock().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::Relaxed)
    }

    fn settings(&self) -> AuthSettings {
        AuthSettings { jwks_url: Some(self.url.clone()), ..settings() }
    }
}

fn key_of(algorithm: Algorithm) -> EncodingKey {
    let key = match algorithm {
        Algorithm::RS256 => EncodingKey::from_rsa_pem(include_bytes!("fixtures/rsa.pem")),
        Algorithm::ES256 => EncodingKey::from_ec_pem(include_bytes!("fixtures/ec.pem")),
        _ => EncodingKey::from_ed_pem(include_bytes!("fixtures/ed25519.pem")),
    };
    key.expect("a key")
}

fn published(algorithm: Algorithm, id: &str) -> Value {
    let jwk = Jwk::from_encoding_key(&key_of(algorithm), algorithm).expect("a jwk");
    let mut jwk = serde_json::to_value(jwk).expect("json");
    jwk["kid"] = json!(id);
    jwk
}

fn signed_by(algorithm: Algorithm, id: Option<&str>) -> String {
    let header = Header { kid: id.map(str::to_owned), ..Header::new(algorithm) };
    jsonwebtoken::encode(&header, &claims(), &key_of(algorithm)).expect("a token")
}

const PUBLISHED: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

#[tokio::test]
async fn published_keys_verify_their_own_algorithm() {
    let keys = PUBLISHED.map(|algorithm| published(algorithm, &format!("{algorithm:?}")));
    let issuer = Issuer::start(json!({"keys": keys})).await;
    let authenticator = Authenticator::new(&issuer.settings(), hand()).expect("settings");
    for algorithm in PUBLISHED {
        let id = format!("{algorithm:?}");
        assert!(judged(&authenticator, &signed_by(algorithm, Some(&id))).await.is_ok(), "{id}");
        // The only key of its algorithm needs no id.
        assert!(judged(&authenticator, &signed_by(algorithm, None)).await.is_ok(), "{id}");
    }
    // The shared secret still works beside them.
    assert!(judged(&authenticator, &signed(&claims())).await.is_ok());
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn a_public_key_is_never_a_shared_secret() {
    let public = published(Algorithm::RS256, "rsa");
    let issuer = Issuer::start(
        json!({"keys": [public, {"kty": "oct", "k": BASE64_URL_SAFE_NO_PAD.encode(SECRET), "kid": "oct"}]}),
    )
    .await;
    let settings = AuthSettings { hs256_secret: None, ..issuer.settings() };
    let authenticator = Authenticator::new(&settings, hand()).expect("settings");
    assert!(judged(&authenticator, &signed_by(Algorithm::RS256, Some("rsa"))).await.is_ok());
    // Signed with the modulus as if it were a secret, under the RSA key's id; and with a secret out of the set.
    let modulus = BASE64_URL_SAFE_NO_PAD.decode(public_modulus()).expect("base64");
    for (secret, id) in [(modulus.as_slice(), "rsa"), (SECRET.as_bytes(), "oct")] {
        let header = Header { kid: Some(id.to_owned()), ..Header::new(Algorithm::HS256) };
        let token = jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(secret)).expect("a token");
        assert_eq!(judged(&authenticator, &token).await, Err(Refusal::Algorithm));
    }
    // A token of one algorithm under the id of a key of another.
    assert_eq!(judged(&authenticator, &signed_by(Algorithm::ES256, Some("rsa"))).await, Err(Refusal::UnknownKey));
}

fn public_modulus() -> String {
    published(Algorithm::RS256, "rsa")["n"].as_str().expect("a modulus").to_owned()
}

#[tokio::test]
async fn keys_that_are_weak_or_for_something_else_do_not_count() {
    let weak = EncodingKey::from_rsa_pem(include_bytes!("fixtures/rsa-weak.pem")).expect("a key");
    let mut weak_jwk =
        serde_json::to_value(Jwk::from_encoding_key(&weak, Algorithm::RS256).expect("a jwk")).expect("json");
    weak_jwk["kid"] = json!("weak");
    let mut encrypting = published(Algorithm::RS256, "enc");
    encrypting["use"] = json!("enc");
    let mut other = published(Algorithm::RS256, "other");
    other["alg"] = json!("RS512");
    let strange = json!({"kty": "XYZ", "kid": "strange"});
    let keys = json!({"keys": [strange, 5, weak_jwk, encrypting, other, published(Algorithm::RS256, "good")]});
    let issuer = Issuer::start(keys).await;
    let authenticator = Authenticator::new(&issuer.settings(), hand()).expect("settings");
    assert!(judged(&authenticator, &signed_by(Algorithm::RS256, Some("good"))).await.is_ok());
    for id in ["enc", "other", "strange"] {
        assert_eq!(
            judged(&authenticator, &signed_by(Algorithm::RS256, Some(id))).await,
            Err(Refusal::UnknownKey),
            "{id}"
        );
    }
    let header = Header { kid: Some("weak".to_owned()), ..Header::new(Algorithm::RS256) };
    let token = jsonwebtoken::encode(&header, &claims(), &weak).expect("a token");
    assert_eq!(judged(&authenticator, &token).await, Err(Refusal::UnknownKey));
}

#[tokio::test]
async fn a_new_key_is_fetched_when_it_is_named_but_not_over_and_over() {
    let issuer = Issuer::start(json!({"keys": [published(Algorithm::ES256, "old")]})).await;
    let clock = hand();
    let authenticator = Authenticator::new(&issuer.settings(), clock.clone()).expect("settings");
    assert!(judged(&authenticator, &signed_by(Algorithm::ES256, Some("old"))).await.is_ok());
    issuer.publish(json!({"keys": [published(Algorithm::ES256, "new")]}));
    // Just fetched: invented ids must not flood the issuer.
    assert_eq!(judged(&authenticator, &signed_by(Algorithm::ES256, Some("new"))).await, Err(Refusal::UnknownKey));
    assert_eq!(issuer.fetches(), 1);
    clock.0.fetch_add(11, Ordering::Relaxed);
    assert!(judged(&authenticator, &signed_by(Algorithm::ES256, Some("new"))).await.is_ok());
    assert_eq!(issuer.fetches(), 2);
    // And the withdrawn key is gone.
    assert_eq!(judged(&authenticator, &signed_by(Algorithm::ES256, Some("old"))).await, Err(Refusal::UnknownKey));
}

#[tokio::test]
async fn kept_keys_serve_on_while_the_issuer_is_away_but_not_for_ever() {
    let issuer = Issuer::start(json!({"keys": [published(Algorithm::EdDSA, "a")]})).await;
    let clock = hand();
    let authenticator = Authenticator::new(&issuer.settings(), clock.clone()).expect("settings");
    let token = |exp: u64| {
        let header = Header { kid: Some("a".to_owned()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, &with("exp", json!(exp)), &key_of(Algorithm::EdDSA)).expect("a token")
    };
    assert!(judged(&authenticator, &token(NOW + 600)).await.is_ok());
    issuer.publish(json!("no keys at all"));
    clock.0.fetch_add(3_600, Ordering::Relaxed);
    assert!(judged(&authenticator, &token(NOW + 4_000)).await.is_ok());
    clock.0.fetch_add(24 * 3_600, Ordering::Relaxed);
    assert_eq!(judged(&authenticator, &token(NOW + 200_000)).await, Err(Refusal::KeysUnavailable));
}

#[tokio::test]
async fn an_issuer_that_was_never_reached_is_an_outage_and_not_a_bad_token() {
    let settings = AuthSettings { jwks_url: Some(Url::parse("http://127.0.0.1:9/jwks").expect("a url")), ..settings() };
    let authenticator = Authenticator::new(&settings, hand()).expect("settings");
    assert_eq!(judged(&authenticator, &signed_by(Algorithm::EdDSA, Some("a"))).await, Err(Refusal::KeysUnavailable));
    assert_eq!(Problem::from(Refusal::KeysUnavailable).kind(), Kind::Unavailable);
}
