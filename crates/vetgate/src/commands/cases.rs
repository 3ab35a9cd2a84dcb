//! `vetgate cases`

mod list;
mod orphans;
mod resolve;
mod show;

use std::process::ExitCode;

use api::Scope;
use clap::{Args, Subcommand};
use serde_json::Value;

pub use self::list::table;
use super::print;
use crate::client::refused::nothing_if_forbidden;
use crate::client::{Access, Client};
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
    /// Lists reconciliation cases, newest first
    #[command(after_help = "\
Examples:
  vetgate cases list --state needs_review
  vetgate cases list --provider theary --created-after 2026-11-21T00:00:00Z")]
    List(list::Options),
    /// Shows one case: why it was opened, what every scan saw, and what can be done
    Show {
        #[arg(value_name = "CASE")]
        id: String,
    },
    /// Looks through the vendor's account now, and settles what can be settled
    Scan {
        #[arg(value_name = "CASE")]
        id: String,
    },
    /// Decides what looking could not settle
    #[command(after_help = "\
All of it is carried out or nothing. The vendor's order is fetched before a check is bound to it: it must be \
nobody else's. Who decided what is kept with the case and in the audit log, with the note.

Examples:
  vetgate cases resolve rec_01… --bind chk_01…=ord_789 --note 'found in the dashboard'
  vetgate cases resolve rec_01… --resend chk_01… --fail chk_02… --note 'they have neither'
  vetgate cases resolve rec_01… --cancel ord_790 --note 'made twice'")]
    Resolve(resolve::Options),
    /// Lists what vendors have and no check here is fulfilled by: duplicates and strangers
    Orphans(orphans::Options),
}

/// Lists, shows, scans for and decides reconciliation cases.
pub async fn cases(sources: &Sources, options: Options) -> anyhow::Result<ExitCode> {
    let json = options.access.json;
    print::refusal_too(json, run(sources, options).await)
}

async fn run(sources: &Sources, Options { access, what }: Options) -> anyhow::Result<ExitCode> {
    let scopes: &[Scope] = match what {
        What::Scan { .. } | What::Resolve(_) => &[Scope::ReconciliationRead, Scope::ReconciliationResolve],
        What::List(_) | What::Show { .. } | What::Orphans(_) => &[Scope::ReconciliationRead],
    };
    let client = access.client(sources, scopes)?;
    match what {
        What::List(options) => list::list(&client, &options, access.json).await?,
        What::Show { id } => show::print(&client.get(&["reconciliation", "cases", &id], &[]).await?, access.json)?,
        What::Scan { id } => {
            show::print(&client.post(&["reconciliation", "cases", &id, "scan"], None).await?, access.json)?;
        }
        What::Resolve(options) => resolve::resolve(&client, options, access.json).await?,
        What::Orphans(options) => orphans::orphans(&client, &options, access.json).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The cases in which a check of this order is in doubt now. None where the token may not see cases.
pub async fn unresolved_of(client: &Client, order: &Value) -> anyhow::Result<Vec<Value>> {
    let statuses = order["checks"].as_array().into_iter().flatten().map(|check| &check["status"]);
    let mut found = Vec::new();
    for (status, state) in [("needs_review", "needs_review"), ("unconfirmed", "open")] {
        if statuses.clone().any(|of_check| of_check == status) {
            let query = [("state", Some(state)), ("created_after", order["created_at"].as_str())];
            let cases = nothing_if_forbidden(client.all(&["reconciliation", "cases"], &query).await)?;
            found.extend(cases.into_iter().filter(|case| items(case).any(|item| item["order_id"] == order["id"])));
        }
    }
    Ok(found)
}

/// The items of a case.
fn items(case: &Value) -> impl Iterator<Item = &Value> {
    case["items"].as_array().into_iter().flatten()
}
