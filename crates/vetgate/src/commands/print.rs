//! How commands print: lines, and what the API says in tables, words and times. In colours on a terminal.

use std::fmt::Display;
use std::io::{self, Write as _};

use comfy_table::{Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, presets};
use serde_json::Value;

pub use crate::client::refused::plain;

use crate::client::Refused;

/// What stands where there is nothing.
const NOTHING: &str = "-";

/// Prints a text and ends its line. Whoever closed the pipe has seen enough: the rest goes nowhere, and the command ends as
/// it does otherwise.
pub fn line(text: impl Display) -> anyhow::Result<()> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if !is_closed(&error) => Err(anyhow::Error::new(error).context("standard output cannot be written")),
        _ => Ok(()),
    }
}

/// Whether nobody reads any more.
pub fn is_closed(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}

/// Says something on standard error. Where that is closed there is nobody to say it to.
pub fn tell(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// A table without lines, so that it can be cut and searched.
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if !header.is_empty() {
        table.set_header(header);
    }
    table
}

/// Keeps these columns whole on a narrow terminal: an id that is broken cannot be copied.
pub fn keep_whole(table: &mut Table, columns: &[usize]) {
    for column in columns {
        if let Some(column) = table.column_mut(*column) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
}

/// Aligns these columns as numbers are read.
pub fn align_numbers(table: &mut Table, columns: &[usize]) {
    for column in columns {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// Prints a table below a heading, unless it is empty.
pub fn section(heading: &str, table: &Table) -> anyhow::Result<()> {
    if table.is_empty() { Ok(()) } else { line(format_args!("\n{heading}\n{}", trimmed(table))) }
}

/// Prints a page of a list as a table, or that it is empty, and whether there is more of it.
pub fn list(page: &Value, as_json: bool, empty: &str, table: impl FnOnce(&[Value]) -> Table) -> anyhow::Result<()> {
    if as_json {
        return json(page);
    }
    match page["data"].as_array().map(Vec::as_slice).unwrap_or_default() {
        [] => line(empty)?,
        entries => line(trimmed(&table(entries)))?,
    }
    if page["next_cursor"].is_string() {
        line("\nThere are more. --limit asks for them.")?;
    }
    Ok(())
}

/// A table without the blanks at the ends of its lines.
pub fn trimmed(table: &Table) -> String {
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// One JSON document, such as the API's own.
pub fn json(document: &Value) -> anyhow::Result<()> {
    line(serde_json::to_string_pretty(document)?)
}

/// With `--json` a refusal is the API's JSON as well; what it says goes to standard error as ever.
pub fn refusal_too<T>(as_json: bool, ended: anyhow::Result<T>) -> anyhow::Result<T> {
    if let Err(error) = &ended
        && let Some(refused) = error.downcast_ref::<Refused>().filter(|refused| as_json && !refused.problem.is_null())
    {
        json(&refused.problem)?;
    }
    ended
}

/// A text, a number or a switch.
pub fn word(value: &Value) -> String {
    match value {
        Value::String(text) if !text.is_empty() => plain(text).into_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(switch) => if *switch { "yes" } else { "no" }.to_owned(),
        _ => NOTHING.to_owned(),
    }
}

/// A time to the second: `2026-11-21 09:16:03Z`.
pub fn time(value: &Value) -> String {
    let Some(text) = value.as_str() else { return NOTHING.to_owned() };
    match (text.get(..19), text.get(10..11)) {
        (Some(seconds), Some("T")) if text.ends_with('Z') => seconds.replacen('T', " ", 1) + "Z",
        _ => plain(text).into_owned(),
    }
}

/// Why something is as it is: the word, then the sentence.
pub fn reason(value: &Value) -> String {
    match (value["code"].as_str(), value["message"].as_str().filter(|message| !message.is_empty())) {
        (Some(code), Some(message)) => format!("{}: {}", plain(code), plain(message)),
        (Some(code), None) => plain(code).into_owned(),
        _ => NOTHING.to_owned(),
    }
}

/// What comes with an event or a decision: `status=queued type=background_check`.
pub fn pairs(value: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pairs = value.as_object().into_iter().flatten().map(|(key, value)| format!("{key}={}", text(value)));
    plain(&pairs.collect::<Vec<_>>().join(" ")).into_owned()
}

/// A status, an outcome or a state, in the colour of what it asks of whoever reads it.
pub fn state(value: &Value) -> Cell {
    let text = word(value);
    match color(&text) {
        Some(color) => Cell::new(text).fg(color),
        None => Cell::new(text),
    }
}

fn color(state: &str) -> Option<Color> {
    match state {
        "completed" | "clear" | "resolved" | "bound" => Some(Color::Green),
        "unconfirmed" | "action_required" | "unresolved" | "open" | "unknown" | "proven" | "absent" => {
            Some(Color::Yellow)
        }
        "needs_review" | "failed" | "consider" | "duplicate" => Some(Color::Red),
        "canceled" => Some(Color::DarkGrey),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_cut_to_the_second() {
        assert_eq!(time(&json!("2026-11-21T09:16:03.123456Z")), "2026-11-21 09:16:03Z");
        assert_eq!(time(&json!("2026-11-21T09:16:03Z")), "2026-11-21 09:16:03Z");
        assert_eq!(time(&json!("soon")), "soon");
        assert_eq!(time(&Value::Null), "-");
    }

    #[test]
    fn nothing_that_is_said_steers_the_terminal() {
        assert_eq!(word(&json!("a\u{1b}[2Jb\u{9b}31m\tü")), "a\u{FFFD}[2Jb\u{FFFD}31m\u{FFFD}ü");
        assert_eq!(reason(&json!({ "code": "x", "message": "\u{7}" })), "x: \u{FFFD}");
        assert_eq!(pairs(&json!({ "a": "\r" })), "a=\u{FFFD}");
    }

    #[test]
    fn ids_are_not_broken() {
        let mut table = table(&["id", "why"]);
        table.set_width(40);
        let id = "rec_01jd5z0x9gf0r8w1v4m2h7k3tg";
        table.add_row([id, "a sentence that is much longer than there is room for beside it"]);
        keep_whole(&mut table, &[0]);
        assert!(trimmed(&table).contains(id), "{table}");
    }
}
