//! Every route of the gateway.

use axum::Router;
use axum::middleware::from_fn_with_state;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::problem::{Kind, Problem};
use crate::{
    audit, batches, caller, checks, docs, edge, health, monitors, openapi, orders, providers, reconciliation, refusals,
    vendor_hooks,
};

/// The API and its documentation, ready to be served.
pub fn router(app: App) -> Router {
    let (open, closed, _) = parts();
    let closed = closed.route_layer(from_fn_with_state(app.clone(), caller::authenticate));
    open.merge(closed)
        .merge(docs::routes())
        .method_not_allowed_fallback(|| async {
            Problem::new(Kind::MethodNotAllowed, "This address does not take that method; see the Allow header.")
        })
        .fallback(|| async { Problem::not_found("address") })
        .layer(CatchPanicLayer::custom(edge::of_panic))
        .layer(from_fn_with_state(app.clone(), edge::surround))
        .with_state(app)
}

/// The documented routes and the document that was made of them.
pub fn documented() -> (Router<App>, OpenApi) {
    let (open, closed, document) = parts();
    (open.merge(closed), document)
}

/// The routes for everybody, the routes for callers with a token, and the document of both.
fn parts() -> (Router<App>, Router<App>, OpenApi) {
    let (closed, document) = closed().split_for_parts();
    let (open, mut document) = OpenApiRouter::with_openapi(document).merge(open()).split_for_parts();
    refusals::register(&mut document);
    (open, closed, document)
}

fn open() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(docs::problem_kind))
        .routes(routes!(vendor_hooks::receive::receive))
        .routes(routes!(vendor_hooks::receive::receive_for_account))
}

/// Everything under `/v1`.
fn closed() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::frame())
        .routes(routes!(orders::create::create, orders::list::list))
        .routes(routes!(orders::search::search))
        .routes(routes!(orders::get::get))
        .routes(routes!(orders::report::report))
        .routes(routes!(orders::documents::documents))
        .routes(routes!(orders::document::document))
        .routes(routes!(orders::events::events))
        .routes(routes!(orders::cancel::cancel))
        .routes(routes!(orders::refresh::refresh))
        .routes(routes!(orders::reverify::reverify))
        .routes(routes!(batches::create::create, batches::list::list))
        .routes(routes!(batches::get::get))
        .routes(routes!(batches::orders::orders))
        .routes(routes!(batches::cancel::cancel))
        .routes(routes!(batches::report::report))
        .routes(routes!(batches::template::template))
        .routes(routes!(monitors::create::create, monitors::list::list))
        .routes(routes!(monitors::get::get, monitors::patch::patch, monitors::delete::delete))
        .routes(routes!(monitors::runs::runs))
        .routes(routes!(checks::get::get))
        .routes(routes!(checks::act::act))
        .routes(routes!(checks::vendor_payload::vendor_payload))
        .routes(routes!(checks::details::details))
        .routes(routes!(checks::summary::summary))
        .routes(routes!(checks::variables::variables))
        .routes(routes!(reconciliation::cases::list::list))
        .routes(routes!(reconciliation::cases::get::get))
        .routes(routes!(reconciliation::cases::scan::scan))
        .routes(routes!(reconciliation::cases::resolve::resolve))
        .routes(routes!(reconciliation::orphans::list))
        .routes(routes!(providers::list::list))
        .routes(routes!(providers::get::get))
        .routes(routes!(providers::pause::pause))
        .routes(routes!(providers::resume::resume))
        .routes(routes!(providers::passthrough::passthrough))
        .routes(routes!(providers::sources::list))
        .routes(routes!(providers::custom_types::list::list, providers::custom_types::create::create))
        .routes(routes!(providers::custom_types::replace::replace, providers::custom_types::delete::delete))
        .routes(routes!(providers::settings::get::get, providers::settings::change::change))
        .routes(routes!(providers::credentials::list::list))
        .routes(routes!(providers::credentials::put::put, providers::credentials::delete::delete))
        .routes(routes!(audit::list::list))
}
