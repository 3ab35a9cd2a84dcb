//! A check in the vendor's JSON.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Habits;
use super::account::Check;
use super::fate::{Fate, Status};
use super::form::Kind;

/// RFC 3339 with nanoseconds, as the vendor writes its own times.
pub fn moment(at: OffsetDateTime) -> String {
    at.to_offset(time::UtcOffset::UTC).format(&Rfc3339).unwrap_or_default()
}

/// As it stands now.
pub fn check(check: &Check, habits: &Habits) -> Value {
    check_at(check, check.status(), habits)
}

/// As it stood at a step of its course.
pub fn check_at(check: &Check, status: Status, habits: &Habits) -> Value {
    let mut body = Map::new();
    let control = ["user_authorized", "force_creation", "custom_input"];
    for (name, value) in check.form.iter().filter(|(name, _)| !control.contains(&name.as_str())) {
        // Dates come back as midnight.
        let is_date = matches!(name.as_str(), "date_of_birth" | "issue_date" | "payment_date");
        body.insert(name.clone(), if is_date { json!(format!("{value}T00:00:00Z")) } else { json!(value) });
    }
    if let Some(text) = check.form.get("custom_input").filter(|_| habits.echo_custom_input) {
        body.insert("custom_input".to_owned(), json!(text));
    }
    if let Some(previous) = &check.previous {
        body.insert("previous_check".to_owned(), json!(previous));
    }
    let updated_at = if status == Status::NotStarted { check.created_at } else { check.updated_at };
    let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
    put("check_id", json!(check.id));
    put("status", json!(status.as_str()));
    put("creation_date", json!(moment(check.created_at)));
    put("update_date", json!(moment(updated_at)));
    let by_name = if habits.key_version == 0 { "homonym_score" } else { "name_score" };
    if status == Status::NotStarted {
        put("score", json!(-1));
        put("id_score", json!(0));
        put(by_name, json!(0));
        return Value::Object(body);
    }
    // A check that still runs shows good scores already.
    let scores = scores(check, status);
    let sum = |of: fn(&Score) -> f64| noisy(scores.iter().map(|score| score.weight * of(score)).sum());
    put("score", json!(sum(|score| score.by_id.score.min(score.by_name.score))));
    put("id_score", json!(sum(|score| score.by_id.score)));
    put(by_name, json!(sum(|score| score.by_name.score)));
    put("scores", scores.iter().map(Score::json).collect());
    if habits.key_version == 0 {
        let rows = scores.iter().map(|score| json!({ "data_set": score.data_set, "score": score.by_name.score }));
        put("homonym_scores", rows.collect());
    }
    put("statuses", statuses(check, status));
    for (name, summary) in summaries(check, status) {
        put(name, summary);
    }
    if status.is_final() && check.fate == Fate::WrongName {
        put("wrong_inputs", json!([{ "Input": "first_name" }]));
    }
    Value::Object(body)
}

/// What a delete answers.
pub fn deleted(check: &Check, at: OffsetDateTime) -> Value {
    json!({
        "check_id": check.id, "country": check.form.get("country"), "type": check.form.get("type"),
        "creation_date": moment(check.created_at), "start_date": moment(check.created_at),
        "update_date": moment(at), "delete_date": moment(at), "deleted": true, "score": -1, "id_score": -1,
    })
}

#[derive(Clone, Copy)]
struct Side {
    result: &'static str,
    score: f64,
    severity: &'static str,
}

impl Side {
    /// Not searched, which the vendor scores 1.
    const IGNORED: Self = Self { result: "ignored", score: 1.0, severity: "unknown" };
    const PENDING: Self = Self { result: "pending", score: 1.0, severity: "unknown" };
    const NOTHING: Self = Self { result: "not_found", score: 1.0, severity: "none" };
    /// Found, and no risk: an identity, a tax record.
    const HARMLESS: Self = Self { result: "found", score: 1.0, severity: "none" };
    const LOW: Self = Self { result: "found", score: 0.6, severity: "low" };
    const HIGH: Self = Self { result: "found", score: 0.199, severity: "high" };
    const VERY_HIGH: Self = Self { result: "found", score: 0.0, severity: "very_high" };
    const FAILED: Self = Self { result: "error", score: 1.0, severity: "unknown" };

    fn json(self) -> Value {
        json!({ "result": self.result, "score": self.score, "severity": self.severity })
    }
}

struct Score {
    data_set: &'static str,
    weight: f64,
    by_id: Side,
    by_name: Side,
}

impl Score {
    fn json(&self) -> Value {
        let worse = if self.by_id.score <= self.by_name.score { self.by_id } else { self.by_name };
        let shown = if worse.result == "ignored" { self.searched() } else { worse };
        json!({
            "data_set": self.data_set, "score": worse.score, "result": shown.result, "severity": shown.severity,
            "by_id": self.by_id.json(), "by_name": self.by_name.json(),
        })
    }

    const fn searched(&self) -> Side {
        if matches!(self.by_id.result.as_bytes(), b"ignored") { self.by_name } else { self.by_id }
    }
}

/// Data sets, their weights, and whether they are searched by id and by name.
const PERSON: &[(&str, f64, bool, bool)] = &[
    ("affiliations_and_insurances", 0.1, true, false),
    ("alert_in_media", 0.0, false, true),
    ("criminal_record", 0.3, true, true),
    ("international_background", 0.2, true, true),
    ("legal_background", 0.2, true, true),
    ("personal_identity", 0.1, true, false),
    ("taxes_and_finances", 0.1, true, false),
];

const COMPANY: &[(&str, f64, bool, bool)] = &[
    ("alert_in_media", 0.0, false, true),
    ("business_background", 0.3, true, false),
    ("criminal_record", 0.4, true, true),
    ("international_background", 0.1, true, true),
    ("legal_background", 0.1, true, true),
    ("taxes_and_finances", 0.1, true, false),
];

const VEHICLE: &[(&str, f64, bool, bool)] = &[
    ("driving_licenses", 0.2, true, false),
    ("traffic_fines", 0.3, true, false),
    ("vehicle_information", 0.3, true, false),
    ("vehicle_permits", 0.2, true, false),
];

/// Where something found is as it should be.
const HARMLESS: &[&str] = &[
    "affiliations_and_insurances",
    "business_background",
    "driving_licenses",
    "personal_identity",
    "taxes_and_finances",
    "vehicle_information",
];

const fn data_sets(kind: Kind) -> &'static [(&'static str, f64, bool, bool)] {
    match kind {
        Kind::Person => PERSON,
        Kind::Company => COMPANY,
        Kind::Vehicle => VEHICLE,
    }
}

fn scores(check: &Check, status: Status) -> Vec<Score> {
    let has_number = ["national_id", "foreign_id", "ptp", "tax_id", "license_plate"]
        .iter()
        .any(|field| check.form.contains_key(*field));
    let score = |&(data_set, weight, by_id, by_name): &(&'static str, f64, bool, bool)| {
        let side = |asked: bool, is_id: bool| match (asked, status.is_final()) {
            (false, _) => Side::IGNORED,
            (true, false) => Side::PENDING,
            (true, true) => side(check.fate, data_set, is_id),
        };
        Score { data_set, weight, by_id: side(by_id && has_number, true), by_name: side(by_name, false) }
    };
    data_sets(Kind::of(&check.form)).iter().map(score).collect()
}

fn side(fate: Fate, data_set: &str, is_id: bool) -> Side {
    match (fate, data_set, is_id) {
        (Fate::Records, "criminal_record" | "traffic_fines", true) | (Fate::Media, "alert_in_media", _) => {
            Side::VERY_HIGH
        }
        (Fate::Records, "legal_background", true) => Side::LOW,
        (Fate::Homonym, "criminal_record", false) => Side::HIGH,
        (Fate::Error, "criminal_record" | "legal_background" | "vehicle_information", true) => Side::FAILED,
        (Fate::NotFound, "personal_identity" | "business_background" | "vehicle_information", _) => Side::NOTHING,
        _ if HARMLESS.contains(&data_set) => Side::HARMLESS,
        _ => Side::NOTHING,
    }
}

/// The vendor's own arithmetic shows; three digits are enough to see it.
/// The whole score, as it stands now; -1: not computed yet.
pub fn score(check: &Check) -> f64 {
    if check.status() == Status::NotStarted {
        return -1.0;
    }
    noisy(
        scores(check, check.status())
            .iter()
            .map(|score| score.weight * score.by_id.score.min(score.by_name.score))
            .sum(),
    )
}

fn noisy(score: f64) -> f64 {
    (score * 1000.0).round() / 1000.0
}

/// One row per database and data set; `skipped` ones name no data set.
fn statuses(check: &Check, status: Status) -> Value {
    let country = check.form.get("country").map_or("ALL", String::as_str);
    let mut rows = Vec::new();
    for (at, (data_set, ..)) in data_sets(Kind::of(&check.form)).iter().enumerate() {
        for source in 1..=2 {
            let name = format!("{country} {} {source}", data_set.replace('_', " "));
            let word = match (status, check.fate) {
                (Status::Delayed | Status::Paused, _) if at == 0 => "delayed",
                (_, Fate::Error) if status.is_final() && source == 1 => "error",
                // One source or another always has a bad day.
                _ if status.is_final() && (at, source) == (0, 2) => "expired",
                _ if status == Status::InProgress => "not_started",
                _ => "completed",
            };
            rows.push(json!({
                "database_id": database_id(&name), "database_name": name, "data_set": data_set, "status": word,
            }));
        }
    }
    // What some sources would have needed, in the vendor's inner names, at times twice in one list.
    let optional = [("issue_date", "document_expedition_date"), ("phone_number", "phone_number")];
    for (field, inner) in optional {
        if !check.form.contains_key(field) {
            let name = format!("{country} registry by {}", field.replace('_', " "));
            rows.push(json!({
                "database_id": database_id(&name), "database_name": name, "status": "skipped", "invalid_inputs": [inner, inner],
            }));
        }
    }
    Value::Array(rows)
}

pub fn database_id(name: &str) -> String {
    format!("DBI{}", hex::encode(&Sha256::digest(name)[..20]))
}

/// All three, whatever the check is about; those that do not apply are `skipped`, and `not_found` all the same.
fn summaries(check: &Check, status: Status) -> [(&'static str, Value); 3] {
    let kind = Kind::of(&check.form);
    let updated_at = moment(check.updated_at);
    let of = |this: Kind, bad: &'static str, good: &'static str| -> (&'static str, &'static str) {
        match (this == kind, status.is_final(), check.fate) {
            (false, ..) => ("skipped", "not_found"),
            (true, false, _) => ("in_progress", "not_found"),
            (true, true, Fate::NotFound) => ("not_found", "not_found"),
            (true, true, Fate::Dead) => ("found", bad),
            (true, true, _) => ("found", good),
        }
    };
    let named = |first: &str, last: &str| {
        check.form.get(first).map(|name| json!({ "first_name": name, "last_name": check.form.get(last), "count": 3 }))
    };
    // By names alone no register tells an identity.
    let (result, identity) = match of(Kind::Person, "dead", "found") {
        _ if kind == Kind::Person
            && !check.form.contains_key("national_id")
            && !check.form.contains_key("foreign_id")
            && !check.form.contains_key("ptp") =>
        {
            ("skipped", "not_found")
        }
        other => other,
    };
    let mut person = json!({ "result": result, "identity_status": identity, "update_date": updated_at });
    if result == "found" {
        person["names_found"] = named("first_name", "last_name").into_iter().collect();
        person["gender"] = json!(check.form.get("gender"));
        person["date_of_birth"] = json!(check.form.get("date_of_birth").map(|date| format!("{date}T00:00:00Z")));
        person["drivers_license"] = json!({ "status": "not_found", "categories": [] });
        if identity == "dead" {
            person["death_date"] = json!("2020-01-31T00:00:00Z");
        }
    }
    let (result, state) = of(Kind::Company, "cancelled", "active");
    let mut company = json!({ "result": result, "company_status": state, "update_date": updated_at });
    if let Some(name) = check.form.get("company_name").filter(|_| result == "found") {
        company["names_found"] = json!([{ "company_name": name, "count": 2 }]);
    }
    let (result, state) = of(Kind::Vehicle, "found", "found");
    let mut vehicle = json!({ "result": result, "vehicle_status": state, "update_date": updated_at });
    if result == "found" {
        vehicle["license_plate"] = json!(check.form.get("license_plate"));
        vehicle["year"] = json!(2019);
        vehicle["obligatory_insurance_expiration_date"] = json!("2027-01-31T00:00:00-05:00");
    }
    [("summary", person), ("company_summary", company), ("vehicle_summary", vehicle)]
}

/// One row per data set, in the sources' own language or in English.
pub fn details(check: &Check, english: bool) -> Vec<Value> {
    let word = |spanish: &'static str, its_english: &'static str| if english { its_english } else { spanish };
    let form = |field: &str| check.form.get(field);
    let row = |score: &Score| {
        let side = score.searched();
        json!({
            "id": format!("DTL{}", hex::encode(&Sha256::digest(format!("{}{}", check.id, score.data_set))[..16])),
            "check_id": check.id, "data_set": score.data_set, "database_name": format!("Fuente de {}", score.data_set),
            "result": if side.result == "ignored" { "not_found" } else { side.result }, "severity": side.severity,
            "score": side.score, "group": "unknown", "route": "person", "depth": 0,
            "database_id": database_id(score.data_set), "document_type": "national-id",
            "found_first_name": form("first_name"), "found_last_name": form("last_name"),
            "tables": [{
                "title": word("Resultado", "Result"),
                "rows": [{ "cells": [{ "label": word("Estado", "Status"), "value": side.result }] }],
            }],
            "update_date": moment(check.updated_at),
        })
    };
    if check.status() == Status::NotStarted {
        Vec::new()
    } else {
        scores(check, check.status()).iter().map(row).collect()
    }
}
