//! `vetgate providers truora register-hook`

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use domain::{AccountKey, ProviderId};
use provider::call::Unlimited;
use provider::{CallContext, Share};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use truora::{EVENTS, Registration, RegistrationFault, Registrations, Truora};
use url::Url;

use crate::client::access::usage;
use crate::commands::print;
use crate::settings::{Settings, Sources};
use crate::wiring;

/// The longest that one call may take.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub struct Options {
    /// The account's id in the settings
    #[arg(long, value_name = "ACCOUNT", default_value = AccountKey::DEFAULT)]
    account: String,
    /// Calls nobody; says what to enter in the vendor's dashboard
    #[arg(long)]
    print: bool,
}

/// Has the account's hooks sent here. 1 if the vendor does not do it; then what to do by hand is printed.
pub async fn register_hook(sources: &Sources, options: &Options, as_json: bool) -> anyhow::Result<ExitCode> {
    let settings = crate::commands::load(sources)?;
    let target = target(&settings, &options.account)?;
    let has_key = account(&settings, &options.account)?.hook_key.is_some();
    if options.print {
        by_hand(&target, &options.account, None, as_json)?;
        return Ok(ExitCode::SUCCESS);
    }
    let truora = Truora::new(account(&settings, &options.account)?.clone())?;
    let timeout = settings.truora.timing.timeout.unwrap_or(PATIENCE);
    let ctx = CallContext::new(Share::LookUp, timeout, Arc::new(Unlimited));
    match truora.register_hook(&ctx, &target).await {
        Ok(done) => {
            report(&target, &options.account, &done, has_key, as_json)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(fault) => {
            let why = sentence(&fault);
            print::tell(format_args!("vetgate: the vendor did not set it up: {why}"));
            by_hand(&target, &options.account, Some(&why), as_json)?;
            Ok(ExitCode::FAILURE)
        }
    }
}

fn account<'s>(settings: &'s Settings, id: &str) -> anyhow::Result<&'s truora::Settings> {
    let accounts = &settings.truora.accounts;
    if accounts.is_empty() {
        let credential = crate::settings::keys::variable("truora.api_key");
        anyhow::bail!("no account of Truora is set up. Set truora.api_key, or {credential}");
    }
    let found = accounts.iter().find(|account| account.id == id);
    let known = || accounts.iter().map(|account| account.id.as_str()).collect::<Vec<_>>().join(", ");
    Ok(&found
        .ok_or_else(|| usage(format_args!("there is no account \"{id}\" in the settings. Known: {}", known())))?
        .adapter)
}

/// Where the account's hooks are taken in.
fn target(settings: &Settings, id: &str) -> anyhow::Result<Url> {
    account(settings, id)?;
    let key = AccountKey::new(ProviderId::new(truora::ID), id);
    let providers = wiring::providers(settings)?;
    let url = providers.account(&key).and_then(|account| account.hook_url.clone());
    url.context("public_url is not set. Set it to the address by which vendors reach the gateway, such as https://vetgate.example.com")
}

fn sentence(fault: &RegistrationFault) -> String {
    use provider::AdministrationFault::Refused;
    match fault {
        RegistrationFault::Vendor(Refused(objections)) => {
            let said = objections.first().map_or("", |objection| objection.detail.as_str());
            format!("it was refused ({})", print::plain(said))
        }
        fault => fault.to_string(),
    }
}

/// The setting that the signing key belongs into.
fn setting(account: &str) -> String {
    if account == AccountKey::DEFAULT {
        format!("truora.hook_key ({})", crate::settings::keys::variable("truora.hook_key"))
    } else {
        format!("hook_key of the [[truora.accounts]] with the id \"{account}\"")
    }
}

fn report(target: &Url, account: &str, done: &Registrations, has_key: bool, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        let rules: Vec<Value> = done
            .rules
            .iter()
            .map(|rule| json!({ "event": rule.event, "rule_id": rule.rule_id, "state": word(rule.what) }))
            .collect();
        return print::json(&json!({
            "account": account, "url": target.as_str(), "rules": rules, "not_offered": done.not_offered,
            "signing_key": done.signing_key.as_ref().map(ExposeSecret::expose_secret), "setting": setting(account),
        }));
    }
    let mut table = print::table(&["event", "rule", "state"]);
    for rule in &done.rules {
        table.add_row([rule.event.to_owned(), print::plain(&rule.rule_id).into_owned(), word(rule.what).to_owned()]);
    }
    for event in &done.not_offered {
        table.add_row([*event, "-", "not offered by the vendor's API; the dashboard may have it"]);
    }
    print::line(print::trimmed(&table))?;
    print::line(format_args!("\nHooks go to {target}"))?;
    match &done.signing_key {
        Some(key) => print::line(format_args!(
            "The key that they are signed with, shown this once:\n\n  {}\n\nPut it into {}.",
            print::plain(key.expose_secret()),
            setting(account)
        )),
        None if has_key => print::line(format_args!(
            "The vendor did not show the key that they are signed with; {} is set. If hooks are refused, compare it with the dashboard.",
            setting(account)
        )),
        None => print::line(format_args!(
            "The vendor did not show the key that they are signed with. Copy it from the rule in the dashboard into {}; until then no hook is taken.",
            setting(account)
        )),
    }
}

const fn word(what: Registration) -> &'static str {
    match what {
        Registration::Made => "made",
        Registration::Mended => "mended",
        Registration::Unchanged => "unchanged",
    }
}

/// What to enter in the dashboard.
fn by_hand(target: &Url, account: &str, why: Option<&str>, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return print::json(&json!({
            "account": account, "url": target.as_str(), "refused": why,
            "dashboard": {
                "product": "Background checks", "events": ["created", "started", "delayed", "finished"],
                "api_events": EVENTS, "action": "notification via webhook", "method": "POST", "format": "JWT",
            },
            "setting": setting(account),
        }));
    }
    print::line(format_args!(
        "In Truora's dashboard, under Webhooks/Automations, make a rule:\n\
         \n  product   Background checks\
         \n  events    created, started, delayed, finished\
         \n  action    notification via webhook\
         \n  method    POST\
         \n  URL       {target}\
         \n  format    JWT encode, without a body of its own (plain JSON is not signed, and is refused)\n\
         \nThen copy the rule's signing key into {}.",
        setting(account)
    ))
}
