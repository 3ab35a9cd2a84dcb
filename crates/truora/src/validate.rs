//! Everything Truora will demand of a check, said before the order is accepted.

use domain::input::BackgroundCheck;
use domain::{CheckInput, CheckSpec, FieldError, Gender, OrderInput, Subject};
use serde_json::{Map, Value};

use crate::countries::{
    self, BRAZILIAN_REGIONS, COUNTRIES, CUSTOM_TYPE_COUNTRIES, Kind, NATIVE_COUNTRIES, Residence, Row,
};
use crate::inputs::{self, Input, Inputs};

/// Fields of the vendor's own that a caller may set. References, consent, force and watch fields are not among them: a
/// recurrent check would make objects that no order here knows of.
pub const OPTIONS: &[&str] = &[PRIORITY, "imei", "escrow", "report_id", NATIVE_BATCH];

/// `low`, `medium` or `high`, sent as a header. High is refused with 429 while too many of them run.
pub const PRIORITY: &str = "priority";

/// `true`: send it in a file of the vendor's own batches if that can be; `false`: never.
pub const NATIVE_BATCH: &str = "native_batch";

/// The faults of a check, in the order of the request. Empty: the vendor will take it.
pub fn faults(order: &OrderInput, check: &CheckInput) -> Vec<FieldError> {
    let CheckSpec::BackgroundCheck(spec) = &check.spec else {
        return vec![FieldError::check(
            "/type",
            "not_supported",
            "Truora is used for background checks and identity verifications only.",
        )];
    };
    let mut faults = faulty_options(&check.vendor_options);
    let country = spec.country.to_ascii_uppercase();
    if !COUNTRIES.contains(&country.as_str()) {
        let detail = format!("Truora offers background checks in {}.", COUNTRIES.join(", "));
        faults.push(FieldError::check("/country", "not_supported", detail));
        return faults;
    }
    faults.extend(faulty_custom_type(spec, &country));
    faults.extend(faulty_terms(spec, &country));
    let Some(row) = inputs::row(&order.subject, &country) else {
        let detail = format!("Truora has no {} checks in {country}.", order.subject.kind());
        faults.push(FieldError::check("/country", "not_supported", detail));
        return faults;
    };
    faults.extend(faulty_subject(&order.subject, row));
    let given = inputs::gather(&order.subject, spec, &country, row);
    for input in missing(row, &given) {
        let fault = missing_fault(input, &order.subject, &country, row);
        // A wrong value was not gathered and is said to be wrong already.
        if !faults.iter().any(|known| known.place == fault.place && known.code != fault.code) {
            faults.push(fault);
        }
    }
    faults
}

fn faulty_options(options: &Map<String, Value>) -> Vec<FieldError> {
    let fault = |name: &str, code, detail: String| {
        let name = name.replace('~', "~0").replace('/', "~1");
        FieldError::check(format!("/vendor_options/{name}"), code, detail)
    };
    let judge = |(name, value): (&String, &Value)| {
        if !OPTIONS.contains(&name.as_str()) {
            let detail = format!("Truora's options are {}.", OPTIONS.join(", "));
            return Some(fault(name, "unknown_field", detail));
        }
        let text = value.as_str().unwrap_or_default();
        let expected = match name.as_str() {
            PRIORITY if !matches!(text, "low" | "medium" | "high") => "low, medium or high",
            "imei" if text.len() != 15 || !text.bytes().all(|byte| byte.is_ascii_digit()) => "15 digits",
            "escrow" | "report_id" if text.is_empty() => "a text",
            NATIVE_BATCH if !value.is_boolean() => "true or false",
            _ => return None,
        };
        Some(fault(name, "invalid", format!("Expected {expected}.")))
    };
    options.iter().filter_map(judge).collect()
}

fn faulty_custom_type(spec: &BackgroundCheck, country: &str) -> Option<FieldError> {
    let name = spec.custom_type.as_deref()?.trim();
    if name.is_empty() || Subject::TYPES.contains(&name) {
        let detail = "Expected the name of a check type that was made in the Truora account; leave it out for the subject's own type.";
        return Some(FieldError::check("/custom_type", "invalid", detail));
    }
    let detail = format!("Truora has custom types in {} only.", CUSTOM_TYPE_COUNTRIES.join(", "));
    (!CUSTOM_TYPE_COUNTRIES.contains(&country)).then(|| FieldError::check("/custom_type", "not_supported", detail))
}

/// Fields of the check itself that only one country knows.
fn faulty_terms(spec: &BackgroundCheck, country: &str) -> Vec<FieldError> {
    let mut faults = Vec::new();
    match &spec.region {
        Some(_) if country != "BR" => {
            faults.push(FieldError::check("/region", "not_supported", "Only checks in BR take a region."));
        }
        Some(region) if !BRAZILIAN_REGIONS.contains(&region.to_ascii_uppercase().as_str()) => {
            let detail = "Expected the two letters of a Brazilian state, or ALL.";
            faults.push(FieldError::check("/region", "invalid", detail));
        }
        _ => {}
    }
    for (given, pointer) in
        [(spec.payment_date.is_some(), "/payment_date"), (spec.certificate_folio.is_some(), "/certificate_folio")]
    {
        if given && country != "CL" {
            faults.push(FieldError::check(pointer, "not_supported", "Only checks in CL take this field."));
        }
    }
    faults
}

/// Values that are there and that the vendor does not take.
fn faulty_subject(subject: &Subject, row: &Row) -> Vec<FieldError> {
    let mut faults = Vec::new();
    let demands = |input| row.ways.iter().all(|way| way.contains(&input));
    if let Some(person) = inputs::person(subject) {
        let nationality = person.nationality.as_deref().map(str::to_ascii_uppercase);
        if demands(Input::NativeCountry) && nationality.is_some_and(|native| !inputs::is_native_country(&native)) {
            let detail =
                format!("Truora knows foreigners in {} from {} only.", row.country, NATIVE_COUNTRIES.join(", "));
            faults.push(FieldError::order(person_pointer(subject, "/nationality"), "not_supported", detail));
        }
    }
    if let Subject::Vehicle(vehicle) = subject
        && let Some(owner) = vehicle.owner.as_ref().and_then(|owner| owner.identifier.as_ref())
        && inputs::owner_document(owner.kind).is_none()
    {
        let detail = "Truora knows an owner by national_id, foreign_id, tax_id or passport.";
        faults.push(FieldError::order("/subject/owner/identifier/type", "not_supported", detail));
    }
    faults
}

/// What the set that is most nearly complete lacks; empty once one is complete.
fn missing(row: &Row, given: &Inputs) -> Vec<Input> {
    let lacking = |way: &&[Input]| way.iter().copied().filter(|input| !given.contains_key(input)).collect::<Vec<_>>();
    // The first of the smallest, so that a document is asked for before a set of names is.
    let mut missing = row.ways.iter().map(lacking).min_by_key(Vec::len).unwrap_or_default();
    // The date of issue is said with the document that it stands on.
    if missing.iter().any(|input| inputs::PRIMARY.contains(input)) {
        missing.retain(|input| *input != Input::IssueDate);
    }
    missing
}

fn missing_fault(input: Input, subject: &Subject, country: &str, row: &Row) -> FieldError {
    let mut detail = match input {
        Input::IssueDate => format!("Truora needs the date of issue of the identifier for {country}."),
        Input::NativeCountry => format!("Truora needs the nationality of a foreigner in {country}."),
        Input::Gender => format!("Truora needs male or female for {country}."),
        _ => match input.document() {
            Some(kind) => {
                let dated = row.ways.iter().any(|way| way.contains(&input) && way.contains(&Input::IssueDate));
                let date = if dated { ", with its date of issue" } else { "" };
                format!("Truora needs an identifier of type {kind} and country {country}{date}.")
            }
            None => format!("Truora needs it for {} checks in {country}.", Kind::of(subject).as_str()),
        },
    };
    if row.ways.len() > 1 {
        detail = format!("{detail} Any one of these is enough: {}.", row.describe_ways());
    }
    // Nothing says that it is a foreigner, and nothing that it is none.
    if input == Input::NationalId
        && let Some(foreigner) = countries::find(country, row.kind, Residence::Foreigner)
        && foreigner.residence == Some(Residence::Foreigner)
    {
        detail = format!("{detail} A foreigner needs instead: {}.", foreigner.describe_ways());
    }
    let code = if input == Input::Gender && has_other_gender(subject) { "not_supported" } else { "required" };
    match input {
        Input::Region => FieldError::check("/region", code, detail),
        _ => FieldError::order(pointer(input, subject, country), code, detail),
    }
}

fn has_other_gender(subject: &Subject) -> bool {
    inputs::person(subject).is_some_and(|person| person.gender == Some(Gender::Other))
}

/// Where in the order this input belongs.
fn pointer(input: Input, subject: &Subject, country: &str) -> String {
    match input {
        Input::FirstName => person_pointer(subject, "/first_name"),
        Input::LastName => person_pointer(subject, "/last_name"),
        Input::DateOfBirth => person_pointer(subject, "/date_of_birth"),
        Input::Gender => person_pointer(subject, "/gender"),
        Input::PhoneNumber => person_pointer(subject, "/phone"),
        Input::NativeCountry => person_pointer(subject, "/nationality"),
        Input::LicensePlate => "/subject/license_plate".to_owned(),
        Input::CompanyName => "/subject/name".to_owned(),
        Input::IssueDate => issued_on_pointer(subject, country),
        // Documents: a new entry of the list.
        _ => person_pointer(subject, "/identifiers"),
    }
}

/// A field of the person: the subject itself, or the vehicle's driver.
fn person_pointer(subject: &Subject, field: &str) -> String {
    let person = if matches!(subject, Subject::Vehicle(_)) { "/subject/driver" } else { "/subject" };
    format!("{person}{field}")
}

/// The date of the document that is there, or the list where none is.
fn issued_on_pointer(subject: &Subject, country: &str) -> String {
    let list = person_pointer(subject, "/identifiers");
    let documents = inputs::person(subject).map_or(&[][..], |person| &person.identifiers);
    let primary = inputs::PRIMARY.iter().find_map(|input| {
        let kind = input.document()?;
        documents.iter().position(|document| document.kind == kind && document.country.eq_ignore_ascii_case(country))
    });
    primary.map_or(list.clone(), |at| format!("{list}/{at}/issued_on"))
}

#[cfg(test)]
mod tests;
