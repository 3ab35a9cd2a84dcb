//! A vendor's log of the hooks it sent: what was lost on the way can be read there afterwards.
//!
//! The engine reads it after every silence that is long enough to be an outage, and takes what it finds through the inbox
//! as it takes hooks. An entry and its hook need not share an id, so what an entry says may be told a second time: an
//! adapter gives only news that is harmless when it is repeated.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::Timestamp;

use crate::call::CallContext;
use crate::hook::{HookNews, HookRefused};

/// The part of an adapter that reads such a log. See the module's documentation.
#[async_trait]
pub trait HookLog: Send + Sync {
    /// How long the vendor keeps an entry.
    fn kept(&self) -> Duration;

    /// Reads what happened since then. A failure makes the reading incomplete; what was read until then stays.
    async fn read(&self, ctx: &CallContext, since: Timestamp) -> LogReading;

    /// What is in an entry. Pure, and the same for the same entry. It came in the answer to a call of ours, so it is as
    /// good as a fetch.
    fn news(&self, entry: &Bytes) -> Result<Vec<HookNews>, HookRefused>;
}

/// What was read of a log.
#[derive(Debug, Clone, Default)]
pub struct LogReading {
    pub entries: Vec<LogEntry>,
    /// Everything since the asked time was read.
    pub complete: bool,
    pub pages: u32,
}

/// One entry that may be news.
#[derive(Clone)]
pub struct LogEntry {
    /// The same at every reading, and the dedupe key of its news.
    pub key: String,
    /// The entry as the vendor wrote it.
    pub body: Bytes,
}

impl std::fmt::Debug for LogEntry {
    /// Without its body, which holds personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LogEntry({}, {} bytes)", self.key, self.body.len())
    }
}
