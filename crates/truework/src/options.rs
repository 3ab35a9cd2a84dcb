//! The vendor's own fields that a caller may set through `vendor_options`. References, the consent, the originating party
//! and everything that ties an order to others (`loan_id`, `tenant_property_id`, `search_key`, `metadata`) are not among
//! them.

use domain::{CheckInput, FieldError};
use serde_json::Value;

use crate::request::MOST_INFORMATION;

const METHODS: &[&str] = &["instant", "credentials", "smart-outreach", "documents"];
const FILTERS: &[&str] = &["any-employers", "current-employers", "previous-employers"];
const USE_CASES: &[&str] = &[
    "mortgage",
    "home-equity",
    "background",
    "tenant",
    "government",
    "auto",
    "lending",
    "credit",
    "identity",
    "insurance",
    "health",
    "offers",
    "account-management",
    "preapproval",
];

#[derive(Default)]
pub struct Options {
    pub methods: Option<Vec<String>>,
    pub employer_filter: Option<String>,
    pub use_case: Option<String>,
    pub additional_information: Option<String>,
}

impl Options {
    pub fn read(check: &CheckInput) -> Result<Self, Vec<FieldError>> {
        let mut options = Self::default();
        let mut faults = Vec::new();
        let named = crate::request::Asked::of(check).is_some_and(|asked| asked.employer.is_some());
        for (key, value) in &check.vendor_options {
            let read = match key.as_str() {
                "allowed_verification_methods" if named => methods(value).map(|list| options.methods = Some(list)),
                "allowed_verification_methods" => {
                    Err(("not_supported", "A search for employers uses instant sources only.".to_owned()))
                }
                "employer_filter" if !named => {
                    one_of(FILTERS, value).map(|word| options.employer_filter = Some(word))
                }
                "employer_filter" => {
                    Err(("not_supported", "It is for searches: leave the employer out, or this.".to_owned()))
                }
                "use_case" => one_of(USE_CASES, value).map(|word| options.use_case = Some(word)),
                "additional_information" => text(value).map(|text| options.additional_information = Some(text)),
                _ => Err((
                    "unknown_field",
                    "Truework takes allowed_verification_methods, employer_filter, use_case and additional_information."
                        .to_owned(),
                )),
            };
            if let Err((code, detail)) = read {
                faults.push(FieldError::check(format!("/vendor_options/{}", escaped(key)), code, detail));
            }
        }
        if faults.is_empty() { Ok(options) } else { Err(faults) }
    }
}

type Fault = (&'static str, String);

fn one_of(words: &[&str], value: &Value) -> Result<String, Fault> {
    value
        .as_str()
        .filter(|word| words.contains(word))
        .map(str::to_owned)
        .ok_or_else(|| ("invalid", format!("Expected one of: {}.", words.join(", "))))
}

fn methods(value: &Value) -> Result<Vec<String>, Fault> {
    let list = value.as_array().filter(|list| !list.is_empty());
    list.and_then(|list| list.iter().map(|word| one_of(METHODS, word).ok()).collect())
        .ok_or_else(|| ("invalid", format!("Expected a list of: {}.", METHODS.join(", "))))
}

fn text(value: &Value) -> Result<String, Fault> {
    value
        .as_str()
        .filter(|text| text.chars().count() <= MOST_INFORMATION)
        .map(str::to_owned)
        .ok_or_else(|| ("invalid", format!("Expected a text of at most {MOST_INFORMATION} characters.")))
}

/// A key as a JSON Pointer's part (RFC 6901).
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
