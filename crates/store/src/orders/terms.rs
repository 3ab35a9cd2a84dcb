//! What an order is found by: terms that stand for a value of a field within a tenant.
//!
//! Personal data becomes a blind index; metadata, which stands in the clear beside the order anyway, a plain hash.

use std::collections::BTreeSet;

use domain::{Identifier, Order, Person, Subject, TenantId};
use sha2::{Digest as _, Sha256};

use super::OrderFilter;
use crate::normalise;
use crate::vault::Vault;

const EMAIL: &str = "email";
const LAST_NAME: &str = "last_name";

/// A field of personal data with its normalised value.
struct Fact {
    field: String,
    country: String,
    value: String,
}

/// Every term of a new order.
pub fn of_order(vault: &Vault, order: &Order) -> BTreeSet<Vec<u8>> {
    let metadata = order.metadata.iter().map(|(key, value)| metadata(&order.tenant, key, value));
    let facts = of_subject(&order.input.expose().subject);
    let blind = facts
        .iter()
        .filter(|fact| !fact.value.is_empty())
        .map(|fact| vault.blind_index(&order.tenant, &fact.field, &fact.country, &fact.value));
    metadata.chain(blind).collect()
}

/// One set of terms for each condition of the filter that goes by terms: an order must have one of each set. A condition
/// that normalises to nothing has an empty set, and no order meets it.
pub fn of_filter(vault: &Vault, tenants: &[TenantId], filter: &OrderFilter) -> Vec<Vec<Vec<u8>>> {
    let facts = [
        filter.email.as_deref().map(email),
        filter.last_name.as_deref().map(last_name),
        filter.identifier.as_ref().map(|wanted| identifier(wanted.kind.as_str(), &wanted.country, &wanted.value)),
    ];
    let blind = facts.into_iter().flatten().map(|fact| {
        if fact.value.is_empty() {
            return Vec::new();
        }
        let of = |tenant| vault.blind_candidates(tenant, &fact.field, &fact.country, &fact.value);
        tenants.iter().flat_map(of).collect()
    });
    let metadata =
        filter.metadata.iter().map(|(key, value)| tenants.iter().map(|tenant| metadata(tenant, key, value)).collect());
    blind.chain(metadata).collect()
}

fn of_subject(subject: &Subject) -> Vec<Fact> {
    let mut facts: Vec<Fact> = subject.identifiers().iter().map(of_identifier).collect();
    match subject {
        Subject::Person(person) => facts.extend(of_person(person)),
        Subject::Company(_) => {}
        Subject::Vehicle(vehicle) => {
            if let Some(driver) = &vehicle.driver {
                facts.extend(of_person(driver));
                facts.extend(driver.identifiers.iter().map(of_identifier));
            }
            let owner = vehicle.owner.as_ref().and_then(|owner| owner.identifier.as_ref());
            facts.extend(owner.map(of_identifier));
        }
    }
    facts
}

fn of_person(person: &Person) -> impl Iterator<Item = Fact> {
    let names = person.last_name.iter().chain(person.aliases.iter().map(|alias| &alias.last_name));
    names.map(|name| last_name(name)).chain(person.email.as_deref().map(email))
}

fn of_identifier(known: &Identifier) -> Fact {
    identifier(known.kind.as_str(), &known.country, &known.value)
}

fn identifier(kind: &str, country: &str, value: &str) -> Fact {
    Fact {
        field: format!("identifier.{kind}"),
        country: country.to_ascii_uppercase(),
        value: normalise::identifier(value),
    }
}

fn email(value: &str) -> Fact {
    Fact { field: EMAIL.to_owned(), country: String::new(), value: normalise::email(value) }
}

fn last_name(value: &str) -> Fact {
    Fact { field: LAST_NAME.to_owned(), country: String::new(), value: normalise::name(value) }
}

fn metadata(tenant: &TenantId, key: &str, value: &str) -> Vec<u8> {
    let mut hash = Sha256::new();
    for part in ["metadata", tenant.as_str(), key, value] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize()[..16].to_vec()
}
