//! What is to be done next for a vendor's own monitor, by what is known of it. Does no I/O.

use std::time::Duration;

use domain::{CheckStatus, Date, Monitor, MonitorStatus, Order, PauseReason, Timestamp, VendorRef, VendorSide};
use provider::MonitorChange;
use store::WatchedCheck;

use super::agrees;

/// After the time at which the vendor is to run, a run is looked for.
const GRACE: Duration = Duration::from_mins(5);
/// One that is late is looked for ever more rarely.
const LATE: Duration = Duration::from_hours(6);
/// However long the period is, it is looked at so often: somebody may change it in the vendor's dashboard.
const LONGEST: Duration = Duration::from_hours(7 * 24);
const DAY: Duration = Duration::from_hours(24);

/// What is to be done.
pub(super) enum Step {
    Rest,
    Pause(PauseReason),
    End,
    /// The check went on to another vendor account: the gateway orders again, from now on.
    OrderAgain,
    /// Have the vendor repeat its check.
    Create(VendorRef),
    /// See what a lost create call has made.
    Look(VendorRef),
    Tell(String, MonitorChange),
    Follow(String),
}

/// What is to be done. `first` is the order that it began with, `watched` the check that the vendor repeats.
pub(super) fn next_step(
    monitor: &Monitor,
    vendor: &VendorSide,
    first: Option<&Order>,
    watched: Option<WatchedCheck>,
    now: Timestamp,
) -> Step {
    let is_wanted = monitor.is_wanted();
    let has_moved = watched.as_ref().is_some_and(|watched| watched.account != vendor.account);
    if has_moved && is_wanted {
        // What this account has, or may have, is a repetition of what is another's now.
        let has_none = vendor.monitor_id.is_none() && vendor.in_doubt_since.is_none();
        return if has_none { Step::OrderAgain } else { Step::Pause(PauseReason::CannotBeOrdered) };
    }
    // An object of another account is never named here.
    let check = watched.as_ref().filter(|_| !has_moved).and_then(|watched| watched.vendor.clone());
    let status = watched.map_or(CheckStatus::Failed, |watched| watched.status);
    let Some(vendor_id) = vendor.monitor_id.clone() else {
        if vendor.in_doubt_since.is_some() {
            return check.map_or(Step::Rest, Step::Look);
        }
        let next = monitor.frequency.next(now, now);
        return match (first, check) {
            _ if !is_wanted => Step::Rest,
            (None, _) => Step::Pause(PauseReason::Erased),
            // The end of the first order brings it back.
            _ if !status.is_final() => Step::Rest,
            (_, Some(check)) if status == CheckStatus::Completed => match first {
                _ if next.date() > monitor.end_date => Step::End,
                Some(first) if !agrees(first, next) => Step::Pause(PauseReason::ConsentExpired),
                _ => Step::Create(check),
            },
            _ => Step::Pause(PauseReason::FirstOrderFailed),
        };
    };
    let next = monitor.next_run_at.unwrap_or(now).max(now);
    match first {
        None if is_wanted => return Step::Pause(PauseReason::Erased),
        Some(first) if must_stop_for_consent(monitor, first, next) => {
            return Step::Pause(PauseReason::ConsentExpired);
        }
        _ => {}
    }
    let has_ended = monitor.status == MonitorStatus::Ended || now.date() > monitor.end_date;
    match vendor.told {
        // What has ended there ends by itself.
        Some(told) if has_ended && !told.enabled => Step::Follow(vendor_id),
        Some(told) if told.enabled == is_wanted && (!is_wanted || told.frequency == monitor.frequency) => {
            Step::Follow(vendor_id)
        }
        _ if has_ended && is_wanted => Step::Follow(vendor_id),
        _ => Step::Tell(vendor_id, MonitorChange { frequency: monitor.frequency, enabled: is_wanted }),
    }
}

/// The vendor runs by itself, so it is stopped as soon as it is known that the consent ends before the next run.
pub(super) fn must_stop_for_consent(monitor: &Monitor, first: &Order, next: Timestamp) -> bool {
    monitor.is_wanted() && next.date() <= monitor.end_date && !agrees(first, next)
}

/// When a monitor is looked at next.
pub(super) fn next_look(next_run_at: Option<Timestamp>, end_date: Date, now: Timestamp) -> Timestamp {
    let look = match next_run_at {
        Some(at) if at > now => at + GRACE,
        Some(at) => now + (now.since(at) / 4).clamp(GRACE, LATE),
        None => now + LATE,
    };
    // The day after its last one, it has ended.
    let midnight = Timestamp::EPOCH
        + DAY * u32::try_from((end_date.get() - Timestamp::EPOCH.date().get()).whole_days()).unwrap_or(u32::MAX);
    let ended = midnight + DAY + GRACE;
    let look = if ended > now { look.min(ended) } else { look };
    look.min(now + LONGEST)
}
