use std::borrow::Cow;

/// Text that a spreadsheet program will not take for a formula when it opens a CSV: what begins like one gets an
/// apostrophe in front. So does what begins with the wide form of such a sign, which East Asian versions take for it, and
/// what stands behind a semicolon: where that separates cells, quotation marks in the midst of a line do not keep them together.
pub fn neutralize(text: &str) -> Cow<'_, str> {
    let mut inert = String::new();
    let mut done = 0;
    let behind = text.match_indices(';').map(|(at, separator)| at + separator.len());
    for cell in [0].into_iter().chain(behind) {
        let rest = &text[cell..];
        // Behind a semicolon a quotation mark may only be the beginning of a cell.
        if looks_like_formula(if cell == 0 { rest } else { rest.trim_start_matches('"') }) {
            inert.push_str(&text[done..cell]);
            inert.push('\'');
            done = cell;
        }
    }
    if inert.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(inert + &text[done..]) }
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
        for (text, inert) in
            [("x;=HYPERLINK(1)", "x;'=HYPERLINK(1)"), ("x;\"\"=1;y;+1", "x;'\"\"=1;y;'+1"), ("=1;;@1;", "'=1;;'@1;")]
        {
            assert_eq!(neutralize(text), inert);
        }
        for text in ["", "a=1", "'=1", " =1", "1-2", ";", "x; y;z=1;1-2", "\"=1\""] {
            assert!(matches!(neutralize(text), Cow::Borrowed(same) if same == text));
        }
    }
}
