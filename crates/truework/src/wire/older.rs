//! The JSON of versions 2020-12-07 and 2022-08-01, which have verification requests and no orders, and how it says in other
//! places what version 2023-10-30 says. Whatever reads an answer reads the newer shape.
//!
//! The two versions differ in little: 2022-08-01 adds `branch_id`, and knows `other` as an employee's status. Whether its
//! addresses are texts or objects is not documented, so both are taken in either version.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

use super::report::{
    self, ApplicantDocument, Dispute, Earnings, Eligibility, IncomeAnalytics, MoneyAmount, PayRate, Paystub, Position,
    Respondent,
};
use super::text::Text;
use super::word::Word;
use super::{ANALYTICS_KEY, AuthorizationForm, Metadata, Order, OrderHead, OrderPage, Turnaround, VerificationHead};

// ---- requests ----

/// The body of `POST /verification-requests` and, less what that does not have, of `POST /credentials/session`.
#[derive(Serialize)]
pub struct CreateVerification {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub permissible_purpose: &'static str,
    pub use_case: String,
    pub target: CreateTarget,
    pub metadata: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_information: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<AuthorizationForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_parameters: Option<RequestParameters>,
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

/// By name: the vendor's company ids are not known here.
#[derive(Serialize, Default)]
pub struct CreateCompany {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zip_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
}

#[derive(Serialize, Default, PartialEq)]
pub struct RequestParameters {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employer_filter: Option<&'static str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub verification_methods: BTreeMap<&'static str, Enabled>,
}

#[derive(Serialize, PartialEq)]
pub struct Enabled {
    pub enabled: bool,
}

// ---- answers ----

/// What proves that a verification request exists.
#[derive(Deserialize)]
pub struct Head {
    id: Option<String>,
    created: Option<String>,
    metadata: Option<Metadata>,
}

impl From<Head> for OrderHead {
    fn from(head: Head) -> Self {
        let part = VerificationHead { created: head.created, metadata: head.metadata };
        Self {
            id: head.id,
            search_key: None,
            target_employer: None,
            employer_search: None,
            truework_direct: None,
            reverification: None,
            verification_requests: Some(vec![part]),
        }
    }
}

#[derive(Deserialize)]
pub struct Page {
    count: Option<u64>,
    results: Option<Vec<Head>>,
    next: Option<String>,
}

impl From<Page> for OrderPage {
    fn from(page: Page) -> Self {
        let results = page.results.map(|rows| rows.into_iter().map(OrderHead::from).collect());
        Self { count: page.count, results, next: page.next }
    }
}

/// The answer to `POST /credentials/session`.
#[derive(Deserialize)]
pub struct Session {
    pub token: Option<String>,
}

#[derive(Deserialize)]
pub struct Verification {
    id: Option<String>,
    created: Option<String>,
    state: Option<Word>,
    cancellation_reason: Option<Word>,
    date_of_completion: Option<String>,
    turnaround_time: Option<Turnaround>,
    metadata: Option<Metadata>,
    price: Option<MoneyAmount>,
    target: Option<super::Target>,
    reports: Option<Vec<Report>>,
    applicant_documents: Option<Vec<ApplicantDocument>>,
}

impl From<Verification> for Order {
    /// An order of the one verification, under the same id.
    fn from(old: Verification) -> Self {
        // Without an employer only instant sources are asked, and finding nothing there is a cancellation without a reason.
        let company = old.target.as_ref().and_then(|target| target.company.as_ref()?.name.as_ref());
        let is_canceled = old.state.as_ref().is_some_and(|state| state.canonical() == "canceled");
        let no_match = is_canceled && company.is_none() && old.target.is_some() && old.cancellation_reason.is_none();
        // They are always asked for here, since the answer comes in one call; whoever did not ask is not shown any.
        let asked = old.metadata.as_ref().is_some_and(|metadata| metadata.contains_key(ANALYTICS_KEY));
        let shown = |report: Report| {
            let report = report::Report::from(report);
            if asked { report } else { report::Report { income_analytics: None, ..report } }
        };
        let verification = super::Verification {
            id: old.id.clone(),
            created: old.created,
            state: old.state,
            cancellation_reason: old.cancellation_reason.or(no_match.then(|| Word::Plain("no-match".to_owned()))),
            date_of_completion: old.date_of_completion,
            turnaround_time: old.turnaround_time,
            metadata: old.metadata,
            target: old.target,
            reports: old.reports.map(|reports| reports.into_iter().map(shown).collect()),
            applicant_documents: old.applicant_documents,
            unverified_information: None,
            price: old.price,
        };
        Self {
            id: old.id,
            search_key: None,
            truework_direct_session_link: None,
            truework_direct: None,
            reverification: None,
            verification_requests: Some(vec![verification]),
        }
    }
}

#[derive(Deserialize)]
struct Report {
    id: Option<String>,
    current_as_of: Option<String>,
    /// How it was found out, in words of its own.
    pricing_tier: Option<Word>,
    paid_through_date: Option<String>,
    additional_notes: Option<String>,
    employee: Option<Employee>,
    employer: Option<Employer>,
    respondent: Option<Respondent>,
    /// Its third amount, `annualized_income.amount`, is nowhere explained and stays in the payload.
    income_analytics: Option<IncomeAnalytics>,
    paystubs: Option<Vec<Paystub>>,
    disputes: Option<Vec<Dispute>>,
    applicant_documents: Option<Vec<ApplicantDocument>>,
    d1c_eligible: Option<bool>,
    du_reference_id: Option<Text>,
}

#[derive(Deserialize)]
struct Employee {
    status: Option<Word>,
    status_detail: Option<Word>,
    hired_date: Option<String>,
    termination_date: Option<String>,
    on_leave_date: Option<String>,
    positions: Option<Vec<Position>>,
    salary: Option<Salary>,
    earnings: Option<Vec<Earnings>>,
}

#[derive(Deserialize)]
struct Salary {
    gross_pay: Option<Text>,
    /// What the gross pay is for, not how often it is paid out (captured answers: 150000.00 `annually`).
    pay_frequency: Option<Word>,
    hours_per_week: Option<Text>,
}

#[derive(Deserialize)]
struct Employer {
    name: Option<String>,
    address: Option<Address>,
    government_ids: Option<Vec<report::GovernmentId>>,
}

/// One text, or an object of the newer or of an even older form.
struct Address(report::Address);

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Lines {
            line_one: Option<String>,
            line_two: Option<String>,
            state: Option<String>,
            country: Option<String>,
        }
        let json = Box::<RawValue>::deserialize(json)?;
        let json = json.get();
        if json.starts_with('"') {
            let whole = serde_json::from_str(json).map_err(D::Error::custom)?;
            return Ok(Self(report::Address { street: Some(whole), ..report::Address::default() }));
        }
        let lines: Lines = serde_json::from_str(json).map_err(D::Error::custom)?;
        let mut address: report::Address = serde_json::from_str(json).map_err(D::Error::custom)?;
        address.street = address.street.or(lines.line_one);
        address.addition = address.addition.or(lines.line_two);
        address.country_subdivision_code = address.country_subdivision_code.or(lines.state);
        address.country_code = address.country_code.or(lines.country);
        Ok(Self(address))
    }
}

impl From<Report> for report::Report {
    fn from(old: Report) -> Self {
        let du = old.d1c_eligible.is_some() || old.du_reference_id.is_some();
        let eligibility = Eligibility {
            kind: Some(Word::Plain("d1c".to_owned())),
            is_eligible: old.d1c_eligible,
            reference_id: old.du_reference_id,
            provider: None,
        };
        Self {
            id: old.id,
            current_as_of: old.current_as_of,
            completed_by_method: old.pricing_tier,
            additional_notes: old.additional_notes,
            employee: old.employee.map(report::Employee::from),
            employer: old.employer.map(|employer| report::Employer {
                name: employer.name,
                address: employer.address.map(|address| address.0),
                government_ids: employer.government_ids,
            }),
            respondent: old.respondent,
            income_analytics: old.income_analytics,
            paystubs: old.paystubs,
            disputes: old.disputes,
            eligibilities: du.then(|| vec![eligibility]),
            applicant_documents: old.applicant_documents,
            annotations: None,
            financial_institution_accounts: None,
            paid_through_date: old.paid_through_date,
        }
    }
}

impl From<Employee> for report::Employee {
    fn from(old: Employee) -> Self {
        let salary = |salary: Salary| report::Salary {
            pay_rate: Some(PayRate { amount: salary.gross_pay, unit: salary.pay_frequency }),
            pay_frequency: None,
            hours_per_week: salary.hours_per_week,
        };
        Self {
            status: old.status,
            status_detail: old.status_detail,
            hired_date: old.hired_date,
            original_hired_date: None,
            termination_date: old.termination_date,
            on_leave_date: old.on_leave_date,
            positions: old.positions,
            salary: old.salary.map(salary),
            earnings: old.earnings,
        }
    }
}
