//! `vetgate bench`: the gateway's promises, measured.

mod copy;
mod faults;
mod intake;
mod scan;
mod workbooks;

use std::process::ExitCode;

use clap::{Args, Subcommand};

/// What is measured.
#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// Runs random schedules of faults and counts each promise: how often it was examined, how often broken
    #[command(after_help = "\
Each schedule is made from its seed: orders, batches, faults of vendors, lost and forged hooks, processes that die. In the \
end what the gateway believes is held against the simulators' own books. Ends with 1 if a promise was broken, and says \
which seed shows it:

  vetgate bench faults --schedules 1000 --seed 1
  vetgate bench faults --seed 417 --schedules 1      runs that one again")]
    Faults(faults::Options),
    /// Compares the upload of a batch with Postgres' own COPY of the same rows
    #[command(after_help = "Ends with 1 if the aim was missed. What was measured is printed beside the aim.")]
    Intake(intake::Options),
    /// Counts the calls that it takes to find lost orders, and the fewest that could do it
    #[command(after_help = "Ends with 1 if the aim was missed, which is printed, or if not all of them were found.")]
    Scan(scan::Options),
    /// Compares writing and reading the workbooks of a vendor's own batches with the libraries that are made for it
    #[command(after_help = "Ends with 1 if an aim was missed. Only ratios are judged; times and memory are shown.")]
    Workbooks(workbooks::Options),
}

pub async fn bench(options: Options) -> anyhow::Result<ExitCode> {
    match options.bench {
        Bench::Faults(options) => faults::faults(options).await,
        Bench::Intake(options) => intake::intake(options).await,
        Bench::Scan(options) => scan::scan(options).await,
        Bench::Workbooks(options) => workbooks::workbooks(&options),
    }
}

/// 0 if it is as good as it must be.
fn verdict(good: bool) -> ExitCode {
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
