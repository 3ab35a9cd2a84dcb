//! The vendor's own products, as a caller names them behind the colon: `truework:employer-search`.

use domain::{CheckInput, CheckSpec, FieldError};
use serde_json::Value;

/// Instant sources are asked for whatever employers they know of the subject.
const EMPLOYER_SEARCH: &str = "employer-search";
/// The one employer that the check names is asked.
const TARGET_EMPLOYER: &str = "target-employer";
/// The applicant signs in at their payroll.
const DIRECT: &str = "direct";

pub const PRODUCTS: &[&str] = &[EMPLOYER_SEARCH, TARGET_EMPLOYER, DIRECT];

/// The check as one of the products carries it out.
pub fn as_product(product: &str, check: &CheckInput) -> Result<CheckInput, FieldError> {
    let mut check = check.clone();
    let employer = match &mut check.spec {
        CheckSpec::EmploymentVerification(asked) => &mut asked.employer,
        CheckSpec::IncomeVerification(asked) => &mut asked.employer,
        CheckSpec::EducationVerification(_) | CheckSpec::BackgroundCheck(_) | CheckSpec::IdentityVerification(_) => {
            return Ok(check);
        }
    };
    match (product, check.vendor_options.get(DIRECT)) {
        (DIRECT, None) => {
            check.vendor_options.insert(DIRECT.to_owned(), Value::Bool(true));
        }
        (DIRECT, Some(Value::Bool(false))) => {
            let detail = "truework:direct is a direct order; leave this out, or name another product.";
            return Err(FieldError::check("/vendor_options/direct", "contradicts_provider", detail));
        }
        (EMPLOYER_SEARCH | TARGET_EMPLOYER, Some(Value::Bool(true))) => {
            let detail = format!("truework:{product} is no direct order; leave this out, or name truework:direct.");
            return Err(FieldError::check("/vendor_options/direct", "contradicts_provider", detail));
        }
        // What is neither true nor false is refused with the other options.
        _ => {}
    }
    match (product, &employer) {
        (EMPLOYER_SEARCH, _) => *employer = None,
        (TARGET_EMPLOYER, None) => {
            let detail = "truework:target-employer asks one employer; name it, or use truework:employer-search.";
            return Err(FieldError::check("/employer", "required", detail));
        }
        _ => {}
    }
    Ok(check)
}

#[cfg(test)]
mod tests {
    use domain::input::{Employer, EmploymentVerification};
    use serde_json::json;

    use super::*;
    use crate::samples::with_option;

    fn check(employer: Option<&str>) -> CheckInput {
        let employer = employer.map(|name| Employer { name: name.to_owned(), ..Employer::default() });
        let spec = EmploymentVerification { employer, ..EmploymentVerification::default() };
        CheckInput::new(CheckSpec::EmploymentVerification(spec), serde_json::Map::new())
    }

    #[test]
    fn a_search_names_no_employer_and_a_target_must() {
        let as_ = |product, employer| as_product(product, &check(employer));
        assert!(as_(EMPLOYER_SEARCH, Some("Tech Corp")).is_ok_and(|made| made == check(None)));
        assert!(as_(TARGET_EMPLOYER, Some("Tech Corp")).is_ok_and(|made| made == check(Some("Tech Corp"))));
        assert!(as_(TARGET_EMPLOYER, None).is_err_and(|fault| fault.code == "required"));
    }

    #[test]
    fn direct_is_what_its_option_is_with_an_employer_or_without() {
        for employer in [None, Some("Tech Corp")] {
            let direct = with_option(check(employer), "direct", json!(true));
            assert!(as_product(DIRECT, &check(employer)).is_ok_and(|made| made == direct));
            assert!(as_product(DIRECT, &direct).is_ok_and(|made| made == direct), "said twice");
        }
    }

    #[test]
    fn a_product_and_an_option_that_contradict_each_other_are_refused() {
        let told = |product, employer, direct| {
            as_product(product, &with_option(check(employer), "direct", direct)).err().expect("a contradiction")
        };
        for fault in [
            told(DIRECT, None, json!(false)),
            told(EMPLOYER_SEARCH, None, json!(true)),
            told(TARGET_EMPLOYER, Some("Tech Corp"), json!(true)),
        ] {
            assert_eq!(
                (fault.pointer(0).as_str(), &*fault.code),
                ("/checks/0/vendor_options/direct", "contradicts_provider")
            );
        }
        for product in PRODUCTS {
            let odd = with_option(check(Some("Tech Corp")), "direct", json!("yes"));
            let made = as_product(product, &odd).expect("left to the options");
            assert_eq!(made.vendor_options["direct"], "yes");
        }
    }
}
