//! `vetgate bench scan`

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use crate::commands::print;

/// No more than so many times the fewest calls.
const AIM: f64 = 1.1;

#[derive(Debug, Args)]
pub struct Options {
    /// How many checks are looked for
    #[arg(long, default_value_t = 1_000, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    unknown: u32,
    /// How many orders the vendor lists, those among them
    #[arg(long, default_value_t = 10_000, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    listed: u32,
    /// One JSON document on standard output
    #[arg(long)]
    json: bool,
}

pub async fn scan(options: Options) -> anyhow::Result<ExitCode> {
    crate::telemetry::log_quietly();
    anyhow::ensure!(options.unknown <= options.listed, "--unknown is of those that are listed: it cannot be more");
    let cost = trials::scan_cost(options.unknown, options.listed).await;
    let good = cost.found == cost.unknown && cost.ratio() <= AIM;
    if options.json {
        print::json(&json!({
            "ok": good, "unknown": cost.unknown, "listed": cost.listed, "found": cost.found, "pages": cost.pages,
            "read": cost.read, "calls": cost.pages + cost.read, "least": cost.least, "ratio": cost.ratio(), "aim": AIM,
            "took_ms": u64::try_from(cost.took.as_millis()).unwrap_or(u64::MAX),
        }))?;
    } else {
        let mut table =
            print::table(&["unknown", "listed", "found", "pages", "orders read", "calls", "least", "ratio", "aim"]);
        let calls = cost.pages + cost.read;
        let counts = [cost.unknown, cost.listed, cost.found, cost.pages, cost.read, calls, cost.least];
        let ratios = [format!("{:.3}", cost.ratio()), format!("≤ {AIM}")];
        table.add_row(counts.iter().map(u64::to_string).chain(ratios));
        print::align_numbers(&mut table, &[0, 1, 2, 3, 4, 5, 6, 7, 8]);
        print::section("Finding lost orders, counted from the vendor's books", &table)?;
        print::line(format_args!("\nIt took {:.1?}.", cost.took))?;
    }
    Ok(super::verdict(good))
}
