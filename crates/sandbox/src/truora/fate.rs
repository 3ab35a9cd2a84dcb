//! What will become of a check, and when.

use std::time::Duration;

use super::Habits;
use super::form::Fields;

/// See the table in the module's documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Clean,
    Records,
    Homonym,
    Delayed,
    Error,
    NotFound,
    Dead,
    Refused,
    WrongName,
    Media,
    Odd,
    /// Clean, and with records from the second run of a continuous check on.
    Turning,
}

impl Fate {
    pub fn of(form: &Fields) -> Self {
        let searched = ["national_id", "foreign_id", "ptp", "tax_id", "license_plate"];
        let Some(number) = searched.iter().find_map(|field| form.get(*field)) else { return Self::Clean };
        let digits: Vec<u8> = number.bytes().filter(u8::is_ascii_digit).collect();
        match &digits[digits.len().saturating_sub(2)..] {
            b"89" => Self::Turning,
            b"90" => Self::Records,
            b"91" => Self::Homonym,
            b"92" => Self::Delayed,
            b"93" => Self::Error,
            b"94" => Self::NotFound,
            b"95" => Self::Dead,
            b"96" => Self::Refused,
            b"97" => Self::WrongName,
            b"98" => Self::Media,
            b"99" => Self::Odd,
            _ => Self::Clean,
        }
    }

    /// How a run of a continuous check ends: as the check that it began with, but for the numbers that turn.
    pub fn of_run(form: &Fields, number: usize) -> Self {
        match Self::of(form) {
            Self::Turning if number > 1 => Self::Records,
            fate => fate,
        }
    }

    /// The statuses it goes through, each with the time after creation at which it begins.
    pub fn course(self, habits: &Habits) -> Vec<(Duration, Status)> {
        let queued = Duration::from_millis(habits.queue_ms);
        let run = queued + Duration::from_millis(habits.run_ms);
        let late = run + Duration::from_millis(habits.delayed_ms);
        let mut course = vec![(Duration::ZERO, Status::NotStarted), (queued, Status::InProgress)];
        match self {
            Self::Error => course.push((run, Status::Error)),
            Self::Delayed => course.extend([(run, Status::Delayed), (late, Status::Completed)]),
            Self::Odd => course.extend([(run, Status::Paused), (late, Status::Completed)]),
            _ => course.push((run, Status::Completed)),
        }
        course
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    NotStarted,
    InProgress,
    Delayed,
    /// No document knows it.
    Paused,
    Completed,
    Error,
}

impl Status {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::InProgress => "in_progress",
            Self::Delayed => "delayed",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Error => "error",
        }
    }

    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Error)
    }

    /// The action of the hook that tells of it; `None`: no hook does.
    pub const fn hook_action(self) -> Option<&'static str> {
        match self {
            Self::NotStarted => Some("created"),
            Self::InProgress => Some("started"),
            Self::Delayed => Some("delayed"),
            Self::Paused => None,
            Self::Completed | Self::Error => Some("finished"),
        }
    }
}
