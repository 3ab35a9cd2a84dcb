//! The form of a create call: how it is read, and what is demanded of it.

use std::collections::BTreeMap;

use super::Habits;

pub type Fields = BTreeMap<String, String>;

/// What a check is about. A custom type is about whatever its inputs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Person,
    Company,
    Vehicle,
}

impl Kind {
    pub fn of(form: &Fields) -> Self {
        match form.get("type").map(String::as_str) {
            Some("company") => Self::Company,
            Some("vehicle") => Self::Vehicle,
            Some("person") => Self::Person,
            _ if form.contains_key("license_plate") => Self::Vehicle,
            _ if form.contains_key("company_name")
                || !form.contains_key("national_id") && form.contains_key("tax_id") =>
            {
                Self::Company
            }
            _ => Self::Person,
        }
    }
}

const COUNTRIES: &[&str] = &["ALL", "BR", "CO", "CL", "MX", "PE", "CR"];

const FIELDS: &[&str] = &[
    "type",
    "country",
    "user_authorized",
    "national_id",
    "foreign_id",
    "tax_id",
    "passport",
    "pep",
    "ptp",
    "diplomatic_id",
    "birth_certificate",
    "professional_card",
    "state_id",
    "escrow",
    "imei",
    "native_national_id",
    "native_country",
    "first_name",
    "last_name",
    "date_of_birth",
    "issue_date",
    "phone_number",
    "gender",
    "issue_number",
    "certificate_folio",
    "payment_date",
    "verification_code",
    "license_plate",
    "vehicle_id",
    "driver_license",
    "owner_document_id",
    "owner_document_type",
    "company_name",
    "region",
    "force_creation",
    "watch",
    "report_id",
    "custom_input",
];

/// Those that say how a check is made rather than whom it is about.
const CONTROL: &[&str] =
    &["type", "country", "user_authorized", "force_creation", "watch", "report_id", "custom_input"];

/// Whether a column of a batch can be mapped to it.
pub fn is_input(field: &str) -> bool {
    FIELDS.contains(&field) && !CONTROL.contains(&field)
}

/// Every input of a type, in the vendor's own order. A custom type's are all there are.
pub fn inputs_of(kind: &str) -> impl Iterator<Item = &'static str> {
    let of_vehicle = ["license_plate", "vehicle_id", "driver_license", "owner_document_id", "owner_document_type"];
    let (is_person, is_company) = (kind == "person", kind == "company");
    let fits = move |field: &&&str| match **field {
        "company_name" => !is_person,
        "tax_id" | "national_id" => true,
        field if is_company => !of_vehicle.contains(&field) && matches!(field, "phone_number" | "region"),
        field => !(is_person && of_vehicle.contains(&field)),
    };
    FIELDS.iter().filter(|field| is_input(field)).filter(fits).copied()
}

/// What is wrong with a type and country.
pub fn unknown_place(kind: &str, country: &str, habits: &Habits) -> Option<&'static str> {
    let is_builtin = matches!(kind, "person" | "company" | "vehicle");
    if !is_builtin && !habits.custom_types.iter().any(|own| own == kind) {
        return Some("invalid check type");
    }
    (!COUNTRIES.contains(&country)).then_some("invalid country")
}

/// Reads a form body: known fields that are not empty. Unknown ones are not looked at.
pub fn read(body: &[u8]) -> Result<Fields, String> {
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_bytes(body).map_err(|_| "Invalid request: malformed form".to_owned())?;
    let known = pairs.into_iter().filter(|(name, value)| FIELDS.contains(&name.as_str()) && !value.is_empty());
    let mut form: Fields = known.collect();
    if let Some(country) = form.get_mut("country") {
        country.make_ascii_uppercase();
    }
    Ok(form)
}

/// Booleans are words, in whatever case the caller's language writes them.
pub fn is_true(form: &Fields, field: &str) -> bool {
    form.get(field).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// What is wrong with the form, in the vendor's style.
pub fn fault(form: &Fields, habits: &Habits) -> Option<String> {
    let says = |text: &str| Some(format!("Invalid request: {text}"));
    let has = |field: &str| form.contains_key(field);
    let Some(kind) = form.get("type") else { return says("check type was expected") };
    let Some(country) = form.get("country").map(String::as_str) else { return says("country was expected") };
    if let Some(fault) = unknown_place(kind, country, habits) {
        return says(fault);
    }
    if habits.key_version >= 1 && !is_true(form, "user_authorized") {
        return says("user authorization must be true or false");
    }
    if form.get("custom_input").is_some_and(|text| text.chars().count() > 128) {
        return says("custom input is too long");
    }
    let one_of = |field: &str, allowed: &[&str]| form.get(field).is_none_or(|value| allowed.contains(&value.as_str()));
    if !one_of("gender", &["male", "masculino", "hombre", "h", "female", "femenino", "mujer", "m"]) {
        return says("invalid gender");
    }
    if !one_of("native_country", &["CO", "MX", "PE", "BR", "EC", "CL", "VE"]) {
        return says("invalid native country");
    }
    if !one_of("owner_document_type", &["national-id", "foreign-id", "tax-id", "passport"]) {
        return says("invalid owner document type");
    }
    if has("native_national_id") && !has("native_country") {
        return says("native country was expected");
    }
    for field in ["date_of_birth", "issue_date", "payment_date"] {
        if form.get(field).is_some_and(|date| !is_date(date)) {
            return says(&format!("invalid {}", field.replace('_', " ")));
        }
    }
    let ways = required(country, Kind::of(form), form);
    let Some(first) = ways.first() else { return says("check type is not available in this country") };
    // How strictly the vendor enforces its table is not known; the first input of each way is what it searches by.
    let enforced = |way: &&[&'static str]| if habits.strict_inputs { way.to_vec() } else { way[..1].to_vec() };
    let lacking = |way: &&[&'static str]| enforced(way).into_iter().find(|field| !has(field));
    if ways.iter().all(|way| lacking(way).is_some()) {
        let field = lacking(first).unwrap_or_default().replace('_', " ");
        return says(&format!("{field} was expected"));
    }
    if country == "CL" && has("foreign_id") && !has("national_id") && !has("native_country") {
        return says("native country was expected");
    }
    None
}

fn is_date(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').map(|part| (part.len(), part.parse::<u16>().is_ok())).collect();
    parts == [(4, true), (2, true), (2, true)]
}

/// The vendor's table: sets of inputs, the first input of each being what is searched by. Empty: there is no such check.
fn required(country: &str, kind: Kind, form: &Fields) -> &'static [&'static [&'static str]] {
    let is_foreigner =
        !form.contains_key("national_id") && ["foreign_id", "ptp"].iter().any(|field| form.contains_key(*field));
    match (country, kind, is_foreigner) {
        ("CL", Kind::Person, true) => &[&["foreign_id", "date_of_birth", "first_name", "last_name", "native_country"]],
        ("CL", Kind::Vehicle, true) => {
            &[&["license_plate", "foreign_id", "first_name", "last_name", "date_of_birth", "native_country"]]
        }
        ("CO", Kind::Person, true) => {
            &[&["foreign_id", "date_of_birth", "issue_date"], &["ptp", "date_of_birth", "issue_date"]]
        }
        ("CL" | "CO", Kind::Vehicle, false) => &[&["license_plate", "national_id"]],
        ("CO", Kind::Vehicle, true) => &[&["license_plate", "foreign_id", "issue_date"]],
        ("MX", Kind::Person, false) => {
            &[&["national_id"], &["first_name", "last_name", "state_id", "gender", "date_of_birth"]]
        }
        ("BR", Kind::Person, false) => &[&["national_id", "date_of_birth", "region"]],
        ("PE", Kind::Person, false) => &[&["national_id", "date_of_birth"]],
        ("PE", Kind::Person, true) => &[&["foreign_id", "phone_number"]],
        ("PE", Kind::Vehicle, false) => &[&["license_plate", "national_id", "date_of_birth"]],
        ("PE", Kind::Vehicle, true) => &[&["license_plate", "foreign_id", "date_of_birth"]],
        ("CL" | "CO" | "CR", Kind::Person, false) => &[&["national_id"]],
        ("MX" | "CR", Kind::Person, true) => &[&["foreign_id"]],
        ("CO" | "MX" | "BR", Kind::Company, _) => &[&["tax_id"]],
        ("MX" | "BR" | "CR", Kind::Vehicle, _) => &[&["license_plate"]],
        ("ALL", Kind::Person, _) => &[&["last_name", "first_name"]],
        ("ALL", Kind::Company, _) => &[&["company_name"]],
        _ => &[],
    }
}

/// What two requests must share to be about the same: every input, and neither control fields nor the client's own.
pub fn fingerprint(form: &Fields) -> String {
    let control = ["user_authorized", "force_creation", "watch", "report_id", "custom_input"];
    let inputs = form.iter().filter(|(name, _)| !control.contains(&name.as_str()));
    inputs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("\n")
}
