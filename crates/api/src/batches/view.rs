//! A batch as callers see it.

use domain::{Batch, BatchId, BatchStatus, CheckCounts, CheckStatus, ProviderId, RejectedRow, RowFault, Timestamp};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use store::StoredFile;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Orders that were accepted together.
#[derive(Serialize, ToSchema)]
#[schema(as = Batch)]
pub struct BatchView {
    pub id: BatchId,
    /// The caller's own id for it. Not unique.
    #[schema(required)]
    external_id: Option<String>,
    status: BatchStatus,
    /// How many orders were accepted.
    orders: u32,
    /// How many checks they hold.
    checks: u32,
    counts: CountsView,
    /// The share of its checks that are final, from 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    progress: f64,
    /// Rows that were left out because they are not valid.
    rejected_count: u32,
    #[schema(required)]
    cancel_requested_at: Option<Timestamp>,
    created_at: Timestamp,
    /// When its last check became final.
    #[schema(required)]
    completed_at: Option<Timestamp>,
}

/// A batch with the rows that were left out and the files that it was sent in.
#[derive(Serialize, ToSchema)]
#[schema(as = BatchDetail)]
pub struct BatchDetail {
    #[serde(flatten)]
    batch: BatchView,
    /// The first 1,000 rows that were left out, each with what is wrong with it.
    #[schema(max_items = 1000)]
    rejected_rows: Vec<RejectedRowView>,
    /// The vendors' own batches that checks of it were sent in, oldest first: the first 1,000. Empty where each check went
    /// in a call of its own.
    #[schema(max_items = 1000)]
    files: Vec<FileView>,
}

/// Many checks that went to a vendor as one file.
#[derive(Serialize, ToSchema)]
#[schema(as = BatchFile)]
struct FileView {
    provider: ProviderId,
    account: String,
    /// The vendor's own id of its batch, once it is known.
    #[schema(required)]
    vendor_batch_id: Option<String>,
    /// How many checks are in it.
    rows: u32,
    /// Where it stands: `create`, `upload`, `start`, `run`, `report` or `read`. From `run` on the vendor works on it.
    #[schema(examples("run"))]
    stage: &'static str,
    created_at: Timestamp,
    /// When the vendor agreed to begin no more of it.
    #[schema(required)]
    stopped_at: Option<Timestamp>,
    /// When what became of each check was taken in.
    #[schema(required)]
    completed_at: Option<Timestamp>,
}

/// A row that was left out.
#[derive(Serialize, ToSchema)]
#[schema(as = RejectedRow)]
struct RejectedRowView {
    /// From 1, as a person counts: the line of an NDJSON or CSV file, the row of a sheet, the place in a JSON array.
    row: u64,
    errors: Vec<RowErrorView>,
}

/// What is wrong with a row. Never holds the refused value.
#[derive(Serialize, ToSchema)]
#[schema(as = RowError)]
struct RowErrorView {
    /// A JSON Pointer into the order that the row stands for; empty: the row as a whole.
    pointer: String,
    /// The heading of the column, in formats that have columns.
    #[schema(required)]
    column: Option<String>,
    /// A stable word: `required`, `invalid`, `too_long`, `unknown_field`, `not_supported`, …
    #[schema(examples("required"))]
    code: String,
    detail: String,
}

/// How many checks stand where: every status, zeros included.
struct CountsView(CheckCounts);

impl BatchView {
    pub fn of(batch: Batch) -> Self {
        Self {
            id: batch.id,
            status: batch.status(),
            orders: batch.orders,
            checks: batch.counts.total(),
            progress: batch.progress(),
            rejected_count: batch.rejected,
            cancel_requested_at: batch.cancel.map(|cancel| cancel.requested_at),
            external_id: batch.external_id,
            counts: CountsView(batch.counts),
            created_at: batch.created_at,
            completed_at: batch.completed_at,
        }
    }
}

impl BatchDetail {
    pub fn of(batch: Batch, rejected: Vec<RejectedRow>, files: Vec<StoredFile>) -> Self {
        let rejected_rows = rejected.into_iter().map(|rejected| RejectedRowView {
            row: rejected.row,
            errors: rejected.faults.into_iter().map(RowErrorView::of).collect(),
        });
        Self {
            batch: BatchView::of(batch),
            rejected_rows: rejected_rows.collect(),
            files: files.into_iter().map(FileView::of).collect(),
        }
    }
}

impl FileView {
    fn of(file: StoredFile) -> Self {
        Self {
            provider: file.account.provider,
            account: file.account.account,
            vendor_batch_id: file.vendor_batch_id,
            rows: file.rows,
            stage: file.stage.as_str(),
            created_at: file.created_at,
            stopped_at: file.stop_answered_at,
            completed_at: file.ended_at,
        }
    }
}

impl RowErrorView {
    fn of(fault: RowFault) -> Self {
        Self { pointer: fault.pointer, column: fault.column, code: fault.code, detail: fault.detail }
    }
}

impl Serialize for CountsView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(CheckStatus::ALL.len()))?;
        for (status, count) in self.0.iter() {
            map.serialize_entry(status.as_str(), &count)?;
        }
        map.end()
    }
}

impl PartialSchema for CountsView {
    fn schema() -> RefOr<Schema> {
        let counts = CheckStatus::ALL.iter().fold(ObjectBuilder::new(), |object, status| {
            let count = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
            object.property(status.as_str(), count).required(status.as_str())
        });
        RefOr::T(counts.description(Some("How many of its checks stand where.")).build().into())
    }
}

impl ToSchema for CountsView {
    fn name() -> std::borrow::Cow<'static, str> {
        "CheckCounts".into()
    }
}
