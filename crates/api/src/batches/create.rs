//! `POST /v1/batches`

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::CONTENT_LENGTH;
use http::{StatusCode, Uri};

use super::get::detail;
use super::intake::Intake;
use super::view::BatchDetail;
use crate::app::App;
use crate::caller::Caller;
use crate::idempotency::{Key, Opening, RequestHasher};
use crate::problem::Problem;
use crate::query::Query;
use crate::refusals::refusals;
use crate::scope::OrdersWrite;
use crate::upload::{self, BatchRequest, Deadline, Form, Given, Incoming, OnInvalid};
use crate::{body, examples};

/// Order checks about many subjects
///
/// All of it or nothing: a batch is one transaction, and durable when this answers. After a crash, or when the upload
/// breaks off, either the whole batch is there or nothing of it. The vendors are called after that.
///
/// A JSON body holds at most 1,000 orders and 16 MiB. Larger batches have a row for each order, at most 100,000, and are
/// taken in while they arrive: NDJSON and CSV of at most 256 MiB, workbooks (xlsx) of at most 32 MiB.
///
/// * **NDJSON**: an order per line. The first line may be `{"defaults": {…}, "external_id": …, "on_invalid": …}` instead.
/// * **CSV** (UTF-8; commas, semicolons or tabs) and **xlsx** (the sheet `Orders`, else the first): headings are dotted paths into an order,
///   such as `subject.first_name`, `checks.0.type` or `metadata.team`; an empty cell says nothing. `getBatchTemplate`
///   gives a file to begin with. `true`, `false`, `yes` and `no` are taken where a field is one of two; a cell with a
///   formula is a fault of its row.
///
/// An upload may take 30 minutes in all, and at least 64 KiB of it must arrive within each 30 seconds of waiting for it; else the
/// answer is 408. A tenant may have half of the uploads that are taken in at once; for more, the answer is 429.
///
/// Consent documents are given by `url` only. What the media type cannot say for all rows, the query does.
///
/// With `on_invalid` = `reject` nothing is accepted unless every row is valid: 422 tells each fault, the first 1,000 of
/// them, with its `row`, its `column` and a `pointer` into the row's order. With `skip` the batch lists the rows that were
/// left out; if none is valid, nothing is accepted.
///
/// An `external_id` is not a key: two orders, or two batches, may have the same, and both are kept. What keeps a batch from
/// being made twice is the Idempotency-Key, which large bodies are compared under as well.
#[utoipa::path(
    post, path = "/v1/batches", operation_id = "createBatch", tag = "batches",
    params(
        ("external_id" = Option<String>, Query, description = "The caller's own id for the batch, if the body does not say it.", min_length = 1, max_length = 200, example = "hires-2026-11"),
        ("on_invalid" = Option<OnInvalid>, Query, description = "What becomes of an upload with rows that are not valid, if the body does not say it. `reject` where omitted."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes repeating the request safe."),
    ),
    request_body(
        description = "The orders.",
        content(
            (BatchRequest = "application/json", examples(("batch" = (summary = "Orders with defaults", value = json!(examples::batch()))))),
            (String = "application/x-ndjson", examples(("batch" = (summary = "Defaults, and a line for each order", value = json!(examples::batch_ndjson()))))),
            (String = "text/csv", examples(("batch" = (summary = "Headings, and a row for each order", value = json!(examples::batch_csv()))))),
            (upload::Workbook = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", examples(("template" = (summary = "A workbook to fill in", external_value = "/v1/batch-templates/employment_verification?format=xlsx")))),
        ),
    ),
    responses(
        (status = 202, description = "Accepted.", body = BatchDetail,
         headers(("Location" = String, description = "The address of the batch.")),
         example = json!(examples::batch_detail())),
        Refusals,
    ),
    security(("bearer" = ["orders:write"]))
)]
pub async fn create(
    State(app): State<App>,
    caller: Caller<OrdersWrite>,
    key: Key,
    uri: Uri,
    request: Request,
) -> Result<Response, Problem> {
    let mut query = Query::of(&uri);
    let given = Given::of(&mut query);
    query.end()?;
    let media_type = body::media_type(request.headers(), Form::KNOWN)?;
    let form = Form::of(&media_type).ok_or_else(|| body::not_taken(Form::KNOWN))?;
    let _place = app.uploads().take(caller.tenant())?;
    let deadline = Deadline::new(app.clock());
    let hasher = key.hasher(&[&media_type, uri.query().unwrap_or_default()]);
    let mut incoming = incoming(request, form, hasher, deadline.clone())?;

    let pending = match key.look(&app, caller.tenant()).await? {
        Opening::Fresh(pending) => pending,
        Opening::Known(earlier) => {
            incoming.finish().await?;
            return earlier.answer(incoming.into_hasher().finish());
        }
    };
    let mut intake = Intake::new(&app, caller.tenant(), form, pending, deadline);
    let (messages, reading) = upload::start(incoming, form, given, app.now());
    if let Err(problem) = intake.take_all(messages).await {
        intake.give_up().await;
        return Err(problem);
    }
    let ended = reading.await.map_err(|_| Problem::internal(&"the reading of an upload panicked"))?;
    let (pending, batch) = intake.finish(&ended).await?;
    let location = format!("/v1/batches/{}", batch.id);
    let mut attempt = pending.of(ended.hasher.finish());
    let view = detail(&mut attempt.tx, batch).await?;
    let answer = attempt.finish(&app, StatusCode::ACCEPTED, Some(location), &view).await?;
    app.engine().wake();
    Ok(answer)
}

refusals!(Refusals: ALWAYS | BODY; UnreadableFile, Conflict);

fn incoming(
    request: Request<Body>,
    form: Form,
    hasher: RequestHasher,
    deadline: Deadline,
) -> Result<Incoming, Problem> {
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > form.most()) {
        return Err(upload::too_large(form.most()));
    }
    Ok(Incoming::new(request.into_body(), form.most(), hasher, deadline))
}
