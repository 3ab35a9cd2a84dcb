//! An order of the simulator, and how it moves with time.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use time::OffsetDateTime;

use super::cases::{self, Employment, Ending};
use super::intake::Request;
use super::{Habits, State};
use crate::clock::SimClock;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    TargetEmployer,
    EmployerSearch,
}

/// The caller's cancellation.
#[derive(Clone)]
pub struct Cancellation {
    pub reason: String,
    pub details: Option<String>,
    /// The state that it found.
    pub after: &'static str,
}

pub struct Order {
    pub id: String,
    pub verification_id: String,
    pub report_ids: Vec<String>,
    pub mode: Mode,
    pub request: Request,
    pub created: OffsetDateTime,
    pub canceled: Option<Cancellation>,
    pub stranger: bool,
    /// How many of its steps were told by hooks.
    pub announced: usize,
    pub completion_announced: bool,
    approval: Duration,
    work: Duration,
    ending: Ending,
}

impl Order {
    pub fn new(state: &mut State, mode: Mode, request: Request, habits: &Habits, now: OffsetDateTime) -> Self {
        let ending = cases::ending(&request.ssn_digits()).unwrap_or(Ending::Invalid);
        let (approval, work, ending) = match mode {
            Mode::TargetEmployer => {
                (Duration::from_millis(habits.approval_ms), Duration::from_millis(habits.work_ms), ending)
            }
            // A synchronous order is completed or canceled when it is answered, never pending.
            Mode::EmployerSearch => (Duration::ZERO, Duration::ZERO, synchronous(ending)),
        };
        Self {
            id: id(state.next(), ORDER),
            verification_id: id(state.next(), VERIFICATION),
            report_ids: employments_of(ending).iter().map(|_| id(state.next(), REPORT)).collect(),
            mode,
            request,
            created: now,
            canceled: None,
            stranger: false,
            announced: 0,
            completion_announced: false,
            approval,
            work,
            ending,
        }
    }

    /// The states from the first one to the one that it has come to.
    pub fn steps(&self, clock: &SimClock) -> Vec<&'static str> {
        let elapsed = clock.elapsed_since(self.created);
        let mut steps = vec!["pending-approval"];
        if elapsed >= self.approval {
            steps.push("processing");
        }
        if elapsed >= self.approval + self.work && self.end_state() != "processing" {
            steps.push(self.end_state());
        }
        if let Some(canceled) = &self.canceled {
            let reached = steps.iter().position(|step| *step == canceled.after).unwrap_or_default();
            steps.truncate(reached + 1);
            steps.push("canceled");
        }
        steps
    }

    pub fn state(&self, clock: &SimClock) -> &'static str {
        self.steps(clock).pop().unwrap_or_default()
    }

    /// The raw word beside the canonical one.
    pub fn raw_state(canonical: &'static str) -> &'static str {
        if canonical == "other" { "under-audit" } else { canonical }
    }

    pub fn is_ended(state: &str) -> bool {
        matches!(state, "completed" | "canceled" | "invalid")
    }

    fn end_state(&self) -> &'static str {
        match self.ending {
            Ending::Completed(_) => "completed",
            Ending::Canceled(_) => "canceled",
            Ending::Invalid | Ending::Frozen => "invalid",
            Ending::ActionRequired => "action-required",
            Ending::Processing => "processing",
            Ending::Unheard => "other",
        }
    }

    /// The canonical and the raw word of why it was canceled.
    pub fn cancellation_reason(&self) -> Option<(&str, &str)> {
        match (&self.canceled, self.ending) {
            (Some(canceled), _) => Some((&canceled.reason, &canceled.reason)),
            (None, Ending::Canceled(reason)) => reason,
            (None, _) => None,
        }
    }

    /// The reports' contents, in the order of `report_ids`.
    pub fn employments(&self) -> &'static [Employment] {
        employments_of(self.ending)
    }

    pub fn completed_at(&self) -> OffsetDateTime {
        self.created + self.approval + self.work
    }
}

fn employments_of(ending: Ending) -> &'static [Employment] {
    match ending {
        Ending::Completed(employments) => employments,
        _ => &[],
    }
}

fn synchronous(ending: Ending) -> Ending {
    match ending {
        Ending::Completed(_) | Ending::Canceled(_) | Ending::Invalid | Ending::Frozen => ending,
        Ending::ActionRequired | Ending::Processing | Ending::Unheard => {
            Ending::Canceled(Some(("no-match", "no-match")))
        }
    }
}

const VERIFICATION: u16 = 0x0007;
const REPORT: u16 = 0x000b;
/// Ours: no order's id was seen.
const ORDER: u16 = 0x0020;

/// Ids are 56 characters: a serial number, a kind, and 32 bytes that look like a MAC, in base64url.
fn id(serial: u64, kind: u16) -> String {
    let mut bytes = Vec::from(serial.to_be_bytes());
    bytes.extend(kind.to_be_bytes());
    bytes.extend(rand::random::<[u8; 32]>());
    URL_SAFE_NO_PAD.encode(bytes)
}
