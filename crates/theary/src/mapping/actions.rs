//! What each `reasonCode` of a `verification.action_required` event asks for.
//!
//! The pages list the codes and explain few of them; where the sentence is drawn from the code's name alone, `docs/vendors/theary.md`
//! says so. Every such event ends the vendor's automatic work on the search, so whatever the code is, a person must act.

use domain::{Action, ActionKind};
use provider::vendor_code;

/// One known code, and what is to be done.
pub struct Line {
    pub code: &'static str,
    pub message: &'static str,
}

/// The codes that any source of the vendor's shows.
pub const TABLE: &[Line] = &[
    Line {
        code: "THIRD_PARTY_RECORD",
        message: "A third party keeps the record and gives it to nobody by this way: get it there, or decide without it.",
    },
    Line {
        code: "UPSTREAM_ISSUE",
        message: "Something that Theary depends on failed: ask Theary to take the search up again, or order it anew.",
    },
    Line {
        code: "SYSTEM_FAILURE",
        message: "Theary itself failed: ask its support to take the search up again, or order it anew.",
    },
    Line {
        code: "SLA_REACHED",
        message: "The time for the search is over without an answer: contact the source yourself, or order it anew with more time.",
    },
    Line {
        code: "HUMAN_ESCALATION",
        message: "Theary cannot reach the source by itself, mostly for want of a contact: find one, or verify it yourself.",
    },
    Line {
        code: "PRIMARY_EDUCATION",
        message: "It is about primary education, which Theary does not verify by itself: ask the applicant for proof.",
    },
    Line {
        code: "INTERNATIONAL_EDUCATION",
        message: "The institution is abroad, where Theary does not verify by itself: use a source of that country.",
    },
    Line { code: "OTHER", message: "Theary needs a person to act and does not say what for: ask its support." },
];

/// The action for a code. One that is not known is shown as it is, unless it is a sentence.
pub fn of_reason(code: Option<&str>) -> Action {
    let code = code.and_then(vendor_code).unwrap_or("OTHER");
    let known = TABLE.iter().find(|line| line.code == code);
    let message = known.map_or("Theary needs a person to act.", |line| line.message);
    Action::of(ActionKind::Human, format!("{message} ({code})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_vendor_has_a_line_of_its_own() {
        let documented =
            ["THIRD_PARTY_RECORD", "UPSTREAM_ISSUE", "SYSTEM_FAILURE", "SLA_REACHED", "HUMAN_ESCALATION", "OTHER"];
        for code in documented.into_iter().chain(["PRIMARY_EDUCATION", "INTERNATIONAL_EDUCATION"]) {
            let line = TABLE.iter().find(|line| line.code == code).unwrap_or_else(|| panic!("{code} has no line"));
            let action = of_reason(Some(code));
            assert_eq!(action.kind, ActionKind::Human);
            assert_eq!(action.message, Some(format!("{} ({code})", line.message)));
        }
        let messages: std::collections::BTreeSet<_> = TABLE.iter().map(|line| line.message).collect();
        assert_eq!(messages.len(), TABLE.len(), "each says something of its own");
    }

    #[test]
    fn codes_are_an_open_set_and_sentences_are_no_codes() {
        for (said, message) in [
            (Some("SOMETHING_NEW"), "Theary needs a person to act. (SOMETHING_NEW)"),
            (
                Some("call Ada Sample"),
                "Theary needs a person to act and does not say what for: ask its support. (OTHER)",
            ),
            (None, "Theary needs a person to act and does not say what for: ask its support. (OTHER)"),
        ] {
            assert_eq!(of_reason(said).message.as_deref(), Some(message));
        }
    }
}
