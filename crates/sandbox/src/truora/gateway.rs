//! What stands in front of the service: routes, keys, and errors that say only `message`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use http::header::DATE;
use http::{HeaderValue, StatusCode, Uri};
use serde_json::{Value, json};
use time::macros::format_description;
use tower::ServiceExt as _;

use super::{KeyState, Simulator};

/// An error of the service itself. `code` is an integer, and 429 comes with the code of a 400.
pub fn error_body(status: StatusCode, message: &str) -> Value {
    let code = if status == StatusCode::TOO_MANY_REQUESTS { 10_400 } else { 10_000 + status.as_u16() };
    json!({ "code": code, "http_code": status.as_u16(), "message": message })
}

pub fn error(status: StatusCode, message: &str) -> Response {
    (status, Json(error_body(status, message))).into_response()
}

/// The service's routes behind their gateway; those of `open` take no key.
pub fn around(simulator: &Arc<Simulator>, routes: Router, open: Router) -> Router {
    let routes = routes
        .route_layer(middleware::from_fn_with_state(Arc::clone(simulator), check_key))
        .merge(open)
        .fallback(unknown_route)
        .method_not_allowed_fallback(unknown_route);
    let simulator = Arc::clone(simulator);
    // Around all routes rather than a layer, which would come after the route was chosen.
    Router::new().fallback(move |mut request: Request<Body>| async move {
        *request.uri_mut() = with_single_slashes(request.uri());
        let mut answer = routes.oneshot(request).await.unwrap_or_else(|never| match never {});
        if let Some(date) = http_date(&simulator) {
            answer.headers_mut().insert(DATE, date);
        }
        answer
    })
}

/// Unknown routes are 403, not 404, and worded as a matter of tokens.
pub async fn unknown_route() -> Response {
    (StatusCode::FORBIDDEN, Json(json!({ "message": "Missing Authentication Token" }))).into_response()
}

async fn check_key(State(simulator): State<Arc<Simulator>>, request: Request, next: Next) -> Response {
    let refuse = |status: StatusCode, body: Value| (status, Json(body)).into_response();
    if request.headers().get("truora-api-key").map(HeaderValue::as_bytes) != Some(simulator.config.api_key.as_bytes()) {
        return refuse(StatusCode::UNAUTHORIZED, json!({ "message": "Unauthorized" }));
    }
    let denied = "User is not authorized to access this resource with an explicit deny: the api key has expired";
    match simulator.habits.get().key_state {
        KeyState::Good => next.run(request).await,
        KeyState::Expired => refuse(StatusCode::FORBIDDEN, json!({ "message": denied })),
        KeyState::NoPermission => error(StatusCode::FORBIDDEN, "missing required permissions"),
    }
}

/// Clients join host, slash and a link that begins with one; the vendor bears it.
fn with_single_slashes(uri: &Uri) -> Uri {
    let path: Vec<_> = uri.path().split('/').filter(|segment| !segment.is_empty()).collect();
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("/{}{query}", path.join("/")).parse().unwrap_or_else(|_| uri.clone())
}

/// The simulator's own time, so that an answer's date fits the times in its body.
fn http_date(simulator: &Simulator) -> Option<HeaderValue> {
    let format =
        format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
    let now = simulator.tools.clock.now().to_offset(time::UtcOffset::UTC).format(format).ok()?;
    HeaderValue::from_str(&now).ok()
}
