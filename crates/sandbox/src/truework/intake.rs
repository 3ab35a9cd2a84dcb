//! The body of a create call: what is taken, and what is refused with 400.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::order::Mode;

const TYPES: &[&str] = &["employment-income", "employment", "tenant-screening"];
const PURPOSES: &[&str] = &[
    "child-support",
    "credit-application",
    "employee-eligibility",
    "employee-request",
    "employee-review-or-collection",
    "employment",
    "insurance-underwriting-application",
    "legitimate-reason-initiated",
    "legitimate-reason-review",
    "risk-assessment",
    "subpoena",
];
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
const METHODS: &[&str] = &["instant", "credentials", "smart-outreach", "documents"];
const FILTERS: &[&str] = &["any-employers", "current-employers", "previous-employers"];

/// A create call that was taken.
#[derive(Clone)]
pub struct Request {
    pub kind: String,
    pub permissible_purpose: String,
    pub use_case: String,
    pub target: Map<String, Value>,
    pub search_key: Option<String>,
    pub loan_id: Option<String>,
    pub metadata: Option<BTreeMap<String, String>>,
    pub additional_information: Option<String>,
    /// The names of the signed releases; their contents are not given back.
    pub forms: Vec<String>,
    pub methods: Vec<String>,
    pub employer_filter: String,
}

impl Request {
    /// Reads the body. `Err`: the `invalid_fields` of the answer.
    pub fn read(mode: Mode, body: &Value) -> Result<Self, Value> {
        let mut faults = Faults::default();
        let Some(fields) = body.as_object() else {
            return Err(json!({ "non_field_errors": ["Expected an object."] }));
        };
        if mode == Mode::Direct {
            return Self::read_direct(fields);
        }
        let target = fields.get("target").and_then(Value::as_object).cloned().unwrap_or_default();
        if fields.get("target").is_some_and(Value::is_object) {
            check_target(mode, &target, &mut faults);
        } else {
            faults.add("target", "This field is required.");
        }
        let config = fields.get("request_config").and_then(Value::as_object).cloned().unwrap_or_default();
        let request = Self {
            kind: faults.word(fields, "type", TYPES),
            permissible_purpose: faults.word(fields, "permissible_purpose", PURPOSES),
            use_case: faults.word(fields, "use_case", USE_CASES),
            search_key: faults.text(fields, "search_key"),
            loan_id: faults.text(fields, "loan_id"),
            additional_information: faults.text(fields, "additional_information"),
            metadata: faults.metadata(fields),
            forms: faults.forms(fields),
            methods: faults.methods(&config),
            employer_filter: faults.filter(&config),
            target,
        };
        if faults.0.is_empty() { Ok(request) } else { Err(Value::Object(faults.0)) }
    }

    /// A Direct order has what is the applicant's in its target, and the rest around it.
    fn read_direct(fields: &Map<String, Value>) -> Result<Self, Value> {
        let targets = fields.get("targets").and_then(Value::as_array).map(Vec::as_slice);
        let Some([Value::Object(target)]) = targets else {
            return Err(json!({ "targets": ["Expected a list of one target."] }));
        };
        let mut faults = Faults::default();
        for name in ["date_of_birth", "contact_email"] {
            faults.required(target, name);
        }
        check_companies(target, &mut faults);
        let mut inside = target.clone();
        for name in ["search_key", "loan_id"] {
            inside.remove(name);
            if let Some(value) = fields.get(name) {
                inside.insert(name.to_owned(), value.clone());
            }
        }
        inside.insert("target".to_owned(), Value::Object(target.clone()));
        // Everything else is as it is for an employer that is not named.
        match Self::read(Mode::Reverification, &Value::Object(inside)) {
            Ok(request) if faults.0.is_empty() => Ok(request),
            Ok(_) => Err(json!({ "targets": [faults.0] })),
            Err(further) => {
                faults.0.extend(further.as_object().cloned().unwrap_or_default());
                Err(json!({ "targets": [faults.0] }))
            }
        }
    }

    /// The body of an older version, which names two fields otherwise and has no search key.
    pub fn read_older(mode: Mode, body: &Value) -> Result<Self, Value> {
        let mut body = body.clone();
        if let Some(fields) = body.as_object_mut() {
            fields.remove("search_key");
            if let Some(documents) = fields.remove("documents") {
                fields.insert("authorization_forms".to_owned(), documents);
            }
            // Only an account's kind stands in for it.
            fields.entry("use_case").or_insert_with(|| json!("background"));
            if let Some(parameters) = fields.remove("request_parameters") {
                fields.insert("request_config".to_owned(), older_config(&parameters)?);
            }
            if let Some(company) = fields.get_mut("target").and_then(|target| target.get_mut("company"))
                && let Some(company) = company.as_object_mut()
                && company.get("id").is_some_and(Value::is_i64)
            {
                company.entry("name").or_insert_with(|| json!("Truework - DEMO"));
            }
        }
        Self::read(mode, &body)
    }

    /// What a reverification asks: the same person, and employment details only.
    pub fn again(&self) -> Self {
        Self { search_key: None, metadata: None, kind: "employment".to_owned(), ..self.clone() }
    }

    /// A request of nobody in particular.
    pub fn example() -> Self {
        let target = json!({
            "first_name": "Alex", "last_name": "Stranger", "social_security_number": "000-00-0000",
            "date_of_birth": "1980-01-01", "company": {"name": "Elsewhere"},
        });
        Self {
            kind: "employment".to_owned(),
            permissible_purpose: "employment".to_owned(),
            use_case: "background".to_owned(),
            target: target.as_object().cloned().unwrap_or_default(),
            search_key: None,
            loan_id: None,
            metadata: None,
            additional_information: None,
            forms: Vec::new(),
            methods: default_methods(),
            employer_filter: "any-employers".to_owned(),
        }
    }

    /// Whatever the client may know it by: the search key, and the metadata that are called a reference.
    pub fn references(&self) -> Vec<String> {
        let metadata = self.metadata.iter().flatten().filter(|(key, _)| key.ends_with("_ref")).map(|(_, value)| value);
        let mut references: Vec<String> = self.search_key.iter().chain(metadata).cloned().collect();
        references.dedup();
        references
    }

    pub fn ssn_digits(&self) -> String {
        digits(self.target.get("social_security_number").and_then(Value::as_str).unwrap_or_default())
    }

    pub fn company(&self) -> Option<&str> {
        self.target.get("company")?.get("name")?.as_str()
    }
}

fn default_methods() -> Vec<String> {
    ["instant", "smart-outreach", "credentials"].map(str::to_owned).into()
}

fn digits(ssn: &str) -> String {
    ssn.chars().filter(|c| *c != '-').collect()
}

fn check_target(mode: Mode, target: &Map<String, Value>, faults: &mut Faults) {
    let mut inner = Faults::default();
    for name in ["first_name", "last_name", "social_security_number"] {
        inner.required(target, name);
    }
    if let Some(ssn) = target.get("social_security_number").and_then(Value::as_str) {
        let well_formed = ssn.len() == 9 && ssn.bytes().all(|b| b.is_ascii_digit())
            || ssn.len() == 11 && digits(ssn).len() == 9 && ssn.split('-').map(str::len).eq([3, 2, 4]);
        if !well_formed {
            inner.add("social_security_number", "Enter a valid social security number.");
        } else if super::cases::ending(&digits(ssn)).is_none() {
            inner.add("social_security_number", "Not a test social security number of the sandbox.");
        }
    }
    match mode {
        Mode::EmployerSearch => inner.required(target, "date_of_birth"),
        Mode::Direct | Mode::Reverification => {}
        Mode::TargetEmployer => {
            let name = target.get("company").and_then(|company| company.get("name")).and_then(Value::as_str);
            if name.is_none_or(str::is_empty) {
                inner.0.insert("company".to_owned(), json!({ "name": ["This field is required."] }));
            }
        }
    }
    if let Some(date) = target.get("date_of_birth").and_then(Value::as_str) {
        let format = time::macros::format_description!("[year]-[month]-[day]");
        if time::Date::parse(date, format).is_err() {
            inner.add("date_of_birth", "Enter a valid date.");
        }
    }
    if !inner.0.is_empty() {
        faults.0.insert("target".to_owned(), Value::Object(inner.0));
    }
}

fn check_companies(target: &Map<String, Value>, faults: &mut Faults) {
    let Some(companies) = target.get("companies").filter(|companies| !companies.is_null()) else {
        return;
    };
    let is_company = |company: &Value| {
        let action = company.get("action").and_then(Value::as_str).unwrap_or("verify");
        company["name"].as_str().is_some_and(|name| !name.is_empty()) && matches!(action, "verify" | "do-not-verify")
    };
    if !companies.as_array().is_some_and(|companies| companies.iter().all(is_company)) {
        faults.add("companies", "Each needs a name, and may have an action.");
    }
}

/// `request_parameters` in the words of `request_config`.
fn older_config(parameters: &Value) -> Result<Value, Value> {
    let filter = match parameters["employer_filter"].as_str() {
        Some("all-employers") => json!("any-employers"),
        Some("previous-employers") => json!("previous-employers"),
        None | Some("target-employer") => Value::Null,
        Some(_) => return Err(json!({ "request_parameters": { "employer_filter": ["Not a valid choice."] } })),
    };
    let methods = parameters.get("verification_methods").filter(|methods| !methods.is_null()).map(|methods| {
        let names = [("instant", "instant"), ("smart_outreach", "smart-outreach"), ("credentials", "credentials")];
        let enabled = |(older, _): &(&str, &str)| methods[older]["enabled"] == json!(true);
        names.into_iter().filter(enabled).map(|(_, newer)| newer).collect::<Vec<_>>()
    });
    Ok(json!({ "employer_filter": filter, "allowed_verification_methods": methods }))
}

/// `invalid_fields`: a map of field to messages, nested as the request is.
#[derive(Default)]
struct Faults(Map<String, Value>);

impl Faults {
    fn add(&mut self, field: &str, message: &str) {
        self.0.insert(field.to_owned(), json!([message]));
    }

    fn required(&mut self, fields: &Map<String, Value>, name: &str) {
        if fields.get(name).and_then(Value::as_str).is_none_or(str::is_empty) {
            self.add(name, "This field is required.");
        }
    }

    fn word(&mut self, fields: &Map<String, Value>, name: &str, words: &[&str]) -> String {
        match fields.get(name) {
            Some(Value::String(word)) if words.contains(&word.as_str()) => word.clone(),
            Some(Value::Null) | None => {
                self.add(name, "This field is required.");
                String::new()
            }
            Some(_) => {
                self.add(name, "Not a valid choice.");
                String::new()
            }
        }
    }

    fn text(&mut self, fields: &Map<String, Value>, name: &str) -> Option<String> {
        match fields.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Null) | None => None,
            Some(_) => {
                self.add(name, "Not a valid string.");
                None
            }
        }
    }

    fn metadata(&mut self, fields: &Map<String, Value>) -> Option<BTreeMap<String, String>> {
        let value = fields.get("metadata").filter(|value| !value.is_null())?;
        let metadata = serde_json::from_value(value.clone()).ok();
        if metadata.is_none() {
            self.add("metadata", "Keys and values must be strings.");
        }
        metadata
    }

    fn forms(&mut self, fields: &Map<String, Value>) -> Vec<String> {
        let Some(forms) = fields.get("authorization_forms").filter(|value| !value.is_null()) else {
            return Vec::new();
        };
        let name = |form: &Value| {
            STANDARD.decode(form.get("content")?.as_str()?).ok()?;
            form.get("filename")?.as_str().map(str::to_owned)
        };
        let names = forms.as_array().and_then(|forms| forms.iter().map(name).collect());
        names.unwrap_or_else(|| {
            self.add("authorization_forms", "Each needs a filename and its content in base64.");
            Vec::new()
        })
    }

    fn filter(&mut self, config: &Map<String, Value>) -> String {
        match config.get("employer_filter") {
            None | Some(Value::Null) => "any-employers".to_owned(),
            Some(Value::String(word)) if FILTERS.contains(&word.as_str()) => word.clone(),
            Some(_) => {
                self.0.insert("request_config".to_owned(), json!({ "employer_filter": ["Not a valid choice."] }));
                String::new()
            }
        }
    }

    fn methods(&mut self, config: &Map<String, Value>) -> Vec<String> {
        let Some(methods) = config.get("allowed_verification_methods").filter(|value| !value.is_null()) else {
            return default_methods();
        };
        let word = |method: &Value| method.as_str().filter(|word| METHODS.contains(word)).map(str::to_owned);
        let methods = methods.as_array().and_then(|methods| methods.iter().map(word).collect());
        methods.unwrap_or_else(|| {
            self.0.insert(
                "request_config".to_owned(),
                json!({ "allowed_verification_methods": ["Not a valid choice."] }),
            );
            Vec::new()
        })
    }
}
