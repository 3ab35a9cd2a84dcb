//! The language that a vendor is asked to write in.

use std::str::FromStr;

/// Every code of ISO 639-1.
const CODES: &str = "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv \
    dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is \
    it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my \
    na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so \
    sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

/// A language by its code of ISO 639-1, in small letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Language(&'static str);

impl Language {
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// What was given is no code of ISO 639-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a language's code of ISO 639-1 in small letters, such as es")]
pub struct NoLanguage;

impl FromStr for Language {
    type Err = NoLanguage;

    fn from_str(text: &str) -> Result<Self, NoLanguage> {
        CODES.split_ascii_whitespace().find(|code| *code == text).map(Self).ok_or(NoLanguage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_codes_of_the_standard_are_languages() {
        for good in ["es", "en", "pt", "zu"] {
            assert_eq!(good.parse::<Language>().map(Language::as_str), Ok(good));
        }
        for bad in ["", "e", "ES", "xx", "spa", "es-CO", "s e", " es", "a ab"] {
            assert_eq!(bad.parse::<Language>(), Err(NoLanguage), "{bad:?}");
        }
        assert_eq!(CODES.split_ascii_whitespace().filter(|code| code.len() == 2).count(), 183);
    }
}
