//! `vetgate dev`

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use domain::{Entropy as _, TenantId};
use engine::OsEntropy;
use sandbox::{Sandbox, SandboxConfig, SimClock};
use secrecy::SecretString;
use testkit::{DataDir, PrivatePostgres};
use url::Url;

use super::demo::scenario;
use crate::gateway::{Bound, Role};
use crate::settings::{Settings, Sources};
use crate::simulators::{self, Credentials};
use crate::token::{Claims, mint};
use crate::{commands, telemetry};

/// How long a create call may be looked for here: long enough to watch, short enough to wait for.
const SETTLE: Duration = Duration::from_secs(20);
const TENANT: &str = "dev";
const TOKEN_TTL: Duration = Duration::from_hours(12);

#[derive(Debug, Args)]
pub struct Options {
    /// Where keys and data are kept
    #[arg(long, default_value = ".vetgate", value_name = "DIR")]
    pub data_dir: PathBuf,
    /// How many times as fast as by themselves the simulated vendors work
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR", value_parser = super::sandbox::speed)]
    pub speed: f64,
}

/// Runs a gateway with simulated vendors until it is told to stop.
pub async fn dev(sources: &Sources, options: Options) -> anyhow::Result<ExitCode> {
    let mut settings = super::load(sources)?;
    telemetry::log(crate::settings::LogFormat::Pretty);
    let keys = Keys::kept_in(&options.data_dir)?;
    let own = Settings::parse(&keys.file.display().to_string(), &keys.text)?.settings;
    if settings.auth.hs256_secret.is_none() {
        settings.auth.hs256_secret = own.auth.hs256_secret;
    }
    if settings.encryption_keys.is_none() {
        settings.encryption_keys = own.encryption_keys;
    }
    let postgres = match settings.database.url {
        Some(_) => None,
        None => Some(PrivatePostgres::start(DataDir::Kept(options.data_dir.join("postgres"))).await?),
    };
    if let Some(postgres) = &postgres {
        settings.database.url = Some(SecretString::from(postgres.url()));
    }
    let ended = run(&mut settings, &options, &keys).await;
    if let Some(postgres) = postgres {
        postgres.stop().await;
    }
    ended
}

async fn run(settings: &mut Settings, options: &Options, keys: &Keys) -> anyhow::Result<ExitCode> {
    let config = SandboxConfig { clock: SimClock::wall().with_speed(options.speed), ..SandboxConfig::default() };
    let credentials = Credentials::of(&config);
    let sandbox = simulators::start(config).await.context("the simulators could not be started")?;
    simulators::lay_over(settings, &sandbox, &credentials, simulators::quick(SETTLE));
    let bound = Bound::take(settings, Role::Whole).await?;
    let base_url = bound.base_url().context("the API has no address")?;
    simulators::send_hooks_to(&sandbox, &base_url);
    settings.public_url.get_or_insert_with(|| base_url.clone());
    let mut gateway = bound.start(settings).await?;
    super::print::line(welcome(settings, &base_url, &sandbox, keys)?)?;
    let ended = tokio::select! {
        stopped = super::told_to_stop() => stopped.map(|()| ExitCode::SUCCESS).map_err(anyhow::Error::from),
        error = gateway.ended() => Err(error),
    };
    gateway.stop(super::serve::DEADLINE).await;
    sandbox.shutdown().await;
    ended
}

fn welcome(settings: &Settings, base_url: &Url, sandbox: &Sandbox, keys: &Keys) -> anyhow::Result<String> {
    let secret = settings.auth.hs256_secret.as_ref().context("auth.hs256_secret is not set")?;
    let scopes = commands::token::all_scopes();
    let tenant = TenantId::new(TENANT);
    let claims = Claims {
        subject: "vetgate-dev",
        tenant: &tenant,
        scopes: &scopes,
        ttl: TOKEN_TTL,
        issuer: settings.auth.issuer.as_deref(),
        audience: settings.auth.audience.as_deref(),
    };
    let token = mint(secret, &claims)?;
    let [truora, theary, truework] = sandbox.all().map(|(_, simulator)| simulator.base_url());
    let file = keys.file.display();
    Ok(format!(
        "\nAPI        {base_url}   (documentation: {base_url}docs)\n\
         Truora     {truora}   (simulated; books: {truora}_sandbox/books)\n\
         Theary     {theary}   (simulated)\n\
         Truework   {truework}   (simulated)\n\
         Token      good for everything as tenant {TENANT}, for {ttl}; another: vetgate token --config {file} --tenant {TENANT}\n\n\
         TOKEN={token}\n\n\
         curl -s {base_url}v1/orders -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' -d '{order}'\n\n\
         A batch, one order on each line:\n\n\
         curl -s {base_url}v1/batches -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/x-ndjson' --data-binary $'{batch}'\n\n\
         Files of them: VETGATE_URL={base_url} VETGATE_TOKEN=$TOKEN vetgate batches import FILE --watch\n\n\
         Ctrl-C stops everything; the data stays.",
        ttl = humantime::format_duration(TOKEN_TTL),
        order = scenario::background_order("first-steps", 1),
        batch = [2, 3].map(|number| scenario::background_order("first-batch", number).to_string()).join("\\n"),
    ))
}

/// The keys of this data folder, as a settings file.
struct Keys {
    file: PathBuf,
    text: String,
}

impl Keys {
    /// Those that are kept there, or new ones.
    fn kept_in(folder: &Path) -> anyhow::Result<Self> {
        let file = folder.join("dev.toml");
        match fs::read_to_string(&file) {
            Ok(text) => return Ok(Self { file, text }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("{} cannot be read", file.display())),
        }
        let text = new_keys();
        let keep = || -> std::io::Result<()> {
            // Others of this machine may pass through (Postgres may run under another account), but not look around.
            fs::DirBuilder::new().recursive(true).mode(0o711).create(folder)?;
            let mut new = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file)?;
            new.write_all(text.as_bytes())
        };
        keep().with_context(|| format!("{} cannot be written", file.display()))?;
        Ok(Self { file, text })
    }
}

/// A settings file with a new secret for tokens and a new key to encrypt with.
pub(super) fn new_keys() -> String {
    let random = || {
        let mut bytes = [0; 32];
        OsEntropy.fill(&mut bytes);
        STANDARD.encode(bytes)
    };
    format!("[auth]\nhs256_secret = \"{}\"\n\n[encryption]\nkeys = \"dev:{}\"\n", random(), random())
}
