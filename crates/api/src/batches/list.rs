//! `GET /v1/batches`

use axum::Json;
use axum::extract::State;
use domain::{BatchId, BatchStatus, Timestamp};
use http::Uri;
use store::BatchFilter;
use utoipa::IntoParams;

use super::view::BatchView;
use crate::app::App;
use crate::caller::Caller;
use crate::examples;
use crate::page::{List, Page, PageParams};
use crate::problem::Problem;
use crate::query::Query;
use crate::refusals::refusals;
use crate::scope::OrdersRead;

/// Read by hand, so that all faults are told at once; this is how it is documented.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the fields are read by the documentation only")]
pub struct BatchParams {
    status: Option<BatchStatus>,
    #[param(example = "hires-2026-11")]
    external_id: Option<String>,
    /// This time or later.
    created_after: Option<Timestamp>,
    /// Before this time.
    created_before: Option<Timestamp>,
}

/// List batches
///
/// Newest first. An `external_id` is not unique: all batches that were given it are listed.
#[utoipa::path(
    get, path = "/v1/batches", operation_id = "listBatches", tag = "batches",
    params(BatchParams, PageParams),
    responses((status = 200, description = "A page of batches.", body = List<BatchView>, example = json!(examples::batch_list())), Refusals),
    security(("bearer" = ["orders:read"]))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller<OrdersRead>,
    uri: Uri,
) -> Result<Json<List<BatchView>>, Problem> {
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query, BatchId::PREFIX);
    let filter = BatchFilter {
        status: query.parsed("status", "in_progress, completed or canceled", BatchStatus::parse),
        external_id: query.text("external_id"),
        created_after: query.time("created_after"),
        created_before: query.time("created_before"),
    };
    query.end()?;
    let before = page.after.map(BatchId::from_uuid);
    let batches = app.store().begin().await?.batches().list(&caller.reach(), &filter, page.fetch(), before).await?;
    Ok(Json(page.list(batches, BatchId::PREFIX, |batch| batch.id.uuid(), BatchView::of)))
}

refusals!(Refusals: ALWAYS; Invalid);
