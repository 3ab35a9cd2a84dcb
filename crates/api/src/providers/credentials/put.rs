//! `PUT /v1/providers/{provider}/credentials/{database_id}`

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use domain::Sensitive;
use serde::Deserialize;
use utoipa::ToSchema;

use super::list::CredentialsView;
use crate::app::{self, App};
use crate::body::JsonBody;
use crate::caller::Caller;
use crate::examples;
use crate::faults::{Faults, join};
use crate::path::PathTexts;
use crate::problem::{Kind, Problem};
use crate::providers::administration::{account, in_body, into_body, refused};
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::scope::ProvidersManage;
use crate::{section, texts};

/// The most fields of one database's credentials.
const MOST: usize = 20;
/// The most characters of one. Keys in PEM take some thousands.
const LONGEST: usize = 10_000;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCredentials {
    /// The account's id in the settings. Without one: the tenant's own, else `default`.
    account: Option<String>,
    /// What the database asks for, by the vendor's own names, such as `username` and `password`.
    #[schema(value_type = BTreeMap<String, String>, write_only)]
    credentials: Sensitive<BTreeMap<String, String>>,
}

/// Set the credentials for a database
///
/// Hands them to the vendor, in place of those it has. They are kept nowhere here: not in the database, not in a log, not in
/// the audit log, which notes that they were set. An account that other tenants use as well takes the scope `tenants:all`
/// too. Sending the same again is harmless.
#[utoipa::path(
    put, path = "/v1/providers/{provider}/credentials/{database_id}", operation_id = "putCredentials", tag = "providers",
    params(
        ("provider" = String, Path, description = "The vendor.", example = "truora"),
        ("database_id" = String, Path, description = "The database's id, as the sources show it."),
    ),
    request_body(content = NewCredentials, example = json!(examples::credentials())),
    responses((status = 200, description = "The vendor has them.", body = CredentialsView, example = json!(examples::database())), Refusals),
    security(("bearer" = ["providers:manage"]))
)]
pub async fn put(
    State(app): State<App>,
    caller: Caller<ProvidersManage>,
    PathTexts(path): PathTexts,
    _: NoQuery,
    body: JsonBody,
) -> Result<Json<CredentialsView>, Problem> {
    let request = read(body)?;
    let database_id = super::database(&path);
    let account = account(&app, &caller, path, request.account.as_deref(), in_body)?;
    Box::pin(app::to_the_end(async move {
        let engine = app.engine();
        let set = engine.put_credentials(&account, caller.subject(), &database_id, &request.credentials).await;
        set.map_err(|error| refused(error, "database", into_body))?;
        Ok(Json(CredentialsView { database_id }))
    }))
    .await
}

refusals!(Refusals: ALWAYS | BODY; NotFound, VendorUnavailable);

/// By rules of its own: keys have line breaks, and are longer than other texts.
fn read(body: JsonBody) -> Result<NewCredentials, Problem> {
    let mut faults = Faults::default();
    let request: Option<NewCredentials> = section::parse(body.value, "", &mut faults);
    if let Some(request) = &request {
        let given = request.credentials.expose();
        if given.is_empty() || given.len() > MOST {
            faults.push("/credentials", "invalid", format!("Expected 1 to {MOST} fields."));
        }
        for (index, (name, secret)) in given.iter().take(MOST).enumerate() {
            if name.is_empty() || name.len() > texts::LONGEST_NAME || name.chars().any(char::is_control) {
                let detail =
                    format!("Field {} needs a name of 1 to {} plain characters.", index + 1, texts::LONGEST_NAME);
                faults.push("/credentials", "invalid", detail);
                continue;
            }
            let at = join("/credentials", name);
            if secret.is_empty() || secret.contains('\0') {
                faults.push(&at, "invalid", "Expected a text that is not empty, without NUL characters.");
            }
            texts::longest(secret, &at, LONGEST, &mut faults);
        }
        if let Some(account) = &request.account {
            texts::one(account, "/account", texts::LONGEST_NAME, &mut faults);
        }
    }
    faults.settle()?;
    request.ok_or_else(|| Problem::new(Kind::Malformed, "The body cannot be read."))
}
