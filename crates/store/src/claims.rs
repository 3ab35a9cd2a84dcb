//! What is due, and who has taken it.

use domain::{AccountKey, CheckId, OrderId, TenantId, Timestamp};

use crate::error::{Result, StoreError};
use crate::orders::Work;
use crate::tx::Store;

/// A check that a worker has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub check_id: CheckId,
    pub order_id: OrderId,
    pub tenant: TenantId,
}

impl Store {
    pub async fn claim(
        &self,
        account: &AccountKey,
        work: Work,
        limit: i64,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<Claim>> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn release(&self, checks: &[CheckId], due_at: Timestamp) -> Result<()> {
        Err(StoreError::Corrupt("not yet"))
    }
}
