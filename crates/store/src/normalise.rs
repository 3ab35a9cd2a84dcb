//! The one form in which personal data is compared: what two spellings of the same thing have in common.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Upper-case letters and digits only: `123-45-6789` and `123 45 6789` are one number.
pub fn identifier(value: &str) -> String {
    value
        .nfkd()
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_uppercase)
        .nfkd()
        .filter(|letter| letter.is_alphanumeric())
        .collect()
}

/// Lower-case, without space around it.
pub fn email(value: &str) -> String {
    value.trim().to_lowercase()
}

/// Compatibility-decomposed, without accents, lower-case, single spaces: `José  PÉREZ` is `jose perez`.
pub fn name(value: &str) -> String {
    let plain: String = unaccented(value).flat_map(char::to_lowercase).collect();
    // Lower-casing can bring a mark back (a dotted capital I), so they are dropped once more.
    let plain: String = unaccented(&plain).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn unaccented(value: &str) -> impl Iterator<Item = char> + '_ {
    value.nfkd().filter(|letter| !is_combining_mark(*letter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spellings_of_the_same_meet() {
        assert_eq!(identifier("123-45-6789"), identifier(" 123 45 6789"));
        assert_eq!(identifier("12.345.678-k"), "12345678K");
        assert_eq!(email(" John.Smith@Example.COM "), "john.smith@example.com");
        assert_eq!(name("  José \t PÉREZ"), "jose perez");
        assert_eq!(name("Muñoz"), name("MUN\u{303}OZ"));
        assert_eq!(name("İnce"), "ince");
        assert_ne!(name("Smith"), name("Smyth"));
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(text in "\\PC{0,40}") {
            prop_assert_eq!(identifier(&identifier(&text)), identifier(&text));
            prop_assert_eq!(name(&name(&text)), name(&text));
            prop_assert_eq!(email(&email(&text)), email(&text));
        }

        #[test]
        fn case_and_separators_do_not_matter(digits in "[0-9A-Z]{1,20}", separator in "[-. /]") {
            let spaced: String = digits.chars().flat_map(|c| [c.to_ascii_lowercase(), separator.chars().next().expect("one")]).collect();
            prop_assert_eq!(identifier(&spaced), digits);
        }

        #[test]
        fn names_hold_neither_capitals_nor_double_spaces(text in "[A-Za-zÀ-ÿ ]{0,40}") {
            let name = name(&text);
            prop_assert!(!name.contains("  ") && !name.chars().any(char::is_uppercase));
        }
    }
}
