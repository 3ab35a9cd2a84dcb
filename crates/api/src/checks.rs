//! `/v1/checks`

pub mod act;
pub mod details;
pub mod get;
pub mod summary;
pub mod variables;
pub mod vendor_payload;

use domain::{Check, CheckId, TenantId};

use crate::app::App;
use crate::caller::Caller;
use crate::problem::Problem;

/// A check that the caller may see, and whose it is.
async fn known<S>(app: &App, caller: &Caller<S>, id: CheckId) -> Result<(TenantId, Check), Problem> {
    let order = app.store().begin().await?.orders().of_check(&caller.reach(), id).await?;
    let check = order.and_then(|order| order.check(id).cloned().map(|check| (order.tenant, check)));
    check.ok_or_else(|| Problem::not_found("check"))
}
