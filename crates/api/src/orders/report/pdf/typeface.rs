//! The font of the PDF: `DejaVu` Sans Condensed, which has Latin letters with every accent, Greek, Cyrillic, Arabic, Hebrew,
//! Armenian and Georgian. Only the letters that are used are embedded.

use std::sync::LazyLock;

use krilla::text::{Font, GlyphId, KrillaGlyph};
use rustybuzz::{Direction, Face, UnicodeBuffer};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    Regular,
    Bold,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shade {
    Ink,
    Muted,
}

/// How a text is set.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    pub weight: Weight,
    pub size: f32,
    pub shade: Shade,
}

impl Style {
    pub const fn new(weight: Weight, size: f32, shade: Shade) -> Self {
        Self { weight, size, shade }
    }

    /// From one line to the next.
    pub fn leading(self) -> f32 {
        self.size * 1.32
    }
}

pub struct Typefaces {
    regular: Typeface,
    bold: Typeface,
}

pub struct Typeface {
    pub font: Font,
    face: Face<'static>,
}

/// A line with its glyphs. Their measures are parts of the font's size.
pub struct Shaped {
    pub text: String,
    pub glyphs: Vec<KrillaGlyph>,
}

static FACES: LazyLock<Option<Typefaces>> = LazyLock::new(|| {
    Some(Typefaces {
        regular: Typeface::of(dejavu::sans_condensed::regular())?,
        bold: Typeface::of(dejavu::sans_condensed::bold())?,
    })
});

impl Typefaces {
    /// Read once. `None`: they cannot be read.
    pub fn get() -> Option<&'static Self> {
        FACES.as_ref()
    }

    pub const fn of(&self, weight: Weight) -> &Typeface {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        }
    }

    pub fn has(&self, letter: char) -> bool {
        self.regular.face.glyph_index(letter).is_some()
    }
}

impl Typeface {
    fn of(data: &'static [u8]) -> Option<Self> {
        Some(Self { font: Font::new(data.into(), 0)?, face: Face::from_slice(data, 0)? })
    }

    /// How wide a text is, as a part of the size, letter by letter: never less than what it is once it is shaped.
    pub fn width(&self, text: &str) -> f32 {
        text.chars().map(|letter| self.advance(letter)).sum()
    }

    pub fn advance(&self, letter: char) -> f32 {
        let glyph = self.face.glyph_index(letter).unwrap_or_default();
        f32::from(self.face.glyph_hor_advance(glyph).unwrap_or_default()) / self.font.units_per_em()
    }

    /// Finds the glyphs of a line, and sets them beside each other from the left.
    #[expect(clippy::cast_precision_loss, reason = "units of a font, some thousands at most")]
    pub fn shape(&self, text: String) -> Shaped {
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(&text);
        buffer.guess_segment_properties();
        let is_backward = buffer.direction() == Direction::RightToLeft;
        let shaped = rustybuzz::shape(&self.face, &[], buffer);
        let starts: Vec<usize> = shaped.glyph_infos().iter().map(|info| info.cluster as usize).collect();
        let unit = self.font.units_per_em();
        let glyphs =
            shaped.glyph_infos().iter().zip(shaped.glyph_positions()).enumerate().map(|(at, (info, place))| {
                KrillaGlyph::new(
                    GlyphId::new(info.glyph_id),
                    place.x_advance as f32 / unit,
                    place.x_offset as f32 / unit,
                    place.y_offset as f32 / unit,
                    place.y_advance as f32 / unit,
                    starts[at]..end(&starts, at, is_backward, text.len()),
                    None,
                )
            });
        Shaped { glyphs: glyphs.collect(), text }
    }
}

/// Where the letters end that a glyph stands for: where the next others begin.
fn end(starts: &[usize], at: usize, is_backward: bool, length: usize) -> usize {
    let is_later = |start: &&usize| **start > starts[at];
    let next = if is_backward { starts[..at].iter().rev().find(is_later) } else { starts[at..].iter().find(is_later) };
    next.copied().unwrap_or(length)
}

impl Shaped {
    /// As a part of the size.
    pub fn width(&self) -> f32 {
        self.glyphs.iter().map(|glyph| glyph.x_advance).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_many_scripts_are_there() {
        let faces = Typefaces::get().expect("fonts");
        for letter in "Añ Żółw Łódź Ωμέγα Щукин Đặng ſ Ő € ✓ – אב عربي".chars() {
            assert!(faces.has(letter), "{letter:?}");
        }
        assert!(!faces.has('漢'));
    }

    #[test]
    fn every_glyph_stands_for_letters_of_its_line() {
        let face = Typefaces::get().expect("fonts").of(Weight::Regular);
        for text in ["office Żółw", "Wa\u{301}gner", "شركة الاختبار", "שלום", ""] {
            let shaped = face.shape(text.to_owned());
            let mut told = shaped.glyphs.iter().map(|glyph| glyph.text_range.clone()).collect::<Vec<_>>();
            told.sort_by_key(|range| range.start);
            told.dedup();
            let joined: String = told.into_iter().map(|range| &text[range]).collect();
            assert_eq!(joined, text);
            assert!(shaped.width() <= face.width(text) + 0.01, "{text}");
        }
    }
}
