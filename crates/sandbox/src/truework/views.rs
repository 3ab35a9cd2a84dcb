//! The vendor's JSON. Every key that the contract requires is there, null where there is nothing.

use serde_json::{Value, json};

use super::cases::Employment;
use super::dress::{same, word};
use super::order::{Mode, Order, Verification};
use super::report_views::annotations;
use super::{Habits, Simulator};
use crate::clock::rfc3339;

/// What an answer may hold, which differs between calls.
#[derive(Clone, Copy, Default)]
pub struct Extent {
    /// Only on reports and in the answer of an employer search, and only when asked for.
    pub analytics: bool,
    /// What was said and not verified; only when asked for.
    pub annotations: bool,
}

impl Simulator {
    pub fn order_view(&self, habits: &Habits, order: &Order, extent: Extent) -> Value {
        let echo = |mode| if order.mode == mode { mode_echo(habits, order) } else { Value::Null };
        let verifications = order.begun(&self.tools.clock);
        let verifications: Vec<Value> =
            verifications.map(|verification| self.verification_view(habits, order, verification, extent)).collect();
        json!({
            "id": order.id,
            "loan_id": order.request.loan_id,
            "search_key": shown_search_key(habits, order),
            "truework_direct_session_link": self.session_link(habits, order),
            "target_employer": echo(Mode::TargetEmployer),
            "employer_search": echo(Mode::EmployerSearch),
            "truework_direct": if order.mode == Mode::Direct { self.direct_echo(habits, order) } else { Value::Null },
            "reverification": reverification_echo(habits, order),
            "verification_requests": verifications,
        })
    }

    /// The page that is mailed to the applicant.
    fn session_link(&self, habits: &Habits, order: &Order) -> Option<String> {
        let is_shown = order.mode == Mode::Direct && habits.session_links;
        is_shown.then(|| format!("{}direct/{}", self.tools.base_url, order.session_token))
    }

    fn verification_view(&self, habits: &Habits, order: &Order, verification: &Verification, extent: Extent) -> Value {
        let request = &order.request;
        let state = verification.state(&self.tools.clock);
        let completed = state == "completed";
        let view = |place| self.report_view(habits, order, verification, place, extent);
        let reports: Option<Vec<Value>> = completed.then(|| (0..verification.report_ids.len()).map(view).collect());
        let full = verification.employments().iter().any(Employment::is_full);
        json!({
            "id": verification.id,
            "created": rfc3339(verification.created),
            "state": word(habits, state, Verification::raw_state(state)),
            "type": request.kind,
            "permissible_purpose": same(habits, &request.permissible_purpose),
            "use_case": same(habits, &request.use_case),
            "target": flat_target(order),
            "turnaround_time": turnaround(order),
            "additional_information": request.additional_information,
            "applicant_documents": completed.then(|| self.applicant_documents(habits, order, verification)),
            "cancellation_details": cancellation_details(verification, state),
            "cancellation_reason": cancellation_reason(habits, verification, state),
            "date_of_completion": date_of_completion(habits, verification, state),
            "documents": form_names(order),
            "loan_id": request.loan_id,
            "metadata": request.metadata.as_ref().filter(|_| !habits.hide_metadata),
            "reports": reports,
            "reseller_originating_party": null,
            "unverified_information": (full && extent.annotations).then(|| annotations(habits)),
        })
    }

    /// The answer to a cancellation: some fields of the verifications, and not a whole order.
    pub fn cancel_view(&self, habits: &Habits, order: &Order) -> Value {
        let clock = &self.tools.clock;
        let view = |verification: &Verification| {
            let state = verification.state(clock);
            json!({
                "id": verification.id,
                "created": rfc3339(verification.created),
                "state": word(habits, state, Verification::raw_state(state)),
                "cancellation_reason": cancellation_reason(habits, verification, state),
                "cancellation_details": cancellation_details(verification, state),
                "date_of_completion": null,
                "loan_id": order.request.loan_id,
                "turnaround_time": turnaround(order),
            })
        };
        json!({
            "id": order.id,
            "loan_id": order.request.loan_id,
            "verification_requests": order.begun(clock).map(view).collect::<Vec<_>>(),
        })
    }

    fn direct_echo(&self, habits: &Habits, order: &Order) -> Value {
        let request = &order.request;
        let field = |name: &str| request.target.get(name).cloned().unwrap_or_default();
        let companies: Option<Vec<Value>> = field("companies").as_array().map(|companies| {
            let company = |company: &Value| {
                json!({
                    "name": company["name"],
                    "action": company["action"].as_str().map(|action| same(habits, action)),
                    "address": whole_address(&company["address"]),
                    "phone_number": company["phone_number"],
                })
            };
            companies.iter().map(company).collect()
        });
        json!({ "targets": [{
            "first_name": field("first_name"),
            "last_name": field("last_name"),
            "social_security_number": masked(order),
            "date_of_birth": field("date_of_birth"),
            "contact_email": field("contact_email"),
            "companies": companies,
            "self_employment": field("self_employment"),
            "authorization_forms": form_names(order),
            "metadata": request.metadata.as_ref().filter(|_| !habits.hide_metadata),
            "type": request.kind,
            "permissible_purpose": same(habits, &request.permissible_purpose),
            "use_case": same(habits, &request.use_case),
            "reseller_originating_party": null,
            "truework_direct_session_link": self.session_link(habits, order),
            "truework_direct_session_token": order.session_token,
        }] })
    }
}

fn reverification_echo(habits: &Habits, order: &Order) -> Value {
    let Some(parent) = order.parent.as_ref().filter(|_| !habits.hide_parent) else {
        return Value::Null;
    };
    let field = |name: &str| order.request.target.get(name).cloned().unwrap_or_default();
    json!({
        "parent_order_id": parent,
        "targets": [{
            "first_name": field("first_name"), "last_name": field("last_name"), "truework_direct_session_token": null,
        }],
    })
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
        Mode::EmployerSearch | Mode::Direct | Mode::Reverification => {
            json!({ "employer_filter": request.employer_filter })
        }
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
pub fn flat_target(order: &Order) -> Value {
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
pub fn masked(order: &Order) -> String {
    let digits = order.request.ssn_digits();
    format!("***-**-{}", digits.get(5..).unwrap_or_default())
}

pub fn form_names(order: &Order) -> Value {
    order.request.forms.iter().map(|filename| json!({ "filename": filename })).collect()
}

/// Hours, as strings; of an employer search there is no estimate.
pub fn turnaround(order: &Order) -> Value {
    match order.mode {
        Mode::TargetEmployer => json!({ "lower_bound": "20", "best_estimate": "48", "upper_bound": "124" }),
        _ => json!({ "lower_bound": null, "best_estimate": null, "upper_bound": null }),
    }
}

fn cancellation_reason(habits: &Habits, verification: &Verification, state: &str) -> Option<Value> {
    let (canonical, raw) = verification.cancellation_reason().filter(|_| state == "canceled")?;
    Some(word(habits, canonical, raw))
}

pub fn cancellation_details<'a>(verification: &'a Verification, state: &str) -> Option<&'a str> {
    verification.canceled.as_ref().filter(|_| state == "canceled")?.details.as_deref()
}

pub fn date_of_completion(habits: &Habits, verification: &Verification, state: &str) -> Option<String> {
    (habits.completion_dates && state == "completed").then(|| rfc3339(verification.completed_at()))
}

/// An address as it is given back: every key, and null where nothing was given.
pub fn whole_address(address: &Value) -> Value {
    const KEYS: [&str; 6] =
        ["address", "extended_address", "city", "country_subdivision_code", "postal_code", "country_code"];
    if address.is_null() {
        return Value::Null;
    }
    Value::Object(KEYS.into_iter().map(|key| (key.to_owned(), address[key].clone())).collect())
}
