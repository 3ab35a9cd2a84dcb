//! The vendor's enums.

use serde::Deserialize;

/// `{canonical_value, raw_value}` in most places of version 2023-10-30; a plain string in some of it (`type`, hooks) and in
/// all of the older ones.
#[derive(Deserialize, Clone)]
#[serde(untagged)]
pub enum Word {
    Wrapped { canonical_value: Option<String>, raw_value: Option<String> },
    Plain(String),
}

impl Word {
    /// The word of the closed set; empty if there is none.
    pub fn canonical(&self) -> &str {
        match self {
            Self::Wrapped { canonical_value, .. } => canonical_value.as_deref().unwrap_or_default(),
            Self::Plain(word) => word,
        }
    }

    /// The word that tells most: the raw one where the canonical one is only `other`.
    pub fn telling(&self) -> &str {
        match self {
            Self::Wrapped { canonical_value: Some(word), .. } if word != "other" => word,
            Self::Wrapped { canonical_value, raw_value } => {
                raw_value.as_deref().or(canonical_value.as_deref()).unwrap_or_default()
            }
            Self::Plain(word) => word,
        }
    }
}
