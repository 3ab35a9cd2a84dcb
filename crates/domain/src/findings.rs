//! What a vendor's sources say of a check, beside its result: shown when it is asked for, and never kept.
//!
//! Personal data throughout, so nothing here can be printed.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// What one source says about the subject, in its own words and often its own language.
#[derive(Clone, Default, Serialize, ToSchema)]
pub struct Finding {
    /// The vendor's id of it.
    #[schema(required)]
    pub id: Option<String>,
    pub source: FindingSource,
    /// The kind of source: `criminal_record`, `personal_identity`, …
    #[schema(required)]
    pub dataset: Option<String>,
    /// The vendor's word: `found`, `not_found`, … Something found may be harmless.
    #[schema(required)]
    pub result: Option<String>,
    /// The vendor's word: `none` to `very_high`.
    #[schema(required)]
    pub severity: Option<String>,
    /// 0 (high risk) to 1 (low risk).
    #[schema(required)]
    pub score: Option<f64>,
    /// What it belongs to: `profile`, `legal`, …
    #[schema(required)]
    pub group: Option<String>,
    #[schema(required)]
    pub identity: Option<FindingIdentity>,
    /// Whom or what the source found.
    #[schema(required)]
    pub found: Option<FindingFound>,
    pub tables: Vec<FindingTable>,
    /// When it was last changed, as the vendor writes it.
    #[schema(required)]
    pub updated_at: Option<String>,
}

#[derive(Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct FindingSource {
    #[schema(required)]
    pub id: Option<String>,
    #[schema(required)]
    pub name: Option<String>,
}

/// What the source says about the identity that was searched by.
#[derive(Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct FindingIdentity {
    #[schema(required)]
    pub document_type: Option<String>,
    #[schema(required)]
    pub result: Option<String>,
    #[schema(required)]
    pub state: Option<String>,
}

#[derive(Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct FindingFound {
    #[schema(required)]
    pub first_name: Option<String>,
    #[schema(required)]
    pub last_name: Option<String>,
    #[schema(required)]
    pub company_name: Option<String>,
    #[schema(required)]
    pub date_of_birth: Option<String>,
    #[schema(required)]
    pub tax_id: Option<String>,
}

/// What the source showed, as it showed it.
#[derive(Clone, Default, Serialize, ToSchema)]
pub struct FindingTable {
    #[schema(required)]
    pub title: Option<String>,
    #[schema(value_type = Vec<std::collections::BTreeMap<String, String>>)]
    pub rows: Vec<FindingRow>,
}

/// Labels and values, in the source's order. A label that comes again is numbered, so that no value is lost.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FindingRow(Vec<(String, String)>);

impl FindingRow {
    pub fn push(&mut self, label: &str, value: String) {
        let is_taken = |name: &str| self.0.iter().any(|(known, _)| known == name);
        let mut name = label.to_owned();
        let mut count = 1;
        while is_taken(&name) {
            count += 1;
            name = format!("{label} ({count})");
        }
        self.0.push((name, value));
    }

    /// In the source's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(label, value)| (label.as_str(), value.as_str()))
    }
}

impl Serialize for FindingRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (label, value) in &self.0 {
            map.serialize_entry(label, value)?;
        }
        map.end()
    }
}

/// What a vendor computed from its findings for rules to decide by. The names are the vendor's own.
#[derive(Clone, Serialize, ToSchema)]
pub struct FindingVariables {
    /// The vendor's word for how far they are.
    pub status: String,
    #[schema(value_type = Object)]
    pub values: Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_comes_again_hides_no_value() {
        let mut row = FindingRow::default();
        for (label, value) in [("Estado", "a"), ("Causa", "b"), ("Estado", "c"), ("Estado (2)", "d"), ("Estado", "e")] {
            row.push(label, value.to_owned());
        }
        let shown = serde_json::to_string(&row).expect("json");
        let expected = r#"{"Estado":"a","Causa":"b","Estado (2)":"c","Estado (2) (2)":"d","Estado (3)":"e"}"#;
        assert_eq!(shown, expected);
    }
}
