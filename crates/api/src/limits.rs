//! How many requests a tenant may send: a token bucket per tenant, in this process.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::{TenantId, Timestamp};
use http::{HeaderMap, HeaderName, HeaderValue};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Above this many tenants, buckets that are full again are forgotten.
const MANY: usize = 10_000;

/// Gives each tenant `rate` requests a second, and at once as many as come in a second.
pub struct Limiter {
    rate: Option<f64>,
    /// When each tenant's bucket will be full again.
    full_at: Mutex<HashMap<TenantId, Timestamp>>,
}

/// What a request was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Set if it must come back later.
    pub wait: Option<Duration>,
    burst: u32,
    /// The time in which a whole burst comes back.
    window: Duration,
    left: u32,
    full_in: Duration,
}

impl Limiter {
    /// `None`, or a rate that is not above zero, means no limit.
    pub fn new(rate: Option<f64>) -> Self {
        Self { rate: rate.filter(|rate| rate.is_finite() && *rate > 0.0), full_at: Mutex::default() }
    }

    /// `None`: there is no limit.
    pub fn take(&self, tenant: &TenantId, now: Timestamp) -> Option<Turn> {
        let rate = self.rate?;
        let every = Duration::from_secs_f64((1.0 / rate).min(86_400.0));
        let burst = whole(rate.max(1.0));
        let capacity = every.saturating_mul(burst);
        let mut buckets = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() > MANY {
            buckets.retain(|_, full_at| *full_at > now);
        }
        let full_at = buckets.entry(tenant.clone()).or_insert(now);
        let used = full_at.since(now);
        let after = used + every;
        let Some(room) = capacity.checked_sub(after) else {
            return Some(Turn {
                wait: Some(after.saturating_sub(capacity)),
                burst,
                window: capacity,
                left: 0,
                full_in: used,
            });
        };
        *full_at = now + after;
        let left = whole(room.as_secs_f64() / every.as_secs_f64());
        Some(Turn { wait: None, burst, window: capacity, left, full_in: after })
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded to what fits before the cast")]
fn whole(number: f64) -> u32 {
    (number + 1e-6).floor().clamp(0.0, f64::from(u32::MAX)) as u32
}

impl Turn {
    /// Tells the caller, in the fields of the IETF's draft on rate limit headers.
    pub fn write(&self, headers: &mut HeaderMap) {
        let seconds = |time: Duration| time.as_secs() + u64::from(time.subsec_nanos() > 0);
        let fields = [
            (POLICY, format!("\"tenant\";q={};w={}", self.burst, seconds(self.window))),
            (LIMIT, format!("\"tenant\";r={};t={}", self.left, seconds(self.full_in))),
        ];
        for (name, value) in fields {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::EPOCH + Duration::from_millis(1_000_000 + millis)
    }

    #[test]
    fn is_off_unless_set() {
        for rate in [None, Some(0.0), Some(-1.0), Some(f64::NAN)] {
            assert_eq!(Limiter::new(rate).take(&TenantId::new("a"), at(0)), None);
        }
    }

    #[test]
    fn a_burst_is_let_through_and_then_one_at_a_time() {
        let limiter = Limiter::new(Some(2.0));
        let tenant = TenantId::new("a");
        let wait = |millis| limiter.take(&tenant, at(millis)).expect("a limit").wait;
        assert_eq!((wait(0), wait(0)), (None, None));
        assert_eq!(wait(0), Some(Duration::from_millis(500)));
        assert_eq!(wait(499), Some(Duration::from_millis(1)));
        assert_eq!(wait(500), None);
        assert_eq!(wait(500), Some(Duration::from_millis(500)));
    }

    #[test]
    fn tenants_do_not_share_and_slow_rates_work() {
        let limiter = Limiter::new(Some(0.5));
        assert_eq!(limiter.take(&TenantId::new("a"), at(0)).expect("a limit").wait, None);
        assert_eq!(limiter.take(&TenantId::new("b"), at(0)).expect("a limit").wait, None);
        assert_eq!(limiter.take(&TenantId::new("a"), at(0)).expect("a limit").wait, Some(Duration::from_secs(2)));
    }

    #[test]
    fn says_what_is_left() {
        let mut headers = HeaderMap::new();
        let turn = Limiter::new(Some(10.0)).take(&TenantId::new("a"), at(0)).expect("a limit");
        turn.write(&mut headers);
        assert_eq!(headers[POLICY], "\"tenant\";q=10;w=1");
        assert_eq!(headers[LIMIT], "\"tenant\";r=9;t=1");
    }
}
