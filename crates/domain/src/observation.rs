//! What was seen at a vendor. An observation is never a decision: the reducer decides.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::result::{CheckResult, Outcome, Reason};
use crate::status::words;
use crate::time::Timestamp;

/// A vendor's object that fulfils a check. Ids are opaque and compared exactly.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct VendorRef {
    pub order_id: String,
    /// The part of the vendor's order that is ours, where the vendor has parts and its id is known yet.
    pub check_id: Option<String>,
}

impl VendorRef {
    pub fn order(order_id: impl Into<String>) -> Self {
        Self { order_id: order_id.into(), check_id: None }
    }
}

/// When something was seen. Orders observations: by the vendor's own time where it gives one, else by the start of our
/// fetch, then by a number that the gateway hands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObservedAt {
    pub at: Timestamp,
    pub sequence: i64,
}

/// How far a vendor's answer can be trusted to be its last word on the matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// This source does not tell everything (a GET that hides whether there was a discrepancy).
    Partial,
    /// This source tells everything there is.
    Full,
}

/// One look at a vendor's object.
#[derive(Clone, PartialEq)]
pub struct Observation {
    pub vendor: VendorRef,
    pub observed: ObservedAt,
    /// The vendor's own word, unchanged.
    pub native_status: String,
    pub standing: Standing,
}

impl std::fmt::Debug for Observation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Observation({:?}, {:?})", self.observed, self.native_status)
    }
}

/// What the vendor's word means in ours.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum Standing {
    Working {
        estimated_completion_at: Option<Timestamp>,
    },
    /// The vendor waits for someone.
    Waiting {
        action: Action,
    },
    /// No mapping knows the vendor's word. The check stays in progress, and it is said aloud.
    Unknown,
    Completed {
        outcome: Outcome,
        result: Option<CheckResult>,
        reason: Option<Reason>,
        certainty: Certainty,
    },
    Canceled {
        reason: Reason,
    },
    Failed {
        reason: Reason,
    },
}

impl std::fmt::Debug for Standing {
    /// The variant only: results are personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Working { .. } => "Working",
            Self::Waiting { .. } => "Waiting",
            Self::Unknown => "Unknown",
            Self::Completed { .. } => "Completed",
            Self::Canceled { .. } => "Canceled",
            Self::Failed { .. } => "Failed",
        })
    }
}

impl Standing {
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Completed { .. } | Self::Canceled { .. } | Self::Failed { .. })
    }
}

/// What a caller answers to an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ActionAnswer {
    /// The applicant needs a link that works.
    ResendLink {},
}

impl ActionAnswer {
    /// The word for it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::ResendLink {} => "resend_link",
        }
    }
}

/// What the vendor waits for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Action {
    #[serde(rename = "type")]
    pub kind: ActionKind,
    pub url: Option<String>,
    pub token: Option<String>,
    pub expires_at: Option<Timestamp>,
    /// What is to be done, in a sentence.
    pub message: Option<String>,
}

impl Action {
    /// Whether it is a link that can be followed now. One without an end may have ended.
    pub fn is_live_link(&self, now: Timestamp) -> bool {
        self.kind == ActionKind::ApplicantLink
            && self.url.is_some()
            && self.expires_at.is_some_and(|expires_at| expires_at > now)
    }

    pub fn of(kind: ActionKind, message: impl Into<String>) -> Self {
        Self { kind, url: None, token: None, expires_at: None, message: Some(message.into()) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// The applicant must follow a link.
    ApplicantLink,
    /// Somebody must act in the vendor's dashboard.
    Dashboard,
    /// A document is missing.
    Document,
    /// The vendor handed the matter to a person.
    Human,
}

words!(ActionKind { ApplicantLink = "applicant_link", Dashboard = "dashboard", Document = "document", Human = "human" });
