//! `vetgate demo`

mod half_way;
mod keep;
mod one_person;
pub(super) mod scenario;
mod show;
mod tally;
mod vendors;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use domain::TenantId;
use sandbox::SandboxConfig;
use secrecy::SecretString;
use serde_json::{Value, json};
use testkit::{DataDir, PrivatePostgres};
use url::Url;

use self::half_way::Story;
use self::keep::Folder;
use self::one_person::Dossier;
use self::scenario::{HALF_WAY, VENDORS};
use self::show::Progress;
use self::tally::{Tally, checks_of};
use self::vendors::Vendors;
use super::print;
use crate::client::upload::Upload;
use crate::client::{Client, Tokens};
use crate::gateway::{Bound, Role};
use crate::settings::Settings;
use crate::simulators::{self, Credentials};
use crate::telemetry;
use crate::token::{Claims, mint};

/// How long a create call is looked for before it counts as absent.
const SETTLE: Duration = Duration::from_secs(2);
/// All of it takes half a minute; a machine that is busy otherwise may take longer.
const DEADLINE: Duration = Duration::from_mins(2);
/// How often the orders are looked at.
const LOOK: Duration = Duration::from_millis(200);
const STOPPING: Duration = Duration::from_secs(5);
/// Orders without any mishap, at each vendor.
const CALM: u32 = 2;
/// Orders of others in the vendor account, which a scan has to tell from ours.
const STRANGERS: usize = 6;
/// What the batch call that fails half-way is ordered as.
const FAILING: &str = "half-way";

#[derive(Debug, Args)]
pub struct Options {
    /// One JSON document on standard output
    #[arg(long)]
    json: bool,
    /// Writes the report on one person, as HTML, PDF and JSON, and the vendors' documents into this folder, which must be new
    /// or empty
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// Sends orders through a gateway of its own. 0 only if everything adds up.
pub async fn demo(options: &Options) -> anyhow::Result<ExitCode> {
    telemetry::log_quietly();
    let folder = options.keep.as_deref().map(Folder::take).transpose()?;
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
    if let Some(folder) = &folder {
        folder.fill(&outcome.dossier.files())?;
    }
    if options.json {
        print::json(&outcome.document())?;
    } else {
        show::print(&outcome)?;
        if let (Some(folder), Some(path)) = (&folder, &options.keep) {
            print::line(format_args!("{} files are in {}.", folder.count(), path.display()))?;
        }
    }
    Ok(if outcome.complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How it ended.
struct Outcome {
    /// The gateway's own last answers.
    orders: Vec<Value>,
    batches: Vec<Value>,
    cases: Vec<Value>,
    /// The case of the batch call that failed half-way, with its evidence, and what happened to each of its orders.
    failed_call: Value,
    stories: Vec<Story>,
    tallies: BTreeMap<&'static str, Tally>,
    /// The order about one person, with its documents and reports.
    dossier: Dossier,
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
            "batches": self.batches,
            "cases": self.cases,
            "failed_batch_call": {
                "case": self.failed_call, "orders": self.stories, "cost": half_way::costs(&self.failed_call),
            },
            "one_person": self.dossier.document(),
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
        "id": order["id"], "external_id": order["external_id"], "batch_id": order["batch_id"],
        "status": order["status"], "outcome": order["outcome"],
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
    let play = Play {
        client: client(gateway_url, &settings)?,
        vendors: Vendors::of(&sandbox)?,
        progress,
        started: Instant::now(),
    };
    let outcome = tokio::select! {
        outcome = play.whole() => outcome,
        error = gateway.ended() => Err(error),
    };
    gateway.stop(STOPPING).await;
    sandbox.shutdown().await;
    outcome
}

/// A caller of a gateway that was started for the occasion.
pub(super) fn client(gateway: Url, settings: &Settings) -> anyhow::Result<Client> {
    let secret = settings.auth.hs256_secret.as_ref().context("there is no secret")?;
    let tenant = TenantId::new("demo");
    let claims = Claims {
        subject: "vetgate-demo",
        tenant: &tenant,
        scopes: "orders:read orders:write pii:read reconciliation:read",
        ttl: Duration::from_hours(1),
        issuer: None,
        audience: None,
    };
    Client::new(gateway, Tokens::Given(mint(secret, &claims)?.into()))
}

/// A batch as NDJSON, on its way.
pub(super) fn upload(idempotency_key: String, lines: &str) -> Upload {
    Upload::whole("application/x-ndjson", idempotency_key, lines.as_bytes().to_vec())
}

/// The play, act by act.
struct Play<'p> {
    client: Client,
    vendors: Vendors,
    progress: &'p Progress,
    started: Instant,
}

impl Play<'_> {
    async fn whole(&self) -> anyhow::Result<Outcome> {
        self.progress.say("Ordering at each vendor, and at all three at once …");
        let mut number = 0;
        let mut next = || {
            number += 1;
            number
        };
        for round in 1..=CALM {
            for vendor in VENDORS {
                self.post(&scenario::order(&format!("{vendor}, calm {round}"), next(), &[vendor])).await?;
            }
        }
        self.post(&scenario::order("all three", next(), &VENDORS)).await?;

        self.progress.say("Ordering employment, income and education for one person, at one vendor after the other …");
        self.post(&one_person::order()).await?;

        self.progress.say("Ordering a batch for all three vendors …");
        let each = VENDORS.iter().flat_map(|vendor| [(vendor, 1), (vendor, 2)]);
        let mut mixed: Vec<_> =
            each.map(|(vendor, at)| scenario::order(&format!("batch, {vendor} {at}"), next(), &[vendor])).collect();
        mixed.push(scenario::order("batch, all three", next(), &VENDORS));
        self.post_batch("mixed", mixed).await?;
        // Also to the second vendor of the one person, so that the mishaps meet the orders that they are meant for.
        self.until(|orders, _| {
            orders.iter().flat_map(checks_of).all(was_sent) && orders.iter().any(one_person::is_at_its_last_vendor)
        })
        .await?;

        let mishaps = scenario::mishaps();
        for mishap in &mishaps {
            self.progress.say(&format!("Ordering at each vendor, with a mishap: {} …", mishap.label));
            for vendor in VENDORS {
                self.vendors.arm(vendor, &mishap.fault).await?;
                self.post(&scenario::order(&format!("{vendor}, {}", mishap.label), next(), &[vendor])).await?;
            }
            self.until_disarmed().await?;
        }
        self.progress.say("Waiting until every order has ended and every doubt is settled …");
        self.until_settled().await?;

        self.progress.say("A Theary batch call fails half-way, and its answer is lost …");
        self.vendors.make_strangers("theary", STRANGERS, Duration::from_secs(1)).await?;
        self.vendors.behave("theary", &scenario::half_way()).await?;
        self.vendors.arm("theary", &json!({ "fault": "drop_after" })).await?;
        let failing = (1..=HALF_WAY.0).map(|at| scenario::order(&format!("{FAILING} {at}"), next(), &["theary"]));
        let failing = self.post_batch(FAILING, failing.collect()).await?;
        self.until_disarmed().await?;
        self.vendors.behave("theary", &scenario::whole()).await?;
        self.progress.say("Looking for its orders, binding what is found, sending the rest again one by one …");
        let (orders, cases) = self.until_settled().await?;
        self.outcome(&failing, mishaps.len(), orders, cases).await
    }

    async fn outcome(
        &self,
        failing: &str,
        mishaps: usize,
        orders: Vec<Value>,
        cases: Vec<Value>,
    ) -> anyhow::Result<Outcome> {
        let mut tallies = BTreeMap::new();
        for vendor in VENDORS {
            tallies.insert(vendor, tally::count(vendor, &orders, &cases, &self.vendors.books(vendor).await?));
        }
        let is_failing = |check: &Value| {
            orders
                .iter()
                .any(|order| order["batch_id"] == failing && checks_of(order).any(|of| of["id"] == check["check_id"]))
        };
        let (of_failing, cases): (Vec<_>, Vec<_>) =
            cases.into_iter().partition(|case| case["items"].as_array().into_iter().flatten().any(is_failing));
        let failed_call = match of_failing.first().and_then(|case| case["id"].as_str()) {
            Some(id) => self.client.get(&["reconciliation", "cases", id], &[]).await?,
            None => Value::Null,
        };
        let stories = half_way::stories(&failed_call, &orders, &self.vendors.books("theary").await?);
        let batches = self.ended_batches().await?;
        self.progress.say("Taking the one person's documents and report …");
        let dossier = Dossier::gather(&self.client, &orders).await?;
        let every_case: Vec<_> = cases.iter().chain(&of_failing).cloned().collect();
        let spoiled = |vendor: &str| mishaps + usize::from(vendor == "theary");
        let mut complaints = tally::complaints(&tallies, &orders, &every_case, spoiled);
        complaints.extend(half_way::complaints(&of_failing, &stories));
        complaints.extend(dossier.complaints());
        let took = self.started.elapsed();
        Ok(Outcome { orders, batches, cases, failed_call, stories, tallies, dossier, complaints, took })
    }

    async fn post(&self, order: &Value) -> anyhow::Result<()> {
        self.client.post(&["orders"], Some(order)).await.map(drop)
    }

    /// Posts a batch as NDJSON. Gives its id.
    async fn post_batch(&self, external_id: &str, orders: Vec<Value>) -> anyhow::Result<String> {
        let body = scenario::batch(external_id, orders);
        let upload = upload(format!("demo-{external_id}"), &body);
        let batch = self.client.upload(&["batches"], &[], upload).await?.answer;
        Ok(batch["id"].as_str().context("a batch without an id")?.to_owned())
    }

    /// Waits until every armed mishap met its call: one at a time, so that each meets the order it is meant for.
    async fn until_disarmed(&self) -> anyhow::Result<()> {
        for vendor in VENDORS {
            while self.vendors.armed(vendor).await? > 0 {
                anyhow::ensure!(!self.is_late(), "{vendor} was not called within {}s", DEADLINE.as_secs());
                tokio::time::sleep(LOOK).await;
            }
        }
        Ok(())
    }

    /// Waits until every order is final and every case resolved, or until the time is over; then it shows what is not.
    async fn until_settled(&self) -> anyhow::Result<(Vec<Value>, Vec<Value>)> {
        self.until(|orders, cases| {
            let is_final =
                |order: &&Value| ["completed", "canceled", "failed"].iter().any(|status| order["status"] == *status);
            let ended = orders.iter().filter(is_final).count();
            let settled = cases.iter().filter(|case| case["state"] == "resolved").count();
            self.progress.show(ended + settled, orders.len() + cases.len());
            ended == orders.len() && settled == cases.len()
        })
        .await
    }

    /// Gives all orders and cases when they are so, or when the time is over.
    async fn until(&self, is_so: impl Fn(&[Value], &[Value]) -> bool) -> anyhow::Result<(Vec<Value>, Vec<Value>)> {
        loop {
            let mut orders = self.client.all(&["orders"], &[]).await?;
            let cases = self.client.all(&["reconciliation", "cases"], &[]).await?;
            if is_so(&orders, &cases) || self.is_late() {
                // Oldest first, as they were ordered.
                orders.reverse();
                return Ok((orders, cases));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The batches, once each has been told to have ended: that follows the end of its last order.
    async fn ended_batches(&self) -> anyhow::Result<Vec<Value>> {
        loop {
            let batches = self.client.all(&["batches"], &[]).await?;
            if batches.iter().all(|batch| batch["status"] != "in_progress") || self.is_late() {
                return Ok(batches);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn is_late(&self) -> bool {
        self.started.elapsed() > DEADLINE
    }
}

fn was_sent(check: &Value) -> bool {
    check["status"] != "queued" && check["status"] != "submitting"
}
