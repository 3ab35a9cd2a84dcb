//! What a report tells of an employment besides the facts that are compared and what was earned by year.
//!
//! Every field may be missing, and what is missing is left out of the JSON: most sources tell little of this. Words are the
//! vendor's own, amounts decimal strings, dates as the source wrote them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::input::Money;

/// A report's further contents.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ReportDetails {
    /// How the vendor found out: `instant`, `credentials`, `smart-outreach`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Every position held there, the latest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub positions: Vec<HeldPosition>,
    /// The first hire, where the employment was taken up again later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_hired_on: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_leave_since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid_through: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employer_address: Option<EmployerAddress>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub employer_ids: Vec<EmployerId>,
    /// The newest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paystubs: Vec<Paystub>,
    /// What makes the annualized income less certain: `short_employment`, `stale_data`, `variable_income`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub income_warnings: Vec<String>,
    /// How much the income varies from one pay period to the next (coefficient of variation).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub income_volatility: Option<String>,
    /// Those that are open.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disputes: Vec<Dispute>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub eligibilities: Vec<Eligibility>,
    /// Papers that the subject handed in, and what was noticed about them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<CheckedDocument>,
    /// Income as bank accounts show it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<FinancialAccount>,
}

#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct HeldPosition {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employment_type: Option<String>,
}

#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct EmployerAddress {
    /// The whole address, where the source has it as one text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line1: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct EmployerId {
    /// `us-fein`, …
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    pub value: String,
}

/// One payment of wages.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Paystub {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pay_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period_start: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period_end: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bonus: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commission: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overtime: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gross: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net: Option<String>,
    /// What to call it by when talking to the vendor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// Somebody contests the report.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Dispute {
    /// What to call it by when talking to the vendor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What the report is good for with third parties.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Eligibility {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_eligible: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// A paper of the subject's, with every examination that was made of it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CheckedDocument {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub examinations: Vec<Examination>,
}

#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Examination {
    /// What was looked for: `page-edited`, `ssn-mismatch`, …
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `passed`, `failed`, `not-run`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// How many places stood out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
}

/// A bank account, as it shows income.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct FinancialAccount {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub institution: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The end of its number; no more of it is kept here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number_ends_in: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_transaction: Option<String>,
    pub balances: Vec<AccountBalance>,
    pub income_streams: Vec<IncomeStream>,
}

/// How an account stood on a day.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct AccountBalance {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monthly_average: Option<String>,
    /// Fees for want of funds: of all time, and of the last two months.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insufficient_funds_fees: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insufficient_funds_fees_of_two_months: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_since_insufficient_funds_fee: Option<u32>,
}

/// Payments that come in again and again.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct IncomeStream {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence_level: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_days: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_in_months: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net_annual: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net_monthly_average: Option<String>,
    /// The vendor's estimate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gross_annual_estimate: Option<String>,
    pub periods: Vec<IncomePeriod>,
}

#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct IncomePeriod {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// What the amount is: the vendor's words for its kind and for the time it is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount_duration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net_annual: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net_monthly_average: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gross_annual_estimate: Option<String>,
}

/// What somebody says and nobody verified. Never part of what is compared.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Statement {
    /// Who says so: `applicant` or `verifier`.
    pub by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employment_status: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub positions: Vec<HeldPosition>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pay_rate: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pay_rate_unit: Option<String>,
}

/// One of several inquiries that the vendor made for one check.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Inquiry {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The vendor's own word.
    pub status: String,
    /// Why it ended without a result, where the vendor says so by a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whom it asked about, where it has a report or was told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub employers: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<String>,
    /// The vendor's price for it: a quote, charged only for what is completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
}
