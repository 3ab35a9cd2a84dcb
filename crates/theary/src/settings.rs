//! What an account at Theary needs.

use secrecy::SecretString;
use url::Url;

use crate::releases::UploadHosts;

/// One account at Theary.
#[derive(Clone, Debug)]
pub struct AccountSettings {
    /// Scheme and host only, such as `https://sandbox.theary.com`; the adapter adds the paths.
    pub base_url: Url,
    pub credentials: Credentials,
    /// Signs the hooks. `None`: orders ask for no hooks, and polling has to do.
    pub hook_secret: Option<SecretString>,
    pub environment: Environment,
    /// Where the vendor's links for uploads may lead. `None`: releases that callers send as a PDF stand in the orders.
    pub upload_hosts: Option<UploadHosts>,
    /// The most orders in one batch call; 1 turns batches off. The vendor names no limit.
    pub batch_size: usize,
}

impl AccountSettings {
    /// Small, so that little is in doubt when a batch fails.
    pub const DEFAULT_BATCH_SIZE: usize = 10;
}

/// What the vendor issued: a ready token, or a client that fetches its own.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A bearer token. It must hold a `tenant` claim; the vendor issues it so.
    Token(SecretString),
    Client(OAuthClient),
}

/// OAuth client credentials: tokens are fetched with them, kept, and replaced before they end.
#[derive(Clone, Debug)]
pub struct OAuthClient {
    pub client_id: String,
    pub client_secret: SecretString,
    /// The whole address, such as `https://auth.theary.ai/oauth/token`.
    pub token_url: Url,
    /// Whom the tokens are for.
    pub audience: String,
}

impl OAuthClient {
    /// Token URL and audience that belong to one of the vendor's two hosts, by its published code.
    pub fn place_of(host: &str) -> Option<(&'static str, &'static str)> {
        match host {
            "api.theary.ai" => Some(("https://auth.theary.ai/oauth/token", "https://verification-auth.theary.ai")),
            "sandbox.theary.com" => Some(("https://auth-dev.theary.ai/oauth/token", "https://empv-auth-dev.theary.ai")),
            _ => None,
        }
    }
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
