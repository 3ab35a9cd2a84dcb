//! The signatures of the simulator's answers, as the vendor's page describes them: Ed25519 over `date`, `content-length` and
//! the body. With a key of its own, since only the vendor has the vendor's.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE};
use http::{HeaderName, HeaderValue, StatusCode};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::{Sign, Simulator};

const HEADER: HeaderName = HeaderName::from_static("x-truework-signature");
const KEY_ID: &str = "tw-simulator";

/// Nothing that a simulator signs is worth a secret.
const SEED: [u8; 32] = *b"a simulator's key, known to all.";

fn pair() -> Option<Ed25519KeyPair> {
    Ed25519KeyPair::from_seed_unchecked(&SEED).ok()
}

/// The public key, as the gateway's settings take it: the key's id and its bytes in base64.
pub fn signature_key() -> String {
    let public = pair().map(|pair| STANDARD.encode(pair.public_key().as_ref())).unwrap_or_default();
    format!("{KEY_ID}:{public}")
}

/// Signs every JSON answer, as the switch says.
pub async fn sign(State(simulator): State<Arc<Simulator>>, request: Request, next: Next) -> Response {
    let answer = next.run(request).await;
    let is_json =
        answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let how = simulator.habits.get().sign;
    if how == Sign::No || !is_json {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let (Ok(body), Some(pair)) = (to_bytes(body, usize::MAX).await, pair()) else {
        return Response::builder().status(StatusCode::INTERNAL_SERVER_ERROR).body(Body::empty()).unwrap_or_default();
    };
    let date = http_date(simulator.tools.clock.now());
    let mut message = format!("date: {date}\ncontent-length: {}\n", body.len()).into_bytes();
    message.extend_from_slice(if how == Sign::Wrong { b"{}" } else { &body });
    let signature = STANDARD.encode(pair.sign(&message));
    let value = format!("keyId=\"{KEY_ID}\",headers=\"date content-length\",signature=\"{signature}\"");
    if let (Ok(value), Ok(date)) = (HeaderValue::from_str(&value), HeaderValue::from_str(&date)) {
        parts.headers.insert(HEADER, value);
        parts.headers.insert(DATE, date);
        parts.headers.insert(CONTENT_LENGTH, body.len().into());
    }
    Response::from_parts(parts, Body::from(body))
}

/// As HTTP writes it: `Thu, 11 Nov 2021 10:00:00 GMT`.
fn http_date(at: time::OffsetDateTime) -> String {
    let format = time::macros::format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    at.to_offset(time::UtcOffset::UTC).format(format).unwrap_or_default()
}
