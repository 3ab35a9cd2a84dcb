//! `vetgate batches list`

use clap::Args;
use comfy_table::{Cell, Table};
use domain::BatchStatus;
use serde_json::Value;

use crate::cli::word_of;
use crate::client::Client;
use crate::commands::print;

#[derive(Debug, Args)]
pub struct Options {
    #[arg(long, value_parser = word_of(BatchStatus::ALL, BatchStatus::as_str))]
    status: Option<String>,
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// This time or later, as 2026-11-21T00:00:00Z
    #[arg(long, value_name = "TIME")]
    created_after: Option<String>,
    /// Before this time
    #[arg(long, value_name = "TIME")]
    created_before: Option<String>,
    /// How many at most
    #[arg(long, default_value_t = 50, value_name = "COUNT", value_parser = crate::cli::count)]
    limit: usize,
}

pub async fn list(client: &Client, options: &Options, json: bool) -> anyhow::Result<()> {
    let query = [
        ("status", options.status.as_deref()),
        ("external_id", options.external_id.as_deref()),
        ("created_after", options.created_after.as_deref()),
        ("created_before", options.created_before.as_deref()),
    ];
    let page = client.list(&["batches"], &query, options.limit).await?;
    print::list(&page, json, "no such batches", table)
}

fn table(batches: &[Value]) -> Table {
    let mut table =
        print::table(&["batch", "external id", "status", "orders", "checks", "done", "left out", "created"]);
    for batch in batches {
        table.add_row([
            Cell::new(print::word(&batch["id"])),
            Cell::new(print::word(&batch["external_id"])),
            print::state(&batch["status"]),
            Cell::new(print::word(&batch["orders"])),
            Cell::new(print::word(&batch["checks"])),
            Cell::new(super::show::progress(batch)),
            Cell::new(print::word(&batch["rejected_count"])),
            Cell::new(print::time(&batch["created_at"])),
        ]);
    }
    print::keep_whole(&mut table, &[0]);
    print::align_numbers(&mut table, &[3, 4, 5, 6]);
    table
}
