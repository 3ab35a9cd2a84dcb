//! The checks of the one account that the simulator has.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use time::OffsetDateTime;

use super::Habits;
use super::batches::Batches;
use super::continuous::Continuous;
use super::fate::{Fate, Status};
use super::form::{self, Fields};
use crate::clock::SimClock;

pub struct Check {
    pub id: String,
    pub form: Fields,
    pub fate: Fate,
    pub course: Vec<(Duration, Status)>,
    /// Where on its course it is.
    pub step: usize,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
    pub deleted_at: Option<OffsetDateTime>,
    pub previous: Option<String>,
    /// Its PDF was printed.
    pub printed: bool,
    pub high_priority: bool,
    /// Another client of the account made it.
    pub stranger: bool,
}

impl Check {
    pub fn status(&self) -> Status {
        self.course[self.step].1
    }

    /// Whether the time for all of its course has gone by, whether it was moved on already or not.
    pub fn has_ended_by(&self, clock: &SimClock) -> bool {
        let end = self.course.last().map_or(Duration::ZERO, |(due, _)| *due);
        clock.elapsed_since(self.created_at) >= end
    }

    pub fn has_variables(&self, clock: &SimClock, takes: Duration) -> bool {
        self.status().is_final() && clock.elapsed_since(self.updated_at) >= takes
    }
}

/// A check reached a step of its course.
pub struct News {
    pub check: usize,
    pub status: Status,
}

#[derive(Default)]
pub struct Account {
    checks: Vec<Check>,
    by_id: HashMap<String, usize>,
    /// The latest check of each set of inputs.
    latest: HashMap<String, usize>,
    open: BTreeSet<usize>,
    /// Made since the account was last moved on.
    fresh: Vec<usize>,
    pub continuous: Vec<Continuous>,
    pub batches: Batches,
    /// Ended, and their variables are not there yet.
    computing: BTreeSet<usize>,
}

/// What a create call came to.
pub enum Created {
    New(usize),
    /// The same was checked recently.
    Earlier(usize),
}

impl Account {
    /// Deleted ones too, oldest first.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    pub fn position(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    pub fn check(&self, at: usize) -> &Check {
        &self.checks[at]
    }

    pub fn find(&self, id: &str) -> Option<&Check> {
        self.position(id).map(|at| &self.checks[at]).filter(|check| check.deleted_at.is_none())
    }

    pub fn find_mut(&mut self, id: &str) -> Option<&mut Check> {
        let at = self.position(id)?;
        Some(&mut self.checks[at]).filter(|check| check.deleted_at.is_none())
    }

    pub fn running_high_priority(&self) -> usize {
        self.open.iter().filter(|at| self.checks[**at].high_priority).count()
    }

    pub fn create(&mut self, form: Fields, high_priority: bool, habits: &Habits, now: OffsetDateTime) -> Created {
        let fingerprint = form::fingerprint(&form);
        let previous = self.latest.get(&fingerprint).copied().filter(|at| self.checks[*at].deleted_at.is_none());
        if let Some(at) = previous
            && !form::is_true(&form, "force_creation")
            && now - self.checks[at].created_at < Duration::from_hours(habits.dedupe_hours)
        {
            return Created::Earlier(at);
        }
        let fate = Fate::of(&form);
        let check = Check {
            id: new_id("CHK", 16),
            course: fate.course(habits),
            form,
            fate,
            step: 0,
            created_at: now,
            updated_at: now,
            deleted_at: None,
            previous: previous.map(|at| self.checks[at].id.clone()),
            printed: false,
            high_priority,
            stranger: false,
        };
        Created::New(self.add(fingerprint, check))
    }

    /// A check that the account makes by itself, as the run of this number of a continuous check.
    pub fn repeat_check(
        &mut self,
        form: Fields,
        number: usize,
        previous: usize,
        habits: &Habits,
        made_at: OffsetDateTime,
    ) -> usize {
        let fate = Fate::of_run(&form, number);
        let check = Check {
            id: new_id("CHK", 16),
            course: fate.course(habits),
            fate,
            step: 0,
            created_at: made_at,
            updated_at: made_at,
            deleted_at: None,
            previous: Some(self.checks[previous].id.clone()),
            printed: false,
            high_priority: false,
            stranger: false,
            form,
        };
        self.add(form::fingerprint(&check.form), check)
    }

    /// A check of somebody else: with these fields, or those of the latest check of ours, or of nobody in particular.
    pub fn make_stranger(&mut self, fields: &Fields, alike: bool, habits: &Habits, made_at: OffsetDateTime) -> String {
        let ours = self.checks.iter().rev().find(|check| !check.stranger).map(|check| check.form.clone());
        let mut form = match ours.filter(|_| alike && fields.is_empty()) {
            Some(mut form) => {
                form.remove("custom_input");
                form
            }
            None => Fields::from(
                [("type", "person"), ("country", "CO"), ("first_name", "Otra"), ("last_name", "Persona")]
                    .map(|(name, value)| (name.to_owned(), value.to_owned())),
            ),
        };
        form.extend(fields.clone());
        let numbers = ["national_id", "foreign_id", "ptp", "tax_id", "license_plate", "company_name"];
        if !alike || !numbers.iter().any(|field| form.contains_key(*field)) {
            form.entry("national_id".to_owned()).or_insert_with(|| format!("1{:08}", self.checks.len()));
        }
        let fate = Fate::of(&form);
        let check = Check {
            id: new_id("CHK", 16),
            course: fate.course(habits),
            fate,
            step: 0,
            created_at: made_at,
            updated_at: made_at,
            deleted_at: None,
            previous: None,
            printed: false,
            high_priority: false,
            stranger: true,
            form,
        };
        let at = self.add(form::fingerprint(&check.form), check);
        self.checks[at].id.clone()
    }

    fn add(&mut self, fingerprint: String, check: Check) -> usize {
        let at = self.checks.len();
        self.by_id.insert(check.id.clone(), at);
        self.latest.insert(fingerprint, at);
        self.open.insert(at);
        if !check.stranger {
            self.fresh.push(at);
        }
        self.checks.push(check);
        at
    }

    /// Lets each check get as far as its time allows. Gives what happened since the last time, in order.
    pub fn move_on(&mut self, clock: &SimClock) -> Vec<News> {
        let mut news: Vec<_> = self.fresh.drain(..).map(|check| News { check, status: Status::NotStarted }).collect();
        let now = clock.now();
        let checks = &mut self.checks;
        self.open.retain(|&at| {
            let check = &mut checks[at];
            let elapsed = clock.elapsed_since(check.created_at);
            while check.course.get(check.step + 1).is_some_and(|(due, _)| *due <= elapsed) {
                check.step += 1;
                check.updated_at = now;
                if !check.stranger && check.deleted_at.is_none() {
                    news.push(News { check: at, status: check.status() });
                }
            }
            if check.status().is_final() && !check.stranger {
                self.computing.insert(at);
            }
            !check.status().is_final()
        });
        news
    }

    /// The checks whose variables have become ready since the last time.
    pub fn computed(&mut self, clock: &SimClock, takes: Duration) -> Vec<usize> {
        let checks = &self.checks;
        let is_ready = |at: &usize| checks[*at].has_variables(clock, takes);
        self.computing.extract_if(.., is_ready).collect()
    }
}

/// A prefix and lower-case hex, as the vendor's ids look.
pub fn new_id(prefix: &str, bytes: usize) -> String {
    let random: [u8; 20] = rand::random();
    format!("{prefix}{}", hex::encode(&random[..bytes]))
}
