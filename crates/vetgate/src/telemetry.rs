//! Logs and metrics.

use std::io;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::settings::LogFormat;

/// Unless `RUST_LOG` says otherwise. The database library logs each notice of a migration, the HTTP ones every connection.
const DEFAULT_FILTER: &str = "info,sqlx=warn,hyper=warn,reqwest=warn";

/// Starts logging to standard error, which leaves standard output to what a command prints.
pub fn log(format: LogFormat) {
    log_with(format, DEFAULT_FILTER);
}

/// As [`log`], showing only what is wrong: for commands that print something else.
pub fn log_quietly() {
    log_with(LogFormat::Pretty, "error");
}

fn log_with(format: LogFormat, default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // A second start (two gateways in one process) keeps the first one's.
    let _ = match format {
        LogFormat::Json => logs.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
        LogFormat::Pretty => logs.compact().with_target(false).try_init(),
    };
}

/// Starts collecting metrics. `None`: this process has a collector already.
pub fn metrics() -> Option<PrometheusHandle> {
    PrometheusBuilder::new().install_recorder().ok()
}
