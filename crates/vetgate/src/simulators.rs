//! The simulated vendors, and settings that lead to them.

use std::io;
use std::time::Duration;

use domain::AccountKey;
use sandbox::{Sandbox, SandboxConfig};
use secrecy::SecretString;
use url::Url;

use crate::settings::Settings;
use crate::settings::vendors::{AccountSettings, TimingSettings, Vendor};

/// Where everything goes that Theary's simulator sends to employers: nowhere.
const QA_EMAIL: &str = "qa@vetgate.example";

/// The keys that the simulators take.
#[derive(Clone)]
pub struct Credentials {
    pub truora_api_key: String,
    pub truora_hook_key: String,
    pub theary_token: String,
    pub theary_hook_secret: String,
    pub truework_api_key: String,
    pub truework_hook_token: String,
}

impl Credentials {
    pub fn of(config: &SandboxConfig) -> Self {
        Self {
            truora_api_key: config.truora.config.api_key.clone(),
            truora_hook_key: config.truora.config.hook_key.clone(),
            theary_token: config.theary.config.token.clone(),
            theary_hook_secret: config.theary.config.hook_secret.clone(),
            truework_api_key: config.truework.config.api_key.clone(),
            truework_hook_token: config.truework.config.hook_token.clone(),
        }
    }
}

/// Leads the settings to the simulators, and to nothing else.
pub fn lay_over(settings: &mut Settings, sandbox: &Sandbox, credentials: &Credentials, timing: TimingSettings) {
    let secret = |text: &String| SecretString::from(text.as_str());
    settings.truora.accounts = only(truora::Settings {
        checks_url: sandbox.truora.base_url().clone(),
        account_url: sandbox.truora.base_url().clone(),
        hook_key: Some(secret(&credentials.truora_hook_key)),
        file_hosts: truora::FileHosts::new(sandbox.truora.base_url().host_str().map(str::to_owned)),
        identity: truora::IdentitySettings {
            url: sandbox.truora.base_url().clone(),
            page_url: sandbox.truora.base_url().clone(),
            flow: Some(sandbox::truora::IDENTITY_FLOW.to_owned()),
            ..truora::IdentitySettings::default()
        },
        ..truora::Settings::new(secret(&credentials.truora_api_key))
    });
    settings.theary.accounts = only(theary::AccountSettings {
        base_url: sandbox.theary.base_url().clone(),
        credentials: theary::Credentials::Token(secret(&credentials.theary_token)),
        hook_secret: Some(secret(&credentials.theary_hook_secret)),
        environment: theary::Environment::Sandbox { qa_email: QA_EMAIL.to_owned() },
        upload_hosts: None,
        batch_size: theary::AccountSettings::DEFAULT_BATCH_SIZE,
    });
    settings.truework.accounts = only(truework::Settings {
        hook_tokens: vec![secret(&credentials.truework_hook_token)],
        ..truework::Settings::new(sandbox.truework.base_url().clone(), secret(&credentials.truework_api_key))
    });
    // Everything is on this machine: nothing is late by seconds.
    settings.engine.lease_margin = Duration::from_millis(500);
    settings.truora.timing = timing;
    settings.theary.timing = timing;
    settings.truework.timing = timing;
    for paused in [&mut settings.truora.paused, &mut settings.theary.paused, &mut settings.truework.paused] {
        *paused = None;
    }
}

/// One account, open to every tenant.
fn only<V: Vendor>(adapter: V::Adapter) -> Vec<AccountSettings<V>> {
    vec![AccountSettings { id: AccountKey::DEFAULT.to_owned(), tenants: None, adapter }]
}

/// Starts all three, none of which takes more than a few seconds for a check.
pub async fn start(config: SandboxConfig) -> io::Result<Sandbox> {
    let sandbox = Sandbox::start(config).await?;
    // By itself it takes ten minutes: people are asked.
    let quick = serde_json::json!({ "start_after_ms": 1_000, "complete_after_ms": 3_000 });
    sandbox.theary.control().set_behavior(quick).map_err(io::Error::other)?;
    Ok(sandbox)
}

/// Points the hooks of vendors that are configured once, rather than with each order, to the gateway.
pub fn send_hooks_to(sandbox: &Sandbox, gateway: &Url) {
    for (vendor, simulator) in sandbox.all() {
        if let Ok(target) = gateway.join(&format!("vendor-hooks/{vendor}")) {
            // A switch that every simulator has; it can only be refused if it were not a URL.
            let _ = simulator.control().set_behavior(serde_json::json!({ "hooks": { "target": target } }));
        }
    }
}

/// Times for looking on: what takes vendors days is worked off in seconds.
pub const fn quick(settle: Duration) -> TimingSettings {
    TimingSettings {
        settle: Some(settle),
        timeout: Some(Duration::from_secs(2)),
        poll_min: Some(Duration::from_millis(500)),
        poll_max: Some(Duration::from_secs(2)),
        rate: None,
    }
}
