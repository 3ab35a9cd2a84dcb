//! `/checks`: what is to be found out, told apart by `type`.

use domain::input::Employer;
use domain::{CheckDraft, CheckInput, CheckSpec, CheckType, Date, Sensitive};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{present, providers, rules, subject, text};
use crate::faults::{Faults, join};
use crate::section;

/// The most checks of one order.
pub const MOST: usize = 20;

pub fn read(value: Value, faults: &mut Faults) -> Option<Vec<CheckDraft>> {
    let Value::Array(checks) = value else {
        faults.push("/checks", "invalid", "Expected an array.");
        return None;
    };
    if checks.is_empty() || checks.len() > MOST {
        let code = if checks.is_empty() { "required" } else { "too_many" };
        faults.push("/checks", code, format!("An order holds 1 to {MOST} checks."));
        return None;
    }
    let drafts: Vec<_> =
        checks.into_iter().enumerate().map(|(index, check)| one(check, &format!("/checks/{index}"), faults)).collect();
    drafts.into_iter().collect()
}

fn one(value: Value, at: &str, faults: &mut Faults) -> Option<CheckDraft> {
    let Value::Object(mut object) = value else {
        faults.push(at, "invalid", "Expected an object.");
        return None;
    };
    let providers = providers(&mut object, at, faults);
    let account = text(&mut object, "account", at, faults);
    let vendor_options = match present(&mut object, "vendor_options") {
        None => Map::new(),
        Some(Value::Object(options)) => options,
        Some(_) => {
            faults.push(join(at, "vendor_options"), "invalid", "Expected an object.");
            Map::new()
        }
    };
    let kind = object.remove("type");
    let Some(kind) = kind.as_ref().and_then(Value::as_str).and_then(CheckType::parse) else {
        let known = CheckType::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
        let code = if kind.is_none() { "required" } else { "invalid" };
        faults.push(join(at, "type"), code, format!("Expected one of {known}."));
        return None;
    };
    let spec = spec(kind, object, at, faults)?;
    judge(&spec, at, faults);
    Some(CheckDraft { input: Sensitive::new(CheckInput::new(spec, vendor_options)), providers, account })
}

fn spec(kind: CheckType, object: Map<String, Value>, at: &str, faults: &mut Faults) -> Option<CheckSpec> {
    fn into<T: DeserializeOwned>(object: Map<String, Value>, at: &str, faults: &mut Faults) -> Option<T> {
        section::parse(Value::Object(object), at, faults)
    }
    match kind {
        CheckType::EmploymentVerification => into(object, at, faults).map(CheckSpec::EmploymentVerification),
        CheckType::IncomeVerification => into(object, at, faults).map(CheckSpec::IncomeVerification),
        CheckType::EducationVerification => into(object, at, faults).map(CheckSpec::EducationVerification),
        CheckType::BackgroundCheck => into(object, at, faults).map(CheckSpec::BackgroundCheck),
        CheckType::IdentityVerification => into(object, at, faults).map(CheckSpec::IdentityVerification),
    }
}

fn judge(spec: &CheckSpec, at: &str, faults: &mut Faults) {
    match spec {
        CheckSpec::EmploymentVerification(check) => {
            employment(check.employer.as_ref(), check.start_date, check.end_date, at, faults);
        }
        CheckSpec::IncomeVerification(check) => {
            employment(check.employer.as_ref(), check.start_date, check.end_date, at, faults);
        }
        CheckSpec::EducationVerification(check) => {
            rules::filled(&check.institution.name, &format!("{at}/institution/name"), faults);
            rules::email(check.institution.email.as_deref(), &format!("{at}/institution/email"), faults);
            rules::office_phone(check.institution.phone.as_deref(), &format!("{at}/institution/phone"), faults);
        }
        // International sources have a word of their own in place of a country.
        CheckSpec::BackgroundCheck(check) if check.country == "ALL" => {}
        CheckSpec::BackgroundCheck(check) => rules::country(&check.country, &format!("{at}/country"), faults),
        CheckSpec::IdentityVerification(check) => rules::country(&check.country, &format!("{at}/country"), faults),
    }
}

fn employment(employer: Option<&Employer>, start: Option<Date>, end: Option<Date>, at: &str, faults: &mut Faults) {
    if let Some(employer) = employer {
        rules::filled(&employer.name, &format!("{at}/employer/name"), faults);
        rules::email(employer.email.as_deref(), &format!("{at}/employer/email"), faults);
        rules::office_phone(employer.phone.as_deref(), &format!("{at}/employer/phone"), faults);
        if let Some(address) = &employer.address {
            subject::address(address, &format!("{at}/employer/address"), faults);
        }
    }
    rules::span(start, end, &format!("{at}/end_date"), faults);
}
