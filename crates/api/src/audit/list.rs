//! `GET /v1/audit`

use axum::Json;
use axum::extract::State;
use domain::{AuditId, Timestamp};
use http::Uri;
use serde::Serialize;
use serde_json::Value;
use store::StoredAuditEntry;
use utoipa::ToSchema;

use crate::app::App;
use crate::caller::Caller;
use crate::examples;
use crate::page::{List, Page, PageParams};
use crate::problem::Problem;
use crate::query::Query;
use crate::refusals::refusals;
use crate::scope::AuditRead;

/// Something that someone did.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub struct AuditView {
    id: AuditId,
    at: Timestamp,
    /// Whose data it is about; `null`: the gateway's own.
    #[schema(required)]
    tenant: Option<String>,
    /// The `sub` of the token, or `gateway`.
    actor: String,
    #[schema(examples("order.revealed"))]
    action: String,
    /// The id of what it was done to.
    target: String,
    #[schema(value_type = Object)]
    data: Value,
    /// Its place in the chain; `null` until it has one, and so for `hash`.
    #[schema(required)]
    position: Option<i64>,
    /// SHA-256 over the entry before and this one, in hexadecimal.
    #[schema(required)]
    hash: Option<String>,
}

impl AuditView {
    fn of(stored: StoredAuditEntry) -> Self {
        let entry = stored.entry;
        Self {
            id: stored.id,
            at: entry.at,
            tenant: entry.tenant.map(|tenant| tenant.to_string()),
            actor: entry.actor,
            action: entry.action,
            target: entry.target,
            data: entry.data,
            position: stored.position,
            hash: stored.hash.map(hex::encode),
        }
    }
}

/// List the audit log
///
/// Who read unmasked data, decided, paused, resumed or set something up at a vendor. Newest first.
#[utoipa::path(
    get, path = "/v1/audit", operation_id = "listAuditEntries", tag = "audit",
    params(PageParams),
    responses((status = 200, description = "A page of entries.", body = List<AuditView>, example = json!(examples::audit_list())), Refusals),
    security(("bearer" = ["audit:read"]))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller<AuditRead>,
    uri: Uri,
) -> Result<Json<List<AuditView>>, Problem> {
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query, AuditId::PREFIX);
    query.end()?;
    let before = page.after.map(AuditId::from_uuid);
    let entries = app.store().begin().await?.audit().list(&caller.reach(), page.fetch(), before).await?;
    Ok(Json(page.list(entries, AuditId::PREFIX, |entry| entry.id.uuid(), AuditView::of)))
}

refusals!(Refusals: ALWAYS; Invalid);
