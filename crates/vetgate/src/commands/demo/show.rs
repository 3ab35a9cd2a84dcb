//! What the demo prints: how far it is, and what came of it.

use comfy_table::{Cell, Table};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use super::tally::checks_of;
use super::{Dossier, Outcome, half_way};
use crate::commands::{print, progress};

/// Shows on standard error how far it is: a bar on a terminal, else a line for each step.
pub struct Progress(ProgressBar);

impl Progress {
    pub fn start() -> Self {
        Self(progress::bar("{spinner} {msg}"))
    }

    pub fn say(&self, step: &str) {
        if !progress::is_terminal() {
            print::tell(step);
        }
        self.0.set_message(step.to_owned());
    }

    pub fn show(&self, done: usize, of: usize) {
        let length = |count| u64::try_from(count).unwrap_or(u64::MAX);
        if self.0.length().is_none()
            && let Ok(style) = ProgressStyle::with_template("{spinner} {bar:30} {pos}/{len}  {msg}")
        {
            self.0.set_style(style);
        }
        self.0.set_length(length(of));
        self.0.set_position(length(done));
    }

    pub fn end(&self) {
        self.0.finish_and_clear();
    }
}

pub fn print(outcome: &Outcome) -> anyhow::Result<()> {
    print::section("Single orders", &orders(outcome))?;
    print::section("One person: employment, income and education", &attempts(&outcome.dossier))?;
    print::line(outcome.dossier.told())?;
    print::section("Batches", &batches(outcome))?;
    print::section("Lost answers, and how each was settled", &cases(outcome))?;
    let lost = "A batch call of Theary's that failed half-way and lost its answer: when each order was made, and how it was found";
    print::section(lost, &stories(outcome))?;
    print::section("What looking for them cost", &scans(outcome))?;
    print::section("Counted from the vendors' own books", &tallies(outcome))?;
    let checks: usize = outcome.tallies.values().map(|tally| tally.checks_sent).sum();
    let objects: usize = outcome.tallies.values().map(|tally| tally.vendor_objects).sum();
    if outcome.complaints.is_empty() {
        return print::line(format_args!(
            "\nVendor orders made = checks sent ({objects} = {checks}), 0 lost, 0 duplicated. It took {:.1?}.",
            outcome.took
        ));
    }
    print::line("\nThis does not add up:")?;
    outcome.complaints.iter().try_for_each(|complaint| print::line(format_args!("  - {complaint}")))
}

fn orders(outcome: &Outcome) -> Table {
    let mut table = print::table(&["order", "status", "outcome", "check", "vendor's object"]);
    for order in outcome.orders.iter().filter(|order| order["batch_id"].is_null()) {
        // The checks of one order stand below each other.
        let mut own = [
            Cell::new(print::word(&order["external_id"])),
            print::state(&order["status"]),
            print::state(&order["outcome"]),
        ];
        for check in checks_of(order) {
            let what = format!(
                "{} at {}: {}",
                print::word(&check["type"]),
                print::word(&check["provider"]),
                print::word(&check["outcome"])
            );
            table.add_row(own.into_iter().chain([what, print::word(&check["vendor"]["order_id"])].map(Cell::new)));
            own = [(); 3].map(|()| Cell::new(""));
        }
    }
    table
}

fn attempts(dossier: &Dossier) -> Table {
    let mut table = print::table(&["check", "attempt", "vendor", "verdict", "price", "took"]);
    for attempt in dossier.attempts() {
        let vendor = match attempt["product"].as_str() {
            Some(product) => format!("{}: {product}", print::word(&attempt["provider"])),
            None => print::word(&attempt["provider"]),
        };
        let price = match attempt["price"]["amount"].as_str() {
            Some(amount) => format!("{amount} {}", print::word(&attempt["price"]["currency"])),
            None => "not told".to_owned(),
        };
        let took = attempt["took_seconds"].as_u64().map(|seconds| format!("{seconds}s")).unwrap_or_default();
        let verdict = print::word(dossier.verdict_of(attempt));
        table.add_row([print::word(&attempt["type"]), print::word(&attempt["attempt"]), vendor, verdict, price, took]);
    }
    print::align_numbers(&mut table, &[1, 4, 5]);
    table
}

fn batches(outcome: &Outcome) -> Table {
    let mut table = print::table(&["batch", "status", "orders", "checks", "completed", "at"]);
    for batch in outcome.batches.iter().rev() {
        let of_batch = outcome.orders.iter().filter(|order| order["batch_id"] == batch["id"]).flat_map(checks_of);
        let mut vendors: Vec<_> = of_batch.map(|check| print::word(&check["provider"])).collect();
        vendors.sort();
        vendors.dedup();
        table.add_row([
            Cell::new(print::word(&batch["external_id"])),
            print::state(&batch["status"]),
            Cell::new(print::word(&batch["orders"])),
            Cell::new(print::word(&batch["checks"])),
            Cell::new(print::word(&batch["counts"]["completed"])),
            Cell::new(vendors.join(", ")),
        ]);
    }
    print::align_numbers(&mut table, &[2, 3, 4]);
    table
}

fn stories(outcome: &Outcome) -> Table {
    let mut table = print::table(&["order", "made at the vendor", "found", "then"]);
    for story in &outcome.stories {
        let made = match story.made_after_ms {
            None => "never".to_owned(),
            Some(_) if story.resent => "not by this call".to_owned(),
            Some(after) if after <= 0 => "before the call failed".to_owned(),
            Some(after) => format!("{} after the call had failed", seconds(after)),
        };
        let found = match story.found_by_scan {
            Some(scan) if !story.resent => format!("by scan {scan}"),
            _ => "not there, by two looks".to_owned(),
        };
        let then = match (story.bound, story.resent) {
            (true, false) => "bound, not sent again",
            (true, true) => "sent again, alone, once",
            (false, _) => "open",
        };
        table.add_row([story.external_id.clone(), made, found, then.to_owned()]);
    }
    table
}

fn scans(outcome: &Outcome) -> Table {
    let case = &outcome.failed_call;
    let mut table = print::table(&["scan", "began", "pages", "read", "calls", "least", "found", "complete"]);
    for (at, scan) in half_way::scans(case).enumerate() {
        table.add_row([
            (at + 1).to_string(),
            half_way::began_after_ms(case, scan).map(seconds).unwrap_or_default(),
            print::word(&scan["pages"]),
            print::word(&scan["read"]),
            print::word(&scan["cost"]["calls"]),
            print::word(&scan["cost"]["least"]),
            half_way::found(scan).count().to_string(),
            print::word(&scan["complete"]),
        ]);
    }
    print::align_numbers(&mut table, &[0, 1, 2, 3, 4, 5, 6]);
    table
}

/// `1.5s`
#[expect(clippy::cast_precision_loss, reason = "seconds of a demo")]
fn seconds(milliseconds: i64) -> String {
    format!("{:.1}s", milliseconds as f64 / 1000.0)
}

fn cases(outcome: &Outcome) -> Table {
    let mut table = print::table(&["order", "vendor", "why", "found", "then"]);
    for case in &outcome.cases {
        for item in case["items"].as_array().into_iter().flatten() {
            let of_item = |order: &&Value| checks_of(order).any(|check| check["id"] == item["check_id"]);
            let order = outcome.orders.iter().find(of_item).map(|order| print::word(&order["external_id"]));
            let was_resent = !item["resent_at"].is_null();
            let (found, then) = match item["state"].as_str() {
                Some("bound") if was_resent => ("not there, by two looks", "sent again, once"),
                Some("bound") => ("there", "bound, not sent again"),
                Some("duplicate") => ("there, more than once", "bound, duplicates recorded"),
                _ => ("not known yet", "open"),
            };
            let why = print::word(&case["reason"]["code"]);
            table.add_row([
                order.unwrap_or_default(),
                print::word(&case["provider"]),
                why,
                found.to_owned(),
                then.to_owned(),
            ]);
        }
    }
    table
}

fn tallies(outcome: &Outcome) -> Table {
    let mut table = print::table(&[
        "vendor",
        "orders",
        "checks sent",
        "completed",
        "vendor objects",
        "lost",
        "duplicated",
        "cases",
    ]);
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
    print::align_numbers(&mut table, &[1, 2, 3, 4, 5, 6, 7]);
    table
}
