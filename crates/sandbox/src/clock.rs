//! The simulators' own time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Tells the time outside: the wall clock, or a test's own.
pub type TimeSource = Arc<dyn Fn() -> OffsetDateTime + Send + Sync>;

/// A simulator's clock: its source plus what it was moved forward by. Clones share that offset.
///
/// [`SimClock::now`] stamps objects. [`SimClock::elapsed_since`] says how far the vendor's work on them got: it runs
/// `speed` times as fast, so that a demo need not wait days, and no object ever bears a time of the future.
#[derive(Clone)]
pub struct SimClock {
    source: TimeSource,
    speed: f64,
    offset: Arc<Mutex<Duration>>,
}

impl SimClock {
    /// The wall clock, with the vendor's work going on at its documented pace.
    #[expect(
        clippy::disallowed_methods,
        reason = "a simulator stands outside of the gateway and has a clock of its own"
    )]
    pub fn wall() -> Self {
        Self::of(Arc::new(OffsetDateTime::now_utc))
    }

    /// A clock that follows another one, such as the mock clock of the gateway under test.
    pub fn of(source: TimeSource) -> Self {
        Self { source, speed: 1.0, offset: Arc::default() }
    }

    /// The same clock, with the vendor's work `speed` times as fast.
    #[must_use]
    pub fn with_speed(mut self, speed: f64) -> Self {
        self.speed = speed;
        self
    }

    /// The same source and speed, with an offset of its own.
    #[must_use]
    pub fn independent(&self) -> Self {
        Self { source: Arc::clone(&self.source), speed: self.speed, offset: Arc::default() }
    }

    pub fn now(&self) -> OffsetDateTime {
        (self.source)() + self.offset()
    }

    /// How much of the vendor's working time has gone by since then.
    pub fn elapsed_since(&self, then: OffsetDateTime) -> Duration {
        self.worked(then, self.now())
    }

    /// How much working time lies between two moments.
    pub fn worked(&self, from: OffsetDateTime, to: OffsetDateTime) -> Duration {
        let elapsed = Duration::try_from(to - from).unwrap_or_default();
        Duration::try_from_secs_f64(elapsed.as_secs_f64() * self.speed).unwrap_or(Duration::MAX)
    }

    /// A moment at which so much working time has not quite gone by yet since then, if there is one.
    pub fn when_worked(&self, then: OffsetDateTime, worked: Duration) -> Option<OffsetDateTime> {
        let elapsed = Duration::try_from_secs_f64(worked.as_secs_f64() / self.speed).ok()?;
        // Less what rounding may have added.
        then.checked_add(elapsed.saturating_sub(Duration::from_millis(1)).try_into().ok()?)
    }

    /// Moves this clock forward.
    pub fn advance(&self, by: Duration) {
        let mut offset = self.offset.lock().unwrap_or_else(PoisonError::into_inner);
        *offset = offset.saturating_add(by);
    }

    fn offset(&self) -> Duration {
        *self.offset.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A time as JSON carries it: RFC 3339 with milliseconds, in UTC.
pub fn rfc3339(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    let at = at.replace_nanosecond(at.nanosecond() / 1_000_000 * 1_000_000).unwrap_or(at);
    at.format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn moves_by_its_source_and_by_what_it_was_advanced() {
        let clock = SimClock::of(Arc::new(|| datetime!(2026-11-20 10:00 UTC))).with_speed(10.0);
        let twin = clock.clone();
        let made = clock.now();
        twin.advance(Duration::from_secs(6));
        assert_eq!(clock.now(), datetime!(2026-11-20 10:00:06 UTC));
        assert_eq!(clock.elapsed_since(made), Duration::from_mins(1));
        let nearly = clock.when_worked(made, Duration::from_mins(1)).expect("a moment");
        assert_eq!(clock.now() - nearly, Duration::from_millis(1));
        assert_eq!(clock.independent().now(), made);
        assert_eq!(rfc3339(clock.now()), "2026-11-20T10:00:06Z");
    }
}
