/// How much a file may hold before it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows, without the heading or head and without empty ones; faulty ones count.
    pub rows: u64,
    /// Bytes of the file as it came: of NDJSON and CSV.
    pub bytes: u64,
    /// Bytes of the file as it came: of xlsx, which is held in memory while it is read.
    pub workbook: u64,
    /// Bytes of one row, as NDJSON or CSV has it, or of the text of a sheet's row.
    pub row: usize,
    /// Columns of CSV and xlsx, counted to the last one that has a heading.
    pub columns: usize,
    /// Bytes of a workbook's sheet, unpacked.
    pub inflated: u64,
    /// Bytes of all other parts of a workbook together, unpacked: mostly of the texts that its cells share.
    pub inflated_parts: u64,
    /// Bytes of those texts without the XML around them, and 4 more for each: they are held in memory.
    pub texts: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rows: 100_000,
            bytes: 256 << 20,
            workbook: 32 << 20,
            row: 1 << 20,
            columns: 500,
            inflated: 512 << 20,
            inflated_parts: 128 << 20,
            texts: 64 << 20,
        }
    }
}
