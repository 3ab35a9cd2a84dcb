//! What a vendor call is given, and the ways in which it can fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;

use crate::language::Language;

/// Which share of an account's rate budget a call takes from, so that polling never starves sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Share {
    Create,
    LookUp,
    Poll,
}

impl Share {
    pub const ALL: [Self; 3] = [Self::Create, Self::LookUp, Self::Poll];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::LookUp => "look_up",
            Self::Poll => "poll",
        }
    }
}

/// The rate budget of one vendor account, shared by every process of the gateway.
#[async_trait]
pub trait Budget: Send + Sync {
    /// Waits for a turn, at most `patience`. `Err`: how long until there is one.
    async fn take(&self, share: Share, patience: Duration) -> Result<(), Duration>;

    /// The vendor asked for a rest.
    async fn pause(&self, rest: Duration);
}

/// A budget without limits, for tests and probes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unlimited;

#[async_trait]
impl Budget for Unlimited {
    async fn take(&self, _: Share, _: Duration) -> Result<(), Duration> {
        Ok(())
    }

    async fn pause(&self, _: Duration) {}
}

/// What every vendor call is made under.
#[derive(Clone)]
pub struct CallContext {
    /// The deadline of one HTTP request, from its first byte to the last of the answer.
    pub timeout: Duration,
    /// Set for create calls: the request is not begun unless the whole time-out is left before this instant. A worker
    /// that slept cannot send what another has taken over.
    pub lease_until: Option<Instant>,
    pub share: Share,
    pub budget: Arc<dyn Budget>,
    /// W3C trace context to carry on.
    pub traceparent: Option<String>,
    /// The language that texts and documents are asked for in, at vendors that can choose.
    pub language: Option<Language>,
    calls: Arc<AtomicU32>,
}

impl CallContext {
    pub fn new(share: Share, timeout: Duration, budget: Arc<dyn Budget>) -> Self {
        Self { timeout, lease_until: None, share, budget, traceparent: None, language: None, calls: Arc::default() }
    }

    #[must_use]
    pub fn with_lease(mut self, until: Instant) -> Self {
        self.lease_until = Some(until);
        self
    }

    #[must_use]
    pub fn with_traceparent(mut self, traceparent: Option<String>) -> Self {
        self.traceparent = traceparent;
        self
    }

    #[must_use]
    pub fn with_language(mut self, language: Option<Language>) -> Self {
        self.language = language;
        self
    }

    /// How many HTTP requests were begun under this context.
    pub fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }

    pub(crate) fn count_call(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }
}

/// A call without a readable answer. The difference decides whether a create may be sent again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Not a byte of the request left for the vendor.
    #[error("not sent: {why}")]
    NotSent { why: NotSentReason, retry_after: Option<Duration> },
    /// The request was written, at least in part; whether the vendor did the work is unknown.
    #[error("no answer: {why}")]
    Lost { why: LostReason },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSentReason {
    #[error("the connection could not be made")]
    NotConnected,
    #[error("the rate budget of the account is used up")]
    OverBudget,
    #[error("the lease on this work is nearly over")]
    LeaseTooShort,
    #[error("the request could not be built")]
    BadRequest,
    /// A link that the vendor gave is not followed.
    #[error("the vendor's link does not lead to a host of the settings")]
    LinkRefused,
}

impl NotSentReason {
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotConnected => "not_connected",
            Self::OverBudget => "over_budget",
            Self::LeaseTooShort => "lease_too_short",
            Self::BadRequest => "bad_request",
            Self::LinkRefused => "link_refused",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LostReason {
    #[error("the time-out was over")]
    TimedOut,
    #[error("the connection broke")]
    Broken,
    #[error("the answer ended too early")]
    Truncated,
    #[error("the answer was too large")]
    TooLarge,
    #[error("the answer could not be read")]
    Unreadable,
    /// An answer came, with this status, and it is not one that this call knows how to read.
    #[error("the vendor answered {0}")]
    Status(u16),
}

impl LostReason {
    pub const fn code(self) -> &'static str {
        match self {
            Self::TimedOut => "timed_out",
            Self::Broken => "connection_broken",
            Self::Truncated => "answer_truncated",
            Self::TooLarge => "answer_too_large",
            Self::Unreadable => "answer_unreadable",
            Self::Status(_) => "unexpected_status",
        }
    }
}
