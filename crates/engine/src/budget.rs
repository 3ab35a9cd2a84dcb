//! The rate budget of a vendor account, shared through the database by every process.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{AccountKey, Clock};
use provider::{Budget, Share};
use store::Store;

use crate::Account;

/// Each kind of call has its own part of the rate, so that polling never starves sending.
const fn part(share: Share) -> f64 {
    match share {
        Share::Create => 0.5,
        Share::LookUp => 0.3,
        Share::Poll => 0.2,
    }
}

/// How far calls may run ahead of the rate.
const BURST: Duration = Duration::from_secs(1);

pub(crate) struct SharedBudget {
    store: Store,
    clock: Arc<dyn Clock>,
    key: AccountKey,
    /// Requests per second of the whole account; `None`: not limited.
    rate: Option<f64>,
}

impl SharedBudget {
    pub(crate) fn new(store: Store, clock: Arc<dyn Clock>, account: &Account) -> Self {
        Self { store, clock, key: account.key.clone(), rate: account.timing.rate }
    }
}

#[async_trait]
impl Budget for SharedBudget {
    async fn take(&self, share: Share, patience: Duration) -> Result<(), Duration> {
        let Some(rate) = self.rate.filter(|rate| *rate > 0.0) else { return Ok(()) };
        let every = Duration::from_secs_f64(1.0 / (rate * part(share)));
        let mut waited = Duration::ZERO;
        loop {
            let turn = self.store.take_turn(&self.key, share.as_str(), every, BURST, self.clock.now()).await;
            match turn {
                Ok(None) => return Ok(()),
                Ok(Some(wait)) if waited + wait > patience => return Err(wait),
                Ok(Some(wait)) => {
                    tokio::time::sleep(wait).await;
                    waited += wait;
                }
                // Without the database nobody knows the budget, and nothing could be recorded either.
                Err(_) => return Err(Duration::from_secs(1)),
            }
        }
    }

    async fn pause(&self, rest: Duration) {
        let until = self.clock.now() + rest;
        if let Err(error) = self.store.rest(&self.key, until).await {
            tracing::warn!(%error, account = %self.key, "could not note the rest that the vendor asked for");
        }
    }
}
