//! Encryption of personal data at rest: AES-256-GCM, with the row that a value belongs to as associated data.
//!
//! * What belongs to an order is sealed under a **data key of that order**, which is itself sealed under the active main
//!   key. Changing main keys rewraps data keys and leaves the rows alone; destroying a data key erases the order's
//!   personal data in this database at once. A backup of it still holds the wrapped key.
//! * What belongs to no single order (a vendor's hook, a create call's answer) is sealed under a key **derived from the
//!   main key per place** by HKDF-SHA-256.
//! * What must be found by an exact value is found by a **blind index**: an HMAC under another derived key, scoped to
//!   tenant, field and country, so that equal values of two tenants do not look equal.
//!
//! A value is `version ‖ nonce ‖ ciphertext and tag`; where a main key takes part, its id stands before the nonce.

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{Entropy, OrderId, TenantId};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

/// The form of sealed values that is written now.
const VERSION: u8 = 1;
const NONCE_BYTES: usize = 12;
const KEY_BYTES: usize = 32;
/// Blind indexes are cut to 128 bits: still no chance of a false hit, and half the index.
const BLIND_BYTES: usize = 16;

/// Why keys or sealed values cannot be used. Never holds key material or plain text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    #[error("no encryption key is set; give at least one as id:base64, made by `openssl rand -base64 32`")]
    NoKeys,
    #[error("encryption key number {0} is not of the form id:base64")]
    NoId(usize),
    #[error("the id of encryption key number {0} must be 1 to 32 letters, digits, - or _")]
    BadId(usize),
    #[error("two encryption keys have the id {0}; give each its own")]
    DuplicateId(String),
    #[error("encryption key {0} is not valid base64; make one by `openssl rand -base64 32`")]
    NotBase64(String),
    #[error("encryption key {id} has {bytes} bytes instead of 32; make one by `openssl rand -base64 32`")]
    WrongLength { id: String, bytes: usize },
    #[error("a stored value was sealed under an encryption key that is not set; add the old key behind the active one")]
    UnknownKey,
    #[error("a stored value does not belong where it was found, was changed, or was sealed under another key")]
    NotAuthentic,
    #[error("a stored value is not in a form that this version knows")]
    Malformed,
}

struct MainKey {
    id: String,
    key: Zeroizing<[u8; KEY_BYTES]>,
    /// Derived: seals the data keys of orders.
    wrapping: Zeroizing<[u8; KEY_BYTES]>,
    /// Derived: makes blind indexes.
    blind: Zeroizing<[u8; KEY_BYTES]>,
}

/// The main keys. The first one seals; every one opens.
pub struct Vault {
    keys: Vec<MainKey>,
}

/// The data key of one order, unwrapped. Wiped when dropped.
pub struct OrderKey {
    /// The key as it is stored: sealed under a main key.
    pub wrapped: Vec<u8>,
    /// The main key that it is sealed under.
    pub main_key_id: String,
    key: Zeroizing<[u8; KEY_BYTES]>,
}

impl Vault {
    /// The first key is the active one.
    pub fn new(keys: Vec<(String, Zeroizing<[u8; KEY_BYTES]>)>) -> Result<Self, VaultError> {
        let mut known: Vec<MainKey> = Vec::with_capacity(keys.len());
        for (index, (id, key)) in keys.into_iter().enumerate() {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            if !(1..=32).contains(&id.len()) || !id.bytes().all(is_plain) {
                return Err(VaultError::BadId(index + 1));
            }
            if known.iter().any(|earlier| earlier.id == id) {
                return Err(VaultError::DuplicateId(id));
            }
            let (wrapping, blind) = (derive(&key, "order-keys", ""), derive(&key, "blind-index", ""));
            known.push(MainKey { id, key, wrapping, blind });
        }
        if known.is_empty() { Err(VaultError::NoKeys) } else { Ok(Self { keys: known }) }
    }

    /// Reads `id:base64-of-32-bytes`, comma-separated.
    pub fn parse(text: &str) -> Result<Self, VaultError> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let keys = entries.enumerate().map(|(index, entry)| {
            let (id, encoded) = entry.split_once(':').ok_or(VaultError::NoId(index + 1))?;
            let bytes = STANDARD.decode(encoded.trim()).map_err(|_| VaultError::NotBase64(id.trim().to_owned()))?;
            let bytes = Zeroizing::new(bytes);
            let key = <[u8; KEY_BYTES]>::try_from(bytes.as_slice());
            let key = key.map_err(|_| VaultError::WrongLength { id: id.trim().to_owned(), bytes: bytes.len() })?;
            Ok((id.trim().to_owned(), Zeroizing::new(key)))
        });
        Self::new(keys.collect::<Result<_, _>>()?)
    }

    /// The id of the key that seals.
    pub fn active_key_id(&self) -> &str {
        &self.keys[0].id
    }

    /// A fresh data key for an order.
    pub fn new_order_key(&self, order: OrderId, entropy: &dyn Entropy) -> OrderKey {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        entropy.fill(key.as_mut());
        self.wrap(order, key, entropy)
    }

    pub fn unwrap_order_key(&self, order: OrderId, wrapped: &[u8]) -> Result<OrderKey, VaultError> {
        let (main, sealed) = self.split_key_id(wrapped)?;
        let bytes = open(&main.wrapping, &associated(ORDER_KEY, order.uuid()), sealed)?;
        let key = <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).map_err(|_| VaultError::Malformed)?;
        Ok(OrderKey { wrapped: wrapped.to_vec(), main_key_id: main.id.clone(), key: Zeroizing::new(key) })
    }

    /// The same data key under the active main key.
    pub fn rewrap_order_key(&self, order: OrderId, key: &OrderKey, entropy: &dyn Entropy) -> OrderKey {
        self.wrap(order, key.key.clone(), entropy)
    }

    /// Seals a value that belongs to no single order. `place` names table and column, `id` the row.
    pub fn seal_row(&self, place: &str, id: Uuid, plaintext: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        let main = &self.keys[0];
        let sealed = seal(&derive(&main.key, "row", place), &associated(place, id), plaintext, entropy);
        with_key_id(main, &sealed)
    }

    pub fn open_row(&self, place: &str, id: Uuid, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (main, sealed) = self.split_key_id(sealed)?;
        open(&derive(&main.key, "row", place), &associated(place, id), sealed)
    }

    /// What a normalised value is found by, under the active key.
    pub fn blind_index(&self, tenant: &TenantId, field: &str, country: &str, normalised: &str) -> Vec<u8> {
        blind(&self.keys[0], tenant, field, country, normalised)
    }

    /// The same under every key: rows written before a change of keys are still found.
    pub fn blind_candidates(&self, tenant: &TenantId, field: &str, country: &str, normalised: &str) -> Vec<Vec<u8>> {
        self.keys.iter().map(|key| blind(key, tenant, field, country, normalised)).collect()
    }

    fn wrap(&self, order: OrderId, key: Zeroizing<[u8; KEY_BYTES]>, entropy: &dyn Entropy) -> OrderKey {
        let main = &self.keys[0];
        let sealed = seal(&main.wrapping, &associated(ORDER_KEY, order.uuid()), key.as_ref(), entropy);
        OrderKey { wrapped: with_key_id(main, &sealed), main_key_id: main.id.clone(), key }
    }

    fn split_key_id<'b>(&self, blob: &'b [u8]) -> Result<(&MainKey, &'b [u8]), VaultError> {
        let (&length, rest) = blob.split_first().ok_or(VaultError::Malformed)?;
        let (id, sealed) = rest.split_at_checked(length.into()).ok_or(VaultError::Malformed)?;
        let main = self.keys.iter().find(|key| key.id.as_bytes() == id).ok_or(VaultError::UnknownKey)?;
        Ok((main, sealed))
    }
}

impl OrderKey {
    /// Seals a value of the order. `place` names table and column, `id` the row.
    pub fn seal(&self, place: &str, id: Uuid, plaintext: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        seal(&self.key, &associated(place, id), plaintext, entropy)
    }

    pub fn open(&self, place: &str, id: Uuid, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        open(&self.key, &associated(place, id), sealed)
    }
}

const ORDER_KEY: &str = "orders.data_key";

fn with_key_id(main: &MainKey, sealed: &[u8]) -> Vec<u8> {
    // Ids are at most 32 bytes, as `Vault::new` made sure.
    let length = u8::try_from(main.id.len()).unwrap_or(u8::MAX);
    [&[length], main.id.as_bytes(), sealed].concat()
}

/// The place's length stands before it, so that no place and id can be read as another place and id.
fn associated(place: &str, id: Uuid) -> Vec<u8> {
    [&(place.len() as u64).to_be_bytes(), place.as_bytes(), id.as_bytes()].concat()
}

fn derive(main: &[u8; KEY_BYTES], purpose: &str, place: &str) -> Zeroizing<[u8; KEY_BYTES]> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    Hkdf::<Sha256>::new(Some(b"vetgate"), main)
        .expand_multi_info(&[purpose.as_bytes(), b":", place.as_bytes()], key.as_mut())
        .expect("32 bytes are within the 8,160 that HKDF-SHA-256 gives");
    key
}

fn seal(key: &[u8; KEY_BYTES], associated: &[u8], plaintext: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
    let mut nonce = [0; NONCE_BYTES];
    entropy.fill(&mut nonce);
    let ciphertext = Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key))
        .encrypt(&Nonce::from(nonce), Payload { msg: plaintext, aad: associated })
        .expect("AES-GCM takes up to 64 GiB, more than a process holds in one value");
    let mut sealed = Vec::with_capacity(1 + NONCE_BYTES + ciphertext.len());
    sealed.push(VERSION);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&ciphertext);
    sealed
}

fn open(key: &[u8; KEY_BYTES], associated: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let (version, rest) = sealed.split_first().ok_or(VaultError::Malformed)?;
    if *version != VERSION {
        return Err(VaultError::Malformed);
    }
    let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(VaultError::Malformed)?;
    Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key))
        .decrypt(&Nonce::from(*nonce), Payload { msg: ciphertext, aad: associated })
        .map(Zeroizing::new)
        .map_err(|_| VaultError::NotAuthentic)
}

fn blind(main: &MainKey, tenant: &TenantId, field: &str, country: &str, normalised: &str) -> Vec<u8> {
    let mut mac =
        <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(main.blind.as_ref()).expect("HMAC takes keys of any length");
    for part in [tenant.as_str(), field, country, normalised] {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    mac.finalize().into_bytes()[..BLIND_BYTES].to_vec()
}

#[cfg(test)]
mod tests;
