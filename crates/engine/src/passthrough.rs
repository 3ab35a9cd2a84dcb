//! A vendor's own calls, made for somebody who knows them.

use domain::{AccountKey, VendorRef};
use provider::{CallContext, Carries, Fetched, PassRefusal, Passed, PassedCall, Passthrough, VendorAnswer};

use crate::asked::AskError;
use crate::{Account, Engine};

#[derive(Debug, thiserror::Error)]
pub enum PassError {
    #[error("no calls of this vendor are passed")]
    NotSupported,
    #[error(transparent)]
    Refused(#[from] PassRefusal),
    /// It would erase what a check here stands for, or may yet turn out to.
    #[error("a check here needs what this call would erase")]
    Needed,
    #[error(transparent)]
    Ask(#[from] AskError),
}

impl Engine {
    /// Whether a call may be passed on: by the adapter's list, and because nothing here needs what it would erase.
    pub async fn may_pass(&self, account: &Account, call: &PassedCall) -> Result<Passed, PassError> {
        let passed = passing(account)?.judge(call)?;
        if let Some(id) = &passed.erases {
            let ctx = self.ctx_of(&account.key).await?;
            let mut tx = self.store().begin().await.map_err(AskError::from)?;
            let holders = tx.vendor_objects().holders(&account.key, id).await.map_err(AskError::from)?;
            tx.cancel().await.map_err(AskError::from)?;
            if !holders.is_empty() {
                return Err(PassError::Needed);
            }
            // What nobody here is bound to may still be what a lost create call made: its reference tells.
            match account.provider.fetch(&ctx, &VendorRef::order(id)).await.map_err(AskError::from)? {
                Fetched::Found(snapshot) if matches!(snapshot.carries, Carries::Ours(_)) => {
                    return Err(PassError::Needed);
                }
                Fetched::Found(_) | Fetched::Missing | Fetched::NotBegun => {}
            }
        }
        Ok(passed)
    }

    /// Makes the call, once. Ask [`may_pass`](Self::may_pass) first.
    pub async fn pass(&self, account: &Account, call: &PassedCall) -> Result<VendorAnswer, PassError> {
        let ctx = self.ctx_of(&account.key).await?;
        Ok(passing(account)?.pass(&ctx, call).await.map_err(AskError::from)?)
    }

    async fn ctx_of(&self, key: &AccountKey) -> Result<CallContext, AskError> {
        self.asking(key, None).await.map(|(_, ctx)| ctx)
    }
}

fn passing(account: &Account) -> Result<&dyn Passthrough, PassError> {
    account.provider.passthrough().ok_or(PassError::NotSupported)
}
