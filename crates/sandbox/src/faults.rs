//! Faults that can be armed, and how each is applied around the vendor's real work.

use std::convert::Infallible;
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use http_body_util::BodyExt as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What goes wrong. "Work" is the vendor's own handling of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The connection is closed, no work is done.
    DropBefore,
    /// The work is done, and the connection is closed without an answer.
    DropAfter,
    /// `status` is answered, no work is done.
    StatusBefore,
    /// The work is done, and `status` is answered.
    StatusAfter,
    /// The work is done; half of its answer is sent under the full content length, then the connection is cut.
    Truncate,
    /// The work is done; half of its answer is sent as if that were all of it.
    Halve,
    /// The work is done; its status is answered with `body` instead of its JSON.
    Garbage,
    /// The work is done; its status is answered with a body that never ends.
    Flood,
    /// The work is done; an answer never comes.
    Stall,
    /// The work is done; its answer comes `delay_ms` later.
    Delay,
    /// 429 and `Retry-After: retry_after` are answered, no work is done.
    RateLimit,
}

/// An armed fault. Faults are used up in order of arming; the first one that matches a call handles it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The operation it is for, as the vendor's simulator names it, or `any`.
    #[serde(default = "any")]
    pub on: String,
    pub fault: FaultKind,
    #[serde(default = "server_error")]
    pub status: u16,
    #[serde(default)]
    pub delay_ms: u64,
    /// In seconds.
    #[serde(default = "two")]
    pub retry_after: u64,
    /// How many calls it spoils.
    #[serde(default = "one")]
    pub times: u32,
    /// How many matching calls pass unharmed before.
    #[serde(default)]
    pub skip: u32,
    /// For `garbage`: the body to answer with (such as very deep JSON). Where absent, an HTML page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

fn any() -> String {
    Fault::ANY.to_owned()
}

const fn server_error() -> u16 {
    500
}

const fn two() -> u64 {
    2
}

const fn one() -> u32 {
    1
}

impl Fault {
    pub const ANY: &'static str = "any";

    /// This fault, once, at the next call of the operation.
    pub fn new(on: impl Into<String>, fault: FaultKind) -> Self {
        let (status, retry_after, times) = (server_error(), two(), one());
        Self { on: on.into(), fault, status, delay_ms: 0, retry_after, times, skip: 0, body: None }
    }

    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    #[must_use]
    pub fn skip(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self
    }

    fn matches(&self, operation: &str) -> bool {
        self.on == Self::ANY || is_a(operation, &self.on)
    }
}

/// Whether a call of the first operation is one of the second: a `batch` is a `create` of many.
pub(crate) fn is_a(operation: &str, other: &str) -> bool {
    operation == other || operation == "batch" && other == "create"
}

/// The faults that wait for their calls.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    pub(crate) fn arm(&self, fault: Fault) {
        if fault.times > 0 {
            self.lock().push(fault);
        }
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    pub(crate) fn armed(&self) -> Vec<Fault> {
        self.lock().clone()
    }

    /// The fault that this call meets, if any. Uses it up.
    pub(crate) fn take(&self, operation: &str) -> Option<Fault> {
        let mut faults = self.lock();
        let at = faults.iter().position(|fault| fault.matches(operation))?;
        let fault = &mut faults[at];
        if fault.skip > 0 {
            fault.skip -= 1;
            return None;
        }
        fault.times -= 1;
        let taken = fault.clone();
        if taken.times == 0 {
            faults.remove(at);
        }
        Some(taken)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The connection is to be closed without (more of) an answer.
#[derive(Debug, thiserror::Error)]
#[error("cut by a fault")]
pub(crate) struct Cut;

/// Does `work` and spoils it.
pub(crate) async fn apply(
    fault: &Fault,
    error_body: impl FnOnce(StatusCode) -> Value,
    work: impl Future<Output = Result<Response, Cut>>,
) -> Result<Response, Cut> {
    let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match fault.fault {
        FaultKind::DropBefore => Err(Cut),
        FaultKind::DropAfter => {
            work.await?;
            Err(Cut)
        }
        FaultKind::StatusBefore => Ok(json(status, &error_body(status))),
        FaultKind::StatusAfter => {
            work.await?;
            Ok(json(status, &error_body(status)))
        }
        FaultKind::Truncate => truncate(work.await?).await,
        FaultKind::Halve => halve(work.await?).await,
        FaultKind::Garbage => Ok(garbage(work.await?.status(), fault.body.as_deref())),
        FaultKind::Flood => Ok(flood(work.await?.status())),
        FaultKind::Stall => {
            work.await?;
            std::future::pending().await
        }
        FaultKind::Delay => {
            let answer = work.await?;
            tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
            Ok(answer)
        }
        FaultKind::RateLimit => {
            let mut answer = json(StatusCode::TOO_MANY_REQUESTS, &error_body(StatusCode::TOO_MANY_REQUESTS));
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(fault.retry_after));
            Ok(answer)
        }
    }
}

fn json(status: StatusCode, body: &Value) -> Response {
    let mut answer = Response::new(Body::from(body.to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

async fn truncate(answer: Response) -> Result<Response, Cut> {
    let (mut head, body) = answer.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    // Of one byte or none there is no half: then nothing at all is sent.
    if body.len() < 2 {
        return Err(Cut);
    }
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    let half = stream::iter([Ok(body.slice(..body.len() / 2))]);
    // The pause lets the server write the half out before the error makes it drop the connection with all it buffers.
    let cut = stream::once(async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(Cut)
    });
    Ok(Response::from_parts(head, Body::from_stream(half.chain(cut))))
}

async fn halve(answer: Response) -> Result<Response, Cut> {
    let (mut head, body) = answer.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    head.headers.remove(CONTENT_LENGTH);
    Ok(Response::from_parts(head, Body::from(body.slice(..body.len() / 2))))
}

fn garbage(status: StatusCode, body: Option<&str>) -> Response {
    let (media_type, body) = match body {
        Some(body) => ("application/json", body),
        None => ("text/html", "<html><body><h1>We are improving our service</h1></body></html>"),
    };
    let mut answer = Response::new(Body::from(body.to_owned()));
    *answer.status_mut() = success_with_body(status);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    answer
}

/// The work's own status, if it is a success that may have a body.
fn success_with_body(status: StatusCode) -> StatusCode {
    if status.is_success() && status != StatusCode::NO_CONTENT { status } else { StatusCode::OK }
}

fn flood(status: StatusCode) -> Response {
    const DROP: Bytes = Bytes::from_static(&[b' '; 64 * 1024]);
    // Blanks before the JSON that never comes: a reader that looks for a broken document early finds none.
    let endless = stream::repeat_with(|| Ok::<_, Infallible>(DROP));
    let mut answer = Response::new(Body::from_stream(endless));
    *answer.status_mut() = success_with_body(status);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_used_up_in_order_of_arming() {
        let faults = Faults::default();
        faults.arm(Fault::new("create", FaultKind::DropAfter).times(2).skip(1));
        faults.arm(Fault::new("any", FaultKind::Stall));
        let met = |operation| faults.take(operation).map(|fault| fault.fault);
        assert_eq!(met("create"), None, "skipped");
        assert_eq!(met("create"), Some(FaultKind::DropAfter));
        assert_eq!(met("get"), Some(FaultKind::Stall));
        assert_eq!(met("create"), Some(FaultKind::DropAfter));
        assert_eq!(met("create"), None);
    }

    #[test]
    fn are_armed_with_what_the_request_leaves_out() {
        let fault: Fault = serde_json::from_str(r#"{"on": "create", "fault": "status_before"}"#).expect("a fault");
        assert_eq!(fault, Fault::new("create", FaultKind::StatusBefore));
        assert!(serde_json::from_str::<Fault>(r#"{"fault": "drop_before", "tiems": 2}"#).is_err());
    }
}
