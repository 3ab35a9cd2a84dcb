//! `/v1/continuous-checks`: checks that the vendor repeats by itself.
//!
//! A run is made at midnight (UTC) of `next_run_date`, as a check of its own with the inputs of the first; the next one is
//! due a period after it. What a run found is compared with the one before when it is final, and a hook tells of it only if
//! they differ. After `end_date` the continuous check is disabled.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use time::{Date, Duration, Month, OffsetDateTime, Time};

use super::account::{Account, new_id};
use super::checks::{Cursor, decode, not_found, page};
use super::form::Fields;
use super::{Habits, Simulator, bodies, gateway};

pub struct Continuous {
    pub id: String,
    /// The check that it began with.
    first: usize,
    /// `1w`, `monthly`, … as it was given.
    frequency: String,
    end_date: Date,
    next_run: Date,
    enabled: bool,
    version: String,
    runs: Vec<Run>,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

struct Run {
    check: usize,
    made_at: OffsetDateTime,
    /// Set when the run is final: whether the score went `up`, `down`, or is the `same`.
    verdict: Option<&'static str>,
}

/// The latest run of this continuous check differs from the one before.
pub struct Changed(pub usize);

impl Account {
    /// Makes the runs that are due.
    pub fn repeat(&mut self, habits: &Habits, now: OffsetDateTime) {
        for at in 0..self.continuous.len() {
            while self.continuous[at].is_due(now) {
                self.run(at, habits);
            }
            let one = &mut self.continuous[at];
            if now.date() > one.end_date && one.enabled {
                one.enabled = false;
                one.updated_at = now;
            }
        }
    }

    /// Compares the runs that have become final. Gives what differs.
    pub fn compare_runs(&mut self, now: OffsetDateTime) -> Vec<Changed> {
        let mut changed = Vec::new();
        for at in 0..self.continuous.len() {
            for number in 0..self.continuous[at].runs.len() {
                let run = &self.continuous[at].runs[number];
                let before =
                    number.checked_sub(1).map_or(self.continuous[at].first, |n| self.continuous[at].runs[n].check);
                if run.verdict.is_some() || !self.check(run.check).status().is_final() {
                    continue;
                }
                let (old, new) = (bodies::score(self.check(before)), bodies::score(self.check(run.check)));
                let verdict = if new > old {
                    "up"
                } else if new < old {
                    "down"
                } else {
                    "same"
                };
                self.continuous[at].runs[number].verdict = Some(verdict);
                self.continuous[at].updated_at = now;
                if verdict != "same" {
                    changed.push(Changed(at));
                }
            }
        }
        changed
    }

    fn run(&mut self, at: usize, habits: &Habits) {
        let one = &self.continuous[at];
        let made_at = OffsetDateTime::new_utc(one.next_run, Time::MIDNIGHT);
        let number = one.runs.len() + 1;
        let previous = one.runs.last().map_or(one.first, |run| run.check);
        let first = one.first;
        let mut form: Fields = self.check(first).form.clone();
        if !habits.runs_keep_custom_input {
            form.remove("custom_input");
        }
        form.insert("watch".to_owned(), one.frequency.clone());
        let check = self.repeat_check(form, number, previous, habits, made_at);
        let one = &mut self.continuous[at];
        one.runs.push(Run { check, made_at, verdict: None });
        one.next_run = add(one.next_run, &one.frequency).unwrap_or(Date::MAX);
        one.updated_at = made_at;
    }

    pub fn is_first_of_continuous(&self, check: usize) -> bool {
        self.continuous.iter().any(|one| one.first == check)
    }
}

impl Continuous {
    fn is_due(&self, now: OffsetDateTime) -> bool {
        self.enabled && self.next_run <= self.end_date && OffsetDateTime::new_utc(self.next_run, Time::MIDNIGHT) <= now
    }

    fn latest(&self) -> usize {
        self.runs.last().map_or(self.first, |run| run.check)
    }

    /// As it stands, in the vendor's JSON.
    pub fn body(&self, account: &Account, habits: &Habits) -> Value {
        let score_status = match self.runs.iter().rev().find_map(|run| run.verdict) {
            None => "new",
            // The documents say `same`, their example `equal`.
            Some("same") => habits.same_score_word.as_str(),
            Some(word) => word,
        };
        json!({
            "continuous_check_id": self.id,
            "check": bodies::check(account.check(self.first), habits),
            "counter": self.runs.len(),
            "frequency": self.frequency,
            "creation_date": bodies::moment(self.created_at),
            "update_date": bodies::moment(self.updated_at),
            "end_date": midnight(self.end_date),
            "next_run_date": midnight(self.next_run),
            "score": bodies::score(account.check(self.latest())),
            "score_status": score_status,
            "status": if self.enabled { "enabled" } else { "disabled" },
            "version": self.version,
        })
    }

    fn entry(&self, number: usize, account: &Account) -> Value {
        let run = &self.runs[number];
        let before = number.checked_sub(1).map_or(self.first, |n| self.runs[n].check);
        let (old, new) = (account.check(before), account.check(run.check));
        let changes = match run.verdict {
            Some("up" | "down") => json!({
                "score_changes": [bodies::score(old), bodies::score(new)],
                "dataset_score_changes": { "criminal_record": [bodies::score(old), bodies::score(new)] },
            }),
            _ => json!({}),
        };
        json!({
            "check_id": new.id, "continuous_check_id": self.id, "previous_check_id": old.id,
            "creation_date": bodies::moment(run.made_at), "changes": changes,
        })
    }
}

fn midnight(date: Date) -> String {
    bodies::moment(OffsetDateTime::new_utc(date, Time::MIDNIGHT))
}

/// A period after this day. `None`: there is no such frequency.
fn add(date: Date, frequency: &str) -> Option<Date> {
    let (number, unit) = match frequency {
        "daily" => (1, "d"),
        "weekly" => (1, "w"),
        "monthly" => (1, "m"),
        "yearly" => (1, "y"),
        other => {
            let (number, unit) = other.split_at_checked(other.len().checked_sub(1)?)?;
            (number.parse::<i64>().ok().filter(|number| *number > 0)?, unit)
        }
    };
    match unit {
        "d" => date.checked_add(Duration::days(number)),
        "w" => date.checked_add(Duration::weeks(number)),
        "m" => months(date, number),
        "y" => months(date, number * 12),
        _ => None,
    }
}

fn months(date: Date, count: i64) -> Option<Date> {
    let whole = i64::from(date.year()) * 12 + i64::from(u8::from(date.month())) - 1 + count;
    let year = i32::try_from(whole.div_euclid(12)).ok()?;
    let month = Month::try_from(u8::try_from(whole.rem_euclid(12) + 1).ok()?).ok()?;
    Date::from_calendar_date(year, month, date.day().min(month.length(year))).ok()
}

fn parse_date(text: &str) -> Option<Date> {
    Date::parse(text, time::macros::format_description!("[year]-[month]-[day]")).ok()
}

pub fn router() -> Router<Arc<Simulator>> {
    Router::new()
        .route("/v1/continuous-checks", post(create).get(list))
        .route("/v1/continuous-checks/{id}", get(fetch).put(update))
        .route("/v1/continuous-checks/{id}/history", get(history))
}

fn invalid(message: &str) -> Response {
    gateway::error(StatusCode::BAD_REQUEST, &format!("Invalid request: {message}"))
}

fn form_of(headers: &HeaderMap, body: &Bytes) -> Option<Fields> {
    let media_type = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_form = media_type.starts_with("application/x-www-form-urlencoded");
    serde_urlencoded::from_bytes(body).ok().filter(|_| is_form)
}

async fn create(State(simulator): State<Arc<Simulator>>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(form) = form_of(&headers, &body) else { return invalid("a form was expected") };
    let (habits, now) = (simulator.habits.get(), simulator.tools.clock.now());
    let mut account = simulator.account();
    let known = form.get("check_id").and_then(|id| account.find(id).map(|check| check.id.clone()));
    let Some(first) = known.and_then(|id| account.position(&id)) else { return not_found() };
    let Some(frequency) = form.get("frequency").filter(|text| add(now.date(), text).is_some()) else {
        return invalid("invalid frequency");
    };
    let Some(end_date) = form.get("end_date").and_then(|text| parse_date(text)) else {
        return invalid("invalid end date");
    };
    // From the last run on, which is the first check so far.
    let from = account.check(first).updated_at.date().max(now.date());
    let next_run = add(from, frequency).unwrap_or(Date::MAX);
    if next_run > end_date {
        return invalid("end date must allow at least one run");
    }
    let one = Continuous {
        id: new_id("CCK", 16),
        first,
        frequency: frequency.clone(),
        end_date,
        next_run,
        enabled: true,
        version: "0".to_owned(),
        runs: Vec::new(),
        created_at: now,
        updated_at: now,
    };
    account.continuous.push(one);
    let body = account.continuous.last().map(|one| one.body(&account, &habits));
    (StatusCode::CREATED, Json(body)).into_response()
}

async fn list(State(simulator): State<Arc<Simulator>>, Query(cursor): Query<Cursor>) -> Response {
    let after = match decode(&cursor) {
        Ok(after) => after,
        Err(refused) => return refused.into_response(),
    };
    let habits = simulator.habits.get();
    let account = simulator.account();
    let to = after.and_then(|id| account.continuous.iter().position(|one| one.id == id));
    let rows = account.continuous[..to.unwrap_or(account.continuous.len())].iter().rev();
    let (rows, next) = page(rows, "/v1/continuous-checks", |one| one.id.clone(), &habits);
    let rows: Vec<_> = rows.into_iter().map(|one| one.body(&account, &habits)).collect();
    Json(json!({ "continuous_checks": rows, "self": "/v1/continuous-checks", "next": next })).into_response()
}

async fn fetch(State(simulator): State<Arc<Simulator>>, Path(id): Path<String>) -> Response {
    let habits = simulator.habits.get();
    let account = simulator.account();
    match account.continuous.iter().find(|one| one.id == id) {
        Some(one) => Json(one.body(&account, &habits)).into_response(),
        None => not_found(),
    }
}

/// The end date cannot be changed.
async fn update(
    State(simulator): State<Arc<Simulator>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(form) = form_of(&headers, &body) else { return invalid("a form was expected") };
    let (habits, now) = (simulator.habits.get(), simulator.tools.clock.now());
    let mut account = simulator.account();
    let Some(at) = account.continuous.iter().position(|one| one.id == id) else { return not_found() };
    let latest = account.check(account.continuous[at].latest()).created_at.date();
    let one = &mut account.continuous[at];
    let frequency = form.get("frequency").cloned().unwrap_or_else(|| one.frequency.clone());
    let Some(mut next_run) = add(latest, &frequency) else { return invalid("invalid frequency") };
    let enabled = match form.get("status").map(String::as_str) {
        None => one.enabled,
        Some("enabled") => true,
        Some("disabled") => false,
        Some(_) => return invalid("invalid status"),
    };
    if let Some(version) = form.get("version") {
        if !matches!(version.as_str(), "0" | "1") {
            return invalid("invalid version");
        }
        one.version.clone_from(version);
    }
    if enabled && now.date() > one.end_date {
        return invalid("the continuous check has ended");
    }
    // What was due while it was disabled is not made up for.
    while next_run <= now.date() {
        next_run = add(next_run, &frequency).unwrap_or(Date::MAX);
    }
    (one.frequency, one.next_run, one.enabled, one.updated_at) = (frequency, next_run, enabled, now);
    let body = account.continuous[at].body(&account, &habits);
    Json(body).into_response()
}

async fn history(
    State(simulator): State<Arc<Simulator>>,
    Path(id): Path<String>,
    Query(cursor): Query<Cursor>,
) -> Response {
    let after = match decode(&cursor) {
        Ok(after) => after,
        Err(refused) => return refused.into_response(),
    };
    let habits = simulator.habits.get();
    let account = simulator.account();
    let Some(one) = account.continuous.iter().find(|one| one.id == id) else { return not_found() };
    let path = format!("/v1/continuous-checks/{id}/history");
    let is_shown = |number: &usize| !habits.history_of_final_runs || one.runs[*number].verdict.is_some();
    // Newest first.
    let to = after.and_then(|id| one.runs.iter().position(|run| account.check(run.check).id == id));
    let numbers = (0..to.unwrap_or(one.runs.len())).rev().filter(is_shown);
    let (numbers, next) = page(numbers, &path, |number| account.check(one.runs[*number].check).id.clone(), &habits);
    let entries: Vec<_> = numbers.into_iter().map(|number| one.entry(number, &account)).collect();
    Json(json!({ "history": entries, "self": path, "next": next })).into_response()
}
