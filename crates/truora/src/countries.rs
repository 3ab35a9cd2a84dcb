//! What Truora demands where, as data: its table of required inputs per country, kind of subject and residence.

use crate::inputs::Input::{
    self, CompanyName, DateOfBirth, DriverLicense, FirstName, ForeignId, Gender, IssueDate, IssueNumber, LastName,
    LicensePlate, NationalId, NativeCountry, OwnerDocumentId, OwnerDocumentType, PhoneNumber, Ptp, Region, StateId,
    TaxId, VehicleId,
};

/// `ALL`: international sources, searched by name.
pub const ALL: &str = "ALL";

/// The countries that checks are offered in.
pub const COUNTRIES: &[&str] = &[ALL, "BR", "CL", "CO", "CR", "MX", "PE"];

/// What an account's own check types can be made for: everywhere but in Costa Rica.
pub const CUSTOM_TYPE_COUNTRIES: &[&str] = &[ALL, "BR", "CL", "CO", "MX", "PE"];

/// The countries whose citizens can be told apart among foreigners (`native_country`).
pub const NATIVE_COUNTRIES: &[&str] = &["BR", "CL", "CO", "EC", "MX", "PE", "VE"];

/// Brazil's states and the federal district; `ALL` searches the whole country, which may take more than a day.
pub const BRAZILIAN_REGIONS: &[&str] = &[
    "AC", "AL", "AM", "AP", "BA", "CE", "DF", "ES", "GO", "MA", "MG", "MS", "MT", "PA", "PB", "PE", "PI", "PR", "RJ",
    "RN", "RO", "RR", "RS", "SC", "SE", "SP", "TO", "ALL",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Person,
    Company,
    Vehicle,
}

impl Kind {
    pub const fn of(subject: &domain::Subject) -> Self {
        match subject {
            domain::Subject::Person(_) => Self::Person,
            domain::Subject::Company(_) => Self::Company,
            domain::Subject::Vehicle(_) => Self::Vehicle,
        }
    }

    /// The vendor's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Company => "company",
            Self::Vehicle => "vehicle",
        }
    }
}

/// Whether the person, or the vehicle's driver, is a citizen of the country that is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Residence {
    National,
    Foreigner,
}

/// One cell of the table.
#[derive(Debug)]
pub struct Row {
    pub country: &'static str,
    pub kind: Kind,
    /// `None`: it makes no difference.
    pub residence: Option<Residence>,
    /// Sets of inputs, any one of which is enough.
    pub ways: &'static [&'static [Input]],
    /// Inputs that some sources need; without them those are skipped.
    pub helpful: &'static [Input],
}

const fn row(
    country: &'static str,
    kind: Kind,
    residence: Option<Residence>,
    ways: &'static [&'static [Input]],
    helpful: &'static [Input],
) -> Row {
    Row { country, kind, residence, ways, helpful }
}

const NATIONAL: Option<Residence> = Some(Residence::National);
const FOREIGNER: Option<Residence> = Some(Residence::Foreigner);

/// The table. Whether the vendor enforces each demand is not known (checks of Peruvians without a date of birth were
/// seen to be sent); it is taken at its word, since a refusal after acceptance is worse than one before.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row("CL", Kind::Person, NATIONAL, &[&[NationalId]], &[DateOfBirth, PhoneNumber, IssueNumber]),
    row("CL", Kind::Person, FOREIGNER, &[&[ForeignId, DateOfBirth, FirstName, LastName, NativeCountry]], &[PhoneNumber, IssueNumber]),
    row("CL", Kind::Vehicle, NATIONAL, &[&[NationalId, LicensePlate]], &[DriverLicense]),
    row("CL", Kind::Vehicle, FOREIGNER, &[&[ForeignId, FirstName, LastName, DateOfBirth, NativeCountry, LicensePlate]], &[DriverLicense]),

    row("CO", Kind::Person, NATIONAL, &[&[NationalId]], &[DateOfBirth, IssueDate, PhoneNumber]),
    row("CO", Kind::Person, FOREIGNER, &[&[ForeignId, DateOfBirth, IssueDate], &[Ptp, DateOfBirth, IssueDate]], &[PhoneNumber]),
    row("CO", Kind::Company, None, &[&[TaxId]], &[NationalId]),
    row("CO", Kind::Vehicle, NATIONAL, &[&[NationalId, LicensePlate]], &[DateOfBirth, PhoneNumber, OwnerDocumentType, OwnerDocumentId]),
    row("CO", Kind::Vehicle, FOREIGNER, &[&[ForeignId, LicensePlate, IssueDate]], &[DateOfBirth, PhoneNumber]),

    row("MX", Kind::Person, NATIONAL, &[&[NationalId], &[FirstName, LastName, StateId, Gender, DateOfBirth]], &[PhoneNumber]),
    row("MX", Kind::Person, FOREIGNER, &[&[ForeignId]], &[]),
    row("MX", Kind::Company, None, &[&[TaxId]], &[]),
    row("MX", Kind::Vehicle, None, &[&[LicensePlate]], &[NationalId, VehicleId, DriverLicense]),

    row("BR", Kind::Person, None, &[&[NationalId, DateOfBirth, Region]], &[PhoneNumber]),
    row("BR", Kind::Company, None, &[&[TaxId]], &[]),
    row("BR", Kind::Vehicle, None, &[&[LicensePlate]], &[]),

    row("CR", Kind::Person, NATIONAL, &[&[NationalId]], &[PhoneNumber]),
    row("CR", Kind::Person, FOREIGNER, &[&[ForeignId]], &[PhoneNumber]),
    row("CR", Kind::Vehicle, None, &[&[LicensePlate]], &[]),

    row("PE", Kind::Person, NATIONAL, &[&[NationalId, DateOfBirth]], &[PhoneNumber]),
    row("PE", Kind::Person, FOREIGNER, &[&[ForeignId, PhoneNumber]], &[Ptp, DateOfBirth]),
    row("PE", Kind::Vehicle, NATIONAL, &[&[NationalId, DateOfBirth, LicensePlate]], &[]),
    row("PE", Kind::Vehicle, FOREIGNER, &[&[ForeignId, DateOfBirth, LicensePlate]], &[Ptp]),

    // The vendor's table says "name" here; the fields are these.
    row(ALL, Kind::Person, None, &[&[FirstName, LastName]], &[]),
    row(ALL, Kind::Company, None, &[&[CompanyName]], &[]),
];

/// The cell for this subject; `None` where the vendor has no such check.
pub fn find(country: &str, kind: Kind, residence: Residence) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.country == country && row.kind == kind && row.residence.is_none_or(|of| of == residence))
}

impl Row {
    /// The sets of inputs, any one of which is enough, in our names.
    pub fn describe_ways(&self) -> String {
        self.ways.iter().map(|way| names(way)).collect::<Vec<_>>().join(", or ")
    }

    /// For people: `CO person, foreigner: identifiers[foreign_id] + …, or …; helps: …`.
    pub fn describe(&self) -> String {
        let residence = match self.residence {
            None => "",
            Some(Residence::National) => ", national",
            Some(Residence::Foreigner) => ", foreigner",
        };
        let helpful = if self.helpful.is_empty() { String::new() } else { format!("; helps: {}", names(self.helpful)) };
        format!("{} {}{residence}: {}{helpful}", self.country, self.kind.as_str(), self.describe_ways())
    }
}

fn names(inputs: &[Input]) -> String {
    inputs.iter().map(|input| input.ours()).collect::<Vec<_>>().join(" + ")
}
