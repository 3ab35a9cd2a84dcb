//! Theary's JSON. What we send is exactly what is documented; what we read is taken as loosely as it can be: every
//! field may be missing, `null` or of another type, and unknown ones pass.
//!
//! None of these types has a `Debug`: they are personal data.

use http::StatusCode;
use provider::{Carries, VendorAnswer, vendor_id};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Number, Value};

// ---- what we send ----

/// The body of `POST /orders`, and one entry of a batch.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewOrder {
    pub applicant: NewApplicant,
    pub business_context: BusinessContext,
    /// One, or one for each check that shares the order: its records of a type are paired with these by their places.
    pub search_types: Vec<NewSearch>,
    pub history: History,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_config: Option<WebhookConfig>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewApplicant {
    pub first_name: String,
    pub last_name: String,
    /// `XXX-XX-XXXX`.
    pub ssn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birthday: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// A link, a `gs://` URI, or the PDF itself in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_release_file_url: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<NewAddress>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub applicant_alias: Vec<NewAlias>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewAddress {
    pub address_type: String,
    pub address_line1: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_line2: Option<String>,
    pub address_city: String,
    pub address_state: String,
    pub address_zip_code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_country: Option<String>,
    pub start_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date: Option<String>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewAlias {
    pub first_name: String,
    pub last_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suffix: Option<String>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BusinessContext {
    pub entity_name: String,
    pub applied_job_title: String,
    pub worksite_city: String,
    pub worksite_state: String,
    pub proposed_salary: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position_level: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_clearance_required: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub industry_sector: Option<String>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewSearch {
    pub search_type: &'static str,
    pub external_search_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub questionnaire_url: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub questionnaire_access_code: Option<Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub search_config: Map<String, Value>,
}

/// The records that the searches are about, as many of a type as there are searches of it, and in their order.
#[derive(Clone, Default, Serialize)]
pub struct History {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub employment: Vec<EmploymentRecord>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub education: Vec<EducationRecord>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EmploymentRecord {
    pub employer_name: String,
    pub position: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employer_location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employer_email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employer_phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date: Option<String>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EducationRecord {
    pub institution_name: String,
    pub qualification: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field_of_study: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graduation_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub institution_contact_email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub institution_contact_phone: Option<String>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookConfig {
    pub enabled: bool,
    pub secret: String,
    pub retry_attempts: u8,
    pub closeout_endpoints: Map<String, Value>,
}

// ---- what we read ----

/// The answer to `POST /orders`, and one entry of a batch's answer.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Created {
    /// Not documented for single orders; believed where it says `false`.
    pub success: Option<bool>,
    #[serde(deserialize_with = "text")]
    pub verification_order_id: Option<String>,
    /// Empty, too, where not all of them can be read.
    #[serde(deserialize_with = "texts")]
    pub search_ids: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BatchCreated {
    pub success: Option<bool>,
    pub orders_created: Option<u64>,
    pub orders: Option<Vec<Created>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OrderPage {
    pub data: Option<Vec<OrderRow>>,
    pub pagination: Option<Pagination>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Pagination {
    /// What the vendor made of the limit we asked for: it may cap it without a word.
    pub limit: Option<u64>,
    pub total: Option<u64>,
    pub total_pages: Option<u64>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OrderRow {
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub created_at: Option<String>,
    pub applicant: Option<Applicant>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Applicant {
    #[serde(deserialize_with = "text")]
    pub first_name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub last_name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Order {
    /// `pending`, `in_progress`, `completed`, `cancelled`, `failed`: lower case, unlike a search's.
    #[serde(deserialize_with = "text")]
    pub status: Option<String>,
    #[serde(deserialize_with = "text")]
    pub updated_at: Option<String>,
    #[serde(deserialize_with = "text")]
    pub completed_at: Option<String>,
}

/// `GET /orders/{id}/searches`: the schema says wrapped, the example is a bare array.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Searches {
    Bare(Vec<Search>),
    Wrapped { searches: Vec<Search> },
}

/// The same, each as it was written.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum RawSearches {
    Bare(Vec<Value>),
    Wrapped { searches: Vec<Value> },
}

impl RawSearches {
    pub fn into_vec(self) -> Vec<Value> {
        match self {
            Self::Bare(searches) | Self::Wrapped { searches } => searches,
        }
    }
}

impl Searches {
    pub fn into_vec(self) -> Vec<Search> {
        match self {
            Self::Bare(searches) | Self::Wrapped { searches } => searches,
        }
    }
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Search {
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub external_search_id: Option<String>,
    #[serde(rename = "searchType", deserialize_with = "text")]
    pub kind: Option<String>,
    /// `IN_PROGRESS`, `COMPLETED`, `CANCELLED`, `REASSIGNED`: upper case, unlike an order's.
    #[serde(rename = "searchStatus", deserialize_with = "text")]
    pub status: Option<String>,
    #[serde(deserialize_with = "text")]
    pub entity_name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub start_date: Option<String>,
    #[serde(deserialize_with = "text")]
    pub end_date: Option<String>,
    #[serde(deserialize_with = "text")]
    pub updated_at: Option<String>,
    #[serde(deserialize_with = "text")]
    pub completed_at: Option<String>,
    pub applicant: Option<Applicant>,
    #[serde(deserialize_with = "one_or_many")]
    pub verification_result: Vec<VerificationResult>,
}

impl Search {
    pub fn carries(&self) -> Carries {
        Carries::read(self.external_search_id.as_deref())
    }
}

/// An array of these in a GET, one of these in a hook; the GET's hold an outcome and a text, the hook's everything.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VerificationResult {
    #[serde(deserialize_with = "text")]
    pub outcome: Option<String>,
    /// In hooks only.
    pub discrepancy: Option<bool>,
    #[serde(deserialize_with = "text")]
    pub result_details: Option<String>,
    #[serde(deserialize_with = "text")]
    pub submitted_at: Option<String>,
    #[serde(deserialize_with = "text")]
    pub comments: Option<String>,
    #[serde(deserialize_with = "object")]
    pub employment_verification: Map<String, Value>,
    #[serde(deserialize_with = "object")]
    pub education_verification: Map<String, Value>,
}

/// The answer to `DELETE /orders/{id}`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Deleted {
    pub success: Option<bool>,
    pub affected_searches: Option<u64>,
}

/// The envelope of a hook.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    #[serde(rename = "event")]
    pub name: String,
    #[serde(default, deserialize_with = "text")]
    pub occurred_at: Option<String>,
    #[serde(default)]
    pub data: EventData,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EventData {
    #[serde(deserialize_with = "text")]
    pub search_id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub external_search_id: Option<String>,
    /// In no sample that the vendor shows; used where it is there.
    #[serde(deserialize_with = "text", alias = "verificationOrderId")]
    pub order_id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub status: Option<String>,
    #[serde(deserialize_with = "one_or_many")]
    pub verification_result: Vec<VerificationResult>,
    #[serde(deserialize_with = "text")]
    pub reason_code: Option<String>,
    #[serde(deserialize_with = "text")]
    pub notification_type: Option<String>,
}

/// Whether a 404 is the vendor's own word that there is no such order: `{"error": "Order not found", …}`, or the same in
/// the general form, `{"message": …}`. A wrong base URL or something in between answers 404, too, and says nothing about
/// orders.
pub fn is_not_found(answer: &VendorAnswer) -> bool {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Said {
        message: Value,
        error: Value,
    }
    let says = |value: &Value| match value {
        Value::String(text) => Some(text.to_ascii_lowercase().contains("not found")),
        Value::Array(texts) => {
            Some(texts.iter().filter_map(Value::as_str).any(|text| text.to_ascii_lowercase().contains("not found")))
        }
        _ => None,
    };
    let said: Said = answer.json().unwrap_or_default();
    answer.status == StatusCode::NOT_FOUND && says(&said.message).or_else(|| says(&said.error)).unwrap_or(false)
}

/// The id of a search, as it is kept and compared: create answers show `search_<uuid>`, the vendor's samples of hooks and
/// its pages on GETs the bare UUID. `None`: it cannot be kept.
pub fn search_id(id: &str) -> Option<String> {
    let bare = id.strip_prefix("search_").filter(|bare| is_uuid(bare));
    vendor_id(bare.unwrap_or(id))
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(into_text(Value::deserialize(deserializer)?))
}

fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        // One that cannot be read is not one less.
        Value::Array(values) => values.into_iter().map(into_text).collect::<Option<_>>().unwrap_or_default(),
        _ => Vec::new(),
    })
}

/// An empty text says as little as none.
fn into_text(value: Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Object(fields) => fields,
        _ => Map::new(),
    })
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<VerificationResult>, D::Error> {
    let values = match Value::deserialize(deserializer)? {
        Value::Array(values) => values,
        one @ Value::Object(_) => vec![one],
        _ => Vec::new(),
    };
    Ok(values.into_iter().filter_map(|value| serde_json::from_value(value).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_every_404_says_that_there_is_no_such_order() {
        let says = |status: u16, body: &str| {
            is_not_found(&VendorAnswer {
                status: StatusCode::from_u16(status).expect("a status"),
                headers: http::HeaderMap::new(),
                body: bytes::Bytes::copy_from_slice(body.as_bytes()),
                took: std::time::Duration::ZERO,
            })
        };
        for own in [
            r#"{"error":"Order not found","orderId":"ord_1"}"#,
            r#"{"statusCode":404,"message":"Order not found","error":"Not Found"}"#,
            r#"{"statusCode":404,"message":["Order not found"],"error":"Not Found"}"#,
            r#"{"statusCode":404,"error":"Not Found"}"#,
        ] {
            assert!(says(404, own), "{own}");
            assert!(!says(400, own), "{own}");
        }
        for other in [
            r#"{"statusCode":404,"message":"Cannot GET /background-check/v1/orders/ord_1","error":"Not Found"}"#,
            "<html><h1>404 Not Found</h1></html>",
            "",
            "[]",
            r#"{"error":{"code":5}}"#,
        ] {
            assert!(!says(404, other), "{other}");
        }
    }

    #[test]
    fn a_search_has_one_id_with_a_prefix_and_without() {
        const BARE: &str = "0b8e6c0e-5c1f-4d1a-9a54-3a8f0a1b2c3d";
        assert_eq!(search_id(BARE).as_deref(), Some(BARE));
        assert_eq!(search_id(&format!("search_{BARE}")).as_deref(), Some(BARE));
        for as_it_is in ["search_1", "search_", "7", &format!("ord_{BARE}"), &format!("search_{BARE}x")] {
            assert_eq!(search_id(as_it_is).as_deref(), Some(as_it_is));
        }
        for bad in ["", " ", "s\u{1}", &"x".repeat(300)] {
            assert_eq!(search_id(bad), None);
        }
    }

    #[test]
    fn searches_come_bare_or_wrapped_and_odd_fields_are_read_as_absent() {
        let read = |body: &str| serde_json::from_str::<Searches>(body).map(Searches::into_vec);
        let bare = read(r#"[{"id":"s1","verificationResult":{"outcome":"VERIFIED"}}]"#).expect("bare");
        assert_eq!(bare[0].verification_result[0].outcome.as_deref(), Some("VERIFIED"));
        let wrapped =
            read(r#"{"searches":[{"id":7,"externalSearchId":"","verificationResult":null}]}"#).expect("wrapped");
        assert_eq!(wrapped[0].id.as_deref(), Some("7"));
        assert_eq!(wrapped[0].external_search_id, None);
        assert!(read(r#"{"error":"Order not found"}"#).is_err(), "an error is not an empty list");
        assert!(read(r#"{"searches":null}"#).is_err());
    }
}
