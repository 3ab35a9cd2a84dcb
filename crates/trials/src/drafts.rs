//! Orders that every simulator takes and that end well.

use std::collections::BTreeMap;

use domain::input::{BackgroundCheck, EducationVerification, Employer, EmploymentVerification, Institution};
use domain::{
    CheckDraft, CheckInput, CheckSpec, Consent, ConsentDocument, Identifier, IdentifierType, Money, OrderDraft,
    OrderInput, Person, Position, Purpose, Subject, Wish,
};

/// An order with one check at this vendor, which ends well there.
pub fn draft(vendor: &str, number: u32) -> OrderDraft {
    draft_of(&[vendor], number)
}

/// An order with one check at each of these vendors.
pub fn draft_of(vendors: &[&str], number: u32) -> OrderDraft {
    let checks = vendors.iter().map(|vendor| CheckDraft {
        input: CheckInput::new(spec(vendor, number), serde_json::Map::new()).into(),
        providers: Wish::parse(vendor).into_iter().collect(),
        account: None,
    });
    OrderDraft {
        external_id: Some(format!("T-{number}")),
        input: order_input(number).into(),
        providers: Vec::new(),
        checks: checks.collect(),
        metadata: BTreeMap::new(),
    }
}

fn spec(vendor: &str, number: u32) -> CheckSpec {
    match vendor {
        "truora" => CheckSpec::BackgroundCheck(BackgroundCheck { country: "CO".into(), ..BackgroundCheck::default() }),
        "theary" if number % 2 == 1 => CheckSpec::EducationVerification(EducationVerification {
            institution: Institution { name: "Sample University".into(), email: None, phone: None },
            qualification: Some("BSc".into()),
            field_of_study: Some("Mathematics".into()),
            graduation_date: Some("2014-06-30".parse().expect("a date")),
        }),
        _ => CheckSpec::EmploymentVerification(EmploymentVerification {
            employer: Some(Employer {
                name: "Fake Company".into(),
                location: Some("Springfield, IL".into()),
                email: Some("hr@example.com".into()),
                ..Employer::default()
            }),
            title: Some("Software Engineer".into()),
            start_date: Some("2019-01-01".parse().expect("a date")),
            end_date: None,
        }),
    }
}

fn order_input(number: u32) -> OrderInput {
    let identifier = |kind, country: &str, value: String| Identifier {
        kind,
        country: country.into(),
        value,
        issued_on: None,
        serial: None,
        verification_code: None,
    };
    OrderInput {
        subject: Subject::Person(Person {
            first_name: Some("Taylor".into()),
            last_name: Some("Curtis".into()),
            date_of_birth: Some("1990-05-15".parse().expect("a date")),
            email: Some("taylor.curtis@example.com".into()),
            phone: Some("+15550100".into()),
            identifiers: vec![
                identifier(IdentifierType::Ssn, "US", "000-00-0000".into()),
                // The simulator steers by the last digit; zero is a clean one.
                identifier(IdentifierType::NationalId, "CO", format!("{}0", 10_000_000 + number)),
            ],
            ..Person::default()
        }),
        position: Some(Position {
            title: Some("Engineer".into()),
            company: Some("Example Hiring Inc".into()),
            city: Some("Springfield".into()),
            region: Some("IL".into()),
            country: Some("US".into()),
            salary: Some(Money { amount: "100000.00".into(), currency: "USD".into() }),
            ..Position::default()
        }),
        purpose: Purpose::Employment,
        consent: Consent {
            obtained_at: "2025-12-01T10:00:00Z".parse().expect("a time"),
            text_version: None,
            expires_at: None,
            document: Some(ConsentDocument::Link { url: "https://example.com/release.pdf".into() }),
        },
    }
}

/// The same order for somebody with this SSN, by which simulators choose how a check ends.
pub fn with_ssn(draft: OrderDraft, ssn: &str) -> OrderDraft {
    with_identifier(draft, IdentifierType::Ssn, ssn)
}

/// The same order for somebody with this national id.
pub fn with_national_id(draft: OrderDraft, id: &str) -> OrderDraft {
    with_identifier(draft, IdentifierType::NationalId, id)
}

fn with_identifier(mut draft: OrderDraft, kind: IdentifierType, value: &str) -> OrderDraft {
    let mut input = draft.input.expose().clone();
    if let Subject::Person(person) = &mut input.subject {
        for identifier in person.identifiers.iter_mut().filter(|identifier| identifier.kind == kind) {
            value.clone_into(&mut identifier.value);
        }
    }
    draft.input = input.into();
    draft
}

/// The same order with a check of Theary's other type, and all of its checks there asked for as one order of the vendor's.
pub fn in_one_order(mut order: OrderDraft, number: u32) -> OrderDraft {
    order.checks.extend(draft("theary", number + 1).checks);
    let at_theary = |check: &&mut CheckDraft| check.providers.iter().any(|wish| wish.provider.as_str() == "theary");
    for check in order.checks.iter_mut().filter(at_theary) {
        let mut input = check.input.expose().clone();
        input.vendor_options.insert("one_order".to_owned(), true.into());
        check.input = input.into();
    }
    order
}
