//! `vetgate token`

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use api::Scope;
use clap::Args;
use domain::TenantId;

use crate::settings::Sources;
use crate::token::{Claims, mint};

/// What the token shall say.
#[derive(Debug, Args)]
pub struct Options {
    /// The tenant it acts for
    #[arg(long, default_value = "default")]
    pub tenant: String,
    /// What it may do, separated by spaces or commas; `all` for everything
    #[arg(long, default_value = "orders:read orders:write", value_parser = scopes)]
    pub scopes: String,
    /// How long it is good for
    #[arg(long, default_value = "1h", value_parser = crate::cli::duration)]
    pub ttl: Duration,
    /// Who uses it, as the audit log will name them
    #[arg(long, default_value = "vetgate-token")]
    pub subject: String,
}

/// Prints a token.
pub fn token(sources: &Sources, options: &Options) -> anyhow::Result<ExitCode> {
    let settings = super::load(sources)?;
    let secret = settings.auth.hs256_secret.as_ref().context(
        "auth.hs256_secret (variable VETGATE_AUTH__HS256_SECRET): is not set, and tokens are signed with it. Set it to \
         the output of `openssl rand -hex 32`",
    )?;
    let tenant = TenantId::new(options.tenant.as_str());
    let claims = Claims {
        subject: &options.subject,
        tenant: &tenant,
        scopes: &options.scopes,
        ttl: options.ttl,
        issuer: settings.auth.issuer.as_deref(),
        audience: settings.auth.audience.as_deref(),
    };
    super::print::line(mint(secret, &claims)?)?;
    Ok(ExitCode::SUCCESS)
}

/// Every scope there is.
pub fn all_scopes() -> String {
    Scope::ALL.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ")
}

fn scopes(text: &str) -> Result<String, String> {
    if text == "all" {
        return Ok(all_scopes());
    }
    let words: Vec<_> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let known = || Scope::ALL.iter().map(|scope| scope.as_str());
    match words.iter().find(|word| !known().any(|scope| scope == **word)) {
        Some(unknown) => {
            let likely = known().max_by(|one, other| {
                strsim::jaro_winkler(one, unknown).total_cmp(&strsim::jaro_winkler(other, unknown))
            });
            let hint = likely.map(|likely| format!(" Did you mean {likely}?")).unwrap_or_default();
            Err(format!("there is no scope {unknown}.{hint} Known: {}", all_scopes()))
        }
        None if words.is_empty() => Err("expected at least one scope".to_owned()),
        None => Ok(words.join(" ")),
    }
}
