//! Tokens: what the token endpoint gives out, and what the API takes.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use http::header::AUTHORIZATION;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::calls::{error, error_body};
use super::{OTHER_TENANT, OUR_TENANT, Simulator};

/// Whose tokens the token endpoint gives out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenTenant {
    #[default]
    Ours,
    /// Another tenant of the vendor, who sees none of our orders.
    Other,
    /// The token holds no `tenant` claim.
    Missing,
}

impl TokenTenant {
    const fn name(self) -> Option<&'static str> {
        match self {
            Self::Ours => Some(OUR_TENANT),
            Self::Other => Some(OTHER_TENANT),
            Self::Missing => None,
        }
    }
}

/// A token that was given out.
pub struct Given {
    tenant: Option<&'static str>,
    ends_at: OffsetDateTime,
}

/// The tenant that the caller's token names.
#[derive(Clone, Copy)]
pub struct Tenant(pub &'static str);

/// Before anything else: a refused token has made nothing.
pub async fn authenticate(State(vendor): State<Arc<Simulator>>, mut request: Request, next: Next) -> Response {
    let Some(header) = request.headers().get(AUTHORIZATION) else {
        return error(StatusCode::UNAUTHORIZED, "Unauthorized");
    };
    let token = header.to_str().ok().and_then(|header| header.strip_prefix("Bearer ")).unwrap_or_default();
    let now = vendor.tools.clock.now();
    let given = vendor.lock().tokens.get(token).filter(|given| now < given.ends_at).map(|given| given.tenant);
    let tenant = if token == vendor.config.token {
        Some(OUR_TENANT)
    } else if token == vendor.config.other_tenants_token {
        Some(OTHER_TENANT)
    } else if let Some(tenant) = given {
        tenant
    } else {
        return error(StatusCode::UNAUTHORIZED, "Invalid or expired token");
    };
    let mut is_refused = false;
    vendor.habits.change(|habits| {
        is_refused = habits.refuse_calls > 0;
        if habits.refuse_calls < u32::MAX {
            habits.refuse_calls = habits.refuse_calls.saturating_sub(1);
        }
    });
    if is_refused {
        return error(StatusCode::UNAUTHORIZED, "Invalid or expired token");
    }
    let Some(tenant) = tenant else {
        let status = StatusCode::from_u16(vendor.habits.get().tenantless_status).unwrap_or(StatusCode::UNAUTHORIZED);
        return error(status, "Unauthorized");
    };
    request.extensions_mut().insert(Tenant(tenant));
    next.run(request).await
}

/// `POST /oauth/token`, as Auth0 answers it.
pub async fn give(State(vendor): State<Arc<Simulator>>, Json(asked): Json<Value>) -> Response {
    let (config, habits) = (&vendor.config, vendor.habits.get());
    if let Some(status) = habits.token_endpoint_status {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        return (status, Json(error_body(status, &"Try again later".into()))).into_response();
    }
    let refused =
        |status, why: &str| (status, Json(json!({"error": "access_denied", "error_description": why}))).into_response();
    if asked["client_id"] != config.client_id.as_str() || asked["client_secret"] != config.client_secret.as_str() {
        return refused(StatusCode::UNAUTHORIZED, "Unauthorized");
    }
    if asked["audience"] != config.audience.as_str() || asked["grant_type"] != "client_credentials" {
        return refused(StatusCode::FORBIDDEN, "Client is not authorized to access this audience");
    }
    let life = habits.token_life_s.unwrap_or(3_600);
    let now = vendor.tools.clock.now();
    let ends_at = now + Duration::from_secs(life);
    let mut claims = json!({
        "iss": vendor.tools.base_url.as_str(), "aud": config.audience, "iat": now.unix_timestamp(),
        "exp": ends_at.unix_timestamp(),
    });
    if let Some(tenant) = habits.token_tenant.name() {
        claims["tenant"] = tenant.into();
    }
    let token = jwt(&claims);
    let given = Given { tenant: habits.token_tenant.name(), ends_at };
    vendor.lock().tokens.insert(token.clone(), given);
    let mut answer = json!({"access_token": token, "token_type": "Bearer"});
    if let Some(life) = habits.token_life_s {
        answer["expires_in"] = life.into();
    }
    Json(answer).into_response()
}

/// In the form of a JWT. It is known by heart, so nobody checks the signature.
fn jwt(claims: &Value) -> String {
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let signature: [u8; 32] = rand::random();
    let header = json!({"alg": "RS256", "typ": "JWT"});
    format!("{}.{}.{}", part(&header), part(claims), URL_SAFE_NO_PAD.encode(signature))
}
