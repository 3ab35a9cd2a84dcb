//! The states a caller sees.

use serde::{Deserialize, Serialize};

use crate::result::Outcome;

macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word used in JSON, in the database and in texts.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use words;

/// Where a check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// Durable here; no vendor call is under way.
    Queued,
    /// A create call is in flight.
    Submitting,
    /// The call's outcome is unknown; reconciliation is looking for it.
    Unconfirmed,
    /// The vendor confirmed it and works on it.
    InProgress,
    /// The vendor waits for someone; `action` says for whom and what.
    ActionRequired,
    /// Reconciliation cannot decide safely; ops must.
    NeedsReview,
    /// A result is here; `outcome` is set. Final.
    Completed,
    /// By the caller or by the vendor; `status_reason` says why. Final.
    Canceled,
    /// Refused or given up; `status_reason` says why. Final.
    Failed,
}

words!(CheckStatus {
    Queued = "queued",
    Submitting = "submitting",
    Unconfirmed = "unconfirmed",
    InProgress = "in_progress",
    ActionRequired = "action_required",
    NeedsReview = "needs_review",
    Completed = "completed",
    Canceled = "canceled",
    Failed = "failed",
});

impl CheckStatus {
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Canceled | Self::Failed)
    }
}

/// Where an order stands, derived from its checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    Queued,
    Submitting,
    InProgress,
    Unconfirmed,
    ActionRequired,
    NeedsReview,
    Completed,
    Canceled,
    Failed,
}

words!(OrderStatus {
    Queued = "queued",
    Submitting = "submitting",
    InProgress = "in_progress",
    Unconfirmed = "unconfirmed",
    ActionRequired = "action_required",
    NeedsReview = "needs_review",
    Completed = "completed",
    Canceled = "canceled",
    Failed = "failed",
});

impl OrderStatus {
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Canceled | Self::Failed)
    }

    /// All final: completed if any check completed, else canceled if any was, else failed.
    /// Otherwise the most urgent of what is open.
    pub fn of(checks: impl IntoIterator<Item = CheckStatus>) -> Self {
        checks.into_iter().map(Self::from).max_by_key(|status| status.urgency()).unwrap_or(Self::Queued)
    }

    const fn urgency(self) -> u8 {
        match self {
            Self::Failed => 0,
            Self::Canceled => 1,
            Self::Completed => 2,
            Self::Queued => 3,
            Self::Submitting => 4,
            Self::InProgress => 5,
            Self::Unconfirmed => 6,
            Self::ActionRequired => 7,
            Self::NeedsReview => 8,
        }
    }
}

impl From<CheckStatus> for OrderStatus {
    fn from(status: CheckStatus) -> Self {
        match status {
            CheckStatus::Queued => Self::Queued,
            CheckStatus::Submitting => Self::Submitting,
            CheckStatus::Unconfirmed => Self::Unconfirmed,
            CheckStatus::InProgress => Self::InProgress,
            CheckStatus::ActionRequired => Self::ActionRequired,
            CheckStatus::NeedsReview => Self::NeedsReview,
            CheckStatus::Completed => Self::Completed,
            CheckStatus::Canceled => Self::Canceled,
            CheckStatus::Failed => Self::Failed,
        }
    }
}

/// An order's outcome once all its checks are final, from each check's status and outcome; `None` unless one completed.
/// Nobody is cleared by what was never checked: a check without a result makes the whole unresolved.
pub fn order_outcome(checks: impl IntoIterator<Item = (CheckStatus, Option<Outcome>)>) -> Option<Outcome> {
    let mut outcome = Outcome::Clear;
    let mut completed = false;
    for (status, check) in checks {
        completed |= status == CheckStatus::Completed;
        outcome = match check {
            Some(Outcome::Consider) => return Some(Outcome::Consider),
            Some(Outcome::Clear) if status == CheckStatus::Completed => outcome,
            _ => Outcome::Unresolved,
        };
    }
    completed.then_some(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_as_urgent_as_its_most_urgent_check() {
        use CheckStatus as C;
        assert_eq!(OrderStatus::of([C::Completed, C::Failed]), OrderStatus::Completed);
        assert_eq!(OrderStatus::of([C::Canceled, C::Failed]), OrderStatus::Canceled);
        assert_eq!(OrderStatus::of([C::Completed, C::Queued]), OrderStatus::Queued);
        assert_eq!(OrderStatus::of([C::InProgress, C::Unconfirmed]), OrderStatus::Unconfirmed);
        assert_eq!(OrderStatus::of([C::NeedsReview, C::ActionRequired]), OrderStatus::NeedsReview);
    }

    #[test]
    fn nobody_is_cleared_by_what_was_never_checked() {
        use CheckStatus as C;
        assert_eq!(order_outcome([(C::Completed, Some(Outcome::Clear))]), Some(Outcome::Clear));
        assert_eq!(order_outcome([(C::Completed, Some(Outcome::Clear)), (C::Failed, None)]), Some(Outcome::Unresolved));
        assert_eq!(
            order_outcome([(C::Completed, Some(Outcome::Consider)), (C::Failed, None)]),
            Some(Outcome::Consider)
        );
        assert_eq!(order_outcome([(C::Canceled, None)]), None);
    }
}
