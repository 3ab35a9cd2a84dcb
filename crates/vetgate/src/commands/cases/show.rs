//! `vetgate cases show`

use comfy_table::{Cell, Table};
use serde_json::Value;

use super::items;
use crate::commands::print;

/// Prints a case with its evidence.
pub fn print(case: &Value, json: bool) -> anyhow::Result<()> {
    if json {
        return print::json(case);
    }
    print::line(print::trimmed(&head(case)))?;
    print::section("Checks", &checks(case))?;
    print::section("To decide", &reviews(case))?;
    print::section("Look-alikes: evidence, never proof", &look_alikes(case))?;
    print::section("Scans", &scans(case))?;
    print::section("Decisions", &decisions(case))?;
    let commands = commands(case);
    if !commands.is_empty() {
        print::line(format_args!("\nWhat you can do\n{}", commands.join("\n")))?;
    }
    Ok(())
}

fn head(case: &Value) -> Table {
    let mut facts = print::table(&[]);
    facts.add_row([Cell::new("case"), Cell::new(print::word(&case["id"]))]);
    facts.add_row([Cell::new("state"), print::state(&case["state"])]);
    facts.add_row(["account".to_owned(), account(case)]);
    facts.add_row(["why".to_owned(), print::reason(&case["reason"])]);
    facts.add_row(["the call".to_owned(), call(case)]);
    let times = [
        ("opened", "opened_at"),
        ("not absent before", "settle_until"),
        ("by itself until", "deadline"),
        ("next scan", "next_scan_at"),
        ("resolved", "resolved_at"),
    ];
    for (name, key) in times {
        if !case[key].is_null() {
            facts.add_row([name.to_owned(), print::time(&case[key])]);
        }
    }
    print::keep_whole(&mut facts, &[0]);
    facts
}

/// The vendor's account.
pub fn account(case: &Value) -> String {
    format!("{}/{}", print::word(&case["provider"]), print::word(&case["account"]))
}

/// When the create call was made, and how it ended.
fn call(case: &Value) -> String {
    let submission = &case["submission"];
    let started = print::time(&case["sent_at"]);
    let ended = match (&submission["ended_at"], &submission["http_status"]) {
        (Value::Null, _) => "its end is not known".to_owned(),
        (at, Value::Null) => format!("ended {} without an answer", print::time(at)),
        (at, status) => format!("answered {status} at {}", print::time(at)),
    };
    format!("began {started}, {ended}")
}

fn checks(case: &Value) -> Table {
    let mut table = print::table(&["check", "order", "state", "vendor's order", "sent again"]);
    for item in items(case) {
        table.add_row([
            Cell::new(print::word(&item["check_id"])),
            Cell::new(print::word(&item["order_id"])),
            print::state(&item["state"]),
            Cell::new(print::word(&item["bound"]["order_id"])),
            Cell::new(print::time(&item["resent_at"])),
        ]);
        for duplicate in duplicates(item) {
            table.add_row([
                Cell::new(""),
                Cell::new(""),
                print::state(&Value::from("duplicate")),
                Cell::new(print::word(&duplicate["order_id"])),
                Cell::new(""),
            ]);
        }
    }
    print::keep_whole(&mut table, &[0, 1, 3]);
    table
}

fn reviews(case: &Value) -> Table {
    let mut table = print::table(&[]);
    for item in items(case).filter(|item| !item["review"].is_null()) {
        table.add_row([print::word(&item["check_id"]), print::reason(&item["review"])]);
    }
    print::keep_whole(&mut table, &[0]);
    table
}

fn look_alikes(case: &Value) -> Table {
    let mut table = print::table(&["check", "vendor's order", "made", "agrees in"]);
    for alike in distinct_look_alikes(case) {
        let agrees = alike["agrees_in"].as_array().into_iter().flatten().map(print::word).collect::<Vec<_>>();
        table.add_row([
            print::word(&alike["reference"]),
            print::word(&alike["vendor_order_id"]),
            print::time(&alike["created_at"]),
            agrees.join(", "),
        ]);
    }
    print::keep_whole(&mut table, &[0, 1]);
    table
}

/// Each once, however many scans saw it.
fn distinct_look_alikes(case: &Value) -> Vec<&Value> {
    let mut distinct: Vec<&Value> = Vec::new();
    for alike in scans_of(case).flat_map(|scan| scan["look_alikes"].as_array().into_iter().flatten()) {
        let is_known = |known: &&&Value| {
            known["reference"] == alike["reference"] && known["vendor_order_id"] == alike["vendor_order_id"]
        };
        if !distinct.iter().any(|known| is_known(&known)) {
            distinct.push(alike);
        }
    }
    distinct
}

fn scans_of(case: &Value) -> impl Iterator<Item = &Value> {
    case["scans"].as_array().into_iter().flatten()
}

/// What each look at the account cost and found.
fn scans(case: &Value) -> Table {
    let mut table = print::table(&["began", "pages", "read", "calls", "least", "found", "complete"]);
    for scan in scans_of(case) {
        let complete = match (&scan["complete"], &scan["stopped_early"]) {
            (Value::Bool(true), Value::Bool(true)) => "yes, up to what is older than the call".to_owned(),
            (Value::Bool(true), _) => "yes".to_owned(),
            _ => format!("no: {}", print::word(&scan["incomplete_because"])),
        };
        table.add_row([
            print::time(&scan["started_at"]),
            print::word(&scan["pages"]),
            print::word(&scan["read"]),
            print::word(&scan["cost"]["calls"]),
            print::word(&scan["cost"]["least"]),
            scan["found"].as_array().map_or(0, Vec::len).to_string(),
            complete,
        ]);
    }
    print::keep_whole(&mut table, &[0]);
    print::align_numbers(&mut table, &[1, 2, 3, 4, 5]);
    table
}

fn decisions(case: &Value) -> Table {
    let mut table = print::table(&["at", "who", "what", "", "note"]);
    for decision in case["decisions"].as_array().into_iter().flatten() {
        table.add_row([
            print::time(&decision["at"]),
            print::word(&decision["actor"]),
            print::word(&decision["what"]),
            print::pairs(&decision["data"]),
            print::word(&decision["note"]),
        ]);
    }
    print::keep_whole(&mut table, &[0]);
    table
}

/// Lines to paste into a shell.
fn commands(case: &Value) -> Vec<String> {
    let id = print::word(&case["id"]);
    let mut commands = Vec::new();
    if case["state"] != "resolved" {
        commands.push(format!("  vetgate cases scan {id}"));
    }
    let alike = distinct_look_alikes(case);
    let resolve = |what: String| format!("  vetgate cases resolve {id} {what} --note '…'");
    for item in items(case).filter(|item| !item["review"].is_null()) {
        let check = print::word(&item["check_id"]);
        let candidates: Vec<_> = alike.iter().filter(|alike| alike["reference"] == item["reference"]).collect();
        for candidate in &candidates {
            commands.push(resolve(format!("--bind {check}={}", quoted(&candidate["vendor_order_id"]))));
        }
        if candidates.is_empty() {
            commands.push(resolve(format!("--bind {check}=VENDOR_ORDER")));
        }
        commands.push(resolve(format!("--resend {check}")));
        commands.push(resolve(format!("--fail {check}")));
    }
    for duplicate in items(case).flat_map(duplicates) {
        commands.push(resolve(format!("--cancel {}", quoted(&duplicate["order_id"]))));
    }
    commands
}

/// A vendor's id as one word of a shell, whatever is in it.
fn quoted(id: &Value) -> String {
    let id = print::word(id);
    let is_word = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/@".contains(&byte));
    if is_word && !id.starts_with('-') { id } else { format!("'{}'", id.replace('\'', r"'\''")) }
}

fn duplicates(item: &Value) -> impl Iterator<Item = &Value> {
    item["duplicates"].as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn case() -> Value {
        json!({
            "id": "rec_1", "state": "needs_review", "provider": "theary", "account": "default",
            "reason": { "code": "timeout", "message": "No answer came in time." },
            "items": [
                { "check_id": "chk_1", "order_id": "ord_1", "reference": "chk_1", "state": "unknown", "bound": null,
                  "duplicates": [], "review": { "code": "look_alike", "message": "Compare." }, "resent_at": null },
                { "check_id": "chk_2", "order_id": "ord_2", "reference": "chk_2", "state": "duplicate",
                  "bound": { "order_id": "v2" }, "duplicates": [{ "order_id": "v3" }], "review": null, "resent_at": null },
            ],
            "scans": [
                { "look_alikes": [{ "reference": "chk_1", "vendor_order_id": "v9", "agrees_in": ["last_name"] }] },
                { "look_alikes": [{ "reference": "chk_1", "vendor_order_id": "v9", "agrees_in": ["last_name"] }] },
            ],
        })
    }

    #[test]
    fn what_can_be_done_is_ready_to_paste() {
        assert_eq!(
            commands(&case()),
            [
                "  vetgate cases scan rec_1",
                "  vetgate cases resolve rec_1 --bind chk_1=v9 --note '…'",
                "  vetgate cases resolve rec_1 --resend chk_1 --note '…'",
                "  vetgate cases resolve rec_1 --fail chk_1 --note '…'",
                "  vetgate cases resolve rec_1 --cancel v3 --note '…'",
            ]
        );
        assert_eq!(commands(&json!({ "id": "rec_1", "state": "resolved", "items": [] })), Vec::<String>::new());
    }

    #[test]
    fn a_vendors_id_is_one_word_of_the_shell() {
        for (id, word) in [("ord_1", "ord_1"), ("a;reboot", "'a;reboot'"), ("it's", r"'it'\''s'"), ("$(x)", "'$(x)'")] {
            assert_eq!(quoted(&json!(id)), word);
        }
    }

    #[test]
    fn a_look_alike_is_shown_once() {
        assert_eq!(distinct_look_alikes(&case()).len(), 1);
    }
}
