//! The one HTTP client through which every vendor is called: bounded in time and size, under the account's budget,
//! without redirects, and exact about whether a request was written.

use std::error::Error as _;
use std::pin::Pin;
use std::time::{Duration, Instant};

use ::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use ::http::{Method, StatusCode};
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt as _, stream};
use url::Url;

use crate::call::{CallContext, CallError, LostReason, NotSentReason};

/// A document on its way through the gateway. Ends with an error when the vendor breaks off or sends too much.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, CallError>> + Send>>;

/// The largest answer read unless a request says otherwise.
pub const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// The largest document streamed through.
pub const MAX_DOCUMENT: usize = 64 * 1024 * 1024;

/// How long a document may take in all, however slowly it comes. Between two pieces of it a vendor may be silent for as
/// long as the account's time-out.
const LONGEST_STREAM: Duration = Duration::from_mins(5);

/// How long a call may wait for its turn in the rate budget.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest rest a vendor can make us take with one answer.
const LONGEST_REST: Duration = Duration::from_mins(15);

#[derive(Clone)]
pub struct VendorRequest {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The most bytes of the answer's body that are read.
    pub max_answer: usize,
}

impl VendorRequest {
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: Bytes::new(), max_answer: MAX_ANSWER }
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    #[must_use]
    pub fn body(mut self, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.headers.insert(::http::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        self.body = body.into();
        self
    }
}

impl std::fmt::Debug for VendorRequest {
    /// Without headers, query and body: they hold keys, search terms and personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VendorRequest({} {}, {} bytes)", self.method, self.url.path(), self.body.len())
    }
}

/// A whole answer, whatever its status.
#[derive(Clone)]
pub struct VendorAnswer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub took: Duration,
}

impl VendorAnswer {
    /// Reads the body as [`read_json`] does; an unreadable one is as good as no answer.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, CallError> {
        read_json(&self.body).ok_or(CallError::Lost { why: LostReason::Unreadable })
    }

    /// How long the vendor asks us to wait, where it says so in seconds.
    pub fn retry_after(&self) -> Option<Duration> {
        let seconds = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds).min(LONGEST_REST))
    }
}

impl std::fmt::Debug for VendorAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VendorAnswer({}, {} bytes)", self.status, self.body.len())
    }
}

/// Reads a vendor's JSON, of an answer or a hook. One with a NUL character in it is unreadable too: no vendor means it,
/// and Postgres cannot keep it in a text.
pub fn read_json<T: serde::de::DeserializeOwned>(json: &[u8]) -> Option<T> {
    if holds_nul(json) { None } else { serde_json::from_slice(json).ok() }
}

/// Whether a text of this JSON holds an escaped NUL. (A bare one is no JSON.) A backslash takes the byte after it along,
/// so that `\\u0000`, a backslash before five plain characters, is none.
fn holds_nul(json: &[u8]) -> bool {
    let mut rest = json;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        if rest[at + 1..].starts_with(b"u0000") {
            return true;
        }
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    false
}

/// See the module's documentation. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct VendorHttp {
    client: reqwest::Client,
}

impl VendorHttp {
    /// # Panics
    ///
    /// If the system has no root certificates at all.
    #[expect(clippy::disallowed_methods, reason = "this is the budgeted client that all others are banned for")]
    pub fn new() -> Self {
        // A process-wide choice; whoever came first made the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .user_agent(concat!("vetgate/", env!("CARGO_PKG_VERSION")))
            // A redirect could turn a POST into a GET, or carry a key to a foreign host.
            .redirect(reqwest::redirect::Policy::none())
            // The client would repeat requests on its own on some errors; a create is never repeated unseen.
            .retry(reqwest::retry::never())
            .connect_timeout(Duration::from_secs(10))
            .pool_idle_timeout(Duration::from_secs(30))
            .tcp_nodelay(true)
            .build();
        Self { client: client.expect("a TLS client") }
    }

    /// Makes one request and reads the whole answer, whatever its status.
    pub async fn send(&self, ctx: &CallContext, request: VendorRequest) -> Result<VendorAnswer, CallError> {
        let started = Instant::now();
        let max = request.max_answer;
        let response = self.begin(ctx, request).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let left = ctx.timeout.saturating_sub(started.elapsed());
        let body = tokio::time::timeout(left, read_bounded(response, max))
            .await
            .map_err(|_| CallError::Lost { why: LostReason::TimedOut })??;
        let answer = VendorAnswer { status, headers, body, took: started.elapsed() };
        if status == StatusCode::TOO_MANY_REQUESTS {
            ctx.budget.pause(answer.retry_after().unwrap_or(Duration::from_secs(1))).await;
        }
        Ok(answer)
    }

    /// Makes one request and hands its body on as it comes: up to [`MAX_DOCUMENT`] bytes, for at most five minutes, with
    /// silences of at most the context's time-out. Statuses other than 200 are errors.
    pub async fn stream(&self, ctx: &CallContext, request: VendorRequest) -> Result<ByteStream, CallError> {
        let response = self.begin(ctx, request).await?;
        if response.status() != StatusCode::OK {
            return Err(CallError::Lost { why: LostReason::Status(response.status().as_u16()) });
        }
        let pieces = response.bytes_stream().map(|piece| piece.map_err(|error| CallError::Lost { why: lost(&error) }));
        Ok(bounded(pieces, ctx.timeout, LONGEST_STREAM, MAX_DOCUMENT))
    }

    async fn begin(&self, ctx: &CallContext, request: VendorRequest) -> Result<reqwest::Response, CallError> {
        ctx.budget.take(ctx.share, PATIENCE).await.map_err(|wait| not_sent(NotSentReason::OverBudget, Some(wait)))?;
        // After the wait for the budget, and by the monotonic clock: as late as it can be asked.
        if ctx.lease_until.is_some_and(|until| Instant::now() + ctx.timeout > until) {
            return Err(not_sent(NotSentReason::LeaseTooShort, None));
        }
        let mut headers = request.headers;
        if let Some(trace) = ctx.traceparent.as_deref().and_then(|trace| HeaderValue::from_str(trace).ok()) {
            headers.insert("traceparent", trace);
        }
        ctx.count_call();
        let sending = self.client.request(request.method, request.url).headers(headers).body(request.body).send();
        match tokio::time::timeout(ctx.timeout, sending).await {
            Err(_) => Err(CallError::Lost { why: LostReason::TimedOut }),
            Ok(Err(error)) if error.is_connect() => Err(not_sent(NotSentReason::NotConnected, None)),
            Ok(Err(error)) if error.is_builder() => Err(not_sent(NotSentReason::BadRequest, None)),
            Ok(Err(error)) => Err(CallError::Lost { why: lost(&error) }),
            Ok(Ok(response)) => Ok(response),
        }
    }
}

impl Default for VendorHttp {
    fn default() -> Self {
        Self::new()
    }
}

/// A stream that ends, one way or the other: after so much silence, so long in all, or so many bytes.
fn bounded(
    pieces: impl Stream<Item = Result<Bytes, CallError>> + Send + 'static,
    silence: Duration,
    whole: Duration,
    most: usize,
) -> ByteStream {
    let until = Instant::now() + whole;
    let timed_out = CallError::Lost { why: LostReason::TimedOut };
    Box::pin(stream::try_unfold((Box::pin(pieces), most), move |(mut pieces, left)| {
        let timed_out = timed_out.clone();
        async move {
            let patience = until.saturating_duration_since(Instant::now()).min(silence);
            if patience.is_zero() {
                return Err(timed_out);
            }
            let Some(piece) = tokio::time::timeout(patience, pieces.next()).await.map_err(|_| timed_out)? else {
                return Ok(None);
            };
            let piece = piece?;
            let left = left.checked_sub(piece.len()).ok_or(CallError::Lost { why: LostReason::TooLarge })?;
            Ok(Some((piece, (pieces, left))))
        }
    }))
}

const fn not_sent(why: NotSentReason, retry_after: Option<Duration>) -> CallError {
    CallError::NotSent { why, retry_after }
}

async fn read_bounded(response: reqwest::Response, max: usize) -> Result<Bytes, CallError> {
    let mut body = BytesMut::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| CallError::Lost { why: lost(&error) })?;
        if body.len() + chunk.len() > max {
            return Err(CallError::Lost { why: LostReason::TooLarge });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Names the way in which an answer was lost. The library's own error text is dropped: it holds the URL.
fn lost(error: &reqwest::Error) -> LostReason {
    if error.is_timeout() {
        return LostReason::TimedOut;
    }
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<std::io::Error>()
            && io.kind() == std::io::ErrorKind::UnexpectedEof
        {
            return LostReason::Truncated;
        }
        cause = inner.source();
    }
    if error.is_body() || error.is_decode() { LostReason::Truncated } else { LostReason::Broken }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_in_a_text_is_unreadable_and_a_backslash_before_its_digits_is_not() {
        let read = |json: &str| read_json::<Vec<String>>(json.as_bytes());
        assert_eq!(read(r#"["a\\u0000b"]"#), Some(vec![r"a\u0000b".to_owned()]));
        assert_eq!(read(r#"["\\\\u0000", "\u00000\""]"#), None, "the second text begins with a NUL");
        for nul in [r#"["\u0000"]"#, r#"["a\\\u0000"]"#, r#"["\"\u0000"]"#, "[\"\u{0}\"]"] {
            assert_eq!(read(nul), None, "{nul}");
        }
        for odd in ["", "\\", r#"["\"#, r#"["\u000"#, r#"["\u00"]"#] {
            assert_eq!(read(odd), None, "{odd}");
        }
        assert_eq!(read(r#"["u0000", "\\", "\u0001"]"#).map(|texts| texts.len()), Some(3));
        assert!(read_json::<serde_json::Value>(br#"{"\u0000": 1}"#).is_none(), "in a name too");
    }

    #[tokio::test]
    async fn a_document_ends_one_way_or_the_other() {
        use futures::TryStreamExt as _;
        const HOUR: Duration = Duration::from_hours(1);
        let piece = || Ok(Bytes::from_static(b"1234"));
        let lost = |why| Err(CallError::Lost { why });
        let read = async |stream: ByteStream| stream.try_collect::<Vec<_>>().await.map(|pieces| pieces.concat());

        let whole = bounded(stream::iter([piece(), piece()]), HOUR, HOUR, 8);
        assert_eq!(read(whole).await, Ok(b"12341234".to_vec()));
        assert_eq!(read(bounded(stream::iter([piece(), piece()]), HOUR, HOUR, 7)).await, lost(LostReason::TooLarge));
        let silent = stream::iter([piece()]).chain(stream::pending());
        assert_eq!(read(bounded(silent, Duration::from_millis(1), HOUR, 8)).await, lost(LostReason::TimedOut));
        let dripping = stream::repeat_with(piece);
        assert_eq!(read(bounded(dripping, HOUR, Duration::ZERO, usize::MAX)).await, lost(LostReason::TimedOut));
        let broken = stream::iter([piece(), Err(CallError::Lost { why: LostReason::Truncated })]);
        assert_eq!(read(bounded(broken, HOUR, HOUR, 8)).await, lost(LostReason::Truncated));
    }

    #[test]
    fn what_is_sent_is_not_printed() {
        let url = "https://user:pass@api.example.com/orders?search_key=jane".parse().expect("a URL");
        let request = VendorRequest::new(Method::POST, url)
            .header(HeaderName::from_static("x-key"), HeaderValue::from_static("secret"))
            .body("application/json", r#"{"ssn":"123-45-6789"}"#);
        assert_eq!(format!("{request:?}"), "VendorRequest(POST /orders, 21 bytes)");
    }
}
