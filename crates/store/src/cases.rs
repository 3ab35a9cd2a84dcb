//! Reconciliation cases and what was decided in them.

use domain::{AccountKey, Case, CaseId, CaseState, CheckId, ProviderId, Timestamp};
use serde_json::Value;

use crate::error::{Result, StoreError};
use crate::tx::{Scope, Tx};

#[derive(Debug, Clone, Default)]
pub struct CaseFilter {
    pub state: Option<CaseState>,
    pub provider: Option<ProviderId>,
    /// Opened at this time or later.
    pub created_after: Option<Timestamp>,
}

/// An entry of a case's log.
#[derive(Clone)]
pub struct Decision {
    pub at: Timestamp,
    /// Who: a token's subject, or `gateway`.
    pub actor: String,
    /// What, in a word: `bind`, `resend`, `fail`, …
    pub what: String,
    /// In the actor's own words. Kept encrypted, and so is `data`.
    pub note: Option<String>,
    pub data: Value,
}

/// See [`Tx::cases`].
pub struct Cases<'t> {
    pub(crate) tx: &'t mut Tx,
}

impl Cases<'_> {
    pub async fn insert(&mut self, case: &Case) -> Result<()> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn get(&mut self, scope: &Scope, id: CaseId) -> Result<Option<Case>> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn lock(&mut self, id: CaseId) -> Result<Option<Case>> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn save(&mut self, case: &Case) -> Result<()> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn list(
        &mut self,
        scope: &Scope,
        filter: &CaseFilter,
        limit: u32,
        before: Option<CaseId>,
    ) -> Result<Vec<Case>> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn open_of(&mut self, account: &AccountKey) -> Result<Vec<Case>> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn of_check(&mut self, check: CheckId) -> Result<Option<Case>> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn log(&mut self, id: CaseId, decision: &Decision) -> Result<()> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn decisions(&mut self, id: CaseId) -> Result<Vec<Decision>> {
        Err(StoreError::Corrupt("not yet"))
    }
}
