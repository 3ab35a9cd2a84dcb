//! Texts that some answers write as numbers: amounts, years, hours. A number is kept as it is written, digit by digit, and
//! never becomes a float: `1000.10` stays `1000.10`.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

#[derive(Clone, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    pub fn into_string(self) -> String {
        self.0
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(json)?;
        let json = json.get();
        if json.starts_with('"') {
            return serde_json::from_str(json).map(Self).map_err(D::Error::custom);
        }
        written_out(json).map(Self).ok_or_else(|| D::Error::custom("neither a text nor a number of a sane size"))
    }
}

/// The most places that an exponent may move the point. No amount of money needs as many.
const FARTHEST: usize = 30;

/// A JSON number without an exponent, by moving its point. `None`: no number, or one of absurd size.
fn written_out(json: &str) -> Option<String> {
    if !json.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
        return None;
    }
    let Some((mantissa, exponent)) = json.split_once(['e', 'E']) else {
        return Some(json.to_owned());
    };
    let exponent: i32 = exponent.parse().ok()?;
    let places = usize::try_from(exponent.unsigned_abs()).ok().filter(|places| *places <= FARTHEST)?;
    let (sign, digits) = mantissa.strip_prefix('-').map_or(("", mantissa), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let (whole, fraction) = if exponent >= 0 {
        let fraction = format!("{fraction:0<places$}");
        let (moved, left) = fraction.split_at(places);
        (format!("{whole}{moved}"), left.to_owned())
    } else {
        let whole = format!("{whole:0>width$}", width = places + 1);
        let (left, moved) = whole.split_at(whole.len() - places);
        (left.to_owned(), format!("{moved}{fraction}"))
    };
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{point}{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<String> {
        serde_json::from_str::<Text>(json).ok().map(Text::into_string)
    }

    #[test]
    fn numbers_keep_their_digits() {
        for kept in ["2019", "1000.10", "-0.00", "0.1", "123456789012345678901234567890.12345678901234567890"] {
            assert_eq!(read(kept).as_deref(), Some(kept));
            assert_eq!(read(&format!("\"{kept}\"")).as_deref(), Some(kept));
        }
        assert_eq!(read(r#""a\"b""#).as_deref(), Some("a\"b"));
    }

    #[test]
    fn exponents_move_the_point() {
        for (json, text) in [
            ("1.5e3", "1500"),
            ("1.2345E+2", "123.45"),
            ("1e0", "1"),
            ("1.50e1", "15.0"),
            ("12e-1", "1.2"),
            ("-1e-2", "-0.01"),
            ("123.4e-5", "0.001234"),
            ("0e7", "0"),
        ] {
            assert_eq!(read(json).as_deref(), Some(text), "{json}");
        }
        for absurd in ["1e31", "1e-31", "1e999999999999", "true", "[1]", "{}"] {
            assert_eq!(read(absurd), None, "{absurd}");
        }
        assert!(matches!(serde_json::from_str::<Option<Text>>("null"), Ok(None)));
    }
}
