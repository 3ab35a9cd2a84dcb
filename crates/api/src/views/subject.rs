//! The subject as callers see it: enough to recognise, not enough to misuse.
//!
//! Masked: birth dates to the year, identifiers, plates and phones to their last four, e-mail addresses to their first
//! letter, streets and post codes wholly.

use domain::{Address, Company, Date, Gender, Identifier, IdentifierType, Person, Subject, Vehicle, subject};
use serde::Serialize;
use utoipa::ToSchema;

use super::Reveal;
use crate::mask;

/// Whom or what an order is about, masked.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schema(as = MaskedSubject)]
pub enum SubjectView {
    Person(PersonView),
    Company(CompanyView),
    Vehicle(VehicleView),
}

#[derive(Serialize, ToSchema)]
#[schema(as = MaskedPerson)]
pub struct PersonView {
    pub first_name: Option<String>,
    pub middle_name: Option<String>,
    pub last_name: Option<String>,
    pub aliases: Vec<subject::Alias>,
    /// `1990-**-**`
    pub date_of_birth: Option<String>,
    pub gender: Option<Gender>,
    /// `j***@example.com`
    pub email: Option<String>,
    /// `+*******4567`
    pub phone: Option<String>,
    pub nationality: Option<String>,
    pub identifiers: Vec<IdentifierView>,
    pub addresses: Vec<AddressView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = MaskedCompany)]
pub struct CompanyView {
    pub name: Option<String>,
    pub identifiers: Vec<IdentifierView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = MaskedVehicle)]
pub struct VehicleView {
    pub license_plate: Option<String>,
    pub vin: Option<String>,
    pub owner: Option<OwnerView>,
    pub driver: Option<PersonView>,
    pub identifiers: Vec<IdentifierView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = MaskedVehicleOwner)]
pub struct OwnerView {
    pub name: Option<String>,
    pub identifier: Option<IdentifierView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = MaskedIdentifier)]
pub struct IdentifierView {
    #[serde(rename = "type")]
    pub kind: IdentifierType,
    pub country: String,
    /// `***-**-6789`, or the value itself if it was revealed.
    pub value: String,
    pub issued_on: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification_code: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = MaskedAddress)]
pub struct AddressView {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// `***`
    pub line1: Option<String>,
    pub line2: Option<String>,
    pub city: Option<String>,
    pub region: Option<String>,
    /// `***`
    pub postal_code: Option<String>,
    pub country: Option<String>,
    pub from: Option<Date>,
    pub to: Option<Date>,
}

impl SubjectView {
    pub fn of(subject: &Subject, reveal: Reveal) -> Self {
        match subject {
            Subject::Person(person) => Self::Person(PersonView::of(person, reveal)),
            Subject::Company(company) => Self::Company(CompanyView::of(company, reveal)),
            Subject::Vehicle(vehicle) => Self::Vehicle(VehicleView::of(vehicle, reveal)),
        }
    }
}

impl PersonView {
    fn of(person: &Person, reveal: Reveal) -> Self {
        Self {
            first_name: person.first_name.clone(),
            middle_name: person.middle_name.clone(),
            last_name: person.last_name.clone(),
            aliases: person.aliases.clone(),
            date_of_birth: person.date_of_birth.map(mask::date),
            gender: person.gender,
            email: person.email.as_deref().map(mask::email),
            phone: person.phone.as_deref().map(mask::phone),
            nationality: person.nationality.clone(),
            identifiers: identifiers(&person.identifiers, reveal),
            addresses: person.addresses.iter().map(AddressView::of).collect(),
        }
    }
}

impl CompanyView {
    fn of(company: &Company, reveal: Reveal) -> Self {
        Self { name: company.name.clone(), identifiers: identifiers(&company.identifiers, reveal) }
    }
}

impl VehicleView {
    fn of(vehicle: &Vehicle, reveal: Reveal) -> Self {
        Self {
            // A vehicle's plate and number identify it as a passport does a person.
            license_plate: vehicle.license_plate.as_deref().map(|plate| shown(plate, reveal)),
            vin: vehicle.vin.as_deref().map(|vin| shown(vin, reveal)),
            owner: vehicle.owner.as_ref().map(|owner| OwnerView {
                name: owner.name.clone(),
                identifier: owner.identifier.as_ref().map(|one| IdentifierView::of(one, reveal)),
            }),
            driver: vehicle.driver.as_ref().map(|driver| PersonView::of(driver, reveal)),
            identifiers: identifiers(&vehicle.identifiers, reveal),
        }
    }
}

fn identifiers(identifiers: &[Identifier], reveal: Reveal) -> Vec<IdentifierView> {
    identifiers.iter().map(|one| IdentifierView::of(one, reveal)).collect()
}

impl IdentifierView {
    fn of(identifier: &Identifier, reveal: Reveal) -> Self {
        Self {
            kind: identifier.kind,
            country: identifier.country.clone(),
            value: shown(&identifier.value, reveal),
            issued_on: identifier.issued_on,
            serial: identifier.serial.as_deref().map(|serial| shown(serial, reveal)),
            verification_code: identifier.verification_code.as_deref().map(|code| shown(code, reveal)),
        }
    }
}

fn shown(value: &str, reveal: Reveal) -> String {
    match reveal {
        Reveal::Masked => mask::identifier(value),
        Reveal::Identifiers => value.to_owned(),
    }
}

impl AddressView {
    fn of(address: &Address) -> Self {
        let hidden = |text: &Option<String>| text.as_ref().map(|_| mask::HIDDEN.to_owned());
        Self {
            kind: address.kind.clone(),
            line1: hidden(&address.line1),
            line2: hidden(&address.line2),
            city: address.city.clone(),
            region: address.region.clone(),
            postal_code: hidden(&address.postal_code),
            country: address.country.clone(),
            from: address.from,
            to: address.to,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(subject: serde_json::Value, reveal: Reveal) -> serde_json::Value {
        let subject: Subject = serde_json::from_value(subject).expect("a subject");
        serde_json::to_value(SubjectView::of(&subject, reveal)).expect("json")
    }

    #[test]
    fn a_person_is_masked() {
        insta::assert_json_snapshot!(view(crate::examples::order()["subject"].clone(), Reveal::Masked));
    }

    #[test]
    fn only_identifiers_are_revealed() {
        let shown = view(crate::examples::order()["subject"].clone(), Reveal::Identifiers);
        assert_eq!(shown["identifiers"][0]["value"], "123-45-6789");
        for (field, masked) in
            [("date_of_birth", "1990-**-**"), ("email", "j***@example.com"), ("phone", "+*******4567")]
        {
            assert_eq!(shown[field], masked);
        }
        assert_eq!(shown["addresses"][0]["line1"], "***");
    }

    #[test]
    fn a_vehicle_is_masked_with_its_people() {
        insta::assert_json_snapshot!(view(
            serde_json::json!({
                "type": "vehicle", "license_plate": "ABC-123", "vin": "1HGCM82633A004352",
                "owner": {"name": "Ana Gómez", "identifier": {"type": "national_id", "country": "CO", "value": "1020304050", "serial": "A123456"}},
                "driver": {"first_name": "Ana", "date_of_birth": "1980-01-02"}
            }),
            Reveal::Masked
        ));
    }
}
