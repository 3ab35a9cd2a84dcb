//! Logs and metrics.

use std::io;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
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
    // A line that cannot be written is lost. Saying so on the same standard error would panic.
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).log_internal_errors(false);
    // A second start (two gateways in one process) keeps the first one's.
    let _ = match format {
        LogFormat::Json => logs.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
        LogFormat::Pretty => logs.compact().with_target(false).try_init(),
    };
    api::quiet_panics();
}

/// Bounds of histograms of times, in seconds: from a look-up here to the longest call to a vendor. Buckets, unlike
/// quantiles, can be added up over processes.
const SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Starts collecting metrics. `None`: this process has a collector already.
pub fn metrics() -> Option<PrometheusHandle> {
    let times = Matcher::Suffix("_seconds".to_owned());
    PrometheusBuilder::new().set_buckets_for_metric(times, SECONDS).ok()?.install_recorder().ok()
}
