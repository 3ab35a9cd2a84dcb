//! Truora's own JSON.
//!
//! Every field is optional: the vendor leaves out what does not apply, and a part that is missing must not hide the
//! rest. What decides an outcome (status, scores, data sets, sources) is read strictly, so that a changed form is an
//! unreadable answer and never a clean record; what is only shown is read leniently.

use domain::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The answer of create, get and delete.
#[derive(Clone, Deserialize)]
pub struct CheckEnvelope {
    pub check: Option<Check>,
}

/// The same answer read only so far as it takes to bind it, for when the rest is unreadable.
#[derive(Clone, Deserialize)]
pub struct BareEnvelope {
    pub check: Option<BareCheck>,
    /// A relative path: `/v1/checks/<id>`.
    #[serde(rename = "self", default, deserialize_with = "lenient")]
    pub link: Option<String>,
}

/// A check's identity: what a list row is matched by. The rest of a row is not read.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct BareCheck {
    pub check_id: Option<String>,
    pub custom_input: Option<String>,
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub country: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub creation_date: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub national_id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub foreign_id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub ptp: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub tax_id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub license_plate: Option<String>,
}

impl BareCheck {
    pub fn created_at(&self) -> Option<Timestamp> {
        self.creation_date.as_deref().and_then(timestamp)
    }
}

/// A page of `GET /v1/checks`.
#[derive(Deserialize)]
pub struct CheckPage {
    /// `None`: the key is missing, and this is no list. An empty list may be written `null`.
    #[serde(default, deserialize_with = "list")]
    pub checks: Option<Vec<BareCheck>>,
    /// A relative path, empty at the end.
    pub next: Option<String>,
}

/// A page of `GET /v1/checks/{id}/details`.
#[derive(Deserialize)]
pub struct DetailPage {
    #[serde(default, deserialize_with = "list")]
    pub details: Option<Vec<Detail>>,
    pub next: Option<String>,
}

/// What one source says, in the words and the language of that source. Only shown, so read leniently.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Detail {
    #[serde(deserialize_with = "lenient")]
    pub id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub data_set: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub database_id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub database_name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub result: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub severity: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub score: Option<f64>,
    #[serde(deserialize_with = "lenient")]
    pub group: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub document_type: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub found_first_name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub found_last_name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub found_company_name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub found_date_of_birth: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub found_rfc: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub identity_result: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub identity_state: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub tables: Option<Vec<Table>>,
    #[serde(deserialize_with = "lenient")]
    pub update_date: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Table {
    #[serde(deserialize_with = "lenient")]
    pub title: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub rows: Option<Vec<TableRow>>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct TableRow {
    #[serde(deserialize_with = "lenient")]
    pub cells: Option<Vec<Cell>>,
}

/// The values are texts by the documents; whatever else comes is shown as it is.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Cell {
    #[serde(deserialize_with = "lenient")]
    pub label: Option<String>,
    pub value: Value,
}

/// A page of `GET /v1/checks/{id}/attachments`.
#[derive(Deserialize)]
pub struct AttachmentPage {
    #[serde(default, deserialize_with = "list")]
    pub files: Option<Vec<Attachment>>,
    pub next: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Attachment {
    pub database_id: Option<String>,
    pub file_name: Option<String>,
    /// Temporary, and good for whoever holds it. Never kept.
    pub link: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub mime_type: Option<String>,
}

/// `GET /v1/checks/{id}/summarize`.
#[derive(Deserialize)]
pub struct Summarized {
    pub summary: String,
}

/// `GET /v1/checks/{id}/variables`. What is beside the status is the vendor's own and may be anything.
#[derive(Deserialize)]
pub struct Variables {
    pub variables_status: String,
    #[serde(flatten)]
    pub rest: serde_json::Map<String, Value>,
}

/// A check as get and hooks show it.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Check {
    #[serde(rename = "check_id")]
    pub id: Option<String>,
    pub custom_input: Option<String>,
    pub status: Option<String>,
    pub deleted: Option<bool>,
    /// 0 (high risk) to 1 (low risk); -1: not computed.
    pub score: Option<f64>,
    pub id_score: Option<f64>,
    /// Keys of version 1.
    pub name_score: Option<f64>,
    /// Keys of version 0, the same score.
    pub homonym_score: Option<f64>,
    /// Keys of version 0, experimental: 1 is a likely namesake.
    #[serde(deserialize_with = "lenient")]
    pub homonym_probability: Option<f64>,
    pub scores: Option<Vec<DatasetScore>>,
    /// One row per database and data set.
    pub statuses: Option<Vec<SourceRow>>,
    pub summary: Option<PersonSummary>,
    pub company_summary: Option<CompanySummary>,
    pub vehicle_summary: Option<VehicleSummary>,
    /// `{"Input": "…"}`, the key with a capital letter.
    pub wrong_inputs: Option<Vec<Value>>,
    #[serde(deserialize_with = "lenient")]
    pub update_date: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct DatasetScore {
    pub data_set: Option<String>,
    #[serde(flatten)]
    pub whole: Side,
    pub by_id: Option<Side>,
    pub by_name: Option<Side>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Side {
    /// `ignored`: not searched; its score of 1 means nothing.
    pub result: Option<String>,
    pub score: Option<f64>,
    pub severity: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct SourceRow {
    #[serde(deserialize_with = "lenient")]
    pub database_name: Option<String>,
    pub status: Option<String>,
    /// In the vendor's inner names; a name may come more than once.
    #[serde(deserialize_with = "lenient")]
    pub invalid_inputs: Option<Vec<String>>,
}

/// Sent for every type; `result` is `skipped` where it does not apply. So are the other two.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct PersonSummary {
    pub identity_status: Option<String>,
    pub result: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub names_found: Option<Vec<FoundName>>,
    #[serde(deserialize_with = "lenient")]
    pub gender: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub date_of_birth: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct CompanySummary {
    pub company_status: Option<String>,
    pub result: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub names_found: Option<Vec<FoundName>>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct VehicleSummary {
    pub vehicle_status: Option<String>,
    pub result: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct FoundName {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub company_name: Option<String>,
    pub count: Option<u32>,
}

/// An error. The service says all three; its gateway in front, and the check of credentials, only `message`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ErrorBody {
    #[serde(deserialize_with = "lenient")]
    pub code: Option<i64>,
    #[serde(deserialize_with = "lenient")]
    pub http_code: Option<i64>,
    #[serde(deserialize_with = "lenient")]
    pub message: Option<String>,
}

impl ErrorBody {
    /// Empty where the body is no such error.
    pub fn read(body: &[u8]) -> Self {
        provider::http::read_json(body).unwrap_or_default()
    }

    /// The gateway in front words an unknown route as a missing token (with 403).
    pub fn is_of_unknown_route(&self) -> bool {
        self.message.as_deref() == Some("Missing Authentication Token")
    }

    /// Whether it is about the key or what it may do.
    pub fn is_about_the_key(&self) -> bool {
        let message = self.message.as_deref().unwrap_or_default().to_ascii_lowercase();
        ["not authorized", "explicit deny", "api key", "permission", "unauthorized"]
            .iter()
            .any(|it| message.contains(it))
    }

    /// Whether the service itself wrote it, rather than a gateway or proxy in front.
    pub const fn is_the_services_own(&self) -> bool {
        self.code.is_some() && self.http_code.is_some()
    }
}

/// The answer to a batch's create call.
#[derive(Deserialize)]
pub struct NewBatch {
    pub batch_id: Option<String>,
    /// The input of each column, in the order that the sheet must have.
    #[serde(default, deserialize_with = "lenient")]
    pub columns: Option<Vec<String>>,
    pub file_upload_link: Option<String>,
}

/// A batch as it stands.
#[derive(Deserialize)]
pub struct Batch {
    #[serde(rename = "batch_id")]
    pub id: Option<String>,
    /// Not the words of a check.
    pub status: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub size: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub creation_date: Option<String>,
}

#[derive(Deserialize)]
pub struct ReportLink {
    pub batch_report_url: Option<String>,
}

/// The decoded body of a hook.
#[derive(Deserialize)]
pub struct HookClaims {
    /// Seconds since the epoch.
    #[serde(default, deserialize_with = "lenient")]
    pub iat: Option<i64>,
    pub events: Vec<HookEvent>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct HookEvent {
    pub id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub event_type: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub event_action: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub timestamp: Option<String>,
    /// The check without the envelope. The vendor's event log writes it as a text that holds JSON.
    pub object: Value,
}

/// A time as the vendor writes it: RFC 3339 with up to nine fractional digits or none, any offset, or a bare date. The
/// zero time of its language (year 1) means that there is none.
pub fn timestamp(text: &str) -> Option<Timestamp> {
    moment(text).filter(|at| *at > Timestamp::EPOCH)
}

/// A date of birth: as the form's own (`YYYY-MM-DD`), or as it comes back, at midnight.
pub fn date(text: &str) -> Option<domain::Date> {
    moment(text).map(Timestamp::date).filter(|date| date.get().year() > 1)
}

fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| format!("{}T00:00:00Z", text.parse::<domain::Date>().ok()?).parse().ok())
}

pub fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

pub fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<Vec<T>>, D::Error> {
    Ok(Some(Option::<Vec<T>>::deserialize(deserializer)?.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form_of_time() {
        let at = |text: &str| timestamp(text).map(|at| at.to_string());
        assert_eq!(at("2021-03-25T21:24:29.076788029Z").as_deref(), Some("2021-03-25T21:24:29.076788Z"));
        assert_eq!(at("2023-01-01T12:00:00.00-05:00").as_deref(), Some("2023-01-01T17:00:00Z"));
        assert_eq!(at("2021-03-25").as_deref(), Some("2021-03-25T00:00:00Z"));
        assert_eq!(at("0001-01-01T00:00:00Z"), None);
        assert_eq!(at("soon"), None);
    }

    #[test]
    fn an_object_without_a_list_is_not_an_empty_list() {
        let page = |text: &str| serde_json::from_str::<CheckPage>(text).map(|page| page.checks.map(|rows| rows.len()));
        assert_eq!(page("{}").expect("an object"), None);
        assert_eq!(page(r#"{"checks": null}"#).expect("a list"), Some(0));
        assert_eq!(page(r#"{"checks": [{}], "next": null}"#).expect("a list"), Some(1));
        assert!(page(r#"{"checks": [{"custom_input": 5}]}"#).is_err(), "a reference that cannot be read hides a check");
    }

    #[test]
    fn scores_are_read_strictly_and_the_rest_is_not() {
        assert!(serde_json::from_str::<Check>(r#"{"score": "1"}"#).is_err());
        assert!(serde_json::from_str::<Check>(r#"{"scores": [{"by_id": 1}]}"#).is_err());
        let odd = r#"{"summary": {"gender": 7, "names_found": "none", "drivers_license": {"status": "x"}}, "update_date": 3}"#;
        assert!(serde_json::from_str::<Check>(odd).is_ok());
    }
}
