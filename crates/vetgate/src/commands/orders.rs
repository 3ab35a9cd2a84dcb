//! `vetgate orders`

mod list;
mod show;
mod why;

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
    /// Lists orders, newest first
    #[command(after_help = "\
Examples:
  vetgate orders list --check-status needs_review
  vetgate orders list --provider theary --check-status unconfirmed
  vetgate orders list --external-id ATS-4711
  vetgate orders list --batch bat_01… --limit 1000 --json | jq -r '.data[].id'")]
    List(list::Options),
    /// Shows one order: its checks, why it is where it is, and its last events
    #[command(after_help = "\
Without the subject: what this prints ends up in scrollbacks and tickets. --json has it, masked.")]
    Show(show::Options),
}

/// Lists and shows orders.
pub async fn orders(sources: &Sources, options: Options) -> anyhow::Result<ExitCode> {
    let json = options.access.json;
    print::refusal_too(json, run(sources, options).await)
}

async fn run(sources: &Sources, Options { access, what }: Options) -> anyhow::Result<ExitCode> {
    // Cases and vendors say why an order is stuck.
    let client = access.client(sources, &[Scope::OrdersRead, Scope::ReconciliationRead, Scope::ProvidersRead])?;
    match what {
        What::List(options) => list::list(&client, &options, access.json).await?,
        What::Show(options) => show::show(&client, &options, access.json).await?,
    }
    Ok(ExitCode::SUCCESS)
}
