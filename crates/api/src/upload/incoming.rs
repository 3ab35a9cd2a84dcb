//! A body that is read while it comes in.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use axum::body::Body;
use bytes::{Buf as _, Bytes};
use http_body_util::BodyExt as _;
use tokio::runtime::Handle;

use super::Deadline;
use crate::idempotency::RequestHasher;
use crate::problem::{Kind, Problem};

/// How long may be waited for the next [`PACE`] bytes. Time that is spent otherwise, on writing rows, does not count here but
/// only for the [`Deadline`].
const PATIENCE: Duration = Duration::from_secs(30);

/// See [`PATIENCE`].
const PACE: u64 = 64 * 1024;

/// A body that is bounded in size and pace, and hashed as it is read. Its [`Read`] blocks, and is for threads that may.
pub struct Incoming {
    body: Body,
    runtime: Handle,
    chunk: Bytes,
    hasher: RequestHasher,
    most: u64,
    taken: u64,
    waiting: Waiting,
    deadline: Deadline,
    /// Why no more will come.
    broken: Option<Problem>,
}

/// How long was waited since the last stretch of bytes was complete.
struct Waiting {
    patience: Duration,
    waited: Duration,
    since: u64,
}

impl Incoming {
    /// A body of at most `most` bytes. To be called within a runtime, which the body is read on.
    pub fn new(body: Body, most: u64, hasher: RequestHasher, deadline: Deadline) -> Self {
        let waiting = Waiting { patience: PATIENCE, waited: Duration::ZERO, since: 0 };
        let (chunk, runtime) = (Bytes::new(), Handle::current());
        Self { body, runtime, chunk, hasher, most, taken: 0, waiting, deadline, broken: None }
    }

    /// Reads what is left and throws it away. A client that is answered in the midst of its sending may not get to see
    /// the answer.
    pub fn drain(&mut self) -> Result<(), Problem> {
        let runtime = self.runtime.clone();
        runtime.block_on(self.finish())
    }

    /// The same for callers that may not block.
    pub async fn finish(&mut self) -> Result<(), Problem> {
        while self.broken.is_none() {
            match self.next().await {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(()),
                Err(problem) => self.broken = Some(problem),
            }
        }
        self.broken().map_or(Ok(()), Err)
    }

    /// Why the body did not come to its end, if it did not.
    pub fn broken(&self) -> Option<Problem> {
        self.broken.clone()
    }

    pub fn into_hasher(self) -> RequestHasher {
        self.hasher
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        self.deadline.check()?;
        let left = self.waiting.patience.saturating_sub(self.waiting.waited);
        let started = Instant::now();
        let frame = tokio::time::timeout(left, self.body.frame()).await;
        let frame = frame.map_err(|_| {
            let seconds = self.waiting.patience.as_secs();
            Problem::new(Kind::TooSlow, format!("Less than {PACE} bytes of the body arrived within {seconds} seconds."))
        })?;
        self.waiting.waited += started.elapsed();
        let broke_off = |_| Problem::new(Kind::Malformed, "The body broke off.");
        let Some(frame) = frame.transpose().map_err(broke_off)? else { return Ok(None) };
        // Trailers are of no interest.
        let chunk = frame.into_data().unwrap_or_default();
        self.taken += chunk.len() as u64;
        if self.taken > self.most {
            return Err(too_large(self.most));
        }
        if self.taken - self.waiting.since >= PACE {
            (self.waiting.waited, self.waiting.since) = (Duration::ZERO, self.taken);
        }
        self.hasher.update(&chunk);
        Ok(Some(chunk))
    }
}

/// The refusal of a body of more bytes than this.
pub fn too_large(most: u64) -> Problem {
    Problem::new(
        Kind::TooLarge,
        format!("The body is larger than the {} MiB that this media type may have.", most >> 20),
    )
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            if self.broken.is_some() {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            let runtime = self.runtime.clone();
            match runtime.block_on(self.next()) {
                Ok(Some(chunk)) => self.chunk = chunk,
                Ok(None) => return Ok(0),
                Err(problem) => self.broken = Some(problem),
            }
        }
        let count = self.chunk.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.chunk[..count]);
        self.chunk.advance(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;

    use engine::SystemClock;
    use futures::StreamExt as _;

    use super::*;

    async fn read(mut incoming: Incoming) -> (Vec<u8>, Option<Kind>) {
        let reading = tokio::task::spawn_blocking(move || {
            let mut bytes = Vec::new();
            let _ = incoming.read_to_end(&mut bytes);
            (bytes, incoming.broken().map(|problem| problem.kind()))
        });
        reading.await.expect("read")
    }

    fn deadline() -> Deadline {
        Deadline::new(Arc::new(SystemClock))
    }

    fn body(chunks: &[&'static [u8]]) -> Body {
        let chunks: Vec<_> = chunks.iter().map(|chunk| Ok::<_, Infallible>(Bytes::from_static(chunk))).collect();
        Body::from_stream(futures::stream::iter(chunks))
    }

    #[tokio::test]
    async fn what_comes_in_pieces_is_one_body() {
        let incoming = Incoming::new(body(&[b"a", b"", b"bc"]), 3, RequestHasher::none(), deadline());
        assert_eq!(read(incoming).await, (b"abc".to_vec(), None));
        let incoming = Incoming::new(body(&[b"a", b"", b"bcd"]), 3, RequestHasher::none(), deadline());
        assert_eq!(read(incoming).await, (b"a".to_vec(), Some(Kind::TooLarge)));
    }

    #[tokio::test]
    async fn a_body_that_stalls_is_given_up_with_what_was_read() {
        let stalled = futures::stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"a"))])
            .chain(futures::stream::once(std::future::pending()));
        let mut incoming = Incoming::new(Body::from_stream(stalled), 10, RequestHasher::none(), deadline());
        incoming.waiting.patience = Duration::from_millis(1);
        let (bytes, broken) = read(incoming).await;
        assert_eq!((bytes.as_slice(), broken), (b"a".as_slice(), Some(Kind::TooSlow)));
    }
}
