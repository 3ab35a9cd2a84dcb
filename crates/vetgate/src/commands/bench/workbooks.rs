//! `vetgate bench workbooks`

mod work;

use std::process::{Command, ExitCode};

use anyhow::Context as _;
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cli::count;
use crate::commands::print;

use work::Work;

/// At least so many times as fast as the peers. The one for reading trusts the file, and matches nothing.
const AIM_WRITING: f64 = 1.0;
const AIM_READING: f64 = 0.4;

#[derive(Debug, Args)]
pub struct Options {
    /// Rows of the workbook; a vendor takes 1,000
    #[arg(long, default_value_t = 1_000, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    rows: u32,
    /// How often; the middle one counts
    #[arg(long, default_value = "15", value_name = "COUNT", value_parser = count)]
    rounds: usize,
    /// One JSON document on standard output
    #[arg(long)]
    json: bool,
    /// Does one kind of work only and prints what it took: how the command calls itself, so that each has a memory of its
    /// own
    #[arg(long, hide = true)]
    only: Option<Work>,
}

/// What one kind of work took.
#[derive(Debug, Serialize, Deserialize)]
struct Took {
    ms: f64,
    /// What it held at most beyond what it was given; only where the system tells.
    peak_kb: Option<u64>,
}

pub fn workbooks(options: &Options) -> anyhow::Result<ExitCode> {
    if let Some(work) = options.only {
        print::json(&serde_json::to_value(measure(work, options)?)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let child = |work: Work| -> anyhow::Result<Took> {
        let output = Command::new(std::env::current_exe()?)
            .args(["bench", "workbooks", "--only", work.name()])
            .args(["--rows", &options.rows.to_string(), "--rounds", &options.rounds.to_string()])
            .output()?;
        serde_json::from_slice(&output.stdout).with_context(|| format!("{} could not be measured", work.name()))
    };
    let (write, write_peer) = (child(Work::Write)?, child(Work::WritePeer)?);
    let (read, read_peer) = (child(Work::Read)?, child(Work::ReadPeer)?);
    let ratios = [write_peer.ms / write.ms, read_peer.ms / read.ms];
    let aims = [AIM_WRITING, AIM_READING];
    let good = ratios.iter().zip(aims).all(|(ratio, aim)| *ratio >= aim);
    if options.json {
        let side = |ours: &Took, peers: &Took, peer: &str, at: usize| json!({ "ours": ours, "peer": peer, "peers": peers, "ratio": ratios[at], "aim": aims[at] });
        print::json(&json!({
            "ok": good, "rows": options.rows, "rounds": options.rounds,
            "write": side(&write, &write_peer, work::WRITER, 0),
            "read": side(&read, &read_peer, work::READER, 1),
        }))?;
        return Ok(super::verdict(good));
    }
    let mut table = print::table(&["", "took", "held at most", "as fast as the peer", "aim"]);
    let mut row = |what: String, took: &Took, at: Option<usize>| {
        let held = took.peak_kb.map_or_else(|| "-".to_owned(), |kb| format!("{kb} kB"));
        let (ratio, aim) =
            at.map_or_else(Default::default, |at| (format!("{:.2}", ratios[at]), format!("≥ {:.1}", aims[at])));
        table.add_row([what, format!("{:.1} ms", took.ms), held, ratio, aim]);
    };
    row("writing a file for the vendor, in constant memory".to_owned(), &write, Some(0));
    row(format!("  its peer: the same cells by {}", work::WRITER), &write_peer, None);
    row("reading a report within hard limits, rows matched".to_owned(), &read, Some(1));
    row(format!("  its peer: the same file by {}", work::READER), &read_peer, None);
    print::align_numbers(&mut table, &[1, 2, 3, 4]);
    print::section(&format!("Workbooks of {} rows", options.rows), &table)?;
    print::line("\nTimes and memory are shown, not judged.")?;
    Ok(super::verdict(good))
}

/// The middle one of the rounds, and the memory of the first.
fn measure(work: Work, options: &Options) -> anyhow::Result<Took> {
    let bench = work::Bench::new(options.rows)?;
    let before = reset_peak();
    let first = bench.run(work)?;
    let peak_kb = before.and_then(|before| Some(status("VmHWM:")?.saturating_sub(before)));
    let mut times = vec![first];
    for _ in 1..options.rounds {
        times.push(bench.run(work)?);
    }
    times.sort_unstable();
    Ok(Took { ms: times[times.len() / 2].as_secs_f64() * 1e3, peak_kb })
}

/// Lets the peak of this process begin at what it holds now, in kB. `None`: the system does not tell.
fn reset_peak() -> Option<u64> {
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    status("VmRSS:")
}

fn status(key: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
