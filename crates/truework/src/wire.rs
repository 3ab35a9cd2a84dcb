//! Truework's JSON, as far as it is used: here and in [`report`] version 2023-10-30, in [`older`] those before it.
//!
//! Every field of an answer is optional: the vendor leaves out, nulls and adds fields as it likes (real answers lack most
//! empty fields although the contract calls them required). None of these types has a `Debug`: they hold personal data.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub mod older;
pub mod report;
mod text;
mod word;

pub use report::{ApplicantDocument, Report};
pub use text::Text;
pub use word::Word;

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

/// The body of `POST /orders/truework-direct`. What is the applicant's is inside the target.
#[derive(Serialize)]
pub struct CreateDirect {
    pub search_key: String,
    pub targets: [CreateDirectTarget; 1],
}

#[derive(Serialize)]
pub struct CreateDirectTarget {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub permissible_purpose: &'static str,
    pub use_case: String,
    pub first_name: String,
    pub last_name: String,
    pub social_security_number: String,
    pub date_of_birth: String,
    pub contact_email: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub companies: Vec<DirectCompany>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization_forms: Vec<AuthorizationForm>,
    pub metadata: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
pub struct DirectCompany {
    pub name: String,
    pub action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<CreateAddress>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
}

/// The body of `POST /orders/reverification` and of its older form. Nothing else is taken, so nothing of ours travels along.
#[derive(Serialize)]
pub struct CreateReverification<'a> {
    pub report_id: &'a str,
}

#[derive(Serialize)]
pub struct CancelOrder {
    pub cancellation_reason: &'static str,
    pub cancellation_details: String,
}

// ---- answers ----

/// What proves that an order exists, and nothing else: an oddity deep inside a report must not hide it.
#[derive(Deserialize)]
pub struct OrderHead {
    pub id: Option<String>,
    pub search_key: Option<String>,
    pub target_employer: Option<IgnoredAny>,
    pub employer_search: Option<IgnoredAny>,
    pub truework_direct: Option<IgnoredAny>,
    pub reverification: Option<Reverification>,
    pub verification_requests: Option<Vec<VerificationHead>>,
}

/// What a reverification's order says of where it comes from.
#[derive(Deserialize)]
pub struct Reverification {
    pub parent_order_id: Option<String>,
}

#[derive(Deserialize)]
pub struct VerificationHead {
    pub created: Option<String>,
    pub metadata: Option<Metadata>,
}

/// Strings, says the contract; anything else is not ours.
pub type Metadata = BTreeMap<String, serde_json::Value>;

impl OrderHead {
    /// The order that a reverification comes from.
    pub fn parent(&self) -> Option<&str> {
        self.reverification.as_ref()?.parent_order_id.as_deref()
    }

    /// Whether it shows that it was made in another way than by a reverification: exactly one of the ways is filled.
    pub const fn is_of_another_kind(&self) -> bool {
        self.target_employer.is_some() || self.employer_search.is_some() || self.truework_direct.is_some()
    }

    /// The reference that the order carries: its search key, or what its metadata brings back.
    pub fn reference(&self) -> Option<&str> {
        let metadata =
            || self.verification_requests.iter().flatten().find_map(|part| reference_in(part.metadata.as_ref()));
        self.search_key.as_deref().or_else(metadata)
    }
}

/// The same envelope, with each order as it came.
#[derive(Deserialize)]
pub struct RawPage {
    pub results: Option<Vec<Box<RawValue>>>,
}

impl Order {
    /// Whether this verification is one of its own.
    pub fn has(&self, verification: &str) -> bool {
        self.verification_requests.iter().flatten().any(|part| part.id.as_deref() == Some(verification))
    }

    /// As [`OrderHead::parent`].
    pub fn parent(&self) -> Option<&str> {
        self.reverification.as_ref()?.parent_order_id.as_deref()
    }

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
#[derive(Deserialize, Default)]
pub struct Order {
    pub id: Option<String>,
    pub search_key: Option<String>,
    /// Set only when the applicant's e-mailed session is ready.
    pub truework_direct_session_link: Option<String>,
    pub truework_direct: Option<Direct>,
    pub reverification: Option<Reverification>,
    pub verification_requests: Option<Vec<Verification>>,
}

#[derive(Deserialize)]
pub struct Direct {
    pub targets: Option<Vec<DirectTarget>>,
}

/// How the applicant gets in: by the link, or by the token through a page that embeds the vendor's widget.
#[derive(Deserialize, Clone)]
pub struct DirectTarget {
    pub truework_direct_session_link: Option<String>,
    pub truework_direct_session_token: Option<String>,
}

#[derive(Deserialize)]
pub struct Verification {
    pub id: Option<String>,
    pub created: Option<String>,
    pub state: Option<Word>,
    pub cancellation_reason: Option<Word>,
    pub date_of_completion: Option<String>,
    pub turnaround_time: Option<Turnaround>,
    pub metadata: Option<Metadata>,
    pub target: Option<Target>,
    pub reports: Option<Vec<Report>>,
    pub applicant_documents: Option<Vec<ApplicantDocument>>,
    pub unverified_information: Option<report::Annotations>,
    /// Of older versions only.
    #[serde(skip)]
    pub price: Option<report::MoneyAmount>,
}

#[derive(Deserialize)]
pub struct Target {
    pub company: Option<TargetCompany>,
}

#[derive(Deserialize)]
pub struct TargetCompany {
    pub name: Option<String>,
}

/// Hours, as strings.
#[derive(Deserialize)]
pub struct Turnaround {
    pub best_estimate: Option<Text>,
}

/// The envelope of `GET /orders/{id}/events`.
#[derive(Deserialize)]
pub struct EventPage {
    pub results: Option<Vec<Event>>,
    pub next: Option<String>,
}

/// A step of the vendor's work. Neither its types nor its strategies are published; its message is a sentence.
#[derive(Deserialize)]
pub struct Event {
    pub id: Option<String>,
    pub created: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub strategy: Option<String>,
    pub verification_request_id: Option<String>,
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
    pub credentials_session_token: Option<String>,
    pub state: Option<Word>,
    pub metadata: Option<Metadata>,
}
