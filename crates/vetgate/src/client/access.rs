//! Where the gateway is, and who calls it.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use anyhow::Context as _;
use api::Scope;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _};
use domain::TenantId;
use secrecy::SecretString;
use url::Url;

use super::Client;
use crate::cli::Cli;
use crate::settings::{Settings, Sources};
use crate::token::{Claims, mint};

/// How long a token of the settings' secret is good for. Each call gets a new one.
const TTL: Duration = Duration::from_mins(5);
/// The tenant of such a token where none is named. It owns nothing; the token reaches across all tenants.
const OPERATOR: &str = "vetgate-operator";

/// How the API is reached.
#[derive(Debug, Args)]
pub struct Access {
    /// The gateway's address. Not given: the public one of the settings, else where they say it listens
    #[arg(long, env = "VETGATE_URL", value_name = "URL", value_parser = address_or_nothing, global = true, help_heading = "The gateway")]
    pub url: Option<String>,
    /// A token for it; rather set the variable, since others can see a command line. Not given: one is made with the shared secret of the settings
    #[arg(
        long,
        env = "VETGATE_TOKEN",
        hide_env_values = true,
        value_name = "JWT",
        global = true,
        help_heading = "The gateway"
    )]
    pub token: Option<String>,
    /// Whose orders to work with, where the token is made from the settings. Not given: all tenants'
    #[arg(long, global = true, help_heading = "The gateway")]
    pub tenant: Option<String>,
    /// Prints the API's own JSON
    #[arg(long, global = true)]
    pub json: bool,
}

impl Access {
    /// A client that may do this.
    pub fn client(&self, sources: &Sources, scopes: &[Scope]) -> anyhow::Result<Client> {
        let (given_url, given_token) = (given(self.url.as_deref()), given(self.token.as_deref()));
        if given_token.is_some() && self.tenant.is_some() {
            let message = "--tenant is for tokens made from the settings' secret. The token that was given names its tenant itself";
            return Err(usage(message));
        }
        // Who says both needs no settings on this machine.
        let (url, tokens) = match (given_url, given_token) {
            (Some(url), Some(token)) => (url.parse()?, Tokens::Given(token.into())),
            (url, token) => {
                let settings = crate::commands::load(sources)?;
                let tokens = match token {
                    Some(token) => Tokens::Given(token.into()),
                    None => Tokens::Made(Box::new(self.maker(&settings, scopes)?)),
                };
                (url.map_or_else(|| address(&settings), |url| Ok(url.parse()?))?, tokens)
            }
        };
        Client::new(url, tokens)
    }

    /// For what makes something: that must be some tenant's.
    pub fn client_of_a_tenant(&self, sources: &Sources, scopes: &[Scope]) -> anyhow::Result<Client> {
        if given(self.token.as_deref()).is_none() && self.tenant.is_none() {
            return Err(usage("whose shall it be? Name the tenant with --tenant, or give a token with VETGATE_TOKEN"));
        }
        self.client(sources, scopes)
    }

    fn maker(&self, settings: &Settings, scopes: &[Scope]) -> anyhow::Result<Maker> {
        let secret = settings.auth.hs256_secret.clone().context(
            "there is no token. Set VETGATE_TOKEN; or set auth.hs256_secret in the settings, as the gateway has it",
        )?;
        let all = self.tenant.is_none().then_some(&Scope::TenantsAll);
        let scopes: Vec<_> = scopes.iter().chain(all).map(|scope| scope.as_str()).collect();
        Ok(Maker {
            secret,
            subject: subject(),
            tenant: TenantId::new(self.tenant.as_deref().unwrap_or(OPERATOR)),
            scopes: scopes.join(" "),
            issuer: settings.auth.issuer.clone(),
            audience: settings.auth.audience.clone(),
        })
    }
}

/// Where a client's tokens come from.
#[derive(Clone)]
pub enum Tokens {
    Given(SecretString),
    Made(Box<Maker>),
}

/// Makes tokens with the shared secret, so that a command may run for longer than one of them lasts.
#[derive(Clone)]
pub struct Maker {
    secret: SecretString,
    subject: String,
    tenant: TenantId,
    scopes: String,
    issuer: Option<String>,
    audience: Option<String>,
}

impl Tokens {
    /// One that is good now.
    pub fn token(&self) -> anyhow::Result<SecretString> {
        match self {
            Self::Given(token) => Ok(token.clone()),
            Self::Made(maker) => maker.token(),
        }
    }
}

impl Maker {
    fn token(&self) -> anyhow::Result<SecretString> {
        let claims = Claims {
            subject: &self.subject,
            tenant: &self.tenant,
            scopes: &self.scopes,
            ttl: TTL,
            issuer: self.issuer.as_deref(),
            audience: self.audience.as_deref(),
        };
        mint(&self.secret, &claims).map(SecretString::from)
    }
}

/// Who it is, for the audit log.
fn subject() -> String {
    std::env::var("USER").map_or_else(|_| "vetgate-cli".to_owned(), |user| format!("vetgate-cli:{user}"))
}

/// The gateway's address, as its settings have it.
fn address(settings: &Settings) -> anyhow::Result<Url> {
    if let Some(url) = &settings.public_url {
        return Ok(url.clone());
    }
    let mut address = settings.listen;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    Ok(format!("http://{address}/").parse()?)
}

/// An error in how the command was called. Ends with 2, as all of these do.
pub fn usage(message: impl std::fmt::Display) -> anyhow::Error {
    Cli::command().error(ErrorKind::ValueValidation, message).into()
}

/// An empty variable is as good as none.
fn given(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

fn address_or_nothing(text: &str) -> Result<String, String> {
    let is_address = |url: Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    match given(Some(text)) {
        Some(address) if !address.parse().is_ok_and(is_address) => {
            Err("expected an address that begins with https:// or http://".to_owned())
        }
        _ => Ok(text.to_owned()),
    }
}
