//! The create calls of versions before 2023-10-30: a verification request, and the session of an applicant.
//!
//! They know no search key, so the reference travels in the metadata only. Whether the input of `request_parameters` has
//! the form of its output is not documented; it is sent only where an option asks for it.

use std::collections::BTreeMap;

use domain::input::Employer;
use domain::{OrderInput, Person, Reference};

use super::{Asked, additional_information, authorization_forms, city_and_state, metadata, ssn_of};
use crate::options::Options;
use crate::wire::older::{CreateCompany, CreateTarget, CreateVerification, Enabled, RequestParameters};

/// The methods that can be switched, in the newer and in the older spelling.
const METHODS: [(&str, &str); 3] =
    [("instant", "instant"), ("credentials", "credentials"), ("smart-outreach", "smart_outreach")];

pub fn create(order: &OrderInput, asked: &Asked, options: Options, reference: Reference) -> Option<CreateVerification> {
    let person = order.subject.as_person()?;
    // The employer's phone has a field of its own here.
    let told = asked.employer.cloned().map(|employer| Employer { phone: None, ..employer });
    Some(CreateVerification {
        kind: asked.kind,
        permissible_purpose: order.purpose.as_str(),
        use_case: options.use_case(),
        target: target(person, asked.employer)?,
        metadata: metadata(asked, reference),
        request_parameters: parameters(&options),
        additional_information: additional_information(options.additional_information, told.as_ref()),
        documents: authorization_forms(order),
    })
}

/// The body of `POST /credentials/session`: the same, less what a session does not take.
pub fn session(
    order: &OrderInput,
    asked: &Asked,
    options: Options,
    reference: Reference,
) -> Option<CreateVerification> {
    let created = create(order, asked, options, reference)?;
    Some(CreateVerification {
        request_parameters: None,
        additional_information: None,
        documents: Vec::new(),
        ..created
    })
}

fn target(person: &Person, employer: Option<&Employer>) -> Option<CreateTarget> {
    Some(CreateTarget {
        first_name: person.first_name.clone()?,
        last_name: person.last_name.clone()?,
        social_security_number: ssn_of(person)?,
        date_of_birth: person.date_of_birth.map(|date| date.to_string()),
        contact_email: person.email.clone(),
        phone_number: person.phone.clone(),
        company: employer.map(company),
    })
}

fn company(employer: &Employer) -> CreateCompany {
    let mut company =
        CreateCompany { name: employer.name.clone(), phone_number: employer.phone.clone(), ..CreateCompany::default() };
    if let Some(address) = &employer.address {
        let lines: Vec<&str> = [&address.line1, &address.line2].into_iter().flatten().map(String::as_str).collect();
        company.address = (!lines.is_empty()).then(|| lines.join(", "));
        company.city.clone_from(&address.city);
        company.state.clone_from(&address.region);
        company.zip_code.clone_from(&address.postal_code);
    } else if let Some(address) = employer.location.as_deref().and_then(city_and_state) {
        company.city = address.city;
        company.state = address.country_subdivision_code;
    }
    company
}

fn parameters(options: &Options) -> Option<RequestParameters> {
    let allowed = options.methods.as_ref();
    let verification_methods = allowed.map_or_else(BTreeMap::new, |allowed| {
        let enabled =
            |(newer, older): (&str, &'static str)| (older, Enabled { enabled: allowed.iter().any(|m| m == newer) });
        METHODS.into_iter().map(enabled).collect()
    });
    let employer_filter = options.employer_filter.as_deref().map(|filter| match filter {
        "previous-employers" => "previous-employers",
        _ => "all-employers",
    });
    let parameters = RequestParameters { employer_filter, verification_methods };
    (parameters != RequestParameters::default()).then_some(parameters)
}
