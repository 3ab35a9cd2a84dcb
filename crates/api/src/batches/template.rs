//! `GET /v1/batch-templates/{check_type}`

use axum::body::Body;
use axum::response::Response;
use domain::CheckType;
use http::Uri;
use tabular::{Cell, Format, Table, TableWriter, Unwritable, Workbook};

use super::columns::{Column, columns_of};
use super::report::attachment;
use crate::caller::Caller;
use crate::path::PathTexts;
use crate::problem::Problem;
use crate::query::Query;
use crate::refusals::refusals;
use crate::scope::OrdersRead;
use crate::{examples, upload};

/// Get a template for batches
///
/// A file with the headings of the usual columns for checks of this type, to be filled in with a row for each order and
/// sent to `createBatch`. The xlsx explains each column, with an example, on a second sheet. Columns may be left out, moved
/// and added: every field of an order is a column, `subject.identifiers.1.value` for one.
#[utoipa::path(
    get, path = "/v1/batch-templates/{check_type}", operation_id = "getBatchTemplate", tag = "batches",
    params(
        ("check_type" = CheckType, Path, description = "The type of the checks."),
        ("format" = Option<String>, Query, description = "`csv` (where omitted) or `xlsx`.", pattern = "^(csv|xlsx)$"),
    ),
    responses(
        (status = 200, description = "The file.",
         headers(("Content-Disposition" = String, description = "A name for the file.")),
         content(
            (String = "text/csv", examples(("headings" = (value = json!(examples::batch_template()))))),
            (upload::Workbook = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", examples(("workbook" = (summary = "A workbook with the sheets Orders and Help", external_value = "/v1/batch-templates/background_check?format=xlsx")))),
         )),
        Refusals,
    ),
    security(("bearer" = ["orders:read"]))
)]
pub async fn template(_: Caller<OrdersRead>, PathTexts(path): PathTexts, uri: Uri) -> Result<Response, Problem> {
    let kind =
        path.first().and_then(|word| CheckType::parse(word)).ok_or_else(|| Problem::not_found("type of check"))?;
    let mut query = Query::of(&uri);
    let format = query.parsed("format", "csv or xlsx", |text| {
        [Format::Csv, Format::Xlsx].into_iter().find(|format| format.as_str() == text)
    });
    query.end()?;
    let format = format.unwrap_or(Format::Csv);
    let columns = columns_of(kind);
    let bytes = match format {
        Format::Xlsx => workbook(&columns),
        other => headings_only(other, &columns),
    };
    let bytes = bytes.map_err(|error| Problem::internal(&error))?;
    Ok(attachment(&format!("{kind}.{}", format.as_str()), format, Body::from(bytes)))
}

refusals!(Refusals: ALWAYS; NotFound, Invalid);

/// The last parts of headings under which numbers are texts: a zero in front belongs to them, and so does a plus.
const AS_TEXT: &[&str] = &["external_id", "phone", "value", "postal_code"];

fn headings_only(format: Format, columns: &[Column]) -> Result<Vec<u8>, Unwritable> {
    TableWriter::new(format, &Table { name: "Orders", columns: &headings(columns) })?.finish()
}

fn workbook(columns: &[Column]) -> Result<Vec<u8>, Unwritable> {
    let mut workbook = Workbook::new();
    // The first sheet is the one that is read.
    workbook.sheet(&Table { name: "Orders", columns: &headings(columns) })?;
    for (index, column) in columns.iter().enumerate() {
        if AS_TEXT.iter().any(|name| column.heading.rsplit('.').next() == Some(name)) {
            workbook.keep_as_text(index)?;
        }
    }
    workbook.sheet(&Table { name: "Help", columns: &["Column", "Needed", "Meaning", "Example"] })?;
    for column in columns {
        let cells = [column.heading, column.need.as_str(), column.meaning, column.example];
        workbook.row(&cells.map(|text| Cell::Text(text.into())))?;
    }
    workbook.finish()
}

fn headings(columns: &[Column]) -> Vec<&'static str> {
    columns.iter().map(|column| column.heading).collect()
}
