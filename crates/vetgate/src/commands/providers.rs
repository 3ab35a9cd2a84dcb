//! `vetgate providers`

mod list;
mod register_hook;

use std::process::ExitCode;

use api::Scope;
use clap::{Args, Subcommand};

use super::print;
use crate::client::Access;
use crate::settings::Sources;

#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    access: Access,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Lists the vendors' accounts: whether they are paused, how their circuits stand
    #[command(after_help = "\
Examples:
  vetgate providers list
  vetgate providers list --json | jq -r '.data[].accounts[] | select(.paused).id'")]
    List,
    /// What is Truora's alone
    Truora {
        #[command(subcommand)]
        what: Truora,
    },
}

#[derive(Debug, Subcommand)]
enum Truora {
    /// Has Truora send its hooks to this gateway, by a rule in the account
    #[command(after_help = "\
Reads the settings, as `doctor` does: no gateway needs to run. Running it again changes nothing, or mends the address.

Examples:
  vetgate providers truora register-hook
  vetgate providers truora register-hook --account mexico
  vetgate providers truora register-hook --print      what to enter in the dashboard instead")]
    RegisterHook(register_hook::Options),
}

/// Lists vendors, and sets up what is a vendor's own.
pub async fn providers(sources: &Sources, options: Options) -> anyhow::Result<ExitCode> {
    let json = options.access.json;
    match options.what {
        What::List => print::refusal_too(json, list_them(sources, &options.access).await),
        What::Truora { what: Truora::RegisterHook(options) } => {
            register_hook::register_hook(sources, &options, json).await
        }
    }
}

async fn list_them(sources: &Sources, access: &Access) -> anyhow::Result<ExitCode> {
    let client = access.client(sources, &[Scope::ProvidersRead])?;
    list::list(&client, access.json).await?;
    Ok(ExitCode::SUCCESS)
}
