//! The vendor's log of its events (`GET /v1/hooks/events` at the account host), read after a silence.
//!
//! * An entry's `idempotency_key` is not the id of the event in the hook, so what an entry says may have been taken in
//!   already. Only states of checks are used, which may be told any number of times; notes would be doubled.
//! * `object` is a text that holds JSON.
//! * The order of the entries is not documented: the reading ends early only where they show themselves sorted.
//! * The log's links call it `/v1/events`.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::Timestamp;
use provider::http::read_json;
use provider::{CallContext, CallError, HookLog, HookNews, HookRefused, HookSays, LogEntry, LogReading, RowOrder};
use serde::Deserialize;
use serde_json::Value;

use crate::client::{ok, unreadable};
use crate::pages::Pages;
use crate::wire::{self, HookEvent};
use crate::{Truora, hooks};

const KEPT: Duration = Duration::from_hours(60 * 24);

/// The most pages of one reading. More are left for the next one, which begins where this one did.
const MOST_PAGES: u32 = 1_000;

#[derive(Deserialize)]
struct Page {
    /// `None`: the key is missing, and this is no log. An empty one may be `null`.
    #[serde(default, deserialize_with = "list")]
    events: Option<Vec<Value>>,
    next: Option<String>,
}

fn list<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Value>>, D::Error> {
    Ok(Some(Option::<Vec<Value>>::deserialize(deserializer)?.unwrap_or_default()))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Logged {
    idempotency_key: Option<String>,
    #[serde(flatten)]
    event: HookEvent,
}

impl Logged {
    fn key(&self) -> Option<String> {
        let own = self.idempotency_key.as_deref().map(str::trim).filter(|key| !key.is_empty());
        own.map(|key| format!("log:{key}"))
    }

    fn at(&self) -> Option<Timestamp> {
        self.event.timestamp.as_deref().and_then(wire::timestamp)
    }

    fn is_of_check(&self) -> bool {
        let (kind, action) = hooks::words(&self.event);
        hooks::is_of_check(&kind, &action)
    }
}

#[async_trait]
impl HookLog for Truora {
    fn kept(&self) -> Duration {
        KEPT
    }

    async fn read(&self, ctx: &CallContext, since: Timestamp) -> LogReading {
        let mut reading = LogReading::default();
        // What was read until a failure stays.
        reading.complete = walk(self, ctx, since, &mut reading).await.unwrap_or(false);
        reading
    }

    fn news(&self, entry: &Bytes) -> Result<Vec<HookNews>, HookRefused> {
        let mut logged: Logged = read_json(entry).ok_or(HookRefused::Unreadable)?;
        logged.event.id = logged.key();
        let news = hooks::dated(&self.policy, &logged.event)?;
        Ok(if matches!(news.says, HookSays::Note { .. }) { Vec::new() } else { vec![news] })
    }
}

/// Gives whether everything since that time was read.
async fn walk(
    truora: &Truora,
    ctx: &CallContext,
    since: Timestamp,
    reading: &mut LogReading,
) -> Result<bool, CallError> {
    let first = truora.account.url(&["v1", "hooks", "events"], &[])?;
    let mut pages = Pages::from(first.clone()).called("/v1/events");
    let mut next = Some(first);
    let mut order = RowOrder::default();
    while let Some(url) = next {
        if reading.pages == MOST_PAGES {
            return Ok(false);
        }
        let page: Page = ok(truora.account.get(ctx, url).await?)?.json()?;
        reading.pages += 1;
        let mut is_older = true;
        for event in page.events.ok_or(unreadable())? {
            let body = Bytes::from(event.to_string());
            let logged: Logged = serde_json::from_value(event).unwrap_or_default();
            let at = logged.at();
            order.note(at);
            if at.is_some_and(|at| at < since) {
                continue;
            }
            is_older = false;
            if let Some(key) = logged.key().filter(|_| logged.is_of_check()) {
                reading.entries.push(LogEntry { key, body });
            }
        }
        if is_older && order.is_newest_first() {
            return Ok(true);
        }
        next = pages.follow(page.next.as_deref()).map_err(|_| unreadable())?;
    }
    Ok(true)
}
