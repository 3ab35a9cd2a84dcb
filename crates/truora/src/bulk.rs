//! Truora's own batches: many like checks as one workbook.
//!
//! | step | calls | where its outcome is not known |
//! |---|---|---|
//! | create | `POST /v1/batches` | nothing runs before the start: made anew |
//! | upload | `PUT` to the link, without the key | the link takes the first file only: on to the start, which says whether there is one |
//! | start | `POST …/start` | the batch is looked at; started again only once the settle window is over, and two looks found it `not_started` with all of its rows, twice at most |
//! | run | `GET /v1/batches/{id}` | reads only |
//! | report | `POST …/report` | asked for again: a report asked for twice is a report |
//! | read | `GET …/report`, the file | reads only |
//!
//! Before the start a file can always be abandoned; its checks are then made anew, or go singly. After it nothing is ever
//! sent again from here: a row that the report does not account for is [`RowOutcome::Missing`], or
//! [`RowOutcome::Ambiguous`] where looking for its reference would prove nothing, as while the batch has not ended.
//!
//! `begin` has the steps up to the start, `follow` those after it; `calls` makes the requests and `answers` says what a
//! refusal proves; `workbook` writes the file, `report` reads what comes back, `matching` finds our rows in it.

mod answers;
mod begin;
mod calls;
mod follow;
mod matching;
mod memory;
mod report;
mod workbook;

use std::time::Duration;

use async_trait::async_trait;
use domain::{CheckInput, CheckSpec, OrderInput, Reason};
use provider::{
    Bulk, BulkProgress, BulkStage, BulkState, CallContext, CallError, Evidence, Kinship, RowOutcome, SubmissionItem,
};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::client::Client;
use crate::links::FileHosts;
use crate::mapping::{self, Asked};
use crate::validate::NATIVE_BATCH;

use calls::Calls;
use memory::Memory;

/// The vendor's own limit.
const MOST_ROWS: usize = 1_000;

/// The part of the adapter that sends files, for one account.
pub struct Batches {
    calls: Calls,
    /// 0: only where the caller asks for it.
    from: usize,
}

impl Batches {
    pub fn new(client: Client, account: Url, files: FileHosts, from: usize) -> Self {
        Self { calls: Calls::new(client, account, files), from }
    }
}

#[async_trait]
impl Bulk for Batches {
    fn most_rows(&self) -> usize {
        MOST_ROWS
    }

    fn used_from(&self) -> Option<usize> {
        (self.from > 0).then_some(self.from)
    }

    fn kinship(&self, order: &OrderInput, check: &CheckInput) -> Option<Kinship> {
        let CheckSpec::BackgroundCheck(spec) = &check.spec else { return None };
        let wish = check.vendor_options.get(NATIVE_BATCH).and_then(serde_json::Value::as_bool);
        // A file has no column for making a new check in any case: a row may be given an earlier one.
        if wish == Some(false) || spec.force_new {
            return None;
        }
        let asked = mapping::asked(order, check)?;
        // Nor for these two, which say how a check is made.
        if asked.priority.is_some() || asked.report_id.is_some() {
            return None;
        }
        if !asked.inputs.iter().all(|(_, value)| workbook::is_held_exactly(value)) {
            return None;
        }
        let identity = identity(&asked)?;
        let file = format!("{} {} {}", asked.country, order.subject.kind(), asked.kind);
        Some(Kinship { file, identity, asked_for: wish == Some(true) })
    }

    async fn step(&self, ctx: &CallContext, state: &BulkState, items: &[SubmissionItem]) -> BulkProgress {
        let memory = Memory::of(state);
        match state.stage {
            BulkStage::Create => self.create(ctx, state, items, memory).await,
            BulkStage::Upload => self.upload(ctx, state, items, memory).await,
            BulkStage::Start => self.start(ctx, state, items, memory).await,
            BulkStage::Run => self.run(ctx, state, items, memory).await,
            BulkStage::Report => self.ask_for_report(ctx, state, items, memory).await,
            BulkStage::Read => self.read(ctx, state, items, memory).await,
        }
    }

    async fn stop(&self, ctx: &CallContext, state: &BulkState) -> Result<(), CallError> {
        match Memory::of(state).batch {
            Some(batch) => self.calls.stop(ctx, &batch).await,
            None => Ok(()),
        }
    }

    fn vendor_batch_id(&self, memory: &serde_json::Value) -> Option<String> {
        memory["batch"].as_str().map(str::to_owned)
    }
}

/// A digest of the inputs by which rows of one file are told apart. `None`: it has none.
fn identity(asked: &Asked) -> Option<[u8; 32]> {
    let marks = matching::Marks::of(asked)?;
    let mut digest = Sha256::new();
    for text in [asked.kind.as_str(), asked.country.as_str()].into_iter().chain(marks.texts()) {
        digest.update(text.len().to_le_bytes());
        digest.update(text.as_bytes());
    }
    Some(digest.finalize().into())
}

/// The file that these checks would go out in, without any call: for measuring.
pub fn file_of(items: &[SubmissionItem]) -> Option<Vec<u8>> {
    let columns: Vec<String> =
        [workbook::REFERENCE].into_iter().chain(workbook::columns(items)).map(str::to_owned).collect();
    workbook::write(&columns, items).ok()
}

/// What a report says of these checks, without any call. `None`: it cannot be read.
pub fn outcomes_of(report: &[u8], items: &[SubmissionItem]) -> Option<Vec<RowOutcome>> {
    Some(matching::find(&report::read(report).ok()?, items, None, true).outcomes(false))
}

fn next(stage: BulkStage, memory: &Memory) -> BulkProgress {
    BulkProgress::Next { stage, memory: memory.kept() }
}

fn wait(after: Duration, memory: &Memory) -> BulkProgress {
    BulkProgress::Wait { after, memory: memory.kept() }
}

/// The same outcome for every check of the file.
fn all(
    items: &[SubmissionItem],
    outcome: impl Fn(Reason) -> RowOutcome,
    why: &Reason,
    evidence: Evidence,
) -> BulkProgress {
    BulkProgress::Done { rows: items.iter().map(|_| outcome(why.clone())).collect(), evidence }
}

/// The vendor never began: they go singly.
fn singly(items: &[SubmissionItem], why: &Reason, evidence: Evidence) -> BulkProgress {
    all(items, RowOutcome::NotBegun, why, evidence)
}

/// How long to wait for what has taken so long already: longer and longer.
fn patience(state: &BulkState, shortest: Duration, longest: Duration) -> Duration {
    (state.now.since(state.entered_at) / 4).clamp(shortest, longest)
}
