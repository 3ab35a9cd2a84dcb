//! What an answer that is not the hoped-for one proves.

use domain::Reason;
use provider::{BulkProgress, CallError, VendorAnswer};

use crate::submit::sentence;
use crate::wire::ErrorBody;

pub enum Verdict {
    /// Refused in front of the service, or for want of room: without effect, and may go better later.
    Later(BulkProgress),
    /// The service itself will not have it.
    Refused(Reason),
    /// The service itself says that there is no such thing (yet).
    Nothing(Reason),
    /// Says nothing about whether the work was done.
    Unclear(Reason),
}

/// Judges an answer by its status. The vendor's own sentence may quote what was sent, and stays out.
pub fn judge(answer: &VendorAnswer) -> Verdict {
    let error = ErrorBody::read(&answer.body);
    let later = |code: &str, message: &str| {
        let why = Reason::new(code, message);
        Verdict::Later(BulkProgress::NotSent { why, retry_after: answer.retry_after() })
    };
    let says = || Reason::new("vendor_refused", sentence(answer, &error));
    match answer.status.as_u16() {
        401 => later("credentials_refused", "The vendor refuses the API key."),
        // Nothing stands behind a route that the gateway does not have.
        403 if error.is_of_unknown_route() => {
            let message = "The vendor's gateway knows no such address; look at account_url.";
            Verdict::Refused(Reason::new("wrong_address", message))
        }
        403 if error.is_about_the_key() => {
            later("credentials_refused", "The vendor refuses the API key, or it lacks a permission.")
        }
        404 if error.is_the_services_own() => Verdict::Nothing(Reason::new("not_there", sentence(answer, &error))),
        400 | 413 | 422 => Verdict::Refused(says()),
        405 | 406 | 415 if error.is_the_services_own() => Verdict::Refused(says()),
        429 => later("rate_limited", "The vendor has too much to do."),
        _ => Verdict::Unclear(Reason::new("unexpected_status", sentence(answer, &error))),
    }
}

/// What a call without an answer means where it may have changed something.
pub fn of_error(error: &CallError) -> BulkProgress {
    match error {
        CallError::NotSent { why, retry_after } => {
            BulkProgress::NotSent { why: Reason::new(why.code(), error.to_string()), retry_after: *retry_after }
        }
        CallError::Lost { .. } => BulkProgress::Doubt { why: reason_of(error) },
    }
}

pub fn reason_of(error: &CallError) -> Reason {
    let code = match error {
        CallError::NotSent { why, .. } => why.code(),
        CallError::Lost { why } => why.code(),
    };
    Reason::new(code, error.to_string())
}
