//! Until when an upload may go on, however well it keeps its pace: it holds a place and an open transaction, and its batch
//! is listed near the time at which it began.

use std::sync::Arc;
use std::time::Duration;

use domain::{Clock, Timestamp};

use crate::problem::{Kind, Problem};

/// How long an upload may take in all.
const LONGEST: Duration = Duration::from_mins(30);

#[derive(Clone)]
pub struct Deadline {
    clock: Arc<dyn Clock>,
    until: Timestamp,
}

impl Deadline {
    /// Of an upload that begins now.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let until = clock.now() + LONGEST;
        Self { clock, until }
    }

    /// Refuses what is past it.
    pub fn check(&self) -> Result<(), Problem> {
        if self.clock.now() <= self.until {
            return Ok(());
        }
        let minutes = LONGEST.as_secs() / 60;
        let detail =
            format!("The upload was not taken in within {minutes} minutes. Nothing of it was accepted; split it.");
        Err(Problem::new(Kind::TooSlow, detail))
    }
}
