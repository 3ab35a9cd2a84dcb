//! `vetgate batches import`

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use domain::Entropy as _;
use engine::OsEntropy;
use indicatif::{HumanBytes, ProgressBar};
use serde_json::{Map, Value, json};
use tokio::fs::File;

use super::{show, watch};
use crate::client::access::usage;
use crate::client::upload::{self, Upload, Uploaded};
use crate::client::{Client, Refused};
use crate::commands::print;
use crate::commands::progress::{self, Lines};

#[derive(Debug, Args)]
pub struct Options {
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Not given: as the file's name says
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Leaves rows out that are not valid, and lists them, instead of accepting nothing
    #[arg(long)]
    skip_invalid: bool,
    /// Your own id for the batch
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// A JSON file with what holds for every order that does not say otherwise; for NDJSON and JSON
    #[arg(long, value_name = "FILE")]
    defaults: Option<PathBuf>,
    /// Makes a new batch, also of a file that was imported within the last 24 hours
    #[arg(long)]
    again: bool,
    /// Goes on showing how far it is, until nothing of it goes on by itself
    #[arg(long)]
    watch: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// An order on each line
    Ndjson,
    /// The first line has the columns' names
    Csv,
    /// An Excel workbook
    Xlsx,
    /// {"orders": […]}, at most 1,000
    Json,
}

impl Format {
    fn of_name(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "csv" => Some(Self::Csv),
            "xlsx" => Some(Self::Xlsx),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Json => "application/json",
        }
    }
}

pub async fn import(client: &Client, options: &Options, json: bool) -> anyhow::Result<ExitCode> {
    let Some(format) = options.format.or_else(|| Format::of_name(&options.file)) else {
        return Err(usage("the file's name does not say what it is. Say so with --format"));
    };
    if options.defaults.is_some() && matches!(format, Format::Csv | Format::Xlsx) {
        return Err(usage("--defaults is for NDJSON and JSON. Here, fill the column in each row"));
    }
    let Uploaded { answer, replayed } = send(client, options, format).await.map_err(hint)?;
    let id = answer["id"].as_str().context("the gateway answered without a batch")?.to_owned();
    // What an earlier import was answered is as old as that import.
    let batch = if replayed { client.get(&["batches", &id], &[]).await? } else { answer };
    if replayed && !json {
        print::tell(
            "This file was imported within the last 24 hours: this is its batch. --again makes a new one of it.",
        );
    }
    if options.watch {
        if !json {
            let [orders, checks] = ["orders", "checks"].map(|key| print::word(&batch[key]));
            print::tell(format_args!("Batch {id}: {orders} orders, {checks} checks."));
        }
        return watch::watch(client, &id, json).await;
    }
    show::print(client, &batch, json).await?;
    if !json && batch["status"] == "in_progress" {
        print::line(format_args!("\nTo watch it: vetgate batches show {id} --watch"))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn send(client: &Client, options: &Options, format: Format) -> anyhow::Result<Uploaded> {
    let (path, name) = (options.file.clone(), options.file.display());
    let unreadable = || format!("{name} cannot be read");
    let digest = tokio::task::spawn_blocking(move || upload::digest(&path)).await?.with_context(unreadable)?;
    let idempotency_key = key(&digest, options.again);
    let media_type = format.media_type();
    let defaults = options.defaults.as_deref().map(object_of).transpose()?;
    if format == Format::Json {
        let body = serde_json::to_vec(&document(options, defaults)?)?;
        return client.upload(&["batches"], &[], Upload::whole(media_type, idempotency_key, body)).await;
    }
    let mut head = Vec::new();
    if let Some(defaults) = defaults {
        head = serde_json::to_vec(&json!({ "defaults": defaults }))?;
        head.push(b'\n');
    }
    let file = File::open(&options.file).await.with_context(unreadable)?;
    let length = file.metadata().await.with_context(unreadable)?.len() + head.len() as u64;
    let bar = progress::bar("{spinner} {bar:30} {bytes}/{total_bytes}  {msg}");
    bar.set_length(length);
    let body = upload::streamed(head, file, teller(bar.clone(), length));
    let query =
        [("external_id", options.external_id.as_deref()), ("on_invalid", options.skip_invalid.then_some("skip"))];
    let uploaded = client.upload(&["batches"], &query, Upload { media_type, idempotency_key, body, length }).await;
    bar.finish_and_clear();
    uploaded
}

/// Shows how many bytes are out. The rest of the time the gateway judges and stores the rows.
fn teller(bar: ProgressBar, length: u64) -> impl Fn(u64) + Send + Sync + 'static {
    let lines = Mutex::new(Lines::after_a_while());
    move |bytes| {
        bar.inc(bytes);
        let sent = bar.position();
        if sent >= length {
            bar.set_message("every row is judged and stored …");
        }
        let line = format!("{} of {} sent", HumanBytes(sent), HumanBytes(length));
        lines.lock().unwrap_or_else(PoisonError::into_inner).say(&line);
    }
}

/// A JSON document is one object, in which the options have their places.
fn document(options: &Options, defaults: Option<Map<String, Value>>) -> anyhow::Result<Map<String, Value>> {
    let mut document = object_of(&options.file)?;
    if let Some(id) = &options.external_id {
        document.insert("external_id".to_owned(), id.as_str().into());
    }
    if options.skip_invalid {
        document.insert("on_invalid".to_owned(), "skip".into());
    }
    if let Some(defaults) = defaults {
        document.insert("defaults".to_owned(), defaults.into());
    }
    Ok(document)
}

/// A file that holds one JSON object.
fn object_of(path: &Path) -> anyhow::Result<Map<String, Value>> {
    let name = path.display();
    let text = std::fs::read(path).with_context(|| format!("{name} cannot be read"))?;
    // Not the parser's own text: it can hold parts of what it read.
    serde_json::from_slice(&text).map_err(|error| {
        anyhow::anyhow!("{name} is not one JSON object, from line {}, column {} on", error.line(), error.column())
    })
}

/// The same for the same file, so that the gateway knows it again.
fn key(digest: &str, again: bool) -> String {
    if !again {
        return format!("import-{digest}");
    }
    let mut random = [0; 16];
    OsEntropy.fill(&mut random);
    format!("import-{digest}-{}", hex::encode(random))
}

/// Says what a refusal means here.
fn hint(error: anyhow::Error) -> anyhow::Error {
    let is_reused = error.downcast_ref::<Refused>().is_some_and(|refused| refused.is("idempotency-key-reused"));
    if is_reused {
        return error
            .context("this file was imported within the last 24 hours with other options. --again imports it anew");
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_a_file_is() {
        let of = |name: &str| Format::of_name(Path::new(name));
        assert_eq!(of("a/b.CSV"), Some(Format::Csv));
        assert_eq!([of("x.jsonl"), of("x.ndjson")], [Some(Format::Ndjson); 2]);
        assert_eq!([of("x.xls"), of("x"), of("csv")], [None; 3]);
    }

    #[test]
    fn a_file_keeps_its_key_unless_it_is_imported_again() {
        assert_eq!(key("ab", false), "import-ab");
        assert!(key("ab", true).starts_with("import-ab-") && key("ab", true) != key("ab", true));
    }
}
