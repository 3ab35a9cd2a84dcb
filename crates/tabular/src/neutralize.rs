use std::borrow::Cow;

/// Text that a spreadsheet program will not take for a formula when it opens a CSV: what begins like one gets an
/// apostrophe in front.
pub fn neutralize(text: &str) -> Cow<'_, str> {
    if looks_like_formula(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

pub(crate) fn looks_like_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_like_a_formula_is_made_inert() {
        for text in ["=HYPERLINK(\"http://x\")", "+52 55", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1"] {
            assert_eq!(neutralize(text), format!("'{text}"));
        }
        for text in ["", "a=1", "'=1", " =1", "1-2"] {
            assert!(matches!(neutralize(text), Cow::Borrowed(same) if same == text));
        }
    }
}
