//! `GET /v1/orders/{id}/documents`

use axum::Json;
use axum::extract::State;
use domain::{CheckId, DocumentId, OrderId, Timestamp};
use engine::AskError;
use serde::Serialize;
use store::StoredDocument;
use utoipa::ToSchema;

use crate::app::App;
use crate::caller::Caller;
use crate::path::PathId;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::scope::OrdersRead;
use crate::{examples, mask};

/// What the vendors hold about the checks of an order.
#[derive(Serialize, ToSchema)]
pub struct DocumentList {
    data: Vec<DocumentView>,
    /// The checks whose vendor could not be asked for more; what was known of them before is listed all the same.
    unasked: Vec<Unasked>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Document)]
pub struct DocumentView {
    pub id: DocumentId,
    pub check_id: CheckId,
    /// `report`: the vendor's own; `attachment`: what a source or the applicant gave it.
    #[schema(examples("report"))]
    pub kind: String,
    /// As the vendor says.
    #[schema(examples("application/pdf"))]
    pub media_type: String,
    /// Of all but reports only the ending: sources name files after people.
    pub filename: String,
    /// When the gateway first saw it.
    pub seen_at: Timestamp,
}

#[derive(Serialize, ToSchema)]
struct Unasked {
    check_id: CheckId,
    /// A stable word.
    code: String,
    detail: String,
}

impl DocumentView {
    pub fn of(stored: StoredDocument) -> Self {
        let StoredDocument { id, check_id, document, seen_at, .. } = stored;
        let filename = if document.kind == "report" { document.filename } else { mask::filename(&document.filename) };
        Self { id, check_id, kind: document.kind, media_type: document.media_type, filename, seen_at }
    }
}

/// List an order's documents
///
/// Reports, and what else the vendors hold. Vendors are asked about completed checks while the caller waits; one that cannot
/// be asked is told in `unasked`.
#[utoipa::path(
    get, path = "/v1/orders/{id}/documents", operation_id = "listOrderDocuments", tag = "orders",
    params(("id" = OrderId, Path, description = "The order's id.")),
    responses((status = 200, description = "The documents.", body = DocumentList, example = json!(examples::document_list())), Refusals),
    security(("bearer" = ["orders:read"]))
)]
pub async fn documents(
    State(app): State<App>,
    caller: Caller<OrdersRead>,
    PathId(id): PathId<OrderId>,
    _: NoQuery,
) -> Result<Json<DocumentList>, Problem> {
    let found = app.engine().documents(&caller.reach(), id).await?.ok_or_else(|| Problem::not_found("order"))?;
    let unasked = found.unasked.into_iter().map(|(check_id, error)| Unasked {
        check_id,
        code: error.code().to_owned(),
        detail: match error {
            AskError::Store(_) => "The gateway's database failed; ask again.".to_owned(),
            error => format!("The vendor could not be asked: {error}."),
        },
    });
    Ok(Json(DocumentList { data: found.known.into_iter().map(DocumentView::of).collect(), unasked: unasked.collect() }))
}

refusals!(Refusals: ALWAYS; NotFound, Invalid);
