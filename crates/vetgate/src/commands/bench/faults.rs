//! `vetgate bench faults`

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use futures::StreamExt as _;
use serde_json::{Value, json};
use trials::{Invariant, Report, Tallies};

use crate::cli::count;
use crate::commands::{print, progress};

#[derive(Debug, Args)]
pub struct Options {
    /// How many schedules
    #[arg(long, default_value = "100", value_name = "COUNT", value_parser = count)]
    schedules: usize,
    /// The first one's seed; the next ones count on from it
    #[arg(long, default_value_t = 1, value_name = "SEED")]
    seed: u64,
    /// How many at once: they wait more than they compute
    #[arg(long, default_value = "8", value_name = "COUNT", value_parser = count)]
    jobs: usize,
    /// One JSON document on standard output
    #[arg(long)]
    json: bool,
}

struct Outcome {
    schedules: u64,
    first_seed: u64,
    violations: Vec<String>,
    seeds: Vec<u64>,
    tallies: Tallies,
    took: Duration,
}

pub async fn faults(options: Options) -> anyhow::Result<ExitCode> {
    // Without a log: what goes wrong there was meant to, and is counted. A schedule that panics is reported with its seed,
    // not by a trace in the middle of the table.
    std::panic::set_hook(Box::new(|_| {}));
    let outcome = tokio::select! {
        outcome = run(&options) => outcome?,
        stopped = crate::commands::told_to_stop() => return Err(stopped.err().map_or_else(|| anyhow::anyhow!("stopped"), Into::into)),
    };
    if options.json {
        print::json(&outcome.document())?;
    } else {
        outcome.print()?;
    }
    Ok(super::verdict(outcome.violations.is_empty()))
}

async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let begun = Instant::now();
    let total = options.schedules as u64;
    let bar = progress::bar("{spinner} {wide_bar} {pos}/{len} schedules, {msg}");
    bar.set_length(total);
    let mut lines = progress::Lines::default();
    let seeds = options.seed..options.seed.saturating_add(total);
    let run = |seed| tokio::spawn(async move { trials::schedule(seed, &trials::Options::default()).await });
    let mut reports = futures::stream::iter(seeds).map(run).buffer_unordered(options.jobs);
    let mut outcome = Outcome {
        schedules: 0,
        first_seed: options.seed,
        violations: Vec::new(),
        seeds: Vec::new(),
        tallies: Tallies::default(),
        took: Duration::ZERO,
    };
    while let Some(report) = reports.next().await {
        let Report { seed, violations, tallies } = report?;
        outcome.schedules += 1;
        outcome.tallies.add(&tallies);
        if !violations.is_empty() {
            outcome.seeds.push(seed);
        }
        outcome.violations.extend(violations);
        bar.set_position(outcome.schedules);
        bar.set_message(format!("{} violations", outcome.violations.len()));
        lines.say(&format!("{} of {total} schedules, {} violations", outcome.schedules, outcome.violations.len()));
    }
    bar.finish_and_clear();
    outcome.took = begun.elapsed();
    Ok(outcome)
}

impl Outcome {
    #[expect(clippy::cast_precision_loss, reason = "nobody runs so many schedules")]
    fn per_second(&self) -> f64 {
        self.schedules as f64 / self.took.as_secs_f64()
    }

    fn document(&self) -> Value {
        let promise = |invariant: Invariant| {
            let count = self.tallies.invariant(invariant);
            let value = json!({ "says": invariant.says(), "examined": count.examined, "violated": count.violated });
            (invariant.name().to_owned(), value)
        };
        json!({
            "ok": self.violations.is_empty(),
            "schedules": self.schedules,
            "first_seed": self.first_seed,
            "promises": Invariant::ALL.map(promise).into_iter().collect::<serde_json::Map<_, _>>(),
            "injected": self.tallies.injected,
            "came_of_it": self.tallies.came,
            "violations": self.violations,
            "violating_seeds": self.seeds,
            "took_ms": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
            "schedules_per_second": self.per_second(),
        })
    }

    fn print(&self) -> anyhow::Result<()> {
        let mut promises = print::table(&["promise", "examined", "violated"]);
        for invariant in Invariant::ALL {
            let count = self.tallies.invariant(invariant);
            promises.add_row([invariant.says().to_owned(), count.examined.to_string(), count.violated.to_string()]);
        }
        print::align_numbers(&mut promises, &[1, 2]);
        print::section("What must hold, whatever fails", &promises)?;
        let mut came = print::table(&["what came of it", "count"]);
        for (what, times) in &self.tallies.came {
            came.add_row([(*what).to_owned(), times.to_string()]);
        }
        print::align_numbers(&mut came, &[1]);
        print::section("What happened", &came)?;
        let mut injected = print::table(&["fault", "times"]);
        for (what, times) in &self.tallies.injected {
            injected.add_row([what.clone(), times.to_string()]);
        }
        print::align_numbers(&mut injected, &[1]);
        print::section("What was made to fail", &injected)?;
        print::line(format_args!(
            "\n{} schedules from seed {}, {} violations. {:.1} schedules a second, {:.1?} in all.",
            self.schedules,
            self.first_seed,
            self.violations.len(),
            self.per_second(),
            self.took
        ))?;
        for violation in &self.violations {
            print::line(format_args!("  {violation}"))?;
        }
        for seed in &self.seeds {
            print::line(format_args!("Run it again: vetgate bench faults --schedules 1 --seed {seed}"))?;
        }
        Ok(())
    }
}
