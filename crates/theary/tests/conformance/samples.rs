//! Synthetic checks, for unit and integration tests alike.

use std::sync::Arc;

use domain::input::{Employer, EmploymentVerification, Institution, PositionLevel};
use domain::subject::{Address, Alias};
use domain::{
    CheckId, CheckInput, CheckSpec, Consent, ConsentDocument, Identifier, IdentifierType, Money, OrderInput, Person,
    Position, Purpose, Reference, Subject,
};
use domain::{input::EducationVerification, time::Date};
use provider::SubmissionItem;
use uuid::Uuid;

pub fn reference(number: u128) -> Reference {
    // Shaped like a UUIDv7, so that it looks as real ones do.
    Reference::first(CheckId::from_uuid(Uuid::from_u128(0x0193_4f00_0000_7000_8000_0000_0000_0000 + number)))
}

fn date(text: &str) -> Date {
    text.parse().expect("a date")
}

fn text(text: &str) -> String {
    text.to_owned()
}

pub fn order() -> OrderInput {
    OrderInput {
        subject: Subject::Person(Person {
            first_name: Some(text("Ada")),
            middle_name: Some(text("Quill")),
            last_name: Some(text("Sample")),
            aliases: vec![Alias {
                first_name: "Addie".to_owned(),
                middle_name: None,
                last_name: "Sample".to_owned(),
                suffix: None,
            }],
            date_of_birth: Some(date("1990-05-15")),
            gender: None,
            email: Some(text("ada.sample@example.com")),
            phone: Some(text("+15555550100")),
            nationality: None,
            identifiers: vec![Identifier {
                kind: IdentifierType::Ssn,
                country: "US".to_owned(),
                value: "900450001".to_owned(),
                issued_on: None,
                serial: None,
                verification_code: None,
            }],
            addresses: vec![Address {
                kind: None,
                line1: Some(text("1 Test Street")),
                line2: None,
                city: Some(text("Springfield")),
                region: Some(text("IL")),
                postal_code: Some(text("62701")),
                country: Some(text("US")),
                from: Some(date("2020-01-01")),
                to: None,
            }],
        }),
        position: Some(Position {
            title: Some(text("Engineer")),
            company: Some(text("Hiring Works")),
            city: Some(text("Chicago")),
            region: Some(text("IL")),
            country: Some(text("US")),
            salary: Some(Money { amount: "100000.00".to_owned(), currency: "USD".to_owned() }),
            level: Some(PositionLevel::Standard),
            industry: Some(text("TECHNOLOGY")),
            security_clearance_required: Some(false),
        }),
        purpose: Purpose::Employment,
        consent: Consent {
            obtained_at: "2026-11-20T10:00:00Z".parse().expect("a time"),
            text_version: None,
            expires_at: None,
            document: Some(ConsentDocument::Link { url: "https://forms.example/release.pdf".to_owned() }),
        },
    }
}

pub fn employment_check() -> CheckInput {
    CheckInput::new(
        CheckSpec::EmploymentVerification(EmploymentVerification {
            employer: Some(Employer {
                name: "Former Works".to_owned(),
                location: None,
                email: Some(text("hr@former.example")),
                phone: Some(text("+15555550101")),
                address: Some(Address { city: Some(text("Peoria")), region: Some(text("IL")), ..Address::default() }),
            }),
            title: Some(text("Junior Engineer")),
            start_date: Some(date("2015-02-01")),
            end_date: Some(date("2019-12-31")),
        }),
        serde_json::Map::new(),
    )
}

pub fn education_check() -> CheckInput {
    CheckInput::new(
        CheckSpec::EducationVerification(EducationVerification {
            institution: Institution {
                name: "Test University".to_owned(),
                email: Some(text("registrar@test-university.example")),
                phone: None,
            },
            qualification: Some(text("BSc")),
            field_of_study: Some(text("Mathematics")),
            graduation_date: Some(date("2014-06-30")),
        }),
        serde_json::Map::new(),
    )
}

pub fn item(number: u128, order: OrderInput, check: CheckInput) -> SubmissionItem {
    let reference = reference(number);
    SubmissionItem { reference, order: Arc::new(order), check: Arc::new(check), force_new: false }
}

pub fn employment(number: u128) -> SubmissionItem {
    item(number, order(), employment_check())
}

pub fn education(number: u128) -> SubmissionItem {
    item(number, order(), education_check())
}

pub fn edit(item: &mut SubmissionItem, change: impl FnOnce(&mut OrderInput, &mut CheckInput)) {
    change(Arc::make_mut(&mut item.order), Arc::make_mut(&mut item.check));
}

pub fn person(order: &mut OrderInput) -> &mut Person {
    match &mut order.subject {
        Subject::Person(person) => person,
        _ => panic!("a person"),
    }
}
