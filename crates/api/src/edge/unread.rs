//! What a request's body still holds when the operation wants no more of it.
//!
//! A connection that is closed while its client still sends is reset, and the client may never see the answer that says why.
//! So a bounded rest of the body is read and thrown away, beside the answer and after it.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use http::header::EXPECT;
use http_body_util::BodyExt as _;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::runtime::Handle;

/// The most bytes that are thrown away.
const MOST: usize = 1 << 20;

/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The request, the rest of whose body is read off once nobody wants it.
pub fn read_off(request: Request) -> Request {
    // A client that waits to be told to go on is spared the sending by an early refusal.
    let is_held_back = request.headers().contains_key(EXPECT);
    request.map(|body| Body::new(ReadOff { body, is_over: false, is_held_back }))
}

struct ReadOff {
    body: Body,
    is_over: bool,
    is_held_back: bool,
}

impl HttpBody for ReadOff {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.is_held_back = false;
        let polled = Pin::new(&mut self.body).poll_frame(context);
        self.is_over = matches!(polled, Poll::Ready(None | Some(Err(_))));
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for ReadOff {
    fn drop(&mut self) {
        if self.is_over || self.is_held_back || self.body.is_end_stream() {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            let rest = drain(std::mem::take(&mut self.body));
            // In the task of the answer it would keep the answer waiting.
            runtime.spawn(tokio::time::timeout(PATIENCE, rest));
        }
    }
}

async fn drain(mut body: Body) {
    let mut left = MOST;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        let Some(less) = left.checked_sub(length) else { break };
        left = less;
    }
}
