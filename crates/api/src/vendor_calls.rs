//! What an answer needs that a vendor has a part in: the language it is asked for in, and what goes wrong at the vendor, in
//! the words of the contract.

use std::time::Duration;

use domain::Check;
use engine::{AskError, ReadError};
use provider::{CallError, Language, LostReason, NotSentReason};

use crate::app::App;
use crate::problem::{Kind, Problem};
use crate::query::Query;

/// How soon something may be there that the vendor is still computing.
const SOON: Duration = Duration::from_secs(30);

/// Takes `lang` off the query.
pub fn language(query: &mut Query) -> Option<Language> {
    query.parsed("lang", "a language's code of ISO 639-1 in small letters, such as es", |text| text.parse().ok())
}

/// `what` is what the vendor was asked for, as in "the vendor could not give the document".
pub fn problem_of(app: &App, what: &str, error: AskError) -> Problem {
    let away = |why: &str| Problem::new(Kind::VendorUnavailable, format!("The vendor could not give {what}: {why}."));
    let useless = |why: &str| Problem::new(Kind::VendorFault, format!("The vendor could not give {what}: {why}."));
    match error {
        AskError::NoAccount(key) => {
            Problem::new(Kind::Conflict, format!("The vendor account {key} is not set up on this gateway any more."))
        }
        AskError::Resting(until) => away("it failed, or asked for a rest, and is not called now")
            .retry_after(until.since(app.now()).max(Duration::from_secs(1))),
        AskError::Store(error) => error.into(),
        AskError::Call(CallError::NotSent { why, retry_after }) => match why {
            NotSentReason::LinkRefused => {
                useless("its link leads to a host that the settings do not name (file_hosts)")
            }
            NotSentReason::BadRequest => useless("what is known of it makes no request"),
            other => {
                let problem = away(&other.to_string());
                retry_after.map_or(problem.clone(), |wait| problem.retry_after(wait))
            }
        },
        AskError::Call(CallError::Lost { why }) => match why {
            LostReason::Status(404 | 410) => {
                Problem::new(Kind::NotFound, format!("The vendor does not have {what}, or not any more."))
            }
            LostReason::Status(status) if status < 500 && status != 429 => useless(&why.to_string()),
            LostReason::TooLarge => useless("it is larger than the gateway takes"),
            LostReason::Unreadable => useless("what came is not what it should be"),
            other => away(&other.to_string()),
        },
    }
}

/// What is wrong when findings of a check cannot be given.
pub fn problem_of_reading(app: &App, what: &str, check: &Check, error: ReadError) -> Problem {
    match error {
        ReadError::NotSupported => {
            let provider = &check.account.provider;
            Problem::parameter("id", "not_supported", format!("The check is {provider}'s, which does not give {what}."))
        }
        ReadError::NotFinished(engine::NotFinished::Open(status)) => {
            let detail = format!(
                "The check is {status}: {what} can be had once it is completed. Wait for its event check.completed."
            );
            Problem::new(Kind::Conflict, detail)
        }
        ReadError::NotFinished(engine::NotFinished::WithoutResult(status)) => {
            Problem::new(Kind::Conflict, format!("The check ended as {status}, so there is nothing to give."))
        }
        ReadError::NotReady { .. } => {
            let detail = format!("The check is completed, and the vendor is still working on {what}. Ask again soon.");
            Problem::new(Kind::Conflict, detail).retry_after(SOON)
        }
        ReadError::Missing => Problem::new(Kind::NotFound, "The vendor does not have this check any more."),
        ReadError::BadCursor => bad_cursor(),
        ReadError::Ask(error) => problem_of(app, what, error),
    }
}

pub fn bad_cursor() -> Problem {
    Problem::parameter("cursor", "invalid", "Expected the next_cursor of the page before.")
}
