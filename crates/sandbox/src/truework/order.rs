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
    /// Has no verification until the applicant signs in.
    Direct,
    Reverification,
}

/// The caller's cancellation.
#[derive(Clone)]
pub struct Cancellation {
    pub reason: String,
    pub details: Option<String>,
    /// The state that it found.
    pub after: &'static str,
    pub at: OffsetDateTime,
}

pub struct Order {
    pub id: String,
    pub mode: Mode,
    /// Made by an older version, where its one verification is all there is.
    pub is_older: bool,
    pub request: Request,
    pub created: OffsetDateTime,
    pub stranger: bool,
    pub verifications: Vec<Verification>,
    /// The applicant's way in.
    pub session_token: String,
    /// Of a reverification: the order that it comes from.
    pub parent: Option<String>,
    pub completion_announced: bool,
}

/// One inquiry at one employer, or at all of them.
pub struct Verification {
    pub id: String,
    pub report_ids: Vec<String>,
    pub created: OffsetDateTime,
    pub canceled: Option<Cancellation>,
    /// How many of its steps were told by hooks.
    pub announced: usize,
    /// How many employers the applicant named before this one.
    pub place: usize,
    approval: Duration,
    work: Duration,
    ending: Ending,
}

impl Order {
    pub fn new(state: &mut State, mode: Mode, request: Request, habits: &Habits, now: OffsetDateTime) -> Self {
        let ending = match (mode, cases::ending(&request.ssn_digits()).unwrap_or(Ending::Invalid)) {
            (Mode::EmployerSearch, Ending::OnlyAtTheEmployer(_)) => NO_MATCH,
            (_, Ending::OnlyAtTheEmployer(employments)) => Ending::Completed(employments),
            (_, ending) => ending,
        };
        let id = id(state.next(), ORDER);
        let created = match mode {
            Mode::Direct => now + Duration::from_millis(habits.sign_in_ms),
            _ => now,
        };
        let endings = match (mode, ending) {
            (Mode::Direct, Ending::NoSignIn) => Vec::new(),
            (Mode::Direct, Ending::Several(endings)) => endings.to_vec(),
            // One verification for each employer.
            (Mode::Direct, Ending::Completed(employments)) => employments.chunks(1).map(Ending::Completed).collect(),
            (_, Ending::Several(endings)) => endings.first().copied().into_iter().collect(),
            // Of the one report that is verified again.
            (Mode::Reverification, Ending::Completed(employments)) => {
                employments.chunks(1).take(1).map(Ending::Completed).collect()
            }
            // A synchronous order is completed or canceled when it is answered, never pending.
            (Mode::EmployerSearch, ending) => vec![synchronous(ending)],
            (_, ending) => vec![ending],
        };
        let pace = match mode {
            Mode::EmployerSearch => (Duration::ZERO, Duration::ZERO),
            _ => (Duration::from_millis(habits.approval_ms), Duration::from_millis(habits.work_ms)),
        };
        let verifications = endings.into_iter().enumerate();
        let verifications =
            verifications.map(|(place, ending)| Verification::new(state, place, ending, created, pace)).collect();
        Self {
            id,
            mode,
            is_older: false,
            request,
            created: now,
            stranger: false,
            verifications,
            session_token: URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()),
            parent: None,
            completion_announced: false,
        }
    }

    /// Nothing comes of it until the applicant signs in.
    pub fn wait_for_the_widget(&mut self) {
        self.begin(self.created + NEVER);
    }

    /// The applicant signs in; a second time makes no difference.
    pub fn sign_in(&mut self, now: OffsetDateTime) {
        if self.verifications.iter().all(|verification| verification.created > now) {
            self.begin(now);
        }
    }

    fn begin(&mut self, at: OffsetDateTime) {
        self.verifications.iter_mut().for_each(|verification| verification.created = at);
    }

    /// Those that there are by now.
    pub fn begun(&self, clock: &SimClock) -> impl Iterator<Item = &Verification> {
        let now = clock.now();
        self.verifications.iter().filter(move |verification| verification.created <= now)
    }

    /// The states of its verifications, for the books.
    pub fn states(&self, clock: &SimClock) -> String {
        let states: Vec<&str> = self.begun(clock).map(|verification| verification.state(clock)).collect();
        if states.is_empty() { "none".to_owned() } else { states.join("+") }
    }

    /// Everything has ended, and there is something.
    pub fn is_over(&self, clock: &SimClock) -> bool {
        let mut all = self.verifications.iter();
        !self.verifications.is_empty() && all.all(|verification| Verification::is_ended(verification.state(clock)))
    }

    /// Its id as its maker knows it.
    pub fn own_id(&self) -> &str {
        if self.is_older { self.verifications.first().map_or(&self.id, |only| &only.id) } else { &self.id }
    }
}

impl Verification {
    fn new(
        state: &mut State,
        place: usize,
        ending: Ending,
        created: OffsetDateTime,
        (approval, work): (Duration, Duration),
    ) -> Self {
        Self {
            id: id(state.next(), VERIFICATION),
            report_ids: employments_of(ending).iter().map(|_| id(state.next(), REPORT)).collect(),
            created,
            canceled: None,
            announced: 0,
            place,
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
            Ending::Completed(_) | Ending::OnlyAtTheEmployer(_) => "completed",
            Ending::Canceled(_) => "canceled",
            Ending::Invalid | Ending::Frozen => "invalid",
            Ending::ActionRequired | Ending::NoSignIn => "action-required",
            Ending::Processing | Ending::Several(_) => "processing",
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

    /// When it came to this of its steps.
    pub fn time_of(&self, step: &str) -> OffsetDateTime {
        match (step, &self.canceled) {
            ("pending-approval", _) => self.created,
            ("processing", _) => self.created + self.approval,
            ("canceled", Some(canceled)) => canceled.at,
            _ => self.completed_at(),
        }
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
        Ending::ActionRequired
        | Ending::NoSignIn
        | Ending::Processing
        | Ending::Unheard
        | Ending::Several(_)
        | Ending::OnlyAtTheEmployer(_) => NO_MATCH,
    }
}

/// Instant sources know nobody.
const NO_MATCH: Ending = Ending::Canceled(Some(("no-match", "no-match")));

/// As long as nobody comes.
const NEVER: Duration = Duration::from_hours(24 * 365 * 100);

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
