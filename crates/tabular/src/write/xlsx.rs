use std::cell;
use std::fmt::Write as _;
use std::io::{self, Write as _};

use rust_xlsxwriter::XlsxError;
use rust_xlsxwriter::utility::{check_sheet_name, quote_sheet_name};
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use super::Cell;
use super::cell::fitted;
use super::table::{Table, Unwritable, same_length};
use crate::headings::letters;
use crate::neutralize::looks_like_formula;

/// The rows that a sheet can have, with its headings.
const MOST_ROWS: u32 = 1_048_576;
const MOST_COLUMNS: usize = 16_384;
/// How many bytes of the sheet are put together before they are packed. The rows within the first of them decide how
/// wide the columns are.
const PIECE: usize = 1 << 16;
/// How wide a column is made at least and at most, in characters.
const NARROWEST: usize = 8;
const WIDEST: usize = 56;

/// The places of these in `cellXfs` of [`STYLES`].
const PLAIN: u8 = 0;
const HEADING: u8 = 1;
const INERT: u8 = 2;

const CONTENT_TYPES: &str = r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>"#;
const RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const RELATIONS_OF_WORKBOOK: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#;
const STYLES: &str = r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><fonts count="2"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font><font><b/><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1"/></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>"#;
const SHEET: &str = r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews><sheetView tabSelected="1" workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/><selection pane="bottomLeft"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/>"#;

/// A workbook of one sheet as a stream: its texts are in its cells, so that no row is held once it is packed. It looks
/// like those of [`Workbook`](super::Workbook).
pub(super) struct XlsxRows {
    zip: ZipWriter<StreamWriter<Packed>>,
    name: String,
    columns: Vec<Column>,
    /// With the headings.
    rows: u32,
    /// What is not packed yet.
    xml: String,
    /// The beginning of the sheet is in the zip.
    begun: bool,
}

struct Column {
    letters: String,
    /// The characters of the longest text at the beginning of the sheet.
    width: usize,
}

/// Where the zip writes to. It lends only `&` of it.
#[derive(Default)]
struct Packed(cell::Cell<Vec<u8>>);

impl io::Write for Packed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.get_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl XlsxRows {
    pub fn new(table: &Table<'_>) -> Result<Self, Unwritable> {
        check_sheet_name(table.name)?;
        if table.columns.len() > MOST_COLUMNS {
            return Err(XlsxError::RowColumnLimitError.into());
        }
        let columns = (0..table.columns.len()).map(|index| Column { letters: letters(index), width: NARROWEST });
        let zip = ZipWriter::new_stream(Packed::default());
        let name = table.name.to_owned();
        let mut sheet = Self { zip, name, columns: columns.collect(), rows: 0, xml: String::new(), begun: false };
        sheet.part("[Content_Types].xml", CONTENT_TYPES)?;
        sheet.part("_rels/.rels", RELATIONS)?;
        sheet.part("xl/_rels/workbook.xml.rels", RELATIONS_OF_WORKBOOK)?;
        sheet.part("xl/styles.xml", STYLES)?;
        let headings: Vec<Cell<'_>> = table.columns.iter().map(|&heading| heading.into()).collect();
        sheet.cells(&headings, Some(HEADING));
        Ok(sheet)
    }

    pub fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), Unwritable> {
        same_length(cells.len(), self.columns.len())?;
        if self.rows == MOST_ROWS {
            return Err(XlsxError::RowColumnLimitError.into());
        }
        self.cells(cells, None);
        if self.xml.len() < PIECE { Ok(()) } else { self.pack() }
    }

    pub fn take(&self) -> Vec<u8> {
        self.zip.get_ref().map(|stream| stream.get_ref().0.take()).unwrap_or_default()
    }

    pub fn finish(mut self) -> Result<Vec<u8>, Unwritable> {
        self.pack()?;
        self.xml.push_str("</sheetData>");
        let mut filtered = String::new();
        if let Some(last) = self.columns.last() {
            let (name, last, rows) = (quote_sheet_name(&self.name), &last.letters, self.rows);
            let _ = write!(self.xml, r#"<autoFilter ref="A1:{last}{rows}"/>"#);
            // Excel keeps what a filter covers under this name.
            filtered
                .push_str(r#"<definedNames><definedName name="_xlnm._FilterDatabase" localSheetId="0" hidden="1">"#);
            escape(&mut filtered, &format!("{name}!$A$1:${last}${rows}"));
            filtered.push_str("</definedName></definedNames>");
        }
        self.xml.push_str("</worksheet>");
        self.pack()?;
        let mut workbook = String::from(
            r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><bookViews><workbookView/></bookViews><sheets><sheet name=""#,
        );
        escape(&mut workbook, &self.name);
        let _ = write!(workbook, r#"" sheetId="1" r:id="rId1"/></sheets>{filtered}</workbook>"#);
        self.part("xl/workbook.xml", &workbook)?;
        Ok(self.zip.finish().map_err(io::Error::from)?.into_inner().0.into_inner())
    }

    /// Adds a row; its texts in this style, or each in its own.
    fn cells(&mut self, cells: &[Cell<'_>], style: Option<u8>) {
        self.rows += 1;
        let (row, xml) = (self.rows, &mut self.xml);
        let _ = write!(xml, r#"<row r="{row}">"#);
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            let letters = &column.letters;
            match cell {
                Cell::Text(text) if !text.is_empty() => {
                    let text = fitted(text);
                    if !self.begun {
                        column.width = column.width.max(text.chars().take(WIDEST).count());
                    }
                    let style = style.unwrap_or(if looks_like_formula(&text) { INERT } else { PLAIN });
                    let space = if text.trim() == text { "" } else { r#" xml:space="preserve""# };
                    let _ = write!(xml, r#"<c r="{letters}{row}" s="{style}" t="inlineStr"><is><t{space}>"#);
                    escape(xml, &text);
                    xml.push_str("</t></is></c>");
                }
                Cell::Number(number) if number.is_finite() => {
                    let _ = write!(xml, r#"<c r="{letters}{row}"><v>{number}</v></c>"#);
                }
                Cell::Text(_) | Cell::Number(_) | Cell::Empty => {}
            }
        }
        xml.push_str("</row>");
    }

    /// Gives the zip what there is of the sheet.
    fn pack(&mut self) -> Result<(), Unwritable> {
        if !self.begun {
            self.begun = true;
            let mut head = String::from(SHEET);
            if !self.columns.is_empty() {
                head.push_str("<cols>");
                for (column, number) in self.columns.iter().zip(1..) {
                    // Room for the button of the filter.
                    let width = column.width + 4;
                    let _ = write!(head, r#"<col min="{number}" max="{number}" width="{width}" customWidth="1"/>"#);
                }
                head.push_str("</cols>");
            }
            head.push_str("<sheetData>");
            self.part("xl/worksheets/sheet1.xml", &head)?;
        }
        self.zip.write_all(self.xml.as_bytes())?;
        self.xml.clear();
        Ok(())
    }

    /// Begins a part of the workbook.
    fn part(&mut self, path: &str, xml: &str) -> Result<(), Unwritable> {
        let packed = SimpleFileOptions::DEFAULT.compression_method(CompressionMethod::Deflated);
        self.zip.start_file(path, packed).map_err(io::Error::from)?;
        self.zip.write_all(br#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#)?;
        Ok(self.zip.write_all(xml.as_bytes())?)
    }
}

/// Text within XML. What XML cannot hold becomes U+FFFD.
fn escape(xml: &mut String, text: &str) {
    for (at, character) in text.char_indices() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            // As it is, it would be read as a line feed.
            '\r' => xml.push_str("&#13;"),
            // `_x000D_` in a cell means a character; this underscore is meant as such.
            '_' if is_code(&text.as_bytes()[at..]) => xml.push_str("_x005F_"),
            '\0'..='\x08' | '\x0B' | '\x0C' | '\x0E'..='\x1F' | '\u{FFFE}' | '\u{FFFF}' => xml.push('\u{FFFD}'),
            other => xml.push(other),
        }
    }
}

fn is_code(text: &[u8]) -> bool {
    matches!(text, [b'_', b'x', a, b, c, d, b'_', ..] if [a, b, c, d].into_iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_has_no_more_rows_than_there_can_be() {
        let mut sheet = XlsxRows::new(&Table { name: "rows", columns: &["a"] }).expect("a sheet");
        sheet.rows = MOST_ROWS - 1;
        assert!(sheet.row(&[Cell::Empty]).is_ok());
        assert!(sheet.row(&[Cell::Empty]).is_err());
    }
}
