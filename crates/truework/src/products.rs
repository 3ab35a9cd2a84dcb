//! The vendor's own products, as a caller names them behind the colon: `truework:employer-search`.

use domain::{CheckInput, CheckSpec, FieldError};

/// Instant sources are asked for whatever employers they know of the subject.
const EMPLOYER_SEARCH: &str = "employer-search";
/// The one employer that the check names is asked.
const TARGET_EMPLOYER: &str = "target-employer";

pub const PRODUCTS: &[&str] = &[EMPLOYER_SEARCH, TARGET_EMPLOYER];

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

    use super::*;

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
}
