//! How far a batch is, until nothing of it goes on by itself.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use serde_json::Value;

use super::show;
use crate::client::{Client, Refused};
use crate::commands::print;
use crate::commands::progress::{self, Lines};

/// How often it is asked how far it is: what is soon over is soon told, what takes days is not asked for every second.
const SOONEST: Duration = Duration::from_millis(500);
const LATEST: Duration = Duration::from_secs(15);

/// How long the gateway may be away or too busy, once it was there, before watching is given up.
const PATIENCE: Duration = Duration::from_mins(10);
/// How soon it is asked again then.
const ASKED_AGAIN: Duration = Duration::from_secs(2);

/// Shows how far it is. 0 if it ended, 1 if what is left waits for a person.
pub async fn watch(client: &Client, id: &str, json: bool) -> anyhow::Result<ExitCode> {
    let watched = tokio::select! {
        batch = until_over(client, id) => Some(batch?),
        stopped = crate::commands::told_to_stop() => { stopped?; None }
    };
    let Some(batch) = watched else {
        print::tell(format_args!("\nThe batch goes on. To go on watching: vetgate batches show {id} --watch"));
        // 128 + SIGINT, as shells have it.
        return Ok(ExitCode::from(130));
    };
    show::print(client, &batch, json).await?;
    let is_over = batch["status"] != "in_progress";
    if !is_over && !json {
        print::line("\nWhat is left waits for a person.")?;
    }
    Ok(if is_over { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn until_over(client: &Client, id: &str) -> anyhow::Result<Value> {
    let bar = progress::bar("{spinner} {bar:30} {pos}/{len} checks  {msg}");
    let mut lines = Lines::default();
    let (mut wait, mut last_change, mut last_answer) = (SOONEST, Instant::now(), None::<Instant>);
    let mut last = Value::Null;
    loop {
        let batch = match client.get(&["batches", id], &[]).await {
            Err(error) if passes(&error) && last_answer.is_some_and(|at| at.elapsed() < PATIENCE) => {
                bar.set_message("the gateway does not answer just now");
                lines.say("The gateway does not answer just now; watching goes on.");
                tokio::time::sleep(ASKED_AGAIN).await;
                continue;
            }
            answer => answer?,
        };
        last_answer = Some(Instant::now());
        show_progress(&bar, &mut lines, &batch);
        if is_over(&batch) {
            bar.finish_and_clear();
            return Ok(batch);
        }
        if batch["counts"] != last["counts"] {
            (wait, last_change) = (SOONEST, Instant::now());
        } else if last_change.elapsed() > wait * 4 {
            wait = (wait * 2).min(LATEST);
        }
        last = batch;
        tokio::time::sleep(wait).await;
    }
}

/// Whether it may be better in a moment: no answer at all, too many requests, or trouble of the gateway's own.
fn passes(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Refused>().is_none_or(|refused| refused.status == 429 || refused.status >= 500)
}

/// Whether nothing is left, or only what waits for a person.
fn is_over(batch: &Value) -> bool {
    let open: Vec<_> = show::counted(batch).filter(|(status, _)| !status.is_final()).collect();
    let waits = |status: domain::CheckStatus| status == domain::CheckStatus::NeedsReview;
    batch["status"] != "in_progress" || (!open.is_empty() && open.iter().all(|(status, _)| waits(*status)))
}

fn show_progress(bar: &ProgressBar, lines: &mut Lines, batch: &Value) {
    let counts: Vec<_> = show::counted(batch).map(|(status, count)| format!("{count} {status}")).collect();
    let done = show::counted(batch).filter(|(status, _)| status.is_final()).map(|(_, count)| count).sum();
    bar.set_length(batch["checks"].as_u64().unwrap_or_default());
    bar.set_position(done);
    bar.set_message(counts.join(", "));
    lines.say(&format!("{} of {} checks done: {}", done, print::word(&batch["checks"]), counts.join(", ")));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_gateway_that_is_away_for_a_moment_is_waited_for_and_a_refusal_is_not() {
        let refused = |status| anyhow::Error::new(Refused { status, problem: Value::Null });
        assert!(passes(&anyhow::anyhow!("connection refused")));
        assert!(passes(&refused(503)) && passes(&refused(429)));
        assert!(!passes(&refused(404)) && !passes(&refused(401)));
    }

    #[test]
    fn it_is_over_when_nothing_goes_on_by_itself() {
        let batch = |status: &str, counts: Value| json!({ "status": status, "counts": counts });
        assert!(is_over(&batch("completed", json!({ "completed": 2 }))));
        assert!(is_over(&batch("in_progress", json!({ "completed": 2, "needs_review": 1 }))));
        assert!(!is_over(&batch("in_progress", json!({ "needs_review": 1, "unconfirmed": 1 }))));
        // Everything is final; the batch will say so in a moment.
        assert!(!is_over(&batch("in_progress", json!({ "completed": 2 }))));
    }
}
