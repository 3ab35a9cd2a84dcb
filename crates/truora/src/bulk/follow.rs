//! The steps after the start. From here on rows may have become checks, so nothing is ever sent again.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::{Reason, Reference};
use provider::{
    BulkProgress, BulkStage, BulkState, CallContext, CallError, Carries, Evidence, RowOutcome, SubmissionItem,
    VendorAnswer,
};

use super::answers::{Verdict, judge, of_error, reason_of};
use super::matching::{self, Found};
use super::memory::Memory;
use super::{Batches, all, begin, next, patience, report, wait};
use crate::client;
use crate::pages::Pages;
use crate::wire::{Batch, CheckPage, ReportLink};

/// How often a running batch is looked at.
const RUNNING: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(5));

/// Checks of the vendor end within a week at the latest; so then does the waiting for a batch.
const LONGEST_RUN: Duration = Duration::from_hours(7 * 24);

/// How often a report is looked for.
const WRITING: (Duration, Duration) = (Duration::from_secs(3), Duration::from_mins(1));

/// How long a report may take, or one that cannot be read be tried again, before it is asked for once more.
const PATIENCE: Duration = Duration::from_mins(15);

/// How often it is asked for.
const MOST_ASKED: u32 = 3;

/// The pages of the account's checks that are read to see whether they carry references of the file.
const PAGES: usize = 10;

/// A batch as a look found it.
pub struct Seen {
    /// The vendor's word.
    pub status: String,
    pub size: Option<u64>,
}

impl Seen {
    /// It was started, whatever came of it: also by a word that no document knows.
    pub fn is_begun(&self) -> bool {
        !matches!(self.status.as_str(), "" | "not_started")
    }

    fn is_over(&self) -> bool {
        matches!(self.status.as_str(), "finished" | "stopped" | "error")
    }
}

impl Batches {
    /// Looks at the batch, and keeps when it was made.
    pub(super) async fn look(&self, ctx: &CallContext, id: &str, memory: &mut Memory) -> Result<Seen, NotSeen> {
        let answer = self.calls.look(ctx, id).await.map_err(|error| NotSeen::of(&error))?;
        if !answer.status.is_success() {
            return Err(NotSeen::answered(&answer));
        }
        let batch: Batch = answer.json().map_err(|error| NotSeen::of(&error))?;
        if batch.id.as_deref().is_some_and(|other| other != id) {
            return Err(NotSeen::of(&client::unreadable()));
        }
        memory.made_at_vendor = begin::made_at_vendor(&batch).or(memory.made_at_vendor);
        Ok(Seen { status: batch.status.unwrap_or_default(), size: batch.size })
    }

    pub(super) async fn run(
        &self,
        ctx: &CallContext,
        state: &BulkState,
        items: &[SubmissionItem],
        mut memory: Memory,
    ) -> BulkProgress {
        let Some(batch) = memory.batch.clone() else { return lost(items) };
        let seen = self.look(ctx, &batch, &mut memory).await;
        memory.has_ended = seen.as_ref().is_ok_and(Seen::is_over);
        if memory.has_ended || state.now.since(state.entered_at) > LONGEST_RUN {
            return next(BulkStage::Report, &memory);
        }
        match seen {
            // A word that no document knows is no end.
            Ok(_) => wait(patience(state, RUNNING.0, RUNNING.1), &memory),
            Err(why) => why.later(state, &memory, patience(state, RUNNING.0, RUNNING.1)),
        }
    }

    pub(super) async fn ask_for_report(
        &self,
        ctx: &CallContext,
        state: &BulkState,
        items: &[SubmissionItem],
        memory: Memory,
    ) -> BulkProgress {
        let Some(batch) = &memory.batch else { return lost(items) };
        let answer = match self.calls.ask_for_report(ctx, batch).await {
            Ok(answer) => answer,
            Err(error) => return of_error(&error),
        };
        if answer.status.is_success() {
            return next(BulkStage::Read, &Memory { asked: memory.asked + 1, ..memory });
        }
        let why = match judge(&answer) {
            Verdict::Later(later) => return later,
            Verdict::Refused(why) | Verdict::Nothing(why) | Verdict::Unclear(why) => why,
        };
        if state.now.since(state.entered_at) < PATIENCE {
            return wait(patience(state, WRITING.0, WRITING.1), &memory);
        }
        self.without_report(ctx, state, items, &memory, why, Evidence::of(&answer)).await
    }

    pub(super) async fn read(
        &self,
        ctx: &CallContext,
        state: &BulkState,
        items: &[SubmissionItem],
        memory: Memory,
    ) -> BulkProgress {
        let Some(batch) = &memory.batch else { return lost(items) };
        let (why, evidence) = match self.fetch_report(ctx, batch, items, &memory).await {
            Ok((found, evidence)) => {
                // Only where it would change anything.
                let proof = if found.needs_proof() { self.references_are_kept(ctx, items).await } else { Some(false) };
                if let Some(kept) = proof {
                    return BulkProgress::Done { rows: found.outcomes(kept), evidence };
                }
                (Reason::new("list_unreadable", "The account's checks could not be listed."), evidence)
            }
            Err(NotSeen { later: Some(later), .. }) if !state.in_doubt => return later,
            Err(NotSeen { why, evidence, .. }) => (why, evidence),
        };
        if state.now.since(state.entered_at) < PATIENCE {
            return wait(patience(state, WRITING.0, WRITING.1), &memory);
        }
        if memory.asked < MOST_ASKED {
            return next(BulkStage::Report, &memory);
        }
        self.without_report(ctx, state, items, &memory, why, evidence).await
    }

    async fn fetch_report(
        &self,
        ctx: &CallContext,
        batch: &str,
        items: &[SubmissionItem],
        memory: &Memory,
    ) -> Result<(Found, Evidence), NotSeen> {
        let answer = self.calls.report_link(ctx, batch).await.map_err(|error| NotSeen::of(&error))?;
        if !answer.status.is_success() {
            // A 404 is "not yet" as well as "no such batch".
            return Err(NotSeen::answered(&answer));
        }
        let link = answer.json::<ReportLink>().ok().and_then(|answer| answer.batch_report_url);
        let link = link.ok_or_else(|| NotSeen::of(&client::unreadable()))?;
        let link = self.calls.files.follow(&link).map_err(|fault| NotSeen {
            why: Reason::new("foreign_link", fault.to_string()),
            later: None,
            evidence: Evidence::default(),
        })?;
        let file = self.calls.report(ctx, link).await.map_err(|error| NotSeen::of(&error))?;
        // It would be kept with each of its rows, and holds all of them.
        let evidence = Evidence::without_answer(&file);
        if file.status != http::StatusCode::OK {
            // The link may have expired: the next look gets another.
            return Err(NotSeen { later: None, evidence, ..NotSeen::answered(&file) });
        }
        let (items, made_at, has_ended) = (items.to_vec(), memory.made_at_vendor, memory.has_ended);
        // Unpacking takes a while.
        let read = move || Some(matching::find(&report::read(&file.body).ok()?, &items, made_at, has_ended));
        let found = tokio::task::spawn_blocking(read).await.ok().flatten();
        found.map(|found| (found, evidence.clone())).ok_or_else(|| NotSeen {
            why: Reason::new("report_unreadable", "The vendor's report could not be read."),
            later: None,
            evidence,
        })
    }

    /// Whether the account's checks show that rows keep the references that were put into the file. `None`: they could
    /// not be read.
    async fn references_are_kept(&self, ctx: &CallContext, items: &[SubmissionItem]) -> Option<bool> {
        let ours: BTreeSet<Reference> = items.iter().map(|item| item.reference).collect();
        let mut pages = Pages::from(self.calls.client.list_url());
        let mut link = Some(pages.first().clone());
        for _ in 0..PAGES {
            let Some(url) = link else { break };
            let answer = client::ok(self.calls.client.page(ctx, url).await.ok()?).ok()?;
            let page: CheckPage = answer.json().ok()?;
            let carries = |text: Option<&str>| Carries::read(text).ours().is_some_and(|it| ours.contains(&it));
            if page.checks?.iter().any(|check| carries(check.custom_input.as_deref())) {
                return Some(true);
            }
            let Ok(next) = pages.follow(page.next.as_deref()) else { break };
            link = next;
        }
        Some(false)
    }

    /// There is no report, and there will be none. Each check is looked for by its reference, if that can find it.
    async fn without_report(
        &self,
        ctx: &CallContext,
        state: &BulkState,
        items: &[SubmissionItem],
        memory: &Memory,
        why: Reason,
        evidence: Evidence,
    ) -> BulkProgress {
        // A search proves nothing while the vendor may still come to a row.
        let kept = if memory.has_ended { self.references_are_kept(ctx, items).await } else { Some(false) };
        match kept {
            Some(true) => all(items, RowOutcome::Missing, &why, evidence),
            None if state.now.since(state.entered_at) < 2 * PATIENCE => wait(WRITING.1, memory),
            Some(false) | None => all(items, RowOutcome::Ambiguous, &why, evidence),
        }
    }
}

/// Nothing is known of the batch any more, and it may have been begun: a person must decide.
pub fn lost(items: &[SubmissionItem]) -> BulkProgress {
    let why = Reason::new("batch_unknown", "Whether the vendor began the batch cannot be told.");
    all(items, RowOutcome::Ambiguous, &why, Evidence::default())
}

/// A reading call that showed nothing.
pub struct NotSeen {
    why: Reason,
    /// For calls that were refused in front of the service, or did not get there.
    later: Option<BulkProgress>,
    evidence: Evidence,
}

impl NotSeen {
    fn of(error: &CallError) -> Self {
        let later = matches!(error, CallError::NotSent { .. }).then(|| of_error(error));
        Self { why: reason_of(error), later, evidence: Evidence::default() }
    }

    fn answered(answer: &VendorAnswer) -> Self {
        let evidence = Evidence::of(answer);
        let (why, later) = match judge(answer) {
            Verdict::Later(later) => (Reason::new("refused_in_front", "The vendor refuses the call."), Some(later)),
            Verdict::Refused(why) | Verdict::Nothing(why) | Verdict::Unclear(why) => (why, None),
        };
        Self { why, later, evidence }
    }

    /// Only what is not in doubt may be said to be without effect: a look that failed ends no doubt.
    fn later(self, state: &BulkState, memory: &Memory, after: Duration) -> BulkProgress {
        self.later.filter(|_| !state.in_doubt).unwrap_or_else(|| wait(after, memory))
    }
}
