//! What scans of vendor accounts saw, and whose turn it is to scan.

use domain::{AccountKey, ScanReport, Timestamp};

use crate::error::{Result, StoreError};
use crate::tx::{Store, Tx};

/// See [`Tx::scans`].
pub struct Scans<'t> {
    pub(crate) tx: &'t mut Tx,
}

impl Scans<'_> {
    pub async fn insert(&mut self, scan: &ScanReport) -> Result<()> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn since(&mut self, account: &AccountKey, since: Timestamp) -> Result<Vec<ScanReport>> {
        Err(StoreError::Corrupt("not yet"))
    }
}

impl Store {
    pub async fn due_scans(&self, now: Timestamp) -> Result<Vec<AccountKey>> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn lease_scan(&self, account: &AccountKey, now: Timestamp, until: Timestamp) -> Result<bool> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn end_scan_lease(&self, account: &AccountKey) -> Result<()> {
        Err(StoreError::Corrupt("not yet"))
    }
}
