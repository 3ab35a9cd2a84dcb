//! The verifications of one order, each for itself. Pure.
//!
//! An order by target employer has one; a Direct order has as many as the applicant gave employers.

use domain::result::{Inquiry, Statement};
use domain::{Money, Timestamp};
use provider::{native_status, vendor_code, vendor_id};

use crate::details;
use crate::found;
use crate::wire::{Order, Verification, Word};

/// Each verification, where there are several. Of a single one everything is told by the order itself.
pub fn of_order(verifications: &[Verification]) -> Vec<Inquiry> {
    if verifications.len() < 2 { Vec::new() } else { verifications.iter().map(inquiry).collect() }
}

fn inquiry(verification: &Verification) -> Inquiry {
    let reports = verification.reports.iter().flatten();
    let mut employers: Vec<String> = reports.filter_map(|report| report.employer.as_ref()?.name.clone()).collect();
    if employers.is_empty() {
        employers.extend(asked_employer(verification));
    }
    employers.dedup();
    Inquiry {
        id: verification.id.as_deref().and_then(vendor_id),
        status: native_status(verification.state.as_ref().map(Word::telling).unwrap_or_default()),
        reason: reason_code(verification),
        employers,
        completed_at: verification.date_of_completion.clone(),
        price: price(verification),
    }
}

/// When the first verification of an order was completed, where the vendor says.
pub fn completed_at(order: &Order) -> Option<Timestamp> {
    let verifications = order.verification_requests.iter().flatten();
    verifications.filter_map(|verification| verification.date_of_completion.as_deref()?.parse().ok()).min()
}

fn asked_employer(verification: &Verification) -> Option<String> {
    verification.target.as_ref()?.company.as_ref()?.name.clone()
}

/// The vendor's reason of a cancellation as a code, such as `wrong_info` or `employer_refused`. What is no code may be a
/// sentence about a person, and stays in the payload.
pub fn reason_code(verification: &Verification) -> Option<String> {
    let word = verification.cancellation_reason.as_ref().map(Word::telling)?;
    let is_code = vendor_code(word).is_some() && !word.bytes().any(|b| b.is_ascii_uppercase());
    is_code.then(|| word.replace('-', "_"))
}

fn price(verification: &Verification) -> Option<Money> {
    let price = verification.price.as_ref()?;
    found::money(price.amount.clone()?, price.currency.clone())
}

/// What the whole order costs, where it is of one verification.
pub fn only_price(verifications: &[Verification]) -> Option<Money> {
    if let [only] = verifications { price(only) } else { None }
}

/// Everything that was said and not verified, at the verifications and inside their reports, each once.
pub fn statements(verifications: &[Verification]) -> Vec<Statement> {
    let mut statements: Vec<Statement> = Vec::new();
    for verification in verifications {
        let inside = verification.reports.iter().flatten().filter_map(|report| report.annotations.as_ref());
        for said in verification.unverified_information.iter().chain(inside).flat_map(details::statements) {
            if !statements.contains(&said) {
                statements.push(said);
            }
        }
    }
    statements
}
