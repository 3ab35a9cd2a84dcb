//! A clock that the trial owns.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::{Clock, Timestamp};

/// Stands still until it is moved. Clones share the time.
#[derive(Clone)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    /// Begins with the year 2026.
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(1_767_225_600_000_000)))
    }

    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).expect("a short while"), Ordering::SeqCst);
    }

    pub(crate) fn at(&self) -> time::OffsetDateTime {
        let micros = i128::from(self.0.load(Ordering::SeqCst));
        time::OffsetDateTime::from_unix_timestamp_nanos(micros * 1_000).expect("a time of this era")
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::new(self.at())
    }
}
