//! How checks end: outcomes, reasons and results.

mod identity;
mod report;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::input::Money;
use crate::status::words;

pub use self::identity::{Declined, DocumentSeen, IdentityResult, IdentityValidation, StatusOverride};
pub use self::report::{
    AccountBalance, CheckedDocument, Dispute, Eligibility, EmployerAddress, EmployerId, Examination, FinancialAccount,
    HeldPosition, IncomePeriod, IncomeStream, Inquiry, Paystub, ReportDetails, Statement,
};

/// What a completed check means to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing stands against the subject.
    Clear,
    /// Somebody should look at the result.
    Consider,
    /// The vendor could not find out.
    Unresolved,
}

words!(Outcome { Clear = "clear", Consider = "consider", Unresolved = "unresolved" });

/// Why something is as it is: a stable word, and a sentence of ours, never a vendor's words about a person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reason {
    pub code: String,
    pub message: String,
}

impl Reason {
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }
}

impl std::fmt::Debug for Reason {
    /// The code only: it is the word for logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reason({})", self.code)
    }
}

/// A result, typed by the kind of product.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CheckResult {
    Verification(Box<VerificationResult>),
    Background(Box<BackgroundResult>),
    Identity(Box<IdentityResult>),
}

impl std::fmt::Debug for CheckResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[sensitive]")
    }
}

/// A fingerprint of a result: two results are the same if and only if their digests are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ResultDigest([u8; 32]);

impl ResultDigest {
    pub fn of(outcome: Option<Outcome>, result: Option<&CheckResult>) -> Self {
        // Field order is that of the structs and maps are sorted, so equal results give equal bytes.
        let bytes = serde_json::to_vec(&(outcome, result)).unwrap_or_default();
        Self(Sha256::digest(bytes).into())
    }

    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for ResultDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(&self.0[..6]))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Verified,
    Discrepancy,
    NoRecord,
    UnableToVerify,
}

words!(Verdict {
    Verified = "verified",
    Discrepancy = "discrepancy",
    NoRecord = "no_record",
    UnableToVerify = "unable_to_verify",
});

/// What an employer or school said, beside what the subject said.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct VerificationResult {
    pub verdict: Option<Verdict>,
    pub claimed: Option<Facts>,
    pub verified: Option<Facts>,
    pub discrepancies: Vec<Discrepancy>,
    pub income: Option<Income>,
    /// Further employments that the vendor found, newest first.
    pub further: Vec<Employment>,
    pub respondent: Option<Respondent>,
    pub comments: Option<String>,
    /// The day the source was right on, `YYYY-MM-DD`.
    pub as_of: Option<String>,
    /// What else the source tells of the verified employment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Box<ReportDetails>>,
    /// What was said and not verified. It took no part in the verdict.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unverified: Vec<Statement>,
    /// The vendor's inquiries, where it made several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inquiries: Vec<Inquiry>,
    /// The vendor's price: a quote, charged only for what is completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
}

/// One employment with what was earned there.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Employment {
    pub facts: Facts,
    pub income: Option<Income>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Box<ReportDetails>>,
}

/// Facts of an employment or an education. Dates are as the source wrote them.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Facts {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employment_status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employment_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eligible_for_rehire: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub institution: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qualification: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field_of_study: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graduation_date: Option<String>,
}

impl Facts {
    /// All of them by the names of their fields, in the order in which one reads them.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, Option<&str>)> {
        let all = [
            ("employer", &self.employer),
            ("title", &self.title),
            ("institution", &self.institution),
            ("qualification", &self.qualification),
            ("field_of_study", &self.field_of_study),
            ("graduation_date", &self.graduation_date),
            ("start_date", &self.start_date),
            ("end_date", &self.end_date),
            ("employment_status", &self.employment_status),
            ("employment_type", &self.employment_type),
            ("eligible_for_rehire", &self.eligible_for_rehire),
        ];
        all.into_iter().map(|(name, value)| (name, value.as_deref()))
    }
}

#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Discrepancy {
    /// A field of `claimed` and `verified`.
    pub field: String,
    pub claimed: Option<String>,
    pub verified: Option<String>,
}

#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Income {
    pub pay_rate: Option<Money>,
    /// What the pay rate is for: `annually`, `hourly`, …
    pub pay_rate_unit: Option<String>,
    /// How often the subject is paid.
    pub pay_frequency: Option<String>,
    pub hours_per_week: Option<String>,
    pub earnings: Vec<Earnings>,
    pub annualized_base: Option<Money>,
    pub annualized_gross: Option<Money>,
}

/// What was earned in one year, as decimal strings.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Earnings {
    pub year: String,
    pub base: Option<String>,
    pub bonus: Option<String>,
    pub commission: Option<String>,
    pub overtime: Option<String>,
    pub other: Option<String>,
    pub total: Option<String>,
}

/// Who answered for the employer or school.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Respondent {
    pub name: Option<String>,
    pub title: Option<String>,
    pub email: Option<String>,
}

/// What public records say. Scores run from 0 (high risk) to 1 (low risk), as the vendor gives them.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct BackgroundResult {
    pub score: Option<f64>,
    pub score_by_id: Option<f64>,
    /// May hold homonyms.
    pub score_by_name: Option<f64>,
    pub datasets: Vec<Dataset>,
    pub sources: Sources,
    /// The sources that gave nothing, by name: skipped for want of an input, or failed.
    pub sources_missed: Vec<SourceMissed>,
    pub identity: Option<IdentityFound>,
    pub names_found: Vec<NameFound>,
    /// How likely what was found belongs to a namesake, from 0 to 1, where the vendor says so.
    pub homonym_probability: Option<f64>,
    /// Inputs that contradict the sources, by our field names.
    pub wrong_inputs: Vec<String>,
    /// Inputs that some sources lacked or refused, by our field names.
    pub invalid_inputs: Vec<String>,
}

#[derive(Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Dataset {
    pub name: String,
    /// The vendor's word: `found`, `not_found`, `ignored`, …
    pub status: Option<String>,
    pub score: Option<f64>,
    pub severity: Option<String>,
    pub by_id: Option<DatasetSide>,
    pub by_name: Option<DatasetSide>,
}

#[derive(Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct DatasetSide {
    pub status: Option<String>,
    pub score: Option<f64>,
    pub severity: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Sources {
    pub total: u32,
    pub completed: u32,
    pub failed: u32,
    pub skipped: u32,
}

/// A source that gave nothing.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct SourceMissed {
    /// The vendor's name of it.
    pub name: Option<String>,
    /// The vendor's word: `skipped`, `error`, `expired`.
    pub status: String,
    /// The inputs that it lacked or refused, by our field names.
    pub invalid_inputs: Vec<String>,
}

#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct IdentityFound {
    /// `found`, `not_found`, `dead`, or a company's or vehicle's state.
    pub status: Option<String>,
    pub gender: Option<String>,
    pub date_of_birth: Option<String>,
}

#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct NameFound {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub company_name: Option<String>,
    /// How many sources gave it.
    pub count: Option<u32>,
}
