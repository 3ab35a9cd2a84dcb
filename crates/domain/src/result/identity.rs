//! What came of a subject showing who they are.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the subject showed, and what was made of it.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct IdentityResult {
    /// The vendor's word for the whole, as it counts: where somebody overrode it, theirs.
    pub status: Option<String>,
    /// What was looked at: `document`, `face`, `phone`, `email`, or the vendor's own word.
    pub methods: Vec<String>,
    /// In the order in which the subject went through them; one that was tried again comes again.
    pub validations: Vec<IdentityValidation>,
    /// The document that was shown.
    pub document: Option<DocumentSeen>,
    /// Why it was declined, each reason once.
    pub declined: Vec<Declined>,
    /// Somebody at the vendor, or with an account there, decided otherwise.
    #[serde(rename = "override")]
    pub overridden: Option<StatusOverride>,
}

/// One thing that the subject was asked for.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct IdentityValidation {
    /// `document`, `face`, `phone`, `email`, or the vendor's own word.
    #[serde(rename = "type")]
    pub kind: String,
    /// The vendor's word: `pending`, `success`, `failure`.
    pub status: Option<String>,
    /// How alike two faces are, from 0 to 1, where the vendor says so.
    pub score: Option<f64>,
    pub declined: Option<Declined>,
}

/// A reason for declining, in a word of ours that stands for a family of the vendor's.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Declined {
    /// `document_expired`, `face_mismatch`, `abandoned`, …
    pub code: String,
    /// In a sentence.
    pub message: String,
    /// The vendor's own code.
    pub vendor_code: Option<String>,
}

/// What the document says, as the vendor read it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct DocumentSeen {
    /// The vendor's word: `national-id`, `passport`, …
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub country: Option<String>,
    pub number: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub date_of_birth: Option<String>,
    pub issued_on: Option<String>,
    pub expires_on: Option<String>,
}

/// A decision that was laid over the vendor's.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct StatusOverride {
    /// The word that counts now.
    pub status: String,
    /// The word that it stands in place of.
    pub instead_of: Option<String>,
    /// Who decided it, where the vendor says so.
    pub by: Option<String>,
}
