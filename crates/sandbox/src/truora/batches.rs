//! Batches: a file of up to 1,000 rows that becomes checks.
//!
//! A batch is created, its file put under a link of its own, and started; then its rows become checks of the account, some
//! at each moment, under the same rules as single ones. What became of them says a report, which is asked for.

mod calls;
mod report;
mod sheet;
mod switches;

use std::collections::BTreeMap;
use std::time::Duration;

use time::OffsetDateTime;

use super::Habits;
use super::account::{Account, Created, new_id};
use super::checks::TOO_MANY;
use super::fate::Fate;
use super::form::{self, Fields};
use crate::books::BatchEntry;
use crate::clock::{SimClock, rfc3339};

pub use calls::{around_key, behind_key, classify};
pub use switches::{BatchHabits, MappedReference, SecondStart};

/// How long a link is good, to put a file or to fetch one.
const LINK: Duration = Duration::from_mins(30);

/// The largest file that is taken, as the link says.
const MAX_FILE: usize = 209_715_200;

pub struct Batch {
    pub id: String,
    kind: String,
    country: String,
    /// The input of each column, in order.
    columns: Vec<String>,
    /// Of a batch of continuous checks.
    frequency: Option<String>,
    /// What its links are good for only with.
    token: String,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
    /// The rows of its file; `Err`: why it cannot be read.
    file: Option<Result<Vec<Fields>, String>>,
    starts: Vec<OffsetDateTime>,
    /// What came of the rows so far, those of a second start behind those of the first.
    done: Vec<Row>,
    status: Status,
    failure: Option<String>,
    report_asked_at: Option<OffsetDateTime>,
}

/// What came of a row.
struct Row {
    /// In the sheet, from 2: the first has the names.
    number: usize,
    fields: Fields,
    /// The check, by its place in the account; or why there is none.
    outcome: Result<usize, String>,
}

/// Not the words of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    NotStarted,
    InProgress,
    Finished,
    Stopped,
    Error,
}

impl Status {
    const fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::InProgress => "in_progress",
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Error => "error",
        }
    }

    const fn is_final(self) -> bool {
        matches!(self, Self::Finished | Self::Stopped | Self::Error)
    }
}

/// The batches of the account, oldest first.
#[derive(Default)]
pub struct Batches(Vec<Batch>);

impl Batches {
    fn find(&self, id: &str) -> Option<&Batch> {
        self.0.iter().find(|batch| batch.id == id)
    }

    fn find_mut(&mut self, id: &str) -> Option<&mut Batch> {
        self.0.iter_mut().find(|batch| batch.id == id)
    }

    pub fn entries(&self) -> Vec<BatchEntry> {
        let entry = |batch: &Batch| BatchEntry {
            id: batch.id.clone(),
            state: batch.status.as_str().to_owned(),
            created_at: rfc3339(batch.created_at),
            rows: batch.rows().len(),
            starts: batch.starts.len(),
        };
        self.0.iter().map(entry).collect()
    }
}

impl Batch {
    fn new(kind: &str, country: &str, columns: Vec<String>, frequency: Option<String>, now: OffsetDateTime) -> Self {
        Self {
            id: new_id("BCH", 16),
            kind: kind.to_owned(),
            country: country.to_owned(),
            columns,
            frequency,
            token: new_id("", 20),
            created_at: now,
            updated_at: now,
            file: None,
            starts: Vec::new(),
            done: Vec::new(),
            status: Status::NotStarted,
            failure: None,
            report_asked_at: None,
        }
    }

    /// The rows of the file that can be read.
    fn rows(&self) -> &[Fields] {
        self.file.as_ref().and_then(|file| file.as_ref().ok()).map_or(&[], Vec::as_slice)
    }

    fn begin(&mut self, habits: &BatchHabits, now: OffsetDateTime) {
        self.starts.push(now);
        self.updated_at = now;
        let failure = match &self.file {
            Some(Err(why)) => Some(why.clone()),
            Some(Ok(rows)) if rows.len() > habits.max_rows => {
                Some(format!("the file has more than {} records", habits.max_rows))
            }
            _ => None,
        };
        self.status = if failure.is_some() { Status::Error } else { Status::InProgress };
        self.failure = failure;
    }

    /// The columns of a link's address that make it good.
    fn is_link(&self, query: &BTreeMap<String, String>, made_at: OffsetDateTime, now: OffsetDateTime) -> bool {
        query.get("token") == Some(&self.token) && now < made_at + LINK
    }
}

impl Account {
    /// Makes checks of the rows that are due, and ends batches that are through.
    pub fn move_batches_on(&mut self, habits: &Habits, clock: &SimClock) {
        let mut batches = std::mem::take(&mut self.batches);
        for batch in batches.0.iter_mut().filter(|batch| batch.status == Status::InProgress) {
            self.move_batch_on(batch, habits, clock);
        }
        self.batches = batches;
    }

    fn move_batch_on(&mut self, batch: &mut Batch, habits: &Habits, clock: &SimClock) {
        let pace = &habits.batches;
        let (rows, now) = (batch.rows().len(), clock.now());
        let moment = Duration::from_millis(pace.moment_ms.max(1));
        for (run, started_at) in batch.starts.clone().into_iter().enumerate() {
            let moments = usize::try_from(clock.elapsed_since(started_at).as_millis() / moment.as_millis());
            let due = moments.unwrap_or(usize::MAX).saturating_mul(pace.rows_per_moment.max(1)).min(rows);
            let begin = batch.done.len().saturating_sub(run * rows);
            for at in begin..due {
                let moments = u32::try_from(at / pace.rows_per_moment.max(1) + 1).unwrap_or(u32::MAX);
                let made_at = clock.when_worked(started_at, moment.saturating_mul(moments)).unwrap_or(now).min(now);
                let fields = batch.rows()[at].clone();
                let outcome = self.make_of_row(batch, &fields, run > 0, habits, made_at);
                batch.done.push(Row { number: at + 2, fields, outcome });
                batch.updated_at = now;
            }
        }
        if batch.done.len() < rows * batch.starts.len() {
            return;
        }
        let is_through = |row: &Row| {
            // A check that the clock has not brought on yet is on its way.
            row.outcome.as_ref().map_or(true, |check| self.checks()[*check].has_ended_by(clock))
        };
        if !pace.waits_for_checks || batch.done.iter().all(is_through) {
            (batch.status, batch.updated_at) = (Status::Finished, now);
        }
    }

    fn make_of_row(
        &mut self,
        batch: &Batch,
        fields: &Fields,
        again: bool,
        habits: &Habits,
        made_at: OffsetDateTime,
    ) -> Result<usize, String> {
        let mut form = fields.clone();
        if habits.batches.custom_input != MappedReference::Kept {
            form.remove("custom_input");
        }
        form.extend(
            [("type", &batch.kind), ("country", &batch.country)].map(|(name, value)| (name.to_owned(), value.clone())),
        );
        form.insert("user_authorized".to_owned(), "true".to_owned());
        form.extend(batch.frequency.clone().map(|frequency| ("watch".to_owned(), frequency)));
        if again {
            form.insert("force_creation".to_owned(), "true".to_owned());
        }
        if let Some(fault) = form::fault(&form, habits) {
            return Err(fault);
        }
        if Fate::of(&form) == Fate::Refused {
            return Err(TOO_MANY.to_owned());
        }
        match self.create(form, false, habits, made_at) {
            Created::New(at) | Created::Earlier(at) => Ok(at),
        }
    }
}
