//! `vetgate orders show`

use clap::Args;
use comfy_table::Cell;
use serde_json::{Value, json};

use super::why;
use crate::client::Client;
use crate::commands::{cases, print};

#[derive(Debug, Args)]
pub struct Options {
    #[arg(value_name = "ORDER")]
    id: String,
    /// How many of its last events to show
    #[arg(long, default_value_t = 10, value_name = "COUNT", value_parser = crate::cli::count)]
    events: usize,
}

pub async fn show(client: &Client, options: &Options, json: bool) -> anyhow::Result<()> {
    let order = client.get(&["orders", &options.id], &[]).await?;
    let cases = cases::unresolved_of(client, &order).await?;
    let events = client.all(&["orders", &options.id, "events"], &[]).await?;
    let last = &events[events.len().saturating_sub(options.events)..];
    if json {
        return print::json(&json!({ "order": order, "cases": cases, "events": last }));
    }
    print::line(print::trimmed(&head(&order)))?;
    print::section("Checks", &checks(&order))?;
    print::section("Why", &why::table(client, &order, &cases).await?)?;
    let heading = match events.len() {
        shown if shown == last.len() => "Events".to_owned(),
        all => format!("Events, the last {} of {all}", last.len()),
    };
    print::section(&heading, &timeline(last))?;
    for case in &cases {
        print::line(format_args!("\nvetgate cases show {}", print::word(&case["id"])))?;
    }
    Ok(())
}

fn head(order: &Value) -> comfy_table::Table {
    let mut facts = print::table(&[]);
    facts.add_row([Cell::new("order"), Cell::new(print::word(&order["id"]))]);
    facts.add_row([Cell::new("status"), print::state(&order["status"])]);
    for (name, key) in [("external id", "external_id"), ("batch", "batch_id"), ("outcome", "outcome")] {
        if !order[key].is_null() {
            facts.add_row([Cell::new(name), print::state(&order[key])]);
        }
    }
    for (name, key) in [("created", "created_at"), ("completed", "completed_at")] {
        if !order[key].is_null() {
            facts.add_row([name.to_owned(), print::time(&order[key])]);
        }
    }
    print::keep_whole(&mut facts, &[0, 1]);
    facts
}

fn checks(order: &Value) -> comfy_table::Table {
    let header = ["check", "type", "account", "status", "outcome", "vendor's order", "vendor's word"];
    let mut table = print::table(&header);
    for check in order["checks"].as_array().into_iter().flatten() {
        let account = format!("{}/{}", print::word(&check["provider"]), print::word(&check["account"]));
        table.add_row([
            Cell::new(print::word(&check["id"])),
            Cell::new(print::word(&check["type"])),
            Cell::new(account),
            print::state(&check["status"]),
            print::state(&check["outcome"]),
            Cell::new(print::word(&check["vendor"]["order_id"])),
            Cell::new(print::word(&check["vendor"]["status"])),
        ]);
    }
    print::keep_whole(&mut table, &[0, 5]);
    table
}

fn timeline(events: &[Value]) -> comfy_table::Table {
    let mut table = print::table(&["at", "event", "check", ""]);
    for event in events {
        table.add_row([
            print::time(&event["at"]),
            print::word(&event["type"]),
            print::word(&event["check_id"]),
            print::pairs(&event["data"]),
        ]);
    }
    print::keep_whole(&mut table, &[0, 2]);
    table
}
