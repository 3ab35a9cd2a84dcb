//! Taking in what became of the checks of a file.
//!
//! In chunks, each in a transaction of its own, and each row only if its check still hangs on this file: whoever dies half
//! way leaves the file at its last stage, its report is read once more, and what was taken in already stays as it is. So
//! does what a hook, a scan or a person settled in the meantime.

use std::time::{Duration, Instant};

use domain::{AfterAbsence, EventType, News, Order, Reason, Stage, Timestamp};
use provider::{Accepted, Evidence, ItemOutcome, RowOutcome};
use store::{FileClaim, FileNews, Finished, NewSubmission, Plan, StoreError, SubmissionPart, SubmissionState, Tx};

use super::step::{as_before, is_past};
use crate::dispatch::RECORDING_PATIENCE;
use crate::reconcile::Doubt;
use crate::{Account, Engine, find_mut};

/// So many checks are taken in in one transaction.
const CHUNK: usize = 100;

impl Engine {
    pub(super) async fn take_rows(
        &self,
        account: &Account,
        file: &FileClaim,
        parts: &[SubmissionPart],
        outcomes: &[RowOutcome],
        evidence: &Evidence,
        ended_at: Timestamp,
    ) -> Result<(), StoreError> {
        let rows: Vec<_> = parts.iter().zip(outcomes).collect();
        let mut is_whole = true;
        for chunk in rows.chunks(CHUNK) {
            match self.take_chunk_patiently(account, file, chunk, ended_at).await {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) if !error.is_transient() => {
                    tracing::error!(%error, submission = %file.submission, "could not take some rows of a file in; going on one by one");
                    for row in chunk {
                        match self.take_chunk_patiently(account, file, std::slice::from_ref(row), ended_at).await {
                            Ok(true) => {}
                            Ok(false) => return Ok(()),
                            Err(error) if !error.is_transient() => {
                                is_whole = false;
                                tracing::error!(%error, check = %row.0.check_id, "could not take a row of a file in");
                            }
                            Err(error) => return Err(error),
                        }
                    }
                }
                Err(error) => return Err(error),
            }
            self.wake();
        }
        if !is_whole && !is_past(file, ended_at) {
            // One that cannot be written keeps the file where it is: its report is read again, ever more rarely.
            let tries = file.tries.saturating_add(1);
            let due_at = self.now() + self.back_off(tries);
            return self.record(account, file, &FileNews { tries, ..as_before(file, due_at) }).await;
        }
        self.end_file(file, outcomes, evidence, ended_at).await?;
        tracing::info!(account = %account.key, submission = %file.submission, rows = rows.len(), "a file has come to its end");
        self.wake();
        Ok(())
    }

    async fn take_chunk_patiently(
        &self,
        account: &Account,
        file: &FileClaim,
        chunk: &[(&SubmissionPart, &RowOutcome)],
        ended_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let give_up = Instant::now() + RECORDING_PATIENCE;
        loop {
            match self.take_chunk(account, file, chunk, ended_at).await {
                Err(error) if error.is_transient() && Instant::now() < give_up => {
                    tracing::warn!(%error, submission = %file.submission, "could not take rows of a file in; trying again");
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
                taken => return taken,
            }
        }
    }

    /// `false`: somebody else has taken the file over.
    async fn take_chunk(
        &self,
        account: &Account,
        file: &FileClaim,
        chunk: &[(&SubmissionPart, &RowOutcome)],
        ended_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.store().begin().await?;
        let ids: Vec<_> = chunk.iter().map(|(part, _)| part.order_id).collect();
        let mut orders = tx.orders().lock_many(&ids).await?;
        if !tx.vendor_files().hold(file.submission, file.call, self.now() + self.file_lease(account)).await? {
            return Ok(false);
        }
        let canceled = tx.batches().canceled_among(&[file.batch]).await?.remove(&file.batch);
        let mut doubts = Vec::new();
        for (part, outcome) in chunk {
            let doubt = match find_mut(&mut orders, part.order_id) {
                Some(order) => {
                    self.take_row(&mut tx, account, file, order, (part, outcome), (canceled.as_ref(), ended_at)).await?
                }
                None => Some(Doubt { review: Some(unreadable()), ..Doubt::unreadable(part) }),
            };
            doubts.extend(doubt);
        }
        if !doubts.is_empty() {
            let stored = tx.submissions().get(file.submission).await?;
            let stored = stored.ok_or(StoreError::Corrupt("the submission of a file"))?;
            let submission = NewSubmission {
                id: stored.id,
                tenant: stored.tenant,
                account: stored.account,
                started_at: stored.started_at,
                lease_until: stored.lease_until,
                items: Vec::new(),
            };
            self.open_or_join_case(&mut tx, account, &submission, doubts, &orders, ended_at).await?;
        }
        tx.save().await?;
        for (_, outcome) in chunk {
            let key = account.key.to_string();
            metrics::counter!("vetgate_file_rows_total", "account" => key, "class" => class_of(outcome)).increment(1);
        }
        Ok(true)
    }

    async fn take_row(
        &self,
        tx: &mut Tx,
        account: &Account,
        file: &FileClaim,
        order: &mut Order,
        (part, outcome): (&SubmissionPart, &RowOutcome),
        (canceled, ended_at): (Option<&Reason>, Timestamp),
    ) -> Result<Option<Doubt>, StoreError> {
        let submission = file.submission;
        let Some(check) = order.check(part.check_id) else { return Ok(None) };
        let is_waiting =
            matches!(check.state.stage, Stage::Submitting { submission: current } if current == submission);
        let is_open = check.state.submission() == Some(submission) && check.state.binding().is_none();
        // What was made, or surely was not, is news for a case as well; the rest is in one already, or settled.
        let fits = match outcome {
            RowOutcome::Made(_) | RowOutcome::Refused(_) => is_open,
            RowOutcome::NotBegun(_) | RowOutcome::Missing(_) | RowOutcome::Ambiguous(_) => is_waiting,
        };
        let item = match outcome {
            RowOutcome::Made(accepted) if !fits => {
                self.note_extra(tx, account, order, part, accepted).await?;
                return Ok(None);
            }
            _ if !fits => return Ok(None),
            RowOutcome::Made(accepted) => ItemOutcome::Accepted(accepted.clone()),
            RowOutcome::Refused(why) => ItemOutcome::Rejected(why.clone()),
            RowOutcome::NotBegun(why) => {
                if let Some(wish) = canceled {
                    // It is told with the next save, and nothing of it is sent.
                    let now = self.now();
                    let told = order.tell(part.check_id, &News::CancelRequested { why: wish.clone(), at: now }, now);
                    tx.orders().save(order, &[Plan { check_id: part.check_id, work: None }], &told).await?;
                }
                ItemOutcome::NotSent { why: why.clone(), retry_after: Some(Duration::ZERO) }
            }
            RowOutcome::Missing(why) => ItemOutcome::Unknown { why: why.clone(), then: AfterAbsence::Resend },
            RowOutcome::Ambiguous(why) => return self.ask_about(tx, file, order, part, why).await.map(Some),
        };
        self.take_in(tx, account, submission, order, part, &item, ended_at).await
    }

    /// Something was made, and only a person can say whether it is this check's.
    async fn ask_about(
        &self,
        tx: &mut Tx,
        file: &FileClaim,
        order: &mut Order,
        part: &SubmissionPart,
        why: &Reason,
    ) -> Result<Doubt, StoreError> {
        let (submission, now) = (file.submission, self.now());
        let mut events = order.tell(part.check_id, &News::Unconfirmed { submission, why: why.clone() }, now);
        events.extend(order.tell(part.check_id, &News::NeedsReview { submission, why: why.clone() }, now));
        tx.orders().save(order, &[Plan { check_id: part.check_id, work: None }], &events).await?;
        let then = AfterAbsence::Resend;
        Ok(Doubt { part: part.clone(), why: why.clone(), then, review: Some(why.clone()) })
    }

    /// The vendor made this object for a check that does not wait for it any more: it is bound to another, or closed, or
    /// was sent again. Recorded and announced once.
    async fn note_extra(
        &self,
        tx: &mut Tx,
        account: &Account,
        order: &Order,
        part: &SubmissionPart,
        accepted: &Accepted,
    ) -> Result<(), StoreError> {
        let id = &accepted.vendor.order_id;
        if !tx.vendor_objects().holders(&account.key, id).await?.is_empty() {
            return Ok(());
        }
        let now = self.now();
        if tx.vendor_objects().add_orphan(&account.key, id, Some(part.reference), None, now).await? {
            tracing::warn!(check = %part.check_id, vendor_order = %id, "a file made a vendor order for a check that does not wait for it any more");
            let is_bound = order.check(part.check_id).is_some_and(|check| check.state.binding().is_some());
            let kind =
                if is_bound { EventType::ReconciliationDuplicateFound } else { EventType::ReconciliationOrphanFound };
            tx.orders().save(order, &[], &[order.event(Some(part.check_id), kind, now)]).await?;
        }
        Ok(())
    }

    /// Nothing is left to take in: the submission and its file end together.
    async fn end_file(
        &self,
        file: &FileClaim,
        outcomes: &[RowOutcome],
        evidence: &Evidence,
        ended_at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.store().begin().await?;
        if !tx.vendor_files().hold(file.submission, file.call, ended_at).await? {
            return Ok(());
        }
        let finished = Finished {
            state: state_of(outcomes),
            ended_at,
            http_status: evidence.status,
            answer: Some(evidence.answer.expose()),
        };
        // False where its deadline was over and a case is open: what is known now was told to the checks all the same.
        if !tx.submissions().finish(file.submission, &finished).await?
            && let Some(open) = tx.cases().open_of_submission(file.submission).await?
            && let Some(mut case) = tx.cases().lock(open.id).await?
        {
            case.next_scan_at = Some(self.now());
            tx.cases().save(&case).await?;
        }
        tx.vendor_files().end(file.submission, ended_at).await?;
        tx.save().await
    }
}

fn unreadable() -> Reason {
    Reason::new(
        "order_unreadable",
        "The order could not be read when its file ended: is an encryption key missing? Mend that, find the vendor's order, then bind, resend or fail.",
    )
}

const fn class_of(outcome: &RowOutcome) -> &'static str {
    match outcome {
        RowOutcome::Made(_) => "made",
        RowOutcome::Refused(_) => "refused",
        RowOutcome::NotBegun(_) => "not_begun",
        RowOutcome::Missing(_) => "missing",
        RowOutcome::Ambiguous(_) => "ambiguous",
    }
}

fn state_of(outcomes: &[RowOutcome]) -> SubmissionState {
    let mut states = outcomes.iter().map(|outcome| match outcome {
        RowOutcome::Made(_) => SubmissionState::Accepted,
        RowOutcome::Refused(_) => SubmissionState::Rejected,
        RowOutcome::NotBegun(_) => SubmissionState::NotSent,
        RowOutcome::Missing(_) | RowOutcome::Ambiguous(_) => SubmissionState::Unknown,
    });
    let Some(first) = states.next() else { return SubmissionState::Unknown };
    if states.all(|state| state == first) { first } else { SubmissionState::Mixed }
}
