//! `GET /v1/batches/{id}`

use axum::Json;
use axum::extract::State;
use domain::{Batch, BatchId};
use store::Tx;

use super::view::BatchDetail;
use crate::app::App;
use crate::caller::Caller;
use crate::examples;
use crate::path::PathId;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::scope::OrdersRead;

/// The most rejected rows that are shown.
const MOST_REJECTED: u32 = 1_000;

/// The most files that are shown.
const MOST_FILES: u32 = 1_000;

/// Get a batch
///
/// With the files that its checks were sent in, where a vendor takes files, and the number of checks in every status, which costs the same however large the batch is: made for polling.
#[utoipa::path(
    get, path = "/v1/batches/{id}", operation_id = "getBatch", tag = "batches",
    params(("id" = BatchId, Path, description = "The batch's id.")),
    responses((status = 200, description = "The batch.", body = BatchDetail, example = json!(examples::batch_detail())), Refusals),
    security(("bearer" = ["orders:read"]))
)]
pub async fn get(
    State(app): State<App>,
    caller: Caller<OrdersRead>,
    PathId(id): PathId<BatchId>,
    _: NoQuery,
) -> Result<Json<BatchDetail>, Problem> {
    let mut tx = app.store().begin().await?;
    let batch = known(&mut tx, &caller, id).await?;
    Ok(Json(detail(&mut tx, batch).await?))
}

refusals!(Refusals: ALWAYS; NotFound, Invalid);

/// The batch, if the caller has it.
pub async fn known<S>(tx: &mut Tx, caller: &Caller<S>, id: BatchId) -> Result<Batch, Problem> {
    tx.batches().get(&caller.reach(), id).await?.ok_or_else(|| Problem::not_found("batch"))
}

/// The batch with the rows that were left out and its files.
pub async fn detail(tx: &mut Tx, batch: Batch) -> Result<BatchDetail, Problem> {
    let rejected = match batch.rejected {
        0 => Vec::new(),
        _ => tx.batches().rejected_rows(batch.id, MOST_REJECTED).await?,
    };
    let files = tx.vendor_files().of_batch(batch.id, MOST_FILES).await?;
    Ok(BatchDetail::of(batch, rejected, files))
}
