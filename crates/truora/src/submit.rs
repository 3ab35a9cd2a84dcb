//! The create call, and what each of its answers proves.
//!
//! | answer | class | why |
//! |---|---|---|
//! | no connection, over budget, lease too short | `NotSent` | not a byte left for the vendor |
//! | time-out, broken, truncated or oversized answer | `Unknown`, then resend | the request was written |
//! | 200–203 with a check that fits | `Accepted` | the vendor's id is in hand; a dedupe hit's status is not documented |
//! | 2xx that cannot be read, has no id, contradicts itself or our request | `Unknown`, then resend | something may have been made |
//! | 400, 413, 422 | `Unknown`, then fail | a refusal by its word, yet nothing proves that it came before the work |
//! | 401 | `NotSent` | the gateway in front refuses the key before anything runs |
//! | 403 about the key or its permissions | `NotSent` | the same; an operator can mend it |
//! | 403 `Missing Authentication Token` | `NotSent` | the gateway knows no such route: nothing stands behind it that could have worked |
//! | other 403 | `Unknown`, then resend | may be a filter on the way back |
//! | 404, 405, 406, 415 in the service's own words | `Unknown`, then fail | the service refused; looked for all the same |
//! | 429 | `NotSent` | refused for the number of running checks, before one is made |
//! | 3xx, 408, 409, other 4xx, 5xx | `Unknown`, then resend | says nothing about whether the work was done |

use std::time::Duration;

use domain::{AfterAbsence, Reason, Timestamp, VendorRef};
use http::header::DATE;
use provider::{
    Accepted, Carries, Evidence, ItemOutcome, Submission, SubmissionItem, SubmitReport, VendorAnswer, vendor_id,
};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::inputs;
use crate::mapping;
use crate::outcome::OutcomePolicy;
use crate::wire::{BareCheck, BareEnvelope, CheckEnvelope, ErrorBody};

/// How much older than the call a check must be to count as made before it. Both times are of the vendor's clocks.
pub const CLEARLY_OLDER: Duration = Duration::from_secs(30);

/// A submission that this adapter cannot make into a call. The engine never sends such a one.
pub fn not_a_call(submission: &Submission) -> SubmitReport {
    let why = Reason::new("bad_request", "Truora takes one check per call.");
    let outcome = ItemOutcome::NotSent { why, retry_after: None };
    SubmitReport::all(submission, &outcome, Evidence::default())
}

/// What the answer to a create call proves.
pub fn classify(policy: &OutcomePolicy, item: &SubmissionItem, answer: &VendorAnswer) -> ItemOutcome {
    match answer.status.as_u16() {
        200..=203 => made(policy, item, answer),
        _ => refusal(answer),
    }
}

/// What an answer proves that is no 2xx. The same for everything that is created at this vendor.
pub fn refusal(answer: &VendorAnswer) -> ItemOutcome {
    let error = || ErrorBody::read(&answer.body);
    match answer.status.as_u16() {
        400 | 413 | 422 => refused(answer, &error()),
        401 => not_sent("credentials_refused", "The vendor refuses the API key.", answer),
        403 => forbidden(answer, &error()),
        404 | 405 | 406 | 415 if error().is_the_services_own() => refused(answer, &error()),
        429 => not_sent("rate_limited", "The vendor has too much to do.", answer),
        _ => unknown("unexpected_status", answer),
    }
}

fn made(policy: &OutcomePolicy, item: &SubmissionItem, answer: &VendorAnswer) -> ItemOutcome {
    let contradiction = |message: &str| ItemOutcome::Unknown {
        why: Reason::new("contradictory_answer", message),
        then: AfterAbsence::Resend,
    };
    let Ok(BareEnvelope { check: Some(check), link }) = answer.json() else {
        return unknown("answer_unreadable", answer);
    };
    let Some(id) = check.check_id.as_deref().and_then(vendor_id) else {
        return contradiction("The vendor's answer names no check, or by an id that cannot be kept.");
    };
    if link.is_some_and(|link| link.trim_end_matches('/').rsplit('/').next() != Some(id.as_str())) {
        return contradiction("The vendor's answer names two checks.");
    }
    // With our reference in it, it was made for this very check, by this call or by an earlier one of the same.
    let carries = Carries::read(check.custom_input.as_deref());
    let is_ours = carries.ours() == Some(item.reference);
    if !is_ours && !fits(item, &check) {
        return contradiction("The vendor answered with a check of another subject.");
    }
    let reused = !is_ours && (carries != Carries::Nothing || is_clearly_older(&check, answer));
    // It may be completed already: the vendor's dedupe answers with the earlier check as it stands now. Where more than
    // the id cannot be read, the next fetch tells.
    let envelope = answer.json::<CheckEnvelope>().ok().and_then(|envelope| envelope.check);
    let snapshot = envelope.map(|check| mapping::snapshot(policy, &check, answer.body.clone()));
    let vendor = VendorRef::order(id);
    ItemOutcome::Accepted(Box::new(Accepted { vendor, provisional: false, reused, carries, snapshot }))
}

/// Whether the check is about the subject that was sent: type, country, and the numbers that it gives back.
fn fits(item: &SubmissionItem, check: &BareCheck) -> bool {
    let Some(request) = mapping::request(item) else { return false };
    let sent = |field: &str| request.form.iter().find(|(name, _)| *name == field).map(|(_, value)| value.as_str());
    let agree = |field, theirs: Option<&str>, same: fn(&str, &str) -> bool| match (sent(field), theirs) {
        (Some(ours), Some(theirs)) if !theirs.is_empty() => same(ours, theirs),
        _ => true,
    };
    agree("type", check.kind.as_deref(), str::eq_ignore_ascii_case)
        && agree("country", check.country.as_deref(), str::eq_ignore_ascii_case)
        && agree("national_id", check.national_id.as_deref(), inputs::same_number)
        && agree("foreign_id", check.foreign_id.as_deref(), inputs::same_number)
        && agree("ptp", check.ptp.as_deref(), inputs::same_number)
        && agree("tax_id", check.tax_id.as_deref(), inputs::same_number)
        && agree("license_plate", check.license_plate.as_deref(), inputs::same_number)
}

/// Whether the check was made before the call began, by the vendor's own clock: the answer's date less the time the
/// call took. Without a date nothing is claimed; the reference tells where it is given back.
fn is_clearly_older(check: &BareCheck, answer: &VendorAnswer) -> bool {
    let date = answer.headers.get(DATE).and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| OffsetDateTime::parse(date, &Rfc2822).ok()).map(Timestamp::new);
    let (Some(date), Some(created_at)) = (date, check.created_at()) else { return false };
    created_at + CLEARLY_OLDER < date - answer.took
}

fn forbidden(answer: &VendorAnswer, error: &ErrorBody) -> ItemOutcome {
    if error.is_of_unknown_route() {
        let why = "The vendor's gateway knows no such address; look at checks_url and account_url.";
        return not_sent("wrong_address", why, answer);
    }
    if error.is_about_the_key() {
        return not_sent("credentials_refused", "The vendor refuses the API key, or it lacks a permission.", answer);
    }
    unknown("unexpected_status", answer)
}

fn not_sent(code: &str, message: &str, answer: &VendorAnswer) -> ItemOutcome {
    ItemOutcome::NotSent { why: Reason::new(code, message), retry_after: answer.retry_after() }
}

/// Looked for first; if it is nowhere, the refusal stands.
fn refused(answer: &VendorAnswer, error: &ErrorBody) -> ItemOutcome {
    let reason = Reason::new("vendor_refused", sentence(answer, error));
    ItemOutcome::Unknown { why: reason.clone(), then: AfterAbsence::Fail { reason } }
}

fn unknown(code: &str, answer: &VendorAnswer) -> ItemOutcome {
    let message = if code == "answer_unreadable" {
        "The vendor's answer could not be read.".to_owned()
    } else {
        sentence(answer, &ErrorBody::read(&answer.body))
    };
    ItemOutcome::Unknown { why: Reason::new(code, message), then: AfterAbsence::Resend }
}

/// Our sentence, with the vendor's number for the error. Its own sentence may quote what was sent, and names no field in a way
/// that could be told from a value; it is kept as evidence.
pub fn sentence(answer: &VendorAnswer, error: &ErrorBody) -> String {
    let status = answer.status.as_u16();
    match error.code {
        Some(code) => format!("The vendor answered {status}, with its code {code}."),
        None => format!("The vendor answered {status}."),
    }
}

#[cfg(test)]
mod tests;
