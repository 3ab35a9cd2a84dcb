//! Why an order's checks stand where they do.

use comfy_table::Table;
use serde_json::Value;

use crate::client::Client;
use crate::client::refused::nothing_if_forbidden;
use crate::commands::print;

/// A line for each check that is not completed, and for each completed one that has more to say.
pub async fn table(client: &Client, order: &Value, cases: &[Value]) -> anyhow::Result<Table> {
    let checks: Vec<&Value> = order["checks"].as_array().into_iter().flatten().collect();
    let waits = checks.iter().any(|check| check["status"] == "queued");
    let providers = if waits { nothing_if_forbidden(client.get(&["providers"], &[]).await)? } else { Value::Null };
    let mut table = print::table(&[]);
    for check in checks {
        let said = said_of(check, cases, &providers);
        if !said.is_empty() {
            table.add_row([print::word(&check["id"]), said.join("\n")]);
        }
    }
    print::keep_whole(&mut table, &[0]);
    Ok(table)
}

fn said_of(check: &Value, cases: &[Value], providers: &Value) -> Vec<String> {
    let mut said = Vec::new();
    match check["status"].as_str().unwrap_or_default() {
        "queued" => {
            said.push("It waits to be sent.".to_owned());
            said.extend(held_up(check, providers));
        }
        "submitting" => said.push("A create call is under way.".to_owned()),
        "unconfirmed" => {
            said.push(
                "The create call's outcome is unknown: the vendor may have it or not. It is looked for.".to_owned(),
            );
        }
        "needs_review" => said.push("Looking cannot settle it. A person must decide.".to_owned()),
        "in_progress" => {
            said.push("The vendor works on it.".to_owned());
            if !check["estimated_completion_at"].is_null() {
                said.push(format!("It expects to end at {}.", print::time(&check["estimated_completion_at"])));
            }
        }
        "action_required" => said.push(action(&check["action"])),
        _ => {}
    }
    if !check["status_reason"].is_null() {
        said.push(print::reason(&check["status_reason"]));
    }
    if !check["cancel_requested_at"].is_null() && check["status"] != "canceled" {
        said.push(format!("Canceling was asked for at {}.", print::time(&check["cancel_requested_at"])));
    }
    said.extend(cases.iter().filter_map(|case| in_case(check, case)));
    said
}

fn in_case(check: &Value, case: &Value) -> Option<String> {
    let item = case["items"].as_array()?.iter().find(|item| item["check_id"] == check["id"])?;
    let (id, state) = (print::word(&case["id"]), print::word(&item["state"]));
    Some(if item["review"].is_null() {
        let next = print::time(&case["next_scan_at"]);
        format!("Case {id}: {state} so far; next scan {next}, by itself until {}.", print::time(&case["deadline"]))
    } else {
        format!("Case {id} waits for the decision.")
    })
}

fn action(action: &Value) -> String {
    let whom = match action["type"].as_str().unwrap_or_default() {
        "applicant_link" => "The applicant must follow a link.",
        "dashboard" => "Somebody must act in the vendor's dashboard.",
        "document" => "A document is missing.",
        _ => "The vendor handed it to a person.",
    };
    let mut said = whom.to_owned();
    for key in ["message", "url"] {
        if let Some(text) = action[key].as_str() {
            said.push(' ');
            said.push_str(&print::plain(text));
        }
    }
    said
}

/// What keeps the check's account from being sent to.
fn held_up(check: &Value, providers: &Value) -> Option<String> {
    let provider = providers["data"].as_array()?.iter().find(|provider| provider["id"] == check["provider"])?;
    let account = provider["accounts"].as_array()?.iter().find(|account| account["id"] == check["account"])?;
    let name = format!("{}/{}", print::word(&check["provider"]), print::word(&check["account"]));
    let paused = &account["paused"];
    if !paused.is_null() {
        let (by, since, reason) = (print::word(&paused["by"]), print::time(&paused["at"]), &paused["reason"]);
        let reason = reason.as_str().map(|reason| format!(": {}", print::plain(reason))).unwrap_or_default();
        return Some(format!("{name} is paused by {by} since {since}{reason}."));
    }
    if account["circuit"] == "open" {
        let (until, error) = (print::time(&account["circuit_until"]), print::word(&account["last_error"]["code"]));
        return Some(format!("{name} failed too often ({error}); nothing is sent until {until}."));
    }
    let rest = &account["rest_until"];
    (!rest.is_null()).then(|| format!("{name} asked for a rest until {}.", print::time(rest)))
}
