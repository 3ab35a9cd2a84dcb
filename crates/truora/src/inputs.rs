//! Our subject and check as Truora's form fields.
//!
//! [`gather`] is the one place that decides what is sent: the request is made from what it gives, and an order is
//! refused for what it does not give, so the two can never differ.

use std::collections::BTreeMap;

use domain::input::BackgroundCheck;
use domain::{Gender, Identifier, IdentifierType, Person, Subject, Vehicle};

use crate::countries::{self, Kind, Residence, Row};

macro_rules! inputs {
    ($($variant:ident = $field:literal, $ours:literal;)+) => {
        /// A form field of the create call, in the order in which they are sent.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Input { $($variant,)+ }

        impl Input {
            #[cfg(test)]
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Truora's name of it.
            pub const fn field(self) -> &'static str {
                match self { $(Self::$variant => $field,)+ }
            }

            /// Our name of it.
            pub const fn ours(self) -> &'static str {
                match self { $(Self::$variant => $ours,)+ }
            }

            pub fn of_field(field: &str) -> Option<Self> {
                match field { $($field => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

inputs! {
    NationalId = "national_id", "identifiers[national_id]";
    ForeignId = "foreign_id", "identifiers[foreign_id]";
    TaxId = "tax_id", "identifiers[tax_id]";
    Passport = "passport", "identifiers[passport]";
    Pep = "pep", "identifiers[special_permit]";
    Ptp = "ptp", "identifiers[residence_permit]";
    DiplomaticId = "diplomatic_id", "identifiers[diplomatic_id]";
    BirthCertificate = "birth_certificate", "identifiers[birth_certificate]";
    ProfessionalCard = "professional_card", "identifiers[professional_card]";
    StateId = "state_id", "identifiers[state_id]";
    NativeNationalId = "native_national_id", "identifiers[national_id of the nationality]";
    NativeCountry = "native_country", "nationality";
    FirstName = "first_name", "first_name";
    LastName = "last_name", "last_name";
    DateOfBirth = "date_of_birth", "date_of_birth";
    Gender = "gender", "gender";
    PhoneNumber = "phone_number", "phone";
    IssueDate = "issue_date", "identifiers.issued_on";
    IssueNumber = "issue_number", "identifiers.serial";
    VerificationCode = "verification_code", "identifiers.verification_code";
    CertificateFolio = "certificate_folio", "certificate_folio";
    PaymentDate = "payment_date", "payment_date";
    LicensePlate = "license_plate", "license_plate";
    VehicleId = "vehicle_id", "vin";
    DriverLicense = "driver_license", "identifiers[driver_license]";
    OwnerDocumentType = "owner_document_type", "owner.identifier.type";
    OwnerDocumentId = "owner_document_id", "owner.identifier.value";
    CompanyName = "company_name", "name";
    Region = "region", "region";
}

impl Input {
    /// The document of ours that this field is, where it is one.
    pub const fn document(self) -> Option<IdentifierType> {
        Some(match self {
            Self::NationalId | Self::NativeNationalId => IdentifierType::NationalId,
            Self::ForeignId => IdentifierType::ForeignId,
            Self::TaxId => IdentifierType::TaxId,
            Self::Passport => IdentifierType::Passport,
            Self::Pep => IdentifierType::SpecialPermit,
            Self::Ptp => IdentifierType::ResidencePermit,
            Self::DiplomaticId => IdentifierType::DiplomaticId,
            Self::BirthCertificate => IdentifierType::BirthCertificate,
            Self::ProfessionalCard => IdentifierType::ProfessionalCard,
            Self::StateId => IdentifierType::StateId,
            Self::DriverLicense => IdentifierType::DriverLicense,
            _ => return None,
        })
    }
}

/// The documents that a person is searched by.
pub const PRIMARY: [Input; 3] = [Input::NationalId, Input::ForeignId, Input::Ptp];

/// Our name for an input as the vendor names it inside a check. Its inner name for `issue_date` differs from the
/// form's. A name that is not known stays as it is.
pub fn our_name(theirs: &str) -> String {
    let field = if theirs == "document_expedition_date" { "issue_date" } else { theirs };
    Input::of_field(field).map_or_else(|| theirs.to_owned(), |input| input.ours().to_owned())
}

/// What is sent. Personal data, so it has no `Debug`.
pub type Inputs = BTreeMap<Input, String>;

/// The person that a check is about: the subject, or the vehicle's driver.
pub const fn person(subject: &Subject) -> Option<&Person> {
    match subject {
        Subject::Person(person) => Some(person),
        Subject::Vehicle(Vehicle { driver, .. }) => driver.as_ref(),
        Subject::Company(_) => None,
    }
}

/// A document of the subject: of the driver first where it is a vehicle, then of the vehicle itself. `ALL` knows no
/// documents but passports, which are good everywhere.
pub fn document<'a>(subject: &'a Subject, kind: IdentifierType, country: &str) -> Option<&'a Identifier> {
    let of_driver = if let Subject::Vehicle(_) = subject { person(subject) } else { None };
    let documents = of_driver.map_or(&[][..], |driver| &driver.identifiers).iter().chain(subject.identifiers());
    let mut of_kind = documents.filter(|document| document.kind == kind && !document.value.trim().is_empty());
    if kind == IdentifierType::Passport {
        return of_kind.next();
    }
    of_kind.find(|document| document.country.eq_ignore_ascii_case(country))
}

/// A national has a national id there, or at least nothing that says otherwise: a foreigner's paper, a national id or a
/// nationality of elsewhere.
pub fn residence(subject: &Subject, country: &str) -> Residence {
    let has = |kind| document(subject, kind, country).is_some();
    if has(IdentifierType::NationalId) {
        return Residence::National;
    }
    let papers = [IdentifierType::ForeignId, IdentifierType::ResidencePermit, IdentifierType::SpecialPermit];
    let is_elsewhere = |other: &str| !other.eq_ignore_ascii_case(country);
    let of_elsewhere = person(subject).is_some_and(|person| {
        let is_national_id = |id: &Identifier| id.kind == IdentifierType::NationalId && !id.value.trim().is_empty();
        person.nationality.as_deref().is_some_and(is_elsewhere)
            || person.identifiers.iter().any(|id| is_national_id(id) && is_elsewhere(&id.country))
    });
    if of_elsewhere || papers.into_iter().any(has) { Residence::Foreigner } else { Residence::National }
}

/// The row of the vendor's table that the subject falls under.
pub fn row(subject: &Subject, country: &str) -> Option<&'static Row> {
    countries::find(country, Kind::of(subject), residence(subject, country))
}

/// Everything that is sent about the subject of this check.
pub fn gather(subject: &Subject, check: &BackgroundCheck, country: &str, row: &Row) -> Inputs {
    let mut inputs = Inputs::new();
    let mut put = |input, value: Option<String>| {
        if let Some(value) = value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()) {
            inputs.insert(input, value);
        }
    };
    let named = |input: &Input| row.helpful.contains(input) || row.ways.iter().any(|way| way.contains(input));
    let value_of = |kind| document(subject, kind, country).map(|document| document.value.clone());

    // The three that say who is searched for: only those which the row names, so that a national is not searched under
    // a former foreigner's number.
    for input in PRIMARY.into_iter().filter(named) {
        put(input, input.document().and_then(value_of));
    }
    put(Input::TaxId, value_of(IdentifierType::TaxId));
    // Issue date, serial and code are printed on the document that the person is searched by.
    let primary = PRIMARY.into_iter().filter(named).find_map(|input| document(subject, input.document()?, country));
    if let Some(primary) = primary {
        put(Input::IssueDate, primary.issued_on.map(|date| date.to_string()));
        if country == "CL" {
            put(Input::IssueNumber, primary.serial.clone());
        }
        if matches!(country, "CL" | "PE") {
            put(Input::VerificationCode, primary.verification_code.clone());
        }
    }
    if let Some(person) = person(subject) {
        let others = [
            Input::Passport,
            Input::Pep,
            Input::DiplomaticId,
            Input::BirthCertificate,
            Input::ProfessionalCard,
            Input::StateId,
        ];
        for input in others {
            put(input, input.document().and_then(value_of));
        }
        put(Input::FirstName, first_names(person));
        put(Input::LastName, person.last_name.clone());
        put(Input::DateOfBirth, person.date_of_birth.map(|date| date.to_string()));
        put(Input::Gender, person.gender.and_then(gender).map(str::to_owned));
        put(Input::PhoneNumber, person.phone.clone());
        let native = person.nationality.as_deref().map(str::to_ascii_uppercase);
        if let Some(native) = native.filter(|native| named(&Input::NativeCountry) && is_native_country(native)) {
            let id = document(subject, IdentifierType::NationalId, &native).map(|document| document.value.clone());
            put(Input::NativeNationalId, id);
            put(Input::NativeCountry, Some(native));
        }
    }
    match subject {
        Subject::Person(_) => {}
        Subject::Company(company) => put(Input::CompanyName, company.name.clone()),
        Subject::Vehicle(vehicle) => {
            put(Input::LicensePlate, vehicle.license_plate.clone());
            put(Input::VehicleId, vehicle.vin.clone());
            put(Input::DriverLicense, value_of(IdentifierType::DriverLicense));
            let owner = vehicle.owner.as_ref().and_then(|owner| owner.identifier.as_ref());
            if let Some((owner, kind)) = owner.and_then(|owner| Some((owner, owner_document(owner.kind)?))) {
                put(Input::OwnerDocumentType, Some(kind.to_owned()));
                put(Input::OwnerDocumentId, Some(owner.value.clone()));
            }
        }
    }
    if country == "BR" {
        put(Input::Region, check.region.as_ref().map(|region| region.to_ascii_uppercase()));
    }
    if country == "CL" {
        put(Input::CertificateFolio, check.certificate_folio.clone());
        put(Input::PaymentDate, check.payment_date.map(|date| date.to_string()));
    }
    inputs
}

/// The vendor has no field for a middle name; it belongs to the first names.
fn first_names(person: &Person) -> Option<String> {
    let names = [person.first_name.as_deref(), person.middle_name.as_deref()];
    let names: Vec<_> = names.into_iter().flatten().map(str::trim).filter(|name| !name.is_empty()).collect();
    (person.first_name.is_some() && !names.is_empty()).then(|| names.join(" "))
}

const fn gender(gender: Gender) -> Option<&'static str> {
    match gender {
        Gender::Male => Some("male"),
        Gender::Female => Some("female"),
        Gender::Other => None,
    }
}

/// The vendor's word for a document of a vehicle's owner; `None`: it takes no such document.
pub const fn owner_document(kind: IdentifierType) -> Option<&'static str> {
    match kind {
        IdentifierType::NationalId => Some("national-id"),
        IdentifierType::ForeignId => Some("foreign-id"),
        IdentifierType::TaxId => Some("tax-id"),
        IdentifierType::Passport => Some("passport"),
        _ => None,
    }
}

pub fn is_native_country(country: &str) -> bool {
    countries::NATIVE_COUNTRIES.contains(&country)
}

/// A government number for comparing: letters and digits only, in capitals, leading zeros left aside.
pub fn plain_number(text: &str) -> String {
    let text: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    text.trim_start_matches('0').to_ascii_uppercase()
}

/// Whether two writings of a government number can be the same number: plain, with a check digit at the end left aside.
pub fn same_number(one: &str, other: &str) -> bool {
    let (one, other) = (plain_number(one), plain_number(other));
    let (short, long) = if one.len() <= other.len() { (&one, &other) } else { (&other, &one) };
    !short.is_empty() && long.starts_with(short.as_str()) && long.len() - short.len() <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_names_become_ours() {
        assert_eq!(our_name("document_expedition_date"), "identifiers.issued_on");
        assert_eq!(our_name("phone_number"), "phone");
        assert_eq!(our_name("something_new"), "something_new");
        for input in Input::ALL {
            assert_eq!(our_name(input.field()), input.ours());
        }
    }

    #[test]
    fn numbers_are_compared_by_what_is_printed() {
        assert!(same_number("12.345.678-9", "123456789"));
        assert!(same_number("12345678-9", "12345678"));
        assert!(same_number("0012345678", "12345678"));
        assert!(!same_number("12345678", "12345679"));
        assert!(!same_number("12345678", "1234567890"));
        assert!(!same_number("", ""));
    }
}
