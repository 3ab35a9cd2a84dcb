//! Laying a report out on pages: what stands where, and what it is. Drawing it is another matter.

use std::num::NonZeroU16;

use krilla::tagging::{Tag, TagKind};

use super::grid;
use super::lines::broken;
use super::typeface::{Shade, Shaped, Style, Typefaces, Weight};
use crate::orders::report::paper::{Block, Level, Paper, Section};
use crate::orders::report::words;

/// A4, in points.
pub const WIDTH: f32 = 595.28;
pub const HEIGHT: f32 = 841.89;
/// So narrow and so short that it fits on US Letter, too.
pub const LEFT: f32 = 48.0;
pub const BODY: f32 = WIDTH - 2.0 * LEFT;
const TOP: f32 = 46.0;
const BOTTOM: f32 = 784.0;
const FOOT: f32 = 806.0;

const TITLE: Style = Style::new(Weight::Bold, 18.0, Shade::Ink);
const CHAPTER: Style = Style::new(Weight::Bold, 12.5, Shade::Ink);
const PART: Style = Style::new(Weight::Bold, 10.0, Shade::Ink);
pub const TEXT: Style = Style::new(Weight::Regular, 8.5, Shade::Ink);
const REMARK: Style = Style::new(Weight::Regular, 8.5, Shade::Muted);
const FOOTER: Style = Style::new(Weight::Regular, 7.0, Shade::Muted);

/// A heading is not left alone at the foot of a page: so much of what follows must have room.
const COMPANY: f32 = 44.0;

/// Something to be drawn.
pub enum Mark {
    Text { at: (f32, f32), style: Style, line: Shaped, role: Role },
    Bar { left: f32, top: f32, width: f32, height: f32, lightness: u8 },
}

/// What a text is in the document.
pub enum Role {
    /// With a number, by which the structure names it.
    Content(usize),
    /// It comes again on each page.
    Decoration,
}

/// A part of the document's structure.
pub struct Branch {
    pub tag: TagKind,
    pub twigs: Vec<Twig>,
}

pub enum Twig {
    Branch(Branch),
    Text(usize),
}

pub struct Bookmark {
    pub level: Level,
    pub text: String,
    pub page: usize,
    pub top: f32,
}

/// A report on its pages.
pub struct Laid {
    pub pages: Vec<Vec<Mark>>,
    pub tree: Vec<Branch>,
    pub bookmarks: Vec<Bookmark>,
}

impl Branch {
    pub fn new(tag: impl Into<TagKind>) -> Self {
        Self { tag: tag.into(), twigs: Vec::new() }
    }

    pub fn push(&mut self, branch: Self) {
        self.twigs.push(Twig::Branch(branch));
    }
}

pub fn lay(paper: &Paper, faces: &'static Typefaces) -> Laid {
    let mut flow = Flow::new(faces);
    flow.head(paper);
    paper.sections.iter().for_each(|section| flow.section(section));
    flow.finish(paper)
}

/// Fills page after page.
pub struct Flow {
    pub faces: &'static Typefaces,
    pages: Vec<Vec<Mark>>,
    /// How far the page is filled.
    pub top: f32,
    texts: usize,
    tree: Vec<Branch>,
    bookmarks: Vec<Bookmark>,
}

impl Flow {
    fn new(faces: &'static Typefaces) -> Self {
        Self { faces, pages: vec![Vec::new()], top: TOP, texts: 0, tree: Vec::new(), bookmarks: Vec::new() }
    }

    fn head(&mut self, paper: &Paper) {
        let mut title = Branch::new(Tag::Hn(NonZeroU16::MIN, Some("Screening report".to_owned())));
        self.paragraph("Screening report", TITLE, &mut title);
        self.tree.push(title);
        self.space(2.0);
        let generated = words::utc(paper.generated_at);
        self.remark(&format!("Order {}. Generated {generated}. All times are in UTC.", paper.order));
        if !paper.texts().flat_map(str::chars).all(|letter| letter.is_control() || self.faces.has(letter)) {
            self.remark(
                "The font of this document lacks some letters and shows boxes for them. The page (text/html) has them.",
            );
        }
        self.space(2.0);
        self.bar(1.2, 26);
    }

    fn remark(&mut self, text: &str) {
        let mut branch = Branch::new(Tag::P);
        self.paragraph(text, REMARK, &mut branch);
        self.tree.push(branch);
    }

    fn section(&mut self, section: &Section) {
        self.heading(section.level, &section.heading);
        for block in &section.blocks {
            match block {
                Block::Entries(entries) => {
                    let branch = grid::entries(self, entries);
                    self.tree.push(branch);
                }
                Block::Table(table) => {
                    let branch = grid::table(self, table);
                    self.tree.push(branch);
                }
                Block::Note(text) => {
                    let mut branch = Branch::new(Tag::P);
                    self.paragraph(text, TEXT, &mut branch);
                    self.tree.push(branch);
                }
            }
            self.space(7.0);
        }
    }

    fn heading(&mut self, level: Level, text: &str) {
        let (style, above, depth) = match level {
            Level::Chapter => (CHAPTER, 15.0, NonZeroU16::MIN.saturating_add(1)),
            Level::Part => (PART, 8.0, NonZeroU16::MIN.saturating_add(2)),
        };
        if !self.has_room(above + style.leading() + COMPANY) {
            self.turn();
        }
        self.space(above);
        let (page, top) = (self.pages.len() - 1, self.top);
        self.bookmarks.push(Bookmark { level, text: text.to_owned(), page, top });
        let mut branch = Branch::new(Tag::Hn(depth, Some(text.to_owned())));
        self.paragraph(text, style, &mut branch);
        self.tree.push(branch);
        self.space(1.5);
        if level == Level::Chapter {
            self.bar(0.6, 138);
            self.space(4.0);
        }
    }

    /// A text over the whole width, on as many pages as it takes.
    pub fn paragraph(&mut self, text: &str, style: Style, branch: &mut Branch) {
        for line in broken(text, style, BODY, self.faces) {
            if !self.has_room(style.leading()) {
                self.turn();
            }
            self.line(LEFT, line, style, Some(branch));
            self.top += style.leading();
        }
    }

    /// Sets a line at the height that has been reached. Without a branch it is decoration.
    pub fn line(&mut self, left: f32, line: Shaped, style: Style, branch: Option<&mut Branch>) {
        if line.text.is_empty() {
            return;
        }
        let at = (left, self.top + style.size * 0.95);
        let role = match branch {
            Some(branch) => {
                branch.twigs.push(Twig::Text(self.texts));
                self.texts += 1;
                Role::Content(self.texts - 1)
            }
            None => Role::Decoration,
        };
        self.mark(Mark::Text { at, style, line, role });
    }

    /// A line across the page.
    pub fn bar(&mut self, height: f32, lightness: u8) {
        self.mark(Mark::Bar { left: LEFT, top: self.top, width: BODY, height, lightness });
        self.top += height;
    }

    pub fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    /// None at the top of a page.
    pub fn space(&mut self, height: f32) {
        if self.top > TOP {
            self.top += height;
        }
    }

    pub fn room(&self) -> f32 {
        BOTTOM - self.top
    }

    #[expect(clippy::unused_self, reason = "it is the flow that knows its pages")]
    pub const fn whole_page(&self) -> f32 {
        BOTTOM - TOP
    }

    pub fn has_room(&self, height: f32) -> bool {
        height <= self.room()
    }

    pub fn turn(&mut self) {
        self.pages.push(Vec::new());
        self.top = TOP;
    }

    /// With a foot on every page.
    fn finish(mut self, paper: &Paper) -> Laid {
        let count = self.pages.len();
        let face = self.faces.of(FOOTER.weight);
        for (at, page) in self.pages.iter_mut().enumerate() {
            let order = face.shape(format!("Order {}", paper.order));
            let number = face.shape(format!("Page {} of {count}", at + 1));
            let right = LEFT + BODY - number.width() * FOOTER.size;
            for (left, line) in [(LEFT, order), (right, number)] {
                page.push(Mark::Text { at: (left, FOOT), style: FOOTER, line, role: Role::Decoration });
            }
        }
        Laid { pages: self.pages, tree: self.tree, bookmarks: self.bookmarks }
    }
}
