//! Everything the vendor will demand, checked before an order is accepted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{CheckInput, ConsentDocument, FieldError, IdentifierType, OrderInput, Person};
use serde_json::Value;

use crate::options::Options;
use crate::request::{Asked, normal_ssn};
use crate::settings::Version;

/// One entry per fault. In the vendor's sandbox only never-issued SSNs exist, in production they are refused at once.
pub fn validate(order: &OrderInput, check: &CheckInput, version: Version, sandbox: bool) -> Vec<FieldError> {
    let Some(asked) = Asked::of(check) else {
        return vec![FieldError::check("/type", "not_supported", "Truework verifies employments and incomes only.")];
    };
    let Some(person) = order.subject.as_person() else {
        return vec![FieldError::order("/subject/type", "not_supported", "Truework verifies persons only.")];
    };
    let mut faults = Vec::new();
    for (field, value) in [("first_name", &person.first_name), ("last_name", &person.last_name)] {
        if value.as_deref().is_none_or(|name| name.trim().is_empty()) {
            faults.push(FieldError::order(format!("/subject/{field}"), "required", "Truework needs it."));
        }
    }
    faults.extend(ssn(person, sandbox));
    let is_direct = check.vendor_options.get("direct").and_then(Value::as_bool) == Some(true);
    match asked.employer {
        Some(employer) if employer.name.trim().is_empty() => {
            faults.push(FieldError::check("/employer/name", "required", "Truework knows employers by name."));
        }
        None if person.date_of_birth.is_none() && !is_direct => faults.push(FieldError::order(
            "/subject/date_of_birth",
            "required",
            "A search for employers needs it; give it, or name the employer.",
        )),
        Some(_) | None => {}
    }
    if let Some(ConsentDocument::Inline { content_base64, .. }) = &order.consent.document
        && STANDARD.decode(content_base64).is_err()
    {
        faults.push(FieldError::order("/consent/document/content_base64", "invalid", "Expected standard base64."));
    }
    match Options::read(check, version) {
        Ok(options) if options.direct => faults.extend(direct(person)),
        Ok(_) => {}
        Err(refused) => faults.extend(refused),
    }
    faults
}

/// Whoever signs in must be reachable, and be known by their birth.
fn direct(person: &Person) -> Vec<FieldError> {
    let needs = [("date_of_birth", person.date_of_birth.is_some()), ("email", person.email.is_some())];
    let missing = needs.into_iter().filter(|(_, given)| !given);
    let fault = |field| FieldError::order(format!("/subject/{field}"), "required", "A direct order needs it.");
    missing.map(|(field, _)| fault(field)).collect()
}

fn ssn(person: &Person, sandbox: bool) -> Option<FieldError> {
    let Some(place) = person
        .identifiers
        .iter()
        .position(|id| id.kind == IdentifierType::Ssn && id.country.eq_ignore_ascii_case("US"))
    else {
        return Some(FieldError::order(
            "/subject/identifiers",
            "required",
            "Truework needs a US social security number: {\"type\": \"ssn\", \"country\": \"US\", \"value\": …}.",
        ));
    };
    let pointer = format!("/subject/identifiers/{place}/value");
    match normal_ssn(&person.identifiers[place].value) {
        None => Some(FieldError::order(pointer, "invalid", "Expected nine digits, such as XXX-XX-XXXX.")),
        Some(ssn) if !sandbox && never_issued(&ssn) => {
            Some(FieldError::order(pointer, "invalid", "No social security number of this form was ever issued."))
        }
        Some(_) => None,
    }
}

/// Area 000 or 666, group 00 and serial 0000 are never assigned by the Social Security Administration. Areas from 900 on
/// are taxpayer numbers, which are left to the vendor.
fn never_issued(ssn: &str) -> bool {
    let (area, group, serial) = (&ssn[..3], &ssn[4..6], &ssn[7..]);
    matches!(area, "000" | "666") || group == "00" || serial == "0000"
}

/// What `/v1/providers` says of the rules above.
pub fn required_inputs() -> Vec<String> {
    [
        "subject: first_name, last_name, identifiers[ssn, US]",
        "with employer: employer.name",
        "without employer: subject.date_of_birth",
        "with vendor_options.direct: subject.date_of_birth, subject.email",
    ]
    .map(str::to_owned)
    .into()
}

#[cfg(test)]
mod tests {
    use domain::input::{EducationVerification, Employer, EmploymentVerification};
    use domain::{CheckSpec, Company, Subject};
    use serde_json::json;

    use super::*;
    use crate::samples::{self, employment, income_search, person, with_option};

    /// Where the faults are, with their words.
    fn faults(order: &OrderInput, check: &CheckInput) -> Vec<(String, String)> {
        let faults = validate(order, check, Version::default(), false);
        faults.iter().map(|fault| (fault.pointer(0), fault.code.to_string())).collect()
    }

    fn order_of(person: Person) -> OrderInput {
        OrderInput { subject: Subject::Person(person), ..samples::order() }
    }

    fn fault(pointer: &str, code: &str) -> (String, String) {
        (pointer.to_owned(), code.to_owned())
    }

    #[test]
    fn a_whole_order_is_fine() {
        assert_eq!(faults(&samples::order(), &employment()), []);
        assert_eq!(faults(&samples::order(), &income_search()), []);
    }

    #[test]
    fn everything_that_is_missing_is_named_at_once() {
        let nobody = order_of(Person { last_name: Some(" ".to_owned()), ..Person::default() });
        assert_eq!(
            faults(&nobody, &income_search()),
            [
                fault("/subject/first_name", "required"),
                fault("/subject/last_name", "required"),
                fault("/subject/identifiers", "required"),
                fault("/subject/date_of_birth", "required"),
            ]
        );
        let nowhere = EmploymentVerification { employer: Some(Employer::default()), ..Default::default() };
        let check = samples::check(CheckSpec::EmploymentVerification(nowhere));
        assert_eq!(faults(&samples::order(), &check), [fault("/checks/0/employer/name", "required")]);
    }

    #[test]
    fn a_named_employer_needs_no_date_of_birth() {
        assert_eq!(faults(&order_of(Person { date_of_birth: None, ..person() }), &employment()), []);
    }

    #[test]
    fn only_persons_and_the_vendors_products_are_taken() {
        let company = OrderInput { subject: Subject::Company(Company::default()), ..samples::order() };
        assert_eq!(faults(&company, &employment()), [fault("/subject/type", "not_supported")]);
        let degree = samples::check(CheckSpec::EducationVerification(EducationVerification::default()));
        assert_eq!(faults(&samples::order(), &degree), [fault("/checks/0/type", "not_supported")]);
    }

    #[test]
    fn numbers_that_were_never_issued_are_for_the_sandbox_only() {
        let with_ssn = |value: &str| {
            let mut person = person();
            value.clone_into(&mut person.identifiers[0].value);
            order_of(person)
        };
        let invalid = [fault("/subject/identifiers/0/value", "invalid")];
        for ssn in ["000-00-0000", "666-12-3456", "123-00-4567", "123-45-0000", "12345", "abc-de-fghi"] {
            assert_eq!(faults(&with_ssn(ssn), &employment()), invalid, "{ssn}");
        }
        assert!(validate(&with_ssn("000-00-0000"), &employment(), Version::default(), true).is_empty());
        assert_eq!(validate(&with_ssn("12345"), &employment(), Version::default(), true).len(), 1);
        assert_eq!(faults(&with_ssn("900-12-3456"), &employment()), []);
    }

    #[test]
    fn a_broken_consent_is_found_before_the_vendor_finds_it() {
        let mut order = samples::order();
        let broken = ConsentDocument::Inline { filename: "a.pdf".to_owned(), content_base64: "not base64!".to_owned() };
        order.consent.document = Some(broken);
        assert_eq!(faults(&order, &employment()), [fault("/consent/document/content_base64", "invalid")]);
    }

    #[test]
    fn only_the_allowed_options_are_taken_with_their_values() {
        let refused = |check, key: &str, value, code| {
            let check = with_option(check, key, value);
            let pointer = format!("/checks/0/vendor_options/{}", key.replace('/', "~1"));
            assert_eq!(faults(&samples::order(), &check), [fault(&pointer, code)]);
        };
        for key in ["loan_id", "search_key", "metadata", "reseller_originating_party", "tenant_property_id", "a/b"] {
            refused(employment(), key, json!("x"), "unknown_field");
        }
        refused(employment(), "employer_filter", json!("any-employers"), "not_supported");
        refused(income_search(), "allowed_verification_methods", json!(["instant"]), "not_supported");
        refused(income_search(), "employer_filter", json!("all-employers"), "invalid");
        refused(employment(), "allowed_verification_methods", json!([]), "invalid");
        refused(employment(), "allowed_verification_methods", json!(["pigeon"]), "invalid");
        refused(employment(), "allowed_verification_methods", json!("instant"), "invalid");
        refused(employment(), "use_case", json!("other"), "invalid");
        refused(employment(), "additional_information", json!("x".repeat(1_001)), "invalid");
        let taken = with_option(employment(), "use_case", json!("government"));
        let taken = with_option(taken, "allowed_verification_methods", json!(["instant", "credentials"]));
        assert_eq!(faults(&samples::order(), &taken), []);
        assert_eq!(
            faults(&samples::order(), &with_option(income_search(), "employer_filter", json!("previous-employers"))),
            []
        );
    }

    #[test]
    fn a_direct_order_needs_an_applicant_who_can_be_reached() {
        let direct = |check| with_option(check, "direct", json!(true));
        assert_eq!(faults(&samples::order(), &direct(employment())), []);
        assert_eq!(faults(&samples::order(), &direct(income_search())), []);
        let nowhere = order_of(Person { email: None, date_of_birth: None, ..person() });
        let both = [fault("/subject/date_of_birth", "required"), fault("/subject/email", "required")];
        assert_eq!(faults(&nowhere, &direct(employment())), both);
        assert_eq!(faults(&nowhere, &direct(income_search())), both);
        let pointer = "/checks/0/vendor_options/direct";
        let odd = with_option(employment(), "direct", json!("yes"));
        assert_eq!(faults(&samples::order(), &odd), [fault(pointer, "invalid")]);
        for key in ["additional_information", "allowed_verification_methods", "employer_filter"] {
            let told = direct(with_option(employment(), key, json!("x")));
            let pointer = format!("/checks/0/vendor_options/{key}");
            assert_eq!(faults(&samples::order(), &told), [fault(&pointer, "not_supported")]);
        }
    }

    #[test]
    fn older_versions_take_less() {
        for version in [Version::V2020_12_07, Version::V2022_08_01] {
            let codes = |check: CheckInput| {
                let faults = validate(&samples::order(), &check, version, false);
                faults.iter().map(|fault| fault.code.to_string()).collect::<Vec<_>>()
            };
            assert!(codes(with_option(employment(), "direct", json!(true))).is_empty());
            let methods = |methods| with_option(employment(), "allowed_verification_methods", methods);
            assert_eq!(codes(methods(json!(["documents"]))), ["invalid"]);
            assert!(codes(methods(json!(["instant", "smart-outreach"]))).is_empty());
            let filter = |filter: &str| with_option(income_search(), "employer_filter", json!(filter));
            assert_eq!(codes(filter("current-employers")), ["invalid"]);
            assert!(codes(filter("any-employers")).is_empty());
        }
    }
}
