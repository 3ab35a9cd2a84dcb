//! `vetgate orders list`

use clap::Args;
use comfy_table::{Cell, Table};
use domain::{CheckStatus, CheckType, OrderStatus, Outcome};
use serde_json::Value;

use crate::cli::word_of;
use crate::client::Client;
use crate::commands::print;

#[derive(Debug, Args)]
pub struct Options {
    #[arg(long, value_parser = word_of(OrderStatus::ALL, OrderStatus::as_str))]
    status: Option<String>,
    /// At least one check stands so. With --provider and --check-type, one and the same check
    #[arg(long, value_name = "STATUS", value_parser = word_of(CheckStatus::ALL, CheckStatus::as_str))]
    check_status: Option<String>,
    #[arg(long, value_name = "VENDOR")]
    provider: Option<String>,
    #[arg(long, value_name = "TYPE", value_parser = word_of(CheckType::ALL, CheckType::as_str))]
    check_type: Option<String>,
    #[arg(long, value_parser = word_of(Outcome::ALL, Outcome::as_str))]
    outcome: Option<String>,
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    #[arg(long, value_name = "BATCH")]
    batch: Option<String>,
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
        ("check_status", options.check_status.as_deref()),
        ("provider", options.provider.as_deref()),
        ("check_type", options.check_type.as_deref()),
        ("outcome", options.outcome.as_deref()),
        ("external_id", options.external_id.as_deref()),
        ("batch_id", options.batch.as_deref()),
        ("created_after", options.created_after.as_deref()),
        ("created_before", options.created_before.as_deref()),
    ];
    let page = client.list(&["orders"], &query, options.limit).await?;
    print::list(&page, json, "no such orders", table)
}

fn table(orders: &[Value]) -> Table {
    let mut table = print::table(&["order", "external id", "status", "outcome", "checks", "created"]);
    for order in orders {
        table.add_row([
            Cell::new(print::word(&order["id"])),
            Cell::new(print::word(&order["external_id"])),
            print::state(&order["status"]),
            print::state(&order["outcome"]),
            Cell::new(checks(order)),
            Cell::new(print::time(&order["created_at"])),
        ]);
    }
    print::keep_whole(&mut table, &[0]);
    table
}

/// Where each check stands: `theary unconfirmed, truora completed`.
fn checks(order: &Value) -> String {
    let checks = order["checks"].as_array().into_iter().flatten();
    let each = checks.map(|check| format!("{} {}", print::word(&check["provider"]), print::word(&check["status"])));
    each.collect::<Vec<_>>().join(", ")
}
