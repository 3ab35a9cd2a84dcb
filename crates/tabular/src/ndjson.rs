//! NDJSON: one JSON object per line.

use std::io::Read;

use serde_json::Value;

use crate::row::{Content, Rows, fault};
use crate::text::Text;
use crate::{Limits, Sink, Unreadable, json};

pub(crate) fn read(input: impl Read, limits: &Limits, sink: &mut Sink<'_>) -> Result<(), Unreadable> {
    let mut text = Text::open(input, limits)?;
    let mut rows = Rows::new(sink, limits);
    let mut line = Vec::new();
    let mut number = 0;
    while let Some(fits) = next_line(&mut text, &mut line, limits.row)? {
        number += 1;
        let content = if !fits {
            Err(fault("too_large", format!("The line is larger than {} bytes.", limits.row)))
        } else if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        } else if std::str::from_utf8(&line).is_err() {
            return Err(Unreadable::NotUtf8 { row: number, column: None });
        } else {
            object(&line)
        };
        if rows.give(number, content)?.is_break() {
            return Ok(());
        }
    }
    rows.end()
}

/// Puts the next line into `line`, without its end. False if it is larger than `most`: then it is passed over and not
/// held. None after the last line.
fn next_line(text: &mut Text<impl Read>, line: &mut Vec<u8>, most: usize) -> Result<Option<bool>, Unreadable> {
    line.clear();
    let (mut fits, mut any) = (true, false);
    loop {
        let bytes = text.fill()?;
        if bytes.is_empty() {
            return Ok(any.then_some(fits));
        }
        any = true;
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let part = &bytes[..end.unwrap_or(bytes.len())];
        fits = fits && line.len() + part.len() <= most;
        if fits {
            line.extend_from_slice(part);
        } else {
            line.clear();
        }
        let used = part.len() + usize::from(end.is_some());
        text.consume(used);
        if end.is_some() {
            return Ok(Some(fits));
        }
    }
}

fn object(line: &[u8]) -> Content {
    match json::read_line(line) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(fault("invalid_json", "The line is JSON but not an object.".to_owned())),
        Err(told) => Err(fault("invalid_json", told.0)),
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use serde_json::json;

    use super::*;
    use crate::testing::{collect, failure, faults, objects};
    use crate::{Format, Row, Taken};

    fn read(bytes: &[u8]) -> Result<Vec<Row>, Unreadable> {
        collect(Format::Ndjson, bytes, &Limits::default()).map(|(rows, _)| rows)
    }

    #[test]
    fn counts_lines_as_a_person_does_and_passes_over_blank_ones() {
        let rows = read(b"\xEF\xBB\xBF{\"a\":1}\r\n\r\n   \n{\"a\":\"\xC3\xBC\"}").expect("rows");
        assert_eq!(objects(&rows), [(1, json!({"a": 1})), (4, json!({"a": "ü"}))]);
    }

    #[test]
    fn a_bad_line_is_a_fault_of_its_row_alone() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100), "]".repeat(100));
        let text = format!("{{\"a\":1,\"a\":2}}\n[1]\n{deep}\n{{\"a\":\n{{}}\n");
        let rows = read(text.as_bytes()).expect("rows");
        assert_eq!(
            faults(&rows),
            [
                "1 invalid_json: The JSON cannot be taken: an object has the same key twice, at column 13.",
                "2 invalid_json: The line is JSON but not an object.",
                "3 invalid_json: The JSON cannot be taken: it nests more than 64 levels deep, at column 69.",
                "4 invalid_json: The JSON ends too early, at column 5.",
            ]
        );
        assert_eq!(objects(&rows), [(5, json!({}))]);
        assert!(read("[".repeat(1_000_000).as_bytes()).is_ok());
    }

    #[test]
    fn a_line_that_is_too_large_is_passed_over() {
        let limits = Limits { row: 100, ..Limits::default() };
        let fits = format!("{{\"a\":\"{}\"}}", "x".repeat(92));
        assert_eq!(fits.len(), 100);
        let text = format!("{fits}\n{fits} \n{{}}\n{}", "y".repeat(1_000_000));
        let (rows, _) = collect(Format::Ndjson, text.as_bytes(), &limits).expect("rows");
        let told = "too_large: The line is larger than 100 bytes.";
        assert_eq!(faults(&rows), [format!("2 {told}"), format!("4 {told}")]);
        assert_eq!(objects(&rows).iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 3]);
    }

    #[test]
    fn other_encodings_are_recognised() {
        assert!(failure(read(b"{}\n{\"a\":\"M\xFCller\"}\n")).contains("row 2 is not UTF-8"));
        for utf16 in [&b"\xFF\xFE{\0}\0"[..], b"\xFE\xFF\0{\0}", b"{\0}\0", b"\0{\0}"] {
            assert!(failure(read(utf16)).contains("UTF-16"));
        }
        assert!(failure(read(b"PK\x03\x04....")).contains("workbook"));
    }

    #[test]
    fn files_without_rows_or_with_too_many_are_refused() {
        for empty in [&b""[..], b"\n\r\n \n", b"\xEF\xBB\xBF"] {
            assert!(matches!(read(empty), Err(Unreadable::Empty)));
        }
        let limits = Limits { rows: 2, bytes: 20, ..Limits::default() };
        assert!(collect(Format::Ndjson, b"{}\n{}\n\n", &limits).is_ok());
        assert!(matches!(collect(Format::Ndjson, b"{}\n{}\n1", &limits), Err(Unreadable::TooManyRows { limit: 2 })));
        // What the sink takes for a head is no row: not of those that may be there, nor of those that must.
        let below_head = |bytes: &[u8]| {
            let mut taken = Taken::Head;
            let mut sink = |_| ControlFlow::Continue(std::mem::replace(&mut taken, Taken::Row));
            super::read(bytes, &limits, &mut sink)
        };
        assert!(matches!(below_head(b"{}\n"), Err(Unreadable::Empty)));
        assert!(below_head(b"{}\n{}\n{}\n").is_ok());
        assert!(matches!(below_head(b"{}\n{}\n{}\n1"), Err(Unreadable::TooManyRows { limit: 2 })));
        let long = b"{}\n                                 ";
        assert!(matches!(collect(Format::Ndjson, long, &limits), Err(Unreadable::TooLarge { limit: 20 })));
    }
}
