//! Reading a request's body: bounded in size and time, of the right media type, and strict JSON.

use std::time::Duration;

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tabular::json;

use crate::app::App;
use crate::faults::Faults;
use crate::problem::{Kind, Problem};
use crate::{section, texts};

/// The most of bodies that carry a few words.
pub const SMALL: usize = 256 * 1024;

/// The most of an order's body, which may hold a document of 10 MB in base64.
pub const ORDER: usize = 16 * 1024 * 1024;

/// The most of a vendor's hook.
pub const HOOK: usize = 2 * 1024 * 1024;

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a vendor's hook may take to arrive. Hooks are small, and whoever sends one has shown no token yet.
pub const HOOK_PATIENCE: Duration = Duration::from_secs(5);

/// A JSON body of at most `MOST` bytes, which the operation reads into its own types.
pub struct JsonBody<const MOST: usize = SMALL> {
    pub value: Value,
    /// The body as it came, by which repeated requests are compared.
    pub bytes: Bytes,
}

impl<const MOST: usize> FromRequest<App> for JsonBody<MOST> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Self, Problem> {
        must_be_json(request.headers())?;
        let bytes = read::<MOST>(request, PATIENCE).await?;
        if bytes.is_empty() {
            return Err(Problem::new(Kind::Malformed, "The body is empty; this operation needs a JSON object."));
        }
        Ok(Self { value: json::read(&bytes).map_err(malformed)?, bytes })
    }
}

/// A JSON body that may as well be missing, which stands for an empty object.
pub struct OptionalJsonBody<const MOST: usize = SMALL> {
    pub value: Value,
    pub bytes: Bytes,
}

impl<const MOST: usize> FromRequest<App> for OptionalJsonBody<MOST> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        let bytes = read::<MOST>(request, PATIENCE).await?;
        if bytes.is_empty() {
            return Ok(Self { value: Value::Object(Map::new()), bytes });
        }
        must_be_json(&headers)?;
        Ok(Self { value: json::read(&bytes).map_err(malformed)?, bytes })
    }
}

/// Reads a small body into the operation's type, or tells every fault in it.
pub fn typed<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    let mut faults = Faults::default();
    texts::check(&value, &mut faults);
    let parsed = section::parse(value, "", &mut faults);
    faults.settle()?;
    parsed.ok_or_else(|| Problem::new(Kind::Malformed, "The body cannot be read."))
}

fn malformed(fault: json::JsonFault) -> Problem {
    Problem::new(Kind::Malformed, fault.0)
}

fn must_be_json(headers: &HeaderMap) -> Result<(), Problem> {
    let media_type = media_type(headers, "application/json")?;
    if media_type == "application/json" { Ok(()) } else { Err(not_taken("application/json")) }
}

/// The media type of the body in lower case, without parameters. `known` says what would be taken.
pub fn media_type(headers: &HeaderMap, known: &str) -> Result<String, Problem> {
    if headers.get(CONTENT_ENCODING).is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        let detail = "Bodies with a content encoding are not taken; send it plain.";
        return Err(Problem::new(Kind::UnsupportedMediaType, detail));
    }
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.ok_or_else(|| not_taken(known))?.to_ascii_lowercase();
    let mut parts = media_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_owned();
    // JSON is UTF-8 (RFC 8259), and so is all else here; a client that says otherwise would have its text misread.
    match parts.find_map(|part| part.strip_prefix("charset=")) {
        Some(charset) if charset.trim_matches('"') != "utf-8" => {
            Err(Problem::new(Kind::UnsupportedMediaType, "The body must be UTF-8."))
        }
        _ => Ok(essence),
    }
}

/// The refusal of every other media type.
pub fn not_taken(known: &str) -> Problem {
    Problem::new(Kind::UnsupportedMediaType, format!("The request needs `Content-Type: {known}`."))
}

/// The whole body, at most `MOST` bytes, if it is there within the patience.
pub async fn read<const MOST: usize>(request: Request, patience: Duration) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(
            Kind::TooLarge,
            format!("The body is larger than the {} KiB that this operation takes.", MOST / 1024),
        )
    };
    let announced =
        request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > MOST) {
        return Err(too_large());
    }
    let body = Limited::new(request.into_body(), MOST).collect();
    match tokio::time::timeout(patience, body).await {
        Err(_) => {
            let seconds = patience.as_secs();
            Err(Problem::new(Kind::TooSlow, format!("The body did not arrive within {seconds} seconds.")))
        }
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => Err(too_large()),
        Ok(Err(_)) => Err(Problem::new(Kind::Malformed, "The body broke off.")),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[tokio::test]
    async fn a_body_that_does_not_arrive_is_given_up() {
        let stalled = futures::stream::once(std::future::pending::<Result<Bytes, std::convert::Infallible>>());
        let request = Request::new(Body::from_stream(stalled));
        let problem = read::<SMALL>(request, Duration::ZERO).await.expect_err("too slow");
        assert_eq!(problem.kind(), Kind::TooSlow);
        assert!(HOOK_PATIENCE < PATIENCE);
    }
}
