use std::io;

/// Why a file cannot be read, or not to its end. The text says what is wrong, where, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("The file has no rows. Give at least one, under the heading where the format has one.")]
    Empty,
    #[error("The file is larger than {limit} bytes. Split it into several.")]
    TooLarge { limit: u64 },
    #[error("The file has more than {limit} rows. Split it into several.")]
    TooManyRows { limit: u64 },
    #[error("The file has more than {limit} columns.")]
    TooManyColumns { limit: usize },
    #[error(
        "The text of row {row}{} is not UTF-8 but perhaps Latin-1 or Windows-1252. Save the file as UTF-8 (in Excel: \
         \"CSV UTF-8\").", in_column(column.as_deref())
    )]
    NotUtf8 { row: u64, column: Option<String> },
    #[error("The file is UTF-16. Save it as UTF-8 (in Excel: \"CSV UTF-8\", not \"Unicode Text\").")]
    Utf16,
    #[error("The file is not text but {what}. Send it under the media type that it has.")]
    NotText { what: &'static str },
    #[error("A quotation mark that opens in row {row} is never closed. Close it, or double it if it is meant as text.")]
    UnclosedQuote { row: u64 },
    #[error("The row that begins in line {row} is larger than {limit} bytes. Is a quotation mark not closed there?")]
    RowTooLarge { row: u64, limit: usize },
    #[error("Column {column}: {detail}")]
    BadHeading { column: String, detail: String },
    #[error("Columns {first} and {second} have the same heading. Keep one of them.")]
    DuplicateHeading { first: String, second: String },
    #[error("The file is an old Excel file (.xls). Save it as .xlsx.")]
    OldExcel,
    #[error("The workbook is protected by a password. Save it without one.")]
    PasswordProtected,
    #[error("The file is not an Excel workbook (.xlsx): {detail}.")]
    NotAWorkbook { detail: &'static str },
    #[error("The workbook is damaged: {part} cannot be read. Open it in a spreadsheet program and save it again.")]
    Damaged { part: String },
    #[error("The workbook is damaged: {part} is not in it. Open it in a spreadsheet program and save it again.")]
    MissingPart { part: &'static str },
    #[error("The workbook has no sheet with cells.")]
    NoSheet,
    #[error("The workbook unpacks to more than {limit} bytes in {part}. Take out what is not needed, or split it.")]
    ZipBomb { part: &'static str, limit: u64 },
    /// The upload broke off, or the like.
    #[error("The file could not be read to its end.")]
    Io(#[from] io::Error),
}

fn in_column(column: Option<&str>) -> String {
    column.map_or_else(String::new, |column| format!(", column {column},"))
}
