//! Catching up: hooks that were lost, because nobody was there to hear them or nothing came through, are read in the
//! vendor's own log.
//!
//! It is done when the workers start, and after every silence of an account's hooks that is long enough to be an outage.
//! What is found goes the way of all hooks, through the inbox. Up to when an account's hooks are known is durable, so that
//! a restart reads what it missed and no more. Nothing depends on it: every check is polled, and this only is quicker.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::settle::SKEW;
use domain::{AccountKey, InboxId, Timestamp};
use provider::{LogEntry, Share};
use store::StoreError;

use crate::gate::Passage;
use crate::{Account, Engine};

/// The longest a reading holds an account. A process that dies in one holds the next up no longer.
const LEASE: Duration = Duration::from_mins(30);

/// The furthest that a reading goes back. What was missed before was long since seen by polling.
const LONGEST: Duration = Duration::from_hours(7 * 24);

/// A vendor may try a hook for so long before it gives up, and notes the event's time, not the last try's.
const LATE: Duration = Duration::from_mins(10);

/// So many entries are written in one statement.
const CHUNK: usize = 200;

/// The accounts that this process has caught up with since it started.
#[derive(Default)]
pub(crate) struct Begun(Mutex<BTreeSet<AccountKey>>);

impl Begun {
    fn has(&self, key: &AccountKey) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(key)
    }

    fn note(&self, key: &AccountKey) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
    }
}

impl Engine {
    /// Reads the account's log of hooks since the last that is known, if that is due and the vendor may be called. Gives
    /// whether it did.
    pub async fn catch_up(&self, account: &Account) -> Result<bool, StoreError> {
        let Some(log) = account.provider.hook_log() else { return Ok(false) };
        let Some(every) = self.settings.catch_up_every else { return Ok(false) };
        if !matches!(self.passage(&account.key).await?, Passage::Open | Passage::Paused) {
            return Ok(false);
        }
        let (key, started_at) = (&account.key, self.now());
        let is_first = !self.caught_up.has(key);
        let due = self.store().lease_catch_up(key, started_at, started_at + LEASE, every, is_first).await?;
        let Some(through) = due else { return Ok(false) };
        let since = (through - LATE - SKEW).max(started_at - LONGEST.min(log.kept()));
        let reading = log.read(&self.call_context(account, Share::LookUp), since).await;
        if reading.complete {
            self.call_went_well(key).await;
        }
        let kept = self.keep_entries(account, &reading.entries, started_at).await;
        tracing::info!(
            account = %key, %since, complete = reading.complete, pages = reading.pages,
            read = reading.entries.len(), new = kept.as_ref().ok(), "the vendor's log of hooks was read"
        );
        let reached = if reading.complete && kept.is_ok() { started_at.max(through) } else { through };
        self.store().catch_up_done(key, reached, started_at + every).await?;
        let kept = kept?;
        self.caught_up.note(key);
        metrics::counter!("vetgate_hooks_caught_up_total", "account" => key.to_string()).increment(kept);
        if kept > 0 {
            self.wake();
        }
        Ok(true)
    }

    /// Gives how many are new.
    async fn keep_entries(&self, account: &Account, entries: &[LogEntry], now: Timestamp) -> Result<u64, StoreError> {
        let mut kept = 0;
        for chunk in entries.chunks(CHUNK) {
            let rows = chunk.iter().map(|entry| {
                let id = InboxId::generate(self.clock(), self.entropy());
                (id, entry.key.as_str(), entry.body.as_ref())
            });
            kept += self.store().keep_log(&account.key, &rows.collect::<Vec<_>>(), now).await?;
        }
        Ok(kept)
    }
}
