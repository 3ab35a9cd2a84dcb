//! `POST /v1/providers/{provider}/passthrough`

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use domain::AuditId;
use engine::{Account, AskError, PassError};
use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use http::{HeaderName, Method, StatusCode};
use provider::{CallError, PassRefusal, Passed, PassedBody, PassedCall, VendorAnswer};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{AuditEntry, StoreError};
use utoipa::ToSchema;

use super::administration::{chosen, in_body};
use super::get::known;
use crate::app::{self, App};
use crate::body::{self, JsonBody};
use crate::caller::Caller;
use crate::examples;
use crate::faults::Faults;
use crate::idempotency::{Key, Start};
use crate::path::PathTexts;
use crate::problem::{Fault, Kind, Place, Problem};
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::scope::VendorPassthrough;
use crate::vendor_calls::problem_of;

/// The most parameters or fields of a call.
const MOST: usize = 100;

/// What of the vendor's headers is told.
const HEADERS: &[HeaderName] = &[CONTENT_TYPE, DATE, RETRY_AFTER];

/// How long a caller should wait for others' calls.
const REST: Duration = Duration::from_secs(2);

/// A call of the vendor's own API.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PassRequest {
    method: PassMethod,
    /// Below the vendor's address, without query: `/v1/checks/CHK1`. Which are passed, the refusal of any other says.
    #[schema(max_length = 300)]
    path: String,
    #[serde(default)]
    query: BTreeMap<String, String>,
    /// Sent as a form.
    form: Option<BTreeMap<String, String>>,
    /// Sent as JSON.
    json: Option<Value>,
    /// The vendor account, where there are several.
    account: Option<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
enum PassMethod {
    Get,
    Put,
    Post,
    Patch,
    Delete,
}

/// What the vendor answered.
#[derive(Serialize, ToSchema)]
pub struct PassedAnswer {
    /// The vendor's status, whatever it is.
    status: u16,
    /// A few of the vendor's headers.
    headers: BTreeMap<String, String>,
    /// The body, if it is JSON.
    #[schema(required)]
    body: Option<Value>,
    /// The body in base64, if it is anything else.
    #[schema(required, content_encoding = "base64")]
    body_base64: Option<String>,
}

/// Call a provider's own API
///
/// For what the gateway has no words for. The call is made once, with the gateway's credentials; the vendor's answer is inside
/// the 200, whatever its status. Only calls of a list are passed, and none that creates anything: an order outside of the
/// gateway's log could never be reconciled. What an order here needs is not erased. Audited with method, path (without the
/// ids in it) and account, before the call is made; never with query or bodies.
///
/// An account that other tenants use as well takes the scope `tenants:all` too. With an Idempotency-Key a call is not made
/// again while the first is under way or once it was answered; one whose answer was lost on the way is. So look before you
/// repeat a call that changes something.
#[utoipa::path(
    post, path = "/v1/providers/{provider}/passthrough", operation_id = "callProvider", tag = "providers",
    params(
        ("provider" = String, Path, description = "The vendor.", example = "truora"),
        ("Idempotency-Key" = Option<String>, Header, description = "Keeps an answered call from being made again."),
    ),
    request_body(content = PassRequest, example = json!(examples::pass_request())),
    responses((status = 200, description = "The vendor's answer.", body = PassedAnswer, example = json!(examples::passed_answer())), Refusals),
    security(("bearer" = ["vendor:passthrough"]))
)]
pub async fn passthrough(
    State(app): State<App>,
    caller: Caller<VendorPassthrough>,
    PathTexts(path): PathTexts,
    key: Key,
    _: NoQuery,
    body: JsonBody,
) -> Result<Response, Problem> {
    let provider = known(&app, path)?;
    let request: PassRequest = body::typed(body.value)?;
    let account = chosen(&app, &caller, &provider, request.account.as_deref(), in_body)?;
    let call = call(request)?;
    let Ok(place) = app.passed_in_flight().try_acquire_owned() else {
        let detail = "As many calls as can be are being passed on.";
        return Err(Problem::new(Kind::Unavailable, detail).retry_after(REST));
    };
    // The key's lock is held during the call, and with it a connection but no row: a second call with the same key must
    // not be made meanwhile.
    let attempt = if key.is_given() {
        match key.begin(&app, caller.tenant(), &body.bytes).await? {
            Start::Replay(answer) => return Ok(answer),
            Start::Fresh(attempt) => Some(attempt),
        }
    } else {
        None
    };
    Box::pin(app::to_the_end(async move {
        let _place = place;
        let made = make(&app, &caller, &account, &call).await;
        let Some(attempt) = attempt else { return Ok(Json(made?).into_response()) };
        let (attempt, answer) = attempt.made(made).await?;
        if answer.is_a_failure() {
            // Not kept: the same request may have better luck.
            attempt.tx.cancel().await?;
            return Ok(Json(answer).into_response());
        }
        attempt.finish(&app, StatusCode::OK, None, &answer).await
    }))
    .await
}

refusals!(Refusals: ALWAYS | BODY; NotFound, Conflict, VendorFault, VendorUnavailable);

async fn make(
    app: &App,
    caller: &Caller<VendorPassthrough>,
    account: &Account,
    call: &PassedCall,
) -> Result<PassedAnswer, Problem> {
    let passed = app.engine().may_pass(account, call).await.map_err(|error| refusal(app, account, false, error))?;
    note(app, caller, account, call, &passed).await?;
    let answer = app.engine().pass(account, call).await;
    Ok(PassedAnswer::of(&answer.map_err(|error| refusal(app, account, passed.changes, error))?))
}

/// On record before it is made: whatever comes of it, the vendor may have done it.
async fn note(
    app: &App,
    caller: &Caller<VendorPassthrough>,
    account: &Account,
    call: &PassedCall,
    passed: &Passed,
) -> Result<(), StoreError> {
    let entry = AuditEntry {
        at: app.now(),
        // An account that is one tenant's alone is that tenant's affair.
        tenant: account.sole_tenant().cloned(),
        actor: caller.subject().to_owned(),
        action: "provider.passthrough".to_owned(),
        target: account.key.to_string(),
        data: json!({ "method": call.method.as_str(), "path": passed.template, "erases": passed.erases }),
    };
    let mut tx = app.store().begin().await?;
    let id = AuditId::generate(app.engine().clock(), app.engine().entropy());
    tx.audit().append(id, &entry).await?;
    tx.save().await
}

fn at(pointer: &str, code: &str, detail: impl Into<String>) -> Problem {
    Problem::invalid(vec![Fault::new(Place::Pointer(pointer.to_owned()), code, detail)])
}

fn call(request: PassRequest) -> Result<PassedCall, Problem> {
    let mut faults = Faults::default();
    let too_many = format!("At most {MOST} are taken.");
    if request.query.len() > MOST {
        faults.push("/query", "too_many", &too_many);
    }
    if request.form.as_ref().is_some_and(|form| form.len() > MOST) {
        faults.push("/form", "too_many", &too_many);
    }
    if request.form.is_some() && request.json.is_some() {
        faults.push("/json", "not_both", "Give `form` or `json`, not both.");
    }
    if request.method == PassMethod::Get && (request.form.is_some() || request.json.is_some()) {
        faults.push("/method", "no_body", "A GET has no body; leave `form` and `json` out.");
    }
    faults.settle()?;
    let body = match (request.form, request.json) {
        (Some(form), _) => PassedBody::Form(form.into_iter().collect()),
        (None, Some(json)) => PassedBody::Json(json),
        (None, None) => PassedBody::None,
    };
    let method = match request.method {
        PassMethod::Get => Method::GET,
        PassMethod::Put => Method::PUT,
        PassMethod::Post => Method::POST,
        PassMethod::Patch => Method::PATCH,
        PassMethod::Delete => Method::DELETE,
    };
    Ok(PassedCall { method, path: request.path, query: request.query.into_iter().collect(), body })
}

/// `changes`: the call was begun, and may have changed something.
fn refusal(app: &App, account: &Account, changes: bool, error: PassError) -> Problem {
    match error {
        PassError::NotSupported => {
            let detail = format!("No calls of {} are passed.", account.key.provider);
            Problem::parameter("provider", "not_supported", detail)
        }
        PassError::Refused(refused) => {
            let code = match &refused {
                PassRefusal::Path => "invalid",
                PassRefusal::Creates => "creates",
                PassRefusal::Withheld(_) | PassRefusal::Unknown { .. } => "not_passed",
            };
            at("/path", code, refused.to_string())
        }
        PassError::Needed => {
            at("/path", "needed", "A check here needs what this call would erase. Cancel or redact its order instead.")
        }
        PassError::Ask(AskError::Call(lost @ CallError::Lost { .. })) if changes => {
            let detail = format!(
                "The vendor gave no usable answer ({lost}). Whether it did what was asked is not known: look before you \
                 repeat the call."
            );
            problem_of(app, "an answer", lost.into()).saying(detail)
        }
        PassError::Ask(error) => problem_of(app, "an answer", error),
    }
}

impl PassedAnswer {
    fn of(answer: &VendorAnswer) -> Self {
        let told = HEADERS.iter().filter_map(|name| {
            let value = answer.headers.get(name)?.to_str().ok()?;
            Some((name.to_string(), value.chars().take(200).collect()))
        });
        let body: Option<Value> = provider::http::read_json(&answer.body);
        let bytes = Some(&answer.body).filter(|bytes| body.is_none() && !bytes.is_empty());
        Self {
            status: answer.status.as_u16(),
            headers: told.collect(),
            body_base64: bytes.map(|bytes| BASE64_STANDARD.encode(bytes)),
            body,
        }
    }

    /// The vendor failed, or was too busy.
    const fn is_a_failure(&self) -> bool {
        self.status >= 500 || self.status == 429
    }
}
