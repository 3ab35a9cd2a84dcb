//! Who takes part: the tenant that orders, the vendor that carries out, the account it is done under.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! text_newtype {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

text_newtype! {
    /// A customer of this gateway, as the `tenant` claim of its tokens names it.
    TenantId;
    /// A vendor, by the lower-case word used in settings and the API.
    ProviderId;
}

/// One account at one vendor. Written `vendor/account`, the default account as `vendor/default`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct AccountKey {
    pub provider: ProviderId,
    pub account: String,
}

impl AccountKey {
    pub const DEFAULT: &'static str = "default";

    pub fn new(provider: ProviderId, account: impl Into<String>) -> Self {
        Self { provider, account: account.into() }
    }

    /// The account that a vendor's plain settings define.
    pub fn default_of(provider: ProviderId) -> Self {
        Self::new(provider, Self::DEFAULT)
    }
}

impl fmt::Display for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.account)
    }
}

impl fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<AccountKey> for String {
    fn from(key: AccountKey) -> Self {
        key.to_string()
    }
}

impl TryFrom<String> for AccountKey {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (provider, account) = text.split_once('/').ok_or("expected vendor/account")?;
        Ok(Self::new(ProviderId::new(provider), account))
    }
}
