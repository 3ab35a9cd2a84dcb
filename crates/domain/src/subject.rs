//! Whom or what an order is about.
//!
//! None of these types has a `Debug`: they are personal data, and travel inside [`Sensitive`](crate::Sensitive).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::status::words;
use crate::time::Date;

/// The subject of an order, told apart by `type`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Subject {
    Person(Person),
    Company(Company),
    Vehicle(Vehicle),
}

impl Subject {
    pub const TYPES: &'static [&'static str] = &["person", "company", "vehicle"];

    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::Company(_) => "company",
            Self::Vehicle(_) => "vehicle",
        }
    }

    pub const fn as_person(&self) -> Option<&Person> {
        if let Self::Person(person) = self { Some(person) } else { None }
    }

    pub fn identifiers(&self) -> &[Identifier] {
        match self {
            Self::Person(person) => &person.identifiers,
            Self::Company(company) => &company.identifiers,
            Self::Vehicle(vehicle) => &vehicle.identifiers,
        }
    }

    /// The value of the first identifier of this type and country.
    pub fn identifier(&self, kind: IdentifierType, country: &str) -> Option<&Identifier> {
        find_identifier(self.identifiers(), kind, country)
    }
}

fn find_identifier<'a>(identifiers: &'a [Identifier], kind: IdentifierType, country: &str) -> Option<&'a Identifier> {
    identifiers.iter().find(|id| id.kind == kind && id.country.eq_ignore_ascii_case(country))
}

#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Person {
    pub first_name: Option<String>,
    pub middle_name: Option<String>,
    pub last_name: Option<String>,
    #[serde(default)]
    pub aliases: Vec<Alias>,
    pub date_of_birth: Option<Date>,
    pub gender: Option<Gender>,
    pub email: Option<String>,
    /// In E.164 form, such as `+15551234567`.
    pub phone: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub nationality: Option<String>,
    #[serde(default)]
    pub identifiers: Vec<Identifier>,
    #[serde(default)]
    pub addresses: Vec<Address>,
}

impl Person {
    pub fn identifier(&self, kind: IdentifierType, country: &str) -> Option<&Identifier> {
        find_identifier(&self.identifiers, kind, country)
    }
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    pub first_name: String,
    pub middle_name: Option<String>,
    pub last_name: String,
    pub suffix: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gender {
    Male,
    Female,
    Other,
}

#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Company {
    pub name: Option<String>,
    #[serde(default)]
    pub identifiers: Vec<Identifier>,
}

#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Vehicle {
    pub license_plate: Option<String>,
    pub vin: Option<String>,
    pub owner: Option<VehicleOwner>,
    pub driver: Option<Person>,
    #[serde(default)]
    pub identifiers: Vec<Identifier>,
}

#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VehicleOwner {
    pub name: Option<String>,
    pub identifier: Option<Identifier>,
}

/// A government or company number of the subject.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Identifier {
    #[serde(rename = "type")]
    pub kind: IdentifierType,
    /// ISO 3166-1 alpha-2 of the issuer.
    pub country: String,
    pub value: String,
    pub issued_on: Option<Date>,
    /// The document's serial number, where the issuer prints one (Chile).
    pub serial: Option<String>,
    /// The check digit or code printed beside the number (Peru, Chile).
    pub verification_code: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdentifierType {
    Ssn,
    NationalId,
    TaxId,
    Passport,
    ForeignId,
    DriverLicense,
    StateId,
    ResidencePermit,
    SpecialPermit,
    DiplomaticId,
    BirthCertificate,
    ProfessionalCard,
    Other,
}

words!(IdentifierType {
    Ssn = "ssn",
    NationalId = "national_id",
    TaxId = "tax_id",
    Passport = "passport",
    ForeignId = "foreign_id",
    DriverLicense = "driver_license",
    StateId = "state_id",
    ResidencePermit = "residence_permit",
    SpecialPermit = "special_permit",
    DiplomaticId = "diplomatic_id",
    BirthCertificate = "birth_certificate",
    ProfessionalCard = "professional_card",
    Other = "other",
});

#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// `home` where omitted.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub line1: Option<String>,
    pub line2: Option<String>,
    pub city: Option<String>,
    /// State or province, as the country's post writes it (US: two letters).
    pub region: Option<String>,
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    pub from: Option<Date>,
    /// Absent for the current address.
    pub to: Option<Date>,
}
