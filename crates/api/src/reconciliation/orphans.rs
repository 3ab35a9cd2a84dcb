//! `GET /v1/reconciliation/orphans`

use axum::Json;
use axum::extract::State;
use domain::{AccountKey, CaseId, CheckId, ProviderId, Timestamp};
use http::Uri;
use serde::Serialize;
use store::{ObjectCancel, Orphan, OrphanFilter, OrphanKind, Tx};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::app::App;
use crate::caller::Caller;
use crate::examples;
use crate::page::{List, Page, PageParams};
use crate::problem::Problem;
use crate::query::Query;
use crate::refusals::refusals;
use crate::scope::{ReconciliationRead, Scope};

/// What cursors of this list begin with.
const LIST: &str = "orp";

/// Read by hand, so that all faults are told at once; this is how it is documented.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the fields are read by the documentation only")]
pub struct OrphanParams {
    #[param(example = "theary")]
    provider: Option<String>,
    /// `stranger` or `duplicate`.
    #[param(pattern = "^(stranger|duplicate)$")]
    kind: Option<String>,
}

/// An object of a vendor that belongs to no check here.
#[derive(Serialize, ToSchema)]
#[schema(as = Orphan)]
pub struct OrphanView {
    /// The vendor account, such as `theary/default`.
    account: String,
    provider: ProviderId,
    vendor_order_id: String,
    /// `stranger`: it carries no reference, or one that is of no check here. `duplicate`: it carries the reference of a
    /// check that another object fulfils.
    #[schema(pattern = "^(stranger|duplicate)$")]
    kind: &'static str,
    /// The check whose reference it carries.
    #[schema(required)]
    check_id: Option<CheckId>,
    /// The case that it was found in; `null`: by a sweep of the account.
    #[schema(required)]
    case_id: Option<CaseId>,
    /// When the vendor made it, where it says so.
    #[schema(required)]
    created_at: Option<Timestamp>,
    seen_at: Timestamp,
    /// Of duplicates: `wanted` while the vendor is being asked to cancel it, then `canceled` or `refused`.
    #[schema(required, pattern = "^(wanted|canceled|refused)$")]
    canceled: Option<&'static str>,
}

impl OrphanView {
    fn of(orphan: Orphan) -> Self {
        Self {
            provider: orphan.account.provider.clone(),
            account: orphan.account.to_string(),
            vendor_order_id: orphan.vendor_order_id,
            kind: orphan.kind.as_str(),
            check_id: orphan.check_id,
            case_id: orphan.case_id,
            created_at: orphan.created_at,
            seen_at: orphan.seen_at,
            canceled: orphan.cancel.map(ObjectCancel::as_str),
        }
    }
}

/// List orphans
///
/// Objects that a scan or a sweep saw at a vendor and that belong to no check here: one too many for a check, or a
/// stranger's. Newest first. An account that several tenants share is shown to callers with the scope `tenants:all` only;
/// others see the accounts that belong to their tenant alone, and an empty list where there are none.
#[utoipa::path(
    get, path = "/v1/reconciliation/orphans", operation_id = "listOrphans", tag = "reconciliation",
    params(OrphanParams, PageParams),
    responses((status = 200, description = "A page of orphans.", body = List<OrphanView>, example = json!(examples::orphan_list())), Refusals),
    security(("bearer" = ["reconciliation:read"]))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller<ReconciliationRead>,
    uri: Uri,
) -> Result<Json<List<OrphanView>>, Problem> {
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query, LIST);
    let filter = OrphanFilter {
        provider: query.text("provider").map(ProviderId::new),
        account: None,
        kind: query.parsed("kind", "stranger or duplicate", OrphanKind::parse),
    };
    query.end()?;
    let mut tx = app.store().begin().await?;
    let orphans = if caller.may(Scope::TenantsAll) {
        tx.vendor_objects().orphans(&filter, page.fetch(), page.after).await?
    } else {
        let own = app.engine().providers().accounts().filter(|account| caller.owns(account));
        of_accounts(&mut tx, &filter, own.map(|account| account.key.clone()), page.fetch(), page.after).await?
    };
    Ok(Json(page.list(orphans, LIST, |orphan| orphan.id, OrphanView::of)))
}

refusals!(Refusals: ALWAYS; Invalid);

/// The newest of all these accounts. A tenant has few of its own.
async fn of_accounts(
    tx: &mut Tx,
    filter: &OrphanFilter,
    accounts: impl Iterator<Item = AccountKey>,
    limit: u32,
    before: Option<Uuid>,
) -> Result<Vec<Orphan>, Problem> {
    let mut found = Vec::new();
    for account in accounts {
        let filter = OrphanFilter { account: Some(account), ..filter.clone() };
        found.extend(tx.vendor_objects().orphans(&filter, limit, before).await?);
    }
    found.sort_unstable_by_key(|orphan| std::cmp::Reverse(orphan.id));
    found.truncate(limit as usize);
    Ok(found)
}
