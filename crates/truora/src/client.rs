//! The calls. The only room with I/O; what is sent and what an answer means is decided elsewhere.

use bytes::{Bytes, BytesMut};
use futures::{StreamExt as _, stream};
use http::header::{HeaderName, HeaderValue};
use http::{Method, StatusCode};
use provider::{
    ByteStream, CallContext, CallError, LostReason, NotSentReason, VendorAnswer, VendorHttp, VendorRequest,
};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::host::Host;
use crate::pages::Pages;
use crate::wire::{self, ErrorBody};

pub const KEY: HeaderName = HeaderName::from_static("truora-api-key");
const PRIORITY: HeaderName = HeaderName::from_static("truora-priority");
pub const FORM: &str = "application/x-www-form-urlencoded";

/// A scanned page may be large: a row repeats every source of its check.
pub const MAX_PAGE: usize = 32 * 1024 * 1024;

/// The most pages of details that are read of one check.
const MOST_DETAIL_PAGES: usize = 100;

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

    /// The same key at one of the vendor's hosts, for the calls that are no checks.
    pub fn host(&self, base: Url) -> Host {
        Host::new(self.http.clone(), base, self.key.clone())
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

    /// Every detail of a check. A list that cannot be read to its end is an error.
    pub async fn details(&self, ctx: &CallContext, check_id: &str) -> Result<Vec<wire::Detail>, CallError> {
        let mut pages = Pages::from(self.check_url(check_id, &["details"])?);
        let mut next = Some(pages.first().clone());
        let mut details = Vec::new();
        for _ in 0..MOST_DETAIL_PAGES {
            let Some(url) = next else { return Ok(details) };
            let answer = ok(self.page(ctx, url).await?)?;
            let page: wire::DetailPage = answer.json()?;
            details.extend(page.details.ok_or(unreadable())?);
            next = pages.follow(page.next.as_deref()).map_err(|_| unreadable())?;
        }
        Err(CallError::Lost { why: LostReason::TooLarge })
    }

    /// Has the report printed (POST), then streams it (GET). Without the POST before it, the GET answers 404.
    pub async fn pdf(&self, ctx: &CallContext, check_id: &str) -> Result<ByteStream, CallError> {
        let url = self.check_url(check_id, &["pdf"])?;
        ok(self.http.send(ctx, self.request(Method::POST, url.clone()).body(FORM, Bytes::new())).await?)?;
        only_pdf(self.http.stream(ctx, self.request(Method::GET, url)).await?).await
    }

    fn request(&self, method: Method, url: Url) -> VendorRequest {
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

/// An answer that calls itself a document but is not (an error page, an empty body) is refused at its first bytes.
async fn only_pdf(mut stream: ByteStream) -> Result<ByteStream, CallError> {
    const MAGIC: &[u8] = b"%PDF";
    let mut head = BytesMut::new();
    while head.len() < MAGIC.len() {
        head.extend_from_slice(&stream.next().await.ok_or(unreadable())??);
    }
    if !head.starts_with(MAGIC) {
        return Err(unreadable());
    }
    Ok(Box::pin(stream::once(async { Ok(head.freeze()) }).chain(stream)))
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

    #[tokio::test]
    async fn only_a_pdf_is_passed_on() {
        let of = |chunks: &'static [&'static [u8]]| -> ByteStream {
            Box::pin(stream::iter(chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk)))))
        };
        let passed = only_pdf(of(&[b"%P", b"DF-1.4", b" rest"])).await;
        let bytes = passed.expect("a PDF").map(|chunk| chunk.expect("a chunk").to_vec()).concat().await;
        assert_eq!(bytes, b"%PDF-1.4 rest");
        assert!(only_pdf(of(&[b"<html>"])).await.is_err());
        assert!(only_pdf(of(&[b"%P"])).await.is_err());
    }
}
