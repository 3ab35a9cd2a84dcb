//! Reports of the newest version.

use serde_json::{Value, json};

use super::cases::{Besides, Employment};
use super::dress::same;
use super::order::{Mode, Order, Verification};
use super::views::{Extent, masked, whole_address};
use super::{Habits, Simulator};
use crate::clock::rfc3339;

impl Simulator {
    pub fn report_view(
        &self,
        habits: &Habits,
        order: &Order,
        verification: &Verification,
        place: usize,
        extent: Extent,
    ) -> Value {
        let employment = &verification.employments()[place];
        let with_income = order.request.kind == "employment-income";
        let analytics = extent.analytics && with_income && employment.status == "active";
        let completed = verification.completed_at();
        let full = employment.is_full();
        json!({
            "id": verification.report_ids[place],
            "created": rfc3339(completed),
            "completed": rfc3339(completed),
            "current_as_of": (completed - time::Duration::days(10)).date().to_string(),
            "completed_by_method": same(habits, method(order)),
            "verification_request": {
                "id": verification.id, "type": order.request.kind, "created": rfc3339(verification.created),
            },
            "employee": employee(habits, order, employment, with_income),
            "employer": {
                "name": employer(habits, order, verification, place),
                "address": address(),
                "government_ids": if full { json!([{ "id": "12-3456789", "type": same(habits, "us-fein") }]) } else { json!([]) },
            },
            "respondent": respondent(order),
            "additional_notes": null,
            "annotations": (full && extent.annotations).then(|| annotations(habits)),
            "applicant_documents": self.applicant_documents(habits, order, verification),
            "disputes": disputes(verification, employment),
            "eligibilities": if full { json!([{
                "type": same(habits, "d1c"), "is_eligible": true, "reference_id": "DU-5afe", "provider": same(habits, "truework"),
            }]) } else { json!([]) },
            "financial_institution_accounts": full.then(accounts),
            "income_analytics": analytics.then(|| income_analytics(employment)),
            "paystubs": if full { paystubs() } else { json!([]) },
        })
    }

    pub fn applicant_documents(&self, habits: &Habits, order: &Order, verification: &Verification) -> Value {
        let any = |is: fn(&Employment) -> bool| verification.employments().iter().any(is);
        let flagged = any(|employment| employment.besides == Besides::FlaggedDocument);
        if !flagged && !any(Employment::is_full) {
            return json!([]);
        }
        let edited = if flagged { "failed" } else { "passed" };
        json!([{
            "id": verification.id,
            "url": format!("{}applicant-documents/{}", self.tools.base_url, order.id),
            "detections": [
                { "count": u8::from(flagged), "type": same(habits, "page-edited"), "outcome": same(habits, edited) },
                { "count": 0, "type": same(habits, "ssn-mismatch"), "outcome": same(habits, "passed") },
            ],
        }])
    }
}

/// How reports of these orders are found.
pub fn method(order: &Order) -> &'static str {
    match order.mode {
        Mode::TargetEmployer => "smart-outreach",
        Mode::EmployerSearch | Mode::Reverification => "instant",
        Mode::Direct => "credentials",
    }
}

/// Whoever answered, where people were asked.
pub fn respondent(order: &Order) -> Value {
    if order.mode != Mode::TargetEmployer {
        return Value::Null;
    }
    json!({ "full_name": "Pat Example", "title": "HR Manager", "email": "hr@fake-company.example" })
}

/// The first employer is the one that was asked for, where the switch says so.
pub fn employer(habits: &Habits, order: &Order, verification: &Verification, place: usize) -> String {
    match (order.request.company(), verification.place + place) {
        (Some(company), _) if habits.echo_employer => company.to_owned(),
        (_, 0) => "Fake Company".to_owned(),
        (_, place) => format!("Fake Company {}", place + 1),
    }
}

/// What the applicant and the client said, and nobody verified.
pub fn annotations(habits: &Habits) -> Value {
    json!({
        "applicant": {
            "employee": {
                "positions": [{ "title": "Chief Engineer", "start_date": "2018-01-01", "end_date": null }],
                "salary": { "pay_rate": { "amount": "999999.00", "unit": same(habits, "annually") } },
                "status": same(habits, "active"),
                "status_detail": null,
            },
            "employer": { "name": "Said Company", "email": "said@example.com", "phone_number": "+15550000000" },
        },
        "verifier": null,
    })
}

/// The newest first.
pub fn paystubs() -> Value {
    json!([{
        "id": "paystub-2", "reference_id": "STUB-2", "pay_date": "2022-02-28", "pay_period_start_date": "2022-02-15",
        "pay_period_end_date": "2022-02-28", "pay_period_hours": "80.00", "base": "6250.00", "bonus": "0.00",
        "commission": "0.00", "overtime": "0.00", "other": "0.00", "gross": "6250.00", "net": "4375.10",
    }])
}

/// With amounts as numbers, as the contract has them here and nowhere else.
fn accounts() -> Value {
    json!([{
        "account_name": "Checking", "account_type": "depository", "financial_institution_name": "Sandbox Bank",
        "number": "000123456789", "oldest_transaction_date": "2020-01-01", "owner_name": "Jane Sample",
        "snapshots": [{
            "id": "snapshot-1", "balance": 1234.5, "available_balance": 1200.25, "average_monthly_balance": null,
            "balance_date": "2022-02-28", "currency_code": "USD",
            "tot_number_days_since_most_recent_insufficient_funds_fee_debit_tx_account": null,
            "tot_number_insufficient_funds_fee_debit_tx_account": 0,
            "tot_number_insufficient_funds_fee_debit_tx_over_2_months_account": 0,
        }],
        "income_streams": [{
            "id": "stream-1", "name": "FAKE COMPANY PAYROLL", "status": "active", "confidence": 95,
            "confidence_level": "high", "start_date": "2020-01-15", "end_date": null, "frequency_days": 15,
            "age_in_months": 25, "net_annual": 105_002.4, "average_monthly_net_income": 8750.2,
            "estimated_gross_annual": 150_000.0,
            "periods": [{
                "id": "period-1", "start_day": "2022-02-15", "amount": 4375.1, "amount_type": "net",
                "amount_duration": "semimonthly",
                "estimated_gross_income": {
                    "net_annual": 105_002.4, "average_monthly_net_income": 8750.2, "estimated_gross_annual": null,
                },
            }],
        }],
    }])
}

fn employee(habits: &Habits, order: &Order, employment: &Employment, with_income: bool) -> Value {
    let field = |name: &str| order.request.target.get(name).cloned().unwrap_or_default();
    let text = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
    let kind = if employment.part_time { "regular-part-time" } else { "regular-full-time" };
    let position = json!({
        "title": text(employment.title),
        "start_date": text(employment.start),
        "end_date": employment.end,
        "employment_type": same(habits, kind),
    });
    let detail = employment.status_detail;
    json!({
        // The requested name, not the one in the documents' list of test cases.
        "first_name": field("first_name"),
        "last_name": field("last_name"),
        "email": null,
        "social_security_number": masked(order),
        "address": null,
        "status": same(habits, employment.status),
        "status_detail": if detail.is_empty() { Value::Null } else { same(habits, detail) },
        "hired_date": text(employment.start),
        "original_hired_date": null,
        "termination_date": employment.end,
        "on_leave_date": employment.on_leave,
        "positions": if employment.title.is_empty() { json!([]) } else { json!([position]) },
        "salary": if with_income { salary(habits, employment) } else { Value::Null },
        "earnings": if with_income { earnings(employment) } else { Value::Null },
    })
}

/// Only of active people.
fn salary(habits: &Habits, employment: &Employment) -> Value {
    let Some(pay) = employment.pay else {
        return Value::Null;
    };
    json!({
        "pay_rate": { "amount": pay, "unit": same(habits, "annually") },
        "pay_frequency": null,
        "hours_per_week": null,
        "reduced_covid": "unknown",
    })
}

/// All strings, the year too.
pub fn earnings(employment: &Employment) -> Value {
    let of_year = |[year, base, bonus, other, total]: &[&str; 5]| {
        json!({
            "year": year, "base": base, "bonus": bonus, "commission": "0.00", "overtime": "0.00", "other": other,
            "total": total,
        })
    };
    employment.earnings.iter().map(of_year).collect()
}

pub fn income_analytics(employment: &Employment) -> Value {
    let amount = |amount: Option<&str>| json!({ "amount": amount, "currency": "USD" });
    let gross = employment.earnings.first().map(|[.., total]| *total);
    json!({
        "annualized_income": {
            "base_amount": amount(employment.pay),
            "gross_amount": amount(gross.or(employment.pay)),
            "short_employment_warning": false,
            "stale_data_warning": false,
            "variable_income_warning": false,
        },
        "income_volatility": { "gross_income_volatility": "0.05" },
    })
}

pub fn disputes(verification: &Verification, employment: &Employment) -> Value {
    if employment.besides != Besides::Dispute {
        return json!([]);
    }
    json!([{
        "id": verification.id,
        "reference_id": "5afe0000-0000-4000-8000-000000000000",
        "created": rfc3339(verification.completed_at()),
        "description": "The employee disputes the dates.",
    }])
}

fn address() -> Value {
    whole_address(&json!({
        "address": "1 Example Street", "city": "San Francisco", "country_subdivision_code": "CA", "postal_code": "94105",
        "country_code": "US",
    }))
}
