//! How the commands are called.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand};

use crate::commands;
use crate::settings::Sources;

/// One API in front of every background-check vendor.
#[derive(Debug, Parser)]
#[command(name = "vetgate", version, propagate_version = true, disable_help_subcommand = true, after_help = HELP)]
pub struct Cli {
    /// The settings file. Where none is named, vetgate.toml is read if it is there. Variables (VETGATE_…) go before it.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Command,
}

const HELP: &str = "\
To look around without setting anything up:
  vetgate demo        sends orders through a gateway of its own and shows what came of them
  vetgate dev         keeps a gateway with simulated vendors running, and prints how to call it

To run it for real:
  cp vetgate.example.toml vetgate.toml     and fill in database, keys and vendors
  vetgate doctor                           says what is still wrong
  vetgate serve                            migrates, then serves the API and works";

const CALLING: &str = "\
They call a running gateway's API. Where it is, is said by --url or VETGATE_URL, else by public_url or listen of the \
settings. Who calls, is said by VETGATE_TOKEN or --token. On a machine whose settings hold auth.hs256_secret neither is \
needed: a token for a few minutes is made with it, for all tenants, or for the one that --tenant names. The audit log \
then names vetgate-cli and the USER.

They end with 0, with 1 if the gateway refused or something failed, with 2 if they were called wrongly.";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Brings the database up to date, then serves the API and does the work
    #[command(after_help = "\
Examples:
  vetgate serve
  vetgate serve --config /etc/vetgate.toml
  vetgate serve --no-workers               the API alone; run `vetgate worker` beside it

On SIGTERM or Ctrl-C it takes no more requests, ends the vendor calls that are under way, and stops. \
Any number of processes can share one database.")]
    Serve {
        /// Serves the API only
        #[arg(long)]
        no_workers: bool,
    },
    /// Does the work without serving the API
    #[command(after_help = "\
Sends what is due, looks for lost answers, follows the vendors' work. /metrics is served where \
metrics_listen is set. The database must be up to date: `vetgate migrate`.")]
    Worker,
    /// Brings the database up to date, and ends
    Migrate,
    /// Says what is wrong with the settings, the database and the ways to the vendors
    #[command(after_help = "\
Looks and changes nothing: each vendor is asked one cheap question that makes nothing there. \
Ends with 1 if something is wrong.

Examples:
  vetgate doctor
  vetgate doctor --json | jq '.findings[] | select(.state == \"wrong\")'")]
    Doctor {
        /// One JSON document on standard output
        #[arg(long)]
        json: bool,
    },
    /// Mints a token for calling the API, signed with the shared secret
    #[command(after_help = "\
Examples:
  vetgate token --tenant acme
  vetgate token --tenant ops --scopes 'reconciliation:read reconciliation:resolve tenants:all' --ttl 8h
  curl -H \"Authorization: Bearer $(vetgate token --tenant acme)\" http://127.0.0.1:8080/v1/orders

For development and for first steps; in production tokens come from your own issuer (auth.jwks_url).")]
    Token(commands::token::Options),
    /// Orders at a running gateway: list, show
    #[command(after_help = CALLING)]
    Orders(commands::orders::Options),
    /// Reconciliation cases at a running gateway: list, show, scan, resolve, orphans
    #[command(after_help = CALLING)]
    Cases(commands::cases::Options),
    /// Batches at a running gateway: list, show, import, cancel, report, template
    #[command(after_help = CALLING)]
    Batches(commands::batches::Options),
    /// The vendors: list them at a running gateway; have Truora send its hooks
    #[command(after_help = CALLING)]
    Providers(commands::providers::Options),
    /// Prints the API's contract, or writes or checks a file of it
    #[command(
        name = "openapi",
        after_help = "\
Examples:
  vetgate openapi > openapi.json
  vetgate openapi --write openapi/vetgate.json
  vetgate openapi --check openapi/vetgate.json     ends with 1 if the file is not what this version serves"
    )]
    OpenApi(commands::openapi::Options),
    /// Runs the simulated vendors alone, and prints their addresses and keys
    #[command(after_help = "\
Each simulator behaves as its vendor's documents say, keeps books, and can be told to fail:
  curl $TRUEWORK/_sandbox/books
  curl -X POST $TRUEWORK/_sandbox/faults -d '{\"on\": \"create\", \"fault\": \"drop_after\"}' -H 'Content-Type: application/json'")]
    Sandbox(commands::sandbox::Options),
    /// Keeps a gateway with simulated vendors running, on a private Postgres
    #[command(after_help = "\
Prints the address, a token and a first call. Keys and data are kept in the data folder between runs; \
the simulated vendors forget theirs. Nothing else needs to be set up: where DATABASE_URL is not set, a \
Postgres of this machine is started for it, and stopped with it.")]
    Dev(commands::dev::Options),
    /// Sends orders through a gateway of its own, loses answers on purpose, and shows what came of it
    #[command(after_help = "\
Everything is real but the vendors: HTTP, Postgres, encryption, workers. Vendor answers are lost after the \
vendor did the work; the gateway finds out what exists and never orders twice. The last table counts the \
vendors' own books. One person is asked about in three ways, at one vendor after the other; --keep writes the report and \
the documents of that order. Ends with 0 only if nothing was lost and nothing was doubled.")]
    Demo(commands::demo::Options),
    /// Measures the gateway on a private Postgres: faults, intake, scan
    Bench(commands::bench::Options),
}

impl Command {
    /// Carries the command out.
    pub async fn run(self, config: Option<PathBuf>) -> anyhow::Result<ExitCode> {
        let sources = Sources::of_process(config);
        match self {
            Self::Serve { no_workers } => commands::serve::serve(&sources, !no_workers).await,
            Self::Worker => commands::serve::worker(&sources).await,
            Self::Migrate => commands::migrate::migrate(&sources).await,
            Self::Doctor { json } => commands::doctor::doctor(&sources, json).await,
            Self::Token(options) => commands::token::token(&sources, &options),
            Self::Orders(options) => commands::orders::orders(&sources, options).await,
            Self::Cases(options) => commands::cases::cases(&sources, options).await,
            Self::Batches(options) => commands::batches::batches(&sources, options).await,
            Self::Providers(options) => commands::providers::providers(&sources, options).await,
            Self::OpenApi(options) => commands::openapi::openapi(&options),
            Self::Sandbox(options) => commands::sandbox::sandbox(&options).await,
            Self::Dev(options) => commands::dev::dev(&sources, options).await,
            Self::Demo(options) => commands::demo::demo(&options).await,
            Self::Bench(options) => commands::bench::bench(options).await,
        }
    }
}

/// A time such as `15m`, on the command line.
pub fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("expected a time above zero such as 30s, 15m or 8h".to_owned()),
    }
}

/// How many, on the command line.
pub fn count(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| "expected a whole number above zero".to_owned())
}

/// One of the words that the API has for something, on the command line.
pub fn word_of<T: Copy>(all: &'static [T], word: impl Fn(T) -> &'static str) -> PossibleValuesParser {
    PossibleValuesParser::new(all.iter().map(|value| word(*value)))
}
