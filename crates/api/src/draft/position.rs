//! `/position`: the job that the subject is screened for.

use domain::Position;
use serde_json::Value;

use super::rules;
use crate::faults::Faults;
use crate::section;

pub fn read(value: Value, faults: &mut Faults) -> Option<Position> {
    let position: Position = section::parse(value, "/position", faults)?;
    if let Some(country) = &position.country {
        rules::country(country, "/position/country", faults);
    }
    if position.salary.as_ref().is_some_and(|salary| !salary.is_well_formed() || salary.amount.starts_with('-')) {
        let detail =
            "Expected an amount as a decimal string and an ISO 4217 currency, such as \"100000.00\" and \"USD\".";
        faults.push("/position/salary", "invalid", detail);
    }
    Some(position)
}
