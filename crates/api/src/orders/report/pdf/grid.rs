//! Tables: columns as wide as what they hold asks for, rows that stay together, heads that come again on each page.

use krilla::tagging::{TableHeaderScope, Tag};

use super::layout::{BODY, Branch, Flow, LEFT, Mark, TEXT};
use super::lines::{broken, measures};
use super::typeface::{Shade, Shaped, Style, Typefaces, Weight};
use crate::orders::report::paper::{Entries, Table};

const NAME: Style = Style::new(Weight::Regular, 8.5, Shade::Muted);
const CAPTION: Style = Style::new(Weight::Bold, 8.5, Shade::Ink);
const HEAD: Style = Style::new(Weight::Bold, 7.5, Shade::Ink);
const CELL: Style = Style::new(Weight::Regular, 7.5, Shade::Ink);

/// How wide the names of entries are.
const NAMES: f32 = 150.0;
/// Between a cell's text and its edges.
const BESIDE: f32 = 3.6;
const ABOVE: f32 = 2.2;
/// No word makes a column wider than this; a longer one is broken.
const LONGEST_WORD: f32 = 96.0;
/// So many lines of a row that is longer than a page are kept together.
const TOGETHER: usize = 2;

/// A cell with its lines.
struct Cell {
    left: f32,
    width: f32,
    style: Style,
    is_number: bool,
    lines: Vec<Shaped>,
}

/// Names and what they stand for, side by side.
pub fn entries(flow: &mut Flow, entries: &Entries) -> Branch {
    let mut body = Branch::new(Tag::TBody);
    for (name, value) in entries.iter() {
        let cells = vec![
            cell(flow.faces, name, NAME, (LEFT, NAMES), false),
            cell(flow.faces, value, TEXT, (LEFT + NAMES, BODY - NAMES), false),
        ];
        let tags = vec![Branch::new(Tag::TH(TableHeaderScope::Row)), Branch::new(Tag::TD)];
        body.push(row(flow, cells, tags, &|_: &mut Flow| {}));
    }
    let mut table = Branch::new(Tag::Table);
    table.push(body);
    table
}

pub fn table(flow: &mut Flow, table: &Table) -> Branch {
    let widths = widths(table, flow.faces);
    let mut lefts = Vec::with_capacity(widths.len());
    let mut left = LEFT;
    for width in &widths {
        lefts.push((left, *width));
        left += width;
    }
    let head = |faces: &'static Typefaces| -> Vec<Cell> {
        let columns = table.columns.iter().zip(&lefts);
        columns.map(|(column, place)| cell(faces, column.title, HEAD, *place, column.is_number)).collect()
    };
    let head_height = height(&head(flow.faces));
    // The caption, the head and one row are together on a page.
    if !flow.has_room(CAPTION.leading() + head_height + CELL.leading() * 2.0) {
        flow.turn();
    }
    let mut branch = Branch::new(Tag::Table);
    let mut caption = Branch::new(Tag::Caption);
    flow.paragraph(&table.caption, CAPTION, &mut caption);
    branch.push(caption);
    flow.space(1.5);

    let mut tags: Vec<_> = table.columns.iter().map(|_| Branch::new(Tag::TH(TableHeaderScope::Column))).collect();
    set_head(flow, head(flow.faces), Some(&mut tags));
    let mut headings = Branch::new(Tag::TR);
    for tag in tags {
        headings.push(tag);
    }
    let mut top = Branch::new(Tag::THead);
    top.push(headings);
    branch.push(top);

    let again = |flow: &mut Flow| set_head(flow, head(flow.faces), None);
    let mut body = Branch::new(Tag::TBody);
    for texts in &table.rows {
        let columns = texts.iter().zip(&table.columns).zip(&lefts);
        let cells: Vec<_> =
            columns.map(|((text, column), place)| cell(flow.faces, text, CELL, *place, column.is_number)).collect();
        let tags = cells.iter().map(|_| Branch::new(Tag::TD)).collect();
        body.push(row(flow, cells, tags, &again));
    }
    branch.push(body);
    branch
}

fn cell(faces: &Typefaces, text: &str, style: Style, (left, width): (f32, f32), is_number: bool) -> Cell {
    let lines = broken(text, style, width - 2.0 * BESIDE, faces);
    Cell { left, width, style, is_number, lines }
}

fn height(cells: &[Cell]) -> f32 {
    let tallest = cells.iter().map(|cell| lines_high(cell.lines.len(), cell.style)).fold(0.0, f32::max);
    tallest + 2.0 * ABOVE
}

#[expect(clippy::cast_precision_loss, reason = "lines of a cell")]
fn lines_high(count: usize, style: Style) -> f32 {
    count as f32 * style.leading()
}

/// Sets the head of a table; where it comes again, as decoration.
fn set_head(flow: &mut Flow, cells: Vec<Cell>, tags: Option<&mut [Branch]>) {
    let high = height(&cells);
    flow.mark(Mark::Bar { left: LEFT, top: flow.top, width: BODY, height: high, lightness: 240 });
    match tags {
        Some(tags) => cells.into_iter().zip(tags).for_each(|(cell, tag)| set(flow, cell, Some(tag))),
        None => cells.into_iter().for_each(|cell| set(flow, cell, None)),
    }
    flow.top += high;
    flow.bar(0.6, 90);
}

/// Sets the lines of a cell, from the height that has been reached.
fn set(flow: &mut Flow, cell: Cell, mut tag: Option<&mut Branch>) {
    let top = flow.top;
    flow.top += ABOVE;
    for line in cell.lines {
        let left = if cell.is_number {
            cell.left + cell.width - BESIDE - line.width() * cell.style.size
        } else {
            cell.left + BESIDE
        };
        flow.line(left, line, cell.style, tag.as_deref_mut());
        flow.top += cell.style.leading();
    }
    flow.top = top;
}

/// Sets a row. It stays together, unless it is longer than a page; `again` is set on each page that it begins.
fn row(flow: &mut Flow, mut cells: Vec<Cell>, mut tags: Vec<Branch>, again: &dyn Fn(&mut Flow)) -> Branch {
    if !flow.has_room(height(&cells)) && (fits_a_page(&cells, flow) || !has_room_to_begin(&cells, flow)) {
        flow.turn();
        again(flow);
    }
    while !flow.has_room(height(&cells)) {
        // As much of it as there is room for; the rest on the next page.
        let room = flow.room() - 2.0 * ABOVE;
        let mut first = Vec::with_capacity(cells.len());
        for cell in &mut cells {
            let rest = cell.lines.split_off(fitting(room, cell.style).min(cell.lines.len()));
            let lines = std::mem::replace(&mut cell.lines, rest);
            first.push(Cell { lines, ..*cell });
        }
        first.into_iter().zip(&mut tags).for_each(|(cell, tag)| set(flow, cell, Some(tag)));
        flow.turn();
        again(flow);
    }
    let high = height(&cells);
    cells.into_iter().zip(&mut tags).for_each(|(cell, tag)| set(flow, cell, Some(tag)));
    flow.top += high;
    flow.bar(0.4, 212);
    let mut branch = Branch::new(Tag::TR);
    for tag in tags {
        branch.push(tag);
    }
    branch
}

/// How many lines have room; one at least, or there would be no end.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "lines of a page")]
fn fitting(room: f32, style: Style) -> usize {
    ((room / style.leading()) as usize).max(1)
}

fn fits_a_page(cells: &[Cell], flow: &Flow) -> bool {
    height(cells) <= flow.whole_page() - 40.0
}

fn has_room_to_begin(cells: &[Cell], flow: &Flow) -> bool {
    cells.iter().all(|cell| flow.has_room(lines_high(TOGETHER, cell.style) + 2.0 * ABOVE))
}

/// Each column as wide as its texts where all have room. Else no narrower than its longest word, and the rest shared out by
/// how much more each could use.
fn widths(table: &Table, faces: &Typefaces) -> Vec<f32> {
    let columns = table.columns.iter().enumerate().map(|(at, column)| {
        let (mut wish, mut least) = measures(column.title, HEAD, faces);
        for cell in table.rows.iter().filter_map(|row| row.get(at)) {
            let (whole, word) = measures(cell, CELL, faces);
            wish = wish.max(whole);
            least = least.max(word.min(LONGEST_WORD));
        }
        // A hair more, so that what was measured fits.
        (wish + 2.0 * BESIDE + 0.5, least + 2.0 * BESIDE + 0.5)
    });
    shared_out(&columns.collect::<Vec<_>>())
}

fn shared_out(columns: &[(f32, f32)]) -> Vec<f32> {
    let wished: f32 = columns.iter().map(|(wish, _)| wish).sum();
    let least: f32 = columns.iter().map(|(_, least)| least).sum();
    let share = |(wish, least_of_it): &(f32, f32)| {
        if wished <= BODY {
            wish * BODY / wished
        } else if least >= BODY {
            least_of_it * BODY / least
        } else {
            least_of_it + (BODY - least) * (wish - least_of_it) / (wished - least)
        }
    };
    columns.iter().map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fill_the_page_and_none_is_starved() {
        for columns in [
            vec![(40.0, 20.0), (60.0, 30.0)],
            vec![(2_000.0, 60.0), (50.0, 40.0), (900.0, 50.0)],
            vec![(300.0, 102.0); 9],
            vec![(30.0, 30.0)],
        ] {
            let widths = shared_out(&columns);
            assert!((widths.iter().sum::<f32>() - BODY).abs() < 0.1, "{widths:?}");
            let least: f32 = columns.iter().map(|(_, least)| least).sum();
            let is_enough = |(width, (_, least)): (&f32, &(f32, f32))| *width + 0.01 >= *least;
            assert!(least > BODY || widths.iter().zip(&columns).all(is_enough), "{widths:?}");
        }
    }
}
