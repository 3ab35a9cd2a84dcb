//! `vetgate batches show`

use std::collections::BTreeSet;

use comfy_table::{Cell, Table};
use domain::CheckStatus;
use serde_json::Value;

use crate::client::Client;
use crate::client::refused::{Told, nothing_if_forbidden};
use crate::commands::{cases, print};

/// How many of the rows that were left out are shown.
const MOST_ROWS: usize = 20;

pub async fn show(client: &Client, id: &str, json: bool) -> anyhow::Result<()> {
    print(client, &client.get(&["batches", id], &[]).await?, json).await
}

/// Prints a batch, with the cases of it that wait for a person.
pub async fn print(client: &Client, batch: &Value, json: bool) -> anyhow::Result<()> {
    if json {
        return print::json(batch);
    }
    print::line(print::trimmed(&head(batch)))?;
    print::section("Checks", &counts(batch))?;
    print::section("Files at vendors", &files(batch))?;
    let rejected = batch["rejected_rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    print::section("Rows that were left out", &left_out(&rejected[..rejected.len().min(MOST_ROWS)]))?;
    if rejected.len() > MOST_ROWS {
        print::line("… and more; --json shows the first 1,000.")?;
    }
    let waiting = to_decide(client, batch).await?;
    print::section("Cases that wait for a person", &cases::table(&waiting))?;
    for case in &waiting {
        print::line(format_args!("  vetgate cases show {}", print::word(&case["id"])))?;
    }
    Ok(())
}

fn head(batch: &Value) -> Table {
    let mut facts = print::table(&[]);
    facts.add_row([Cell::new("batch"), Cell::new(print::word(&batch["id"]))]);
    facts.add_row([Cell::new("status"), print::state(&batch["status"])]);
    if !batch["external_id"].is_null() {
        facts.add_row(["external id".to_owned(), print::word(&batch["external_id"])]);
    }
    facts.add_row(["orders".to_owned(), print::word(&batch["orders"])]);
    facts
        .add_row(["checks".to_owned(), format!("{}, {} of them done", print::word(&batch["checks"]), progress(batch))]);
    if batch["rejected_count"].as_u64().is_some_and(|count| count > 0) {
        facts.add_row(["rows left out".to_owned(), print::word(&batch["rejected_count"])]);
    }
    for (name, key) in
        [("created", "created_at"), ("cancel asked for", "cancel_requested_at"), ("completed", "completed_at")]
    {
        if !batch[key].is_null() {
            facts.add_row([name.to_owned(), print::time(&batch[key])]);
        }
    }
    print::keep_whole(&mut facts, &[0, 1]);
    facts
}

/// The share of its checks that are final: `25%`. Not rounded up: 100% is all of them.
pub fn progress(batch: &Value) -> String {
    let share = batch["progress"].as_f64().unwrap_or_default();
    format!("{}%", (share * 100.0).floor())
}

/// Where its checks stand, without those where none does.
fn counts(batch: &Value) -> Table {
    let mut table = print::table(&[]);
    for (status, count) in counted(batch) {
        table.add_row([print::state(&Value::from(status.as_str())), Cell::new(count)]);
    }
    print::align_numbers(&mut table, &[1]);
    table
}

/// How many checks stand where, in the order of a check's way.
pub fn counted(batch: &Value) -> impl Iterator<Item = (CheckStatus, u64)> {
    let count = |status: &CheckStatus| batch["counts"][status.as_str()].as_u64().filter(|count| *count > 0);
    CheckStatus::ALL.iter().filter_map(move |status| Some((*status, count(status)?)))
}

/// The vendors' own batches that its checks went in.
fn files(batch: &Value) -> Table {
    let mut table = print::table(&["Provider", "Vendor's batch", "Checks", "Stage"]);
    for file in batch["files"].as_array().into_iter().flatten() {
        let stage = match (file["completed_at"].is_null(), file["stopped_at"].is_null()) {
            (false, _) => "ended".to_owned(),
            (true, false) => format!("{}, stopped", print::word(&file["stage"])),
            (true, true) => print::word(&file["stage"]),
        };
        let words = [&file["provider"], &file["vendor_batch_id"], &file["rows"]].map(print::word);
        table.add_row(words.into_iter().chain([stage]));
    }
    print::align_numbers(&mut table, &[2]);
    table
}

fn left_out(rows: &[Value]) -> Table {
    let mut table = print::table(&[]);
    for row in rows {
        let faults: Vec<_> =
            row["errors"].as_array().into_iter().flatten().map(|fault| Told(fault).to_string()).collect();
        table.add_row([format!("row {}", print::word(&row["row"])), faults.join("\n")]);
    }
    print::keep_whole(&mut table, &[0]);
    table
}

/// The cases of a batch's checks that wait for a person.
async fn to_decide(client: &Client, batch: &Value) -> anyhow::Result<Vec<Value>> {
    if batch["counts"]["needs_review"].as_u64().unwrap_or_default() == 0 {
        return Ok(Vec::new());
    }
    let query = [("batch_id", batch["id"].as_str()), ("check_status", Some(CheckStatus::NeedsReview.as_str()))];
    let orders = client.all(&["orders"], &query).await?;
    let orders: BTreeSet<_> = orders.iter().filter_map(|order| order["id"].as_str()).collect();
    let query = [("state", Some("needs_review")), ("created_after", batch["created_at"].as_str())];
    let mut waiting = nothing_if_forbidden(client.all(&["reconciliation", "cases"], &query).await)?;
    waiting.retain(|case| {
        let mut items = case["items"].as_array().into_iter().flatten();
        items.any(|item| item["order_id"].as_str().is_some_and(|order| orders.contains(order)))
    });
    Ok(waiting)
}
