//! `vetgate cases orphans`

use clap::Args;
use comfy_table::Table;
use serde_json::Value;

use crate::client::Client;
use crate::commands::print;

#[derive(Debug, Args)]
pub struct Options {
    #[arg(long, value_name = "VENDOR")]
    provider: Option<String>,
    /// duplicate: carries a reference of ours, and its check is fulfilled by another. stranger: carries none of ours
    #[arg(long, value_parser = ["duplicate", "stranger"])]
    kind: Option<String>,
    /// How many at most
    #[arg(long, default_value_t = 50, value_name = "COUNT", value_parser = crate::cli::count)]
    limit: usize,
}

pub async fn orphans(client: &Client, options: &Options, json: bool) -> anyhow::Result<()> {
    let query = [("provider", options.provider.as_deref()), ("kind", options.kind.as_deref())];
    let page = client.list(&["reconciliation", "orphans"], &query, options.limit).await?;
    print::list(&page, json, "no orphans", table)
}

fn table(orphans: &[Value]) -> Table {
    let header = ["account", "vendor's order", "kind", "check", "case", "made", "seen", "canceled"];
    let mut table = print::table(&header);
    for orphan in orphans {
        let words = ["account", "vendor_order_id", "kind", "check_id", "case_id"].map(|key| print::word(&orphan[key]));
        let times = ["created_at", "seen_at"].map(|key| print::time(&orphan[key]));
        table.add_row(words.into_iter().chain(times).chain([print::word(&orphan["canceled"])]));
    }
    print::keep_whole(&mut table, &[1, 3, 4]);
    table
}
