//! Ours → theirs: the create call of a check. Pure.

use std::collections::BTreeMap;

use domain::input::Employer;
use domain::{Address, CheckInput, CheckSpec, ConsentDocument, Date, IdentifierType, OrderInput, Person, Reference};

use serde::Serialize;

use crate::options::Options;
use crate::settings::Version;
use crate::wire::older::CreateVerification;
use crate::wire::{
    ANALYTICS_KEY, AuthorizationForm, CreateAddress, CreateCompany, CreateDirect, CreateOrder, CreateTarget,
    REFERENCE_KEY, RequestConfig,
};

mod direct;
pub mod older;

/// The vendor's kinds of order that are used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// An employer is named: asynchronous.
    TargetEmployer,
    /// No employer is named: the vendor looks for employments, inside the call.
    EmployerSearch { analytics: bool },
    /// The applicant signs in at their payroll: asynchronous, and open until they do.
    Direct,
}

/// One create call, ready to be sent.
pub struct Create {
    pub mode: Mode,
    pub body: Body,
}

#[derive(Serialize)]
#[serde(untagged)]
pub enum Body {
    Order(Box<CreateOrder>),
    Direct(Box<CreateDirect>),
    Older(Box<CreateVerification>),
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
pub fn create(version: Version, order: &OrderInput, check: &CheckInput, reference: Reference) -> Option<Create> {
    let asked = Asked::of(check)?;
    let options = Options::read(check, version).ok()?;
    let mode = match asked.employer {
        _ if options.direct => Mode::Direct,
        Some(_) => Mode::TargetEmployer,
        None => Mode::EmployerSearch { analytics: asked.analytics },
    };
    let body = match mode {
        Mode::Direct if !version.has_orders() => {
            Body::Older(Box::new(older::session(order, &asked, options, reference)?))
        }
        _ if !version.has_orders() => Body::Older(Box::new(older::create(order, &asked, options, reference)?)),
        Mode::Direct => Body::Direct(Box::new(direct::create(order, &asked, &options, reference)?)),
        Mode::TargetEmployer | Mode::EmployerSearch { .. } => {
            Body::Order(Box::new(create_order(order, &asked, options, reference)?))
        }
    };
    Some(Create { mode, body })
}

fn create_order(order: &OrderInput, asked: &Asked, options: Options, reference: Reference) -> Option<CreateOrder> {
    let person = order.subject.as_person()?;
    Some(CreateOrder {
        kind: asked.kind,
        // Our purposes are the vendor's, word for word.
        permissible_purpose: order.purpose.as_str(),
        use_case: options.use_case(),
        target: CreateTarget {
            first_name: person.first_name.clone()?,
            last_name: person.last_name.clone()?,
            social_security_number: ssn_of(person)?,
            date_of_birth: person.date_of_birth.map(|date| date.to_string()),
            contact_email: person.email.clone(),
            phone_number: person.phone.clone(),
            company: asked.employer.map(company),
        },
        search_key: reference.to_string(),
        metadata: metadata(asked, reference),
        additional_information: additional_information(options.additional_information, asked.employer),
        authorization_forms: authorization_forms(order),
        request_config: match asked.employer {
            Some(_) => options.methods.map(RequestConfig::AllowedVerificationMethods),
            None => options.employer_filter.map(RequestConfig::EmployerFilter),
        },
    })
}

/// What comes back with every look and every hook.
fn metadata(asked: &Asked, reference: Reference) -> BTreeMap<&'static str, String> {
    let mut metadata = BTreeMap::from([(REFERENCE_KEY, reference.to_string())]);
    if asked.analytics {
        metadata.insert(ANALYTICS_KEY, "true".to_owned());
    }
    metadata
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
    CreateCompany { name: employer.name.clone(), address: address_of(employer) }
}

fn address_of(employer: &Employer) -> Option<CreateAddress> {
    let given = employer.address.as_ref().map(address);
    given
        .or_else(|| employer.location.as_deref().and_then(city_and_state))
        .filter(|address| *address != CreateAddress::default())
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

    const NEWEST: Version = Version::V2023_10_30;

    fn body(check: &CheckInput) -> Value {
        body_of(NEWEST, check)
    }

    fn body_of(version: Version, check: &CheckInput) -> Value {
        let create = create(version, &samples::order(), check, reference(1)).expect("a create call");
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
        assert_eq!(create(NEWEST, &samples::order(), &check, reference(1)).map(|c| c.mode), Some(Mode::TargetEmployer));
        insta::assert_json_snapshot!(body(&check));
    }

    #[test]
    fn no_employer_makes_a_search() {
        let check = with_option(income_search(), "employer_filter", json!("current-employers"));
        let mode = create(NEWEST, &samples::order(), &check, reference(1)).map(|create| create.mode);
        assert_eq!(mode, Some(Mode::EmployerSearch { analytics: true }));
        insta::assert_json_snapshot!(body(&check));
    }

    #[test]
    fn a_direct_order_has_the_applicant_in_its_target() {
        let check = with_option(employment(), "direct", json!(true));
        assert_eq!(create(NEWEST, &samples::order(), &check, reference(1)).map(|c| c.mode), Some(Mode::Direct));
        insta::assert_json_snapshot!(body(&check));
    }

    #[test]
    fn older_versions_have_verification_requests() {
        let check = with_option(employment(), "allowed_verification_methods", json!(["instant", "smart-outreach"]));
        insta::assert_json_snapshot!(body_of(Version::V2020_12_07, &check));
        let search = with_option(income_search(), "employer_filter", json!("any-employers"));
        let search = body_of(Version::V2022_08_01, &search);
        assert_eq!(search["request_parameters"], json!({ "employer_filter": "all-employers" }));
        assert_eq!(search["target"].get("company"), None);
        assert_eq!(search["metadata"]["vetgate_income_analytics"], "true");
    }

    #[test]
    fn a_session_is_asked_for_without_what_it_does_not_take() {
        let (order, check) = (samples::order(), employment());
        let asked = Asked::of(&check).expect("an employment");
        let session = older::session(&order, &asked, Options::default(), reference(1)).expect("a body");
        let body = serde_json::to_value(session).expect("JSON");
        let keys: Vec<&str> = body.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(keys, ["metadata", "permissible_purpose", "target", "type", "use_case"]);
    }

    #[test]
    fn a_consent_that_is_only_a_link_is_left_out() {
        let mut order = samples::order();
        order.consent.document = Some(ConsentDocument::Link { url: "https://example.com/release.pdf".to_owned() });
        let create = create(NEWEST, &order, &employment(), reference(1)).expect("a create call");
        let body = serde_json::to_value(create.body).expect("JSON");
        assert_eq!(body.get("authorization_forms"), None);
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
