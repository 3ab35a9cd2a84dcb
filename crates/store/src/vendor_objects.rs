//! Objects of vendors: which are ours, which are not, and which are one too many.

use std::collections::BTreeSet;

use domain::{AccountKey, CaseId, CheckId, OrderId, Reference, TenantId, Timestamp};

use crate::error::{Result, StoreError};
use crate::tx::Tx;

/// A check that a vendor's object fulfils.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub tenant: TenantId,
    pub order_id: OrderId,
    pub check_id: CheckId,
}

/// See [`Tx::vendor_objects`].
pub struct VendorObjects<'t> {
    pub(crate) tx: &'t mut Tx,
}

impl VendorObjects<'_> {
    pub async fn dismiss(&mut self, account: &AccountKey, vendor_order_ids: &[String], now: Timestamp) -> Result<()> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn settled(&mut self, account: &AccountKey, since: Timestamp) -> Result<BTreeSet<String>> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn holders(&mut self, account: &AccountKey, vendor_order_id: &str) -> Result<Vec<Holder>> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn add_duplicate(
        &mut self,
        account: &AccountKey,
        vendor_order_id: &str,
        reference: Reference,
        case: CaseId,
        now: Timestamp,
    ) -> Result<bool> {
        Err(StoreError::Corrupt("not yet"))
    }
}
