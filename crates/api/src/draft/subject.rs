//! `/subject`: a person, a company or a vehicle.

use domain::subject::Alias;
use domain::{Address, Company, Identifier, Person, Subject, Timestamp, Vehicle};
use serde_json::{Map, Value};

use super::rules;
use crate::faults::Faults;
use crate::section;

/// The most aliases, identifiers or addresses of one subject.
pub const MOST_ENTRIES: usize = 50;

/// Nobody who is screened today was born before.
const OLDEST_YEAR: i32 = 1900;

const AT: &str = "/subject";

pub fn read(value: Value, now: Timestamp, faults: &mut Faults) -> Option<Subject> {
    let Value::Object(mut object) = value else {
        faults.push(AT, "invalid", "Expected an object.");
        return None;
    };
    let kind = object.remove("type");
    match kind.as_ref().and_then(Value::as_str) {
        Some("person") => person(object, AT, now, faults).map(Subject::Person),
        Some("company") => company(object, now, faults).map(Subject::Company),
        Some("vehicle") => vehicle(object, now, faults).map(Subject::Vehicle),
        _ => {
            let (code, known) = (if kind.is_none() { "required" } else { "invalid" }, Subject::TYPES.join(", "));
            faults.push("/subject/type", code, format!("Expected one of {known}."));
            None
        }
    }
}

fn person(mut object: Map<String, Value>, at: &str, now: Timestamp, faults: &mut Faults) -> Option<Person> {
    let identifiers = identifiers(&mut object, at, now, faults);
    let addresses = section::elements(&mut object, "addresses", at, MOST_ENTRIES, faults, address);
    let aliases = section::elements(&mut object, "aliases", at, MOST_ENTRIES, faults, alias);
    let mut person: Person = section::parse(Value::Object(object), at, faults)?;
    for (field, name) in
        [("first_name", &person.first_name), ("middle_name", &person.middle_name), ("last_name", &person.last_name)]
    {
        rules::name(name.as_deref(), &format!("{at}/{field}"), faults);
    }
    if let Some(birth) = person.date_of_birth {
        let pointer = format!("{at}/date_of_birth");
        rules::not_after(Some(birth), now.date(), &pointer, faults);
        if birth.get().year() < OLDEST_YEAR {
            faults.push(pointer, "invalid", format!("Expected a date from {OLDEST_YEAR} on."));
        }
    }
    rules::email(person.email.as_deref(), &format!("{at}/email"), faults);
    rules::phone(person.phone.as_deref(), &format!("{at}/phone"), faults);
    if let Some(country) = &person.nationality {
        rules::country(country, &format!("{at}/nationality"), faults);
    }
    person.identifiers = identifiers;
    person.aliases = aliases;
    person.addresses = addresses;
    Some(person)
}

fn alias(one: &Alias, at: &str, faults: &mut Faults) {
    rules::filled(&one.first_name, &format!("{at}/first_name"), faults);
    rules::filled(&one.last_name, &format!("{at}/last_name"), faults);
    for (field, name) in [
        ("first_name", Some(&one.first_name)),
        ("middle_name", one.middle_name.as_ref()),
        ("last_name", Some(&one.last_name)),
        ("suffix", one.suffix.as_ref()),
    ] {
        rules::name(name.map(String::as_str), &format!("{at}/{field}"), faults);
    }
}

fn company(mut object: Map<String, Value>, now: Timestamp, faults: &mut Faults) -> Option<Company> {
    let identifiers = identifiers(&mut object, AT, now, faults);
    let mut company: Company = section::parse(Value::Object(object), AT, faults)?;
    company.identifiers = identifiers;
    Some(company)
}

fn vehicle(mut object: Map<String, Value>, now: Timestamp, faults: &mut Faults) -> Option<Vehicle> {
    let identifiers = identifiers(&mut object, AT, now, faults);
    let driver = match object.remove("driver") {
        None | Some(Value::Null) => None,
        Some(Value::Object(driver)) => person(driver, "/subject/driver", now, faults),
        Some(_) => {
            faults.push("/subject/driver", "invalid", "Expected an object.");
            None
        }
    };
    let mut vehicle: Vehicle = section::parse(Value::Object(object), AT, faults)?;
    if let Some(one) = vehicle.owner.as_ref().and_then(|owner| owner.identifier.as_ref()) {
        identifier(one, "/subject/owner/identifier", now, faults);
    }
    vehicle.identifiers = identifiers;
    vehicle.driver = driver;
    Some(vehicle)
}

fn identifiers(object: &mut Map<String, Value>, at: &str, now: Timestamp, faults: &mut Faults) -> Vec<Identifier> {
    let judge = |one: &Identifier, at: &str, faults: &mut Faults| identifier(one, at, now, faults);
    section::elements(object, "identifiers", at, MOST_ENTRIES, faults, judge)
}

fn identifier(one: &Identifier, at: &str, now: Timestamp, faults: &mut Faults) {
    rules::country(&one.country, &format!("{at}/country"), faults);
    if !one.value.chars().any(char::is_alphanumeric) {
        faults.push(format!("{at}/value"), "required", "An identifier needs letters or digits.");
    }
    rules::name(Some(&one.value), &format!("{at}/value"), faults);
    rules::not_after(one.issued_on, now.date(), &format!("{at}/issued_on"), faults);
}

pub fn address(one: &Address, at: &str, faults: &mut Faults) {
    if let Some(country) = &one.country {
        rules::country(country, &format!("{at}/country"), faults);
    }
    rules::span(one.from, one.to, &format!("{at}/to"), faults);
}
