//! The gateway's one binary: settings, wiring, telemetry and commands.
//!
//! [`settings`] says what can be set, [`wiring`] makes a gateway's parts of it, [`gateway`] runs them. Each command is a
//! file of [`commands`]; [`cli`] says how they are called.

// They panic where nobody reads any more: `commands::print` does not.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod cli;
pub mod client;
pub mod commands;
pub mod gateway;
mod listener;
pub mod settings;
pub mod simulators;
pub mod telemetry;
pub mod token;
pub mod wiring;

use std::process::ExitCode;

use clap::Parser as _;

/// Runs the command that this process was started with.
pub fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    // A process-wide choice that every TLS connection needs; whoever came first made the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Workers wait for vendors and the database, and hardly compute: few threads are enough, and keep memory low.
    let threads = std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 4));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
    let ended = match runtime {
        Ok(runtime) => {
            let ended = runtime.block_on(cli.command.run(cli.config));
            // What still blocks a thread (a name being looked up) is not waited for.
            runtime.shutdown_background();
            ended
        }
        Err(error) => Err(anyhow::Error::new(error).context("the threads could not be started")),
    };
    ended.unwrap_or_else(|error| {
        // A fault in how it was called: as the parser tells of those that it finds itself.
        if let Some(usage) = error.downcast_ref::<clap::Error>() {
            let _ = usage.print();
            return ExitCode::from(2);
        }
        commands::print::tell(format_args!("vetgate: {error:#}"));
        ExitCode::FAILURE
    })
}
