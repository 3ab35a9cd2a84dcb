//! The JSON of versions 2020-12-07 and 2022-08-01: plain words, one text for an address, a price, and the pay where those
//! versions have it.

use serde_json::{Value, json};

use super::cases::Employment;
use super::order::{Mode, Order, Verification};
use super::report_views::{disputes, earnings, employer, income_analytics, method, paystubs, respondent};
use super::views::{cancellation_details, date_of_completion, flat_target, form_names, masked, turnaround};
use super::{AddressForm, Habits, Simulator};
use crate::clock::rfc3339;

/// The one that has branches.
const LATER: &str = "2022-08-01";

impl Simulator {
    pub fn older_view(
        &self,
        habits: &Habits,
        order: &Order,
        verification: &Verification,
        version: &str,
        analytics: bool,
    ) -> Value {
        let request = &order.request;
        let state = verification.state(&self.tools.clock);
        let view = |place| self.older_report_view(habits, order, verification, place, analytics);
        let reports: Option<Vec<Value>> =
            (state == "completed").then(|| (0..verification.report_ids.len()).map(view).collect());
        let mut view = json!({
            "id": verification.id,
            "created": rfc3339(verification.created),
            "state": older_state(state),
            "type": request.kind,
            "permissible_purpose": request.permissible_purpose,
            "use_case": request.use_case,
            "target": flat_target(order),
            "price": price(order),
            "turnaround_time": if order.mode == Mode::TargetEmployer { turnaround(order) } else { json!({}) },
            "additional_information": request.additional_information,
            "cancellation_details": cancellation_details(verification, state),
            "cancellation_reason": cancellation_reason(verification, state),
            "date_of_completion": date_of_completion(habits, verification, state),
            "documents": form_names(order),
            "loan_id": request.loan_id,
            "metadata": request.metadata.as_ref().filter(|_| !habits.hide_metadata),
            "reports": reports,
            "request_parameters": parameters(order),
            "reseller_originating_party": null,
        });
        if version == LATER {
            view["branch_id"] = Value::Null;
        }
        view
    }

    /// Some of the verification's fields.
    pub fn older_cancel_view(&self, order: &Order, verification: &Verification) -> Value {
        let state = verification.state(&self.tools.clock);
        json!({
            "id": verification.id,
            "created": rfc3339(verification.created),
            "state": older_state(state),
            "price": price(order),
            "turnaround_time": turnaround(order),
            "cancellation_reason": cancellation_reason(verification, state),
            "cancellation_details": cancellation_details(verification, state),
            "loan_id": order.request.loan_id,
            "date_of_completion": null,
        })
    }

    pub fn older_report_view(
        &self,
        habits: &Habits,
        order: &Order,
        verification: &Verification,
        place: usize,
        analytics: bool,
    ) -> Value {
        let employment = &verification.employments()[place];
        let with_income = order.request.kind == "employment-income";
        let completed = verification.completed_at();
        json!({
            "id": verification.report_ids[place],
            "created": rfc3339(completed),
            "current_as_of": (completed - time::Duration::days(10)).date().to_string(),
            "pricing_tier": method(order),
            "paid_through_date": employment.is_full().then_some("2022-02-28"),
            "verification_request": {
                "id": verification.id, "type": order.request.kind, "created": rfc3339(verification.created),
            },
            "employee": employee(order, employment, with_income),
            "employer": {
                "name": employer(habits, order, verification, place),
                "address": address(habits),
                "government_ids": if employment.is_full() { json!([{ "id": "12-3456789", "type": "us-fein" }]) } else { json!([]) },
            },
            "respondent": respondent(order),
            "additional_notes": null,
            "applicant_documents": self.applicant_documents(
                &Habits { plain_words: true, ..habits.clone() }, order, verification,
            ),
            "disputes": disputes(verification, employment),
            "d1c_eligible": employment.is_full().then_some(true),
            "du_reference_id": employment.is_full().then_some("DU-5afe"),
            "income_analytics": (analytics && with_income && employment.status == "active").then(|| income_analytics(employment)),
            "paystubs": if employment.is_full() { paystubs() } else { json!([]) },
        })
    }
}

/// These versions have no word for what they do not know.
fn older_state(state: &'static str) -> &'static str {
    Verification::raw_state(state)
}

/// A word of the five, where there is one: `no-match` came with the newest version.
fn cancellation_reason<'a>(verification: &'a Verification, state: &str) -> Option<&'a str> {
    let (canonical, _) = verification.cancellation_reason().filter(|_| state == "canceled")?;
    Some(canonical).filter(|reason| *reason != "no-match")
}

/// A quote, as captured answers had it.
fn price(order: &Order) -> Value {
    let amount = if order.mode == Mode::TargetEmployer { "42.95" } else { "23.00" };
    json!({ "amount": amount, "currency": "USD" })
}

fn parameters(order: &Order) -> Value {
    let request = &order.request;
    let enabled = |method: &str| json!({ "enabled": request.methods.iter().any(|known| known == method) });
    let (filter, instant_only) = match order.mode {
        Mode::TargetEmployer => ("target-employer", false),
        _ if request.employer_filter == "previous-employers" => ("previous-employers", true),
        _ => ("all-employers", true),
    };
    let method = |method| if instant_only { json!({ "enabled": method == "instant" }) } else { enabled(method) };
    json!({
        "employer_filter": filter,
        "verification_methods": {
            "instant": method("instant"),
            "credentials": method("credentials"),
            "smart_outreach": method("smart-outreach"),
        },
    })
}

fn employee(order: &Order, employment: &Employment, with_income: bool) -> Value {
    let field = |name: &str| order.request.target.get(name).cloned().unwrap_or_default();
    let text = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
    let kind = if employment.part_time { "regular-part-time" } else { "regular-full-time" };
    let position = json!({
        "title": text(employment.title),
        "start_date": text(employment.start),
        "end_date": employment.end,
        "employment_type": kind,
    });
    let salary = employment.pay.map(|pay| {
        json!({
            "gross_pay": pay, "pay_frequency": "annually", "hours_per_week": null, "months_per_year": null,
            "reduced_covid": "unknown",
        })
    });
    json!({
        "first_name": field("first_name"),
        "last_name": field("last_name"),
        "email": null,
        "social_security_number": masked(order),
        "status": employment.status,
        "status_detail": text(employment.status_detail),
        "hired_date": text(employment.start),
        "termination_date": employment.end,
        "on_leave_date": employment.on_leave,
        "positions": if employment.title.is_empty() { json!([]) } else { json!([position]) },
        "salary": if with_income { json!(salary) } else { Value::Null },
        "earnings": if with_income { earnings(employment) } else { Value::Null },
    })
}

/// With the line break that captured addresses had.
fn address(habits: &Habits) -> Value {
    match habits.address_form {
        AddressForm::Text => json!("1 Example Street\nSan Francisco, CA 94105"),
        AddressForm::Object => json!({
            "address": "1 Example Street", "extended_address": null, "city": "San Francisco",
            "country_subdivision_code": "CA", "postal_code": "94105", "country_code": "US",
        }),
        AddressForm::Lines => json!({
            "line_one": "1 Example Street", "line_two": null, "city": "San Francisco", "state": "CA", "country": "US",
            "postal_code": "94105",
        }),
    }
}
