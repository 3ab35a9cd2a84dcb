//! `vetgate serve` and `vetgate worker`

use std::process::ExitCode;
use std::time::Duration;

use crate::gateway::{Gateway, Role};
use crate::settings::Sources;
use crate::telemetry;

/// How long what is under way may take when the process is told to stop. Orchestrators kill after 30 s by default.
pub const DEADLINE: Duration = Duration::from_secs(25);

/// Serves the API, and does the work unless another process shall.
pub async fn serve(sources: &Sources, workers: bool) -> anyhow::Result<ExitCode> {
    run(sources, if workers { Role::Whole } else { Role::Api }).await
}

/// Does the work only.
pub async fn worker(sources: &Sources) -> anyhow::Result<ExitCode> {
    run(sources, Role::Worker).await
}

async fn run(sources: &Sources, role: Role) -> anyhow::Result<ExitCode> {
    let settings = super::load(sources)?;
    telemetry::log(settings.log_format);
    let mut gateway = Gateway::start(&settings, role).await?;
    let address = gateway.address.map(|address| address.to_string());
    tracing::info!(version = env!("CARGO_PKG_VERSION"), address, ?role, "started");
    tokio::select! {
        stopped = super::told_to_stop() => stopped?,
        error = gateway.ended() => return Err(error),
    }
    tracing::info!("stopping");
    let whole = gateway.stop(DEADLINE).await;
    if whole {
        tracing::info!("stopped");
    } else {
        tracing::warn!(
            deadline_s = DEADLINE.as_secs(),
            "stopped before everything had ended; calls under way are looked for at the next start"
        );
    }
    Ok(ExitCode::SUCCESS)
}
