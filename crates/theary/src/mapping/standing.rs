//! What Theary says of a search, in our words.
//!
//! | theirs | ours |
//! |---|---|
//! | search `IN_PROGRESS` | working |
//! | search `COMPLETED`, outcome `VERIFIED`, `discrepancy: false` | completed, `clear`, verified |
//! | …, `discrepancy: true` | completed, `consider`, discrepancy |
//! | …, no word on discrepancies (every GET) | completed, `unresolved` because of `discrepancy_unknown` |
//! | search `COMPLETED`, outcome `NO_RECORD` or `WRONG_ORG` | completed, `consider`, no record |
//! | search `COMPLETED`, any other outcome, or none | completed, `unresolved`, unable to verify |
//! | search `REASSIGNED`, event `verification.action_required` | waits for a person |
//! | search `CANCELLED` | canceled |
//! | order `cancelled`, `failed` | canceled, failed, where the search is not final itself |
//! | anything else | unknown |
//!
//! Outcomes are an open set at the vendor; nothing that is not known clears anybody.

use domain::observation::Standing;
use domain::result::{Discrepancy, Facts, Respondent, Verdict, VerificationResult};
use domain::{Action, ActionKind, Certainty, CheckResult, Outcome, Reason, Timestamp};
use provider::vendor_code;
use serde_json::{Map, Value};

use crate::mapping::actions;
use crate::wire;

/// How a search stands, by its GET.
pub fn of_search(search: &wire::Search) -> Standing {
    match search.status.as_deref().unwrap_or_default() {
        "IN_PROGRESS" => Standing::Working { estimated_completion_at: None },
        // A GET hides whether there was a discrepancy, and what the source said: the signed hook beats it.
        "COMPLETED" => completed(latest(&search.verification_result), None, Certainty::Partial),
        "CANCELLED" => canceled(),
        // Why, only the hook says.
        "REASSIGNED" => Standing::Waiting {
            action: Action::of(ActionKind::Human, "The vendor handed the search over to a person."),
        },
        _ => Standing::Unknown,
    }
}

/// How an order stands as a whole, where its search does not say.
pub fn of_order(status: &str) -> Standing {
    match status {
        "pending" | "in_progress" => Standing::Working { estimated_completion_at: None },
        "cancelled" => canceled(),
        "failed" => {
            Standing::Failed { reason: Reason::new("vendor_failed", "Theary gave the order up without a result.") }
        }
        _ => Standing::Unknown,
    }
}

/// A `verification.completed` event.
pub fn of_completed_event(event: &wire::Event) -> Standing {
    match event.data.status.as_deref() {
        Some("CANCELLED") => canceled(),
        _ => completed(latest(&event.data.verification_result), event.occurred_at.as_deref(), Certainty::Full),
    }
}

/// A `verification.action_required` event: the vendor's automatic work on the search is over.
pub fn of_action_event(event: &wire::Event) -> Standing {
    Standing::Waiting { action: actions::of_reason(event.data.reason_code.as_deref()) }
}

/// The vendor's own time of a search's state.
pub fn time_of_search(search: &wire::Search) -> Option<Timestamp> {
    let stamp = search.completed_at.as_deref().or(search.updated_at.as_deref());
    stamp.and_then(|stamp| stamp.parse().ok())
}

fn canceled() -> Standing {
    Standing::Canceled { reason: Reason::new("canceled_by_vendor", "The search is cancelled at Theary.") }
}

/// The latest result, as far as they are dated; of undated ones the last.
fn latest(results: &[wire::VerificationResult]) -> Option<&wire::VerificationResult> {
    let at = |result: &wire::VerificationResult| -> Option<Timestamp> { result.submitted_at.as_deref()?.parse().ok() };
    results.iter().max_by_key(|result| at(result))
}

fn completed(result: Option<&wire::VerificationResult>, as_of: Option<&str>, certainty: Certainty) -> Standing {
    let nothing = wire::VerificationResult::default();
    let found = result.unwrap_or(&nothing);
    let (outcome, verdict, reason) = judge(found);
    let certainty =
        if reason.as_ref().is_some_and(|reason| matches!(reason.code.as_str(), DISCREPANCY_UNKNOWN | NO_RESULT)) {
            Certainty::Partial
        } else {
            certainty
        };
    let result = verification(found, verdict, as_of);
    Standing::Completed { outcome, result: Some(CheckResult::Verification(Box::new(result))), reason, certainty }
}

const DISCREPANCY_UNKNOWN: &str = "discrepancy_unknown";
const NO_RESULT: &str = "no_result";

fn judge(found: &wire::VerificationResult) -> (Outcome, Option<Verdict>, Option<Reason>) {
    let word = found.outcome.as_deref().unwrap_or_default();
    match (word, found.discrepancy) {
        ("VERIFIED", Some(false)) => (Outcome::Clear, Some(Verdict::Verified), None),
        ("VERIFIED", Some(true)) => (Outcome::Consider, Some(Verdict::Discrepancy), None),
        ("VERIFIED", None) => {
            let why = "Theary verified it, but has not said yet whether the facts agree; its signed hook says so.";
            (Outcome::Unresolved, Some(Verdict::Verified), Some(Reason::new(DISCREPANCY_UNKNOWN, why)))
        }
        ("NO_RECORD" | "WRONG_ORG", _) => {
            let why = format!("Theary's outcome is {word}.");
            (Outcome::Consider, Some(Verdict::NoRecord), Some(Reason::new("no_record", why)))
        }
        ("", _) => {
            let why = "Theary says that the search is completed, without an outcome.";
            (Outcome::Unresolved, None, Some(Reason::new(NO_RESULT, why)))
        }
        _ => {
            let why = format!("Theary's outcome is {}.", vendor_code(word).unwrap_or("one that is no code"));
            (Outcome::Unresolved, Some(Verdict::UnableToVerify), Some(Reason::new("unable_to_verify", why)))
        }
    }
}

fn verification(found: &wire::VerificationResult, verdict: Option<Verdict>, as_of: Option<&str>) -> VerificationResult {
    let (claimed, verified) = (facts(found, "provided"), facts(found, "verified"));
    let discrepancies = match verdict {
        Some(Verdict::Discrepancy) => differences(&claimed, &verified),
        _ => Vec::new(),
    };
    let some = |facts: Facts| (facts != Facts::default()).then_some(facts);
    VerificationResult {
        verdict,
        claimed: some(claimed),
        verified: some(verified),
        discrepancies,
        respondent: respondent(&found.employment_verification).or_else(|| respondent(&found.education_verification)),
        // A GET has one text in place of everything else.
        comments: found.comments.clone().or_else(|| found.result_details.clone()),
        as_of: found.submitted_at.as_deref().or(as_of).and_then(|at| at.get(..10)).map(str::to_owned),
        ..VerificationResult::default()
    }
}

fn word(fields: &Map<String, Value>, name: &str) -> Option<String> {
    match fields.get(name)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Bool(flag) => Some(if *flag { "yes" } else { "no" }.to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The facts under one side's prefix. The fields of an education are inferred from those of an employment: no sample
/// of the vendor shows them.
fn facts(found: &wire::VerificationResult, side: &str) -> Facts {
    let job = |name: &str| word(&found.employment_verification, &format!("{side}{name}"));
    let school = |name: &str| word(&found.education_verification, &format!("{side}{name}"));
    Facts {
        employer: job("CompanyName"),
        title: job("Position"),
        start_date: job("StartDate"),
        end_date: job("EndDate"),
        eligible_for_rehire: job("Rehire"),
        institution: school("InstitutionName"),
        qualification: school("Qualification"),
        field_of_study: school("FieldOfStudy"),
        graduation_date: school("GraduationDate"),
        ..Facts::default()
    }
}

fn differences(claimed: &Facts, verified: &Facts) -> Vec<Discrepancy> {
    let pairs = [
        ("employer", &claimed.employer, &verified.employer),
        ("title", &claimed.title, &verified.title),
        ("start_date", &claimed.start_date, &verified.start_date),
        ("end_date", &claimed.end_date, &verified.end_date),
        ("institution", &claimed.institution, &verified.institution),
        ("qualification", &claimed.qualification, &verified.qualification),
        ("field_of_study", &claimed.field_of_study, &verified.field_of_study),
        ("graduation_date", &claimed.graduation_date, &verified.graduation_date),
    ];
    let differ = |a: &str, b: &str| !a.trim().eq_ignore_ascii_case(b.trim());
    pairs
        .into_iter()
        .filter(|(_, ours, theirs)| ours.as_deref().zip(theirs.as_deref()).is_some_and(|(a, b)| differ(a, b)))
        .map(|(field, ours, theirs)| Discrepancy {
            field: field.to_owned(),
            claimed: ours.clone(),
            verified: theirs.clone(),
        })
        .collect()
}

fn respondent(fields: &Map<String, Value>) -> Option<Respondent> {
    let names: Vec<String> =
        ["verifierFirstName", "verifierLastName"].into_iter().filter_map(|name| word(fields, name)).collect();
    let respondent = Respondent {
        name: (!names.is_empty()).then(|| names.join(" ")),
        title: word(fields, "verifierPosition"),
        email: None,
    };
    (respondent != Respondent::default()).then_some(respondent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn search(body: Value) -> wire::Search {
        serde_json::from_value(body).expect("a search")
    }

    fn event(body: Value) -> wire::Event {
        serde_json::from_value(body).expect("an event")
    }

    fn summary(standing: &Standing) -> String {
        match standing {
            Standing::Completed { outcome, result, reason, certainty } => {
                let verdict = match result {
                    Some(CheckResult::Verification(result)) => result.verdict,
                    _ => None,
                };
                format!("{outcome} {verdict:?} {:?} {certainty:?}", reason.as_ref().map(|reason| &reason.code))
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn every_word_of_a_get() {
        let by_status = |status: &str| summary(&of_search(&search(json!({"searchStatus": status}))));
        assert_eq!(by_status("IN_PROGRESS"), "Working");
        assert_eq!(by_status("REASSIGNED"), "Waiting");
        assert_eq!(by_status("CANCELLED"), "Canceled");
        assert_eq!(by_status("COMPLETED"), r#"unresolved None Some("no_result") Partial"#);
        for unheard_of in ["PAUSED", "completed", ""] {
            assert_eq!(by_status(unheard_of), "Unknown", "{unheard_of}");
        }
        assert_eq!(summary(&of_search(&search(json!({})))), "Unknown");

        let by_outcome = |outcome: &str| {
            let body = json!({"searchStatus": "COMPLETED", "verificationResult": [{"outcome": outcome}]});
            summary(&of_search(&search(body)))
        };
        assert_eq!(by_outcome("VERIFIED"), r#"unresolved Some(Verified) Some("discrepancy_unknown") Partial"#);
        assert_eq!(by_outcome("NO_RECORD"), r#"consider Some(NoRecord) Some("no_record") Partial"#);
        assert_eq!(by_outcome("WRONG_ORG"), r#"consider Some(NoRecord) Some("no_record") Partial"#);
        for other in ["UNVERIFIED", "UNABLE_TO_VERIFY", "THIRD_PARTY", "SOMETHING_NEW"] {
            assert_eq!(by_outcome(other), r#"unresolved Some(UnableToVerify) Some("unable_to_verify") Partial"#);
        }
    }

    #[test]
    fn every_word_of_an_order() {
        for (status, standing) in [
            ("pending", "Working"),
            ("in_progress", "Working"),
            ("cancelled", "Canceled"),
            ("failed", "Failed"),
            ("completed", "Unknown"),
            ("PENDING", "Unknown"),
            ("", "Unknown"),
        ] {
            assert_eq!(summary(&of_order(status)), standing, "{status}");
        }
    }

    #[test]
    fn a_signed_hook_tells_everything() {
        let completed = |result: Value| {
            let data = json!({"searchId": "s", "verificationResult": result});
            of_completed_event(&event(json!({"event": "verification.completed", "data": data})))
        };
        assert_eq!(
            summary(&completed(json!({"outcome": "VERIFIED", "discrepancy": false}))),
            "clear Some(Verified) None Full"
        );
        assert_eq!(
            summary(&completed(json!({"outcome": "VERIFIED", "discrepancy": true}))),
            "consider Some(Discrepancy) None Full"
        );
        assert_eq!(
            summary(&completed(json!({"outcome": "VERIFIED"}))),
            r#"unresolved Some(Verified) Some("discrepancy_unknown") Partial"#,
            "nobody is cleared by what was not said"
        );
        assert_eq!(
            summary(&completed(json!({"outcome": "NO_RECORD", "discrepancy": false}))),
            r#"consider Some(NoRecord) Some("no_record") Full"#
        );
        assert_eq!(summary(&completed(Value::Null)), r#"unresolved None Some("no_result") Partial"#);
    }

    #[test]
    fn a_hooks_result_in_full() {
        let standing = of_completed_event(&event(json!({
            "event": "verification.completed", "occurredAt": "2026-11-21T09:30:00.000Z",
            "data": {"verificationResult": {
                "outcome": "VERIFIED", "discrepancy": true, "comments": "Dates differ.",
                "employmentVerification": {
                    "providedCompanyName": "Former Works", "verifiedCompanyName": "FORMER WORKS",
                    "providedPosition": "Lead", "verifiedPosition": "Junior Engineer",
                    "providedStartDate": "2015-02-01", "verifiedStartDate": null,
                    "providedEndDate": "2019-12-31", "verifiedEndDate": "2018-12-31",
                    "verifiedRehire": true, "verifierFirstName": "Vera", "verifierLastName": "Fier",
                    "verifierPosition": "HR"
                }
            }}
        })));
        insta::assert_json_snapshot!(standing);
    }

    #[test]
    fn a_gets_result_in_full() {
        let standing = of_search(&search(json!({
            "searchStatus": "COMPLETED",
            "verificationResult": [
                {"outcome": "NO_RECORD", "resultDetails": "First look", "submittedAt": "2026-11-20T09:30:00Z"},
                {"outcome": "VERIFIED", "resultDetails": "Found it", "submittedAt": "2026-11-21T09:30:00Z"}
            ]
        })));
        insta::assert_json_snapshot!(standing);
    }

    #[test]
    fn an_action_waits_for_a_person() {
        let body = json!({"event": "verification.action_required", "data": {"reasonCode": "HUMAN_ESCALATION"}});
        let Standing::Waiting { action } = of_action_event(&event(body)) else { panic!("waiting") };
        assert_eq!(action.kind, ActionKind::Human);
        assert!(action.message.is_some_and(|message| message.contains("HUMAN_ESCALATION")));
    }

    #[test]
    fn a_sentence_in_place_of_a_code_is_not_passed_on() {
        let body = json!({"searchStatus": "COMPLETED", "verificationResult": [{"outcome": "Ada was not there"}]});
        let Standing::Completed { reason: Some(reason), .. } = of_search(&search(body)) else { panic!("completed") };
        assert!(reason.code == "unable_to_verify" && !reason.message.contains("Ada"), "{}", reason.message);
    }
}
