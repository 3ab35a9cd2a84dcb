//! `vetgate cases list`

use std::collections::BTreeMap;

use clap::Args;
use comfy_table::{Cell, Table};
use domain::CaseState;
use serde_json::Value;

use super::items;
use crate::cli::word_of;
use crate::client::Client;
use crate::commands::print;

#[derive(Debug, Args)]
pub struct Options {
    #[arg(long, value_parser = word_of(CaseState::ALL, CaseState::as_str))]
    state: Option<String>,
    #[arg(long, value_name = "VENDOR")]
    provider: Option<String>,
    /// This time or later, as 2026-11-21T00:00:00Z
    #[arg(long, value_name = "TIME")]
    created_after: Option<String>,
    /// How many at most
    #[arg(long, default_value_t = 50, value_name = "COUNT", value_parser = crate::cli::count)]
    limit: usize,
}

pub async fn list(client: &Client, options: &Options, json: bool) -> anyhow::Result<()> {
    let query = [
        ("state", options.state.as_deref()),
        ("provider", options.provider.as_deref()),
        ("created_after", options.created_after.as_deref()),
    ];
    let page = client.list(&["reconciliation", "cases"], &query, options.limit).await?;
    print::list(&page, json, "no such cases", table)
}

/// A line for each case.
pub fn table(cases: &[Value]) -> Table {
    let mut table = print::table(&["case", "state", "account", "why", "checks", "opened", "next scan"]);
    for case in cases {
        table.add_row([
            Cell::new(print::word(&case["id"])),
            print::state(&case["state"]),
            Cell::new(super::show::account(case)),
            Cell::new(print::word(&case["reason"]["code"])),
            Cell::new(counted(case)),
            Cell::new(print::time(&case["opened_at"])),
            Cell::new(print::time(&case["next_scan_at"])),
        ]);
    }
    print::keep_whole(&mut table, &[0]);
    table
}

/// How many checks stand where: `7 bound, 1 absent`. Those that wait for a person are counted by themselves.
fn counted(case: &Value) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for item in items(case) {
        let state = if item["review"].is_null() { print::word(&item["state"]) } else { "to decide".to_owned() };
        *counts.entry(state).or_default() += 1;
    }
    counts.iter().map(|(state, count)| format!("{count} {state}")).collect::<Vec<_>>().join(", ")
}
