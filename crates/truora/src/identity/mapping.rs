//! Ours ↔ Digital Identity's. Pure.
//!
//! The outcome policy: `success` clears; `failure` is for a person to look at (`consider`), unless the vendor says that the
//! subject did not finish or that it could not find out, which is `unresolved`: nobody was declined then. An override wins
//! over both, and is said. `pending` is not an end, however long it takes, and neither is a word that nobody knows.

use std::collections::BTreeSet;

use bytes::Bytes;
use domain::result::{Declined, DocumentSeen, IdentityValidation, StatusOverride};
use domain::{Action, ActionKind, Certainty, CheckResult, IdentityResult, Outcome, Reason, Sensitive, Standing};
use http::header::DATE;
use provider::{Carries, DocumentRef, Snapshot, SubmissionItem, VendorAnswer, native_status, vendor_code};
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use url::Url;

use super::declined::{ABANDONED, UNAVAILABLE, of_code};
use super::wire::{Document, Process, Validation};
use super::{IdentitySettings, flow_of};
use crate::inputs;
use crate::wire::{date, timestamp};

/// How long a link lives where nothing says otherwise.
const LINK_LIFE: std::time::Duration = std::time::Duration::from_hours(2);

/// The form of a create call. `None`: no flow is known, which validation has said long before.
pub fn request(item: &SubmissionItem, settings: &IdentitySettings) -> Option<Vec<(&'static str, String)>> {
    let mut form = vec![
        ("key_type", "web".to_owned()),
        ("grant", "digital-identity".to_owned()),
        ("api_key_version", "1".to_owned()),
        // The one value that the vendor's guide allows; which documents are taken is up to the flow.
        ("country", "ALL".to_owned()),
        ("flow_id", flow_of(&item.check, settings)?),
        // The subject's account at the vendor is this very check: processes are found again by it.
        ("account_id", item.reference.to_string()),
    ];
    if let Some(redirect) = &settings.redirect_url {
        form.push(("redirect_url", redirect.to_string()));
    }
    let person = inputs::person(&item.order.subject)?;
    let given = [("phone", person.phone.as_ref()), ("emails", person.email.as_ref())];
    // They fill the flow's own steps in; nobody is called or written to by the create.
    form.extend(given.into_iter().filter_map(|(field, value)| {
        let value = value.map(|value| value.trim()).filter(|value| !value.is_empty())?;
        Some((field, value.to_owned()))
    }));
    Some(form)
}

/// The link for the applicant as an action, and the check as it stands with it: nobody has begun.
pub fn waiting(page: &Url, token: &str, answer: &VendorAnswer) -> Snapshot {
    let mut url = page.clone();
    url.query_pairs_mut().append_pair("token", token);
    let action = Action {
        kind: ActionKind::ApplicantLink,
        url: Some(url.to_string()),
        token: Some(token.to_owned()),
        expires_at: expiry(token, answer),
        message: Some("The applicant must follow the link and show who they are.".to_owned()),
    };
    Snapshot {
        part_id: None,
        carries: Carries::Nothing,
        vendor_time: None,
        native_status: "no_process".to_owned(),
        standing: Standing::Waiting { action },
        documents: Vec::new(),
        // The answer is the link itself; it is kept in the action and nowhere else.
        payload: Sensitive::new(Bytes::new()),
    }
}

/// When a token ends: as it says itself, else two hours after the answer, by the vendor's clock.
fn expiry(token: &str, answer: &VendorAnswer) -> Option<domain::Timestamp> {
    #[derive(Deserialize)]
    struct Claims {
        exp: i64,
    }
    // Whether it is signed rightly is for the vendor to know; nothing hangs on it here.
    let said = jsonwebtoken::dangerous::insecure_decode_claims::<Claims>(token).ok();
    let said = said.and_then(|claims| OffsetDateTime::from_unix_timestamp(claims.exp).ok());
    let answered = || {
        let date = answer.headers.get(DATE)?.to_str().ok()?;
        OffsetDateTime::parse(date, &Rfc2822).ok()
    };
    said.map(domain::Timestamp::new).or_else(|| Some(domain::Timestamp::new(answered()?) + LINK_LIFE))
}

/// One look at a process. `payload` is the answer it was read from.
pub fn snapshot(process: &Process, payload: Bytes) -> Snapshot {
    let standing = standing(process);
    let is_final = standing.is_final();
    let id = process.id.clone();
    let documents = id.as_deref().filter(|_| is_final).map(report);
    Snapshot {
        documents: documents.into_iter().collect(),
        part_id: id,
        carries: Carries::read(process.account_id.as_deref()),
        // The link's own look bears our time, and the vendor's clock may be behind ours.
        vendor_time: process.update_date.as_deref().filter(|_| is_final).and_then(timestamp),
        native_status: native_status(counts(process).unwrap_or_default()),
        standing,
        payload: Sensitive::new(payload),
    }
}

/// The word that counts.
fn counts(process: &Process) -> Option<&str> {
    overridden(process).or(process.status.as_deref())
}

fn overridden(process: &Process) -> Option<&str> {
    process.override_status.as_deref().filter(|word| !word.trim().is_empty())
}

fn standing(process: &Process) -> Standing {
    let (outcome, reason) = match counts(process) {
        // Some validations may be late by a quarter of an hour; the vendor says when it is over.
        Some("pending") => return Standing::Working { estimated_completion_at: None },
        Some("success") => (Outcome::Clear, overridden(process).map(|_| overriding())),
        Some("failure") => of_failure(process),
        _ => return Standing::Unknown,
    };
    let result = Some(CheckResult::Identity(Box::new(result(process))));
    Standing::Completed { outcome, result, reason, certainty: Certainty::Full }
}

fn overriding() -> Reason {
    Reason::new("status_overridden", "Somebody decided otherwise than the vendor's own validations.")
}

/// Codes are coarse, since they travel in events.
fn of_failure(process: &Process) -> (Outcome, Option<Reason>) {
    if overridden(process).is_some() {
        return (Outcome::Consider, Some(overriding()));
    }
    let family = of_code(process.declined_reason.as_deref()).map(|declined| declined.code);
    let unresolved = |code, message: &str| (Outcome::Unresolved, Some(Reason::new(code, message)));
    match (process.failure_status.as_deref(), family.as_deref()) {
        (Some("expired"), _) => unresolved("expired", "The applicant did not finish in time. Order the check again."),
        (Some("canceled" | "abandoned"), _) | (_, Some(ABANDONED)) => {
            unresolved("abandoned", "The applicant did not go through with it. Order the check again.")
        }
        (Some("system_error"), _) | (_, Some(UNAVAILABLE)) => {
            unresolved("sources_failed", "The vendor, or a register that it asks, failed. Order the check again.")
        }
        _ => {
            let message = "The vendor could not confirm that the applicant is who they say they are.";
            (Outcome::Consider, Some(Reason::new("identity_declined", message)))
        }
    }
}

fn result(process: &Process) -> IdentityResult {
    let rows = process.validations.as_deref().unwrap_or_default();
    let validations: Vec<_> = rows.iter().map(validation).collect();
    let methods: BTreeSet<_> = validations.iter().map(|validation| validation.kind.clone()).collect();
    let mut declined: Vec<Declined> = Vec::new();
    let reasons = of_code(process.declined_reason.as_deref()).into_iter();
    for reason in reasons.chain(validations.iter().filter_map(|validation| validation.declined.clone())) {
        if !declined.contains(&reason) {
            declined.push(reason);
        }
    }
    let document = rows.iter().rev().find_map(|row| row.details.as_ref()?.document_details.as_ref());
    IdentityResult {
        status: counts(process).map(native_status),
        methods: methods.into_iter().collect(),
        validations,
        document: document.map(seen),
        declined,
        overridden: overridden(process).map(|status| StatusOverride {
            status: native_status(status),
            instead_of: process.status.as_deref().map(native_status),
            by: process.override_by.as_deref().map(native_status),
        }),
    }
}

fn validation(row: &Validation) -> IdentityValidation {
    let face = row.details.as_ref().and_then(|details| details.face_recognition_validations.as_ref());
    IdentityValidation {
        kind: match row.kind.as_deref() {
            Some("document-validation") => "document".to_owned(),
            Some("face-recognition") => "face".to_owned(),
            Some("email-validation") => "email".to_owned(),
            Some("phone-validation") => "phone".to_owned(),
            other => other.and_then(vendor_code).unwrap_or("other").to_owned(),
        },
        status: row.status.as_deref().map(native_status),
        score: face.and_then(|face| face.confidence_score).filter(|score| (0.0..=1.0).contains(score)),
        declined: of_code(row.declined_reason.as_deref()),
    }
}

fn seen(document: &Document) -> DocumentSeen {
    let filled = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    // As a date where it is one, whatever time stands behind it.
    let day = |text: &Option<String>| {
        let text = filled(text)?;
        Some(date(&text).map_or(text, |date| date.to_string()))
    };
    DocumentSeen {
        kind: filled(&document.kind),
        country: filled(&document.country),
        number: filled(&document.number),
        first_name: filled(&document.name),
        last_name: filled(&document.last_name),
        date_of_birth: day(&document.date_of_birth),
        issued_on: day(&document.issue_date),
        expires_on: day(&document.expiration_date),
    }
}

const PDF: &str = "process-pdf/";

fn report(process_id: &str) -> DocumentRef {
    DocumentRef {
        locator: format!("{PDF}{process_id}"),
        kind: "report".to_owned(),
        media_type: "application/pdf".to_owned(),
        filename: "truora-identity.pdf".to_owned(),
    }
}

/// The process whose report a locator means.
pub fn pdf_of(locator: &str) -> Option<&str> {
    locator.strip_prefix(PDF)
}
