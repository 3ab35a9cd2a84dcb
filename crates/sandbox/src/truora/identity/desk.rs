//! The links and processes of the one account that the simulator has.

use std::collections::HashMap;
use std::time::Duration;

use time::OffsetDateTime;

use super::super::account::new_id;
use super::IdentityHabits;
use crate::clock::SimClock;

/// See the table in the module's documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Good,
    Photocopy,
    OtherFace,
    Late,
    Expired,
    DeclinedThenGood,
    GoodThenDeclined,
    Refused,
    Canceled,
    NoRegister,
    Odd,
}

impl Fate {
    pub fn of(phone: &str) -> Self {
        let digits: Vec<u8> = phone.bytes().filter(u8::is_ascii_digit).collect();
        match &digits[digits.len().saturating_sub(2)..] {
            b"90" => Self::Photocopy,
            b"91" => Self::OtherFace,
            b"92" => Self::Late,
            b"93" => Self::Expired,
            b"94" => Self::DeclinedThenGood,
            b"95" => Self::GoodThenDeclined,
            b"96" => Self::Refused,
            b"97" => Self::Canceled,
            b"98" => Self::NoRegister,
            b"99" => Self::Odd,
            _ => Self::Good,
        }
    }

    /// The steps it goes through, each with the time after its beginning.
    fn course(self, habits: &IdentityHabits) -> Vec<(Duration, Step)> {
        let run = Duration::from_millis(habits.run_ms);
        let late = run + Duration::from_millis(habits.late_ms);
        let overridden = run + Duration::from_millis(habits.override_ms);
        let mut course = vec![(Duration::ZERO, Step::Pending)];
        match self {
            Self::Good | Self::Refused => course.push((run, Step::Success)),
            Self::Late => course.push((late, Step::Success)),
            Self::Odd => course.extend([(run, Step::Odd), (late, Step::Success)]),
            Self::DeclinedThenGood => course.extend([(run, Step::Failure), (overridden, Step::OverriddenToSuccess)]),
            Self::GoodThenDeclined => course.extend([(run, Step::Success), (overridden, Step::OverriddenToFailure)]),
            _ => course.push((run, Step::Failure)),
        }
        course
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Pending,
    /// No document knows it.
    Odd,
    Success,
    Failure,
    OverriddenToSuccess,
    OverriddenToFailure,
}

impl Step {
    /// `status`, and what it was overridden to.
    pub const fn words(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Pending => ("pending", None),
            Self::Odd => ("manual_review", None),
            Self::Success => ("success", None),
            Self::Failure => ("failure", None),
            Self::OverriddenToSuccess => ("failure", Some("success")),
            Self::OverriddenToFailure => ("success", Some("failure")),
        }
    }

    /// The action of the hook that tells of it; `None`: no hook does.
    const fn hook_action(self) -> Option<&'static str> {
        match self {
            Self::Pending => Some("created"),
            Self::Odd => None,
            Self::Success => Some("succeeded"),
            Self::Failure => Some("failed"),
            Self::OverriddenToSuccess | Self::OverriddenToFailure => Some("status_overridden"),
        }
    }
}

#[derive(Clone)]
pub struct Process {
    pub id: String,
    pub account_id: String,
    pub flow_id: String,
    pub fate: Fate,
    course: Vec<(Duration, Step)>,
    at: usize,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
}

impl Process {
    pub fn step(&self) -> Step {
        self.course[self.at].1
    }

    /// The word that counts.
    pub fn word(&self) -> &'static str {
        let (status, overridden) = self.step().words();
        overridden.unwrap_or(status)
    }

    pub fn has_ended(&self) -> bool {
        !matches!(self.step(), Step::Pending | Step::Odd)
    }
}

/// A process reached a step of its course.
pub struct News {
    /// As it stood then.
    pub process: Process,
    pub action: &'static str,
}

struct Link {
    flow_id: String,
    account_id: String,
    phone: String,
    ends_at: OffsetDateTime,
    process: Option<usize>,
}

/// What came of opening a link.
pub enum Opened {
    Process(String),
    Ended,
    Unknown,
}

#[derive(Default)]
pub struct Desk {
    links: HashMap<String, Link>,
    processes: Vec<Process>,
    /// Begun since the desk was last moved on.
    fresh: Vec<usize>,
}

impl Desk {
    /// Oldest first.
    pub fn processes(&self) -> &[Process] {
        &self.processes
    }

    pub fn find(&self, id: &str) -> Option<&Process> {
        self.processes.iter().find(|process| process.id == id)
    }

    pub fn add_link(&mut self, token: String, flow_id: &str, account_id: &str, phone: &str, ends_at: OffsetDateTime) {
        let (flow_id, account_id, phone) = (flow_id.to_owned(), account_id.to_owned(), phone.to_owned());
        self.links.insert(token, Link { flow_id, account_id, phone, ends_at, process: None });
    }

    /// The applicant opens a link: a process begins, or goes on.
    pub fn open(&mut self, token: &str, habits: &IdentityHabits, now: OffsetDateTime) -> Opened {
        let Some(link) = self.links.get_mut(token) else { return Opened::Unknown };
        if now >= link.ends_at {
            return Opened::Ended;
        }
        if habits.one_process_per_account && link.process.is_none() {
            link.process = self.processes.iter().position(|process| process.account_id == link.account_id);
        }
        let at = *link.process.get_or_insert_with(|| {
            let fate = Fate::of(&link.phone);
            self.processes.push(Process {
                id: new_id("IDP", 16),
                account_id: link.account_id.clone(),
                flow_id: link.flow_id.clone(),
                fate,
                course: fate.course(habits),
                at: 0,
                created_at: now,
                updated_at: now,
            });
            self.fresh.push(self.processes.len() - 1);
            self.processes.len() - 1
        });
        Opened::Process(self.processes[at].id.clone())
    }

    /// Lets each process get as far as its time allows. Gives what happened since the last time, in order.
    pub fn move_on(&mut self, clock: &SimClock) -> Vec<News> {
        let mut news = Vec::new();
        let now = clock.now();
        for (at, process) in self.processes.iter_mut().enumerate() {
            let mut tell = |process: &Process| {
                news.extend(process.step().hook_action().map(|action| News { process: process.clone(), action }));
            };
            if self.fresh.contains(&at) {
                tell(process);
            }
            let elapsed = clock.elapsed_since(process.created_at);
            while process.course.get(process.at + 1).is_some_and(|(due, _)| *due <= elapsed) {
                process.at += 1;
                process.updated_at = now;
                tell(process);
            }
        }
        self.fresh.clear();
        news
    }
}
