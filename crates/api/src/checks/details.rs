//! `GET /v1/checks/{id}/details`

use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::{CheckId, Finding};
use http::Uri;
use serde_json::json;

use super::known;
use crate::app::App;
use crate::caller::Caller;
use crate::examples;
use crate::page::List;
use crate::path::PathId;
use crate::problem::Problem;
use crate::query::Query;
use crate::refusals::refusals;
use crate::scope::PiiRead;
use crate::vendor_calls::{bad_cursor, language, problem_of_reading};

/// Read what the sources say of a check
///
/// One page of the vendor's, in our words, read from the vendor while the caller waits. Unmasked, so it is audited. A check
/// that is not completed is 409, a vendor without such details 422.
#[utoipa::path(
    get, path = "/v1/checks/{id}/details", operation_id = "listCheckDetails", tag = "checks",
    params(
        ("id" = CheckId, Path, description = "The check's id."),
        ("lang" = Option<String>, Query, description = "The language to ask for, where the vendor can choose: ISO 639-1.", example = "en"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before. Opaque."),
    ),
    responses((status = 200, description = "A page of findings.", body = List<Finding>, example = json!(examples::finding_list())), Refusals),
    security(("bearer" = ["pii:read"]))
)]
pub async fn details(
    State(app): State<App>,
    caller: Caller<PiiRead>,
    PathId(id): PathId<CheckId>,
    uri: Uri,
) -> Result<Json<List<Finding>>, Problem> {
    let mut query = Query::of(&uri);
    let language = language(&mut query);
    let cursor = query.text("cursor");
    query.end()?;
    let cursor = cursor.map(|text| decode(id, &text).ok_or_else(bad_cursor)).transpose()?;
    let (tenant, check) = known(&app, &caller, id).await?;
    let page = app.engine().details(&check, language, cursor.as_deref()).await;
    let page = page.map_err(|error| problem_of_reading(&app, "details", &check, error))?;
    let mut tx = app.store().begin().await?;
    app.audit(&mut tx, &caller, "check_details.read", &tenant, id.to_string(), json!({})).await?;
    tx.save().await?;
    Ok(Json(List { data: page.details.into_exposed(), next_cursor: page.next.map(|next| encode(id, &next)) }))
}

refusals!(Refusals: ALWAYS; NotFound, Invalid, Conflict, VendorFault, VendorUnavailable);

/// The vendor's cursor with the check that it is of: that of another check is refused here already.
fn encode(check: CheckId, cursor: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode([check.uuid().as_bytes().as_slice(), cursor.as_bytes()].concat())
}

fn decode(check: CheckId, text: &str) -> Option<String> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    String::from_utf8(bytes.strip_prefix(check.uuid().as_bytes().as_slice())?.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_of_one_check() {
        let check = |number| CheckId::from_uuid(uuid::Uuid::from_u128(number));
        let cursor = encode(check(7), "ab/=");
        assert_eq!(decode(check(7), &cursor).as_deref(), Some("ab/="));
        assert_eq!(decode(check(8), &cursor), None);
        for bad in ["", "?", "YQ", "ab/="] {
            assert_eq!(decode(check(7), bad), None, "{bad}");
        }
    }
}
