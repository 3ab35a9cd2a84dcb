//! What a well-formed country, e-mail address, phone number, name or span of dates is.

use domain::Date;

use super::countries::COUNTRIES;
use crate::faults::Faults;
use crate::texts;

/// Whether this is a country's code, ISO 3166-1 alpha-2 in upper case.
pub fn is_country(code: &str) -> bool {
    COUNTRIES.contains(&code)
}

pub fn country(code: &str, at: &str, faults: &mut Faults) {
    if !is_country(code) {
        faults.push(at, "invalid", "Expected a country as ISO 3166-1 alpha-2 in upper case, such as US.");
    }
}

pub fn name(name: Option<&str>, at: &str, faults: &mut Faults) {
    if let Some(name) = name {
        texts::longest(name, at, texts::LONGEST_NAME, faults);
    }
}

/// A field that must hold something.
pub fn filled(text: &str, at: &str, faults: &mut Faults) {
    if text.trim().is_empty() {
        faults.push(at, "required", "This field must not be empty.");
    }
}

/// The shape of an address; whether somebody reads it cannot be told.
pub fn email(address: Option<&str>, at: &str, faults: &mut Faults) {
    let Some(address) = address else { return };
    let is_shaped = address.len() <= 254
        && !address.chars().any(char::is_whitespace)
        && address.rsplit_once('@').is_some_and(|(local, domain)| {
            (1..=64).contains(&local.len())
                && !local.contains('@')
                && domain.contains('.')
                && domain.split('.').all(|label| !label.is_empty())
        });
    if !is_shaped {
        faults.push(at, "invalid", "Expected an e-mail address, such as name@example.com.");
    }
}

/// A subject's phone, as vendors dial it.
pub fn phone(number: Option<&str>, at: &str, faults: &mut Faults) {
    let Some(number) = number else { return };
    let is_e164 = number.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    if !is_e164 {
        faults.push(at, "invalid", "Expected a phone number in E.164 form, such as +15551234567.");
    }
}

/// An office's phone, which may have an extension and is written as people write it.
pub fn office_phone(number: Option<&str>, at: &str, faults: &mut Faults) {
    let Some(number) = number else { return };
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let is_shaped = (5..=25).contains(&digits)
        && number.len() <= 40
        && number.chars().all(|letter| letter.is_ascii_alphanumeric() || " +-().,/#:".contains(letter));
    if !is_shaped {
        faults.push(at, "invalid", "Expected a phone number, such as +15551234567.");
    }
}

pub fn not_after(date: Option<Date>, latest: Date, at: &str, faults: &mut Faults) {
    if date.is_some_and(|date| date > latest) {
        faults.push(at, "invalid", "This date lies in the future.");
    }
}

/// The second of two dates must not be before the first.
pub fn span(from: Option<Date>, to: Option<Date>, to_at: &str, faults: &mut Faults) {
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        faults.push(to_at, "invalid", "This date lies before the one it must follow.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(rule: impl FnOnce(&mut Faults)) -> bool {
        let mut faults = Faults::default();
        rule(&mut faults);
        faults.is_empty()
    }

    #[test]
    fn countries_are_upper_case_and_real() {
        assert!(["US", "CO", "BR", "MX", "CL", "PE", "CR"].into_iter().all(is_country));
        assert!(!["us", "USA", "ALL", "XX", "UK", ""].into_iter().any(is_country));
        assert!(COUNTRIES.is_sorted() && COUNTRIES.len() == 249);
    }

    #[test]
    fn addresses_have_two_halves() {
        for good in ["a@b.co", "john.smith+x@example.com", "ü@exämple.org"] {
            assert!(takes(|faults| email(Some(good), "", faults)), "{good}");
        }
        for bad in ["", "@", "a@", "@b.co", "a@b", "a b@c.de", "a@@b.co", "a@b..co", "a@.co"] {
            assert!(!takes(|faults| email(Some(bad), "", faults)), "{bad}");
        }
    }

    #[test]
    fn phones_are_dialled_or_written() {
        assert!(takes(|faults| phone(Some("+15551234567"), "", faults)));
        for bad in ["", "15551234567", "+1555", "+1 555 123 4567", "+0551234567", "+1234567890123456"] {
            assert!(!takes(|faults| phone(Some(bad), "", faults)), "{bad}");
        }
        assert!(takes(|faults| office_phone(Some("(555) 123-4567 ext. 12"), "", faults)));
        for bad in ["", "call us", "12", "+1555<script>"] {
            assert!(!takes(|faults| office_phone(Some(bad), "", faults)), "{bad}");
        }
    }
}
