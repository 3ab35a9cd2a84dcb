//! Truework's JSON of version 2023-10-30, as far as it is used.
//!
//! Every field of an answer is optional: the vendor leaves out, nulls and adds fields as it likes (real answers lack most
//! empty fields although the contract calls them required). None of these types has a `Debug`: they hold personal data.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

/// The metadata key that carries our reference. Hooks bring the metadata back, but not the search key.
pub const REFERENCE_KEY: &str = "vetgate_ref";
/// The metadata key that says the caller asked for income analytics, which an order's GET leaves out.
pub const ANALYTICS_KEY: &str = "vetgate_income_analytics";

// ---- requests ----

/// The body of `POST /orders/target-employer` and `POST /orders/employer-search`, which differ in `target` and
/// `request_config` only.
#[derive(Serialize)]
pub struct CreateOrder {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub permissible_purpose: &'static str,
    pub use_case: String,
    pub target: CreateTarget,
    pub search_key: String,
    pub metadata: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_information: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization_forms: Vec<AuthorizationForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_config: Option<RequestConfig>,
}

#[derive(Serialize)]
pub struct CreateTarget {
    pub first_name: String,
    pub last_name: String,
    pub social_security_number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_of_birth: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<CreateCompany>,
}

/// By name only: this version has no company ids any more.
#[derive(Serialize)]
pub struct CreateCompany {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<CreateAddress>,
}

#[derive(Serialize, Default, PartialEq)]
pub struct CreateAddress {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country_subdivision_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country_code: Option<String>,
}

#[derive(Serialize)]
pub struct AuthorizationForm {
    pub filename: String,
    /// Base64.
    pub content: String,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestConfig {
    AllowedVerificationMethods(Vec<String>),
    EmployerFilter(String),
}

#[derive(Serialize)]
pub struct CancelOrder {
    pub cancellation_reason: &'static str,
    pub cancellation_details: String,
}

// ---- answers ----

/// An enum of the vendor: `{canonical_value, raw_value}` in most places, a plain string in some (`type`, hooks).
#[derive(Deserialize, Clone)]
#[serde(untagged)]
pub enum Word {
    Wrapped { canonical_value: Option<String>, raw_value: Option<String> },
    Plain(String),
}

impl Word {
    /// The word of the closed set; empty if there is none.
    pub fn canonical(&self) -> &str {
        match self {
            Self::Wrapped { canonical_value, .. } => canonical_value.as_deref().unwrap_or_default(),
            Self::Plain(word) => word,
        }
    }

    /// The word that tells most: the raw one where the canonical one is only `other`.
    pub fn telling(&self) -> &str {
        match self {
            Self::Wrapped { canonical_value: Some(word), .. } if word != "other" => word,
            Self::Wrapped { canonical_value, raw_value } => {
                raw_value.as_deref().or(canonical_value.as_deref()).unwrap_or_default()
            }
            Self::Plain(word) => word,
        }
    }
}

/// A text that older answers write as a number (`year`, amounts). Kept digit by digit.
#[derive(Deserialize, Clone)]
#[serde(untagged)]
pub enum Text {
    String(String),
    Number(serde_json::Number),
}

impl Text {
    pub fn into_string(self) -> String {
        match self {
            Self::String(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}

/// What proves that an order exists, and nothing else: an oddity deep inside a report must not hide it.
#[derive(Deserialize)]
pub struct OrderHead {
    pub id: Option<String>,
    pub search_key: Option<String>,
    pub verification_requests: Option<Vec<VerificationHead>>,
}

#[derive(Deserialize)]
pub struct VerificationHead {
    pub created: Option<String>,
    pub metadata: Option<Metadata>,
}

/// Strings, says the contract; anything else is not ours.
pub type Metadata = BTreeMap<String, serde_json::Value>;

impl OrderHead {
    /// The reference that the order carries: its search key, or what its metadata brings back.
    pub fn reference(&self) -> Option<&str> {
        let metadata =
            || self.verification_requests.iter().flatten().find_map(|part| reference_in(part.metadata.as_ref()));
        self.search_key.as_deref().or_else(metadata)
    }
}

impl Order {
    /// As [`OrderHead::reference`].
    pub fn reference(&self) -> Option<&str> {
        let metadata =
            || self.verification_requests.iter().flatten().find_map(|part| reference_in(part.metadata.as_ref()));
        self.search_key.as_deref().or_else(metadata)
    }
}

pub fn reference_in(metadata: Option<&Metadata>) -> Option<&str> {
    metadata?.get(REFERENCE_KEY)?.as_str()
}

/// The envelope of `GET /orders`.
#[derive(Deserialize)]
pub struct OrderPage {
    pub count: Option<u64>,
    pub results: Option<Vec<OrderHead>>,
    /// Absolute; absent rather than null in older answers.
    pub next: Option<String>,
}

/// An order has no state, time or price of its own: they are those of its verifications.
#[derive(Deserialize)]
pub struct Order {
    pub id: Option<String>,
    pub search_key: Option<String>,
    /// Set only when the applicant's e-mailed session is ready.
    pub truework_direct_session_link: Option<String>,
    pub truework_direct: Option<IgnoredAny>,
    pub verification_requests: Option<Vec<Verification>>,
}

#[derive(Deserialize)]
pub struct Verification {
    pub id: Option<String>,
    pub created: Option<String>,
    pub state: Option<Word>,
    pub cancellation_reason: Option<Word>,
    pub turnaround_time: Option<Turnaround>,
    pub metadata: Option<Metadata>,
    pub reports: Option<Vec<Report>>,
    pub applicant_documents: Option<Vec<ApplicantDocument>>,
}

/// Hours, as strings.
#[derive(Deserialize)]
pub struct Turnaround {
    pub best_estimate: Option<Text>,
}

#[derive(Deserialize)]
pub struct Report {
    pub id: Option<String>,
    pub current_as_of: Option<String>,
    pub additional_notes: Option<String>,
    pub employee: Option<Employee>,
    pub employer: Option<Employer>,
    pub respondent: Option<Respondent>,
    pub income_analytics: Option<IncomeAnalytics>,
    /// Only those that are open now.
    pub disputes: Option<Vec<IgnoredAny>>,
    pub applicant_documents: Option<Vec<ApplicantDocument>>,
}

#[derive(Deserialize, Default)]
pub struct Employee {
    pub status: Option<Word>,
    pub status_detail: Option<Word>,
    /// The latest hire.
    pub hired_date: Option<String>,
    pub original_hired_date: Option<String>,
    pub termination_date: Option<String>,
    pub positions: Option<Vec<Position>>,
    pub salary: Option<Salary>,
    pub earnings: Option<Vec<Earnings>>,
}

#[derive(Deserialize, Clone)]
pub struct Position {
    pub title: Option<String>,
    pub start_date: Option<String>,
    pub end_date: Option<String>,
    pub employment_type: Option<Word>,
}

#[derive(Deserialize)]
pub struct Salary {
    pub pay_rate: Option<PayRate>,
    pub pay_frequency: Option<Word>,
    pub hours_per_week: Option<Text>,
}

#[derive(Deserialize)]
pub struct PayRate {
    pub amount: Option<Text>,
    pub unit: Option<Word>,
}

#[derive(Deserialize)]
pub struct Earnings {
    pub year: Option<Text>,
    pub base: Option<Text>,
    pub bonus: Option<Text>,
    pub commission: Option<Text>,
    pub overtime: Option<Text>,
    pub other: Option<Text>,
    pub total: Option<Text>,
}

#[derive(Deserialize)]
pub struct Employer {
    pub name: Option<String>,
}

#[derive(Deserialize)]
pub struct Respondent {
    pub full_name: Option<String>,
    pub title: Option<String>,
    pub email: Option<String>,
}

#[derive(Deserialize)]
pub struct IncomeAnalytics {
    pub annualized_income: Option<AnnualizedIncome>,
}

#[derive(Deserialize)]
pub struct AnnualizedIncome {
    pub base_amount: Option<MoneyAmount>,
    pub gross_amount: Option<MoneyAmount>,
}

#[derive(Deserialize)]
pub struct MoneyAmount {
    pub amount: Option<Text>,
    pub currency: Option<String>,
}

#[derive(Deserialize)]
pub struct ApplicantDocument {
    pub url: Option<String>,
    pub detections: Option<Vec<Detection>>,
}

#[derive(Deserialize)]
pub struct Detection {
    pub outcome: Option<Word>,
}

/// `{"error": {"message", "invalid_fields"}}`. The map of fields is in the official clients, not in the contract.
#[derive(Deserialize)]
pub struct ErrorBody {
    pub error: Option<ErrorDetail>,
}

#[derive(Deserialize)]
pub struct ErrorDetail {
    pub invalid_fields: Option<serde_json::Value>,
}

/// A hook's body. Every key is optional in the vendor's contract.
#[derive(Deserialize)]
pub struct Hook {
    pub hook: Option<HookHead>,
    pub data: Option<HookData>,
}

#[derive(Deserialize)]
pub struct HookHead {
    pub event: Option<String>,
    pub triggered_at: Option<String>,
}

#[derive(Deserialize)]
pub struct HookData {
    pub order_id: Option<String>,
    pub verification_request_id: Option<String>,
    pub state: Option<Word>,
    pub metadata: Option<Metadata>,
}
