//! `GET /v1/batches/{id}/report`

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use domain::{BatchId, OrderId};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, Method, Uri};
use http_body_util::channel::{Channel, Sender};
use store::{OrderFilter, Scope, Store};
use tabular::{Format, Table, TableWriter};
use tokio::runtime::Handle;

use super::get::known;
use super::lines::{COLUMNS, Line};
use crate::app::App;
use crate::caller::Caller;
use crate::examples;
use crate::path::PathId;
use crate::problem::{Kind, Problem};
use crate::query::Query;
use crate::refusals::refusals;
use crate::scope::OrdersRead;

/// How many orders are in memory at once, decrypted.
const PAGE: u32 = 200;

/// How many pieces wait at most to be sent.
const AHEAD: usize = 2;

/// How long a caller may take to receive a piece.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long a caller should wait for others' reports.
const REST: Duration = Duration::from_secs(10);

/// Get a batch's report
///
/// A row for each check, as it stands now, the newest order first, masked like every answer. It is sent while it is put together; a
/// report that breaks off is not whole, and is to be asked for again. In CSV and xlsx no cell is ever a formula: a text that begins
/// like one, or does so behind a semicolon, has an apostrophe in front (CSV), or is marked as text (xlsx).
#[utoipa::path(
    get, path = "/v1/batches/{id}/report", operation_id = "getBatchReport", tag = "batches",
    params(
        ("id" = BatchId, Path, description = "The batch's id."),
        ("format" = Option<String>, Query, description = "`csv` (where omitted), `xlsx` or `ndjson`.", pattern = "^(csv|xlsx|ndjson)$"),
    ),
    responses(
        (status = 200, description = "The report.",
         headers(("Content-Disposition" = String, description = "A name for the file.")),
         content(
            (String = "text/csv", examples(("report" = (value = json!(examples::batch_report_csv()))))),
            (Line<'static> = "application/x-ndjson", examples(("report" = (summary = "One line of it", value = json!(examples::batch_report_line()))))),
            (crate::upload::Workbook = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", examples(("report" = (summary = "A workbook with one sheet", external_value = "/v1/batches/bat_01jd5z0x9gf0r8w1v4m2h7k3th/report?format=xlsx")))),
         )),
        Refusals,
    ),
    security(("bearer" = ["orders:read"]))
)]
pub async fn report(
    State(app): State<App>,
    caller: Caller<OrdersRead>,
    PathId(id): PathId<BatchId>,
    method: Method,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut query = Query::of(&uri);
    let format = query
        .parsed("format", "csv, xlsx or ndjson", |text| Format::ALL.into_iter().find(|format| format.as_str() == text));
    query.end()?;
    let format = format.unwrap_or(Format::Csv);
    known(&mut app.store().begin().await?, &caller, id).await?;
    let (sender, body) = Channel::new(AHEAD);
    let answer = attachment(&format!("{id}.{}", format.as_str()), format, Body::new(body));
    if method == Method::HEAD {
        // Nobody would read the report.
        return Ok(answer);
    }
    let Ok(place) = app.exports().try_acquire_owned() else {
        let detail = "As many reports as can be made at once are being made.";
        return Err(Problem::new(Kind::Unavailable, detail).retry_after(REST));
    };
    let pieces = Pieces(Some(sender));
    let export =
        Export { store: app.store().clone(), scope: caller.reach(), batch: id, format, runtime: Handle::current() };
    let span = tracing::Span::current();
    tokio::task::spawn_blocking(move || {
        let (_place, _entered) = (place, span.entered());
        export.run(pieces);
    });
    Ok(answer)
}

refusals!(Refusals: ALWAYS; NotFound, Invalid);

/// A file to be saved under this name.
pub fn attachment(name: &str, format: Format, body: Body) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static(match format {
            Format::Csv => "text/csv; charset=utf-8",
            other => other.media_type(),
        }),
    );
    if let Ok(disposition) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    response
}

/// A report that is being made, on a thread of its own: packing a workbook takes a while.
struct Export {
    store: Store,
    scope: Scope,
    batch: BatchId,
    format: Format,
    runtime: Handle,
}

/// The report ends before its end, and the connection with it, so that nobody takes it for whole.
#[derive(Debug, thiserror::Error)]
#[error("the report could not be made")]
struct Broken;

/// Where the pieces of a report go. Dropped before [`Pieces::end`], it breaks the report off.
struct Pieces(Option<Sender<Bytes, Broken>>);

type AnyError = Box<dyn std::error::Error + Send + Sync>;

impl Export {
    fn run(self, mut pieces: Pieces) {
        match self.write(&mut pieces) {
            Ok(()) => pieces.end(),
            Err(error) => tracing::warn!(batch = %self.batch, %error, "a report broke off"),
        }
    }

    fn write(&self, pieces: &mut Pieces) -> Result<(), AnyError> {
        let mut table = TableWriter::new(self.format, &Table { name: "Checks", columns: COLUMNS })?;
        let filter = OrderFilter { batch_id: Some(self.batch), ..OrderFilter::default() };
        let mut before: Option<OrderId> = None;
        loop {
            let page = self.runtime.block_on(async {
                // No connection is held while the caller receives.
                self.store.begin().await?.orders().list(&self.scope, &filter, PAGE, before).await
            })?;
            let Some(last) = page.last() else { break };
            before = Some(last.id);
            for line in page.iter().flat_map(Line::of_order) {
                table.row(&line.cells())?;
            }
            self.runtime.block_on(pieces.send(table.take()?))?;
        }
        let rest = table.finish()?;
        self.runtime.block_on(pieces.send(rest))
    }
}

impl Pieces {
    async fn send(&mut self, bytes: Vec<u8>) -> Result<(), AnyError> {
        match &mut self.0 {
            Some(sender) if !bytes.is_empty() => {
                Ok(tokio::time::timeout(PATIENCE, sender.send_data(bytes.into())).await??)
            }
            _ => Ok(()),
        }
    }

    fn end(mut self) {
        self.0 = None;
    }
}

impl Drop for Pieces {
    fn drop(&mut self) {
        if let Some(sender) = self.0.take() {
            sender.abort(Broken);
        }
    }
}
