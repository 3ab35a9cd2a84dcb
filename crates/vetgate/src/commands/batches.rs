//! `vetgate batches`

mod import;
mod list;
mod report;
mod show;
mod watch;

use std::process::ExitCode;

use api::Scope;
use clap::{Args, Subcommand};
use serde_json::json;

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
    /// Lists batches, newest first
    List(list::Options),
    /// Shows one batch: its counts, the rows that were left out, and what waits for a person
    Show {
        #[arg(value_name = "BATCH")]
        id: String,
        /// Goes on showing how far it is, until nothing of it goes on by itself
        #[arg(long)]
        watch: bool,
    },
    /// Sends a file of orders: NDJSON, CSV, Excel (.xlsx) or JSON
    #[command(after_help = "\
Columns of CSV and Excel files are the paths of an order's fields: external_id, subject.first_name, checks.0.type. \
`vetgate batches template` gives a file to fill in. Either all of a file is accepted or nothing, unless \
--skip-invalid leaves the rows out that are not valid.

The same file is accepted once in 24 hours: sending it again gives the batch that it made the first time, so an import \
of which nobody knows how it went can simply be repeated. --again makes a new batch of it.

With --watch it ends when the vendors are done: with 0, or with 1 if checks wait for a person. Ctrl-C leaves the batch \
alone.

Examples:
  vetgate batches import new-hires.csv --tenant acme --watch
  vetgate batches import new-hires.xlsx --tenant acme --skip-invalid --external-id 2026-11
  vetgate batches import orders.ndjson --tenant acme --defaults defaults.json")]
    Import(import::Options),
    /// Stops a batch: what was not sent is canceled, what a vendor has is canceled where the vendor can
    Cancel {
        #[arg(value_name = "BATCH")]
        id: String,
        /// A word: immediate, high-turnaround-time, competitor, wrong-info or other
        #[arg(long, value_name = "WORD")]
        reason: Option<String>,
        /// In a sentence. Vendors may be told
        #[arg(long, value_name = "TEXT")]
        details: Option<String>,
    },
    /// Writes a line for each check of a batch, with its result
    #[command(after_help = "\
Examples:
  vetgate batches report bat_01… --output results.xlsx
  vetgate batches report bat_01… --format csv | head

A file appears when all of it was received, readable by you alone.")]
    Report(report::ReportOptions),
    /// Writes a file to fill in: the columns that orders with such a check need
    Template(report::TemplateOptions),
}

/// Works with batches.
pub async fn batches(sources: &Sources, options: Options) -> anyhow::Result<ExitCode> {
    let json = options.access.json;
    print::refusal_too(json, run(sources, options).await)
}

async fn run(sources: &Sources, Options { access, what }: Options) -> anyhow::Result<ExitCode> {
    let json = access.json;
    // Cases say what waits for a person.
    let reading = [Scope::OrdersRead, Scope::ReconciliationRead];
    let writing = [Scope::OrdersRead, Scope::ReconciliationRead, Scope::OrdersWrite];
    match what {
        What::List(options) => list::list(&access.client(sources, &reading)?, &options, json).await?,
        What::Show { id, watch: false } => show::show(&access.client(sources, &reading)?, &id, json).await?,
        What::Show { id, watch: true } => {
            return watch::watch(&access.client(sources, &reading)?, &id, json).await;
        }
        What::Import(options) => {
            return import::import(&access.client_of_a_tenant(sources, &writing)?, &options, json).await;
        }
        What::Cancel { id, reason, details } => {
            let client = access.client(sources, &writing)?;
            let body = json!({ "reason": reason, "details": details });
            let batch = client.post(&["batches", &id, "cancel"], Some(&body)).await?;
            show::print(&client, &batch, json).await?;
        }
        What::Report(options) => report::report(&access.client(sources, &reading)?, &options).await?,
        What::Template(options) => report::template(&access.client(sources, &reading)?, &options).await?,
    }
    Ok(ExitCode::SUCCESS)
}
