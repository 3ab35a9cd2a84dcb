//! The calls, and nothing else: the only place of this crate that does I/O.

use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderValue, Method};
use provider::{ByteStream, CallContext, CallError, NotSentReason, VendorAnswer, VendorHttp, VendorRequest};
use secrecy::ExposeSecret as _;
use url::Url;

use crate::settings::{Settings, SettingsError, Version};

/// The deadline of every call but the synchronous employer search, however long that one may take.
const QUICK: Duration = Duration::from_secs(30);

/// How many orders a page of the list holds. The vendor's default; its maximum is not documented.
pub const PAGE: u32 = 25;

pub struct Client {
    http: VendorHttp,
    base: Url,
    authorization: HeaderValue,
    version: Version,
}

impl Client {
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let bearer = format!("Bearer {}", settings.api_key.expose_secret());
        let mut authorization = HeaderValue::from_str(&bearer).map_err(|_| SettingsError::ApiKey)?;
        authorization.set_sensitive(true);
        Ok(Self { http: VendorHttp::new(), base: settings.base_url.clone(), authorization, version: settings.version })
    }

    /// Asynchronous: answers as soon as the order is made.
    pub async fn create_target_employer(&self, ctx: &CallContext, body: Vec<u8>) -> Result<VendorAnswer, CallError> {
        let url = self.url(&["orders", "target-employer"])?;
        self.send(&quick(ctx), self.request(Method::POST, url).body("application/json", body)).await
    }

    /// Synchronous: answers when the search is over, usually within seconds, so it has the whole deadline.
    pub async fn create_employer_search(
        &self,
        ctx: &CallContext,
        body: Vec<u8>,
        analytics: bool,
    ) -> Result<VendorAnswer, CallError> {
        let mut url = self.url(&["orders", "employer-search"])?;
        if analytics {
            url.query_pairs_mut().append_pair("include_income_analytics", "true");
        }
        self.send(ctx, self.request(Method::POST, url).body("application/json", body)).await
    }

    pub async fn order(&self, ctx: &CallContext, id: &str) -> Result<VendorAnswer, CallError> {
        self.send(&quick(ctx), self.request(Method::GET, self.url(&["orders", id])?)).await
    }

    /// The offset counts orders, though the vendor's page calls it a page offset.
    pub async fn orders(
        &self,
        ctx: &CallContext,
        search_key: Option<&str>,
        limit: u32,
        offset: u32,
    ) -> Result<VendorAnswer, CallError> {
        let mut url = self.url(&["orders"])?;
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("limit", &limit.to_string()).append_pair("offset", &offset.to_string());
            if let Some(key) = search_key {
                query.append_pair("search_key", key);
            }
        }
        self.send(&quick(ctx), self.request(Method::GET, url)).await
    }

    pub async fn cancel(&self, ctx: &CallContext, id: &str, body: Vec<u8>) -> Result<VendorAnswer, CallError> {
        let url = self.url(&["orders", id, "cancel"])?;
        self.send(&quick(ctx), self.request(Method::PUT, url).body("application/json", body)).await
    }

    /// One report with its income analytics, which an order's GET does not give.
    pub async fn report(&self, ctx: &CallContext, id: &str) -> Result<VendorAnswer, CallError> {
        let mut url = self.url(&["reports", id])?;
        url.query_pairs_mut().append_pair("include_income_analytics", "true");
        self.send(&quick(ctx), self.request(Method::GET, url)).await
    }

    pub async fn report_pdf(&self, ctx: &CallContext, id: &str) -> Result<ByteStream, CallError> {
        let accept = format!("application/pdf; version={}", self.version.as_str());
        let request = self.request(Method::GET, self.url(&["reports", id])?).header(ACCEPT, ascii(&accept)?);
        self.http.stream(ctx, request).await
    }

    /// A document of the applicant, by the link the vendor gave. The link needs our key, which goes to no foreign host.
    pub async fn applicant_document(&self, ctx: &CallContext, link: &str) -> Result<ByteStream, CallError> {
        let url = Url::parse(link).map_err(|_| bad_request())?;
        if url.origin() != self.base.origin() {
            return Err(bad_request());
        }
        let request = self.request(Method::GET, url).header(ACCEPT, HeaderValue::from_static("*/*"));
        self.http.stream(ctx, request).await
    }

    /// Any reading call, by its path below the API's address.
    pub async fn read(
        &self,
        ctx: &CallContext,
        path: &str,
        query: &[(String, String)],
    ) -> Result<VendorAnswer, CallError> {
        let segments: Vec<_> = path.split('/').skip(1).collect();
        let mut url = self.url(&segments)?;
        for (name, value) in query {
            url.query_pairs_mut().append_pair(name, value);
        }
        self.send(&quick(ctx), self.request(Method::GET, url)).await
    }

    fn request(&self, method: Method, url: Url) -> VendorRequest {
        let accept = match self.version {
            Version::V2023_10_30 => HeaderValue::from_static("application/json; version=2023-10-30"),
        };
        VendorRequest::new(method, url).header(ACCEPT, accept).header(AUTHORIZATION, self.authorization.clone())
    }

    async fn send(&self, ctx: &CallContext, request: VendorRequest) -> Result<VendorAnswer, CallError> {
        self.http.send(ctx, request).await
    }

    /// Paths without a trailing slash, as the current documents print them. Ids are opaque and may hold anything, but the URL
    /// library leaves such segments out, and the path would be another one.
    fn url(&self, segments: &[&str]) -> Result<Url, CallError> {
        if segments.iter().any(|segment| matches!(*segment, "" | "." | "..")) {
            return Err(bad_request());
        }
        let mut url = self.base.clone();
        url.set_query(None);
        url.path_segments_mut().map_err(|()| bad_request())?.pop_if_empty().extend(segments);
        Ok(url)
    }
}

/// A call that cannot be made.
pub const fn bad_request() -> CallError {
    CallError::NotSent { why: NotSentReason::BadRequest, retry_after: None }
}

fn quick(ctx: &CallContext) -> CallContext {
    let mut quick = ctx.clone();
    quick.timeout = quick.timeout.min(QUICK);
    quick
}

fn ascii(text: &str) -> Result<HeaderValue, CallError> {
    HeaderValue::from_str(text).map_err(|_| bad_request())
}

/// What an answer that is not the expected one means to a call that makes nothing.
pub fn unexpected(answer: &VendorAnswer) -> CallError {
    match answer.status.as_u16() {
        429 => CallError::NotSent { why: NotSentReason::OverBudget, retry_after: answer.retry_after() },
        status => CallError::Lost { why: provider::LostReason::Status(status) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_one_segment_of_the_path() {
        let settings = Settings::new("https://api.truework.com".parse().expect("a URL"), "tw_sk_1".into());
        let client = Client::new(&settings).expect("a client");
        let url = |id| client.url(&["orders", id, "cancel"]).map(String::from);
        assert_eq!(url("a/../b?c").as_deref(), Ok("https://api.truework.com/orders/a%2F..%2Fb%3Fc/cancel"));
        for id in ["", ".", ".."] {
            assert_eq!(url(id), Err(bad_request()), "{id:?}");
        }
    }
}
