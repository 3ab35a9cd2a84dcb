//! Synthetic subjects, checks and answers for this crate's tests.

use std::sync::Arc;
use std::time::Duration;

use domain::{CheckId, CheckInput, OrderInput, Reference};
use http::{HeaderMap, StatusCode};
use provider::{SubmissionItem, VendorAnswer};
use serde_json::{Value, json};
use uuid::Uuid;

pub fn order(subject: &Value) -> OrderInput {
    let order = json!({
        "subject": subject, "position": null, "purpose": "employment",
        "consent": { "obtained_at": "2026-11-20T10:00:00Z", "text_version": null, "expires_at": null, "document": null },
    });
    serde_json::from_value(order).expect("an order")
}

pub fn check(fields: &Value) -> CheckInput {
    let mut fields = fields.clone();
    let options = fields.as_object_mut().and_then(|fields| fields.remove("vendor_options")).unwrap_or(json!({}));
    fields["type"] = json!("background_check");
    serde_json::from_value(json!({ "spec": fields, "vendor_options": options })).expect("a check")
}

pub fn reference(n: u128) -> Reference {
    Reference::first(CheckId::from_uuid(Uuid::from_u128(n)))
}

pub fn item(subject: &Value, fields: &Value) -> SubmissionItem {
    SubmissionItem {
        reference: reference(1),
        order: Arc::new(order(subject)),
        check: Arc::new(check(fields)),
        force_new: false,
    }
}

pub fn colombian() -> Value {
    json!({
        "type": "person", "first_name": "Lucía", "middle_name": "Inés", "last_name": "Prueba Ficticia",
        "date_of_birth": "1990-05-15", "gender": "female", "phone": "+573001234567",
        "identifiers": [
            { "type": "passport", "country": "CO", "value": "AX000001" },
            { "type": "national_id", "country": "CO", "value": "1.032.456.701", "issued_on": "2008-06-01" },
            { "type": "national_id", "country": "VE", "value": "18765432" },
        ],
    })
}

pub fn colombian_item() -> SubmissionItem {
    item(&colombian(), &json!({ "country": "CO" }))
}

pub fn answer(status: u16, body: impl std::fmt::Display) -> VendorAnswer {
    VendorAnswer {
        status: StatusCode::from_u16(status).expect("a status"),
        headers: HeaderMap::new(),
        body: format!("{body}").into(),
        took: Duration::from_millis(200),
    }
}
