//! The only place where a check changes.

use crate::case::AfterAbsence;
use crate::check::{Binding, CancelIntent, CheckState, ClosedStatus, Ending, Look, Revision, Stage};
use crate::id::SubmissionId;
use crate::observation::{Certainty, Observation, ObservedAt, Standing, VendorRef};
use crate::result::{Reason, ResultDigest};
use crate::time::Timestamp;
use crate::waterfall::turn_to_next;

/// Whatever can happen to a check. Each names the submission or the vendor's object it speaks of, so that late and
/// repeated news can be told from fitting ones.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// A create call is about to be made. Durable before the wire is touched.
    Sending { submission: SubmissionId },
    /// Provably nothing was made, and sending again can help.
    NotSent { submission: SubmissionId, why: Reason },
    /// The vendor answered with an older object of its own that may not be used here. Nothing new was made.
    MustBeNew { submission: SubmissionId, why: Reason },
    /// The vendor's ids are in hand. `provisional`: matched by position only.
    Accepted { submission: SubmissionId, vendor: VendorRef, provisional: bool, at: Timestamp },
    /// The vendor made an object by itself (a run of its own monitor): it is bound without a create call.
    Adopted { submission: SubmissionId, vendor: VendorRef, at: Timestamp },
    /// Provably nothing was made, and sending again cannot help.
    Rejected { submission: SubmissionId, why: Reason, at: Timestamp },
    /// Nobody knows whether anything was made.
    Unconfirmed { submission: SubmissionId, why: Reason },
    /// Reconciliation found the vendor's object of a lost create call.
    Located { submission: SubmissionId, vendor: VendorRef, at: Timestamp },
    /// Reconciliation, or a person, is sure that the lost create call made nothing.
    Absent { submission: SubmissionId, then: AfterAbsence, at: Timestamp },
    /// Reconciliation cannot decide safely.
    NeedsReview { submission: SubmissionId, why: Reason },
    /// The vendor's object was seen to carry our reference.
    Confirmed { vendor: VendorRef },
    /// The vendor's object that was bound by position carries another's reference, or is not there: the binding was wrong,
    /// and nobody knows what the create call made for this check.
    Misbound { vendor: VendorRef, why: Reason },
    /// The vendor's object was looked at.
    Observed(Observation),
    /// The caller wants it stopped.
    CancelRequested { why: Reason, at: Timestamp },
    /// The vendor agreed to stop; a later look will show it.
    CancelAsked,
    /// The vendor cannot stop it, or would not.
    CancelRefused { why: Reason },
    /// A signed hook shows that a create call counted as absent made something after all. It is not sent again.
    Proven { submission: SubmissionId, why: Reason },
}

/// The state after the news. Total, pure and idempotent: news that do not fit (late, repeated, of another submission or
/// object) leave the state as it is.
///
/// * A final status never goes back. Where two final observations disagree, completed beats canceled beats failed.
/// * Of observations with the same standing in that order, the one that tells more wins, then the later one.
/// * A binding never changes; only one that was made by position, and never confirmed, can turn out wrong.
/// * Observations may come in any order and any number of times, and end in the same state.
/// * Where a check has several vendors, an ending that is no answer lets the next one have its turn.
#[must_use]
pub fn reduce(state: &CheckState, news: &News) -> CheckState {
    let mut next = state.clone();
    match news {
        News::Sending { submission } => sending(&mut next, *submission),
        News::NotSent { submission, why } => {
            if matches!(&next.stage, Stage::Submitting { submission: current } if current == submission) {
                next.stage = Stage::Queued { submission: Some(*submission), last: Some(why.clone()) };
                next.sends -= 1;
                next.waits += 1;
            }
        }
        News::MustBeNew { submission, why } => {
            if is_open_for(&next.stage, *submission) && !matches!(next.stage, Stage::Queued { .. }) {
                next.stage = Stage::Queued { submission: Some(*submission), last: Some(why.clone()) };
                next.force_new = true;
            }
        }
        News::Accepted { submission, vendor, provisional, at } => {
            bind(&mut next, *submission, vendor, *provisional, *at);
        }
        News::Adopted { submission, vendor, at } => {
            // Only what was never sent: whatever a call of ours may have made comes before.
            if matches!(next.stage, Stage::Queued { submission: None, .. }) {
                next.stage = Stage::Queued { submission: Some(*submission), last: None };
                bind(&mut next, *submission, vendor, false, *at);
            }
        }
        News::Located { submission, vendor, at } => bind(&mut next, *submission, vendor, false, *at),
        News::Rejected { submission, why, at } => {
            if is_open_for(&next.stage, *submission) {
                close(&mut next, ClosedStatus::Failed, why, *at);
            }
        }
        News::Unconfirmed { submission, why } => {
            if matches!(&next.stage, Stage::Submitting { submission: current } if current == submission) {
                next.waits = 0;
                // Once forced is enough: see what a lost forced call made before forcing another.
                next.force_new = false;
                next.stage = Stage::Unconfirmed { submission: *submission, why: why.clone() };
            }
        }
        News::Absent { submission, then, at } => absent(&mut next, *submission, then, *at),
        News::NeedsReview { submission, why } => {
            if matches!(&next.stage, Stage::Unconfirmed { submission: current, .. } if current == submission) {
                next.stage = Stage::NeedsReview { submission: *submission, why: why.clone() };
            }
        }
        News::Confirmed { vendor } => {
            if let Stage::Bound(binding) = &mut next.stage
                && learn_ids(binding, vendor)
            {
                binding.provisional = false;
            }
        }
        News::Misbound { vendor, why } => misbound(&mut next, vendor, why),
        News::Observed(observation) => observed(&mut next, observation),
        News::CancelRequested { why, at } => {
            if next.cancel.is_none() && !next.status().is_final() {
                next.cancel =
                    Some(CancelIntent { requested_at: *at, reason: why.clone(), asked: false, refused: None });
            }
        }
        News::CancelAsked => {
            if let Some(cancel) = &mut next.cancel {
                cancel.asked = true;
            }
        }
        News::CancelRefused { why } => {
            if let Some(cancel) = &mut next.cancel
                && cancel.refused.is_none()
            {
                cancel.refused = Some(why.clone());
            }
        }
        News::Proven { submission, why } => {
            if matches!(&next.stage, Stage::Queued { submission: last, .. } if *last == Some(*submission)) {
                next.stage = Stage::Unconfirmed { submission: *submission, why: why.clone() };
            }
        }
    }
    stop_if_canceled(&mut next);
    turn_to_next(&mut next);
    next
}

/// A check that waits and is not wanted any more is never sent (again).
fn stop_if_canceled(state: &mut CheckState) {
    if let (Stage::Queued { .. }, Some(cancel)) = (&state.stage, &state.cancel) {
        let (reason, at) = (cancel.reason.clone(), cancel.requested_at);
        close(state, ClosedStatus::Canceled, &reason, at);
    }
}

fn sending(state: &mut CheckState, submission: SubmissionId) {
    // A repeated `Sending` of the call that put it back into the queue is old news.
    if matches!(&state.stage, Stage::Queued { submission: last, .. } if *last != Some(submission)) {
        state.stage = Stage::Submitting { submission };
        state.sends += 1;
    }
}

/// Whether the outcome of this submission is still open for the check.
fn is_open_for(stage: &Stage, submission: SubmissionId) -> bool {
    match stage {
        Stage::Submitting { submission: current }
        | Stage::Unconfirmed { submission: current, .. }
        | Stage::NeedsReview { submission: current, .. } => *current == submission,
        // Put back into the queue and not sent again yet: a late answer of the last call still counts.
        Stage::Queued { submission: last, .. } => *last == Some(submission),
        Stage::Bound(_) | Stage::Closed { .. } => false,
    }
}

fn bind(state: &mut CheckState, submission: SubmissionId, vendor: &VendorRef, provisional: bool, at: Timestamp) {
    if !is_open_for(&state.stage, submission) {
        return;
    }
    state.stage = Stage::Bound(Box::new(Binding {
        vendor: vendor.clone(),
        submission,
        provisional,
        latest: None,
        ending: None,
        results: Vec::new(),
    }));
    state.submitted_at.get_or_insert(at);
}

fn misbound(state: &mut CheckState, vendor: &VendorRef, why: &Reason) {
    let Stage::Bound(binding) = &state.stage else { return };
    if binding.provisional && binding.ending.is_none() && binding.vendor.order_id == vendor.order_id {
        state.stage = Stage::Unconfirmed { submission: binding.submission, why: why.clone() };
        state.submitted_at = None;
    }
}

fn absent(state: &mut CheckState, submission: SubmissionId, then: &AfterAbsence, at: Timestamp) {
    let current = match &state.stage {
        Stage::Unconfirmed { submission, .. } | Stage::NeedsReview { submission, .. } => *submission,
        _ => return,
    };
    if current != submission {
        return;
    }
    match then {
        AfterAbsence::Resend => {
            let last =
                Reason::new("found_absent", "The vendor does not have it; it is sent again with the same reference.");
            state.stage = Stage::Queued { submission: Some(submission), last: Some(last) };
        }
        AfterAbsence::Fail { reason } => close(state, ClosedStatus::Failed, reason, at),
    }
}

fn close(state: &mut CheckState, status: ClosedStatus, reason: &Reason, at: Timestamp) {
    state.stage = Stage::Closed { status, reason: reason.clone() };
    state.ended_at = Some(at);
}

/// Takes over a part id that was not known yet. False if the news is of another object.
fn learn_ids(binding: &mut Binding, vendor: &VendorRef) -> bool {
    if binding.vendor.order_id != vendor.order_id {
        return false;
    }
    match (&binding.vendor.check_id, &vendor.check_id) {
        (Some(ours), Some(theirs)) => ours == theirs,
        (None, Some(_)) => {
            binding.vendor.check_id.clone_from(&vendor.check_id);
            true
        }
        (_, None) => true,
    }
}

fn observed(state: &mut CheckState, observation: &Observation) {
    let Stage::Bound(binding) = &mut state.stage else {
        return;
    };
    if !learn_ids(binding, &observation.vendor) {
        return;
    }
    if !observation.standing.is_final() {
        let look = Look {
            observed: observation.observed,
            native_status: observation.native_status.clone(),
            standing: observation.standing.clone(),
        };
        if binding.latest.as_ref().is_none_or(|latest| look_key(&look) > look_key(latest)) {
            binding.latest = Some(look);
        }
        return;
    }
    if let Standing::Completed { outcome, result, certainty, .. } = &observation.standing {
        let digest = ResultDigest::of(Some(*outcome), result.as_ref());
        remember(
            &mut binding.results,
            Revision {
                digest,
                observed: observation.observed,
                outcome: *outcome,
                certainty: *certainty,
                result: result.clone(),
            },
        );
    }
    let ending = Ending {
        observed: observation.observed,
        native_status: observation.native_status.clone(),
        standing: observation.standing.clone(),
    };
    if binding.ending.as_ref().is_none_or(|current| ending_key(&ending) > ending_key(current)) {
        binding.ending = Some(ending);
    }
    let at = observation.observed.at;
    state.ended_at = Some(state.ended_at.map_or(at, |earlier| earlier.min(at)));
}

/// Keeps each different result once, by the earliest time it was seen.
fn remember(results: &mut Vec<Revision>, seen: Revision) {
    match results.iter_mut().find(|known| known.digest == seen.digest) {
        Some(known) => {
            known.observed = known.observed.min(seen.observed);
            known.certainty = known.certainty.max(seen.certainty);
        }
        None => results.push(seen),
    }
    results.sort_by_key(|revision| (revision.observed, revision.digest));
}

/// The order of non-final looks: by time; equal times by content, so that the winner does not hang on arrival.
fn look_key(look: &Look) -> (ObservedAt, &str, String) {
    (look.observed, &look.native_status, serde_json::to_string(&look.standing).unwrap_or_default())
}

fn ending_key(ending: &Ending) -> (u8, Option<Certainty>, ObservedAt, &str, String) {
    let (rank, certainty) = match &ending.standing {
        Standing::Completed { certainty, .. } => (3, Some(*certainty)),
        Standing::Canceled { .. } => (2, None),
        _ => (1, None),
    };
    let content = serde_json::to_string(&ending.standing).unwrap_or_default();
    (rank, certainty, ending.observed, &ending.native_status, content)
}

#[cfg(test)]
mod tests;
