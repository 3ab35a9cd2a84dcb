//! Whether a vendor account may be called at all: pauses, rests it asked for, and the circuit.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use domain::{AccountKey, Timestamp};
use provider::{CallError, LostReason};
use store::{AccountStatus, Circuit, StoreError};

use crate::{Account, Engine};

/// So many failures in a row open the circuit.
const FAILURES: u32 = 5;
const SHORTEST_BREAK: Duration = Duration::from_secs(5);
const LONGEST_BREAK: Duration = Duration::from_mins(5);
/// How old the accounts' common state may be when it is used.
const FRESH: Duration = Duration::from_millis(500);

/// What this process saw of its accounts, and what the database last said of them.
pub(crate) struct Gate {
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    failures: HashMap<AccountKey, u32>,
    breaks: HashMap<AccountKey, u32>,
    statuses: HashMap<AccountKey, AccountStatus>,
    read_at: Option<Timestamp>,
}

/// What may be done with an account now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passage {
    /// Everything.
    Open,
    /// Nothing at all until then.
    Resting(Timestamp),
    /// Nothing new is sent; what is there is followed and looked for.
    Paused,
    /// The break is over: one look-up shows whether the vendor is back.
    Probe,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self { seen: Mutex::default() }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        // A panic while it was held left nothing half-done: every change is one assignment.
        self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Engine {
    /// Asks what may be done with the account. Reads the state that all processes share, at most twice a second.
    pub(crate) async fn passage(&self, key: &AccountKey) -> Result<Passage, StoreError> {
        let now = self.now();
        let is_fresh = self.gate.seen().read_at.is_some_and(|read| now.since(read) < FRESH);
        if !is_fresh {
            let statuses = self.store().accounts().await?;
            let mut seen = self.gate.seen();
            seen.statuses = statuses.into_iter().map(|status| (status.key.clone(), status)).collect();
            seen.read_at = Some(now);
        }
        let seen = self.gate.seen();
        let Some(status) = seen.statuses.get(key) else { return Ok(Passage::Open) };
        if let Some(until) = status.rest_until.filter(|until| *until > now) {
            return Ok(Passage::Resting(until));
        }
        Ok(match status.circuit {
            Circuit::Open | Circuit::HalfOpen => match status.circuit_until.filter(|until| *until > now) {
                Some(until) => Passage::Resting(until),
                None => Passage::Probe,
            },
            Circuit::Closed if status.paused.is_some() => Passage::Paused,
            Circuit::Closed => Passage::Open,
        })
    }

    /// Makes the next question read the shared state anew.
    pub(crate) fn forget_gate(&self) {
        self.gate.seen().read_at = None;
    }

    /// The vendor answered sensibly.
    pub(crate) async fn call_went_well(&self, key: &AccountKey) {
        let was_broken = {
            let mut seen = self.gate.seen();
            seen.failures.remove(key);
            seen.breaks.remove(key).is_some()
                || seen.statuses.get(key).is_some_and(|status| status.circuit != Circuit::Closed)
        };
        if was_broken {
            tracing::info!(account = %key, "the vendor answers again: circuit closed");
            self.set_circuit(key, Circuit::Closed, None, None).await;
        }
    }

    /// The vendor did not answer, or answered with an error of its own.
    pub(crate) async fn call_went_wrong(&self, key: &AccountKey, code: &str) {
        metrics::counter!("vetgate_vendor_failures_total", "account" => key.to_string(), "code" => code.to_owned())
            .increment(1);
        let opens = {
            let mut seen = self.gate.seen();
            let status = seen.statuses.get(key).map(|status| (status.circuit, status.circuit_until));
            // Calls that were under way when the circuit opened say nothing new.
            if matches!(status, Some((Circuit::Open, Some(until))) if until > self.now()) {
                return;
            }
            let is_probe = status.is_some_and(|(circuit, _)| circuit != Circuit::Closed);
            let failures = seen.failures.entry(key.clone()).or_default();
            *failures += 1;
            if seen.failures.get(key).is_some_and(|failures| *failures >= FAILURES) || is_probe {
                seen.failures.remove(key);
                let breaks = seen.breaks.entry(key.clone()).or_default();
                *breaks += 1;
                Some(*breaks)
            } else {
                None
            }
        };
        if let Some(breaks) = opens {
            let rest = (SHORTEST_BREAK * 2_u32.saturating_pow(breaks.saturating_sub(1).min(10))).min(LONGEST_BREAK);
            tracing::warn!(account = %key, code, rest_s = rest.as_secs(), "the vendor fails again and again: circuit opened");
            self.set_circuit(key, Circuit::Open, Some(self.now() + rest), Some(code)).await;
        }
    }

    /// Says how a call without a readable answer counts. A call that was not sent for our own reasons does not.
    pub(crate) async fn call_failed(&self, key: &AccountKey, error: &CallError) {
        match error {
            CallError::Lost { why: LostReason::Status(status) } if *status < 500 => self.call_went_well(key).await,
            CallError::Lost { why } => self.call_went_wrong(key, why.code()).await,
            CallError::NotSent { why: provider::NotSentReason::NotConnected, .. } => {
                self.call_went_wrong(key, "not_connected").await;
            }
            CallError::NotSent { .. } => {}
        }
    }

    /// After a break: one cheap call shows whether the vendor is back.
    pub(crate) async fn probe(&self, account: &Account) -> bool {
        let ctx = self.call_context(account, provider::Share::LookUp);
        match account.provider.probe(&ctx).await {
            Ok(()) | Err(provider::ProbeFault::Credentials(_)) => {
                self.call_went_well(&account.key).await;
                true
            }
            Err(provider::ProbeFault::Unreachable(_) | provider::ProbeFault::Unexpected(_)) => {
                self.call_went_wrong(&account.key, "probe_failed").await;
                false
            }
        }
    }

    async fn set_circuit(&self, key: &AccountKey, circuit: Circuit, until: Option<Timestamp>, error: Option<&str>) {
        if let Err(failed) = self.store().set_circuit(key, circuit, until, error, self.now()).await {
            tracing::warn!(error = %failed, account = %key, "could not note the circuit's state");
        }
        self.forget_gate();
    }
}
