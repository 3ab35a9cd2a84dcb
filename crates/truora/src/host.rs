//! One of the vendor's hosts, for the calls beside those that make and read checks: forms, once JSON, answers in JSON.

use http::Method;
use provider::{AdministrationFault, CallContext, CallError, LostReason, Objection, VendorAnswer};
use serde_json::Value;
use url::Url;

use crate::client::{Client, FORM, bad_request};
use crate::wire::ErrorBody;

/// The longest part of the vendor's own sentence that is passed on.
const LONGEST_SENTENCE: usize = 200;

pub struct Host {
    client: Client,
    base: Url,
}

pub enum Payload<'a> {
    Nothing,
    Form(&'a [(String, String)]),
    Json(&'a Value),
}

impl Host {
    pub const fn new(client: Client, base: Url) -> Self {
        Self { client, base }
    }

    pub const fn base(&self) -> &Url {
        &self.base
    }

    /// An address by its parts. One that would name another path is none.
    pub fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Url, CallError> {
        if path.iter().any(|part| matches!(*part, "" | "." | "..")) {
            return Err(bad_request());
        }
        let mut url = self.base.clone();
        url.path_segments_mut().map_err(|()| bad_request())?.clear().extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    pub async fn get(&self, ctx: &CallContext, url: Url) -> Result<VendorAnswer, CallError> {
        self.client.page(ctx, url).await
    }

    pub async fn send(
        &self,
        ctx: &CallContext,
        method: Method,
        url: Url,
        payload: Payload<'_>,
    ) -> Result<VendorAnswer, CallError> {
        let request = self.client.request(method, url);
        let request = match payload {
            Payload::Nothing => request,
            Payload::Form(pairs) => request.body(FORM, serde_urlencoded::to_string(pairs).map_err(|_| bad_request())?),
            Payload::Json(body) => request.body("application/json", body.to_string()),
        };
        self.client.http().send(ctx, request).await
    }
}

/// What the answer to a reading call is, if it can be used.
pub fn read(answer: Result<VendorAnswer, CallError>) -> Result<VendorAnswer, AdministrationFault> {
    let answer = answer.map_err(AdministrationFault::NotDone)?;
    match answer.status.as_u16() {
        200 => Ok(answer),
        401 | 403 => Err(denied(&answer)),
        404 if ErrorBody::read(&answer.body).is_the_services_own() => Err(AdministrationFault::NotFound),
        status => Err(AdministrationFault::NotDone(CallError::Lost { why: LostReason::Status(status) })),
    }
}

/// What the answer to a writing call proves.
pub enum Wrote {
    /// It says that it is done.
    Done(VendorAnswer),
    /// It may be done, or not.
    Lost,
}

/// `objections`: what of the request the vendor's sentence may be about.
pub fn wrote(
    answer: Result<VendorAnswer, CallError>,
    objections: impl FnOnce(&str) -> Objection,
) -> Result<Wrote, AdministrationFault> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(CallError::Lost { .. }) => return Ok(Wrote::Lost),
        Err(not_sent) => return Err(AdministrationFault::NotDone(not_sent)),
    };
    match answer.status.as_u16() {
        200..=299 => Ok(Wrote::Done(answer)),
        400 | 413 | 422 => {
            let said = ErrorBody::read(&answer.body).message.unwrap_or_default();
            Err(AdministrationFault::Refused(vec![objections(&plain(&said))]))
        }
        401 | 403 => Err(denied(&answer)),
        // Of the service, or of the check of credentials, whose errors say only `message`.
        404 if ErrorBody::read(&answer.body).message.is_some() => Err(AdministrationFault::NotFound),
        429 => Err(AdministrationFault::NotDone(CallError::Lost { why: LostReason::Status(429) })),
        _ => Ok(Wrote::Lost),
    }
}

fn denied(answer: &VendorAnswer) -> AdministrationFault {
    let error = ErrorBody::read(&answer.body);
    AdministrationFault::Denied(match answer.status.as_u16() {
        401 => "the API key is wrong",
        _ if error.is_of_unknown_route() => "there is no such call at the address in the settings",
        _ => "the API key has expired or lacks a permission",
    })
}

/// The vendor's sentence, cut, and without anything that could steer a terminal.
fn plain(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(LONGEST_SENTENCE).collect()
}
