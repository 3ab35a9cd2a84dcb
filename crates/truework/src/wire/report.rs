//! A report of version 2023-10-30.

use serde::Deserialize;

use super::text::Text;
use super::word::Word;

#[derive(Deserialize, Default)]
pub struct Report {
    pub id: Option<String>,
    pub current_as_of: Option<String>,
    pub completed_by_method: Option<Word>,
    pub additional_notes: Option<String>,
    pub employee: Option<Employee>,
    pub employer: Option<Employer>,
    pub respondent: Option<Respondent>,
    pub income_analytics: Option<IncomeAnalytics>,
    pub paystubs: Option<Vec<Paystub>>,
    /// Only those that are open now.
    pub disputes: Option<Vec<Dispute>>,
    pub eligibilities: Option<Vec<Eligibility>>,
    pub applicant_documents: Option<Vec<ApplicantDocument>>,
    pub annotations: Option<Annotations>,
    pub financial_institution_accounts: Option<Vec<FinancialAccount>>,
    /// Of older versions only.
    #[serde(skip)]
    pub paid_through_date: Option<String>,
}

#[derive(Deserialize, Default)]
pub struct Employee {
    pub status: Option<Word>,
    pub status_detail: Option<Word>,
    /// The latest hire.
    pub hired_date: Option<String>,
    pub original_hired_date: Option<String>,
    pub termination_date: Option<String>,
    pub on_leave_date: Option<String>,
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
pub struct Paystub {
    pub reference_id: Option<Text>,
    pub pay_date: Option<String>,
    pub pay_period_start_date: Option<String>,
    pub pay_period_end_date: Option<String>,
    pub pay_period_hours: Option<Text>,
    pub base: Option<Text>,
    pub bonus: Option<Text>,
    pub commission: Option<Text>,
    pub overtime: Option<Text>,
    pub other: Option<Text>,
    pub gross: Option<Text>,
    pub net: Option<Text>,
}

#[derive(Deserialize, Default)]
pub struct Employer {
    pub name: Option<String>,
    pub address: Option<Address>,
    pub government_ids: Option<Vec<GovernmentId>>,
}

#[derive(Deserialize, Default)]
pub struct Address {
    #[serde(rename = "address")]
    pub street: Option<String>,
    #[serde(rename = "extended_address")]
    pub addition: Option<String>,
    pub city: Option<String>,
    pub country_subdivision_code: Option<String>,
    pub postal_code: Option<Text>,
    pub country_code: Option<String>,
}

#[derive(Deserialize)]
pub struct GovernmentId {
    pub id: Option<Text>,
    #[serde(rename = "type")]
    pub kind: Option<Word>,
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
    pub income_volatility: Option<IncomeVolatility>,
}

#[derive(Deserialize)]
pub struct AnnualizedIncome {
    pub base_amount: Option<MoneyAmount>,
    pub gross_amount: Option<MoneyAmount>,
    pub short_employment_warning: Option<bool>,
    pub stale_data_warning: Option<bool>,
    pub variable_income_warning: Option<bool>,
}

#[derive(Deserialize)]
pub struct IncomeVolatility {
    pub gross_income_volatility: Option<Text>,
}

#[derive(Deserialize)]
pub struct MoneyAmount {
    pub amount: Option<Text>,
    pub currency: Option<String>,
}

#[derive(Deserialize)]
pub struct Dispute {
    pub reference_id: Option<Text>,
    pub created: Option<String>,
    pub description: Option<String>,
}

#[derive(Deserialize)]
pub struct Eligibility {
    #[serde(rename = "type")]
    pub kind: Option<Word>,
    pub is_eligible: Option<bool>,
    pub reference_id: Option<Text>,
    pub provider: Option<Word>,
}

#[derive(Deserialize)]
pub struct ApplicantDocument {
    pub id: Option<String>,
    pub url: Option<String>,
    pub detections: Option<Vec<Detection>>,
}

#[derive(Deserialize)]
pub struct Detection {
    pub count: Option<Text>,
    pub outcome: Option<Word>,
    #[serde(rename = "type")]
    pub kind: Option<Word>,
}

/// What the applicant or the client said, and nobody verified.
#[derive(Deserialize)]
pub struct Annotations {
    pub applicant: Option<Annotation>,
    pub verifier: Option<Annotation>,
}

#[derive(Deserialize)]
pub struct Annotation {
    pub employee: Option<Employee>,
    pub employer: Option<AnnotatedEmployer>,
}

#[derive(Deserialize)]
pub struct AnnotatedEmployer {
    pub name: Option<String>,
}

/// The one place where the contract has amounts as JSON numbers.
#[derive(Deserialize)]
pub struct FinancialAccount {
    pub financial_institution_name: Option<String>,
    pub account_name: Option<String>,
    pub account_type: Option<String>,
    pub owner_name: Option<String>,
    pub number: Option<Text>,
    pub oldest_transaction_date: Option<String>,
    pub snapshots: Option<Vec<AccountSnapshot>>,
    pub income_streams: Option<Vec<IncomeStream>>,
}

#[derive(Deserialize)]
pub struct AccountSnapshot {
    pub balance_date: Option<String>,
    pub currency_code: Option<String>,
    pub balance: Option<Text>,
    pub available_balance: Option<Text>,
    pub average_monthly_balance: Option<Text>,
    #[serde(rename = "tot_number_insufficient_funds_fee_debit_tx_account")]
    pub fees: Option<Text>,
    #[serde(rename = "tot_number_insufficient_funds_fee_debit_tx_over_2_months_account")]
    pub fees_of_two_months: Option<Text>,
    #[serde(rename = "tot_number_days_since_most_recent_insufficient_funds_fee_debit_tx_account")]
    pub days_since_fee: Option<Text>,
}

#[derive(Deserialize)]
pub struct IncomeStream {
    pub name: Option<String>,
    pub status: Option<String>,
    pub confidence: Option<Text>,
    pub confidence_level: Option<Text>,
    pub start_date: Option<String>,
    pub end_date: Option<String>,
    pub frequency_days: Option<Text>,
    pub age_in_months: Option<Text>,
    pub net_annual: Option<Text>,
    pub average_monthly_net_income: Option<Text>,
    pub estimated_gross_annual: Option<Text>,
    pub periods: Option<Vec<IncomePeriod>>,
}

#[derive(Deserialize)]
pub struct IncomePeriod {
    pub start_day: Option<String>,
    pub amount: Option<Text>,
    pub amount_type: Option<String>,
    pub amount_duration: Option<Text>,
    pub estimated_gross_income: Option<GrossIncome>,
}

#[derive(Deserialize)]
pub struct GrossIncome {
    pub net_annual: Option<Text>,
    pub average_monthly_net_income: Option<Text>,
    pub estimated_gross_annual: Option<Text>,
}
