//! What an account's owner sets up at a vendor. Every change stands in the audit log before it is asked for, and again
//! with what came of it: a change that nobody knows the end of is told by an entry that is alone.

use std::collections::BTreeMap;

use domain::{AuditId, Sensitive};
use provider::{Administration, AdministrationFault, CustomType, NamesMatching, SettingsChange, Share, Source};
use serde_json::{Map, Value, json};
use store::{AuditEntry, StoreError, StoredAuditEntry};

use crate::{Account, Engine};

/// Why it was not done, or is not known to be.
#[derive(Debug, thiserror::Error)]
pub enum AdministrationError {
    #[error("the vendor has nothing to set up")]
    NotOffered,
    #[error(transparent)]
    Vendor(#[from] AdministrationFault),
    #[error(transparent)]
    Store(#[from] StoreError),
}

type Result<T> = std::result::Result<T, AdministrationError>;

/// A change, as the audit log tells of it. Without secrets.
struct Deed<'d> {
    actor: &'d str,
    action: &'static str,
    data: Map<String, Value>,
}

impl<'d> Deed<'d> {
    fn new(actor: &'d str, action: &'static str, data: Value) -> Self {
        let data = if let Value::Object(data) = data { data } else { Map::new() };
        Self { actor, action, data }
    }
}

impl Engine {
    pub async fn sources(&self, account: &Account, country: &str) -> Result<Vec<Source>> {
        let ctx = self.call_context(account, Share::LookUp);
        Ok(offered(account)?.sources(&ctx, country, self.now()).await?)
    }

    pub async fn custom_types(&self, account: &Account) -> Result<Vec<CustomType>> {
        let ctx = self.call_context(account, Share::LookUp);
        Ok(offered(account)?.custom_types(&ctx).await?)
    }

    pub async fn create_custom_type(&self, account: &Account, actor: &str, wanted: &CustomType) -> Result<CustomType> {
        let vendor = offered(account)?;
        let ctx = self.call_context(account, Share::LookUp);
        let deed = Deed::new(actor, "provider.custom_type.create", told(wanted));
        self.audited(account, deed, vendor.create_custom_type(&ctx, wanted)).await
    }

    pub async fn replace_custom_type(&self, account: &Account, actor: &str, wanted: &CustomType) -> Result<CustomType> {
        let vendor = offered(account)?;
        let ctx = self.call_context(account, Share::LookUp);
        let deed = Deed::new(actor, "provider.custom_type.replace", told(wanted));
        self.audited(account, deed, vendor.replace_custom_type(&ctx, wanted)).await
    }

    pub async fn delete_custom_type(&self, account: &Account, actor: &str, country: &str, name: &str) -> Result<()> {
        let vendor = offered(account)?;
        let ctx = self.call_context(account, Share::LookUp);
        let deed = Deed::new(actor, "provider.custom_type.delete", json!({ "country": country, "name": name }));
        self.audited(account, deed, vendor.delete_custom_type(&ctx, country, name)).await
    }

    /// The last change of the account's settings that was made through this gateway: the vendor may not be able to say how
    /// they stand, and others may have changed them since. Its data holds everything that was ever set here.
    pub async fn last_settings(&self, account: &Account) -> Result<Option<StoredAuditEntry>> {
        offered(account)?;
        let mut tx = self.store().begin().await?;
        Ok(tx.audit().last_change_of_settings(&account.key.to_string()).await?)
    }

    pub async fn change_settings(&self, account: &Account, actor: &str, change: &SettingsChange) -> Result<()> {
        let vendor = offered(account)?;
        let ctx = self.call_context(account, Share::LookUp);
        // Each change names what it changes only; the entry of the last one holds them all.
        let earlier = self.last_settings(account).await?;
        let mut settings = match earlier.map(|stored| stored.entry.data["settings"].clone()) {
            Some(Value::Object(settings)) => settings,
            _ => Map::new(),
        };
        let changed = told_settings(change);
        settings.extend(changed.clone());
        let deed = Deed::new(actor, "provider.settings.change", json!({ "changed": changed, "settings": settings }));
        self.audited(account, deed, vendor.change_settings(&ctx, change)).await
    }

    pub async fn credentials(&self, account: &Account) -> Result<Vec<String>> {
        let ctx = self.call_context(account, Share::LookUp);
        Ok(offered(account)?.credentials(&ctx).await?)
    }

    pub async fn put_credentials(
        &self,
        account: &Account,
        actor: &str,
        database_id: &str,
        secrets: &Sensitive<BTreeMap<String, String>>,
    ) -> Result<()> {
        let vendor = offered(account)?;
        must_be_an_id(database_id)?;
        let ctx = self.call_context(account, Share::LookUp);
        let deed = Deed::new(actor, "provider.credentials.put", json!({ "database_id": database_id }));
        self.audited(account, deed, vendor.put_credentials(&ctx, database_id, secrets)).await
    }

    pub async fn delete_credentials(&self, account: &Account, actor: &str, database_id: &str) -> Result<()> {
        let vendor = offered(account)?;
        must_be_an_id(database_id)?;
        let ctx = self.call_context(account, Share::LookUp);
        let deed = Deed::new(actor, "provider.credentials.delete", json!({ "database_id": database_id }));
        self.audited(account, deed, vendor.delete_credentials(&ctx, database_id)).await
    }

    /// Without the first entry nothing is asked for.
    async fn audited<T>(
        &self,
        account: &Account,
        deed: Deed<'_>,
        call: impl Future<Output = std::result::Result<T, AdministrationFault>>,
    ) -> Result<T> {
        self.note(account, &deed, "asked").await?;
        let ended = call.await;
        let outcome = match &ended {
            Ok(_) => "done",
            Err(AdministrationFault::Unclear(_)) => "unclear",
            Err(AdministrationFault::NotDone(_)) => "not_done",
            Err(_) => "refused",
        };
        if let Err(error) = self.note(account, &deed, outcome).await {
            // The first entry tells of it; the caller is told what is so.
            tracing::error!(%error, account = %account.key, action = deed.action, outcome, "the end of a change at a vendor could not be audited");
        }
        Ok(ended?)
    }

    async fn note(
        &self,
        account: &Account,
        deed: &Deed<'_>,
        outcome: &'static str,
    ) -> std::result::Result<(), StoreError> {
        let mut data = deed.data.clone();
        data.insert("outcome".into(), outcome.into());
        let entry = AuditEntry {
            at: self.now(),
            tenant: account.sole_tenant().cloned(),
            actor: deed.actor.to_owned(),
            action: deed.action.into(),
            target: account.key.to_string(),
            data: Value::Object(data),
        };
        let mut tx = self.store().begin().await?;
        tx.audit().append(AuditId::generate(self.clock(), self.entropy()), &entry).await?;
        tx.save().await
    }
}

fn offered(account: &Account) -> Result<&dyn Administration> {
    account.provider.administration().ok_or(AdministrationError::NotOffered)
}

/// What goes on record for good must not be whatever somebody writes into an address: a database's id is one word that
/// begins with a letter.
fn must_be_an_id(text: &str) -> Result<()> {
    let is_word = text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_word && text.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Ok(());
    }
    Err(AdministrationFault::NotFound.into())
}

fn told(wanted: &CustomType) -> Value {
    json!({ "country": wanted.country, "name": wanted.name, "weights": wanted.weights })
}

/// The settings in the words of the API.
fn told_settings(change: &SettingsChange) -> Map<String, Value> {
    let matching = change.names_matching.map(|matching| match matching {
        NamesMatching::Soft => "soft",
        NamesMatching::Exact => "exact",
    });
    let longest = change.max_duration.map(|longest| {
        let minutes = longest.as_secs() / 60;
        if minutes.is_multiple_of(60) { format!("{}h", minutes / 60) } else { format!("{minutes}m") }
    });
    let fields = [
        ("names_matching", matching.map(Value::from)),
        ("retries", change.retries.map(Value::from)),
        ("max_duration", longest.map(Value::from)),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
