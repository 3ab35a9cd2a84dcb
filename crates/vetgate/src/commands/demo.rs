//! `vetgate demo`

mod client;
pub(super) mod scenario;
mod show;
mod tally;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use domain::TenantId;
use sandbox::{Sandbox, SandboxConfig};
use secrecy::SecretString;
use serde_json::{Value, json};
use testkit::{DataDir, PrivatePostgres};
use url::Url;

use self::client::Client;
use self::scenario::VENDORS;
use self::show::Progress;
use self::tally::{Tally, checks_of};
use crate::gateway::{Bound, Role};
use crate::settings::Settings;
use crate::simulators::{self, Credentials};
use crate::telemetry;
use crate::token::{Claims, mint};

/// How long a create call is looked for before it counts as absent.
const SETTLE: Duration = Duration::from_secs(3);
/// All of it takes some 15 s; a machine that is busy otherwise may take longer.
const DEADLINE: Duration = Duration::from_secs(55);
/// How often the orders are looked at.
const LOOK: Duration = Duration::from_millis(200);
const STOPPING: Duration = Duration::from_secs(5);
/// Orders without any mishap, at each vendor.
const CALM: u32 = 2;

/// Sends orders through a gateway of its own. 0 only if everything adds up.
pub async fn demo(json: bool) -> anyhow::Result<ExitCode> {
    telemetry::log_quietly();
    let progress = Progress::start();
    progress.say("Starting a private Postgres, the simulated vendors and a gateway …");
    let postgres = PrivatePostgres::start(DataDir::Temporary).await?;
    let outcome = tokio::select! {
        outcome = run(&postgres, &progress) => outcome,
        stopped = super::told_to_stop() => Err(stopped.err().map_or_else(|| anyhow::anyhow!("stopped"), anyhow::Error::from)),
    };
    postgres.stop().await;
    progress.end();
    let outcome = outcome?;
    if json {
        println!("{}", serde_json::to_string_pretty(&outcome.document())?);
    } else {
        show::print(&outcome);
    }
    Ok(if outcome.complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How it ended.
struct Outcome {
    /// The gateway's own last answers.
    orders: Vec<Value>,
    cases: Vec<Value>,
    tallies: BTreeMap<&'static str, Tally>,
    /// What does not add up.
    complaints: Vec<String>,
    took: Duration,
}

impl Outcome {
    fn document(&self) -> Value {
        json!({
            "ok": self.complaints.is_empty(),
            "vendors": self.tallies,
            "orders": self.orders.iter().map(summary).collect::<Vec<_>>(),
            "cases": self.cases,
            "complaints": self.complaints,
            "took_ms": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
        })
    }
}

/// An order without its subject.
fn summary(order: &Value) -> Value {
    let check = |check: &Value| {
        json!({
            "id": check["id"], "type": check["type"], "provider": check["provider"], "status": check["status"],
            "outcome": check["outcome"], "vendor_order_id": check["vendor"]["order_id"],
        })
    };
    json!({
        "id": order["id"], "external_id": order["external_id"], "status": order["status"], "outcome": order["outcome"],
        "created_at": order["created_at"], "completed_at": order["completed_at"],
        "checks": checks_of(order).map(check).collect::<Vec<_>>(),
    })
}

async fn run(postgres: &PrivatePostgres, progress: &Progress) -> anyhow::Result<Outcome> {
    let config = SandboxConfig::default();
    let credentials = Credentials::of(&config);
    let sandbox = simulators::start(config).await.context("the simulators could not be started")?;
    let mut settings = Settings::parse("the demo's settings", &super::dev::new_keys())?.settings;
    settings.listen.set_port(0);
    settings.database.url = Some(SecretString::from(postgres.url()));
    simulators::lay_over(&mut settings, &sandbox, &credentials, simulators::quick(SETTLE));
    let bound = Bound::take(&settings, Role::Whole).await?;
    let gateway_url = bound.base_url().context("the API has no address")?;
    simulators::send_hooks_to(&sandbox, &gateway_url);
    settings.public_url = Some(gateway_url.clone());
    let mut gateway = bound.start(&settings).await?;
    let client = Client::new(gateway_url, token(&settings)?)?;
    let outcome = tokio::select! {
        outcome = play(&client, &sandbox, progress) => outcome,
        error = gateway.ended() => Err(error),
    };
    gateway.stop(STOPPING).await;
    sandbox.shutdown().await;
    outcome
}

fn token(settings: &Settings) -> anyhow::Result<String> {
    let secret = settings.auth.hs256_secret.as_ref().context("the demo has no secret")?;
    let scopes = "orders:read orders:write reconciliation:read";
    let tenant = TenantId::new("demo");
    let claims = Claims {
        subject: "vetgate-demo",
        tenant: &tenant,
        scopes,
        ttl: Duration::from_mins(10),
        issuer: None,
        audience: None,
    };
    mint(secret, &claims)
}

async fn play(client: &Client, sandbox: &Sandbox, progress: &Progress) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let simulators: BTreeMap<&str, Url> =
        sandbox.all().map(|(vendor, simulator)| (vendor, simulator.base_url().clone())).into();
    let mut ids = Vec::new();
    let mut number = 0;
    let mut post = async |label: String, vendors: &[&str]| -> anyhow::Result<String> {
        number += 1;
        let order = client.post_order(&scenario::order(&label, number, vendors)).await?;
        let id = order["id"].as_str().context("an order without an id")?.to_owned();
        ids.push(id.clone());
        Ok(id)
    };
    progress.say("Ordering at each vendor, and at all three at once …");
    for round in 1..=CALM {
        for vendor in VENDORS {
            post(format!("{vendor}, calm {round}"), &[vendor]).await?;
        }
    }
    let mixed = post("all three".to_owned(), &VENDORS).await?;
    until_sent(client, &[mixed], started).await?;
    let mishaps = scenario::mishaps();
    for mishap in &mishaps {
        progress.say(&format!("Ordering at each vendor, with a mishap: {} …", mishap.label));
        for vendor in VENDORS {
            client.arm(&simulators[vendor], &mishap.fault).await?;
            post(format!("{vendor}, {}", mishap.label), &[vendor]).await?;
        }
        // One mishap at a time, so that each meets the order it is meant for.
        for simulator in simulators.values() {
            while client.armed(simulator).await? > 0 {
                anyhow::ensure!(started.elapsed() < DEADLINE, "a vendor was not called within {}s", DEADLINE.as_secs());
                tokio::time::sleep(LOOK).await;
            }
        }
    }
    progress.say("Waiting until every order has ended and every doubt is settled …");
    let (orders, cases) = until_settled(client, &ids, started, progress).await?;
    let mut tallies = BTreeMap::new();
    for vendor in VENDORS {
        tallies.insert(vendor, tally::count(vendor, &orders, &cases, &client.books(&simulators[vendor]).await?));
    }
    let complaints = tally::complaints(&tallies, &orders, &cases, mishaps.len());
    Ok(Outcome { orders, cases, tallies, complaints, took: started.elapsed() })
}

/// Waits until every check of these orders was sent.
async fn until_sent(client: &Client, ids: &[String], started: Instant) -> anyhow::Result<()> {
    for id in ids {
        loop {
            let order = client.order(id).await?;
            let waits = |check: &Value| check["status"] == "queued" || check["status"] == "submitting";
            if !checks_of(&order).any(waits) {
                break;
            }
            anyhow::ensure!(started.elapsed() < DEADLINE, "order {id} was not sent within {}s", DEADLINE.as_secs());
            tokio::time::sleep(LOOK).await;
        }
    }
    Ok(())
}

/// Waits until every order is final and every case resolved, or until the time is over; then it shows what is not.
async fn until_settled(
    client: &Client,
    ids: &[String],
    started: Instant,
    progress: &Progress,
) -> anyhow::Result<(Vec<Value>, Vec<Value>)> {
    loop {
        let mut orders = Vec::with_capacity(ids.len());
        for id in ids {
            orders.push(client.order(id).await?);
        }
        let cases = client.cases().await?;
        let is_final =
            |order: &&Value| ["completed", "canceled", "failed"].iter().any(|status| order["status"] == *status);
        let ended = orders.iter().filter(is_final).count();
        let settled = cases.iter().filter(|case| case["state"] == "resolved").count();
        progress.show(ended + settled, orders.len() + cases.len());
        if (ended == orders.len() && settled == cases.len()) || started.elapsed() > DEADLINE {
            return Ok((orders, cases));
        }
        tokio::time::sleep(LOOK).await;
    }
}
