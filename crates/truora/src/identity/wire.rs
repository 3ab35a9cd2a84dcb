//! Digital Identity's own JSON. As in the checks' `wire`: what decides is read strictly, what is only shown leniently.

use domain::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::wire::{lenient, list, timestamp};

/// The answer to a create: a token, by the name of a key.
#[derive(Deserialize)]
pub struct Created {
    pub api_key: Option<String>,
}

/// A page of `GET /v1/processes`.
#[derive(Deserialize)]
pub struct ProcessPage {
    /// `None`: the key is missing, and this is no list.
    #[serde(default, deserialize_with = "list")]
    pub processes: Option<Vec<Row>>,
    pub next: Option<String>,
}

/// A process so far as it takes to tell whose it is.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Row {
    /// Hooks call it `identity_process_id`.
    #[serde(alias = "identity_process_id")]
    pub process_id: Option<String>,
    pub account_id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub creation_date: Option<String>,
}

impl Row {
    pub fn created_at(&self) -> Option<Timestamp> {
        self.creation_date.as_deref().and_then(timestamp)
    }
}

/// A process as `GET /v1/processes/{id}/result` shows it, and `GET /v1/processes/{id}` without what was found.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Process {
    #[serde(rename = "process_id", alias = "identity_process_id")]
    pub id: Option<String>,
    pub account_id: Option<String>,
    pub status: Option<String>,
    /// Wins over `status`.
    pub override_status: Option<String>,
    /// `declined`, `expired`, `canceled`, `system_error`.
    pub failure_status: Option<String>,
    pub declined_reason: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub override_by: Option<String>,
    pub validations: Option<Vec<Validation>>,
    #[serde(deserialize_with = "lenient")]
    pub update_date: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Validation {
    /// `document-validation`, `face-recognition`, `email-validation`, `phone-validation`.
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: Option<String>,
    #[serde(rename = "validation_status", deserialize_with = "lenient")]
    pub status: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub declined_reason: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub details: Option<Details>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Details {
    #[serde(deserialize_with = "lenient")]
    pub document_details: Option<Document>,
    #[serde(deserialize_with = "lenient")]
    pub face_recognition_validations: Option<Face>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Document {
    #[serde(rename = "document_type", deserialize_with = "lenient")]
    pub kind: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub country: Option<String>,
    #[serde(rename = "document_number", alias = "doc_id", deserialize_with = "lenient")]
    pub number: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub last_name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub date_of_birth: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub issue_date: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub expiration_date: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Face {
    #[serde(deserialize_with = "lenient")]
    pub confidence_score: Option<f64>,
}

/// What a hook's object says of a process: no more than whose it is and how it stands.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct HookObject {
    #[serde(flatten)]
    pub row: Row,
    #[serde(deserialize_with = "lenient")]
    pub status: Option<String>,
}

impl HookObject {
    /// `None` where the object has another form.
    pub fn read(object: &Value) -> Option<Self> {
        Self::deserialize(object).ok()
    }
}
