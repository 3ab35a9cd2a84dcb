use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use sha2::Digest as _;

use super::*;

/// Different bytes at every call, the same in every run.
#[derive(Default)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let count = self.0.fetch_add(1, Ordering::Relaxed);
            chunk.copy_from_slice(&Sha256::digest(count.to_be_bytes())[..chunk.len()]);
        }
    }
}

fn vault(ids: &[&str]) -> Vault {
    let key = |id: &str| Zeroizing::new(Sha256::digest(id.as_bytes()).into());
    Vault::new(ids.iter().map(|id| ((*id).to_owned(), key(id))).collect()).expect("good keys")
}

fn row(bits: u128) -> Uuid {
    Uuid::from_u128(bits)
}

fn order(bits: u128) -> OrderId {
    OrderId::from_uuid(row(bits))
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name)
}

#[test]
fn says_what_is_wrong_with_keys() {
    let good = STANDARD.encode([7; 32]);
    let fault = |text: &str| Vault::parse(text).err();
    assert_eq!(fault(""), Some(VaultError::NoKeys));
    assert_eq!(fault(" , "), Some(VaultError::NoKeys));
    assert_eq!(fault(&good), Some(VaultError::NoId(1)));
    assert_eq!(fault(&format!(":{good}")), Some(VaultError::BadId(1)));
    assert_eq!(fault(&format!("a:{good},b b:{good}")), Some(VaultError::BadId(2)));
    assert_eq!(fault(&format!("a:{good},a:{good}")), Some(VaultError::DuplicateId("a".into())));
    assert_eq!(fault("a:§"), Some(VaultError::NotBase64("a".into())));
    assert_eq!(fault("a:AAAA"), Some(VaultError::WrongLength { id: "a".into(), bytes: 3 }));
    assert_eq!(
        Vault::parse(&format!("new:{good}, old:{good}")).map(|v| v.active_key_id().to_owned()),
        Ok("new".into())
    );
}

#[test]
fn an_old_key_opens_and_an_unknown_one_says_so() {
    let entropy = Counting::default();
    let (old, both, other) = (vault(&["old"]), vault(&["new", "old"]), vault(&["new"]));
    let sealed = old.seal_row("inbox.body", row(1), b"news", &entropy);
    assert_eq!(both.open_row("inbox.body", row(1), &sealed).map(|plain| plain.to_vec()), Ok(b"news".to_vec()));
    assert_eq!(other.open_row("inbox.body", row(1), &sealed).err(), Some(VaultError::UnknownKey));

    let key = old.new_order_key(order(1), &entropy);
    let value = key.seal("orders.input", row(1), b"name", &entropy);
    assert_eq!(other.unwrap_order_key(order(1), &key.wrapped).err(), Some(VaultError::UnknownKey));
    let unwrapped = both.unwrap_order_key(order(1), &key.wrapped).expect("the old key is known");
    let rewrapped = both.rewrap_order_key(order(1), &unwrapped, &entropy);
    assert_eq!((unwrapped.main_key_id.as_str(), rewrapped.main_key_id.as_str()), ("old", "new"));
    let again = other.unwrap_order_key(order(1), &rewrapped.wrapped).expect("it is under the new key now");
    assert_eq!(again.open("orders.input", row(1), &value).map(|plain| plain.to_vec()), Ok(b"name".to_vec()));
}

#[test]
fn a_wrong_key_under_a_known_id_opens_nothing() {
    let entropy = Counting::default();
    let sealed = vault(&["a"]).seal_row("p", row(1), b"x", &entropy);
    let impostor = Vault::new(vec![("a".into(), Zeroizing::new([9; 32]))]).expect("a good key");
    assert_eq!(impostor.open_row("p", row(1), &sealed).err(), Some(VaultError::NotAuthentic));
}

#[test]
fn equal_values_look_different_for_each_tenant_field_and_country() {
    let vault = vault(&["a"]);
    let index = |t: &str, field: &str, country: &str| vault.blind_index(&tenant(t), field, country, "123456789");
    let all = [index("t", "ssn", "US"), index("u", "ssn", "US"), index("t", "tax_id", "US"), index("t", "ssn", "MX")];
    for (i, one) in all.iter().enumerate() {
        assert!(all.iter().skip(i + 1).all(|other| other != one));
    }
    // Where one part ends and the next begins counts too.
    assert_ne!(vault.blind_index(&tenant("ab"), "c", "", "v"), vault.blind_index(&tenant("a"), "bc", "", "v"));
}

#[test]
fn look_ups_try_every_key() {
    let written = vault(&["old"]).blind_index(&tenant("t"), "email", "", "a@example.com");
    let candidates = vault(&["new", "old"]).blind_candidates(&tenant("t"), "email", "", "a@example.com");
    assert_eq!(candidates.len(), 2);
    assert!(candidates.contains(&written));
    assert_ne!(candidates[0], written);
}

proptest! {
    #[test]
    fn opens_what_it_sealed_and_only_there(plain: Vec<u8>, id: u128, other: u128, place in "[a-z.]{1,20}") {
        prop_assume!(id != other);
        let (vault, entropy) = (vault(&["a"]), Counting::default());
        let sealed = vault.seal_row(&place, row(id), &plain, &entropy);
        prop_assert_eq!(vault.open_row(&place, row(id), &sealed).map(|p| p.to_vec()), Ok(plain.clone()));
        prop_assert_eq!(vault.open_row(&place, row(other), &sealed).err(), Some(VaultError::NotAuthentic));
        prop_assert_eq!(vault.open_row("elsewhere!", row(id), &sealed).err(), Some(VaultError::NotAuthentic));

        let key = vault.new_order_key(order(id), &entropy);
        let sealed = key.seal(&place, row(id), &plain, &entropy);
        let back = vault.unwrap_order_key(order(id), &key.wrapped).expect("its own");
        prop_assert_eq!(back.open(&place, row(id), &sealed).map(|p| p.to_vec()), Ok(plain));
        prop_assert_eq!(back.open(&place, row(other), &sealed).err(), Some(VaultError::NotAuthentic));
        prop_assert!(vault.unwrap_order_key(order(other), &key.wrapped).is_err());
        let stranger = vault.new_order_key(order(id), &entropy);
        prop_assert!(stranger.open(&place, row(id), &sealed).is_err());
    }

    #[test]
    fn a_changed_bit_is_noticed(plain: Vec<u8>, at: prop::sample::Index, bit in 0..8_u8) {
        let (vault, entropy) = (vault(&["a"]), Counting::default());
        let mut sealed = vault.seal_row("p", row(1), &plain, &entropy);
        let at = at.index(sealed.len());
        sealed[at] ^= 1 << bit;
        prop_assert!(vault.open_row("p", row(1), &sealed).is_err());
    }

    #[test]
    fn foreign_bytes_never_panic(bytes: Vec<u8>) {
        let vault = vault(&["a"]);
        prop_assert!(vault.open_row("p", row(1), &bytes).is_err());
        prop_assert!(vault.unwrap_order_key(order(1), &bytes).is_err());
        let key = vault.new_order_key(order(1), &Counting::default());
        prop_assert!(key.open("p", row(1), &bytes).is_err());
    }

    #[test]
    fn the_same_value_never_looks_the_same_twice(plain: Vec<u8>) {
        let (vault, entropy) = (vault(&["a"]), Counting::default());
        prop_assert_ne!(vault.seal_row("p", row(1), &plain, &entropy), vault.seal_row("p", row(1), &plain, &entropy));
    }
}
