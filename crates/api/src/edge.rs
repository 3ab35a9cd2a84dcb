//! What surrounds every request: its id, its trace, a place among those in flight, a deadline, its log line and metrics,
//! and the rendering of problems.
//!
//! Logs and metrics name routes, never addresses: what is in an address comes from outside.

mod unread;

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tokio::sync::Semaphore;
use tracing::Instrument as _;

use crate::app::App;
use crate::problem::{Kind, Problem};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The longest request id that is taken over from a caller.
const LONGEST_ID: usize = 128;

/// Routes that must answer however busy the gateway is.
const ALWAYS_OPEN: &[&str] = &["/healthz", "/readyz"];

/// Where batches are uploaded, which takes as long as they are large; a slow body is given up where it is read.
const UPLOADS: &str = "/v1/batches";

/// Routes for vendors, which have places of their own.
const HOOKS: &str = "/vendor-hooks/";

pub async fn surround(State(app): State<App>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = method_of(&request);
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let path = request.uri().path().to_owned();
    // Only our own id is logged: a caller may put anything into its own.
    let id = new_id(&app);
    let echoed = request_id(request.headers());
    let span = tracing::info_span!("request", request_id = %id, method, route, trace_id = trace_id(request.headers()));

    let request = unread::read_off(request);
    let response = answer(&app, &route, request, next).instrument(span.clone()).await;
    let mut response = match response.extensions().get::<Problem>() {
        Some(problem) => {
            // What others put into the headers (Allow, RateLimit) stays.
            let mut rendered = problem.render(&path, &id);
            for (name, value) in response.headers() {
                rendered.headers_mut().entry(name).or_insert_with(|| value.clone());
            }
            rendered.headers_mut().remove(http::header::CONTENT_LENGTH);
            rendered
        }
        None => response,
    };
    let headers = response.headers_mut();
    if let Some(id) = echoed.or_else(|| HeaderValue::from_str(&id).ok()) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Answers hold personal data, or are about now.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));

    let status = response.status().as_u16();
    let took = started.elapsed();
    span.in_scope(|| tracing::info!(status, took_ms = took.as_secs_f64() * 1_000.0, "answered a request"));
    let labels = [("method", method.to_owned()), ("route", route), ("status", status.to_string())];
    ::metrics::counter!("vetgate_http_requests_total", &labels).increment(1);
    ::metrics::histogram!("vetgate_http_request_duration_seconds", &labels[..2]).record(took.as_secs_f64());
    response
}

async fn answer(app: &App, route: &str, request: Request, next: Next) -> Response {
    let busy = |detail: &str| {
        Problem::new(Kind::Unavailable, detail).retry_after(std::time::Duration::from_secs(1)).into_response()
    };
    let places = match route {
        _ if ALWAYS_OPEN.contains(&route) => None,
        _ if route.starts_with(HOOKS) => Some(app.hooks_in_flight()),
        _ => Some(app.in_flight()),
    };
    let Ok(_place) = places.map(Semaphore::try_acquire).transpose() else {
        return busy("The gateway is working on as many requests as it can.");
    };
    if request.method() == Method::POST && route == UPLOADS {
        return next.run(request).await;
    }
    match tokio::time::timeout(app.request_timeout(), next.run(request)).await {
        Ok(response) => response,
        Err(_) => busy("The answer took too long. With an Idempotency-Key it is safe to ask again."),
    }
}

/// One of the known methods: the label of a metric must not come from outside.
fn method_of(request: &Request) -> &'static str {
    match *request.method() {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// The caller's own id for the request, if it is one. A mere number could be anything, even a person's.
fn request_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let id = headers.get(REQUEST_ID)?;
    let is_plain = id.len() <= LONGEST_ID
        && id.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
        && id.as_bytes().iter().any(u8::is_ascii_alphabetic);
    is_plain.then(|| id.clone())
}

fn new_id(app: &App) -> String {
    let mut bytes = [0; 16];
    app.engine().entropy().fill(&mut bytes);
    format!("req_{}", hex::encode(bytes))
}

/// The trace that the caller is in (W3C Trace Context, version 00).
fn trace_id(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(TRACEPARENT)?.to_str().ok()?;
    let is_hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let mut parts = text.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_valid = version == "00"
        && is_hex(trace, 32)
        && is_hex(parent, 16)
        && is_hex(flags, 2)
        && parts.next().is_none()
        && trace.bytes().any(|byte| byte != b'0');
    is_valid.then(|| trace.to_owned())
}

/// Makes panics of the whole process log where they happened and nothing else: their texts could quote anything, and the
/// standard library prints them to stderr. For the binary to call once, as soon as its log is set up.
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        tracing::error!(location, "a panic");
    }));
}

/// What a panic becomes. Its text is not logged here either, see [`quiet_panics`].
pub fn of_panic(_: Box<dyn std::any::Any + Send + 'static>) -> Response {
    Problem::internal(&"an operation panicked").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name.clone(), HeaderValue::from_str(value).expect("a header"))])
    }

    #[test]
    fn only_plain_ids_are_taken_over() {
        for good in ["a-B_1.2", "x", &"x".repeat(128)] {
            assert_eq!(request_id(&headers(&REQUEST_ID, good)).expect("an id"), good);
        }
        for bad in ["", "a b", "john@example.com", "a\"b", "a:b", "ü", "123-45-6789", "42", "-", &"x".repeat(129)] {
            assert_eq!(request_id(&headers(&REQUEST_ID, bad)), None, "{bad}");
        }
    }

    #[test]
    fn traces_are_read_as_the_w3c_says() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(trace_id(&headers(&TRACEPARENT, good)).as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        for bad in [
            "",
            "00-4BF9-1-1",
            &good[..54],
            &format!("{good}-x"),
            &good.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
        ] {
            assert_eq!(trace_id(&headers(&TRACEPARENT, bad)), None, "{bad}");
        }
    }
}
