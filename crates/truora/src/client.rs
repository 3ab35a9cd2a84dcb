//! The calls. The only room with I/O; what is sent and what an answer means is decided elsewhere.

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{Method, StatusCode};
use provider::{
    ByteStream, CallContext, CallError, Language, LostReason, NotSentReason, PassedBody, PassedCall, VendorAnswer,
    VendorHttp, VendorRequest,
};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::wire::ErrorBody;

const KEY: HeaderName = HeaderName::from_static("truora-api-key");
const PRIORITY: HeaderName = HeaderName::from_static("truora-priority");
pub const FORM: &str = "application/x-www-form-urlencoded";

/// A scanned page may be large: a row repeats every source of its check.
const MAX_PAGE: usize = 32 * 1024 * 1024;

#[derive(Clone)]
pub struct Client {
    http: VendorHttp,
    checks: Url,
    key: HeaderValue,
}

impl Client {
    /// `None` if the key cannot be a header's value.
    pub fn new(checks: Url, key: &SecretString) -> Option<Self> {
        let mut key = HeaderValue::from_str(key.expose_secret().trim()).ok().filter(|key| !key.is_empty())?;
        key.set_sensitive(true);
        Some(Self { http: VendorHttp::new(), checks, key })
    }

    /// `POST /v1/checks` with a form body; answers are JSON.
    pub async fn create(
        &self,
        ctx: &CallContext,
        form: &[(&'static str, String)],
        priority: Option<&str>,
    ) -> Result<VendorAnswer, CallError> {
        let body = serde_urlencoded::to_string(form).map_err(|_| bad_request())?;
        let mut request = self.request(Method::POST, self.list_url()).body(FORM, body);
        if let Some(priority) = priority {
            request = request.header(PRIORITY, HeaderValue::from_str(priority).map_err(|_| bad_request())?);
        }
        self.http.send(ctx, request).await
    }

    pub async fn get(&self, ctx: &CallContext, check_id: &str) -> Result<VendorAnswer, CallError> {
        self.http.send(ctx, self.request(Method::GET, self.check_url(check_id, &[])?)).await
    }

    /// `DELETE /v1/checks/{id}` erases the check; it does not cancel it.
    pub async fn delete(&self, ctx: &CallContext, check_id: &str) -> Result<VendorAnswer, CallError> {
        self.http.send(ctx, self.request(Method::DELETE, self.check_url(check_id, &[])?)).await
    }

    /// Where the list of checks begins.
    pub fn list_url(&self) -> Url {
        let mut url = self.checks.clone();
        url.set_path("/v1/checks");
        url
    }

    /// A page of the list of checks.
    pub async fn page(&self, ctx: &CallContext, url: Url) -> Result<VendorAnswer, CallError> {
        let mut request = self.request(Method::GET, url);
        request.max_answer = MAX_PAGE;
        self.http.send(ctx, request).await
    }

    /// `GET /v1/checks/{id}/{part}`, with what of the query is given.
    pub async fn part(
        &self,
        ctx: &CallContext,
        check_id: &str,
        part: &str,
        query: &[(&str, Option<&str>)],
    ) -> Result<VendorAnswer, CallError> {
        let mut url = self.check_url(check_id, &[part])?;
        add_query(&mut url, query);
        self.http.send(ctx, self.request(Method::GET, url)).await
    }

    /// Where a list that a check has begins: `details`, `attachments`.
    pub fn list_of(&self, check_id: &str, part: &str) -> Result<Url, CallError> {
        self.check_url(check_id, &[part])
    }

    /// Has the report printed (POST), then streams it (GET). Without the POST before it, the GET answers 404.
    pub async fn pdf(&self, ctx: &CallContext, check_id: &str) -> Result<ByteStream, CallError> {
        let mut url = self.check_url(check_id, &["pdf"])?;
        ok(self.http.send(ctx, self.request(Method::POST, url.clone()).body(FORM, Bytes::new())).await?)?;
        add_query(&mut url, &[("lang", ctx.language.map(Language::as_str))]);
        self.http.stream(ctx, self.request(Method::GET, url)).await
    }

    /// A file behind a link of the vendor's, which is a key by itself: ours does not go with it.
    pub async fn file(&self, ctx: &CallContext, link: Url) -> Result<ByteStream, CallError> {
        self.http.stream(ctx, VendorRequest::new(Method::GET, link)).await
    }

    /// Somebody's own call to one of the vendor's hosts.
    pub async fn pass(&self, ctx: &CallContext, host: &Url, call: &PassedCall) -> Result<VendorAnswer, CallError> {
        let mut url = host.clone();
        url.set_path(&call.path);
        for (name, value) in &call.query {
            url.query_pairs_mut().append_pair(name, value);
        }
        let mut request = self.request(call.method.clone(), url);
        match &call.body {
            PassedBody::None => {}
            PassedBody::Form(fields) => {
                request = request.body(FORM, serde_urlencoded::to_string(fields).map_err(|_| bad_request())?);
            }
            PassedBody::Json(body) => request = request.body("application/json", body.to_string()),
        }
        self.http.send(ctx, request).await
    }

    /// Sends a form, other than to make a check.
    pub async fn write(
        &self,
        ctx: &CallContext,
        method: Method,
        url: Url,
        form: &[(&'static str, String)],
    ) -> Result<VendorAnswer, CallError> {
        let body = serde_urlencoded::to_string(form).map_err(|_| bad_request())?;
        self.http.send(ctx, self.request(method, url).body(FORM, body)).await
    }

    pub async fn read(&self, ctx: &CallContext, url: Url) -> Result<VendorAnswer, CallError> {
        self.http.send(ctx, self.request(Method::GET, url)).await
    }

    /// `/v1/continuous-checks`, of all or of one.
    pub fn continuous_url(&self, id: Option<&str>, rest: &[&str]) -> Result<Url, CallError> {
        let mut url = self.checks.clone();
        url.set_path("/v1/continuous-checks");
        if let Some(id) = id {
            if matches!(id, "" | "." | "..") {
                return Err(bad_request());
            }
            url.path_segments_mut().map_err(|()| bad_request())?.push(id).extend(rest);
        }
        Ok(url)
    }

    pub const fn http(&self) -> &VendorHttp {
        &self.http
    }

    /// A request under the account's key.
    pub fn request(&self, method: Method, url: Url) -> VendorRequest {
        VendorRequest::new(method, url).header(KEY, self.key.clone())
    }

    /// `/v1/checks/{id}/…`. Ids are opaque, but one that would name another path is none.
    fn check_url(&self, check_id: &str, rest: &[&str]) -> Result<Url, CallError> {
        if matches!(check_id, "" | "." | "..") {
            return Err(bad_request());
        }
        let mut url = self.list_url();
        url.path_segments_mut().map_err(|()| bad_request())?.push(check_id).extend(rest);
        Ok(url)
    }
}

/// The answer, if it is a 200. Other statuses are errors of a reading call.
pub fn ok(answer: VendorAnswer) -> Result<VendorAnswer, CallError> {
    if answer.status == StatusCode::OK {
        Ok(answer)
    } else {
        Err(CallError::Lost { why: LostReason::Status(answer.status.as_u16()) })
    }
}

/// The answer, if it is a 200; `None` if the service itself says that there is no such check. A 404 of some proxy on
/// the way says nothing about the check.
pub fn found(answer: VendorAnswer) -> Result<Option<VendorAnswer>, CallError> {
    if answer.status == StatusCode::NOT_FOUND && ErrorBody::read(&answer.body).is_the_services_own() {
        return Ok(None);
    }
    ok(answer).map(Some)
}

/// Without a question mark where nothing is asked for.
fn add_query(url: &mut Url, query: &[(&str, Option<&str>)]) {
    for (name, value) in query {
        if let Some(value) = value {
            url.query_pairs_mut().append_pair(name, value);
        }
    }
}

pub const fn unreadable() -> CallError {
    CallError::Lost { why: LostReason::Unreadable }
}

pub const fn bad_request() -> CallError {
    CallError::NotSent { why: NotSentReason::BadRequest, retry_after: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> Client {
        Client::new("https://api.example.com/".parse().expect("a URL"), &"key".into()).expect("a client")
    }

    #[test]
    fn an_id_stays_one_segment_of_the_path() {
        let url = |id| client().check_url(id, &["pdf"]).map(String::from);
        assert_eq!(url("CHK1").as_deref(), Ok("https://api.example.com/v1/checks/CHK1/pdf"));
        assert_eq!(url("a/b?c").as_deref(), Ok("https://api.example.com/v1/checks/a%2Fb%3Fc/pdf"));
        for id in ["", ".", ".."] {
            assert_eq!(url(id), Err(bad_request()), "{id:?}");
        }
    }

    #[test]
    fn a_key_must_fit_into_a_header() {
        for key in ["", " ", "a\nb"] {
            assert!(Client::new("https://api.example.com/".parse().expect("a URL"), &key.into()).is_none());
        }
    }
}
