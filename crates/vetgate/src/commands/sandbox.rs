//! `vetgate sandbox`

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use sandbox::{Sandbox, SandboxConfig, SimClock};
use url::Url;

use crate::simulators::Credentials;

/// Where the simulators run.
#[derive(Debug, Args)]
pub struct Options {
    /// The port of Truora's simulator; 0: a free one
    #[arg(long, default_value_t = 4010, value_name = "PORT")]
    pub truora_port: u16,
    /// The port of Theary's simulator; 0: a free one
    #[arg(long, default_value_t = 4020, value_name = "PORT")]
    pub theary_port: u16,
    /// The port of Truework's simulator; 0: a free one
    #[arg(long, default_value_t = 4030, value_name = "PORT")]
    pub truework_port: u16,
    /// How many times as fast as by themselves they work; by themselves they take a few seconds
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR", value_parser = speed)]
    pub speed: f64,
    /// A running gateway's address, to which hooks are sent
    #[arg(long, value_name = "URL")]
    pub hooks_to: Option<Url>,
}

/// Runs the simulators until it is told to stop.
pub async fn sandbox(options: &Options) -> anyhow::Result<ExitCode> {
    let mut config = SandboxConfig { clock: SimClock::wall().with_speed(options.speed), ..SandboxConfig::default() };
    config.truora.port = options.truora_port;
    config.theary.port = options.theary_port;
    config.truework.port = options.truework_port;
    let credentials = Credentials::of(&config);
    let sandbox = crate::simulators::start(config)
        .await
        .context("the simulators could not be started; give other ports, or 0")?;
    if let Some(gateway) = &options.hooks_to {
        crate::simulators::send_hooks_to(&sandbox, gateway);
    }
    super::print::line(exports(&sandbox, &credentials))?;
    super::told_to_stop().await?;
    sandbox.shutdown().await;
    Ok(ExitCode::SUCCESS)
}

/// Lines that lead a gateway, and a shell, to the simulators.
fn exports(sandbox: &Sandbox, credentials: &Credentials) -> String {
    let [truora, theary, truework] =
        sandbox.all().map(|(_, simulator)| simulator.base_url().as_str().trim_end_matches('/'));
    format!(
        "export TRUORA={truora}\n\
         export THEARY={theary}\n\
         export TRUEWORK={truework}\n\
         export VETGATE_TRUORA__CHECKS_URL={truora}\n\
         export VETGATE_TRUORA__ACCOUNT_URL={truora}\n\
         export VETGATE_TRUORA__API_KEY={}\n\
         export VETGATE_TRUORA__HOOK_KEY={}\n\
         export VETGATE_THEARY__BASE_URL={theary}\n\
         export VETGATE_THEARY__TOKEN={}\n\
         export VETGATE_THEARY__HOOK_SECRET={}\n\
         export VETGATE_THEARY__QA_EMAIL=qa@vetgate.example\n\
         export VETGATE_TRUEWORK__BASE_URL={truework}\n\
         export VETGATE_TRUEWORK__API_KEY={}\n\
         export VETGATE_TRUEWORK__HOOK_TOKEN={}",
        credentials.truora_api_key,
        credentials.truora_hook_key,
        credentials.theary_token,
        credentials.theary_hook_secret,
        credentials.truework_api_key,
        credentials.truework_hook_token,
    )
}

/// A factor above zero.
pub fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed > 0.0 => Ok(speed),
        _ => Err("expected a number above zero, such as 10".to_owned()),
    }
}
