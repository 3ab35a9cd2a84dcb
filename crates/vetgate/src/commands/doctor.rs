//! `vetgate doctor`

use std::process::ExitCode;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use comfy_table::Table;
use domain::{Clock as _, Timestamp};
use engine::{Account, SystemClock};
use provider::call::Unlimited;
use provider::{CallContext, Share};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::print;
use crate::settings::{Loaded, Settings, Sources};
use crate::{telemetry, wiring};

/// The longest that one question may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The oldest PostgreSQL that the schema is written for, as it numbers its versions.
const OLDEST_POSTGRES: i32 = 140_000;
/// Leases are judged by the clocks of processes: further apart than this, one could take another's work.
const CLOCK_SKEW: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    /// Good to know; nothing is wrong.
    Note,
    Wrong,
}

#[derive(Debug, Serialize)]
struct Finding {
    about: String,
    state: State,
    detail: String,
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, about: impl Into<String>, state: State, detail: impl Into<String>) {
        self.0.push(Finding { about: about.into(), state, detail: detail.into() });
    }
}

/// Looks at everything a gateway needs. 1 if something is wrong.
pub async fn doctor(sources: &Sources, json: bool) -> anyhow::Result<ExitCode> {
    telemetry::log_quietly();
    let mut findings = Findings::default();
    match Settings::load(sources) {
        Err(error) => {
            for fault in error.0 {
                findings.add("settings", State::Wrong, fault.to_string());
            }
        }
        Ok(loaded) => look_at(&loaded, &mut findings).await,
    }
    let is_well = findings.0.iter().all(|finding| finding.state != State::Wrong);
    if json {
        print::json(&serde_json::json!({ "ok": is_well, "findings": findings.0 }))?;
    } else {
        print::line(print::trimmed(&table(&findings)))?;
    }
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn table(findings: &Findings) -> Table {
    let mut table = print::table(&[]);
    for finding in &findings.0 {
        let mark = match finding.state {
            State::Ok => "ok",
            State::Note => "note",
            State::Wrong => "WRONG",
        };
        table.add_row([mark, &finding.about, &finding.detail]);
    }
    table
}

async fn look_at(loaded: &Loaded, findings: &mut Findings) {
    let settings = &loaded.settings;
    for warning in &loaded.warnings {
        findings.add("settings", State::Note, warning.as_str());
    }
    match settings.for_serving() {
        Ok(_) => findings.add("settings", State::Ok, "everything that serving needs is set"),
        Err(error) => {
            for fault in error.0 {
                findings.add("settings", State::Wrong, fault.to_string());
            }
        }
    }
    match &settings.public_url {
        Some(url) => findings.add("public_url", State::Ok, url.as_str()),
        None => findings.add("public_url", State::Note, "not set: vendors are told of no hooks, and polling has to do"),
    }
    if let Some(url) = &settings.database.url
        && let Err(error) = look_at_database(url, findings).await
    {
        findings.add("database", State::Wrong, format!("{error:#}"));
    }
    look_at_vendors(settings, findings).await;
}

async fn look_at_database(url: &SecretString, findings: &mut Findings) -> anyhow::Result<()> {
    // Not the driver's text: it can hold parts of the address.
    let options = PgConnectOptions::from_str(url.expose_secret())
        .ok()
        .context("database.url cannot be read as postgres://user@host/name")?;
    let place = format!("{} at {}", options.get_database().unwrap_or("the default database"), options.get_host());
    let connecting = tokio::time::timeout(PATIENCE, options.connect()).await;
    let mut connection = match connecting {
        Ok(connected) => connected.map_err(|error| anyhow::anyhow!("{place}: {}", store::StoreError::from(error)))?,
        Err(_) => anyhow::bail!(
            "{place} did not answer within {}s. Is it running, and does a firewall let us through?",
            PATIENCE.as_secs()
        ),
    };
    let version: i32 =
        sqlx::query_scalar("SELECT current_setting('server_version_num')::int4").fetch_one(&mut connection).await?;
    let state = if version < OLDEST_POSTGRES { State::Wrong } else { State::Ok };
    let (major, minor) = (version / 10_000, version % 100);
    findings.add("database", state, format!("{place}, PostgreSQL {major}.{minor} (14 or newer is needed)"));

    let asked = Instant::now();
    let theirs: time::OffsetDateTime =
        sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&mut connection).await?;
    let ours = SystemClock.now();
    // Half of the way there and back is how old their answer is.
    let theirs = Timestamp::new(theirs) + asked.elapsed() / 2;
    let apart = ours.since(theirs).max(theirs.since(ours));
    let detail = format!("{apart:.1?} from the database's clock");
    if apart > CLOCK_SKEW {
        findings.add("clock", State::Wrong, format!("{detail}. Set both by NTP: leases are judged by it."));
    } else {
        findings.add("clock", State::Ok, detail);
    }
    connection.close().await?;

    let store = super::migrate::without_keys(url).await?;
    match store.pending_migrations().await? {
        0 => findings.add("migrations", State::Ok, "up to date"),
        pending => {
            let detail = format!(
                "{pending} are not applied yet. `vetgate serve` does that when it starts; before `vetgate worker`, run `vetgate migrate`."
            );
            findings.add("migrations", State::Note, detail);
        }
    }
    store.close().await;
    Ok(())
}

async fn look_at_vendors(settings: &Settings, findings: &mut Findings) {
    let providers = match wiring::providers(settings) {
        Ok(providers) => providers,
        Err(error) => {
            for fault in error.0 {
                findings.add("vendors", State::Wrong, fault.to_string());
            }
            return;
        }
    };
    let asking = providers.accounts().map(|account| async move { (account, ask(account).await) });
    for (account, answer) in futures::future::join_all(asking).await {
        let about = account.key.to_string();
        match answer {
            Ok(took) => {
                let hooks = account.hook_url.as_ref().map_or(String::new(), |url| format!("; hooks: {url}"));
                findings.add(about, State::Ok, format!("reachable, the credentials are good ({took:.0?}){hooks}"));
            }
            Err(problem) => findings.add(about, State::Wrong, problem),
        }
    }
    for id in providers.ids() {
        if let Some(reason) = providers.off(id) {
            findings.add(id.to_string(), State::Note, format!("off: {reason}"));
        }
    }
}

async fn ask(account: &Account) -> Result<Duration, String> {
    let ctx = CallContext::new(Share::LookUp, account.timing.timeout.min(PATIENCE), Arc::new(Unlimited));
    let started = Instant::now();
    account.provider.probe(&ctx).await.map(|()| started.elapsed()).map_err(|fault| fault.to_string())
}
