//! `GET /v1/orders/{id}/documents/{document_id}`

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use domain::{DocumentId, OrderId};
use futures::StreamExt as _;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderValue, Method, Uri};
use http_body_util::channel::{Channel, Sender};
use provider::{ByteStream, DocumentRef};
use serde_json::json;
use tracing::Instrument as _;

use crate::app::App;
use crate::caller::Caller;
use crate::path::PathTexts;
use crate::problem::{Kind, Problem};
use crate::query::Query;
use crate::refusals::refusals;
use crate::scope::PiiRead;
use crate::vendor_calls::{language, problem_of};

/// How many pieces wait at most to be sent.
const AHEAD: usize = 2;

/// How long a caller may take to receive a piece.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a caller should wait for others' documents.
const REST: Duration = Duration::from_secs(5);

/// The longest name of a file.
const LONGEST_NAME: usize = 150;

/// What a document is called by, if the vendor says that it is one of these; all else is mere bytes. Nothing that a browser
/// would run is among them.
const MEDIA_TYPES: &[&str] = &[
    "application/pdf",
    "application/json",
    "application/zip",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/tiff",
    "image/webp",
    "text/csv",
    "text/plain",
];

/// Get a document
///
/// Its bytes, streamed from the vendor and kept nowhere. Unmasked, so it takes the scope `pii:read`, and is audited before
/// the first byte is sent. At most 64 MB; a document that breaks off at the vendor breaks off here too, and is not whole.
#[utoipa::path(
    get, path = "/v1/orders/{id}/documents/{document_id}", operation_id = "getOrderDocument", tag = "orders",
    params(
        ("id" = OrderId, Path, description = "The order's id."),
        ("document_id" = DocumentId, Path, description = "The document's id."),
        ("lang" = Option<String>, Query, description = "The language of a report, where the vendor can choose: ISO 639-1.", example = "en"),
    ),
    responses(
        (status = 200, description = "The document.",
         headers(("Content-Disposition" = String, description = "A name for the file.")),
         content((Bytes_ = "application/pdf", examples(("report" = (summary = "A report", value = json!("%PDF-1.7 …"))))),
                 (Bytes_ = "application/octet-stream", examples(("attachment" = (summary = "Anything else", value = json!("…")))))),
        ),
        Refusals,
    ),
    security(("bearer" = ["pii:read"]))
)]
pub async fn document(
    State(app): State<App>,
    caller: Caller<PiiRead>,
    PathTexts(path): PathTexts,
    method: Method,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut query = Query::of(&uri);
    let language = language(&mut query);
    query.end()?;
    let not_found = || Problem::not_found("document of this order");
    let [order, id] = path.as_slice() else { return Err(not_found()) };
    let order: OrderId = order.parse().map_err(|_| not_found())?;
    let id: DocumentId = id.parse().map_err(|_| not_found())?;
    let known = app.engine().known_document(&caller.reach(), order, id).await?.ok_or_else(not_found)?;
    if method == Method::HEAD {
        // Nobody would read it, so the vendor is not asked; and it is not on record, so it says no name.
        let unnamed = DocumentRef { filename: id.to_string(), ..known.document };
        return Ok(answer(&unnamed, id, Body::empty()));
    }
    let Ok(place) = app.documents_in_flight().try_acquire_owned() else {
        let detail = "As many documents as can be are on their way.";
        return Err(Problem::new(Kind::Unavailable, detail).retry_after(REST));
    };
    let opened = app.engine().open_document(&known, language).await;
    let stream = opened.map_err(|error| problem_of(&app, "the document", error))?;

    let mut tx = app.store().begin().await?;
    let tenant = tx.orders().get(&caller.reach(), order).await?.ok_or_else(not_found)?.tenant;
    let data = json!({ "order_id": order, "check_id": known.check_id, "kind": known.document.kind });
    app.audit(&mut tx, &caller, "document.read", &tenant, id.to_string(), data).await?;
    tx.save().await?;

    let (sender, body) = Channel::new(AHEAD);
    let pumping = async move {
        let _place = place;
        pump(stream, sender, id).await;
    };
    tokio::spawn(pumping.in_current_span());
    Ok(answer(&known.document, id, Body::new(body)))
}

refusals!(Refusals: ALWAYS; NotFound, Invalid, Conflict, VendorFault, VendorUnavailable);

/// For the document of the API only: bytes.
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, format = Binary, as = DocumentBytes)]
#[expect(dead_code, reason = "read by the documentation only")]
struct Bytes_(Vec<u8>);

/// The document ends before its end, and the connection with it, so that nobody takes it for whole.
#[derive(Debug, thiserror::Error)]
#[error("the document broke off")]
struct Broken;

/// Hands the pieces on at the caller's pace, within bounds: a caller that stops receiving holds no vendor's connection.
async fn pump(mut stream: ByteStream, mut sender: Sender<Bytes, Broken>, id: DocumentId) {
    while let Some(piece) = stream.next().await {
        let piece = match piece {
            Ok(piece) => piece,
            Err(error) => {
                tracing::warn!(document = %id, %error, "a document broke off at the vendor");
                return sender.abort(Broken);
            }
        };
        if !matches!(tokio::time::timeout(PATIENCE, sender.send_data(piece)).await, Ok(Ok(()))) {
            tracing::info!(document = %id, "a caller stopped receiving a document");
            return sender.abort(Broken);
        }
    }
}

/// As a file to be saved, never to be shown in the gateway's name.
fn answer(document: &DocumentRef, id: DocumentId, body: Body) -> Response {
    let media_type = MEDIA_TYPES.iter().find(|known| **known == document.media_type);
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type.unwrap_or(&"application/octet-stream")));
    if let Ok(disposition) = HeaderValue::try_from(disposition(&document.filename, id)) {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The vendor's name for the file, without what could mean something to a file system (RFC 6266, RFC 8187). For old clients
/// there is the document's id.
fn disposition(name: &str, id: DocumentId) -> String {
    use std::fmt::Write as _;
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_safe = |letter: &char| letter.is_alphanumeric() || " -_.()".contains(*letter);
    let name: String = name.chars().filter(is_safe).take(LONGEST_NAME).collect();
    let name = name.trim_matches([' ', '.']);
    let mut disposition = format!("attachment; filename=\"{id}\"");
    if !name.is_empty() {
        disposition += "; filename*=UTF-8''";
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
                disposition.push(char::from(byte));
            } else {
                let _ = write!(disposition, "%{byte:02X}");
            }
        }
    }
    disposition
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_name_and_nothing_else() {
        let id = DocumentId::from_uuid(uuid::Uuid::nil());
        let of = |name: &str| {
            disposition(name, id).strip_prefix(&format!("attachment; filename=\"{id}\"")).map(str::to_owned)
        };
        for (name, said) in [
            ("report.pdf", "; filename*=UTF-8''report.pdf"),
            ("certificado Lucía.pdf", "; filename*=UTF-8''certificado%20Luc%C3%ADa.pdf"),
            ("../../etc/passwd", "; filename*=UTF-8''passwd"),
            ("C:\\x\\a.pdf", "; filename*=UTF-8''a.pdf"),
            ("a\"; filename=\"b.exe\r\nX: y", "; filename*=UTF-8''a%20filenameb.exeX%20y"),
            ("..", ""),
            ("", ""),
            ("\u{202e}fdp.exe", "; filename*=UTF-8''fdp.exe"),
        ] {
            assert_eq!(of(name).as_deref(), Some(said), "{name:?}");
        }
        assert!(of(&"ü".repeat(1_000)).is_some_and(|said| said.len() < 1_000));
    }
}
