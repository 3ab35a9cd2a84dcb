//! The create call of a Truework Direct order: the applicant signs in at their payroll, and says where they work.

use domain::input::Employer;
use domain::{OrderInput, Reference};

use super::{Asked, address_of, authorization_forms, metadata, ssn_of};
use crate::options::Options;
use crate::wire::{CreateDirect, CreateDirectTarget, DirectCompany};

/// What is the applicant's goes into the one target, the search key to the order.
pub fn create(order: &OrderInput, asked: &Asked, options: &Options, reference: Reference) -> Option<CreateDirect> {
    let person = order.subject.as_person()?;
    let target = CreateDirectTarget {
        kind: asked.kind,
        permissible_purpose: order.purpose.as_str(),
        use_case: options.use_case(),
        first_name: person.first_name.clone()?,
        last_name: person.last_name.clone()?,
        social_security_number: ssn_of(person)?,
        date_of_birth: person.date_of_birth?.to_string(),
        contact_email: person.email.clone()?,
        phone_number: person.phone.clone(),
        companies: asked.employer.map(company).into_iter().collect(),
        authorization_forms: authorization_forms(order),
        metadata: metadata(asked, reference),
    };
    Some(CreateDirect { search_key: reference.to_string(), targets: [target] })
}

fn company(employer: &Employer) -> DirectCompany {
    DirectCompany {
        name: employer.name.clone(),
        action: "verify",
        address: address_of(employer),
        phone_number: employer.phone.clone(),
    }
}
