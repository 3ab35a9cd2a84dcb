//! `vetgate bench intake`

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use sandbox::{Sandbox, SandboxConfig};
use secrecy::SecretString;
use serde_json::json;
use sqlx::PgPool;
use testkit::{DataDir, Durability, PrivatePostgres};

use super::copy;
use crate::cli::count;
use crate::client::Client;
use crate::commands::{demo, dev, print};
use crate::gateway::{Bound, Role};
use crate::settings::Settings;
use crate::simulators::{self, Credentials};

/// At least so many times as fast as COPY.
const AIM: f64 = 0.3;

#[derive(Debug, Args)]
pub struct Options {
    /// Orders of the batch
    #[arg(long, default_value_t = 10_000, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rows: u32,
    /// How often; the middle one counts
    #[arg(long, default_value = "5", value_name = "COUNT", value_parser = count)]
    rounds: usize,
    /// One JSON document on standard output
    #[arg(long)]
    json: bool,
}

struct Round {
    upload: Duration,
    copy: Duration,
    bytes: usize,
}

impl Round {
    fn ratio(&self) -> f64 {
        self.copy.as_secs_f64() / self.upload.as_secs_f64()
    }
}

pub async fn intake(options: Options) -> anyhow::Result<ExitCode> {
    crate::telemetry::log_quietly();
    // As in production: a commit is on the disk.
    let postgres = PrivatePostgres::start_with(DataDir::Temporary, Durability::Full).await?;
    let rounds = tokio::select! {
        rounds = run(&postgres, &options) => rounds,
        stopped = crate::commands::told_to_stop() => Err(stopped.err().map_or_else(|| anyhow::anyhow!("stopped"), Into::into)),
    };
    postgres.stop().await;
    let mut rounds = rounds?;
    rounds.sort_by(|one, other| one.ratio().total_cmp(&other.ratio()));
    let middle = &rounds[rounds.len() / 2];
    let good = middle.ratio() >= AIM;
    let per_second = |took: Duration| f64::from(options.rows) / took.as_secs_f64();
    if options.json {
        let round = |round: &Round| {
            json!({
                "upload_ms": round.upload.as_secs_f64() * 1e3, "copy_ms": round.copy.as_secs_f64() * 1e3,
                "copied_bytes": round.bytes, "ratio": round.ratio(),
            })
        };
        print::json(&json!({
            "ok": good, "rows": options.rows, "rounds": rounds.iter().map(round).collect::<Vec<_>>(),
            "upload_rows_per_second": per_second(middle.upload), "copy_rows_per_second": per_second(middle.copy),
            "ratio": middle.ratio(), "aim": AIM,
        }))?;
    } else {
        let mut table = print::table(&["", "took", "orders a second"]);
        let mut row = |what: &str, took: Duration| {
            table.add_row([what.to_owned(), format!("{took:.1?}"), format!("{:.0}", per_second(took))]);
        };
        row("uploaded as NDJSON over HTTP", middle.upload);
        row("COPY of the same rows", middle.copy);
        print::align_numbers(&mut table, &[1, 2]);
        print::section(&format!("Accepting a batch of {} orders, on disk", options.rows), &table)?;
        print::line(format_args!("\n{:.2} times as fast as COPY; the aim is {AIM} or more.", middle.ratio()))?;
    }
    Ok(super::verdict(good))
}

async fn run(postgres: &PrivatePostgres, options: &Options) -> anyhow::Result<Vec<Round>> {
    let config = SandboxConfig::default();
    let credentials = Credentials::of(&config);
    let sandbox = Sandbox::start(config).await.context("the simulators could not be started")?;
    let admin = PgPool::connect(postgres.url()).await?;
    for database in ["uploaded", "copied"] {
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {database}"))).execute(&admin).await?;
    }
    let mut settings = Settings::parse("the settings of the measurement", &dev::new_keys())?.settings;
    settings.listen.set_port(0);
    simulators::lay_over(&mut settings, &sandbox, &credentials, simulators::quick(Duration::from_mins(1)));
    // The peer's tables: the same schema, made by the same migrations.
    settings.database.url = Some(SecretString::from(postgres.url_of("copied")));
    let peer = Bound::take(&settings, Role::Api).await?.start(&settings).await?;
    peer.stop(Duration::from_secs(5)).await;
    settings.database.url = Some(SecretString::from(postgres.url_of("uploaded")));
    // Without workers: what is accepted is not sent meanwhile.
    let bound = Bound::take(&settings, Role::Api).await?;
    let url = bound.base_url().context("the API has no address")?;
    let gateway = bound.start(&settings).await?;
    let (ours, theirs) =
        (PgPool::connect(&postgres.url_of("uploaded")).await?, PgPool::connect(&postgres.url_of("copied")).await?);
    let orders = (0..options.rows).map(|number| demo::scenario::order(&format!("row {number}"), number, &["theary"]));
    let body = demo::scenario::batch("measured", orders.collect());
    let client = demo::client(url, &settings)?;
    let mut rounds = Vec::new();
    // The first is not counted: connections are opened, plans are made.
    for round in 0..=options.rounds {
        copy::empty(&ours).await?;
        copy::empty(&theirs).await?;
        let upload = upload(&client, &body, round).await?;
        let rows = copy::read(&ours).await?;
        let begun = Instant::now();
        copy::write(&theirs, &rows).await?;
        let copy = begun.elapsed();
        if round > 0 {
            rounds.push(Round { upload, copy, bytes: copy::size(&rows) });
        }
    }
    gateway.stop(Duration::from_secs(5)).await;
    sandbox.shutdown().await;
    Ok(rounds)
}

/// Uploads the batch. Gives the time until the answer that it is accepted.
async fn upload(client: &Client, body: &str, round: usize) -> anyhow::Result<Duration> {
    let upload = demo::upload(format!("round-{round}"), body);
    let begun = Instant::now();
    client.upload(&["batches"], &[], upload).await?;
    Ok(begun.elapsed())
}
