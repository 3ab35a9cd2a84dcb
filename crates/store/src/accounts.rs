//! Vendor accounts: paused or not, their circuit, and their rate budget.

use std::time::Duration;

use domain::{AccountKey, ProviderId, Timestamp};

use crate::error::{Result, StoreError};
use crate::tx::{Store, Tx};

/// Whether calls to an account are let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Circuit {
    Closed,
    Open,
    /// Look-ups only, to see whether it works again.
    HalfOpen,
}

/// An operator stopped sending to a vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paused {
    pub at: Timestamp,
    pub by: String,
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountStatus {
    pub key: AccountKey,
    pub paused: Option<Paused>,
    /// The vendor asked for a rest until then.
    pub rest_until: Option<Timestamp>,
    pub circuit: Circuit,
    pub circuit_until: Option<Timestamp>,
    /// The account was seen to give back a reference of ours.
    pub echoes: bool,
    /// The last fault's code, and when it was.
    pub last_error: Option<(String, Timestamp)>,
}

/// See [`Tx::accounts`].
pub struct Accounts<'t> {
    pub(crate) tx: &'t mut Tx,
}

impl Accounts<'_> {
    pub async fn set_paused(&mut self, provider: &ProviderId, paused: Option<&Paused>) -> Result<()> {
        Err(StoreError::Corrupt("not yet"))
    }
}

impl Store {
    pub async fn register_accounts(&self, accounts: &[AccountKey]) -> Result<()> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn accounts(&self) -> Result<Vec<AccountStatus>> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn rest(&self, account: &AccountKey, until: Timestamp) -> Result<()> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn set_circuit(
        &self,
        account: &AccountKey,
        circuit: Circuit,
        until: Option<Timestamp>,
        last_error: Option<&str>,
        now: Timestamp,
    ) -> Result<()> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn set_echoes(&self, account: &AccountKey) -> Result<()> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn take_turn(
        &self,
        account: &AccountKey,
        share: &str,
        every: Duration,
        burst: Duration,
        now: Timestamp,
    ) -> Result<Option<Duration>> {
        Err(StoreError::Corrupt("not yet"))
    }
}
