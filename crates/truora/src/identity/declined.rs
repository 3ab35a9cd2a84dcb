//! Why an identity is declined: more than a hundred codes of the vendor's, in a dozen words of ours.

use domain::result::Declined;
use provider::vendor_code;

/// Families of the vendor's codes. What is in none of them is `declined`, with the vendor's code beside it.
const FAMILIES: &[(&str, &str, &[&str])] = &[
    ("document_expired", "The document has expired.", &["document_has_expired", "expired_document"]),
    (
        "document_unreadable",
        "The document, or a side of it, could not be read.",
        &[
            "blurry_image",
            "damaged_document",
            "document_not_recognized",
            "empty_input_file",
            "file_format_not_supported",
            "front_document_not_found",
            "incomplete_document",
            "invalid_file_format",
            "invalid_image_format",
            "invalid_or_corrupted_image_file",
            "invalid_video_file",
            "ocr_no_text_detected",
            "perforations_illegible",
            "portrait_photo_illegible",
            "reverse_document_not_found",
        ],
    ),
    (
        "document_not_genuine",
        "The document may be a copy, altered or false.",
        &[
            "document_is_a_photo_of_photo",
            "document_is_a_photocopy",
            "front_side_document_is_a_photocopy",
            "image_face_validation_not_passed",
            "image_text_validation_not_passed",
            "image_validation_not_passed",
            "invalid_qr_content",
            "missing_security_elements",
            "portrait_photo_is_fake",
            "traces_of_tampering",
        ],
    ),
    (
        "data_mismatch",
        "What the document says does not agree with the registers, or with itself.",
        &[
            "data_not_match_with_government_database",
            "date_of_birth_does_not_match_with_photo",
            "document_does_not_match_account_id",
            "document_unregistered",
            "invalid_curp",
            "invalid_document_number",
            "invalid_document_status",
            "invalid_issue_date",
            "invalid_mrz",
            "invalid_mrz_format",
            "national_registrar_inconsistency",
            "production_data_inconsistency",
        ],
    ),
    (
        "face_mismatch",
        "The face is not the one on the document.",
        &["face_validation_failed", "similarity_threshold_not_passed"],
    ),
    (
        "liveness_failed",
        "Nobody could be seen to be there in person.",
        &["liveness_verification_not_passed", "passive_liveness_verification_not_passed", "photo_of_photo"],
    ),
    ("face_not_seen", "No face could be seen.", &["face_not_clear", "face_not_detected", "no_face_detected"]),
    (
        "fraud_signal",
        "The vendor sees a sign of fraud.",
        &[
            "face_in_blocklist",
            "fraudster_face_match_in_client_collection",
            "possible_fraud",
            "risk_signal_detected",
            "risky_face_detected",
            "user_face_match_in_client_collection",
            "user_face_match_in_fraud_collection",
        ],
    ),
    ("person_dead", "The document is that of a dead person.", &["identity_belongs_to_dead_person"]),
    ("age_not_accepted", "The age is not one that is accepted.", &["age_above_threshold", "underage"]),
    (
        ABANDONED,
        "The subject did not go through with it.",
        &[
            "abandoned_without_using_retries",
            "camera_permission_error",
            "canceled",
            "document_validation_not_started",
            "face_validation_not_started",
            "input_file_not_uploaded",
            "not_used",
            "user_stopped_responding",
            "validation_not_finished",
            "validation_not_performed",
        ],
    ),
    (
        UNAVAILABLE,
        "The vendor, or a register that it asks, failed.",
        &["government_database_unavailable", "manual_review_expired", "pending_validation_methods", "system_error"],
    ),
];

/// Nobody was declined: the subject did not finish.
pub const ABANDONED: &str = "abandoned";

/// Nobody was declined: the vendor could not find out.
pub const UNAVAILABLE: &str = "sources_unavailable";

/// The reason in our words; `None` where the vendor gives none.
pub fn of_code(theirs: Option<&str>) -> Option<Declined> {
    let theirs = theirs.map(str::trim).filter(|code| !code.is_empty())?;
    // Whatever is no code may be a sentence about a person.
    let code = vendor_code(theirs);
    let family = FAMILIES.iter().find(|(.., codes)| code.is_some_and(|code| codes.contains(&code)));
    let missing = code.is_some_and(|code| code.starts_with("missing_"));
    let (ours, message) = match family {
        Some((ours, message, _)) => (*ours, *message),
        None if missing => ("document_unreadable", "A part of the document could not be read."),
        None => ("declined", "The vendor declined it for a reason of its own."),
    };
    Some(Declined { code: ours.to_owned(), message: message.to_owned(), vendor_code: code.map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_become_words_of_ours_and_sentences_are_not_repeated() {
        let ours = |theirs| of_code(Some(theirs)).map(|declined| (declined.code, declined.vendor_code));
        let known = |code: &str, vendor: &str| Some((code.to_owned(), Some(vendor.to_owned())));
        assert_eq!(ours("underage"), known("age_not_accepted", "underage"));
        assert_eq!(ours("missing_mrz"), known("document_unreadable", "missing_mrz"));
        assert_eq!(ours("missing_security_elements"), known("document_not_genuine", "missing_security_elements"));
        assert_eq!(ours("something_new"), known("declined", "something_new"));
        assert_eq!(ours("Juan is not Juan"), Some(("declined".to_owned(), None)));
        assert!(of_code(None).is_none() && of_code(Some(" ")).is_none());
    }

    #[test]
    fn no_code_is_in_two_families() {
        let codes: Vec<_> = FAMILIES.iter().flat_map(|(.., codes)| *codes).collect();
        assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
    }
}
