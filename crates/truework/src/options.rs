//! The vendor's own fields that a caller may set through `vendor_options`. References, the consent, the originating party
//! and everything that ties an order to others (`loan_id`, `tenant_property_id`, `search_key`, `metadata`) are not among
//! them.

use domain::{CheckInput, FieldError};
use serde_json::Value;

use crate::request::{Asked, MOST_INFORMATION};
use crate::settings::Version;

const METHODS: &[&str] = &["instant", "credentials", "smart-outreach", "documents"];
const OLDER_METHODS: &[&str] = &["instant", "credentials", "smart-outreach"];
const FILTERS: &[&str] = &["any-employers", "current-employers", "previous-employers"];
const OLDER_FILTERS: &[&str] = &["any-employers", "previous-employers"];
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

pub const OLDER_HAVE_NO_DIRECT: &str =
    "Direct orders take truework.version 2023-10-30: older versions do not show what became of one.";

#[derive(Default)]
pub struct Options {
    pub methods: Option<Vec<String>>,
    pub employer_filter: Option<String>,
    pub use_case: Option<String>,
    pub additional_information: Option<String>,
    /// The applicant is to sign in at their payroll (Truework Direct).
    pub direct: bool,
}

/// How the order is going to be made, which decides what it can be told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    AtAnEmployer,
    Search,
    Direct,
}

impl Options {
    pub fn read(check: &CheckInput, version: Version) -> Result<Self, Vec<FieldError>> {
        let mut options = Self::default();
        let mut faults = Vec::new();
        let named = Asked::of(check).is_some_and(|asked| asked.employer.is_some());
        let way = match check.vendor_options.get("direct") {
            Some(Value::Bool(true)) => Way::Direct,
            _ if named => Way::AtAnEmployer,
            _ => Way::Search,
        };
        for (key, value) in &check.vendor_options {
            if let Err((code, detail)) = options.take(key, value, way, version) {
                faults.push(FieldError::check(format!("/vendor_options/{}", escaped(key)), code, detail));
            }
        }
        if faults.is_empty() { Ok(options) } else { Err(faults) }
    }

    fn take(&mut self, key: &str, value: &Value, way: Way, version: Version) -> Result<(), Fault> {
        let (all_methods, filters) =
            if version.has_orders() { (METHODS, FILTERS) } else { (OLDER_METHODS, OLDER_FILTERS) };
        match (key, way) {
            ("direct", _) if !version.has_orders() => {
                return Err(refused(OLDER_HAVE_NO_DIRECT));
            }
            ("direct", _) => self.direct = flag(value)?,
            ("allowed_verification_methods", Way::AtAnEmployer) => self.methods = Some(methods(all_methods, value)?),
            ("allowed_verification_methods", Way::Search) => {
                return Err(refused("A search for employers uses instant sources only."));
            }
            ("employer_filter", Way::Search) => self.employer_filter = Some(one_of(filters, value)?),
            ("employer_filter", Way::AtAnEmployer) => {
                return Err(refused("It is for searches: leave the employer out, or this."));
            }
            ("allowed_verification_methods" | "employer_filter" | "additional_information", Way::Direct) => {
                return Err(refused("A direct order does not take it."));
            }
            ("use_case", _) => self.use_case = Some(one_of(USE_CASES, value)?),
            ("additional_information", _) => self.additional_information = Some(text(value)?),
            _ => {
                let known = "Truework takes allowed_verification_methods, employer_filter, use_case, \
                             additional_information and direct.";
                return Err(("unknown_field", known.to_owned()));
            }
        }
        Ok(())
    }

    /// What the vendor is told that the result is for.
    pub fn use_case(&self) -> String {
        self.use_case.clone().unwrap_or_else(|| "background".to_owned())
    }
}

type Fault = (&'static str, String);

fn refused(why: &str) -> Fault {
    ("not_supported", why.to_owned())
}

fn flag(value: &Value) -> Result<bool, Fault> {
    value.as_bool().ok_or_else(|| ("invalid", "Expected true or false.".to_owned()))
}

fn one_of(words: &[&str], value: &Value) -> Result<String, Fault> {
    value
        .as_str()
        .filter(|word| words.contains(word))
        .map(str::to_owned)
        .ok_or_else(|| ("invalid", format!("Expected one of: {}.", words.join(", "))))
}

fn methods(words: &[&str], value: &Value) -> Result<Vec<String>, Fault> {
    let list = value.as_array().filter(|list| !list.is_empty());
    list.and_then(|list| list.iter().map(|word| one_of(words, word).ok()).collect())
        .ok_or_else(|| ("invalid", format!("Expected a list of: {}.", words.join(", "))))
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
