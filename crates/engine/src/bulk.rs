//! Vendors' own batches: like checks of a batch of ours go to their vendor as a file, where it takes files.
//!
//! A file is one submission. [`gather`] makes it of checks that wait for one, [`step`] carries it through the stages of
//! its adapter, a call at a time, and [`rows`] takes in what became of each check.
//!
//! The promise is that of a create call: no call is made that is not written down before, and none is repeated on a
//! guess. To claim a file is to write down that a call of its stage is about to be made. Whoever claims it next and finds
//! nothing recorded of that call asks the adapter for the same stage with `in_doubt`, and the adapter looks first.
//!
//! Until its file has come to an end a check is `submitting`. The submission's lease is the file's deadline: a file that is
//! not through by then is found with the dead calls, and people are asked about its checks.

mod gather;
mod rows;
mod step;

pub(crate) use self::gather::Kinships;

use std::time::{Duration, Instant};

use domain::Timestamp;
use futures::StreamExt as _;
use store::StoreError;

use crate::gate::Passage;
use crate::{Account, Engine};

/// So many files of an account are at a call at once. An upload is long, and single creates go out beside it.
const AT_ONCE: i64 = 4;

/// A file ends with the last of its rows, and the slowest checks that are known end within a week. A day more for all that
/// comes before and after.
const DEADLINE: Duration = Duration::from_hours(8 * 24);

/// After its deadline the file is still looked at for so long, since a late report settles what people else must.
const AFTERMATH: Duration = Duration::from_hours(7 * 24);

/// A file that could not even be begun for so long is given up, and its checks go singly: nothing was ordered by it.
const BEGIN_WITHIN: Duration = Duration::from_hours(2);

/// A step may take several requests, of which one at most changes anything.
const REQUESTS: u32 = 6;

impl Engine {
    /// Makes the next calls for the files that are due, and new files of what waits for one. Gives how much was done.
    pub async fn files(&self, account: &Account) -> Result<usize, StoreError> {
        match self.passage(&account.key).await? {
            Passage::Open => Ok(self.drive(account, true).await? + self.gather(account).await?),
            // What the vendor works on is followed; nothing new is begun.
            Passage::Paused => self.drive(account, false).await,
            Passage::Probe => Ok(usize::from(account.provider.bulk().is_some() && self.probe(account).await)),
            Passage::Resting(_) => Ok(0),
        }
    }

    /// Makes the next call of each file that is due.
    async fn drive(&self, account: &Account, begin: bool) -> Result<usize, StoreError> {
        let Some(bulk) = account.provider.bulk() else { return Ok(0) };
        let now = self.now();
        let lease = self.file_lease(account);
        let lease_ends = (Instant::now() + lease, now + lease);
        let claims = self.store().claim_files(&account.key, AT_ONCE, begin, now, now + lease).await?;
        let count = claims.len();
        futures::stream::iter(claims)
            .for_each_concurrent(None, |(submission, claim)| async move {
                let stepped = match claim {
                    Ok(file) => self.step(account, bulk, file, lease_ends).await,
                    Err(error) => Err(error),
                };
                if let Err(error) = stepped {
                    // Its lease runs out, and the stage is in doubt.
                    tracing::error!(%error, account = %account.key, %submission, "could not go on with a file");
                }
            })
            .await;
        Ok(count)
    }

    fn file_lease(&self, account: &Account) -> Duration {
        account.timing.timeout * REQUESTS + self.settings.lease_margin
    }

    /// For tests of crashes: does what a process does that dies between writing down that it makes a call and making it.
    #[doc(hidden)]
    pub async fn forget_files(&self, account: &Account) -> Result<usize, StoreError> {
        let now = self.now();
        let claims = self.store().claim_files(&account.key, AT_ONCE, true, now, now + self.file_lease(account)).await?;
        Ok(claims.len())
    }
}

/// When people are asked about the checks of a file.
fn deadline(created_at: Timestamp) -> Timestamp {
    created_at + DEADLINE
}
