//! What is taken over of a vendor's texts: ids and words are kept outside of the encrypted payload, so they are bounded.

/// The longest id of a vendor's object, in bytes. The vendors' own have less than 50.
const LONGEST_ID: usize = 200;

/// The longest word for a state, in characters.
const LONGEST_WORD: usize = 100;

/// The longest code that may stand in one of our sentences.
const LONGEST_CODE: usize = 64;

/// The id of a vendor's object, if it is one that can be kept: 1 to 200 bytes, without control characters, and without
/// whitespace at its ends.
///
/// Ids are opaque, and they are keys: they stand in indexed columns, URLs, events and logs. A row of a Postgres index holds
/// less than 3 kB and no text holds a NUL, so one hostile id would make every statement fail that concerns its check,
/// and the check would be stuck. Ids are compared exactly, so a bad one is never cut or mended: it is refused.
pub fn vendor_id(text: &str) -> Option<String> {
    let fits = (1..=LONGEST_ID).contains(&text.len()) && !text.chars().any(char::is_control) && text.trim() == text;
    fits.then(|| text.to_owned())
}

/// A vendor's own word for a state. Only shown, so one that is too long is cut.
pub fn native_status(text: &str) -> String {
    text.chars().take(LONGEST_WORD).collect()
}

/// A code of the vendor's, such as the name of a field or of a reason, which may stand in a sentence of ours. `None`: it is
/// no code, and may well be a sentence of the vendor's about a person.
pub fn vendor_code(text: &str) -> Option<&str> {
    let is_code = text.len() <= LONGEST_CODE
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    is_code.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_taken_whole_or_not_at_all() {
        for id in ["1", "CHK00a1", "search_6f1c", "a/../b?c d", "número", &"x".repeat(200)] {
            assert_eq!(vendor_id(id).as_deref(), Some(id));
        }
        for id in ["", " ", " a", "a ", "a\n", "a\u{0}b", "a\u{7f}", "a\u{85}b", "\u{a0}a", &"x".repeat(201)] {
            assert_eq!(vendor_id(id), None, "{id:?}");
        }
        assert_eq!(vendor_id(&"é".repeat(101)), None, "counted in bytes");
    }

    #[test]
    fn words_are_cut_between_characters() {
        assert_eq!(native_status("in_progress"), "in_progress");
        assert_eq!(native_status(&"é".repeat(5_000)), "é".repeat(100));
    }

    #[test]
    fn a_sentence_is_no_code() {
        for code in ["NO_RECORD", "wrong-info", "social_security_number", "v2"] {
            assert_eq!(vendor_code(code), Some(code));
        }
        for text in ["", "Said Jane", "123-45-6789", "jane@example.test", "é", &"x".repeat(65)] {
            assert_eq!(vendor_code(text), None, "{text}");
        }
    }
}
