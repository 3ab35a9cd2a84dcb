//! What a caller asks for: position, purpose, consent, and the products (checks) about the subject.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::reverification::{PriorReport, Reverified};
use crate::status::words;
use crate::subject::{Address, Subject};
use crate::time::{Date, Timestamp};

/// The personal part of an order, which its checks share. Kept encrypted.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderInput {
    pub subject: Subject,
    pub position: Option<Position>,
    pub purpose: Purpose,
    pub consent: Consent,
}

/// The personal part of a check. Kept encrypted.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckInput {
    pub spec: CheckSpec,
    /// Fields of the vendor's own that its adapter allows.
    #[serde(default)]
    pub vendor_options: Map<String, Value>,
    /// The earlier result that this check verifies again. Never from a caller's own words; whoever copies an input to order
    /// it once more takes [`anew`](Self::anew).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverifies: Option<Box<Reverified>>,
}

impl CheckInput {
    pub const fn new(spec: CheckSpec, vendor_options: Map<String, Value>) -> Self {
        Self { spec, vendor_options, reverifies: None }
    }

    /// The report that the vendor is asked to verify again, if that is what the check is.
    pub fn prior_report(&self) -> Option<&PriorReport> {
        self.reverifies.as_deref()?.report.as_ref()
    }

    /// The same once more, as a check like any other.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self { reverifies: None, ..self.clone() }
    }
}

/// The job that the subject is screened for.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Position {
    pub title: Option<String>,
    pub company: Option<String>,
    pub city: Option<String>,
    pub region: Option<String>,
    pub country: Option<String>,
    /// Per year.
    pub salary: Option<Money>,
    pub level: Option<PositionLevel>,
    pub industry: Option<String>,
    pub security_clearance_required: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PositionLevel {
    Executive,
    Standard,
    Sensitive,
}

/// An amount as a decimal string, never a float.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Such as `100000.00`.
    #[schema(pattern = r"^-?\d{1,15}(\.\d{1,4})?$")]
    pub amount: String,
    /// ISO 4217.
    #[schema(pattern = "^[A-Z]{3}$")]
    pub currency: String,
}

impl Money {
    /// Whether amount and currency have the form they must have.
    pub fn is_well_formed(&self) -> bool {
        let digits =
            |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        let (whole, fraction) = match self.amount.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (self.amount.as_str(), None),
        };
        digits(whole.strip_prefix('-').unwrap_or(whole), 15)
            && fraction.is_none_or(|fraction| digits(fraction, 4))
            && self.currency.len() == 3
            && self.currency.bytes().all(|b| b.is_ascii_uppercase())
    }
}

/// Why the report is allowed to be asked for (US: 15 U.S.C. § 1681b).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    ChildSupport,
    CreditApplication,
    EmployeeEligibility,
    EmployeeRequest,
    EmployeeReviewOrCollection,
    #[default]
    Employment,
    InsuranceUnderwritingApplication,
    LegitimateReasonInitiated,
    LegitimateReasonReview,
    RiskAssessment,
    Subpoena,
}

words!(Purpose {
    ChildSupport = "child-support",
    CreditApplication = "credit-application",
    EmployeeEligibility = "employee-eligibility",
    EmployeeRequest = "employee-request",
    EmployeeReviewOrCollection = "employee-review-or-collection",
    Employment = "employment",
    InsuranceUnderwritingApplication = "insurance-underwriting-application",
    LegitimateReasonInitiated = "legitimate-reason-initiated",
    LegitimateReasonReview = "legitimate-reason-review",
    RiskAssessment = "risk-assessment",
    Subpoena = "subpoena",
});

/// The subject's agreement to be checked.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    pub obtained_at: Timestamp,
    /// Which wording the subject agreed to.
    pub text_version: Option<String>,
    pub expires_at: Option<Timestamp>,
    pub document: Option<ConsentDocument>,
}

/// The signed release: a link that is handed on as it is (the gateway never fetches it), or a PDF of at most 10 MB.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ConsentDocument {
    Link { url: String },
    Inline { filename: String, content_base64: String },
}

/// The product that is asked for, told apart by `type`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CheckSpec {
    EmploymentVerification(EmploymentVerification),
    IncomeVerification(IncomeVerification),
    EducationVerification(EducationVerification),
    BackgroundCheck(BackgroundCheck),
    IdentityVerification(IdentityVerification),
}

impl CheckSpec {
    pub const fn kind(&self) -> CheckType {
        match self {
            Self::EmploymentVerification(_) => CheckType::EmploymentVerification,
            Self::IncomeVerification(_) => CheckType::IncomeVerification,
            Self::EducationVerification(_) => CheckType::EducationVerification,
            Self::BackgroundCheck(_) => CheckType::BackgroundCheck,
            Self::IdentityVerification(_) => CheckType::IdentityVerification,
        }
    }

    /// The country the check is done in, where the product is bound to one.
    pub fn country(&self) -> Option<&str> {
        match self {
            Self::BackgroundCheck(check) => Some(&check.country),
            Self::IdentityVerification(check) => Some(&check.country),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckType {
    EmploymentVerification,
    IncomeVerification,
    EducationVerification,
    BackgroundCheck,
    IdentityVerification,
}

words!(CheckType {
    EmploymentVerification = "employment_verification",
    IncomeVerification = "income_verification",
    EducationVerification = "education_verification",
    BackgroundCheck = "background_check",
    IdentityVerification = "identity_verification",
});

/// Did the subject work there, as what, from when to when?
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmploymentVerification {
    /// Absent: search for employers.
    pub employer: Option<Employer>,
    pub title: Option<String>,
    pub start_date: Option<Date>,
    pub end_date: Option<Date>,
}

/// What does, or did, the subject earn there?
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncomeVerification {
    /// Absent: search for employers.
    pub employer: Option<Employer>,
    pub title: Option<String>,
    pub start_date: Option<Date>,
    pub end_date: Option<Date>,
    #[serde(default)]
    pub include_analytics: bool,
}

#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Employer {
    pub name: String,
    /// Such as `San Francisco, CA`.
    pub location: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub address: Option<Address>,
}

/// Did the subject get that degree?
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EducationVerification {
    pub institution: Institution,
    pub qualification: Option<String>,
    pub field_of_study: Option<String>,
    pub graduation_date: Option<Date>,
}

#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Institution {
    pub name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
}

/// What do public records say about the subject?
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackgroundCheck {
    /// ISO 3166-1 alpha-2, or `ALL` for international sources.
    pub country: String,
    /// Brazil: a state's two letters, or `ALL`.
    pub region: Option<String>,
    /// A check type of the vendor account's own, in place of the subject's type.
    pub custom_type: Option<String>,
    pub payment_date: Option<Date>,
    pub certificate_folio: Option<String>,
    /// Make a new check even where the vendor has a recent one with the same inputs.
    #[serde(default)]
    pub force_new: bool,
}

/// Is the subject who they say they are?
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityVerification {
    pub country: String,
    /// The vendor's flow to send the subject through.
    pub flow: Option<String>,
}

/// Where in a request a fault is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldPlace {
    /// A JSON Pointer into the order, such as `/subject/first_name`.
    Order(String),
    /// A JSON Pointer into the check at hand, such as `/employer/name`.
    Check(String),
}

/// One fault of a request: where it is, a stable word for it, and a sentence that says what to do. Never holds the
/// refused value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    pub place: FieldPlace,
    /// `required`, `invalid`, `not_supported`, `too_long`, `unknown_field`, …
    pub code: Cow<'static, str>,
    pub detail: String,
}

impl FieldError {
    pub fn order(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { place: FieldPlace::Order(pointer.into()), code: Cow::Borrowed(code), detail: detail.into() }
    }

    pub fn check(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { place: FieldPlace::Check(pointer.into()), code: Cow::Borrowed(code), detail: detail.into() }
    }

    /// The whole pointer, for the check at this position of the order.
    pub fn pointer(&self, check: usize) -> String {
        match &self.place {
            FieldPlace::Order(pointer) => pointer.clone(),
            FieldPlace::Check(pointer) => format!("/checks/{check}{pointer}"),
        }
    }
}
