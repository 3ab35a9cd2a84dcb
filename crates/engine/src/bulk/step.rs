//! One call of a file: looked up, made outside any transaction, and written down.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{Check, CheckId, Order, Reason, Stage, SubmissionId, Timestamp};
use provider::{Bulk, BulkProgress, BulkStage, BulkState, Evidence, RowOutcome, Share, SubmissionItem};
use store::{FileClaim, FileNews, Scope, StoreError, SubmissionPart};

use super::{AFTERMATH, BEGIN_WITHIN, deadline};
use crate::dispatch::{RECORDING_PATIENCE, must_be_new};
use crate::{Account, Engine, find};

/// How soon, and how late at most, a file is looked at again where nothing is new.
const WAITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(1));

/// The checks of a file as they stand now.
pub(super) struct Rows {
    /// In the file's order.
    pub parts: Vec<SubmissionPart>,
    /// Those of them that can be read, in the same order.
    items: Vec<SubmissionItem>,
    /// Somebody still wants something of it.
    is_wanted: bool,
    /// At least one of its checks goes its own way already.
    is_parted: bool,
}

impl Engine {
    pub(super) async fn step(
        &self,
        account: &Account,
        bulk: &dyn Bulk,
        file: FileClaim,
        (lease_ends, leased_until): (Instant, Timestamp),
    ) -> Result<(), StoreError> {
        let rows = self.rows_of(&file).await?;
        let has_begun = may_have_begun(&file);
        if !has_begun && rows.is_parted {
            // It was given up, and whoever did it died half-way: what was given back may be under way alone.
            let why = Reason::new("file_given_up", "The file that it was in was given up; it is sent singly.");
            return self.give_up(account, &file, &rows, why).await;
        }
        if !has_begun && !rows.is_wanted {
            let why = Reason::new("file_canceled", "All of its file was canceled before the vendor began.");
            return self.give_up(account, &file, &rows, why).await;
        }
        let share = if file.stage <= BulkStage::Start { Share::Create } else { Share::Poll };
        let ctx = self.call_context(account, share).with_lease(lease_ends);
        let state = self.state_of(account, &file);
        if file.stage == BulkStage::Run && !rows.is_wanted && stop_is_due(&file, self.now()) {
            let answer = bulk.stop(&ctx, &state).await;
            let mut news = as_before(&file, self.now());
            match answer {
                Ok(()) => {
                    tracing::info!(account = %account.key, submission = %file.submission, "the vendor was asked to stop a file");
                    self.call_went_well(&account.key).await;
                    news.stop.answered_at = Some(self.now());
                }
                Err(error) => {
                    tracing::info!(account = %account.key, submission = %file.submission, %error, "could not ask the vendor to stop a file");
                    self.call_failed(&account.key, &error).await;
                    news.stop.tries += 1;
                    news.stop.due_at = Some(self.now() + self.back_off(news.stop.tries));
                }
            }
            return self.record(account, &file, &news).await;
        }
        // The monotonic clock may stand still while a machine sleeps; the other one does not.
        if self.now() + account.timing.timeout > leased_until {
            tracing::warn!(account = %account.key, submission = %file.submission, "a worker slept over its lease of a file");
            return Ok(());
        }
        let progress = bulk.step(&ctx, &state, &rows.items).await;
        let ended_at = self.now();
        self.count_step(account, &file, &progress).await;
        let news = match progress {
            BulkProgress::Done { rows: outcomes, evidence } => {
                let outcomes = by_part(&rows, outcomes);
                return self.take_rows(account, &file, &rows.parts, &outcomes, &evidence, ended_at).await;
            }
            progress => self.news_of(bulk, &file, progress, ended_at),
        };
        let has_begun = news.stage > BulkStage::Start
            || (news.stage == BulkStage::Start && (news.doubtful_since.is_some() || has_begun));
        let is_forward = news.stage > file.stage;
        if !has_begun && !is_forward && ended_at >= file.created_at + BEGIN_WITHIN {
            let why = Reason::new(
                "file_not_begun",
                "The vendor could not be given the file that it was in; it is sent singly.",
            );
            return self.give_up(account, &file, &rows, why).await;
        }
        if is_past(&file, ended_at) {
            tracing::warn!(account = %account.key, submission = %file.submission, "a file never came to an end: it is not looked at any more");
            let mut tx = self.store().begin().await?;
            tx.vendor_files().end(file.submission, ended_at).await?;
            return tx.save().await;
        }
        self.record(account, &file, &news).await
    }

    /// Nothing was ordered by the file, and it is not gone on with.
    async fn give_up(&self, account: &Account, file: &FileClaim, rows: &Rows, why: Reason) -> Result<(), StoreError> {
        tracing::info!(account = %account.key, submission = %file.submission, why = why.code, "a file is given up before the vendor began");
        let outcomes = vec![RowOutcome::NotBegun(why); rows.parts.len()];
        self.take_rows(account, file, &rows.parts, &outcomes, &Evidence::default(), self.now()).await
    }

    async fn rows_of(&self, file: &FileClaim) -> Result<Rows, StoreError> {
        let mut tx = self.store().begin().await?;
        let stored = tx.submissions().get(file.submission).await?;
        let parts = stored.ok_or(StoreError::Corrupt("the submission of a file"))?.parts;
        let ids: Vec<_> = parts.iter().map(|part| part.order_id).collect();
        let orders = tx.orders().get_many(&Scope::All, &ids).await?;
        let is_canceled = tx.batches().canceled_among(&[file.batch]).await?.contains_key(&file.batch);
        tx.cancel().await?;
        let items = parts.iter().filter_map(|part| {
            let order = find(&orders, part.order_id)?;
            let check = order.check(part.check_id)?;
            Some(SubmissionItem {
                reference: part.reference,
                order: Arc::new(order.input.expose().clone()),
                check: Arc::new(check.input.expose().clone()),
                force_new: must_be_new(check),
            })
        });
        let items = items.collect();
        let wants = |part: &SubmissionPart| {
            find(&orders, part.order_id).is_none_or(|order| is_wanted(order, part.check_id, file.submission))
        };
        let is_wanted = !is_canceled && parts.iter().any(wants);
        let has_left = |part: &SubmissionPart| {
            let check = find(&orders, part.order_id).and_then(|order| order.check(part.check_id));
            let is_here = |check: &Check| matches!(check.state.stage, Stage::Submitting { submission } if submission == file.submission);
            check.is_some_and(|check| !is_here(check))
        };
        let is_parted = parts.iter().any(has_left);
        Ok(Rows { parts, items, is_wanted, is_parted })
    }

    fn state_of(&self, account: &Account, file: &FileClaim) -> BulkState {
        BulkState {
            stage: file.stage,
            memory: file.memory.clone(),
            in_doubt: file.doubtful_since.is_some(),
            entered_at: file.entered_at,
            doubtful_since: file.doubtful_since,
            now: self.now(),
            settle: account.settle.unwrap_or(account.timing.settle),
        }
    }

    fn news_of(&self, bulk: &dyn Bulk, file: &FileClaim, progress: BulkProgress, ended_at: Timestamp) -> FileNews {
        let mut news = as_before(file, ended_at);
        let again = file.tries.saturating_add(1);
        match progress {
            BulkProgress::Next { stage, memory } => {
                news.vendor_batch_id = bulk.vendor_batch_id(memory.expose());
                news.memory = Some(memory);
                news.entered_at = ended_at;
                news.doubtful_since = None;
                news.tries = 0;
                if stage <= file.stage {
                    // From the beginning, or not on: not at once, and ever more rarely.
                    news.tries = again;
                    news.due_at = ended_at + self.back_off(again);
                }
                news.stage = stage;
            }
            BulkProgress::Wait { after, memory } => {
                news.vendor_batch_id = bulk.vendor_batch_id(memory.expose());
                news.memory = Some(memory);
                let shortest = if ended_at < deadline(file.created_at) { WAITS.0 } else { WAITS.1 };
                news.due_at = ended_at + after.clamp(shortest, WAITS.1);
                if let Some(due_at) = news.stop.due_at.filter(|_| news.stop.answered_at.is_none()) {
                    news.due_at = news.due_at.min(due_at.max(ended_at + WAITS.0));
                }
            }
            BulkProgress::NotSent { retry_after, .. } => {
                news.tries = again;
                news.due_at = ended_at + retry_after.unwrap_or_else(|| self.back_off(again));
            }
            BulkProgress::Doubt { .. } => {
                news.doubtful_since = Some(ended_at);
                news.tries = again;
                news.due_at = ended_at + self.back_off(again);
            }
            BulkProgress::Done { .. } => {}
        }
        news
    }

    /// Writes down what came of a call. While the database is away it is tried again for a while; after that the call
    /// counts as in doubt.
    pub(super) async fn record(&self, account: &Account, file: &FileClaim, news: &FileNews) -> Result<(), StoreError> {
        let give_up = Instant::now() + RECORDING_PATIENCE;
        let is_recorded = loop {
            match self.record_once(file, news).await {
                Err(error) if error.is_transient() && Instant::now() < give_up => {
                    tracing::warn!(%error, submission = %file.submission, "could not record a step of a file; trying again");
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
                recorded => break recorded?,
            }
        };
        if !is_recorded {
            tracing::warn!(account = %account.key, submission = %file.submission, stage = file.stage.as_str(), "a step of a file ended after its lease: whoever took it over finds out");
        }
        self.wake();
        Ok(())
    }

    async fn record_once(&self, file: &FileClaim, news: &FileNews) -> Result<bool, StoreError> {
        let mut tx = self.store().begin().await?;
        let is_recorded = tx.vendor_files().record(file.submission, file.call, news).await?;
        tx.save().await?;
        Ok(is_recorded)
    }

    async fn count_step(&self, account: &Account, file: &FileClaim, progress: &BulkProgress) {
        let (key, stage) = (&account.key, file.stage.as_str());
        let (class, why) = match progress {
            BulkProgress::Next { .. } => ("next", None),
            BulkProgress::Wait { .. } => ("wait", None),
            BulkProgress::Done { .. } => ("done", None),
            BulkProgress::NotSent { why, .. } => ("not_sent", Some(why)),
            BulkProgress::Doubt { why } => ("doubt", Some(why)),
        };
        metrics::counter!("vetgate_file_steps_total", "account" => key.to_string(), "stage" => stage, "class" => class)
            .increment(1);
        let submission = file.submission;
        match why {
            None => tracing::debug!(account = %key, %submission, stage, class, "a step of a file"),
            Some(why) => {
                tracing::info!(account = %key, %submission, stage, class, why = why.code, "a step of a file did not succeed");
            }
        }
        match (progress, why) {
            (BulkProgress::Doubt { .. }, Some(why)) => self.call_went_wrong(key, &why.code).await,
            (_, Some(why)) if why.code == provider::NotSentReason::NotConnected.code() => {
                self.call_went_wrong(key, &why.code).await;
            }
            // A look that failed waits, too: it says nothing of how the vendor is.
            (_, Some(_)) | (BulkProgress::Wait { .. }, None) => {}
            (_, None) => self.call_went_well(key).await,
        }
    }
}

/// Whether nothing more is awaited of the file.
pub(super) fn is_past(file: &FileClaim, now: Timestamp) -> bool {
    now >= deadline(file.created_at) + AFTERMATH
}

fn may_have_begun(file: &FileClaim) -> bool {
    file.stage > BulkStage::Start || (file.stage == BulkStage::Start && file.doubtful_since.is_some())
}

/// Whether the check hangs on this file, and nobody wants it stopped.
fn is_wanted(order: &Order, check_id: CheckId, submission: SubmissionId) -> bool {
    order.check(check_id).is_some_and(|check| {
        check.state.submission() == Some(submission)
            && !matches!(check.state.stage, Stage::Bound(_) | Stage::Closed { .. })
            && check.state.cancel.is_none()
    })
}

fn stop_is_due(file: &FileClaim, now: Timestamp) -> bool {
    file.stop.answered_at.is_none() && file.stop.due_at.is_none_or(|due_at| due_at <= now)
}

/// What is written down where nothing changed.
pub(super) fn as_before(file: &FileClaim, due_at: Timestamp) -> FileNews {
    FileNews {
        stage: file.stage,
        entered_at: file.entered_at,
        memory: None,
        vendor_batch_id: None,
        doubtful_since: file.doubtful_since,
        tries: file.tries,
        stop: file.stop,
        due_at,
    }
}

/// One outcome for each check of the file. Of one that the adapter was not asked about, or said nothing of, it is not
/// known.
fn by_part(rows: &Rows, outcomes: Vec<RowOutcome>) -> Vec<RowOutcome> {
    let mut told = rows.items.iter().map(|item| item.reference).zip(outcomes).peekable();
    let outcome = |part: &SubmissionPart| {
        let of_part = told.next_if(|(reference, _)| *reference == part.reference);
        of_part.map_or_else(
            || RowOutcome::Ambiguous(Reason::new("no_outcome", "Nothing was said of it when its file ended.")),
            |(_, outcome)| outcome,
        )
    };
    rows.parts.iter().map(outcome).collect()
}
