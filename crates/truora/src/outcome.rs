//! The outcome policy: how a finished check of Truora's becomes `clear`, `consider` or `unresolved`.
//!
//! Truora gives scores and no verdict. The rules, each with its reason:
//!
//! 1. **Nothing is read before the check is final.** A running check already shows scores of 1.
//! 2. **`error` is `unresolved`**: more than 30 % of the sources failed.
//! 3. **Anything below a threshold is `consider`**: the whole, each data set and each side of one. A data set is judged
//!    by itself because a criminal record of weight 0.1 still leaves a whole score of 0.9. The default of 0.8 lets
//!    `none` (1) and `very_low` (0.8) pass and stops `low` (0.6) and all below.
//! 4. **Scores are judged, not `found`**: an identity or a tax record that was found is good news.
//! 5. **A side that was `ignored` carries no weight**: its score of 1 says only that nobody looked.
//! 6. **A hit by name alone is `consider` too**, with a reason of its own: it may be a namesake, which a person must see.
//! 7. **Media alerts are advisory by default**: the vendor gives them no weight, and a common name alone gives low scores.
//! 8. **Data that contradict the sources (`wrong_inputs`), a dead identity, a company that was struck off** are `consider`.
//! 9. **What was not looked at clears nobody**: no score, no data set, a data set whose sources failed, an identity that
//!    was searched and not found are `unresolved`, unless rule 3 to 8 found something already.

use domain::{BackgroundResult, Outcome, Reason};
use serde::{Deserialize, Serialize};

use crate::wire;

/// The vendor's scores carry noise such as 0.199 for 0.2.
const NOISE: f64 = 0.005;

/// The thresholds. Scores run from 0 (high risk) to 1 (low risk).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutcomePolicy {
    /// The lowest score of the whole check that is clear.
    pub clear_score: f64,
    /// The lowest score of a data set, or of one side of it, that is clear.
    pub clear_dataset_score: f64,
    /// Data sets that are shown and never judged.
    pub advisory_datasets: Vec<String>,
    /// The largest share of the sources asked that may have failed. The vendor itself calls a check `error` above 0.3.
    pub max_failed_share: f64,
    /// Whether an identity that was searched and not found keeps a check from being clear.
    pub require_identity: bool,
}

impl Default for OutcomePolicy {
    fn default() -> Self {
        Self {
            clear_score: 0.8,
            clear_dataset_score: 0.8,
            advisory_datasets: vec!["alert_in_media".to_owned()],
            max_failed_share: 0.3,
            require_identity: true,
        }
    }
}

impl OutcomePolicy {
    /// What is wrong with the thresholds, if something is.
    pub fn fault(&self) -> Option<&'static str> {
        let shares = [self.clear_score, self.clear_dataset_score, self.max_failed_share];
        shares.iter().any(|share| !(0.0..=1.0).contains(share)).then_some("outcome thresholds must be from 0 to 1")
    }
}

/// Judges a check that is `completed`. The reason's code is coarse, since it travels in events.
pub fn of_completed(
    policy: &OutcomePolicy,
    check: &wire::Check,
    result: &BackgroundResult,
) -> (Outcome, Option<Reason>) {
    let mut findings = Vec::new();
    judge_datasets(policy, check, &mut findings);
    judge_whole(policy, result, &mut findings);
    judge_identity(policy, check, &mut findings);
    // What speaks against the subject goes before what is merely missing.
    findings.sort_by_key(|finding| finding.outcome != Outcome::Consider);
    match findings.into_iter().next() {
        Some(finding) => (finding.outcome, Some(Reason::new(finding.code, finding.message))),
        None => (Outcome::Clear, None),
    }
}

/// What a check that ended in `error` comes to.
pub fn of_error() -> (Outcome, Option<Reason>) {
    let message = "Too many of the vendor's sources failed; its scores say nothing. Order the check again.";
    (Outcome::Unresolved, Some(Reason::new("sources_failed", message)))
}

struct Finding {
    outcome: Outcome,
    code: &'static str,
    message: String,
}

fn consider(code: &'static str, message: impl Into<String>) -> Finding {
    Finding { outcome: Outcome::Consider, code, message: message.into() }
}

fn unresolved(code: &'static str, message: impl Into<String>) -> Finding {
    Finding { outcome: Outcome::Unresolved, code, message: message.into() }
}

fn judge_datasets(policy: &OutcomePolicy, check: &wire::Check, findings: &mut Vec<Finding>) {
    let mut searched = 0;
    for row in check.scores.as_deref().unwrap_or_default() {
        let name = row.data_set.as_deref().unwrap_or("unnamed");
        let whole = Some(&row.whole).filter(|side| side.result.is_some() || side.score.is_some());
        let by_id = row.by_id.as_ref().filter(|side| !side.is_ignored());
        let by_name = row.by_name.as_ref().filter(|side| !side.is_ignored());
        let has_sides = row.by_id.is_some() || row.by_name.is_some();
        if row.whole.is_ignored() || (has_sides && by_id.is_none() && by_name.is_none()) {
            continue;
        }
        searched += 1;
        if policy.advisory_datasets.iter().any(|advisory| advisory == name) {
            continue;
        }
        let verdicts = [whole, by_id, by_name].map(|side| side.map(|side| verdict(policy, side)));
        let [whole, by_id, by_name] = verdicts;
        if by_name == Some(Verdict::Low) && by_id != Some(Verdict::Low) {
            let message = format!("{name}: found by name only, which may be a namesake's.");
            findings.push(consider("possible_homonym", message));
        } else if [whole, by_id].contains(&Some(Verdict::Low)) {
            findings.push(consider("dataset_below_threshold", format!("{name}: below the threshold.")));
        } else if [whole, by_id, by_name].contains(&Some(Verdict::Unknown)) {
            findings.push(unresolved("dataset_incomplete", format!("{name}: the sources gave no score.")));
        }
    }
    if searched == 0 {
        findings.push(unresolved("nothing_searched", "The vendor searched no data set."));
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Fine,
    Low,
    Unknown,
}

fn verdict(policy: &OutcomePolicy, side: &wire::Side) -> Verdict {
    if side.severity.as_deref().is_some_and(|severity| matches!(severity, "medium" | "high" | "very_high")) {
        return Verdict::Low;
    }
    match score(side.score) {
        Some(score) if score < policy.clear_dataset_score - NOISE => Verdict::Low,
        // A score beside a failed search is a default, like that beside an ignored one.
        _ if side.result.as_deref().is_some_and(|result| matches!(result, "error" | "delayed" | "pending")) => {
            Verdict::Unknown
        }
        Some(_) => Verdict::Fine,
        None => Verdict::Unknown,
    }
}

fn judge_whole(policy: &OutcomePolicy, result: &BackgroundResult, findings: &mut Vec<Finding>) {
    match result.score {
        None => findings.push(unresolved("no_score", "The vendor finished without a score.")),
        Some(score) if score < policy.clear_score - NOISE => {
            findings.push(consider("score_below_threshold", "The score of the whole check is below the threshold."));
        }
        Some(_) => {}
    }
    let asked = result.sources.total.saturating_sub(result.sources.skipped);
    if f64::from(result.sources.failed) > f64::from(asked) * policy.max_failed_share + NOISE {
        findings.push(unresolved("sources_failed", "Too many of the vendor's sources failed."));
    }
    if !result.wrong_inputs.is_empty() {
        let message = format!("The sources contradict what was given: {}.", result.wrong_inputs.join(", "));
        findings.push(consider("inputs_contradicted", message));
    }
}

fn judge_identity(policy: &OutcomePolicy, check: &wire::Check, findings: &mut Vec<Finding>) {
    let Some((what, status)) = identity(check) else { return };
    match status {
        "not_found" if policy.require_identity => {
            findings.push(unresolved("identity_not_found", format!("The {what} is in none of the registers.")));
        }
        "found" | "active" | "not_found" => {}
        // Dead, cancelled, suspended, … and words that nobody knows yet.
        _ => findings.push(consider("identity_flagged", format!("The {what} is registered as {status}."))),
    }
}

/// Whose identity was searched, and how it is registered. All three summaries come with every check; those that do not
/// apply are `skipped` (and say `not_found` all the same).
pub fn identity(check: &wire::Check) -> Option<(&'static str, &str)> {
    let applies =
        |result: &Option<String>| result.as_deref().is_some_and(|result| matches!(result, "found" | "not_found"));
    let person = check.summary.as_ref().filter(|summary| applies(&summary.result));
    let company = check.company_summary.as_ref().filter(|summary| applies(&summary.result));
    let vehicle = check.vehicle_summary.as_ref().filter(|summary| applies(&summary.result));
    let statuses = [
        ("person", person.and_then(|summary| summary.identity_status.as_deref())),
        ("company", company.and_then(|summary| summary.company_status.as_deref())),
        ("vehicle", vehicle.and_then(|summary| summary.vehicle_status.as_deref())),
    ];
    // A vehicle's check may look up its driver too: whatever is not simply there weighs more.
    let known: Vec<_> = statuses.into_iter().filter_map(|(what, status)| Some((what, status?))).collect();
    known.iter().find(|(_, status)| !matches!(*status, "found" | "active")).or_else(|| known.first()).copied()
}

/// A score that was computed: the vendor writes -1 where there is none yet.
pub fn score(score: Option<f64>) -> Option<f64> {
    score.filter(|score| (0.0..=1.0).contains(score))
}

impl wire::Side {
    /// Not searched.
    pub fn is_ignored(&self) -> bool {
        self.result.as_deref() == Some("ignored")
    }
}

#[cfg(test)]
mod tests;
