//! What the demo prints: how far it is, and what came of it.

use std::io::IsTerminal as _;
use std::time::Duration;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;

use super::Outcome;
use super::tally::checks_of;

/// Shows on standard error how far it is: a bar on a terminal, else a line for each step.
pub struct Progress {
    bar: ProgressBar,
    is_terminal: bool,
}

impl Progress {
    pub fn start() -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let target = if is_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar, is_terminal }
    }

    pub fn say(&self, step: &str) {
        if !self.is_terminal {
            eprintln!("{step}");
        }
        self.bar.set_message(step.to_owned());
    }

    pub fn show(&self, done: usize, of: usize) {
        let length = |count| u64::try_from(count).unwrap_or(u64::MAX);
        if self.bar.length().is_none()
            && let Ok(style) = ProgressStyle::with_template("{spinner} {wide_bar} {pos}/{len}  {msg}")
        {
            self.bar.set_style(style);
        }
        self.bar.set_length(length(of));
        self.bar.set_position(length(done));
    }

    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

pub fn print(outcome: &Outcome) {
    println!("\nOrders\n{}", orders(outcome));
    println!("\nLost answers, and how each was settled\n{}", cases(outcome));
    println!("\nCounted from the vendors' own books\n{}", tallies(outcome));
    let checks: usize = outcome.tallies.values().map(|tally| tally.checks_sent).sum();
    let objects: usize = outcome.tallies.values().map(|tally| tally.vendor_objects).sum();
    if outcome.complaints.is_empty() {
        println!(
            "\nVendor orders made = checks sent ({objects} = {checks}), 0 lost, 0 duplicated. It took {:.1?}.",
            outcome.took
        );
        return;
    }
    println!("\nThis does not add up:");
    for complaint in &outcome.complaints {
        println!("  - {complaint}");
    }
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header);
    table
}

fn orders(outcome: &Outcome) -> Table {
    let mut table = table(&["order", "status", "outcome", "check", "vendor's object"]);
    for order in &outcome.orders {
        let mut own = [word(&order["external_id"]), word(&order["status"]), word(&order["outcome"])];
        for check in checks_of(order) {
            let what = format!("{} at {}: {}", word(&check["type"]), word(&check["provider"]), word(&check["outcome"]));
            table.add_row(own.into_iter().chain([what, word(&check["vendor"]["order_id"])]));
            // The checks of one order stand below each other.
            own = Default::default();
        }
    }
    table
}

fn cases(outcome: &Outcome) -> Table {
    let mut table = table(&["order", "vendor", "why", "found", "then"]);
    for case in &outcome.cases {
        for item in case["items"].as_array().into_iter().flatten() {
            let of_item = |order: &&Value| checks_of(order).any(|check| check["id"] == item["check_id"]);
            let order = outcome.orders.iter().find(of_item).map(|order| word(&order["external_id"]));
            let was_resent = !item["resent_at"].is_null();
            let (found, then) = match item["state"].as_str() {
                Some("bound") if was_resent => ("not there, by two looks", "sent again, once"),
                Some("bound") => ("there", "bound, not sent again"),
                Some("duplicate") => ("there, more than once", "bound, duplicates recorded"),
                _ => ("not known yet", "open"),
            };
            let why = case["reason"]["code"].as_str().unwrap_or("-").to_owned();
            table.add_row([order.unwrap_or_default(), word(&case["provider"]), why, found.to_owned(), then.to_owned()]);
        }
    }
    table
}

fn tallies(outcome: &Outcome) -> Table {
    let mut table =
        table(&["vendor", "orders", "checks sent", "completed", "vendor objects", "lost", "duplicated", "cases"]);
    for (vendor, tally) in &outcome.tallies {
        let counts = [
            tally.orders,
            tally.checks_sent,
            tally.completed,
            tally.vendor_objects,
            tally.lost,
            tally.duplicated,
            tally.cases,
        ];
        table.add_row(std::iter::once((*vendor).to_owned()).chain(counts.iter().map(usize::to_string)));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or("-").to_owned()
}
