//! The caller of an operation, with the scope that the operation asks for.
//!
//! Authentication is not left to the operations: everything under `/v1` goes through [`authenticate`], so that a route
//! without a [`Caller`] is still closed to strangers.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use domain::TenantId;
use http::header::AUTHORIZATION;
use http::request::Parts;

use crate::app::App;
use crate::auth::Identity;
use crate::problem::{Kind, Problem};
use crate::scope::{Required, Scope};

/// A verified caller whose token carries the scope `S`.
pub struct Caller<S> {
    identity: Arc<Identity>,
    scope: PhantomData<S>,
}

impl<S> Caller<S> {
    pub fn tenant(&self) -> &TenantId {
        &self.identity.tenant
    }

    /// Who it is, for the audit log.
    pub fn subject(&self) -> &str {
        &self.identity.subject
    }

    pub fn may(&self, scope: Scope) -> bool {
        self.identity.scopes.contains(scope)
    }

    /// Refuses a caller without this further scope.
    pub fn must(&self, scope: Scope) -> Result<(), Problem> {
        if self.may(scope) { Ok(()) } else { Err(lacks(scope)) }
    }

    /// Whether the vendor account is its tenant's alone.
    pub fn owns(&self, account: &engine::Account) -> bool {
        account.tenants.as_deref() == Some(std::slice::from_ref(&self.identity.tenant))
    }

    /// Whose objects it sees.
    pub fn reach(&self) -> store::Scope {
        if self.may(Scope::TenantsAll) { store::Scope::All } else { store::Scope::Tenant(self.identity.tenant.clone()) }
    }
}

impl<S: Required> FromRequestParts<App> for Caller<S> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let identity = parts.extensions.get::<Arc<Identity>>().cloned();
        let identity =
            identity.ok_or_else(|| Problem::internal(&"a route with a caller is not behind authentication"))?;
        if !identity.scopes.contains(S::SCOPE) {
            return Err(lacks(S::SCOPE));
        }
        Ok(Self { identity, scope: PhantomData })
    }
}

fn lacks(scope: Scope) -> Problem {
    Problem::new(Kind::Forbidden, format!("The token lacks the scope {}.", scope.as_str()))
}

/// Lets only verified callers on, at the rate their tenant may have.
pub async fn authenticate(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let identity = match app.auth().identify(request.headers().get(AUTHORIZATION)).await {
        Ok(identity) => Arc::new(identity),
        Err(refusal) => return Problem::from(refusal).into_response(),
    };
    let turn = app.limiter().take(&identity.tenant, app.now());
    let mut response = if let Some(wait) = turn.as_ref().and_then(|turn| turn.wait) {
        let detail = "This tenant sends more requests than it may.";
        Problem::new(Kind::RateLimited, detail).retry_after(wait).into_response()
    } else {
        request.extensions_mut().insert(identity);
        next.run(request).await
    };
    if let Some(turn) = turn {
        turn.write(response.headers_mut());
    }
    response
}
