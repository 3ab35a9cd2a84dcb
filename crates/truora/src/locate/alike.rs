//! Checks without any reference that agree with a sought one in type, country and a whole number: evidence for a person.

use std::collections::{BTreeSet, HashMap};

use domain::{Reference, Timestamp};
use provider::{Sought, SubmissionItem};

use super::LookAlike;
use crate::inputs::{Input, plain_number, same_number};
use crate::mapping;
use crate::wire::BareCheck;

/// So many look-alikes of one check are kept: enough to show a person that something is odd.
const MOST_OF_ONE_CHECK: usize = 20;

/// What the sought checks say of themselves.
pub struct Claims {
    all: Vec<Claim>,
    /// By each number, and by each without its last character: a check digit may be written or not.
    by_number: HashMap<String, BTreeSet<usize>>,
}

struct Claim {
    reference: Reference,
    kind: String,
    country: String,
    numbers: Vec<(Input, String)>,
    /// How many look-alikes of it were kept.
    kept: usize,
}

impl Claims {
    pub fn of(sought: &[Sought]) -> Self {
        let mut claims = Self { all: Vec::new(), by_number: HashMap::new() };
        for claim in sought.iter().filter_map(Claim::of) {
            for key in claim.numbers.iter().flat_map(|(_, number)| keys(number)) {
                claims.by_number.entry(key).or_default().insert(claims.all.len());
            }
            claims.all.push(claim);
        }
        claims
    }

    /// Keeps what the row is like.
    pub fn compare(&mut self, row: &BareCheck, id: &str, created_at: Option<Timestamp>, kept: &mut Vec<LookAlike>) {
        let shown = numbers(|input| match input {
            Input::NationalId => row.national_id.as_deref(),
            Input::ForeignId => row.foreign_id.as_deref(),
            Input::Ptp => row.ptp.as_deref(),
            Input::TaxId => row.tax_id.as_deref(),
            _ => row.license_plate.as_deref(),
        });
        let keys = shown.iter().flat_map(|(_, number)| keys(number));
        let possible: BTreeSet<usize> = keys.filter_map(|key| self.by_number.get(&key)).flatten().copied().collect();
        for at in possible {
            let claim = &mut self.all[at];
            let Some(agrees_in) = claim.agreement(row, &shown).filter(|_| claim.kept < MOST_OF_ONE_CHECK) else {
                continue;
            };
            claim.kept += 1;
            let (reference, vendor_order_id) = (claim.reference, id.to_owned());
            kept.push(LookAlike { reference, vendor_order_id, created_at, agrees_in });
        }
    }
}

impl Claim {
    fn of(sought: &Sought) -> Option<Self> {
        let item = SubmissionItem {
            reference: sought.reference,
            order: sought.order.clone(),
            check: sought.check.clone(),
            force_new: false,
        };
        let request = mapping::request(&item)?;
        let sent = |field: &str| request.form.iter().find(|(name, _)| *name == field).map(|(_, value)| value.as_str());
        Some(Self {
            reference: sought.reference,
            kind: sent("type")?.to_owned(),
            country: sent("country")?.to_owned(),
            numbers: numbers(|input| sent(input.field())),
            kept: 0,
        })
    }

    /// Our names of the fields in which a row agrees; `None` if it is another type, country or number.
    fn agreement(&self, row: &BareCheck, shown: &[(Input, String)]) -> Option<Vec<String>> {
        let same = |ours: &str, theirs: Option<&str>| theirs.is_some_and(|theirs| ours.eq_ignore_ascii_case(theirs));
        if !same(&self.kind, row.kind.as_deref()) || !same(&self.country, row.country.as_deref()) {
            return None;
        }
        let is_shown = |(input, ours): &&(Input, String)| {
            shown.iter().any(|(field, theirs)| field == input && same_number(ours, theirs))
        };
        let agreeing: Vec<&str> = self.numbers.iter().filter(is_shown).map(|(input, _)| input.ours()).collect();
        (!agreeing.is_empty()).then(|| ["type", "country"].into_iter().chain(agreeing).map(str::to_owned).collect())
    }
}

/// The government numbers (or the plate) that are given, made plain for comparing.
fn numbers<'a>(given: impl Fn(Input) -> Option<&'a str>) -> Vec<(Input, String)> {
    let fields = [Input::NationalId, Input::ForeignId, Input::Ptp, Input::TaxId, Input::LicensePlate];
    let number =
        |input| given(input).map(plain_number).filter(|number| !number.is_empty()).map(|number| (input, number));
    fields.into_iter().filter_map(number).collect()
}

fn keys(number: &str) -> impl Iterator<Item = String> {
    // Plain numbers are ASCII.
    let shorter = Some(&number[..number.len() - 1]).filter(|shorter| !shorter.is_empty());
    [Some(number), shorter].into_iter().flatten().map(str::to_owned).collect::<Vec<_>>().into_iter()
}
