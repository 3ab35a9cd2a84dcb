//! What an operator sets for one Truework account.

use std::time::Duration;

use provider::Timing;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::signature::{SignatureKey, SignatureMode};

/// The version of the vendor's API that is spoken. A key is pinned to one when it is made; asking for an older one than
/// that is refused with 406, so the version is always said and never left to the pin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    V2020_12_07,
    V2022_08_01,
    #[default]
    V2023_10_30,
}

impl Version {
    /// The newest first.
    pub const ALL: &'static [Self] = &[Self::V2023_10_30, Self::V2022_08_01, Self::V2020_12_07];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2020_12_07 => "2020-12-07",
            Self::V2022_08_01 => "2022-08-01",
            Self::V2023_10_30 => "2023-10-30",
        }
    }

    /// Whether it has orders, with a search key each. Older versions have verification requests only.
    pub const fn has_orders(self) -> bool {
        matches!(self, Self::V2023_10_30)
    }

    pub(crate) const fn accept(self) -> &'static str {
        match self {
            Self::V2020_12_07 => "application/json; version=2020-12-07",
            Self::V2022_08_01 => "application/json; version=2022-08-01",
            Self::V2023_10_30 => "application/json; version=2023-10-30",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.as_str() == text)
    }
}

pub(crate) const PRODUCTION_HOST: &str = "api.truework.com";
pub(crate) const SANDBOX_HOST: &str = "api.truework-sandbox.com";

#[derive(Clone)]
pub struct Settings {
    /// Scheme and host only: `https://api.truework.com`, or `https://api.truework-sandbox.com`.
    pub base_url: Url,
    /// `tw_sk_…`; `tw_sk_test_…` in the vendor's sandbox.
    pub api_key: SecretString,
    pub version: Version,
    /// The tokens of the account's webhooks; several while one is replaced by another.
    pub hook_tokens: Vec<SecretString>,
    /// What becomes of answers without a good signature.
    pub signature: SignatureMode,
    /// Those that sign the host's answers. Not needed where signatures are not looked at.
    pub signature_keys: Vec<SignatureKey>,
    pub timing: Timing,
    /// The settle window of an employer search, which the vendor works off inside the create call.
    pub search_settle: Duration,
}

impl Settings {
    /// The defaults for an account. The vendor allows 10 requests a second and account.
    pub fn new(base_url: Url, api_key: SecretString) -> Self {
        Self {
            signature_keys: SignatureKey::published_for(&base_url),
            base_url,
            api_key,
            version: Version::V2023_10_30,
            hook_tokens: Vec::new(),
            signature: SignatureMode::default(),
            timing: Timing {
                settle: Duration::from_mins(2),
                // Of the longest call, which is the synchronous employer search; the others are given less of it.
                timeout: Duration::from_mins(1),
                poll_min: Duration::from_mins(1),
                poll_max: Duration::from_hours(1),
                rate: Some(10.0),
            },
            search_settle: Duration::from_mins(15),
        }
    }

    /// Whether the key is one of the vendor's sandbox, where only published test SSNs are taken.
    pub fn is_sandbox(&self) -> bool {
        self.api_key.expose_secret().starts_with("tw_sk_test_")
    }

    /// A key belongs to one environment. Reports keys and a host that cannot go together, before an order finds out.
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        let host = self.base_url.host_str().ok_or(SettingsError::BaseUrl)?;
        if !matches!(self.base_url.scheme(), "https" | "http") || self.base_url.cannot_be_a_base() {
            return Err(SettingsError::BaseUrl);
        }
        match (host, self.is_sandbox()) {
            (PRODUCTION_HOST, true) => return Err(SettingsError::SandboxKeyInProduction),
            (SANDBOX_HOST, false) => return Err(SettingsError::ProductionKeyInSandbox),
            _ => {}
        }
        if self.signature == SignatureMode::Off {
            return Ok(());
        }
        if self.signature_keys.is_empty() {
            return Err(SettingsError::NoSignatureKeys);
        }
        if host == PRODUCTION_HOST && self.signature_keys.iter().any(SignatureKey::is_of_the_sandbox) {
            return Err(SettingsError::SandboxSignatureKeyInProduction);
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    #[error("truework.base_url must be scheme and host, such as https://api.truework.com")]
    BaseUrl,
    #[error("truework.api_key holds characters that cannot be sent")]
    ApiKey,
    #[error("truework.api_key is a sandbox key (tw_sk_test_…), but truework.base_url is the production host")]
    SandboxKeyInProduction,
    #[error("truework.api_key is a production key, but truework.base_url is the sandbox host")]
    ProductionKeyInSandbox,
    #[error(
        "truework.signature is not off, and which keys sign the answers of truework.base_url is not known: name them in \
         truework.signature_keys, or set truework.signature to off"
    )]
    NoSignatureKeys,
    #[error(
        "truework.signature_keys holds the key of Truework's sandbox, but truework.base_url is the production host: leave it \
         out"
    )]
    SandboxSignatureKeyInProduction,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(base: &str, key: &str) -> Settings {
        Settings::new(base.parse().expect("a URL"), key.into())
    }

    #[test]
    fn key_and_host_must_be_of_one_environment() {
        let check = |base, key| settings(base, key).check();
        assert_eq!(check("https://api.truework.com", "tw_sk_1"), Ok(()));
        assert_eq!(check("https://api.truework-sandbox.com", "tw_sk_test_1"), Ok(()));
        assert_eq!(check("http://127.0.0.1:4000", "tw_sk_test_1"), Ok(()));
        assert_eq!(check("https://api.truework.com", "tw_sk_test_1"), Err(SettingsError::SandboxKeyInProduction));
        assert_eq!(check("https://api.truework-sandbox.com", "tw_sk_1"), Err(SettingsError::ProductionKeyInSandbox));
        assert_eq!(check("mailto:a@example.com", "tw_sk_1"), Err(SettingsError::BaseUrl));
    }

    #[test]
    fn whoever_looks_at_signatures_knows_the_hosts_keys_and_no_others() {
        const SANDBOX: &str = "https://api.truework-sandbox.com";
        for mode in [SignatureMode::Warn, SignatureMode::Require] {
            let check = |base, key, keys: Option<&Settings>| {
                let own = settings(base, key);
                let signature_keys = keys.map_or(own.signature_keys.clone(), |other| other.signature_keys.clone());
                Settings { signature: mode, signature_keys, ..own }.check()
            };
            let (production, sandbox) =
                (settings("https://api.truework.com", "tw_sk_1"), settings(SANDBOX, "tw_sk_test_1"));
            assert_eq!(check("https://api.truework.com", "tw_sk_1", None), Ok(()));
            assert_eq!(check(SANDBOX, "tw_sk_test_1", None), Ok(()));
            let nobody = check("http://127.0.0.1:4000", "tw_sk_test_1", None);
            assert_eq!(nobody, Err(SettingsError::NoSignatureKeys));
            assert_eq!(check("http://127.0.0.1:4000", "tw_sk_test_1", Some(&production)), Ok(()));
            let mixed = check("https://api.truework.com", "tw_sk_1", Some(&sandbox));
            assert_eq!(mixed, Err(SettingsError::SandboxSignatureKeyInProduction));
        }
        assert_eq!(settings("http://127.0.0.1:4000", "tw_sk_test_1").check(), Ok(()), "they are not looked at");
    }

    #[test]
    fn versions_are_read_as_they_are_written() {
        for version in Version::ALL {
            assert_eq!(Version::parse(version.as_str()), Some(*version));
            assert_eq!(version.accept(), format!("application/json; version={}", version.as_str()));
        }
        assert_eq!(Version::parse("2019-10-15"), None);
    }
}
