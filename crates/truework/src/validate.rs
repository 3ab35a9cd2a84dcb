//! Everything the vendor will demand, checked before an order is accepted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{CheckInput, ConsentDocument, FieldError, IdentifierType, OrderInput, Person};

use crate::options::Options;
use crate::request::{Asked, normal_ssn};

/// One entry per fault. In the vendor's sandbox only never-issued SSNs exist, in production they are refused at once.
pub fn validate(order: &OrderInput, check: &CheckInput, sandbox: bool) -> Vec<FieldError> {
    let Some(asked) = Asked::of(check) else {
        return vec![FieldError::check("/type", "not_supported", "Truework verifies employments and incomes only.")];
    };
    let Some(person) = order.subject.as_person() else {
        return vec![FieldError::order("/subject/type", "not_supported", "Truework verifies persons only.")];
    };
    let mut faults = Vec::new();
    for (field, value) in [("first_name", &person.first_name), ("last_name", &person.last_name)] {
        if value.as_deref().is_none_or(|name| name.trim().is_empty()) {
            faults.push(FieldError::order(format!("/subject/{field}"), "required", "Truework needs it."));
        }
    }
    faults.extend(ssn(person, sandbox));
    match asked.employer {
        Some(employer) if employer.name.trim().is_empty() => {
            faults.push(FieldError::check("/employer/name", "required", "Truework knows employers by name."));
        }
        None if person.date_of_birth.is_none() => faults.push(FieldError::order(
            "/subject/date_of_birth",
            "required",
            "A search for employers needs it; give it, or name the employer.",
        )),
        Some(_) | None => {}
    }
    if let Some(ConsentDocument::Inline { content_base64, .. }) = &order.consent.document
        && STANDARD.decode(content_base64).is_err()
    {
        faults.push(FieldError::order("/consent/document/content_base64", "invalid", "Expected standard base64."));
    }
    faults.extend(Options::read(check).err().into_iter().flatten());
    faults
}

fn ssn(person: &Person, sandbox: bool) -> Option<FieldError> {
    let Some(place) = person
        .identifiers
        .iter()
        .position(|id| id.kind == IdentifierType::Ssn && id.country.eq_ignore_ascii_case("US"))
    else {
        return Some(FieldError::order(
            "/subject/identifiers",
            "required",
            "Truework needs a US social security number: {\"type\": \"ssn\", \"country\": \"US\", \"value\": …}.",
        ));
    };
    let pointer = format!("/subject/identifiers/{place}/value");
    match normal_ssn(&person.identifiers[place].value) {
        None => Some(FieldError::order(pointer, "invalid", "Expected nine digits, such as XXX-XX-XXXX.")),
        Some(ssn) if !sandbox && never_issued(&ssn) => {
            Some(FieldError::order(pointer, "invalid", "No social security number of this form was ever issued."))
        }
        Some(_) => None,
    }
}

/// Area 000 or 666, group 00 and serial 0000 are never assigned by the Social Security Administration. Areas from 900 on
/// are taxpayer numbers, which are left to the vendor.
fn never_issued(ssn: &str) -> bool {
    let (area, group, serial) = (&ssn[..3], &ssn[4..6], &ssn[7..]);
    matches!(area, "000" | "666") || group == "00" || serial == "0000"
}

/// What `/v1/providers` says of the rules above.
pub fn required_inputs() -> Vec<String> {
    [
        "subject: first_name, last_name, identifiers[ssn, US]",
        "with employer: employer.name",
        "without employer: subject.date_of_birth",
    ]
    .map(str::to_owned)
    .into()
}
