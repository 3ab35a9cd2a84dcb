//! Whom or what the order is about.

use domain::Gender;

use super::super::paper::{Entries, Section, Table};
use super::super::words;
use crate::views::SubjectView;
use crate::views::subject::{AddressView, CompanyView, IdentifierView, PersonView, VehicleView};

pub fn section(subject: &SubjectView) -> Section {
    let mut section = Section::chapter("Subject");
    match subject {
        SubjectView::Person(person) => {
            section.entries(entries(person));
            section.table(identifiers(&person.identifiers));
            section.table(addresses(&person.addresses));
        }
        SubjectView::Company(company) => company_into(&mut section, company),
        SubjectView::Vehicle(vehicle) => vehicle_into(&mut section, vehicle),
    }
    section.note("Numbers, dates of birth and ways to reach people are masked.");
    section
}

fn entries(person: &PersonView) -> Entries {
    let name = [&person.first_name, &person.middle_name, &person.last_name].map(|part| part.as_deref());
    let mut entries = Entries::default().with("Name", words::some_joined(name, " "));
    for alias in &person.aliases {
        let parts = [
            Some(alias.first_name.as_str()),
            alias.middle_name.as_deref(),
            Some(alias.last_name.as_str()),
            alias.suffix.as_deref(),
        ];
        entries = entries.with("Also known as", Some(words::joined(parts, " ")));
    }
    let gender = person.gender.map(|gender| match gender {
        Gender::Male => "male",
        Gender::Female => "female",
        Gender::Other => "other",
    });
    entries
        .with("Date of birth", person.date_of_birth.as_deref())
        .with("Gender", gender)
        .with("Nationality", person.nationality.as_deref())
        .with("E-mail", person.email.as_deref())
        .with("Phone", person.phone.as_deref())
}

fn company_into(section: &mut Section, company: &CompanyView) {
    section.entries(Entries::default().with("Company", company.name.as_deref()));
    section.table(identifiers(&company.identifiers));
}

fn vehicle_into(section: &mut Section, vehicle: &VehicleView) {
    let mut entries = Entries::default()
        .with("License plate", vehicle.license_plate.as_deref())
        .with("Vehicle identification number", vehicle.vin.as_deref());
    if let Some(owner) = &vehicle.owner {
        entries =
            entries.with("Owner", owner.name.as_deref()).with("Owner's number", owner.identifier.as_ref().map(number));
    }
    section.entries(entries);
    section.table(identifiers(&vehicle.identifiers));
    if let Some(driver) = &vehicle.driver {
        section.note("The driver:");
        section.entries(self::entries(driver));
        section.table(identifiers(&driver.identifiers));
        section.table(addresses(&driver.addresses));
    }
}

fn number(identifier: &IdentifierView) -> String {
    format!("{} ({}, {})", identifier.value, words::label(identifier.kind.as_str()), identifier.country)
}

fn identifiers(all: &[IdentifierView]) -> Table {
    let titles = ["Type", "Country", "Number", "Issued on", "Serial", "Verification code"];
    let mut table = Table::new("Identifiers", &titles);
    for one in all {
        table.row([
            words::label(one.kind.as_str()),
            one.country.clone(),
            one.value.clone(),
            one.issued_on.map(|date| date.to_string()).unwrap_or_default(),
            one.serial.clone().unwrap_or_default(),
            one.verification_code.clone().unwrap_or_default(),
        ]);
    }
    table
}

fn addresses(all: &[AddressView]) -> Table {
    let mut table =
        Table::new("Addresses", &["Type", "Street", "City", "Region", "Post code", "Country", "From", "To"]);
    for one in all {
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        table.row([
            one.kind.as_deref().map(words::label).unwrap_or_default(),
            words::joined([one.line1.as_deref(), one.line2.as_deref()], ", "),
            text(&one.city),
            text(&one.region),
            text(&one.postal_code),
            text(&one.country),
            one.from.map(|date| date.to_string()).unwrap_or_default(),
            one.to.map(|date| date.to_string()).unwrap_or_default(),
        ]);
    }
    table
}
