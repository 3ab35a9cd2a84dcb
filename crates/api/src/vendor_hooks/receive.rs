//! `POST /vendor-hooks/{provider}` and `POST /vendor-hooks/{provider}/{account}`

use axum::extract::{Request, State};
use domain::{AccountKey, ProviderId};
use engine::HookError;
use http::StatusCode;
use provider::{HookRefused, HookRequest};

use crate::app::App;
use crate::body;
use crate::path::PathTexts;
use crate::problem::{Kind, Problem};
use crate::refusals::refusals;

/// Take a vendor's hook
///
/// Verified as each vendor signs it, stored before it is answered, and processed once, however often it is delivered.
#[utoipa::path(
    post, path = "/vendor-hooks/{provider}", operation_id = "receiveVendorHook", tag = "vendor hooks",
    params(("provider" = String, Path, description = "The vendor.", example = "theary")),
    request_body(content = Object, description = "The vendor's own form, at most 2 MB.", example = json!({"event": "order.updated"})),
    responses((status = 200, description = "Stored."), Refusals),
    security(())
)]
pub async fn receive(
    State(app): State<App>,
    PathTexts(path): PathTexts,
    request: Request,
) -> Result<StatusCode, Problem> {
    take(&app, path, request).await
}

/// Take a vendor's hook for one of several accounts
///
/// As without an account, which stands for the account `default`.
#[utoipa::path(
    post, path = "/vendor-hooks/{provider}/{account}", operation_id = "receiveVendorHookForAccount", tag = "vendor hooks",
    params(
        ("provider" = String, Path, description = "The vendor.", example = "theary"),
        ("account" = String, Path, description = "The account's id in the settings.", example = "default"),
    ),
    request_body(content = Object, description = "The vendor's own form, at most 2 MB.", example = json!({"event": "order.updated"})),
    responses((status = 200, description = "Stored."), Refusals),
    security(())
)]
pub async fn receive_for_account(
    State(app): State<App>,
    PathTexts(path): PathTexts,
    request: Request,
) -> Result<StatusCode, Problem> {
    take(&app, path, request).await
}

refusals!(Refusals: ; Malformed, Unauthenticated, NotFound, TooSlow, TooLarge, Internal, Unavailable);

async fn take(app: &App, path: Vec<String>, request: Request) -> Result<StatusCode, Problem> {
    let mut path = path.into_iter();
    let provider = ProviderId::new(path.next().unwrap_or_default());
    let account = AccountKey::new(provider, path.next().unwrap_or_else(|| AccountKey::DEFAULT.to_owned()));
    // Before the body is read: strangers are not worth the memory.
    if app.engine().providers().account(&account).is_none() {
        return Err(HookError::NoSuchAccount.into());
    }
    let headers = request.headers().clone();
    let body = body::read::<{ body::HOOK }>(request, body::HOOK_PATIENCE).await?;
    let hook = HookRequest { headers, body, received_at: app.now() };
    app.engine().receive_hook(&account, hook).await?;
    Ok(StatusCode::OK)
}

impl From<HookError> for Problem {
    fn from(error: HookError) -> Self {
        match error {
            HookError::NoSuchAccount => Self::not_found("vendor account"),
            HookError::Refused(HookRefused::Unreadable) => {
                Self::new(Kind::Malformed, "The hook's body cannot be read.")
            }
            // Which part of a secret was wrong, or that none is set, is nobody's business out there.
            HookError::Refused(_) => Self::new(Kind::Unauthenticated, "The hook is not authentic."),
            HookError::Store(error) => error.into(),
        }
    }
}
