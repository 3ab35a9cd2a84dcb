//! The vendor's own last answer about a check, unchanged.

use bytes::Bytes;
use domain::{CheckId, OrderId, Sensitive, Timestamp};

use crate::error::{Result, StoreError};
use crate::tx::{Scope, Tx};

/// See [`Tx::payloads`].
pub struct Payloads<'t> {
    pub(crate) tx: &'t mut Tx,
}

impl Payloads<'_> {
    pub async fn put(&mut self, check: CheckId, order: OrderId, payload: &[u8], now: Timestamp) -> Result<()> {
        Err(StoreError::Corrupt("not yet"))
    }
    pub async fn get(&mut self, scope: &Scope, check: CheckId) -> Result<Option<(Sensitive<Bytes>, Timestamp)>> {
        Err(StoreError::Corrupt("not yet"))
    }
}
