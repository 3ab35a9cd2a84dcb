//! `vetgate migrate`

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use domain::Entropy as _;
use engine::OsEntropy;
use secrecy::SecretString;
use store::{Store, Vault};

use super::print;
use crate::settings::Sources;
use crate::telemetry;

/// Brings the database up to date.
pub async fn migrate(sources: &Sources) -> anyhow::Result<ExitCode> {
    let settings = super::load(sources)?;
    telemetry::log(settings.log_format);
    let url = settings.database.url.as_ref().context("database.url (variable DATABASE_URL): is not set")?;
    let store = without_keys(url).await?;
    let pending = store.pending_migrations().await?;
    store.migrate().await?;
    store.close().await;
    match pending {
        0 => print::line("The database is up to date.")?,
        count => print::line(format_args!("{count} migrations applied; the database is up to date."))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Opens the database for work that reads and writes nothing sealed. Its keys open and seal nothing that lasts.
pub(super) async fn without_keys(url: &SecretString) -> anyhow::Result<Store> {
    let mut key = zeroize::Zeroizing::new([0; 32]);
    OsEntropy.fill(key.as_mut());
    let vault = Vault::new(vec![("none".to_owned(), key)])?;
    Store::connect(url, 2, vault, Arc::new(OsEntropy)).await.context("database.url")
}
