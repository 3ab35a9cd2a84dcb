use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::observation::{Action, ActionKind};
use crate::result::{CheckResult, Outcome, VerificationResult};
use crate::status::CheckStatus;

fn submission(n: u128) -> SubmissionId {
    SubmissionId::from_uuid(Uuid::from_u128(n))
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::EPOCH + std::time::Duration::from_secs(seconds)
}

fn why(code: &str) -> Reason {
    Reason::new(code, "because")
}

fn after(news: &[News]) -> CheckState {
    news.iter().fold(CheckState::new(), |state, news| reduce(&state, news))
}

fn bound() -> CheckState {
    after(&[
        News::Sending { submission: submission(1) },
        News::Accepted { submission: submission(1), vendor: VendorRef::order("v1"), provisional: false, at: at(1) },
    ])
}

fn any_outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![Just(Outcome::Clear), Just(Outcome::Consider), Just(Outcome::Unresolved)]
}

fn any_standing() -> impl Strategy<Value = Standing> {
    let result = prop::option::of("[a-c]").prop_map(|comments| {
        comments.map(|comments| {
            CheckResult::Verification(Box::new(VerificationResult { comments: Some(comments), ..Default::default() }))
        })
    });
    let certainty = prop_oneof![Just(Certainty::Partial), Just(Certainty::Full)];
    prop_oneof![
        prop::option::of(0..3_u64).prop_map(|eta| Standing::Working { estimated_completion_at: eta.map(at) }),
        Just(Standing::Waiting { action: Action::of(ActionKind::Human, "act") }),
        Just(Standing::Unknown),
        (any_outcome(), result, certainty).prop_map(|(outcome, result, certainty)| {
            Standing::Completed { outcome, result, reason: None, certainty }
        }),
        "[ab]".prop_map(|code| Standing::Canceled { reason: why(&code) }),
        "[ab]".prop_map(|code| Standing::Failed { reason: why(&code) }),
    ]
}

fn any_observation() -> impl Strategy<Value = Observation> {
    (prop::option::of(Just("part".to_owned())), 0..6_u64, 0..3_i64, "[xy]", any_standing()).prop_map(
        |(check_id, seconds, sequence, native_status, standing)| Observation {
            vendor: VendorRef { order_id: "v1".into(), check_id },
            observed: ObservedAt { at: at(seconds), sequence },
            native_status,
            standing,
        },
    )
}

fn any_news() -> impl Strategy<Value = News> {
    let sub = || (1..4_u128).prop_map(submission);
    let vendor = || "v[12]".prop_map(VendorRef::order);
    prop_oneof![
        sub().prop_map(|submission| News::Sending { submission }),
        sub().prop_map(|submission| News::NotSent { submission, why: why("not_sent") }),
        sub().prop_map(|submission| News::MustBeNew { submission, why: why("held_elsewhere") }),
        (sub(), vendor(), any::<bool>()).prop_map(|(submission, vendor, provisional)| {
            News::Accepted { submission, vendor, provisional, at: at(1) }
        }),
        (sub(), vendor()).prop_map(|(submission, vendor)| News::Adopted { submission, vendor, at: at(1) }),
        sub().prop_map(|submission| News::Rejected { submission, why: why("rejected"), at: at(2) }),
        sub().prop_map(|submission| News::Unconfirmed { submission, why: why("timeout") }),
        (sub(), vendor()).prop_map(|(submission, vendor)| News::Located { submission, vendor, at: at(3) }),
        sub().prop_map(|submission| News::Absent { submission, then: AfterAbsence::Resend, at: at(4) }),
        sub().prop_map(|submission| News::Absent {
            submission,
            then: AfterAbsence::Fail { reason: why("refused") },
            at: at(4)
        }),
        sub().prop_map(|submission| News::NeedsReview { submission, why: why("look_alike") }),
        vendor().prop_map(|vendor| News::Confirmed { vendor }),
        vendor().prop_map(|vendor| News::Misbound { vendor, why: why("foreign_reference") }),
        any_observation().prop_map(News::Observed),
        Just(News::CancelRequested { why: why("caller"), at: at(5) }),
        Just(News::CancelAsked),
        Just(News::CancelRefused { why: why("not_cancelable") }),
        sub().prop_map(|submission| News::Proven { submission, why: why("proven") }),
    ]
}

proptest! {
    #[test]
    fn observations_in_any_order_and_number_end_in_the_same_state(
        observations in prop::collection::vec(any_observation(), 0..8),
        repeats in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        seed: u64,
    ) {
        let forward = observations.iter().fold(bound(), |state, seen| reduce(&state, &News::Observed(seen.clone())));
        let mut shuffled = observations.clone();
        if !observations.is_empty() {
            shuffled.extend(repeats.iter().map(|index| index.get(&observations).clone()));
        }
        // A cheap shuffle that the seed replays.
        let mut random = seed;
        for i in (1..shuffled.len()).rev() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(i, usize::try_from(random >> 33).unwrap_or(0) % (i + 1));
        }
        let backward = shuffled.iter().fold(bound(), |state, seen| reduce(&state, &News::Observed(seen.clone())));
        prop_assert!(forward == backward);
    }

    #[test]
    fn a_final_status_never_goes_back_and_a_confirmed_binding_never_changes(news in prop::collection::vec(any_news(), 0..24)) {
        let mut state = CheckState::new();
        for news in &news {
            let next = reduce(&state, news);
            if state.status().is_final() {
                prop_assert!(next.status().is_final(), "{news:?}");
                // Only another ending of the vendor's own can change which final status it is.
                if !matches!(news, News::Observed(_)) {
                    prop_assert_eq!(state.status(), next.status(), "{:?}", news);
                }
            }
            let was_wrong = matches!(news, News::Misbound { .. }) && next.binding().is_none();
            if let Some(before) = state.binding().filter(|binding| !(binding.provisional && was_wrong)) {
                let now = next.binding().map(|binding| &binding.vendor);
                prop_assert_eq!(now.map(|vendor| &vendor.order_id), Some(&before.vendor.order_id));
                prop_assert!(before.vendor.check_id.is_none() || now.map(|vendor| &vendor.check_id) == Some(&before.vendor.check_id));
            }
            if matches!(state.stage, Stage::Unconfirmed { .. } | Stage::NeedsReview { .. }) && next.status() == CheckStatus::Queued {
                prop_assert!(matches!(news, News::Absent { then: AfterAbsence::Resend, .. } | News::MustBeNew { .. }), "sent again without absence: {news:?}");
            }
            prop_assert!(next.sends.abs_diff(state.sends) <= 1);
            state = next;
        }
    }

    #[test]
    fn only_a_binding_by_position_can_turn_out_wrong(provisional: bool, other: bool) {
        let vendor = VendorRef::order("v1");
        let at_vendor = after(&[
            News::Sending { submission: submission(1) },
            News::Accepted { submission: submission(1), vendor: vendor.clone(), provisional, at: at(1) },
        ]);
        let named = if other { VendorRef::order("v2") } else { vendor };
        let next = reduce(&at_vendor, &News::Misbound { vendor: named, why: why("foreign_reference") });
        prop_assert_eq!(next.status() == CheckStatus::Unconfirmed, provisional && !other);
        prop_assert_eq!(next.binding().is_some(), !provisional || other);
    }

    #[test]
    fn news_told_twice_change_nothing(news in prop::collection::vec(any_news(), 0..16)) {
        let mut state = CheckState::new();
        for news in &news {
            state = reduce(&state, news);
            let again = reduce(&state, news);
            prop_assert!(state == again, "{news:?}");
        }
    }
}

#[test]
fn a_lost_answer_is_bound_when_it_is_found() {
    let state = after(&[
        News::Sending { submission: submission(1) },
        News::Unconfirmed { submission: submission(1), why: why("timeout") },
    ]);
    assert_eq!(state.status(), CheckStatus::Unconfirmed);
    let state = reduce(&state, &News::Located { submission: submission(1), vendor: VendorRef::order("v"), at: at(9) });
    assert_eq!(state.status(), CheckStatus::InProgress);
    assert_eq!(state.sends, 1);
}

#[test]
fn a_late_answer_of_a_call_given_up_as_absent_still_binds_before_it_is_sent_again() {
    let lost = [
        News::Sending { submission: submission(1) },
        News::Unconfirmed { submission: submission(1), why: why("timeout") },
        News::Absent { submission: submission(1), then: AfterAbsence::Resend, at: at(2) },
    ];
    let late =
        News::Accepted { submission: submission(1), vendor: VendorRef::order("v"), provisional: false, at: at(3) };
    assert_eq!(reduce(&after(&lost), &late).status(), CheckStatus::InProgress);
    let resent = reduce(&after(&lost), &News::Sending { submission: submission(2) });
    assert_eq!(reduce(&resent, &late).status(), CheckStatus::Submitting, "another call is under way now");
}

#[test]
fn a_canceled_check_is_settled_first_and_never_sent_again() {
    let unknown = after(&[
        News::Sending { submission: submission(1) },
        News::CancelRequested { why: why("caller"), at: at(1) },
        News::Unconfirmed { submission: submission(1), why: why("timeout") },
    ]);
    assert_eq!(unknown.status(), CheckStatus::Unconfirmed);
    let absent = reduce(&unknown, &News::Absent { submission: submission(1), then: AfterAbsence::Resend, at: at(2) });
    assert_eq!(absent.status(), CheckStatus::Canceled);
    let found =
        reduce(&unknown, &News::Located { submission: submission(1), vendor: VendorRef::order("v"), at: at(2) });
    assert!(found.cancel_is_due());
}

#[test]
fn what_tells_more_beats_what_is_later() {
    let seen = |seconds, outcome, certainty| {
        News::Observed(Observation {
            vendor: VendorRef::order("v1"),
            observed: ObservedAt { at: at(seconds), sequence: 0 },
            native_status: "COMPLETED".into(),
            standing: Standing::Completed { outcome, result: None, reason: None, certainty },
        })
    };
    let state = [seen(2, Outcome::Clear, Certainty::Full), seen(5, Outcome::Unresolved, Certainty::Partial)]
        .iter()
        .fold(bound(), |state, news| reduce(&state, news));
    assert_eq!(state.outcome(), Some(Outcome::Clear));
    assert_eq!(state.revision(), 2);
}
