//! The account's own check types (`/v1/config`), pure: what is asked, what is wrong with it, what an answer shows.
//!
//! * Every answer but a deletion's is the whole account's map: country, name, list of data sets with their weights.
//! * Weights are numbers there, though the vendor's schema says texts; both are read.
//! * The list shows the built-in types as well. They are nobody's own, and left out.

use std::collections::{BTreeMap, BTreeSet};

use provider::{CustomType, Objection};
use serde::Deserialize;
use serde_json::Value;

/// No Costa Rica.
const COUNTRIES: &[&str] = &["ALL", "BR", "CL", "CO", "MX", "PE"];

const BUILT_IN: &[&str] = &["person", "vehicle", "company"];

/// What can be searched. The last two are not in the documents; accounts were seen to have them.
const DATA_SETS: &[&str] = &[
    "affiliations_and_insurances",
    "alert_in_media",
    "business_background",
    "criminal_record",
    "driving_licenses",
    "international_background",
    "legal_background",
    "personal_identity",
    "professional_background",
    "taxes_and_finances",
    "traffic_fines",
    "vehicle_information",
    "vehicle_permits",
    "credit_history",
    "document_validation",
];

/// The longest name of a type.
const LONGEST_NAME: usize = 100;

/// How far weights may be off: 0.2 comes back as 0.199.
const TOLERANCE: f64 = 0.005;

/// How far their sum may be off 1: a sum of decimal fractions is not exact.
const SUM_TOLERANCE: f64 = 0.000_1;

/// Everything the vendor would refuse.
pub fn objections(wanted: &CustomType) -> Vec<Objection> {
    let mut found = Vec::new();
    if !COUNTRIES.contains(&wanted.country.as_str()) {
        let detail = format!("Truora takes custom types in {}.", COUNTRIES.join(", "));
        found.push(Objection::new("/country", "not_supported", detail));
    }
    let name = wanted.name.as_str();
    if name.trim() != name || name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        let detail = format!("Expected a name of 1 to {LONGEST_NAME} characters without blanks at its ends.");
        found.push(Objection::new("/name", "invalid", detail));
    } else if BUILT_IN.contains(&name) {
        found.push(Objection::new("/name", "invalid", "That is one of Truora's own types; choose another name."));
    }
    for (data_set, weight) in &wanted.weights {
        let pointer = format!("/weights/{}", data_set.replace('~', "~0").replace('/', "~1"));
        if !DATA_SETS.contains(&data_set.as_str()) {
            let detail = format!("There is no such data set. Known: {}.", DATA_SETS.join(", "));
            found.push(Objection::new(pointer, "not_supported", detail));
        } else if !(0.0..=1.0).contains(weight) {
            found.push(Objection::new(pointer, "invalid", "Expected a weight from 0 to 1."));
        }
    }
    let sum: f64 = wanted.weights.values().sum();
    if found.is_empty() && (sum - 1.0).abs() > SUM_TOLERANCE {
        let detail = "The weights must add up to 1. What is left out is not searched; 0 searches without weight.";
        found.push(Objection::new("/weights", "invalid", detail));
    }
    found
}

/// What the vendor's own refusal is about, as far as it says.
pub fn refusal(said: &str) -> Objection {
    let words = said.to_lowercase();
    let pointer = match DATA_SETS.iter().find(|data_set| words.contains(**data_set)) {
        Some(data_set) => format!("/weights/{data_set}"),
        None if words.contains("weight") || words.contains("dataset") => "/weights".to_owned(),
        None if words.contains("country") => "/country".to_owned(),
        None if words.contains("type") => "/name".to_owned(),
        None => String::new(),
    };
    Objection::new(
        pointer,
        "refused_by_vendor",
        "Truora refuses it. Its words stay with it: compare with its documents or its dashboard.",
    )
}

pub fn form(wanted: &CustomType) -> Vec<(String, String)> {
    let named = [("country", &wanted.country), ("type", &wanted.name)];
    let named = named.into_iter().map(|(key, value)| (key.to_owned(), value.clone()));
    let weights = wanted.weights.iter().map(|(data_set, weight)| (format!("dataset_{data_set}"), weight.to_string()));
    named.chain(weights).collect()
}

#[derive(Deserialize)]
struct Configs {
    /// `None`: the key is missing, and this is no such map.
    #[serde(default, deserialize_with = "map")]
    score_configs: Option<ByCountry>,
}

type ByCountry = BTreeMap<String, BTreeMap<String, Vec<Row>>>;

#[derive(Deserialize)]
struct Row {
    data_set: String,
    weight: Value,
}

/// An account without any may have `null` for a map.
fn map<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<ByCountry>, D::Error> {
    Ok(Some(Option::<ByCountry>::deserialize(deserializer)?.unwrap_or_default()))
}

/// The account's own types in such a map. `None`: it is none.
pub fn read(body: &[u8]) -> Option<Vec<CustomType>> {
    let configs: Configs = provider::http::read_json(body)?;
    let mut types = Vec::new();
    for (country, named) in configs.score_configs? {
        for (name, rows) in named.into_iter().filter(|(name, _)| !BUILT_IN.contains(&name.as_str())) {
            let weights = rows.into_iter().map(|row| Some((row.data_set, number(&row.weight)?)));
            types.push(CustomType { country: country.clone(), name, weights: weights.collect::<Option<_>>()? });
        }
    }
    Some(types)
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|number| number.is_finite())
}

/// The type of this country and name.
pub fn find<'t>(types: &'t [CustomType], country: &str, name: &str) -> Option<&'t CustomType> {
    types.iter().find(|known| known.country == country && known.name == name)
}

/// Whether the vendor has it as it was asked for. What it gives no weight it may leave out.
pub fn is_as_asked(has: &CustomType, wanted: &CustomType) -> bool {
    let data_sets: BTreeSet<_> = has.weights.keys().chain(wanted.weights.keys()).collect();
    let weight = |of: &CustomType, data_set: &str| of.weights.get(data_set).copied().unwrap_or(0.0);
    data_sets.into_iter().all(|data_set| (weight(has, data_set) - weight(wanted, data_set)).abs() <= TOLERANCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(country: &str, name: &str, weights: &[(&str, f64)]) -> CustomType {
        let weights = weights.iter().map(|(data_set, weight)| ((*data_set).to_owned(), *weight)).collect();
        CustomType { country: country.to_owned(), name: name.to_owned(), weights }
    }

    #[test]
    fn what_the_vendor_would_refuse_is_told_with_its_place() {
        let pointers = |country: &str, name: &str, weights: &[(&str, f64)]| -> Vec<String> {
            objections(&wanted(country, name, weights)).into_iter().map(|objection| objection.pointer).collect()
        };
        let good =
            [("criminal_record", 0.7), ("legal_background", 0.2), ("traffic_fines", 0.1), ("alert_in_media", 0.0)];
        assert_eq!(pointers("CO", "drivers", &good), [""; 0]);
        assert_eq!(pointers("CR", "person", &good), ["/country", "/name"]);
        assert_eq!(
            pointers("CO", " x", &[("criminal_record", 1.5), ("a/b", 0.5)]),
            ["/name", "/weights/a~1b", "/weights/criminal_record"]
        );
        assert_eq!(pointers("CO", "x", &[("criminal_record", 0.5)]), ["/weights"]);
        assert_eq!(pointers("CO", "x", &[]), ["/weights"]);
        assert_eq!(pointers("CO", "x", &[("criminal_record", f64::NAN)]), ["/weights/criminal_record"]);
    }

    #[test]
    fn the_whole_map_is_read_without_the_built_in_types() {
        let body = br#"{"client_id": "TCI1", "score_configs": {"CO": {"drivers": [{"data_set": "traffic_fines", "weight": "0.25"},
            {"data_set": "criminal_record", "weight": 0.75}], "company": [{"data_set": "taxes_and_finances", "weight": 1}]},
            "BR": {}}}"#;
        let own = wanted("CO", "drivers", &[("criminal_record", 0.75), ("traffic_fines", 0.25)]);
        assert_eq!(read(body), Some(vec![own]));
        assert_eq!(read(br#"{"score_configs": null}"#), Some(Vec::new()));
        for odd in [&b"{}"[..], b"[]", br#"{"score_configs": {"CO": {"x": [{"data_set": "a", "weight": "much"}]}}}"#] {
            assert_eq!(read(odd), None, "{}", String::from_utf8_lossy(odd));
        }
    }

    #[test]
    fn noise_in_weights_is_no_difference() {
        let asked = wanted("CO", "x", &[("criminal_record", 0.2), ("alert_in_media", 0.0), ("legal_background", 0.8)]);
        let has = wanted("CO", "x", &[("criminal_record", 0.199), ("legal_background", 0.8)]);
        assert!(is_as_asked(&has, &asked));
        assert!(!is_as_asked(&wanted("CO", "x", &[("criminal_record", 0.3), ("legal_background", 0.7)]), &asked));
    }
}
