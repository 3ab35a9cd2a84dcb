//! One look at a vendor's object, in our words.

use bytes::Bytes;
use domain::observation::Standing;
use domain::{Reference, Sensitive, Timestamp};
use serde::{Deserialize, Serialize};

/// What a vendor's answer or signed hook says about one check. An observation, never a decision.
#[derive(Clone)]
pub struct Snapshot {
    /// The id of our part of the vendor's order, where the vendor has parts.
    pub part_id: Option<String>,
    /// The reference that the vendor's object was seen to carry.
    pub carries: Carries,
    /// The vendor's own time of this state. `None`: the time of the look counts.
    pub vendor_time: Option<Timestamp>,
    /// The vendor's own word, as [`native_status`](crate::native_status) keeps it.
    pub native_status: String,
    pub standing: Standing,
    pub documents: Vec<DocumentRef>,
    /// The vendor's answer, unchanged. Kept encrypted.
    pub payload: Sensitive<Bytes>,
}

/// Whose reference a vendor's object carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Carries {
    /// None that could be seen.
    #[default]
    Nothing,
    /// One of the form that this gateway gives.
    Ours(Reference),
    /// None, but it shows that it was made of what the check verifies again. Only [`compare`](crate::Provider::compare) can
    /// say so.
    Descent,
    /// Somebody else's.
    Foreign,
}

impl Carries {
    /// Reads the field in which the vendor gives a reference back; blank is none. One of ours is taken exactly as it was
    /// given, or for another's.
    pub fn read(text: Option<&str>) -> Self {
        match text.filter(|text| !text.trim().is_empty()) {
            None => Self::Nothing,
            Some(text) => text.parse().map_or(Self::Foreign, Self::Ours),
        }
    }

    pub const fn ours(self) -> Option<Reference> {
        if let Self::Ours(reference) = self { Some(reference) } else { None }
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Snapshot({:?}, {:?})", self.native_status, self.standing)
    }
}

/// What came of a fetch.
#[derive(Debug, Clone)]
pub enum Fetched {
    Found(Box<Snapshot>),
    /// The vendor does not know the object (any more). Says nothing about whether it was made.
    Missing,
    /// There is nothing at the vendor yet, and nothing is wrong with that: whoever it waits for has not begun. What was last
    /// known still holds.
    NotBegun,
}

/// A document at the vendor.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentRef {
    /// The adapter's own name for it; opaque to everybody else. May be a link to a person's papers.
    pub locator: String,
    /// `report`, `attachment`, …
    pub kind: String,
    /// As the vendor says; what it does not say is `application/octet-stream`.
    pub media_type: String,
    /// Of a `report` a name of the adapter's own; of all else it may be the vendor's, which may name a person.
    pub filename: String,
}

impl std::fmt::Debug for DocumentRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DocumentRef({}, {})", self.kind, self.media_type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_ours_to_the_letter() {
        let reference = Reference::first(domain::CheckId::from_uuid(uuid::Uuid::from_u128(7)));
        let text = reference.to_string();
        assert_eq!(Carries::read(Some(&text)), Carries::Ours(reference));
        for foreign in
            [text.to_uppercase(), format!(" {text}"), format!("{text} "), format!("{text}_1"), "7".to_owned()]
        {
            assert_eq!(Carries::read(Some(&foreign)), Carries::Foreign, "{foreign:?}");
        }
        for none in [None, Some(""), Some(" \n")] {
            assert_eq!(Carries::read(none), Carries::Nothing);
        }
    }

    #[test]
    fn where_a_document_is_and_whose_is_not_printed() {
        let document = DocumentRef {
            locator: "applicant-document:https://api.example.com/jane-sample/secret".to_owned(),
            kind: "attachment".to_owned(),
            media_type: "application/pdf".to_owned(),
            filename: "jane-sample.pdf".to_owned(),
        };
        assert_eq!(format!("{document:?}"), "DocumentRef(attachment, application/pdf)");
    }
}
