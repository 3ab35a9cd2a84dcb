//! What no document says of batches, and may be one way or the other.

use serde::{Deserialize, Serialize};

/// Shown and changed under `batches` of the vendor's switches.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "switches are thrown one by one")]
pub struct BatchHabits {
    /// What becomes of a column for `custom_input`.
    pub custom_input: MappedReference,
    /// A file of more ends its batch with `error`.
    pub max_rows: usize,
    /// So many rows become checks at each moment.
    pub rows_per_moment: usize,
    /// How long a moment takes.
    pub moment_ms: u64,
    /// A batch is `finished` only once its checks are.
    pub waits_for_checks: bool,
    /// What a start of a batch that was started does.
    pub second_start: SecondStart,
    /// How long after it was asked for a report is there.
    pub report_ms: u64,
    /// Stands before the name of each column of a report that is an input.
    pub report_prefix: String,
    /// Names of a report's columns are written for people: `Check ID` rather than `check_id`.
    pub report_titles: bool,
    /// The columns of a report stand in the opposite order.
    pub report_reversed: bool,
    /// So many columns and lines of something else stand before what a report says.
    pub report_shift: u16,
    /// The names of a report's columns stand so many columns left of what is in them.
    pub report_slip: u16,
    /// Columns that a report leaves out.
    pub report_omits: Vec<String>,
    /// Sheets that a report leaves out.
    pub report_lacks: Vec<String>,
    /// Scheme, host and port of the links to put files, where not those of the API.
    pub upload_base: String,
    /// The same of the links to reports.
    pub report_base: String,
    /// Links and paths begin with a double slash.
    pub double_slash: bool,
}

impl Default for BatchHabits {
    fn default() -> Self {
        Self {
            custom_input: MappedReference::Kept,
            max_rows: 1_000,
            rows_per_moment: 250,
            moment_ms: 500,
            waits_for_checks: true,
            second_start: SecondStart::Refused,
            report_ms: 2_000,
            report_prefix: String::new(),
            report_titles: false,
            report_reversed: false,
            report_shift: 0,
            report_slip: 0,
            report_omits: Vec::new(),
            report_lacks: Vec::new(),
            upload_base: String::new(),
            report_base: String::new(),
            double_slash: false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MappedReference {
    /// Checks are made with it, and reports show it.
    Kept,
    /// A batch with such a column is answered 400.
    Refused,
    /// The column is taken, and what is in it is dropped.
    Lost,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondStart {
    /// Answered 400.
    Refused,
    /// Answered as the first was, and without effect.
    Ignored,
    /// Every row becomes a check once more.
    Repeats,
}
