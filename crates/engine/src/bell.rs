//! Telling the other processes that there is work: one NOTIFY at a time, however many commits ask for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use store::Store;

const SILENT: u8 = 0;
const RINGING: u8 = 1;
/// Asked for again while it rang: that ring may have been too early for the latest commit.
const RING_AGAIN: u8 = 2;

#[derive(Clone, Default)]
pub(crate) struct Bell(Arc<AtomicU8>);

impl Bell {
    /// Wakes the other processes soon; never waits.
    pub(crate) fn ring(&self, store: &Store) {
        let asked = |state| if state == SILENT { RINGING } else { RING_AGAIN };
        let was = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| Some(asked(state)));
        if was != Ok(SILENT) {
            return;
        }
        let (bell, store) = (self.clone(), store.clone());
        tokio::spawn(async move {
            loop {
                // The others' backstop finds the work too.
                if let Err(error) = store.wake().await {
                    tracing::warn!(%error, "could not wake the other processes");
                }
                if bell.0.compare_exchange(RINGING, SILENT, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                    return;
                }
                bell.0.store(RINGING, Ordering::Release);
            }
        });
    }
}
