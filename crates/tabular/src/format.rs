/// What a file of rows is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// One JSON object per line.
    Ndjson,
    /// RFC 4180, with a heading line; separated by commas, semicolons or tabs.
    Csv,
    /// An Excel workbook since 2007.
    Xlsx,
}

impl Format {
    pub const ALL: [Self; 3] = [Self::Ndjson, Self::Csv, Self::Xlsx];

    /// As in `?format=`, and the ending of a file's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }

    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }

    /// From the `Content-Type` of an upload, whatever its parameters and case.
    pub fn from_media_type(content_type: &str) -> Option<Self> {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        Self::ALL.into_iter().find(|format| format.media_type().eq_ignore_ascii_case(essence))
    }
}
