//! What an identity verification needs, said before the order is accepted.

use domain::{CheckInput, FieldError, OrderInput, Subject};
use provider::vendor_id;

use super::{IdentitySettings, Need, flow_of, spec};
use crate::countries::COUNTRIES;

/// The faults of a check, in the order of the request. Empty: a link can be made.
pub fn faults(order: &OrderInput, check: &CheckInput, settings: &IdentitySettings) -> Vec<FieldError> {
    let Some(identity) = spec(check) else { return Vec::new() };
    let mut faults = Vec::new();
    for name in check.vendor_options.keys() {
        let name = name.replace('~', "~0").replace('/', "~1");
        let detail = "Truora's identity verification takes no options.";
        faults.push(FieldError::check(format!("/vendor_options/{name}"), "unknown_field", detail));
    }
    let country = identity.country.to_ascii_uppercase();
    if !COUNTRIES.contains(&country.as_str()) {
        let detail = format!("Truora verifies identities in {}.", COUNTRIES.join(", "));
        faults.push(FieldError::check("/country", "not_supported", detail));
    }
    match &identity.flow {
        Some(flow) if vendor_id(flow.trim()).is_none() => {
            let detail = "Expected the id of a flow that was made in Truora's dashboard, such as IPF…";
            faults.push(FieldError::check("/flow", "invalid", detail));
        }
        None if flow_of(check, settings).is_none() => {
            let detail = "Name the flow to go through; no default is set for this account (truora.identity_flow).";
            faults.push(FieldError::check("/flow", "required", detail));
        }
        _ => {}
    }
    let Subject::Person(person) = &order.subject else {
        let detail = "Only a person can show who they are.";
        faults.push(FieldError::order("/subject/type", "not_supported", detail));
        return faults;
    };
    let is_given = |value: &Option<String>| value.as_ref().is_some_and(|value| !value.trim().is_empty());
    for need in &settings.needs {
        let (given, pointer) = match need {
            Need::Phone => (&person.phone, "/subject/phone"),
            Need::Email => (&person.email, "/subject/email"),
        };
        if !is_given(given) {
            let detail = "This gateway's flows verify it (truora.identity_needs).";
            faults.push(FieldError::order(pointer, "required", detail));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::fixtures::{colombian, order};

    fn check(fields: &Value) -> CheckInput {
        let mut spec = json!({ "type": "identity_verification", "country": "CO" });
        let fields = fields.as_object().expect("an object").clone();
        spec.as_object_mut().expect("an object").extend(fields);
        serde_json::from_value(json!({ "spec": spec })).expect("a check")
    }

    fn told(subject: &Value, fields: &Value, settings: &IdentitySettings) -> Vec<(String, String)> {
        let faults = faults(&order(subject), &check(fields), settings);
        faults.into_iter().map(|fault| (fault.pointer(0), fault.code.into_owned())).collect()
    }

    fn fault(pointer: &str, code: &str) -> (String, String) {
        (pointer.to_owned(), code.to_owned())
    }

    #[test]
    fn a_flow_must_be_known_and_the_subject_a_person() {
        let none = IdentitySettings::default();
        let with_flow = IdentitySettings { flow: Some("IPF1".to_owned()), ..none.clone() };
        assert_eq!(told(&colombian(), &json!({}), &none), [fault("/checks/0/flow", "required")]);
        assert_eq!(told(&colombian(), &json!({}), &with_flow), []);
        assert_eq!(told(&colombian(), &json!({ "flow": "IPF2" }), &none), []);
        assert_eq!(told(&colombian(), &json!({ "flow": " " }), &with_flow), [fault("/checks/0/flow", "invalid")]);
        assert_eq!(told(&colombian(), &json!({ "country": "co" }), &with_flow), []);
        assert_eq!(
            told(&colombian(), &json!({ "country": "US" }), &with_flow),
            [fault("/checks/0/country", "not_supported")]
        );
        let company = json!({ "type": "company", "name": "Ejemplo SAS", "identifiers": [] });
        assert_eq!(told(&company, &json!({}), &with_flow), [fault("/subject/type", "not_supported")]);
    }

    #[test]
    fn what_the_flows_need_is_asked_for() {
        let needs = vec![Need::Phone, Need::Email];
        let settings = IdentitySettings { flow: Some("IPF1".to_owned()), needs, ..IdentitySettings::default() };
        // The fixture has a phone and no e-mail.
        assert_eq!(told(&colombian(), &json!({}), &settings), [fault("/subject/email", "required")]);
    }

    #[test]
    fn nothing_of_the_vendors_own_can_be_set() {
        let mut check = check(&json!({ "flow": "IPF1" }));
        check.vendor_options.insert("account_id".to_owned(), json!("somebody else's"));
        let faults = faults(&order(&colombian()), &check, &IdentitySettings::default());
        assert_eq!(faults[0].pointer(0), "/checks/0/vendor_options/account_id");
    }
}
