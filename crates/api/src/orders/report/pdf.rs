//! The report as a PDF: real text in an embedded font, tagged so that it can be read aloud, with its pages numbered.

mod grid;
mod layout;
mod lines;
mod typeface;

use krilla::color::{luma, rgb};
use krilla::configure::{Accessibility, Configuration, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::error::KrillaError;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::tagging::{Artifact, ArtifactType, ContentTag, Identifier, Node, SpanTag, TagGroup, TagTree};
use krilla::{Document, SerializeSettings};

use self::layout::{Bookmark, Branch, HEIGHT, Laid, Mark, Role, Twig, WIDTH};
use self::typeface::{Shade, Typefaces};
use super::paper::{Level, Paper};

#[derive(Debug, thiserror::Error)]
pub enum PdfError {
    #[error("the report's fonts cannot be read")]
    Fonts,
    #[error("the PDF could not be made: {0}")]
    Made(KrillaError),
}

/// Sets a report as a PDF. It is accessible by the book (PDF/UA-1) wherever the font has every letter of it; else it is made
/// all the same, with boxes for those that it lacks and a note that says so.
pub fn render(paper: &Paper) -> Result<Vec<u8>, PdfError> {
    let faces = Typefaces::get().ok_or(PdfError::Fonts)?;
    let laid = layout::lay(paper, faces);
    let accessible = ConfigurationBuilder::new().with_accessibility_validator(Accessibility::UA1).finish();
    let accessible = accessible.map(|configuration| draw(paper, &laid, faces, configuration));
    match accessible {
        Ok(Ok(bytes)) => Ok(bytes),
        _ => draw(paper, &laid, faces, Configuration::default()).map_err(PdfError::Made),
    }
}

fn draw(
    paper: &Paper,
    laid: &Laid,
    faces: &'static Typefaces,
    configuration: Configuration,
) -> Result<Vec<u8>, KrillaError> {
    let settings = SerializeSettings { configuration, enable_tagging: true, ..SerializeSettings::default() };
    let mut document = Document::new_with(settings);
    document.set_metadata(metadata(paper));
    // Identifiers of the tagged texts, by the number that each got when it was laid.
    let mut identifiers: Vec<Option<Identifier>> = Vec::new();
    for page in &laid.pages {
        let Some(size) = PageSettings::from_wh(WIDTH, HEIGHT) else { continue };
        let mut started = document.start_page_with(size);
        let mut surface = started.surface();
        for mark in page {
            if let Some((number, identifier)) = draw_mark(&mut surface, mark, faces) {
                if identifiers.len() <= number {
                    identifiers.resize_with(number + 1, || None);
                }
                identifiers[number] = Some(identifier);
            }
        }
        surface.finish();
        started.finish();
    }
    let mut tree = TagTree::new().with_lang(Some("en".to_owned()));
    for branch in &laid.tree {
        tree.push(grown(branch, &mut identifiers));
    }
    document.set_tag_tree(tree);
    document.set_outline(outline(&laid.bookmarks));
    document.finish()
}

/// Draws one thing. Gives the identifier of a text that belongs to the document's structure.
fn draw_mark(surface: &mut Surface<'_>, mark: &Mark, faces: &'static Typefaces) -> Option<(usize, Identifier)> {
    match mark {
        Mark::Text { at, style, line, role } => {
            let tag = match role {
                Role::Content(_) => ContentTag::Span(SpanTag::empty()),
                Role::Decoration => ContentTag::Artifact(Artifact::with_kind(ArtifactType::Footer)),
            };
            let identifier = surface.start_tagged(tag);
            let shade = match style.shade {
                Shade::Ink => luma::Color::new(26),
                Shade::Muted => luma::Color::new(80),
            };
            surface.set_fill(Some(Fill { paint: shade.into(), ..Fill::default() }));
            let font = faces.of(style.weight).font.clone();
            surface.draw_glyphs(Point::from_xy(at.0, at.1), &line.glyphs, font, &line.text, style.size, false);
            surface.end_tagged();
            match role {
                Role::Content(number) => Some((*number, identifier)),
                Role::Decoration => None,
            }
        }
        Mark::Bar { left, top, width, height, lightness } => {
            let rect = Rect::from_xywh(*left, *top, *width, *height)?;
            let mut path = PathBuilder::new();
            path.push_rect(rect);
            let path = path.finish()?;
            surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout)));
            let color = rgb::Color::new(*lightness, *lightness, *lightness);
            surface.set_fill(Some(Fill { paint: color.into(), ..Fill::default() }));
            surface.draw_path(&path);
            surface.end_tagged();
            None
        }
    }
}

/// The structure, with the texts as they were drawn. Each text has one place in it.
fn grown(branch: &Branch, identifiers: &mut [Option<Identifier>]) -> TagGroup {
    let mut group = TagGroup::new(branch.tag.clone());
    for twig in &branch.twigs {
        let node = match twig {
            Twig::Branch(branch) => Some(Node::Group(grown(branch, identifiers))),
            Twig::Text(number) => identifiers.get_mut(*number).and_then(Option::take).map(Node::Leaf),
        };
        if let Some(node) = node {
            group.push(node);
        }
    }
    group
}

fn outline(bookmarks: &[Bookmark]) -> Outline {
    let mut chapters: Vec<OutlineNode> = Vec::new();
    for bookmark in bookmarks {
        let place = XyzDestination::new(bookmark.page, Point::from_xy(0.0, bookmark.top));
        let node = OutlineNode::new(bookmark.text.clone(), place);
        match (bookmark.level, chapters.last_mut()) {
            (Level::Part, Some(chapter)) => chapter.push_child(node),
            _ => chapters.push(node),
        }
    }
    let mut outline = Outline::new();
    for chapter in chapters {
        outline.push_child(chapter);
    }
    outline
}

fn metadata(paper: &Paper) -> Metadata {
    let at = paper.generated_at.get();
    let year = u16::try_from(at.year()).unwrap_or_default();
    let made = DateTime::new(year)
        .month(u8::from(at.month()))
        .day(at.day())
        .hour(at.hour())
        .minute(at.minute())
        .second(at.second())
        .utc_offset_hour(0)
        .utc_offset_minute(0);
    Metadata::new()
        .title(paper.title.clone())
        .language("en".to_owned())
        .creator("vetgate".to_owned())
        .creation_date(made)
}
