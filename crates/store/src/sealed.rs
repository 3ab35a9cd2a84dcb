//! Domain values to sealed bytes and back, as JSON in between.

use domain::Sensitive;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::error::{Result, StoreError};
use crate::vault::{OrderKey, VaultError};

impl From<VaultError> for StoreError {
    fn from(error: VaultError) -> Self {
        Self::Corrupt(match error {
            VaultError::UnknownKey => {
                "it was sealed under an encryption key that is not set; add the old key behind the active one"
            }
            VaultError::NotAuthentic => "it was changed, moved, or sealed under another key",
            _ => "it is not in a form that this version knows",
        })
    }
}

/// `value` as JSON, in a buffer that is wiped.
pub fn to_json<T: Serialize>(value: &T) -> Result<Zeroizing<Vec<u8>>> {
    serde_json::to_vec(value).map(Zeroizing::new).map_err(|_| StoreError::Corrupt("a value cannot be written as JSON"))
}

pub fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    // The parser's own message may quote the value.
    serde_json::from_slice(bytes).map_err(|_| StoreError::Corrupt("a sealed value does not have the expected form"))
}

pub fn open_json<T: DeserializeOwned>(key: &OrderKey, place: &str, id: Uuid, sealed: &[u8]) -> Result<Sensitive<T>> {
    Ok(Sensitive::new(from_json(&key.open(place, id, sealed)?)?))
}
