//! What the answer to a create call proves. The vendor has no idempotency key: a create sent twice is made, and charged,
//! twice. So only what provably made nothing is ever called [`NotSent`](ItemOutcome::NotSent) or
//! [`Rejected`](ItemOutcome::Rejected).
//!
//! | answer | class | why |
//! |---|---|---|
//! | 200, 201 with an id and our reference | accepted | the vendor's id is in hand |
//! | the same without any reference | accepted, provisional | it answers our call, but does not say so itself |
//! | the same with another reference | unknown, then resend | an answer that contradicts itself proves nothing |
//! | any other 2xx, or one that cannot be read | unknown, then resend | the work may be done |
//! | 400, 413, 422 | unknown, then fail | refused, says the vendor; looked for once, since one call is cheap |
//! | 401 | not sent | the key is checked before anything is made; an operator can mend it |
//! | 403 | not sent | permission, too, is decided before the work, by the vendor or by a firewall before it |
//! | 406 `version_refused` | not sent | the version is settled before the body is read; a setting mends it |
//! | 429 | not sent | the limit is enforced before the work |
//! | 451 `ssn_frozen` | rejected | nothing can be asked about a frozen SSN, and asking again does not help |
//! | 5xx, 501 included | unknown, then resend | the vendor, or a gateway before it, may fail after the work |
//! | anything else, redirects included | unknown, then resend | not documented, so it proves nothing |
//! | no answer | by [`SubmitReport::of_error`] | |

use domain::{AfterAbsence, Reason, Reference, VendorRef};
use provider::{Accepted, Carries, ItemOutcome, VendorAnswer, vendor_code, vendor_id};

use crate::compare::Claim;
use crate::mapping;
use crate::settings::Version;
use crate::wire::ErrorBody;

/// What is known of whoever asks, for the wording and the shape of answers.
#[derive(Clone, Copy)]
pub struct Account {
    pub version: Version,
    pub is_sandbox: bool,
}

/// Reads the answer to the create call of one check.
pub fn classify(answer: &VendorAnswer, account: Account, reference: Reference, claim: Option<&Claim>) -> ItemOutcome {
    classify_by(answer, account, || accepted(answer, account.version, reference, claim))
}

/// The table above, with what it takes to be accepted.
pub fn classify_by(
    answer: &VendorAnswer,
    account: Account,
    accepted: impl FnOnce() -> Result<ItemOutcome, &'static str>,
) -> ItemOutcome {
    let not_sent = |code: &str, message: &str| ItemOutcome::NotSent {
        why: Reason::new(code, message),
        retry_after: answer.retry_after(),
    };
    let unknown = |code: &str, message: String| ItemOutcome::Unknown {
        why: Reason::new(code, message),
        then: AfterAbsence::Resend,
    };
    match answer.status.as_u16() {
        200 | 201 => accepted()
            .unwrap_or_else(|why| unknown(why, "Truework's answer to the create call cannot be used.".to_owned())),
        400 | 413 | 422 => {
            let reason = Reason::new("refused_by_vendor", refusal(answer, account.is_sandbox));
            ItemOutcome::Unknown { why: reason.clone(), then: AfterAbsence::Fail { reason } }
        }
        401 => not_sent("credentials_refused", "Truework does not take the API key."),
        403 => not_sent("forbidden", "Truework does not allow this account to make the order."),
        406 => {
            not_sent("version_refused", &format!("Truework refuses the version: {}.", version_refused(account.version)))
        }
        429 => not_sent("rate_limited", "Truework asks for a rest."),
        451 => ItemOutcome::Rejected(ssn_frozen()),
        status if (500..600).contains(&status) => {
            unknown("vendor_failed", format!("Truework answered {status}; the order may have been made."))
        }
        status => unknown("unexpected_status", format!("Truework answered {status}, which proves nothing.")),
    }
}

/// Why the vendor answers 406, and what to do.
pub fn version_refused(version: Version) -> String {
    format!(
        "the API key is pinned to a newer version of Truework's API than {}; set truework.version to the version that \
         Truework's developer settings show for the key",
        version.as_str()
    )
}

pub fn ssn_frozen() -> Reason {
    Reason::new("ssn_frozen", "The subject's social security number is frozen at Truework; the subject can lift that.")
}

fn accepted(
    answer: &VendorAnswer,
    version: Version,
    reference: Reference,
    claim: Option<&Claim>,
) -> Result<ItemOutcome, &'static str> {
    let head = mapping::head(version, answer).map_err(|_| "answer_unreadable")?;
    let echo = head.reference().map(|echo| echo == reference.to_string());
    let id = head.id.as_deref().and_then(vendor_id).ok_or("answer_without_id")?;
    if echo == Some(false) {
        return Err("answer_of_another_order");
    }
    // An employer search has its result in this answer already. A result that cannot be read is fetched again.
    let snapshot = mapping::read(&answer.body).map(|order| mapping::snapshot(order, claim, answer.body.clone()));
    let part = snapshot.as_ref().and_then(|snapshot| snapshot.part_id.clone());
    Ok(ItemOutcome::Accepted(Box::new(Accepted {
        vendor: VendorRef { order_id: id, check_id: part },
        provisional: echo.is_none(),
        reused: false,
        carries: snapshot.as_ref().map_or(Carries::Nothing, |snapshot| snapshot.carries),
        snapshot,
    })))
}

/// What was refused: the names of the vendor's fields, never a value, and never the vendor's own sentence, which may
/// quote one. The whole answer is kept as evidence.
fn refusal(answer: &VendorAnswer, sandbox: bool) -> String {
    let mut message = format!("Truework refused the order with {}", answer.status.as_u16());
    let names = answer
        .json::<ErrorBody>()
        .ok()
        .and_then(|body| body.error?.invalid_fields)
        .map(|fields| field_names(&fields))
        .unwrap_or_default();
    if names.is_empty() {
        message.push('.');
    } else {
        message.push_str("; it does not take: ");
        message.push_str(&names.join(", "));
        message.push('.');
    }
    if sandbox && answer.status.as_u16() == 400 {
        message.push_str(" Its sandbox knows only the published test SSNs.");
    }
    message
}

/// The dotted names of an `invalid_fields` map, which is nested where the request is.
fn field_names(fields: &serde_json::Value) -> Vec<String> {
    const MOST: usize = 20;
    let mut names = Vec::new();
    let mut open = vec![(String::new(), fields)];
    while let Some((prefix, value)) = open.pop() {
        let Some(map) = value.as_object() else {
            if !prefix.is_empty() {
                names.push(prefix);
            }
            continue;
        };
        for (name, inner) in map {
            if vendor_code(name).is_some() && prefix.len() < 200 {
                let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                open.push((path, inner));
            }
        }
    }
    names.sort();
    names.truncate(MOST);
    names
}

#[cfg(test)]
mod tests;
