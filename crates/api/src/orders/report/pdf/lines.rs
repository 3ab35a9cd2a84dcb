//! Breaking a text into lines.

use super::typeface::{Shaped, Style, Typeface, Typefaces};

/// The lines of a text that fit into a width: broken at spaces, and inside of a word only where it is wider than a line.
pub fn broken(text: &str, style: Style, width: f32, faces: &Typefaces) -> Vec<Shaped> {
    let face = faces.of(style.weight);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        fill(&clean(paragraph), width / style.size, face, &mut lines);
    }
    lines
}

/// The width of its longest paragraph, and of its longest word, in points.
pub fn measures(text: &str, style: Style, faces: &Typefaces) -> (f32, f32) {
    let face = faces.of(style.weight);
    let widest = |parts: &mut dyn Iterator<Item = &str>| parts.map(|part| face.width(part)).fold(0.0, f32::max);
    (widest(&mut text.split('\n')) * style.size, widest(&mut text.split_whitespace()) * style.size)
}

/// Without signs that are not to be seen, and could not be printed or would turn what is.
fn clean(text: &str) -> String {
    let is_seen = |letter: &char| {
        !letter.is_control()
            && !matches!(letter, '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}'..='\u{ffff}')
    };
    text.replace('\t', " ").chars().filter(is_seen).collect()
}

fn fill(paragraph: &str, width: f32, face: &Typeface, lines: &mut Vec<Shaped>) {
    let space = face.advance(' ');
    let (mut line, mut filled) = (String::new(), 0.0);
    for word in paragraph.split_whitespace() {
        let wide = face.width(word);
        if !line.is_empty() {
            // The space stays at the end of a broken line: who copies the text gets it whole.
            line.push(' ');
            filled += space;
            if filled + wide > width {
                lines.push(face.shape(std::mem::take(&mut line)));
                filled = 0.0;
            }
        }
        if wide <= width {
            line.push_str(word);
            filled += wide;
            continue;
        }
        for letter in word.chars() {
            let wide = face.advance(letter);
            if filled + wide > width && !line.is_empty() {
                lines.push(face.shape(std::mem::take(&mut line)));
                filled = 0.0;
            }
            line.push(letter);
            filled += wide;
        }
    }
    lines.push(face.shape(line));
}

#[cfg(test)]
mod tests {
    use super::super::typeface::{Shade, Weight};
    use super::*;

    const STYLE: Style = Style::new(Weight::Regular, 10.0, Shade::Ink);

    fn texts(text: &str, width: f32) -> Vec<String> {
        let faces = Typefaces::get().expect("fonts");
        broken(text, STYLE, width, faces).into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn lines_break_at_spaces_and_nothing_is_lost() {
        assert_eq!(texts("one", 100.0), ["one"]);
        assert_eq!(texts("one\ntwo", 100.0), ["one", "two"]);
        assert_eq!(texts("", 100.0), [""]);
        let text = "The quick brown fox jumps over the lazy dog.";
        let lines = texts(text, 60.0);
        assert!(lines.len() > 2 && lines.concat() == text, "{lines:?}");
        let long = "ord_01jd5z0x9gf0r8w1v4m2h7k3ta";
        let lines = texts(long, 50.0);
        assert!(lines.len() > 1 && lines.concat() == long, "{lines:?}");
    }

    #[test]
    fn what_would_turn_a_text_is_dropped() {
        assert_eq!(texts("a\u{202e}b\u{feff}c\u{0}d", 100.0), ["abcd"]);
    }
}
