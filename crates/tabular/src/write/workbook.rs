use rust_xlsxwriter::{Format, Worksheet, XlsxError};

use super::Cell;
use super::cell::fitted;
use super::table::{Table, Unwritable, same_length};
use crate::neutralize::looks_like_formula;

/// The widest that a column is made, in pixels.
const WIDEST: u32 = 400;

/// An xlsx of one or several small sheets, made in memory: a temporary file would hold what is in it in the clear. For
/// many rows there is [`TableWriter`](super::TableWriter).
///
/// Each sheet has its headings in bold, frozen above the rows, with a filter. Text is written as text, exactly as it
/// is, and never as a formula; what looks like a formula gets the mark that Excel shows as an apostrophe in front, so
/// that it stays text when somebody edits the cell. A cell can hold 32,767 UTF-16 units; a longer text is cut and ends
/// with `…`.
pub struct Workbook {
    book: rust_xlsxwriter::Workbook,
    columns: usize,
    /// The next row of the sheet, from 0.
    row: u32,
    heading: Format,
    inert: Format,
    as_text: Format,
}

impl Default for Workbook {
    fn default() -> Self {
        Self::new()
    }
}

impl Workbook {
    pub fn new() -> Self {
        Self {
            book: rust_xlsxwriter::Workbook::new(),
            columns: 0,
            row: 0,
            heading: Format::new().set_bold(),
            inert: Format::new().set_quote_prefix(),
            as_text: Format::new().set_num_format("@"),
        }
    }

    /// Begins the next sheet; the rows that follow are its rows.
    pub fn sheet(&mut self, table: &Table<'_>) -> Result<(), Unwritable> {
        self.end_sheet()?;
        self.columns = table.columns.len();
        self.row = 1;
        let heading = self.heading.clone();
        let sheet = self.book.add_worksheet().set_name(table.name)?.set_freeze_panes(1, 0)?;
        for (column, text) in table.columns.iter().enumerate() {
            sheet.write_string_with_format(0, number_of(column)?, *text, &heading)?;
        }
        Ok(())
    }

    /// What somebody enters into this column of the sheet stays as it is entered: no zero in front of a number is lost,
    /// nothing is taken for a date. `column` counts from 0.
    pub fn keep_as_text(&mut self, column: usize) -> Result<(), Unwritable> {
        let as_text = self.as_text.clone();
        self.current()?.set_column_format(number_of(column)?, &as_text)?;
        Ok(())
    }

    pub fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), Unwritable> {
        same_length(cells.len(), self.columns)?;
        let row = self.row;
        let inert = self.inert.clone();
        let sheet = self.current()?;
        for (column, cell) in cells.iter().enumerate() {
            let column = number_of(column)?;
            match cell {
                Cell::Text(text) if text.is_empty() => {}
                Cell::Text(text) => {
                    let text = fitted(text);
                    if looks_like_formula(&text) {
                        sheet.write_string_with_format(row, column, text, &inert)?;
                    } else {
                        sheet.write_string(row, column, text)?;
                    }
                }
                Cell::Number(number) if number.is_finite() => {
                    sheet.write_number(row, column, *number)?;
                }
                Cell::Number(_) | Cell::Empty => {}
            }
        }
        self.row += 1;
        Ok(())
    }

    pub fn finish(mut self) -> Result<Vec<u8>, Unwritable> {
        self.end_sheet()?;
        Ok(self.book.save_to_buffer()?)
    }

    fn current(&mut self) -> Result<&mut Worksheet, XlsxError> {
        let last = self.book.worksheets().len().checked_sub(1);
        self.book.worksheet_from_index(last.unwrap_or(usize::MAX))
    }

    fn end_sheet(&mut self) -> Result<(), Unwritable> {
        let (last_row, columns) = (self.row.saturating_sub(1), self.columns);
        if columns > 0 {
            let last_column = number_of(columns - 1)?;
            let sheet = self.current()?;
            sheet.set_autofit_max_width(WIDEST).autofit().autofilter(0, 0, last_row, last_column)?;
        }
        Ok(())
    }
}

fn number_of(column: usize) -> Result<u16, XlsxError> {
    u16::try_from(column).map_err(|_| XlsxError::RowColumnLimitError)
}
