//! Errors as RFC 9457 problem details. Every kind has a stable type URI, `/problems/<kind>`, that explains it.
//!
//! A handler returns a [`Problem`]; the [edge](crate::edge) renders it, since only the edge knows the request's id.
//! No text in a problem ever quotes a refused value or what went wrong inside.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use store::StoreError;
use utoipa::ToSchema;

/// The media type of problem details.
pub const MEDIA_TYPE: &str = "application/problem+json";

macro_rules! kinds {
    ($($(#[doc = $meaning:literal])+ $variant:ident = $status:literal $slug:literal $title:literal, $advice:literal;)+) => {
        /// The kinds of problems.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind { $($(#[doc = $meaning])+ $variant,)+ }

        impl Kind {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The last part of the type URI.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$variant => $slug),+ }
            }

            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }

            /// What it means.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($meaning),+)),+ }
            }

            /// What to do about it.
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice),+ }
            }

            const fn code(self) -> u16 {
                match self { $(Self::$variant => $status),+ }
            }
        }
    };
}

kinds! {
    /// The request cannot be read: its body is not JSON, is cut short, or nests too deeply.
    Malformed = 400 "malformed-request" "The request cannot be read",
        "Correct the request where `detail` says; sending it again unchanged cannot help.";
    /// The uploaded file cannot be read as what it says it is: it is empty, of another encoding or format, protected by a
    /// password, or its headings are not those of an order. Nothing of it was accepted.
    UnreadableFile = 400 "unreadable-file" "The file cannot be read",
        "Do what `detail` says and send the file again; `/v1/batch-templates` has files to start from.";
    /// The request carries no token, or one that is not valid here and now.
    Unauthenticated = 401 "unauthenticated" "A valid token is needed",
        "Send `Authorization: Bearer <JWT>` with a token that is signed, current, and meant for this gateway.";
    /// The token is valid and lacks the scope, or the tenants, that this operation needs.
    Forbidden = 403 "forbidden" "The token does not allow this",
        "Ask whoever issues your tokens for the scope that `detail` names.";
    /// There is nothing at this address for this caller. Another tenant's objects are not found either.
    NotFound = 404 "not-found" "Not found",
        "Check the id, and that the token is of the tenant that owns it.";
    /// The address exists and does not take this method.
    MethodNotAllowed = 405 "method-not-allowed" "This method is not allowed here",
        "The `Allow` header lists the methods that are.";
    /// None of the media types that the request accepts can be given.
    NotAcceptable = 406 "not-acceptable" "No acceptable form",
        "Ask for `application/json`.";
    /// The request's body did not arrive in time.
    TooSlow = 408 "request-too-slow" "The request took too long to arrive",
        "Send it again over a better connection.";
    /// The state of things does not allow this now.
    Conflict = 409 "conflict" "This cannot be done in the present state",
        "Read the object again and decide anew.";
    /// A request with the same Idempotency-Key is still being worked on.
    InProgress = 409 "request-in-progress" "The first request is still running",
        "Wait a moment and send the same request with the same key again.";
    /// The body is larger than this operation takes.
    TooLarge = 413 "payload-too-large" "The body is too large",
        "Make it smaller; `detail` names the limit.";
    /// The body is of a media type that this operation does not take.
    UnsupportedMediaType = 415 "unsupported-media-type" "The body's media type is not supported",
        "Send a media type that `detail` names, without a content encoding.";
    /// The request can be read, and asks for something that cannot be done. `errors` names every fault that was found.
    Invalid = 422 "invalid-request" "The request is not valid",
        "Correct each entry of `errors`; a `pointer` leads to the fault in the body.";
    /// The Idempotency-Key was used with another body before.
    KeyReused = 422 "idempotency-key-reused" "The Idempotency-Key belongs to another request",
        "Use a new key for each new request.";
    /// The tenant sent more requests than it may.
    RateLimited = 429 "rate-limited" "Too many requests",
        "Wait as long as `Retry-After` says.";
    /// Something went wrong inside. It was noted under the request's id.
    Internal = 500 "internal-error" "Something went wrong inside",
        "Report the `request_id`. With an Idempotency-Key it is safe to send the request again.";
    /// A vendor answered, and not with what was asked for: it refused, or what came is unreadable or too large.
    VendorFault = 502 "vendor-fault" "The vendor's answer is of no use",
        "Read `detail`. Asking again seldom helps; the vendor's support may.";
    /// The gateway cannot reach its database, is overloaded, or did not answer in time.
    Unavailable = 503 "unavailable" "Not available now",
        "Wait as long as `Retry-After` says and send the request again, with the same Idempotency-Key.";
    /// A vendor that is needed for this answer cannot be reached.
    VendorUnavailable = 503 "vendor-unavailable" "A vendor cannot be reached",
        "Try again later; `/v1/providers` shows how the vendor is doing.";
    /// The gateway is up and cannot serve yet.
    NotReady = 503 "not-ready" "Not ready",
        "Look at `detail`: the database or its migrations need attention.";
}

impl Kind {
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub fn type_uri(self) -> String {
        format!("/problems/{}", self.slug())
    }
}

/// Where in a request a fault is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A JSON Pointer (RFC 6901) into the body; empty: the body itself.
    Pointer(String),
    /// The name of a query or path parameter.
    Parameter(String),
    /// The name of a header.
    Header(String),
}

/// One fault of a request. Never holds the refused value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Fault {
    #[serde(flatten)]
    pub place: Place,
    /// A stable word: `required`, `invalid`, `too_long`, `unknown_field`, `not_supported`, …
    #[schema(examples("required"))]
    pub code: String,
    /// A sentence that says what to do.
    pub detail: String,
    /// In uploads of many orders: the row, from 1, as a person counts it in the file. A `pointer` beside it leads into that
    /// row's order, but for JSON bodies, where it leads into the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// The heading of the row's column, in formats that have columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

impl Fault {
    pub fn new(place: Place, code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { place, code: code.into(), detail: detail.into(), row: None, column: None }
    }
}

/// RFC 9457 problem details, as they are sent.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody<'a> {
    /// A stable URI per kind of problem, relative to the gateway, that explains it.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference", examples("/problems/not-found"))]
    kind: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    /// The path of the request.
    #[schema(format = "uri-reference")]
    instance: &'a str,
    /// The id under which this request is noted, also in the `X-Request-Id` header unless the caller sent its own id.
    request_id: &'a str,
    /// Every fault that was found.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [Fault],
}

/// What a handler answers with when it cannot do what was asked.
#[derive(Debug, Clone)]
pub struct Problem {
    kind: Kind,
    detail: String,
    faults: Vec<Fault>,
    retry_after: Option<Duration>,
}

impl Problem {
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), faults: Vec::new(), retry_after: None }
    }

    pub fn not_found(what: &str) -> Self {
        Self::new(Kind::NotFound, format!("There is no such {what}."))
    }

    /// Something that should not happen. `context` is logged and must hold no personal data; the caller learns nothing of it.
    pub fn internal(context: &dyn std::fmt::Display) -> Self {
        tracing::error!(%context, "a request failed inside");
        Self::new(Kind::Internal, "The request could not be carried out. Nothing of it was kept.")
    }

    pub fn invalid(faults: Vec<Fault>) -> Self {
        let detail = match faults.len() {
            1 => "One part of the request must be corrected.".to_owned(),
            count => format!("{count} parts of the request must be corrected."),
        };
        Self { faults, ..Self::new(Kind::Invalid, detail) }
    }

    /// One fault of a query or path parameter.
    pub fn parameter(name: &str, code: &str, detail: impl Into<String>) -> Self {
        Self::invalid(vec![Fault::new(Place::Parameter(name.to_owned()), code, detail)])
    }

    #[must_use]
    pub const fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The same with a text of its own.
    #[must_use]
    pub fn saying(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Whether parts of the request must be corrected.
    pub fn is_invalid(&self) -> bool {
        self.kind == Kind::Invalid
    }

    /// What was found at fault, if that is what it is about.
    pub fn into_faults(self) -> Vec<Fault> {
        self.faults
    }

    #[cfg(test)]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    #[cfg(test)]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// The answer itself.
    pub fn render(&self, instance: &str, request_id: &str) -> Response {
        let body = ProblemBody {
            kind: self.kind.type_uri(),
            title: self.kind.title(),
            status: self.kind.status().as_u16(),
            detail: &self.detail,
            instance,
            request_id,
            errors: &self.faults,
        };
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = (self.kind.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some(wait) = self.retry_after {
            // Rounded up: a caller that comes back a fraction too early is refused again.
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)));
        }
        if self.kind == Kind::Unauthenticated {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"vetgate\""));
        }
        response
    }
}

impl IntoResponse for Problem {
    /// Leaves the body to the edge.
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// How long a caller should wait for a database that is away.
const DATABASE_REST: Duration = Duration::from_secs(2);

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.is_transient() {
            tracing::warn!(%error, "the database could not serve a request");
            let detail = "The database cannot be reached right now. Nothing of the request was kept.";
            return Self::new(Kind::Unavailable, detail).retry_after(DATABASE_REST);
        }
        match error {
            StoreError::Conflict(_) => Self::new(Kind::Conflict, "Somebody else changed it at the same time."),
            other => Self::internal(&other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_uri_and_a_full_text() {
        let mut slugs: Vec<_> = Kind::ALL.iter().map(|kind| kind.slug()).collect();
        slugs.sort_unstable();
        slugs.dedup();
        assert_eq!(slugs.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            assert!(kind.status().is_client_error() || kind.status().is_server_error(), "{kind:?}");
            assert!(!kind.meaning().trim().is_empty() && !kind.advice().is_empty(), "{kind:?}");
        }
    }

    #[test]
    fn waits_are_rounded_up() {
        let problem = Problem::new(Kind::RateLimited, "Wait.").retry_after(Duration::from_millis(1_001));
        assert_eq!(problem.render("/", "id").headers()[RETRY_AFTER], "2");
    }
}
