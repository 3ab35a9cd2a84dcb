//! The vendor's JSON. Every key that the contract requires is there, null where there is nothing.

use serde_json::{Value, json};

use super::cases::Employment;
use super::order::{Mode, Order};
use super::{Habits, Simulator};
use crate::clock::rfc3339;

/// What an answer may hold, which differs between calls.
#[derive(Clone, Copy, Default)]
pub struct Extent {
    /// Only on reports and in the answer of an employer search, and only when asked for.
    pub analytics: bool,
}

/// One enum value: wrapped, unless the switch has it plain.
fn word(habits: &Habits, canonical: &str, raw: &str) -> Value {
    if habits.plain_words { json!(raw) } else { json!({ "canonical_value": canonical, "raw_value": raw }) }
}

fn same(habits: &Habits, value: &str) -> Value {
    word(habits, value, value)
}

/// Leaves empty fields out where the switch says so.
pub fn finish(habits: &Habits, value: Value) -> Value {
    if habits.omit_empty { without_empty(value) } else { value }
}

fn without_empty(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key, without_empty(value))).collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(without_empty).collect()),
        other => other,
    }
}

impl Simulator {
    pub fn order_view(&self, habits: &Habits, order: &Order, extent: Extent) -> Value {
        let mode = mode_echo(habits, order);
        let (target_employer, employer_search) = match order.mode {
            Mode::TargetEmployer => (mode, Value::Null),
            Mode::EmployerSearch => (Value::Null, mode),
        };
        json!({
            "id": order.id,
            "loan_id": order.request.loan_id,
            "search_key": shown_search_key(habits, order),
            "truework_direct_session_link": null,
            "target_employer": target_employer,
            "employer_search": employer_search,
            "truework_direct": null,
            "reverification": null,
            "verification_requests": [self.verification_view(habits, order, extent)],
        })
    }

    fn verification_view(&self, habits: &Habits, order: &Order, extent: Extent) -> Value {
        let request = &order.request;
        let state = order.state(&self.tools.clock);
        let completed = state == "completed";
        let reports: Option<Vec<Value>> = completed
            .then(|| (0..order.report_ids.len()).map(|place| self.report_view(habits, order, place, extent)).collect());
        json!({
            "id": order.verification_id,
            "created": rfc3339(order.created),
            "state": word(habits, state, Order::raw_state(state)),
            "type": request.kind,
            "permissible_purpose": same(habits, &request.permissible_purpose),
            "use_case": same(habits, &request.use_case),
            "target": flat_target(order),
            "turnaround_time": turnaround(order),
            "additional_information": request.additional_information,
            "applicant_documents": completed.then(|| self.applicant_documents(habits, order)),
            "cancellation_details": cancellation_details(order, state),
            "cancellation_reason": cancellation_reason(habits, order, state),
            "date_of_completion": date_of_completion(habits, order, state),
            "documents": form_names(order),
            "loan_id": request.loan_id,
            "metadata": request.metadata.as_ref().filter(|_| !habits.hide_metadata),
            "reports": reports,
            "reseller_originating_party": null,
            "unverified_information": null,
        })
    }

    /// The answer to a cancellation: some fields of the verification, and not a whole order.
    pub fn cancel_view(&self, habits: &Habits, order: &Order) -> Value {
        let state = order.state(&self.tools.clock);
        json!({
            "id": order.id,
            "loan_id": order.request.loan_id,
            "verification_requests": [{
                "id": order.verification_id,
                "created": rfc3339(order.created),
                "state": word(habits, state, Order::raw_state(state)),
                "cancellation_reason": cancellation_reason(habits, order, state),
                "cancellation_details": cancellation_details(order, state),
                "date_of_completion": null,
                "loan_id": order.request.loan_id,
                "turnaround_time": turnaround(order),
            }],
        })
    }

    pub fn report_view(&self, habits: &Habits, order: &Order, place: usize, extent: Extent) -> Value {
        let employment = &order.employments()[place];
        let is_search = order.mode == Mode::EmployerSearch;
        let with_income = order.request.kind == "employment-income";
        let analytics = extent.analytics && with_income && employment.status == "active";
        let completed = order.completed_at();
        let employer = match (order.request.company(), place) {
            (Some(company), _) if habits.echo_employer => company.to_owned(),
            (_, 0) => "Fake Company".to_owned(),
            (_, place) => format!("Fake Company {}", place + 1),
        };
        let respondent =
            json!({ "full_name": "Pat Example", "title": "HR Manager", "email": "hr@fake-company.example" });
        json!({
            "id": order.report_ids[place],
            "created": rfc3339(completed),
            "completed": rfc3339(completed),
            "current_as_of": (completed - time::Duration::days(10)).date().to_string(),
            "completed_by_method": same(habits, if is_search { "instant" } else { "smart-outreach" }),
            "verification_request": {
                "id": order.verification_id, "type": order.request.kind, "created": rfc3339(order.created),
            },
            "employee": employee(habits, order, employment, with_income),
            "employer": { "name": employer, "address": address(), "government_ids": [] },
            "respondent": if is_search { Value::Null } else { respondent },
            "additional_notes": null,
            "annotations": null,
            "applicant_documents": self.applicant_documents(habits, order),
            "disputes": disputes(order, employment),
            "eligibilities": [],
            "financial_institution_accounts": null,
            "income_analytics": analytics.then(|| income_analytics(employment)),
            "paystubs": [],
        })
    }

    fn applicant_documents(&self, habits: &Habits, order: &Order) -> Value {
        if !order.employments().iter().any(|employment| employment.flagged_document) {
            return json!([]);
        }
        json!([{
            "id": order.verification_id,
            "url": format!("{}applicant-documents/{}", self.tools.base_url, order.id),
            "detections": [
                { "count": 1, "type": same(habits, "page-edited"), "outcome": same(habits, "failed") },
                { "count": 0, "type": same(habits, "ssn-mismatch"), "outcome": same(habits, "passed") },
            ],
        }])
    }
}

fn shown_search_key<'a>(habits: &Habits, order: &'a Order) -> Option<&'a str> {
    order.request.search_key.as_deref().filter(|_| !habits.hide_search_key)
}

/// The request in output form.
fn mode_echo(habits: &Habits, order: &Order) -> Value {
    let request = &order.request;
    let field = |name: &str| request.target.get(name).cloned().unwrap_or_default();
    let mut target = json!({
        "first_name": field("first_name"),
        "last_name": field("last_name"),
        "social_security_number": masked(order),
        "date_of_birth": field("date_of_birth"),
        "contact_email": field("contact_email"),
    });
    let config = match order.mode {
        Mode::TargetEmployer => {
            target["company"] = json!({
                "name": request.company(),
                "address": request.target.get("company").and_then(|company| company.get("address")).map(whole_address),
            });
            json!({ "allowed_verification_methods": request.methods })
        }
        Mode::EmployerSearch => json!({ "employer_filter": request.employer_filter }),
    };
    json!({
        "type": request.kind,
        "permissible_purpose": same(habits, &request.permissible_purpose),
        "use_case": same(habits, &request.use_case),
        "target": target,
        "request_config": config,
        "additional_information": request.additional_information,
        "authorization_forms": form_names(order),
        "loan_id": request.loan_id,
        "metadata": request.metadata.as_ref().filter(|_| !habits.hide_metadata),
        "reseller_originating_party": null,
        "search_key": shown_search_key(habits, order),
    })
}

/// A verification's target keeps the shape of older versions.
fn flat_target(order: &Order) -> Value {
    let field = |name: &str| order.request.target.get(name).cloned().unwrap_or_default();
    let company = json!({
        "id": null, "name": order.request.company(), "address": null, "city": null, "state": null, "zip_code": null,
        "phone_number": null,
    });
    json!({
        "first_name": field("first_name"),
        "last_name": field("last_name"),
        "social_security_number": masked(order),
        "date_of_birth": field("date_of_birth"),
        "contact_email": field("contact_email"),
        "phone_number": field("phone_number"),
        "company": company,
    })
}

/// `***-**-NNNN`.
fn masked(order: &Order) -> String {
    let digits = order.request.ssn_digits();
    format!("***-**-{}", digits.get(5..).unwrap_or_default())
}

fn form_names(order: &Order) -> Value {
    order.request.forms.iter().map(|filename| json!({ "filename": filename })).collect()
}

/// Hours, as strings; of an employer search there is no estimate.
fn turnaround(order: &Order) -> Value {
    match order.mode {
        Mode::TargetEmployer => json!({ "lower_bound": "20", "best_estimate": "48", "upper_bound": "124" }),
        Mode::EmployerSearch => json!({ "lower_bound": null, "best_estimate": null, "upper_bound": null }),
    }
}

fn cancellation_reason(habits: &Habits, order: &Order, state: &str) -> Option<Value> {
    let (canonical, raw) = order.cancellation_reason().filter(|_| state == "canceled")?;
    Some(word(habits, canonical, raw))
}

fn cancellation_details<'a>(order: &'a Order, state: &str) -> Option<&'a str> {
    order.canceled.as_ref().filter(|_| state == "canceled")?.details.as_deref()
}

fn date_of_completion(habits: &Habits, order: &Order, state: &str) -> Option<String> {
    (habits.completion_dates && state == "completed").then(|| rfc3339(order.completed_at()))
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
fn earnings(employment: &Employment) -> Value {
    let of_year = |[year, base, bonus, other, total]: &[&str; 5]| {
        json!({
            "year": year, "base": base, "bonus": bonus, "commission": "0.00", "overtime": "0.00", "other": other,
            "total": total,
        })
    };
    employment.earnings.iter().map(of_year).collect()
}

fn income_analytics(employment: &Employment) -> Value {
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

fn disputes(order: &Order, employment: &Employment) -> Value {
    if !employment.disputed {
        return json!([]);
    }
    json!([{
        "id": order.verification_id,
        "reference_id": "5afe0000-0000-4000-8000-000000000000",
        "created": rfc3339(order.completed_at()),
        "description": "The employee disputes the dates.",
    }])
}

fn address() -> Value {
    whole_address(&json!({
        "address": "1 Example Street", "city": "San Francisco", "country_subdivision_code": "CA", "postal_code": "94105",
        "country_code": "US",
    }))
}

/// An address as it is given back: every key, and null where nothing was given.
fn whole_address(address: &Value) -> Value {
    const KEYS: [&str; 6] =
        ["address", "extended_address", "city", "country_subdivision_code", "postal_code", "country_code"];
    if address.is_null() {
        return Value::Null;
    }
    Value::Object(KEYS.into_iter().map(|key| (key.to_owned(), address[key].clone())).collect())
}
