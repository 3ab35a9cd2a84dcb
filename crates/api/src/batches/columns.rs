//! The columns of a batch's template: those that most orders with a check of a type need.

use domain::CheckType;

/// A column, with what its cells are to hold.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// A dotted path into an order.
    pub heading: &'static str,
    pub need: Need,
    pub meaning: &'static str,
    pub example: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// No order is accepted without.
    Always,
    /// As the vendor demands; a refusal names what is missing.
    Mostly,
    Never,
}

impl Need {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Mostly => "by most vendors",
            Self::Never => "no",
        }
    }
}

const fn column(heading: &'static str, need: Need, example: &'static str, meaning: &'static str) -> Column {
    Column { heading, need, meaning, example }
}

use Need::{Always, Mostly, Never};

const ORDER: &[Column] = &[
    column("external_id", Never, "ATS-4711", "Your own id for the order. Need not be unique."),
    column("subject.type", Always, "person", "person, company or vehicle."),
    column("subject.first_name", Mostly, "John", "Given name."),
    column("subject.middle_name", Never, "Robert", "Further given names."),
    column("subject.last_name", Mostly, "Smith", "Family name."),
    column("subject.date_of_birth", Mostly, "1990-05-15", "A date: year-month-day."),
    column("subject.email", Never, "john.smith@example.com", "An e-mail address."),
    column("subject.phone", Never, "+15551234567", "With + and the country's code, digits only."),
    column("subject.identifiers.0.type", Mostly, "ssn", "ssn, national_id, tax_id, passport, driver_license, …"),
    column("subject.identifiers.0.country", Mostly, "US", "Who issued it: two letters (ISO 3166-1)."),
    column("subject.identifiers.0.value", Mostly, "123-45-6789", "The number. Format the column as text."),
    column("subject.addresses.0.line1", Never, "456 Oak Avenue", "Street and number of the home."),
    column("subject.addresses.0.city", Never, "Los Angeles", "City."),
    column("subject.addresses.0.region", Never, "CA", "State or province; in the US two letters."),
    column("subject.addresses.0.postal_code", Never, "90210", "Format the column as text."),
    column("subject.addresses.0.country", Never, "US", "Two letters (ISO 3166-1)."),
];

const CONSENT: &[Column] = &[
    column(
        "consent.obtained_at",
        Always,
        "2026-11-20T10:00:00Z",
        "When the subject agreed. Without a zone: UTC; a date: its beginning.",
    ),
    column("consent.document.url", Mostly, "https://example.com/signed-release.pdf", "A link to the signed release."),
];

const EMPLOYMENT: &[Column] = &[
    column("checks.0.employer.name", Mostly, "Tech Corp", "The employer. Without: employers are searched for."),
    column("checks.0.employer.location", Never, "San Francisco, CA", "Where the employer is."),
    column("checks.0.employer.email", Never, "hr@techcorp.example", "Whom to ask there."),
    column("checks.0.employer.phone", Never, "+15551234567", "Where to call."),
    column("checks.0.title", Mostly, "Software Engineer", "The position held there."),
    column("checks.0.start_date", Mostly, "2020-01-15", "The first day."),
    column("checks.0.end_date", Never, "2023-06-30", "The last day; empty: still employed."),
];

const INCOME: &[Column] =
    &[column("checks.0.include_analytics", Never, "false", "true or false: figures computed from the income.")];

const EDUCATION: &[Column] = &[
    column("checks.0.institution.name", Always, "State University", "The school."),
    column("checks.0.institution.email", Never, "registrar@example.edu", "Whom to ask there."),
    column("checks.0.institution.phone", Never, "+15551234567", "Where to call."),
    column("checks.0.qualification", Mostly, "Bachelor of Science", "The degree."),
    column("checks.0.field_of_study", Never, "Computer Science", "Its subject."),
    column("checks.0.graduation_date", Mostly, "2012-06-15", "When it was awarded."),
];

const BACKGROUND: &[Column] = &[
    column("checks.0.country", Always, "US", "Two letters (ISO 3166-1), or ALL for international sources."),
    column("checks.0.region", Never, "", "Brazil: the state's two letters, or ALL."),
    column("checks.0.force_new", Never, "false", "true or false: make a new check even where there is a recent one."),
];

const IDENTITY: &[Column] = &[
    column("checks.0.country", Always, "US", "Two letters (ISO 3166-1)."),
    column("checks.0.flow", Never, "", "The vendor's flow to send the subject through."),
];

/// The columns for a type of check, in their order.
pub fn columns_of(kind: CheckType) -> Vec<Column> {
    let check = [
        column("checks.0.type", Always, kind.as_str(), "What is to be found out."),
        column("checks.0.provider", Never, "", "The vendor; empty: as it is set up."),
    ];
    let own: &[&[Column]] = match kind {
        CheckType::EmploymentVerification => &[EMPLOYMENT],
        CheckType::IncomeVerification => &[EMPLOYMENT, INCOME],
        CheckType::EducationVerification => &[EDUCATION],
        CheckType::BackgroundCheck => &[BACKGROUND],
        CheckType::IdentityVerification => &[IDENTITY],
    };
    [ORDER, CONSENT, &check, &own.concat()].concat()
}
