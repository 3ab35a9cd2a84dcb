//! A check that may be tried at one vendor after the other: what is tried next, what was, and when one gives way to the next.

use serde::{Deserialize, Serialize};

use crate::check::{CheckState, ClosedStatus, Stage};
use crate::input::CheckInput;
use crate::observation::Standing;
use crate::party::AccountKey;
use crate::result::{CheckResult, Outcome, Reason, Verdict};

/// One vendor of a check's waterfall. Kept encrypted, with the check's state.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Leg {
    pub account: AccountKey,
    /// The vendor's own product that was asked for (`truework:employer-search`).
    pub product: Option<String>,
    /// The check as this vendor is to carry it out.
    pub input: CheckInput,
}

/// A vendor that was tried and gave way to the next.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// How it ended there.
    pub state: Box<CheckState>,
}

impl CheckState {
    /// The state of a new check that is tried at these vendors in turn. The first is the one that the check is for now;
    /// a single one needs no legs.
    pub fn with_legs(legs: Vec<Leg>) -> Self {
        Self { legs, ..Self::new() }
    }

    /// The vendor that the check is at, where it has several or was asked for a product of its own.
    pub fn leg(&self) -> Option<&Leg> {
        self.legs.get(self.tried.len())
    }

    /// The vendors that are left.
    pub fn legs_left(&self) -> &[Leg] {
        self.legs.get(self.tried.len() + 1..).unwrap_or_default()
    }

    /// Why this vendor is done with and the next is to be tried, if it is: it found no record, could not find out, or
    /// refused, and nobody wants the check stopped.
    fn gives_way(&self) -> Option<&'static str> {
        if self.cancel.is_some() || self.legs_left().is_empty() {
            return None;
        }
        match &self.stage {
            Stage::Closed { status: ClosedStatus::Failed, .. } => Some("refused"),
            Stage::Bound(binding) => match &binding.ending.as_ref()?.standing {
                Standing::Completed { outcome, result, .. } => found_nothing(*outcome, result.as_ref()),
                Standing::Canceled { .. } | Standing::Failed { .. } => Some("refused"),
                Standing::Working { .. } | Standing::Waiting { .. } | Standing::Unknown => None,
            },
            _ => None,
        }
    }
}

/// Whether a verification found nothing that could be taken for an answer. A background check always is one.
fn found_nothing(outcome: Outcome, result: Option<&CheckResult>) -> Option<&'static str> {
    match result {
        Some(CheckResult::Verification(found)) => match found.verdict {
            Some(Verdict::NoRecord) => Some("no_record"),
            Some(Verdict::UnableToVerify) => Some("unable_to_verify"),
            Some(Verdict::Verified | Verdict::Discrepancy) => None,
            None => (outcome == Outcome::Unresolved).then_some("unable_to_verify"),
        },
        None if outcome == Outcome::Unresolved => Some("unable_to_verify"),
        _ => None,
    }
}

/// Lets the next vendor have its turn if this one gives way. What this one said stays with the check for good; what it
/// says later is of an object that the check is not bound to any more.
pub(crate) fn turn_to_next(state: &mut CheckState) {
    let Some(why) = state.gives_way() else { return };
    let message = match why {
        "no_record" => "The vendor before found no record; this one is tried.",
        "refused" => "The vendor before would not do it; this one is tried.",
        _ => "The vendor before could not find out; this one is tried.",
    };
    let (legs, mut tried) = (std::mem::take(&mut state.legs), std::mem::take(&mut state.tried));
    tried.push(Tried { state: Box::new(std::mem::take(state)) });
    state.stage = Stage::Queued { submission: None, last: Some(Reason::new(why, message)) };
    state.legs = legs;
    state.tried = tried;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SubmissionId;
    use crate::input::{CheckSpec, EmploymentVerification};
    use crate::observation::{Certainty, Observation, ObservedAt, VendorRef};
    use crate::party::ProviderId;
    use crate::reduce::{News, reduce};
    use crate::result::VerificationResult;
    use crate::status::CheckStatus;
    use crate::time::Timestamp;

    fn leg(provider: &str) -> Leg {
        let spec = CheckSpec::EmploymentVerification(EmploymentVerification::default());
        let input = CheckInput::new(spec, serde_json::Map::new());
        Leg { account: AccountKey::default_of(ProviderId::new(provider)), product: None, input }
    }

    fn submission(number: u128) -> SubmissionId {
        SubmissionId::from_uuid(uuid::Uuid::from_u128(number))
    }

    /// A check of two vendors that the first one has.
    fn under_way() -> CheckState {
        let state = CheckState::with_legs(vec![leg("one"), leg("two")]);
        let state = reduce(&state, &News::Sending { submission: submission(1) });
        let (vendor, at) = (VendorRef::order("o1"), Timestamp::EPOCH);
        reduce(&state, &News::Accepted { submission: submission(1), vendor, provisional: false, at })
    }

    fn ended(standing: Standing) -> News {
        let observed = ObservedAt { at: Timestamp::EPOCH, sequence: 1 };
        News::Observed(Observation {
            vendor: VendorRef::order("o1"),
            observed,
            native_status: "done".to_owned(),
            standing,
        })
    }

    fn completed(verdict: Option<Verdict>, outcome: Outcome) -> News {
        let found = VerificationResult { verdict, ..VerificationResult::default() };
        ended(Standing::Completed {
            outcome,
            result: Some(CheckResult::Verification(Box::new(found))),
            reason: None,
            certainty: Certainty::Full,
        })
    }

    #[test]
    fn the_next_vendor_has_its_turn_where_one_has_no_answer_and_only_there() {
        let refused = || Reason::new("refused", "");
        for (news, why) in [
            (completed(Some(Verdict::NoRecord), Outcome::Consider), Some("no_record")),
            (completed(Some(Verdict::UnableToVerify), Outcome::Unresolved), Some("unable_to_verify")),
            (completed(None, Outcome::Unresolved), Some("unable_to_verify")),
            (ended(Standing::Failed { reason: refused() }), Some("refused")),
            (ended(Standing::Canceled { reason: refused() }), Some("refused")),
            (completed(Some(Verdict::Verified), Outcome::Clear), None),
            (completed(Some(Verdict::Verified), Outcome::Unresolved), None),
            (completed(Some(Verdict::Discrepancy), Outcome::Consider), None),
        ] {
            let after = reduce(&under_way(), &news);
            assert_eq!(
                after.status_reason().map(|reason| reason.code.as_str()).filter(|_| !after.tried.is_empty()),
                why
            );
            assert_eq!(after.tried.len(), usize::from(why.is_some()));
            assert_eq!(after.status() == CheckStatus::Queued, why.is_some(), "{why:?}");
            if why.is_some() {
                assert_eq!((after.sends, after.leg().map(|leg| leg.account.provider.as_str())), (0, Some("two")));
                assert!(after.tried[0].state.status().is_final() && after.tried[0].state.legs.is_empty());
                assert_eq!(reduce(&after, &news), after, "news of the first vendor is of no weight any more");
            }
        }
    }

    #[test]
    fn what_is_canceled_is_tried_nowhere_else_and_the_last_vendor_is_the_end() {
        let cancel = News::CancelRequested { why: Reason::new("canceled", ""), at: Timestamp::EPOCH };
        let no_record = completed(Some(Verdict::NoRecord), Outcome::Consider);
        let stopped = reduce(&reduce(&under_way(), &cancel), &no_record);
        assert_eq!((stopped.status(), stopped.tried.len()), (CheckStatus::Completed, 0));

        let second = reduce(&reduce(&under_way(), &no_record), &News::Sending { submission: submission(2) });
        let why = Reason::new("refused", "");
        let last = reduce(&second, &News::Rejected { submission: submission(2), why, at: Timestamp::EPOCH });
        assert_eq!((last.status(), last.tried.len()), (CheckStatus::Failed, 1));
    }
}
