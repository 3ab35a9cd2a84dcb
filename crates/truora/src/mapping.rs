//! Ours ↔ theirs. Pure.

use std::collections::BTreeSet;

use bytes::Bytes;
use domain::input::BackgroundCheck;
use domain::result::{Dataset, DatasetSide, IdentityFound, NameFound, SourceMissed, Sources};
use domain::{
    BackgroundResult, Certainty, CheckInput, CheckResult, CheckSpec, OrderInput, Sensitive, Standing, Subject,
};
use provider::{Carries, DocumentRef, Snapshot, SubmissionItem, native_status, vendor_id};

use crate::inputs::{self, our_name};
use crate::outcome::{self, OutcomePolicy, score};
use crate::validate::PRIORITY;
use crate::wire;

/// A create call: the form, and the priority for the header. Personal data, so it has no `Debug`.
pub struct Request {
    pub form: Vec<(&'static str, String)>,
    pub priority: Option<String>,
}

/// What is asked about whom, however it is sent. Personal data, so it has no `Debug`.
pub struct Asked {
    /// The account's own type, or the subject's.
    pub kind: String,
    /// In capitals.
    pub country: String,
    pub inputs: Vec<(&'static str, String)>,
    pub report_id: Option<String>,
    pub priority: Option<String>,
}

/// `None` where it is no check that this vendor takes, which validation has said long before.
pub fn asked(order: &OrderInput, check: &CheckInput) -> Option<Asked> {
    let CheckSpec::BackgroundCheck(spec) = &check.spec else { return None };
    let country = spec.country.to_ascii_uppercase();
    let row = inputs::row(&order.subject, &country)?;
    let given = inputs::gather(&order.subject, spec, &country, row);
    let mut inputs: Vec<_> = given.into_iter().map(|(input, value)| (input.field(), value)).collect();
    let option = |name: &str| check.vendor_options.get(name).and_then(|value| value.as_str()).map(str::to_owned);
    inputs.extend(["imei", "escrow"].into_iter().filter_map(|name| Some((name, option(name)?))));
    let (report_id, priority) = (option("report_id"), option(PRIORITY));
    Some(Asked { kind: kind(&order.subject, spec), country, inputs, report_id, priority })
}

/// The form of one item.
pub fn request(item: &SubmissionItem) -> Option<Request> {
    let asked = asked(&item.order, &item.check)?;
    let mut form = vec![
        ("type", asked.kind),
        ("country", asked.country),
        // Keys of version 1 demand it; no order is accepted without consent.
        ("user_authorized", "true".to_owned()),
        // Stored and without effect at the vendor: the one place for our reference.
        ("custom_input", item.reference.to_string()),
    ];
    // Not sent otherwise: unforced, the vendor answers a repeated create with the check that it made before.
    if item.force_new {
        form.push(("force_creation", "true".to_owned()));
    }
    form.extend(asked.inputs);
    form.extend(asked.report_id.map(|value| ("report_id", value)));
    Some(Request { form, priority: asked.priority })
}

/// The type that is asked for: the account's own, or the subject's.
fn kind(subject: &Subject, spec: &BackgroundCheck) -> String {
    let own = spec.custom_type.as_deref().map(str::trim).filter(|name| !name.is_empty());
    own.unwrap_or_else(|| subject.kind()).to_owned()
}

/// One look at a check. `payload` is the answer it was read from.
pub fn snapshot(policy: &OutcomePolicy, check: &wire::Check, payload: Bytes) -> Snapshot {
    let standing = standing(policy, check);
    let documents = check.id.as_deref().filter(|_| standing.is_final()).and_then(vendor_id).map(|id| report(&id));
    Snapshot {
        part_id: None,
        carries: Carries::read(check.custom_input.as_deref()),
        vendor_time: check.update_date.as_deref().and_then(wire::timestamp),
        native_status: native_status(check.status.as_deref().unwrap_or_default()),
        standing,
        documents: documents.into_iter().collect(),
        payload: Sensitive::new(payload),
    }
}

/// What the vendor's status means. `delayed` is not final: sources are tried again for up to three days.
fn standing(policy: &OutcomePolicy, check: &wire::Check) -> Standing {
    let (outcome, reason) = match check.status.as_deref() {
        Some("not_started" | "in_progress" | "delayed") => return Standing::Working { estimated_completion_at: None },
        Some("completed") => outcome::of_completed(policy, check, &result(check)),
        Some("error") => outcome::of_error(),
        _ => return Standing::Unknown,
    };
    let result = Some(CheckResult::Background(Box::new(result(check))));
    Standing::Completed { outcome, result, reason, certainty: Certainty::Full }
}

/// The printed report. It is made when it is asked for.
fn report(check_id: &str) -> DocumentRef {
    DocumentRef {
        locator: format!("{PDF}{check_id}"),
        kind: "report".to_owned(),
        media_type: "application/pdf".to_owned(),
        filename: "truora-report.pdf".to_owned(),
    }
}

const PDF: &str = "pdf/";

/// The check whose printed report a locator means.
pub fn pdf_of(locator: &str) -> Option<&str> {
    locator.strip_prefix(PDF)
}

/// The result in our words. Lists are sorted: the vendor's order is not promised, and another order is no revision.
pub fn result(check: &wire::Check) -> BackgroundResult {
    let mut datasets: Vec<_> = check.scores.iter().flatten().map(dataset).collect();
    datasets.sort_by(|one, other| one.name.cmp(&other.name));
    BackgroundResult {
        score: score(check.score),
        score_by_id: score(check.id_score),
        score_by_name: score(check.name_score.or(check.homonym_score)),
        datasets,
        sources: sources(check),
        sources_missed: sources_missed(check),
        identity: identity(check),
        names_found: names_found(check),
        homonym_probability: score(check.homonym_probability),
        wrong_inputs: wrong_inputs(check),
        invalid_inputs: invalid_inputs(check),
    }
}

fn dataset(row: &wire::DatasetScore) -> Dataset {
    let DatasetSide { status, score, severity } = side(&row.whole);
    Dataset {
        name: row.data_set.clone().unwrap_or_default(),
        status,
        score,
        severity,
        by_id: row.by_id.as_ref().map(side),
        by_name: row.by_name.as_ref().map(side),
    }
}

/// The score of a side that was ignored is left out: it is 1, and means nothing.
fn side(side: &wire::Side) -> DatasetSide {
    DatasetSide {
        status: side.result.clone(),
        score: score(side.score).filter(|_| !side.is_ignored()),
        severity: side.severity.clone(),
    }
}

/// Counts rows of database × data set, as the vendor shows them.
fn sources(check: &wire::Check) -> Sources {
    let mut sources = Sources::default();
    for row in check.statuses.iter().flatten() {
        sources.total += 1;
        match row.status.as_deref() {
            Some("completed") => sources.completed += 1,
            Some("error" | "expired") => sources.failed += 1,
            Some("skipped") => sources.skipped += 1,
            _ => {}
        }
    }
    sources
}

/// The rows that gave nothing. A database that fills several data sets has a row for each, and is named once.
fn sources_missed(check: &wire::Check) -> Vec<SourceMissed> {
    let missed = check.statuses.iter().flatten().filter_map(|row| {
        let status = row.status.clone().filter(|status| matches!(status.as_str(), "skipped" | "error" | "expired"))?;
        let inputs = row.invalid_inputs.iter().flatten().map(|name| our_name(name)).collect::<BTreeSet<_>>();
        let name = row.database_name.clone().filter(|name| !name.trim().is_empty());
        Some(SourceMissed { name, status, invalid_inputs: inputs.into_iter().collect() })
    });
    missed.collect::<BTreeSet<_>>().into_iter().collect()
}

fn identity(check: &wire::Check) -> Option<IdentityFound> {
    let (what, status) = outcome::identity(check)?;
    let person = check.summary.as_ref().filter(|_| what == "person");
    Some(IdentityFound {
        status: Some(status.to_owned()),
        gender: person.and_then(|person| person.gender.clone()).filter(|gender| !gender.is_empty()),
        // Dates come back as midnight.
        date_of_birth: person
            .and_then(|person| person.date_of_birth.as_deref())
            .and_then(wire::date)
            .map(|date| date.to_string()),
    })
}

fn names_found(check: &wire::Check) -> Vec<NameFound> {
    let of_person = check.summary.iter().filter_map(|summary| summary.names_found.as_ref());
    let of_company = check.company_summary.iter().filter_map(|summary| summary.names_found.as_ref());
    let mut names: Vec<_> = of_person
        .chain(of_company)
        .flatten()
        .map(|name| NameFound {
            first_name: name.first_name.clone(),
            last_name: name.last_name.clone(),
            company_name: name.company_name.clone(),
            count: name.count,
        })
        .collect();
    // The most often found first.
    names.sort_by(|one, other| {
        let key = |name: &NameFound| (name.last_name.clone(), name.first_name.clone(), name.company_name.clone());
        other.count.cmp(&one.count).then_with(|| key(one).cmp(&key(other)))
    });
    names
}

fn wrong_inputs(check: &wire::Check) -> Vec<String> {
    let name = |row: &serde_json::Value| {
        let name = ["Input", "input"].into_iter().find_map(|key| row.get(key)).unwrap_or(row);
        name.as_str().map(our_name)
    };
    // Something contradicts even where it cannot be read what.
    let names = check.wrong_inputs.iter().flatten().map(|row| name(row).unwrap_or_else(|| "unnamed".to_owned()));
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The same name comes many times, once per source and at times twice in one.
fn invalid_inputs(check: &wire::Check) -> Vec<String> {
    let rows = check.statuses.iter().flatten().filter_map(|row| row.invalid_inputs.as_ref());
    rows.flatten().map(|name| our_name(name)).collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests;
