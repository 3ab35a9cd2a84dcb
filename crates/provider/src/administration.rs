//! What an account's owner can set up at a vendor, beside ordering: check types of its own, settings, the logins for
//! databases that want the client's own; and how the vendor's sources are doing.
//!
//! Nothing of it makes an order. Every call says exactly what it proves: an answer that was lost is looked into where
//! looking is possible, and told as it is where it is not.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use domain::{Sensitive, Timestamp};

use crate::call::{CallContext, CallError};

/// The part of an adapter that does it. See the module's documentation.
#[async_trait]
pub trait Administration: Send + Sync {
    /// The databases that the vendor searches in a country, with how each did in the last 24 hours.
    async fn sources(
        &self,
        ctx: &CallContext,
        country: &str,
        now: Timestamp,
    ) -> Result<Vec<Source>, AdministrationFault>;

    /// The account's own check types, by country and name.
    async fn custom_types(&self, ctx: &CallContext) -> Result<Vec<CustomType>, AdministrationFault>;

    /// Makes one that does not exist. Gives it as the vendor has it.
    async fn create_custom_type(
        &self,
        ctx: &CallContext,
        wanted: &CustomType,
    ) -> Result<CustomType, AdministrationFault>;

    /// Gives an existing one other weights.
    async fn replace_custom_type(
        &self,
        ctx: &CallContext,
        wanted: &CustomType,
    ) -> Result<CustomType, AdministrationFault>;

    async fn delete_custom_type(&self, ctx: &CallContext, country: &str, name: &str)
    -> Result<(), AdministrationFault>;

    /// Changes the account's settings; what is `None` stays. Making the same call again is harmless.
    async fn change_settings(&self, ctx: &CallContext, change: &SettingsChange) -> Result<(), AdministrationFault>;

    /// The ids of the databases that the vendor has a login for.
    async fn credentials(&self, ctx: &CallContext) -> Result<Vec<String>, AdministrationFault>;

    /// Gives the vendor the login for a database, in place of the one it has. Making the same call again is harmless.
    async fn put_credentials(
        &self,
        ctx: &CallContext,
        database_id: &str,
        secrets: &Sensitive<BTreeMap<String, String>>,
    ) -> Result<(), AdministrationFault>;

    async fn delete_credentials(&self, ctx: &CallContext, database_id: &str) -> Result<(), AdministrationFault>;
}

/// A database that the vendor searches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub id: String,
    pub name: String,
    pub datasets: Vec<String>,
    /// Oldest first.
    pub hours: Vec<SourceHour>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceHour {
    /// When the hour began.
    pub at: Timestamp,
    /// The vendor's own word.
    pub status: String,
}

/// A check type of the account's own: which data sets are searched, and how much each counts in the score.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomType {
    pub country: String,
    pub name: String,
    /// From 0 (searched, without weight) to 1, adding up to 1.
    pub weights: BTreeMap<String, f64>,
}

/// What of the account's settings is to be changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingsChange {
    pub names_matching: Option<NamesMatching>,
    pub retries: Option<bool>,
    pub max_duration: Option<Duration>,
}

/// Which records count as the subject's by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamesMatching {
    Soft,
    Exact,
}

/// What is wrong with a part of what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// A JSON Pointer into what was asked, by the names of the fields here: `/weights/criminal_record`. Empty: the whole.
    pub pointer: String,
    pub code: &'static str,
    /// A sentence that says what to do. Never holds a secret.
    pub detail: String,
}

impl Objection {
    pub fn new(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code, detail: detail.into() }
    }
}

/// Why something was not done, or is not known to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdministrationFault {
    #[error("there is no such thing at the vendor")]
    NotFound,
    #[error("it exists already")]
    Exists,
    /// Provably nothing was done, and asking again unchanged cannot help.
    #[error("it was refused")]
    Refused(Vec<Objection>),
    /// The vendor does not let this account do it. Nothing was done.
    #[error("the vendor refuses the account: {0}")]
    Denied(&'static str),
    /// Provably nothing was done.
    #[error("the vendor could not be asked: {0}")]
    NotDone(CallError),
    /// Nobody knows whether it was done. Holds what was seen when it was looked for, as a sentence.
    #[error("the answer was lost: {0}")]
    Unclear(&'static str),
}

impl AdministrationFault {
    /// Whether it may have been done all the same.
    pub const fn is_unclear(&self) -> bool {
        matches!(self, Self::Unclear(_))
    }
}
