//! One file per command.

pub mod batches;
pub mod bench;
pub mod cases;
pub mod demo;
pub mod dev;
pub mod doctor;
pub mod migrate;
pub mod openapi;
pub mod orders;
pub(crate) mod print;
mod progress;
pub mod providers;
pub mod sandbox;
pub mod serve;
pub mod token;

use crate::settings::{Loaded, Settings, Sources};

/// Reads the settings, and says on standard error what there is to say about them.
pub(crate) fn load(sources: &Sources) -> anyhow::Result<Settings> {
    let Loaded { settings, warnings, .. } = Settings::load(sources)?;
    for warning in warnings {
        print::tell(format_args!("vetgate: warning: {warning}"));
    }
    Ok(settings)
}

/// Waits for SIGTERM or Ctrl-C. A second one then ends the process at once.
async fn told_to_stop() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        // 128 + SIGINT, as shells have it.
        std::process::exit(130);
    });
    Ok(())
}
