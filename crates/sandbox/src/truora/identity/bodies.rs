//! Processes as JSON. Everybody in them is made up.

use serde_json::{Value, json};

use super::super::bodies::moment;
use super::desk::{Fate, Process, Step};

/// As lists and `GET /v1/processes/{id}` show it.
pub fn process(process: &Process) -> Value {
    let (status, overridden) = process.step().words();
    let mut body = json!({
        "process_id": process.id, "account_id": process.account_id, "flow_id": process.flow_id, "flow_version": 1,
        "created_via": "web", "country": "ALL", "status": status,
        "creation_date": moment(process.created_at), "update_date": moment(process.updated_at),
    });
    if let Some(word) = overridden {
        body["override_status"] = json!(word);
        body["override_by"] = json!("supervisor");
    }
    if status == "failure" {
        let (failure, reason) = match process.fate {
            Fate::Expired => ("expired", "document_validation_not_started"),
            Fate::Canceled => ("canceled", "canceled"),
            Fate::NoRegister => ("declined", "government_database_unavailable"),
            Fate::OtherFace => ("declined", "similarity_threshold_not_passed"),
            _ => ("declined", "document_is_a_photocopy"),
        };
        body["failure_status"] = json!(failure);
        body["declined_reason"] = json!(reason);
    }
    body
}

/// The same with what was found.
pub fn result(of: &Process) -> Value {
    let mut body = process(of);
    body["validations"] = validations(of);
    body
}

/// As hooks show it: the id goes by another name there.
pub fn hook(of: &Process) -> Value {
    let mut body = process(of);
    body["identity_process_id"] = body["process_id"].take();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("process_id");
    }
    body
}

fn validations(process: &Process) -> Value {
    if matches!(process.fate, Fate::Expired | Fate::Canceled) || process.step() == Step::Pending {
        return json!([]);
    }
    let document_reason = match process.fate {
        Fate::Photocopy | Fate::DeclinedThenGood => Some("document_is_a_photocopy"),
        Fate::NoRegister => Some("government_database_unavailable"),
        _ => None,
    };
    let face_reason = (process.fate == Fate::OtherFace).then_some("similarity_threshold_not_passed");
    let word = |reason: Option<&str>| if reason.is_some() { "failure" } else { "success" };
    let of_number = |at: usize| format!("VLD{}{at:02}", &process.id[3..33]);
    let mut document = json!({
        "validation_id": of_number(1), "account_id": process.account_id, "type": "document-validation",
        "validation_status": word(document_reason), "creation_date": moment(process.created_at),
        "identity_process_id": process.id,
        "details": {
            "document_details": {
                "country": "CO", "document_type": "national-id", "document_number": "1032456701",
                "name": "LUCIA INES", "last_name": "PRUEBA FICTICIA", "gender": "female",
                "date_of_birth": "1990-05-15T00:00:00Z", "issue_date": "2008-06-01T00:00:00Z",
                "expiration_date": "2031-01-31T00:00:00Z",
            },
            "document_validations": { "data_consistency": [], "image_analysis": [] },
        },
    });
    let mut face = json!({
        "validation_id": of_number(2), "account_id": process.account_id, "type": "face-recognition",
        "validation_status": word(face_reason), "threshold": 0.65, "creation_date": moment(process.created_at),
        "identity_process_id": process.id,
        "details": {
            "face_recognition_validations": {
                "similarity_status": word(face_reason), "confidence_score": if face_reason.is_some() { 0.21 } else { 0.97 },
                "age_range": { "low": 30, "high": 40 },
            },
        },
    });
    for (validation, reason) in [(&mut document, document_reason), (&mut face, face_reason)] {
        if let Some(reason) = reason {
            validation["declined_reason"] = json!(reason);
        }
    }
    json!([document, face])
}
