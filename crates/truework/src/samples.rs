//! Orders to test with. Synthetic throughout.

use domain::input::{Employer, EmploymentVerification, IncomeVerification};
use domain::{
    CheckId, CheckInput, CheckSpec, Consent, ConsentDocument, Date, Identifier, IdentifierType, OrderInput, Person,
    Purpose, Reference, Subject, Timestamp,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub fn reference(number: u128) -> Reference {
    Reference::first(CheckId::from_uuid(Uuid::from_u128(number)))
}

pub fn date(text: &str) -> Date {
    text.parse().expect("a date")
}

pub fn order() -> OrderInput {
    OrderInput {
        subject: Subject::Person(person()),
        position: None,
        purpose: Purpose::Employment,
        consent: Consent {
            obtained_at: Timestamp::EPOCH,
            text_version: None,
            expires_at: None,
            document: Some(ConsentDocument::Inline {
                filename: "release.pdf".to_owned(),
                content_base64: "JVBERi0xLjQK".to_owned(),
            }),
        },
    }
}

pub fn person() -> Person {
    Person {
        first_name: Some("Jane".to_owned()),
        last_name: Some("Sample".to_owned()),
        date_of_birth: Some(date("1990-05-15")),
        email: Some("jane.sample@example.com".to_owned()),
        phone: Some("+15551234567".to_owned()),
        identifiers: vec![Identifier {
            kind: IdentifierType::Ssn,
            country: "US".to_owned(),
            value: "123456789".to_owned(),
            issued_on: None,
            serial: None,
            verification_code: None,
        }],
        ..Person::default()
    }
}

pub fn employer() -> Employer {
    Employer {
        name: "Tech Corp".to_owned(),
        location: Some("San Francisco, CA".to_owned()),
        email: Some("hr@techcorp.example".to_owned()),
        phone: Some("+15557654321".to_owned()),
        address: None,
    }
}

pub fn employment() -> CheckInput {
    check(CheckSpec::EmploymentVerification(EmploymentVerification {
        employer: Some(employer()),
        title: Some("Software Engineer".to_owned()),
        start_date: Some(date("2019-01-15")),
        end_date: None,
    }))
}

pub fn income_search() -> CheckInput {
    check(CheckSpec::IncomeVerification(IncomeVerification {
        include_analytics: true,
        ..IncomeVerification::default()
    }))
}

pub fn check(spec: CheckSpec) -> CheckInput {
    CheckInput::new(spec, Map::new())
}

pub fn with_option(mut check: CheckInput, key: &str, value: Value) -> CheckInput {
    check.vendor_options.insert(key.to_owned(), value);
    check
}

/// An enum as the vendor sends it.
pub fn word(value: &str) -> Value {
    json!({ "canonical_value": value, "raw_value": value })
}

pub fn verification(state: &str) -> Value {
    json!({ "id": format!("vr-{state}"), "created": "2026-11-20T10:00:00Z", "state": word(state) })
}

pub fn vendor_order(verifications: impl Into<Value>) -> Value {
    let verifications = verifications.into();
    json!({ "id": "order-1", "search_key": reference(1).to_string(), "verification_requests": verifications })
}

pub fn report() -> Value {
    json!({
        "id": "report-1",
        "current_as_of": "2026-11-10",
        "employee": {
            "status": word("active"),
            "hired_date": "2019-01-01",
            "positions": [{ "title": "Software Engineer", "start_date": "2019-01-01", "employment_type": word("regular-full-time") }],
        },
        "employer": { "name": "Tech Corp, Inc." },
    })
}
