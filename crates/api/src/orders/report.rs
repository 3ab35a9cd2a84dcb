//! `GET /v1/orders/{id}/report`

mod contents;
mod costs;
mod format;
mod ground;
mod html;
mod paper;
mod pdf;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
mod words;

use axum::Json;
use axum::extract::State;
use axum::response::{Html, IntoResponse as _, Response};
use domain::{CheckId, Finding, FindingVariables, OrderId, Sensitive, Timestamp};
use engine::{AskError, CheckFindings, FindingsPart, ReadError};
use http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, Uri};
use serde::Serialize;
use serde_json::json;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use self::costs::CostsView;
use self::format::Format;
use self::ground::{AskedView, GroundView};
use super::documents::DocumentView;
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

/// Reports that are set for people at once; others wait their turn.
static SETTING: Semaphore = Semaphore::const_new(4);

/// Everything about an order, for the file.
#[derive(Serialize, ToSchema)]
pub struct Report {
    generated_at: Timestamp,
    order: OrderView,
    /// Why the subject may be asked about.
    ground: GroundView,
    /// What each check asks.
    asked: Vec<AskedView>,
    /// What each attempt cost and how long it took.
    costs: CostsView,
    /// The documents that the gateway has seen. The list of documents asks the vendors for more.
    documents: Vec<DocumentView>,
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
/// Subject (masked), what was asked on what ground, checks, results, documents, cost and time of each attempt, and timeline.
/// `Accept` says in which form: `application/json`, which is given where nothing is said, `text/html` for a page to be read or
/// printed, or `application/pdf`. All three say the same, but for ids and fields that only programs need. `include` adds what
/// the vendors say beside the results, read while the caller waits; it is unmasked, so it takes the scope `pii:read` as well and
/// is audited. What of it cannot be had is told in each check's `failed`, and the report is given all the same.
#[utoipa::path(
    get, path = "/v1/orders/{id}/report", operation_id = "getOrderReport", tag = "orders",
    params(
        ("id" = OrderId, Path, description = "The order's id."),
        ("include" = Option<String>, Query, description = "Any of `details`, `summary` and `variables`, with commas between.", example = "details,summary"),
        ("lang" = Option<String>, Query, description = "The language to ask for, where the vendor can choose: ISO 639-1.", example = "en"),
    ),
    responses(
        (status = 200, description = "The report.",
         headers(("Content-Disposition" = String, description = "A name for the file, where it is a PDF.")),
         content((Report = "application/json", examples(
                     ("plain" = (value = json!(examples::report()))),
                     ("with findings" = (value = json!(examples::report_with_findings()))),
                 )),
                 (String = "text/html", examples(("page" = (summary = "A page", value = json!("<!doctype html> …"))))),
                 (PdfBytes = "application/pdf", examples(("pdf" = (summary = "A PDF", value = json!("%PDF-1.7 …"))))),
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
) -> Result<Response, Problem> {
    let Some(format) = Format::wished(&headers) else {
        let detail = "Reports are given as application/json, text/html or application/pdf.";
        return Err(Problem::new(Kind::NotAcceptable, detail));
    };
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
    let documents = tx.documents().list(&reach, id).await?;
    tx.save().await?;
    let shown = OrderView::masked(&order).sharing(&sharers);
    let report = Report {
        generated_at: app.now(),
        ground: GroundView::of(order.input.expose()),
        asked: order.checks.iter().map(AskedView::of).collect(),
        costs: CostsView::of(&shown),
        documents: documents.into_iter().map(DocumentView::of).collect(),
        timeline: events.into_iter().map(EventView::of).collect(),
        findings: findings.map(|all| all.into_iter().map(FindingsView::of).collect()),
        order: shown,
    };
    let mut response = report.given_as(format).await?;
    response.headers_mut().insert(VARY, HeaderValue::from(ACCEPT));
    Ok(response)
}

impl Report {
    /// Setting a long report takes as long as many requests do: it is done beside those, for a few at once.
    async fn given_as(self, format: Format) -> Result<Response, Problem> {
        let set = move || match format {
            Format::Json => Ok(Json(self).into_response()),
            Format::Html => {
                let page = html::render(&self.paper()).map_err(|error| Problem::internal(&error))?;
                Ok(([(CONTENT_SECURITY_POLICY, page.policy)], Html(page.html)).into_response())
            }
            Format::Pdf => {
                let bytes = pdf::render(&self.paper()).map_err(|error| Problem::internal(&error))?;
                let name = format!("attachment; filename=\"{}.pdf\"", self.order.id);
                let name = HeaderValue::try_from(name).map_err(|error| Problem::internal(&error))?;
                let kind = HeaderValue::from_static("application/pdf");
                Ok(([(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, name)], bytes).into_response())
            }
        };
        match format {
            Format::Json => set(),
            Format::Html | Format::Pdf => {
                let _place = SETTING.acquire().await.map_err(|error| Problem::internal(&error))?;
                let span = tracing::Span::current();
                let set = tokio::task::spawn_blocking(move || span.in_scope(set));
                set.await.map_err(|error| Problem::internal(&error))?
            }
        }
    }
}

/// For the document of the API only: bytes.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary, as = ReportPdf)]
#[expect(dead_code, reason = "read by the documentation only")]
struct PdfBytes(Vec<u8>);

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
