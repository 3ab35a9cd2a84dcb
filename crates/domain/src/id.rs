//! `TypeIDs`: a prefix, `_`, and a `UUIDv7` in 26 letters of Crockford's base32 (<https://github.com/jetify-com/typeid>).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use uuid::Uuid;

use crate::time::{Clock, Entropy, Timestamp};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const SUFFIX: usize = 26;

/// Why a text is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id like {prefix}_01h455vb4pex5vsknk084sn02q")]
pub struct IdError {
    pub prefix: &'static str,
}

fn encode(uuid: Uuid) -> [u8; SUFFIX] {
    let mut bits = uuid.as_u128();
    let mut text = [0; SUFFIX];
    for letter in text.iter_mut().rev() {
        *letter = ALPHABET[(bits & 31) as usize];
        bits >>= 5;
    }
    text
}

fn decode(text: &str) -> Option<Uuid> {
    // The first letter holds the top three bits only: more would not fit into 128.
    if text.len() != SUFFIX || text.as_bytes()[0] > b'7' {
        return None;
    }
    text.bytes()
        .try_fold(0_u128, |bits, letter| {
            let value = ALPHABET.iter().position(|&known| known == letter)?;
            Some(bits << 5 | value as u128)
        })
        .map(Uuid::from_u128)
}

fn uuid_v7(clock: &dyn Clock, entropy: &dyn Entropy) -> Uuid {
    let mut random = [0; 10];
    entropy.fill(&mut random);
    uuid::Builder::from_unix_timestamp_millis(clock.now().unix_millis(), &random).into_uuid()
}

macro_rules! typed_id {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            pub const PREFIX: &'static str = $prefix;

            /// A new id, in the order of the clock.
            pub fn generate(clock: &dyn Clock, entropy: &dyn Entropy) -> Self {
                Self(uuid_v7(clock, entropy))
            }

            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// When it was made, by the clock of whoever made it.
            pub fn made_at(self) -> Option<Timestamp> {
                let (seconds, nanos) = self.0.get_timestamp()?.to_unix();
                Some(Timestamp::EPOCH + Duration::new(seconds, nanos))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let suffix = encode(self.0);
                write!(f, "{}_{}", $prefix, std::str::from_utf8(&suffix).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(decode)
                    .map(Self)
                    .ok_or(IdError { prefix: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some(concat!("^", $prefix, "_[0-7][0-9a-hjkmnp-tv-z]{25}$")))
                    .examples([concat!($prefix, "_01h455vb4pex5vsknk084sn02q")])
                    .into()
            }
        }
        impl utoipa::ToSchema for $name {}
    )+};
}

typed_id! {
    /// An order: everything a caller wants known about one subject.
    OrderId = "ord";
    /// A check: one product about the subject. Also the reference a vendor is given.
    CheckId = "chk";
    /// A batch of orders.
    BatchId = "bat";
    /// One create call sent to a vendor.
    SubmissionId = "sub";
    /// A reconciliation case.
    CaseId = "rec";
    /// One scan of a vendor account.
    ScanId = "scn";
    /// An event of an order's timeline.
    EventId = "evt";
    /// A vendor's document.
    DocumentId = "doc";
    /// A vendor's hook, as it was received.
    InboxId = "inb";
    /// An entry of the audit log.
    AuditId = "aud";
    /// A monitor: an order that is run again and again.
    MonitorId = "mon";
}

/// What a vendor is given to know a check by: the check's id, and for a later attempt of the same check at the same
/// vendor the id with `_<attempt>` behind it. Plain ASCII, at most 34 characters, no personal data.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    pub check: CheckId,
    /// 1 for the first attempt.
    pub attempt: u16,
}

impl Reference {
    pub const fn first(check: CheckId) -> Self {
        Self { check, attempt: 1 }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.attempt == 1 { write!(f, "{}", self.check) } else { write!(f, "{}_{}", self.check, self.attempt) }
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Reference {
    type Err = IdError;
    /// Reads exactly what [`Display`](fmt::Display) writes; anything else is not a reference of ours.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let none = IdError { prefix: CheckId::PREFIX };
        let id_length = CheckId::PREFIX.len() + 1 + SUFFIX;
        let (id, rest) = text.split_at_checked(id_length).ok_or(none.clone())?;
        let check = id.parse()?;
        let attempt = match rest.strip_prefix('_') {
            None if rest.is_empty() => 1,
            Some(number) => number.parse().ok().filter(|&n: &u16| n > 1 && n.to_string() == number).ok_or(none)?,
            None => return Err(none),
        };
        Ok(Self { check, attempt })
    }
}

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn encodes_as_the_typeid_specification_says() {
        // From the specification's own list of valid ids.
        let id = OrderId::from_uuid("0110c853-1d09-52d8-d73e-1194e95b5f19".parse().expect("a uuid"));
        assert_eq!(id.to_string(), "ord_0123456789abcdefghjkmnpqrs");
        let max = OrderId::from_uuid(Uuid::max());
        assert_eq!(max.to_string(), "ord_7zzzzzzzzzzzzzzzzzzzzzzzzz");
    }

    #[test]
    fn refuses_what_it_would_not_write() {
        for text in [
            "",
            "ord_",
            "chk_0123456789abcdefghjkmnpqrs",
            "ord_8zzzzzzzzzzzzzzzzzzzzzzzzz",
            "ord_0123456789ABCDEFGHJKMNPQRS",
            "ord_0123456789abcdefghjkmnpqr",
            "ord_0123456789abcdefghjkmnpqrsé",
        ] {
            assert!(text.parse::<OrderId>().is_err(), "{text}");
        }
        let check = CheckId::from_uuid(Uuid::max());
        for rest in ["_1", "_0", "_02", "_", "_x", "-2", "_70000"] {
            assert!(format!("{check}{rest}").parse::<Reference>().is_err(), "{rest}");
        }
    }

    proptest! {
        #[test]
        fn reads_back_what_it_writes(bits: u128, attempt in 1..u16::MAX) {
            let id = CheckId::from_uuid(Uuid::from_u128(bits));
            prop_assert_eq!(id.to_string().parse::<CheckId>(), Ok(id));
            let reference = Reference { check: id, attempt };
            prop_assert_eq!(reference.to_string().parse::<Reference>(), Ok(reference));
        }

        #[test]
        fn never_panics_on_foreign_text(text in "\\PC*") {
            let _ = text.parse::<Reference>();
            let _ = text.parse::<OrderId>();
        }
    }
}
