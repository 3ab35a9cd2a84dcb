//! Ours → theirs: the create call of a check. Pure.

use std::collections::BTreeMap;

use domain::input::Employer;
use domain::{Address, CheckInput, CheckSpec, ConsentDocument, Date, IdentifierType, OrderInput, Person, Reference};

use crate::options::Options;
use crate::wire::{
    ANALYTICS_KEY, AuthorizationForm, CreateAddress, CreateCompany, CreateOrder, CreateTarget, REFERENCE_KEY,
    RequestConfig,
};

/// The vendor's kinds of order that are used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// An employer is named: asynchronous.
    TargetEmployer,
    /// No employer is named: the vendor looks for employments, inside the call.
    EmployerSearch { analytics: bool },
}

/// One create call, ready to be sent.
pub struct Create {
    pub mode: Mode,
    pub body: CreateOrder,
}

/// What an employment or income verification asks, whichever of the two it is.
pub struct Asked<'a> {
    /// The vendor's word for the product.
    pub kind: &'static str,
    pub employer: Option<&'a Employer>,
    pub title: Option<&'a str>,
    pub start_date: Option<Date>,
    pub end_date: Option<Date>,
    pub analytics: bool,
}

impl<'a> Asked<'a> {
    /// `None` for the products that the vendor does not have.
    pub fn of(check: &'a CheckInput) -> Option<Self> {
        match &check.spec {
            CheckSpec::EmploymentVerification(asked) => Some(Self {
                kind: "employment",
                employer: asked.employer.as_ref(),
                title: asked.title.as_deref(),
                start_date: asked.start_date,
                end_date: asked.end_date,
                analytics: false,
            }),
            CheckSpec::IncomeVerification(asked) => Some(Self {
                kind: "employment-income",
                employer: asked.employer.as_ref(),
                title: asked.title.as_deref(),
                start_date: asked.start_date,
                end_date: asked.end_date,
                analytics: asked.include_analytics,
            }),
            CheckSpec::EducationVerification(_)
            | CheckSpec::BackgroundCheck(_)
            | CheckSpec::IdentityVerification(_) => None,
        }
    }
}

/// The create call. `None` if something is missing that [`validate`](crate::validate) would have refused.
pub fn create(order: &OrderInput, check: &CheckInput, reference: Reference) -> Option<Create> {
    let asked = Asked::of(check)?;
    let person = order.subject.as_person()?;
    let options = Options::read(check).ok()?;
    let ssn = ssn_of(person)?;
    let mut metadata = BTreeMap::from([(REFERENCE_KEY, reference.to_string())]);
    if asked.analytics {
        metadata.insert(ANALYTICS_KEY, "true".to_owned());
    }
    let (mode, request_config) = match asked.employer {
        Some(_) => (Mode::TargetEmployer, options.methods.map(RequestConfig::AllowedVerificationMethods)),
        None => (
            Mode::EmployerSearch { analytics: asked.analytics },
            options.employer_filter.map(RequestConfig::EmployerFilter),
        ),
    };
    let body = CreateOrder {
        kind: asked.kind,
        // Our purposes are the vendor's, word for word.
        permissible_purpose: order.purpose.as_str(),
        use_case: options.use_case.unwrap_or_else(|| "background".to_owned()),
        target: CreateTarget {
            first_name: person.first_name.clone()?,
            last_name: person.last_name.clone()?,
            social_security_number: ssn,
            date_of_birth: person.date_of_birth.map(|date| date.to_string()),
            contact_email: person.email.clone(),
            phone_number: person.phone.clone(),
            company: asked.employer.map(company),
        },
        search_key: reference.to_string(),
        metadata,
        additional_information: additional_information(options.additional_information, asked.employer),
        authorization_forms: authorization_forms(order),
        request_config,
    };
    Some(Create { mode, body })
}

/// The subject's SSN as `XXX-XX-XXXX`.
fn ssn_of(person: &Person) -> Option<String> {
    normal_ssn(&person.identifier(IdentifierType::Ssn, "US")?.value)
}

/// `XXX-XX-XXXX` from nine digits, with or without dashes or blanks between them.
pub fn normal_ssn(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
    if digits.len() != 9 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(format!("{}-{}-{}", &digits[..3], &digits[3..5], &digits[5..]))
}

fn company(employer: &Employer) -> CreateCompany {
    let address = employer
        .address
        .as_ref()
        .map(address)
        .or_else(|| employer.location.as_deref().and_then(city_and_state))
        .filter(|address| *address != CreateAddress::default());
    CreateCompany { name: employer.name.clone(), address }
}

fn address(address: &Address) -> CreateAddress {
    CreateAddress {
        address: address.line1.clone(),
        extended_address: address.line2.clone(),
        city: address.city.clone(),
        country_subdivision_code: address.region.clone(),
        postal_code: address.postal_code.clone(),
        country_code: address.country.clone(),
    }
}

/// `San Francisco, CA` as an address; anything else goes to the vendor's people as text.
fn city_and_state(location: &str) -> Option<CreateAddress> {
    let (city, state) = location.rsplit_once(',')?;
    let (city, state) = (city.trim(), state.trim());
    let is_state = state.len() == 2 && state.bytes().all(|b| b.is_ascii_uppercase());
    (is_state && !city.is_empty()).then(|| CreateAddress {
        city: Some(city.to_owned()),
        country_subdivision_code: Some(state.to_owned()),
        country_code: Some("US".to_owned()),
        ..CreateAddress::default()
    })
}

/// The most characters of `additional_information`, by an older page of the vendor; newer ones name no limit.
pub const MOST_INFORMATION: usize = 1_000;

/// The vendor has no fields for how to reach an employer, so that is told in words, as far as there is room.
fn additional_information(option: Option<String>, employer: Option<&Employer>) -> Option<String> {
    let mut text = option.unwrap_or_default();
    if let Some(employer) = employer {
        let location = employer.location.as_deref().filter(|place| city_and_state(place).is_none());
        let known =
            [("phone", employer.phone.as_deref()), ("email", employer.email.as_deref()), ("location", location)];
        for (what, value) in known {
            let Some(value) = value else { continue };
            let line = format!("Employer {what}: {value}");
            if text.chars().count() + 1 + line.chars().count() <= MOST_INFORMATION {
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(&line);
            }
        }
    }
    (!text.is_empty()).then_some(text)
}

/// The vendor takes the signed release as bytes only. A link is kept with the order and not sent.
fn authorization_forms(order: &OrderInput) -> Vec<AuthorizationForm> {
    match &order.consent.document {
        Some(ConsentDocument::Inline { filename, content_base64 }) => {
            vec![AuthorizationForm { filename: filename.clone(), content: content_base64.clone() }]
        }
        Some(ConsentDocument::Link { .. }) | None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use domain::input::EmploymentVerification;
    use serde_json::{Value, json};

    use super::*;
    use crate::samples::{self, employer, employment, income_search, reference, with_option};

    fn body(check: &CheckInput) -> Value {
        let create = create(&samples::order(), check, reference(1)).expect("a create call");
        serde_json::to_value(create.body).expect("JSON")
    }

    fn at(employer: Employer) -> CheckInput {
        let asked = EmploymentVerification { employer: Some(employer), ..EmploymentVerification::default() };
        samples::check(CheckSpec::EmploymentVerification(asked))
    }

    #[test]
    fn a_named_employer_makes_a_target_employer_order() {
        let check = with_option(employment(), "allowed_verification_methods", json!(["instant", "smart-outreach"]));
        let check = with_option(check, "additional_information", json!("Worked under her maiden name."));
        assert_eq!(create(&samples::order(), &check, reference(1)).map(|c| c.mode), Some(Mode::TargetEmployer));
        insta::assert_json_snapshot!(body(&check));
    }

    #[test]
    fn no_employer_makes_a_search() {
        let check = with_option(income_search(), "employer_filter", json!("current-employers"));
        let mode = create(&samples::order(), &check, reference(1)).map(|create| create.mode);
        assert_eq!(mode, Some(Mode::EmployerSearch { analytics: true }));
        insta::assert_json_snapshot!(body(&check));
    }

    #[test]
    fn a_consent_that_is_only_a_link_is_left_out() {
        let mut order = samples::order();
        order.consent.document = Some(ConsentDocument::Link { url: "https://example.com/release.pdf".to_owned() });
        let create = create(&order, &employment(), reference(1)).expect("a create call");
        assert!(create.body.authorization_forms.is_empty());
    }

    #[test]
    fn an_address_goes_before_a_location_and_an_odd_location_into_words() {
        let with_address = Employer {
            address: Some(Address { city: Some("Oakland".to_owned()), ..Address::default() }),
            ..employer()
        };
        assert_eq!(body(&at(with_address))["target"]["company"]["address"], json!({ "city": "Oakland" }));
        let odd = Employer { location: Some("the old mill".to_owned()), phone: None, email: None, ..employer() };
        let odd = body(&at(odd));
        assert_eq!(odd["target"]["company"]["address"], Value::Null);
        assert_eq!(odd["additional_information"], "Employer location: the old mill");
    }

    #[test]
    fn words_about_the_employer_yield_to_the_callers_own() {
        let own = "x".repeat(MOST_INFORMATION - 10);
        let check = with_option(employment(), "additional_information", json!(own));
        assert_eq!(body(&check)["additional_information"], json!(own));
    }

    #[test]
    fn ssns_are_written_with_dashes() {
        for text in ["123456789", "123-45-6789", "123 45 6789"] {
            assert_eq!(normal_ssn(text).as_deref(), Some("123-45-6789"), "{text}");
        }
        for text in ["", "12345678", "1234567890", "12345678a", "***-**-6789", "１２３４５６７８９"] {
            assert_eq!(normal_ssn(text), None, "{text}");
        }
    }
}
