//! `vetgate providers list`

use comfy_table::Table;
use serde_json::Value;

use crate::client::Client;
use crate::commands::print;

pub async fn list(client: &Client, json: bool) -> anyhow::Result<()> {
    let page = client.get(&["providers"], &[]).await?;
    print::list(&page, json, "no providers", table)
}

/// A row for each account, and one for each vendor that is off.
fn table(providers: &[Value]) -> Table {
    let mut table = print::table(&["provider", "account", "state", "circuit", "last error", "hooks"]);
    for provider in providers {
        let id = print::word(&provider["id"]);
        if provider["enabled"] != true {
            let off = format!("off: {}", print::word(&provider["off_reason"]));
            table.add_row([id, "-".into(), off, "-".into(), "-".into(), "-".into()]);
            continue;
        }
        for account in provider["accounts"].as_array().into_iter().flatten() {
            table.add_row([
                id.clone(),
                print::word(&account["id"]),
                state(account),
                print::word(&account["circuit"]),
                last_error(&account["last_error"]),
                print::word(&account["hook_url"]),
            ]);
        }
    }
    print::keep_whole(&mut table, &[0, 1]);
    table
}

fn state(account: &Value) -> String {
    let paused = &account["paused"];
    if paused.is_object() {
        let reason = paused["reason"].as_str().map_or_else(String::new, |reason| format!(": {}", print::plain(reason)));
        return format!("paused by {}{reason}", print::word(&paused["by"]));
    }
    match account["rest_until"].as_str() {
        Some(_) => format!("rests until {}", print::time(&account["rest_until"])),
        None => "on".to_owned(),
    }
}

fn last_error(error: &Value) -> String {
    match error["code"].as_str() {
        Some(code) => format!("{} at {}", print::plain(code), print::time(&error["at"])),
        None => print::word(&Value::Null),
    }
}
