//! The vendor's signatures of its answers (`X-Truework-Signature`): Ed25519 over some response headers and the raw body.
//!
//! The header has three parts, `keyId="…",headers="date content-length",signature="…"`. Signed is each listed header as
//! `name: value` and a line feed, in the order listed, and then the body's bytes. The newest documents of the vendor do
//! not mention signatures any more, so checking them is a setting. Documents that are streamed are not checked: the
//! vendor signs JSON only.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use ring::signature::{ED25519, UnparsedPublicKey};
use url::Url;

use crate::settings::{PRODUCTION_HOST, SANDBOX_HOST};

const HEADER: &str = "x-truework-signature";

/// What becomes of answers whose signature is missing or wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SignatureMode {
    /// Signatures are not looked at.
    #[default]
    Off,
    /// It is said in the log, and the answer is used.
    Warn,
    /// The answer proves nothing: it is as good as none.
    Require,
}

impl SignatureMode {
    pub const ALL: &'static [Self] = &[Self::Off, Self::Warn, Self::Require];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Warn => "warn",
            Self::Require => "require",
        }
    }
}

/// One of the vendor's public keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureKey {
    id: String,
    public: [u8; 32],
}

/// What the vendor publishes, for the hosts that sign with it. Neither has an end.
const PRODUCTION_KEY: &str = "tw-2021-11-11:Ad14e4K+/6At51wUH2B3M4ONNlRmLiSpI4NUAl+IcyA=";
const SANDBOX_KEY: &str = "tw-sandbox-2021-11-11:yJBzPH0p+gdRuj4qnjU1+ob0AH52gHRDXxnDW1xGaYk=";

impl SignatureKey {
    /// The keys that the vendor publishes for this host: the sandbox must not be able to sign for production. None for any
    /// other host, whose keys only its settings know.
    pub fn published_for(base_url: &Url) -> Vec<Self> {
        let key = match base_url.host_str() {
            Some(PRODUCTION_HOST) => PRODUCTION_KEY,
            Some(SANDBOX_HOST) => SANDBOX_KEY,
            _ => return Vec::new(),
        };
        key.parse().into_iter().collect()
    }

    /// Whether it is what the vendor's sandbox signs with, under whatever id.
    pub(crate) fn is_of_the_sandbox(&self) -> bool {
        SANDBOX_KEY.parse::<Self>().is_ok_and(|sandbox| sandbox.public == self.public)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the key's id and its 32 bytes in base64, such as tw-2021-11-11:Ad14e4K+…")]
pub struct NotAKey;

impl FromStr for SignatureKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let (id, public) = text.split_once(':').ok_or(NotAKey)?;
        let public = STANDARD.decode(public.trim()).map_err(|_| NotAKey)?;
        let id = id.trim();
        if id.is_empty() || id.contains(['"', ',']) {
            return Err(NotAKey);
        }
        Ok(Self { id: id.to_owned(), public: public.try_into().map_err(|_| NotAKey)? })
    }
}

/// Why an answer is not taken for the vendor's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    #[error("it is not signed")]
    Missing,
    #[error("its signature cannot be read")]
    Unreadable,
    #[error("it is signed with a key that is not known here")]
    UnknownKey,
    #[error("a header that is signed is not there")]
    HeaderMissing,
    #[error("its signature is not that of its headers and body")]
    Wrong,
}

/// Checks an answer as it came over the wire.
pub fn verify(keys: &[SignatureKey], headers: &HeaderMap, body: &[u8]) -> Result<(), SignatureFault> {
    let header = headers.get(HEADER).ok_or(SignatureFault::Missing)?;
    let header = header.to_str().map_err(|_| SignatureFault::Unreadable)?;
    let part = |name: &str| part(header, name).ok_or(SignatureFault::Unreadable);
    let (key_id, listed) = (part("keyId")?, part("headers")?);
    let signature = STANDARD.decode(part("signature")?).map_err(|_| SignatureFault::Unreadable)?;
    let mut message = Vec::new();
    for name in listed.split_ascii_whitespace() {
        let value = headers.get(name).ok_or(SignatureFault::HeaderMissing)?;
        message.extend_from_slice(name.as_bytes());
        message.extend_from_slice(b": ");
        message.extend_from_slice(value.as_bytes());
        message.push(b'\n');
    }
    message.extend_from_slice(body);
    // While a key is changed two may have the same id.
    let mut known = keys.iter().filter(|key| key.id == key_id).peekable();
    known.peek().ok_or(SignatureFault::UnknownKey)?;
    let fits = |key: &SignatureKey| UnparsedPublicKey::new(&ED25519, &key.public).verify(&message, &signature).is_ok();
    if known.any(fits) { Ok(()) } else { Err(SignatureFault::Wrong) }
}

/// `value` of `name="value"` among the comma-separated parts. Base64 and ids hold neither commas nor quotes.
fn part<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.split(',').find_map(|part| {
        let (known, value) = part.trim().split_once('=')?;
        let value = value.trim().strip_prefix('"')?.strip_suffix('"')?;
        (known.trim() == name).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use ring::signature::{Ed25519KeyPair, KeyPair as _};

    use super::*;

    const BODY: &[u8] = br#"{"id":"order-1"}"#;

    fn pair() -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a key pair")
    }

    fn key(id: &str) -> SignatureKey {
        let public = pair().public_key().as_ref().to_vec();
        format!("{id}:{}", STANDARD.encode(public)).parse().expect("a key")
    }

    /// An answer's headers, signed as the vendor's page shows it.
    fn signed(listed: &str, body: &[u8]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("date", "Thu, 11 Nov 2021 10:00:00 GMT".parse().expect("a value"));
        headers.insert("content-length", body.len().into());
        let mut message = Vec::new();
        for name in listed.split(' ').filter(|name| !name.is_empty()) {
            let value = headers[name].to_str().expect("a text");
            message.extend_from_slice(format!("{name}: {value}\n").as_bytes());
        }
        message.extend_from_slice(body);
        let signature = STANDARD.encode(pair().sign(&message));
        let header = format!("keyId=\"k1\",headers=\"{listed}\",signature=\"{signature}\"");
        headers.insert(HEADER, header.parse().expect("a value"));
        headers
    }

    #[test]
    fn headers_and_body_are_what_was_signed() {
        let keys = [key("k0"), key("k1")];
        for listed in ["date content-length", "content-length date", "date", ""] {
            let headers = signed(listed, BODY);
            assert_eq!(verify(&keys, &headers, BODY), Ok(()), "{listed:?}");
            assert_eq!(verify(&keys, &headers, br#"{"id":"order-2"}"#), Err(SignatureFault::Wrong), "{listed:?}");
            assert_eq!(verify(&[key("k0")], &headers, BODY), Err(SignatureFault::UnknownKey));
        }
        let mut later = signed("date content-length", BODY);
        later.insert("date", "Thu, 11 Nov 2021 10:00:01 GMT".parse().expect("a value"));
        assert_eq!(verify(&keys, &later, BODY), Err(SignatureFault::Wrong));
        later.remove("date");
        assert_eq!(verify(&keys, &later, BODY), Err(SignatureFault::HeaderMissing));
        let published = PRODUCTION_KEY.parse::<SignatureKey>().expect("a key");
        let strangers = SignatureKey { id: "k1".to_owned(), ..published };
        assert_eq!(verify(&[strangers], &signed("date", BODY), BODY), Err(SignatureFault::Wrong));
    }

    #[test]
    fn what_is_no_signature_is_said_to_be_none() {
        let keys = [key("k1")];
        assert_eq!(verify(&keys, &HeaderMap::new(), BODY), Err(SignatureFault::Missing));
        for odd in [
            "",
            "abc",
            "keyId=\"k1\"",
            "keyId=k1,headers=date,signature=x",
            "keyId=\"k1\",headers=\"\",signature=\"!\"",
        ] {
            let headers = HeaderMap::from_iter([(HEADER.parse().expect("a name"), odd.parse().expect("a value"))]);
            assert_eq!(verify(&keys, &headers, BODY), Err(SignatureFault::Unreadable), "{odd}");
        }
    }

    #[test]
    fn each_host_signs_with_its_own_key() {
        let of = |url: &str| SignatureKey::published_for(&url.parse().expect("a URL"));
        let ids = |url| of(url).into_iter().map(|key| key.id).collect::<Vec<_>>();
        assert_eq!(ids("https://api.truework.com"), ["tw-2021-11-11"]);
        assert_eq!(ids("https://api.truework-sandbox.com"), ["tw-sandbox-2021-11-11"]);
        for other in ["http://127.0.0.1:4000", "https://truework.com", "https://api.truework.com.example.com"] {
            assert_eq!(ids(other), [] as [&str; 0], "{other}");
        }
        assert!(!of("https://api.truework.com")[0].is_of_the_sandbox());
        assert!(of("https://api.truework-sandbox.com")[0].is_of_the_sandbox());
    }

    #[test]
    fn keys_are_an_id_and_32_bytes() {
        for odd in ["", "k1", "k1:", "k1:AAAA", ":Ad14e4K+/6At51wUH2B3M4ONNlRmLiSpI4NUAl+IcyA=", "k1:not base64"] {
            assert_eq!(odd.parse::<SignatureKey>(), Err(NotAKey), "{odd}");
        }
    }
}
