use std::borrow::Cow;

/// Text that a spreadsheet program will not take for a formula when it opens a CSV: what begins like one gets an
/// apostrophe in front. So does what begins with the wide form of such a sign, which East Asian versions take for it.
pub fn neutralize(text: &str) -> Cow<'_, str> {
    if looks_like_formula(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

pub(crate) fn looks_like_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\u{FF1D}', '\u{FF0B}', '\u{FF0D}', '\u{FF20}'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_like_a_formula_is_made_inert() {
        for text in
            ["=HYPERLINK(\"http://x\")", "+52 55", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠1"]
        {
            assert_eq!(neutralize(text), format!("'{text}"));
        }
        for text in ["", "a=1", "'=1", " =1", "1-2"] {
            assert!(matches!(neutralize(text), Cow::Borrowed(same) if same == text));
        }
    }
}
