//! Reverification: asking again whether what a report said still holds, at a lower price.
//!
//! The vendor takes the report's id and nothing else. So nothing of ours travels along, and what a lost call has made is
//! known by the order that it comes from alone: in version 2023-10-30, and only while one reverification of an order is in
//! doubt at a time. Older versions do not even show that.

use std::time::{Duration, Instant};

use domain::{AfterAbsence, CheckInput, CheckSpec, PriorReport, Reason, Timestamp, VendorRef};
use provider::{
    Accepted, CallContext, Carries, Completed, Evidence, ItemOutcome, Reverification, Snapshot, Submission,
    SubmitReport, VendorAnswer, vendor_id,
};

use crate::mapping::{self, Place};
use crate::settings::Version;
use crate::submit::{self, Account};
use crate::wire::CreateReverification;
use crate::{Truework, inquiries};

/// How long after its completion a report can be verified again.
pub const WINDOW: Duration = Duration::from_hours(24 * 90);

impl Reverification for Truework {
    fn prior_report(&self, completed: &Completed<'_>, now: Timestamp) -> Result<PriorReport, Reason> {
        let why_not = |code, message: &str| Err(Reason::new(code, message));
        if !matches!(completed.check.spec, CheckSpec::EmploymentVerification(_)) {
            return why_not("kind_not_covered", "Truework verifies the details of an employment again, and no income.");
        }
        let Some(order) = mapping::read(completed.payload) else {
            return why_not("no_report", "There is no report that Truework could verify again.");
        };
        let reports = mapping::reports(&order);
        let [report] = reports.as_slice() else {
            return match reports.len() {
                0 => why_not("no_report", "There is no report that Truework could verify again."),
                _ => why_not(
                    "several_reports",
                    "The result is of several reports, and Truework verifies a single one again.",
                ),
            };
        };
        // Each version has other ids for where a report is.
        if !is_of(report, self.settings.version) {
            return why_not("another_version", "The result was had in another version of Truework's API.");
        }
        let completed_at = inquiries::completed_at(&order).map_or(completed.seen_at, |at| at.min(completed.seen_at));
        check_window(completed_at, now)?;
        Ok(PriorReport { vendor: completed.vendor.clone(), report: report.locator() })
    }
}

/// Whether the vendor will take a reverification of what was completed then. Past the window a new order is due.
fn check_window(completed_at: Timestamp, now: Timestamp) -> Result<(), Reason> {
    if now <= completed_at + WINDOW {
        return Ok(());
    }
    Err(Reason::new("too_late", "Truework verifies a report again within 90 days of its completion only."))
}

/// Whether this version knows the report by this place.
fn is_of(report: &Place, version: Version) -> bool {
    matches!(report, Place::Report(_)) && version.has_orders()
        || matches!(report, Place::OlderReport { .. }) && !version.has_orders()
}

/// The order that reverifications of this report show as their parent, if they show any.
pub fn parent(prior: &PriorReport, version: Version) -> Option<&str> {
    let shows = Place::read(&prior.report).is_some_and(|report| is_of(&report, version)) && version.has_orders();
    shows.then_some(prior.vendor.order_id.as_str())
}

/// What an object shows of where it comes from, in the place of a reference: a reverification carries none of its own.
pub fn with_descent(check: &CheckInput, snapshot: Snapshot, version: Version) -> Snapshot {
    let Some(prior) = check.prior_report() else { return snapshot };
    let order = mapping::read(snapshot.payload.expose());
    let shown = order.as_ref().and_then(|order| order.parent());
    let carries = match (shown, parent(prior, version)) {
        (Some(shown), Some(parent)) if shown == parent => Carries::Descent,
        (Some(_), Some(_)) => Carries::Foreign,
        _ => Carries::Nothing,
    };
    Snapshot { carries, ..snapshot }
}

impl Truework {
    /// Asks for it, exactly once, and says what the answer proves.
    pub(crate) async fn reverify(
        &self,
        ctx: &CallContext,
        submission: &Submission,
        check: &CheckInput,
        prior: &PriorReport,
    ) -> (ItemOutcome, Evidence) {
        let version = self.settings.version;
        let report = Place::read(&prior.report).filter(|report| is_of(report, version));
        // Older versions have the verification in the path; the order that a check is bound to may be a session.
        let (parent, id) = match report {
            Some(Place::Report(id)) => (prior.vendor.order_id.clone(), id),
            Some(Place::OlderReport { verification, report }) => (verification, report),
            Some(Place::Link(_)) | None => {
                let why = "The version of Truework's API was changed since the order was accepted; order it anew.";
                return (ItemOutcome::Rejected(Reason::new("another_version", why)), Evidence::default());
            }
        };
        let Ok(body) = serde_json::to_vec(&CreateReverification { report_id: &id }) else {
            let why = Reason::new("input_unusable", "The report's id cannot be written as JSON.");
            return (ItemOutcome::Rejected(why), Evidence::default());
        };
        let started = Instant::now();
        match self.client.reverify(ctx, &parent, body).await {
            Ok(answer) => (classify(&answer, self.account(), check, prior), Evidence::of(&answer)),
            Err(error) => {
                let mut report = SubmitReport::of_error(submission, &error, started.elapsed());
                (report.items.swap_remove(0), report.evidence)
            }
        }
    }
}

/// As the answer to any create, but that 404 is documented, for a report that is not there, and that the parent takes the
/// place of the reference. An answer with another parent tells that something was made, and not what: that is not found
/// again by its parent, so it is not asked for twice.
fn classify(answer: &VendorAnswer, account: Account, check: &CheckInput, prior: &PriorReport) -> ItemOutcome {
    let looked_for_once = |code, message: &str| {
        let reason = Reason::new(code, message);
        ItemOutcome::Unknown { why: reason.clone(), then: AfterAbsence::Fail { reason } }
    };
    if answer.status.as_u16() == 404 {
        return looked_for_once("report_not_found", "Truework does not know the report that is to be verified again.");
    }
    submit::classify_by(answer, account, || {
        let head = mapping::head(account.version, answer).map_err(|_| "answer_unreadable")?;
        let echo = head.parent().map(|echo| echo == prior.vendor.order_id);
        let id = head.id.as_deref().and_then(vendor_id).ok_or("answer_without_id")?;
        if echo == Some(false) || id == prior.vendor.order_id {
            let message = "Truework answered with an order that does not come from the report's.";
            return Ok(looked_for_once("answer_of_another_order", message));
        }
        let snapshot = mapping::read(&answer.body)
            .map(|order| with_descent(check, mapping::snapshot(order, None, answer.body.clone()), account.version));
        let part = snapshot.as_ref().and_then(|snapshot| snapshot.part_id.clone());
        Ok(ItemOutcome::Accepted(Box::new(Accepted {
            vendor: VendorRef { order_id: id, check_id: part },
            provisional: echo.is_none(),
            reused: false,
            carries: snapshot.as_ref().map_or(Carries::Nothing, |snapshot| snapshot.carries),
            snapshot,
        })))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_ninety_days() {
        let completed = Timestamp::EPOCH;
        let day = Duration::from_hours(24);
        assert_eq!(check_window(completed, completed + day * 90), Ok(()));
        let late = check_window(completed, completed + day * 90 + Duration::from_secs(1));
        assert_eq!(late.map_err(|reason| reason.code), Err("too_late".to_owned()));
    }
}
