//! `GET /v1/orders/{id}/report`

use axum::Json;
use axum::extract::State;
use domain::{CheckId, Finding, FindingVariables, OrderId, Sensitive, Timestamp};
use engine::{AskError, CheckFindings, FindingsPart, ReadError};
use http::header::ACCEPT;
use http::{HeaderMap, Uri};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::events::EventView;
use crate::app::App;
use crate::caller::Caller;
use crate::examples;
use crate::path::PathId;
use crate::problem::{Kind, Problem};
use crate::query::Query;
use crate::refusals::refusals;
use crate::scope::{OrdersRead, Scope};
use crate::vendor_calls::language;
use crate::views::OrderView;

/// The most events of a report; a longer timeline is read page by page.
const MOST_EVENTS: u32 = 1_000;

/// Everything about an order, for the file.
#[derive(Serialize, ToSchema)]
pub struct Report {
    generated_at: Timestamp,
    order: OrderView,
    /// The first 1,000 events, oldest first.
    timeline: Vec<EventView>,
    /// What `include` asked for, one entry for each check.
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<Vec<FindingsView>>,
}

/// What a vendor says of a check beside its result, as far as it could be had.
#[derive(Serialize, ToSchema)]
#[schema(as = CheckFindings)]
struct FindingsView {
    check_id: CheckId,
    #[schema(required)]
    details: Option<Vec<Finding>>,
    /// There are more than these 500.
    details_truncated: bool,
    #[schema(required)]
    summary: Option<String>,
    #[schema(required)]
    variables: Option<FindingVariables>,
    /// What could not be had.
    failed: Vec<FailedPart>,
}

#[derive(Serialize, ToSchema)]
struct FailedPart {
    /// `details`, `summary` or `variables`.
    part: &'static str,
    /// A stable word.
    code: &'static str,
    detail: String,
}

impl FindingsView {
    fn of(found: CheckFindings) -> Self {
        let failed = found.failed.into_iter().map(|(part, error)| FailedPart {
            part: part.as_str(),
            code: error.code(),
            detail: match &error {
                ReadError::Ask(AskError::Store(_)) => "The gateway's database failed; ask again.".to_owned(),
                ReadError::NotReady { .. } => "The vendor is still working on it; ask again soon.".to_owned(),
                other => sentence(&other.to_string()),
            },
        });
        Self {
            check_id: found.check_id,
            details: found.details.map(Sensitive::into_exposed),
            details_truncated: found.truncated,
            summary: found.summary.map(Sensitive::into_exposed),
            variables: found.variables.map(Sensitive::into_exposed),
            failed: failed.collect(),
        }
    }
}

/// Get an order's report
///
/// Subject (masked), checks, results and timeline, as JSON. `include` adds what the vendors say beside the results, read while
/// the caller waits; it is unmasked, so it takes the scope `pii:read` as well and is audited. What of it cannot be had is told
/// in each check's `failed`, and the report is given all the same.
#[utoipa::path(
    get, path = "/v1/orders/{id}/report", operation_id = "getOrderReport", tag = "orders",
    params(
        ("id" = OrderId, Path, description = "The order's id."),
        ("include" = Option<String>, Query, description = "Any of `details`, `summary` and `variables`, with commas between.", example = "details,summary"),
        ("lang" = Option<String>, Query, description = "The language to ask for, where the vendor can choose: ISO 639-1.", example = "en"),
    ),
    responses(
        (status = 200, description = "The report.", body = Report, examples(
            ("plain" = (value = json!(examples::report()))),
            ("with findings" = (value = json!(examples::report_with_findings()))),
        )),
        Refusals,
    ),
    security(("bearer" = ["orders:read"]))
)]
pub async fn report(
    State(app): State<App>,
    caller: Caller<OrdersRead>,
    PathId(id): PathId<OrderId>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Json<Report>, Problem> {
    if !takes_json(&headers) {
        return Err(Problem::new(Kind::NotAcceptable, "Reports are given as application/json."));
    }
    let mut query = Query::of(&uri);
    let expected = "any of details, summary and variables, each once, with commas between";
    let parts = query.parsed("include", expected, parts_of);
    let language = language(&mut query);
    query.end()?;
    let reach = caller.reach();
    let mut findings = None;
    if let Some(parts) = &parts {
        caller.must(Scope::PiiRead)?;
        let order = app.store().begin().await?.orders().get(&reach, id).await?;
        let order = order.ok_or_else(|| Problem::not_found("order"))?;
        findings = Some(app.engine().findings(&order, parts, language).await);
    }
    let mut tx = app.store().begin().await?;
    let order = tx.orders().get(&reach, id).await?.ok_or_else(|| Problem::not_found("order"))?;
    if let Some(parts) = &parts {
        // Nothing is shown that is not on record.
        let data = json!({"include": parts.iter().map(|part| part.as_str()).collect::<Vec<_>>()});
        app.audit(&mut tx, &caller, "order_report.read", &order.tenant, id.to_string(), data).await?;
    }
    let events = tx.orders().events(&reach, id, MOST_EVENTS, None).await?;
    let checks: Vec<_> = order.checks.iter().map(|check| check.id).collect();
    let sharers = tx.vendor_objects().sharers(&checks).await?;
    tx.save().await?;
    Ok(Json(Report {
        generated_at: app.now(),
        order: OrderView::masked(&order).sharing(&sharers),
        timeline: events.into_iter().map(EventView::of).collect(),
        findings: findings.map(|all| all.into_iter().map(FindingsView::of).collect()),
    }))
}

refusals!(Refusals: ALWAYS; NotFound, NotAcceptable, Invalid);

fn parts_of(text: &str) -> Option<Vec<FindingsPart>> {
    let parts: Vec<_> = text.split(',').map(FindingsPart::parse).collect::<Option<_>>()?;
    let is_repeated = parts.iter().enumerate().any(|(at, part)| parts[..at].contains(part));
    (!is_repeated).then_some(parts)
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| format!("{}{}.", first.to_uppercase(), letters.as_str())).unwrap_or_default()
}

/// Whether the caller takes JSON (RFC 9110, section 12.5.1); whoever does not say takes anything.
fn takes_json(headers: &HeaderMap) -> bool {
    let mut wishes = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|accept| accept.to_str().ok())
        .flat_map(|all| all.split(','))
        .peekable();
    if wishes.peek().is_none() {
        return true;
    }
    wishes.any(|wish| {
        let mut parts = wish.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let is_refused = parts.any(|part| {
            part.strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok()).is_some_and(|weight| weight <= 0.0)
        });
        matches!(kind.as_str(), "application/json" | "application/*" | "*/*") && !is_refused
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn json_is_given_to_those_who_take_it() {
        let takes =
            |accept: &'static str| takes_json(&HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]));
        assert!(takes_json(&HeaderMap::new()));
        assert!(takes("application/json") && takes("text/html, */*;q=0.1") && takes("Application/JSON; q=0.5"));
        assert!(!takes("text/html") && !takes("application/pdf") && !takes("application/json;q=0"));
    }
}
