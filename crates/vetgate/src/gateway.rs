//! A running gateway: listeners, API, workers, and how they stop.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use engine::Engine;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::settings::Settings;
use crate::{listener, telemetry, wiring};

/// How often metrics that nobody fetches are folded together.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// API and workers.
    Whole,
    /// The API alone.
    Api,
    /// The workers alone.
    Worker,
}

/// A running gateway. It stops when this is dropped, but see [`Gateway::stop`].
pub struct Gateway {
    /// Where the API is served, if it is.
    pub address: Option<SocketAddr>,
    pub engine: Engine,
    shutdown: CancellationToken,
    tasks: JoinSet<anyhow::Result<()>>,
}

/// Ports that are taken, with nothing behind them yet.
pub struct Bound {
    role: Role,
    api: Option<TcpListener>,
    metrics: Option<TcpListener>,
    /// Where the API will be served, if it is.
    pub address: Option<SocketAddr>,
}

impl Bound {
    /// Takes the ports, if the settings are good for serving at all.
    pub async fn take(settings: &Settings, role: Role) -> anyhow::Result<Self> {
        settings.for_serving()?;
        let api = match role {
            Role::Worker => None,
            Role::Whole | Role::Api => Some(listen(settings.listen, "listen").await?),
        };
        let metrics = match settings.metrics_listen {
            Some(address) => Some(listen(address, "metrics_listen").await?),
            None => None,
        };
        let address = api.as_ref().map(TcpListener::local_addr).transpose()?;
        Ok(Self { role, api, metrics, address })
    }

    /// The API's address, for callers on this machine.
    pub fn base_url(&self) -> Option<Url> {
        let mut address = self.address?;
        if address.ip().is_unspecified() {
            address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
        }
        format!("http://{address}/").parse().ok()
    }

    /// Opens the database, brings it up to date (which a worker leaves to others), and starts.
    pub async fn start(self, settings: &Settings) -> anyhow::Result<Gateway> {
        let needs = settings.for_serving()?;
        let providers = wiring::providers(settings)?;
        let store = wiring::store(settings, needs).await.context("database.url")?;
        if self.role == Role::Worker {
            let pending = store.pending_migrations().await?;
            anyhow::ensure!(pending == 0, "{pending} migrations are not applied yet. Run `vetgate migrate` first.");
        } else {
            store.migrate().await?;
        }
        let engine = wiring::engine(settings, store, providers);
        wiring::apply_pauses(settings, &engine).await?;
        tell_accounts(&engine);

        let shutdown = CancellationToken::new();
        let mut tasks = JoinSet::new();
        if let Some(listener) = self.metrics
            && let Some(handle) = telemetry::metrics()
        {
            tasks.spawn(keep_up(handle.clone(), shutdown.clone()));
            tasks.spawn(serve(listener, api::metrics_router(handle), shutdown.clone()));
        }
        if let Some(listener) = self.api {
            let usual = api::Settings::default();
            // Each holds a connection for as long as it takes to arrive; the rest of the work needs some as well.
            let share = usize::try_from(settings.database.max_connections / 4).unwrap_or(usize::MAX);
            let max_uploads = usual.max_uploads.min(share.max(1));
            let own = api::Settings { auth: settings.auth.clone(), rate: settings.request_rate, max_uploads, ..usual };
            let app = api::App::new(engine.clone(), &own)?;
            tasks.spawn(serve(listener, api::router(app), shutdown.clone()));
        }
        if self.role != Role::Api {
            let (engine, shutdown) = (engine.clone(), shutdown.clone());
            tasks.spawn(async move {
                engine.run_workers(shutdown).await;
                Ok(())
            });
        }
        Ok(Gateway { address: self.address, engine, shutdown, tasks })
    }
}

impl Gateway {
    /// Takes the ports and starts.
    pub async fn start(settings: &Settings, role: Role) -> anyhow::Result<Self> {
        // Ports first: a second process on the same one should not get as far as the database.
        Bound::take(settings, role).await?.start(settings).await
    }

    /// Waits until a part ends by itself, which none should.
    pub async fn ended(&mut self) -> anyhow::Error {
        match self.tasks.join_next().await {
            Some(Ok(Ok(()))) | None => anyhow::anyhow!("a part of the gateway ended by itself"),
            Some(Ok(Err(error))) => error,
            Some(Err(error)) => anyhow::Error::new(error).context("a part of the gateway failed"),
        }
    }

    /// Takes no more requests, lets what is under way end, and closes the database. `false`: something did not end in
    /// time. What was being sent then is looked for by whoever starts next.
    pub async fn stop(mut self, deadline: Duration) -> bool {
        self.shutdown.cancel();
        let store = self.engine.store().clone();
        let ending = async {
            while self.tasks.join_next().await.is_some() {}
            store.close().await;
        };
        tokio::time::timeout(deadline, ending).await.is_ok()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

async fn listen(address: SocketAddr, key: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("{key}: the address {address} cannot be taken. Stop what uses it, or set another"))
}

async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) -> anyhow::Result<()> {
    listener::serve(listener, router, shutdown).await;
    Ok(())
}

async fn keep_up(metrics: PrometheusHandle, shutdown: CancellationToken) -> anyhow::Result<()> {
    let mut ticks = tokio::time::interval(METRICS_UPKEEP);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            _ = ticks.tick() => metrics.run_upkeep(),
        }
    }
}

fn tell_accounts(engine: &Engine) {
    let providers = engine.providers();
    for account in providers.accounts() {
        let hooks = account.hook_url.as_ref().map_or("none: public_url is not set", |url| url.as_str());
        tracing::info!(account = %account.key, hooks, "vendor account");
    }
    for id in providers.ids() {
        if let Some(reason) = providers.off(id) {
            tracing::info!(provider = %id, reason, "vendor off");
        }
    }
}
