//! The file of a batch, read by a library that the gateway does not write it with.

use std::io::Cursor;

use calamine::{Data, Reader as _, Xlsx};

use crate::truora::form::Fields;

/// The rows of the first sheet under its names, which are not looked at: columns count by their places. Empty rows are none.
pub fn read(file: &[u8], columns: &[String]) -> Result<Vec<Fields>, String> {
    let unreadable = || "the file could not be read".to_owned();
    let mut workbook = Xlsx::new(Cursor::new(file)).map_err(|_| unreadable())?;
    let sheet = workbook.worksheet_range_at(0).ok_or_else(unreadable)?.map_err(|_| unreadable())?;
    let (Some(end), width) = (sheet.end(), columns.len()) else { return Ok(Vec::new()) };
    let text = |row: u32, column: usize| match sheet.get_value((row, u32::try_from(column).ok()?))? {
        Data::Empty => None,
        value => Some(value.to_string()).filter(|text| !text.trim().is_empty()),
    };
    let row =
        |row: u32| -> Fields { (0..width).filter_map(|at| Some((columns[at].clone(), text(row, at)?))).collect() };
    Ok((1..=end.0).map(row).filter(|fields| !fields.is_empty()).collect())
}
