//! What an account at Theary needs.

use secrecy::SecretString;
use url::Url;

/// One account at Theary.
#[derive(Clone, Debug)]
pub struct AccountSettings {
    /// Scheme and host only, such as `https://sandbox.theary.com`; the adapter adds the paths.
    pub base_url: Url,
    /// The bearer token. It must hold a `tenant` claim; the vendor issues it so.
    pub token: SecretString,
    /// Signs the hooks. `None`: orders ask for no hooks, and polling has to do.
    pub hook_secret: Option<SecretString>,
    pub environment: Environment,
    /// The most orders in one batch call; 1 turns batches off. The vendor names no limit.
    pub batch_size: usize,
}

impl AccountSettings {
    /// Small, so that little is in doubt when a batch fails.
    pub const DEFAULT_BATCH_SIZE: usize = 10;
}

/// Whether real employers and schools are contacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Environment {
    Production,
    /// Everything the vendor sends goes to this address. There is no sandbox without one: the vendor's test host
    /// contacts whatever an order names.
    Sandbox {
        qa_email: String,
    },
}

impl Environment {
    pub const fn is_production(&self) -> bool {
        matches!(self, Self::Production)
    }
}
