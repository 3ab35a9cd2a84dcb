//! The calls, and nothing else: the only place of this crate that does I/O.

use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderName, HeaderValue, Method};
use provider::{ByteStream, CallContext, CallError, NotSentReason, VendorAnswer, VendorHttp, VendorRequest};
use secrecy::ExposeSecret as _;
use url::Url;

use crate::request::Mode;
use crate::settings::{Settings, SettingsError, Version};
use crate::signature::{self, SignatureFault, SignatureKey, SignatureMode};

/// The deadline of every call but the synchronous employer search, however long that one may take.
const QUICK: Duration = Duration::from_secs(30);

/// How many orders a page of the list holds. The vendor's default; its maximum is not documented.
pub const PAGE: u32 = 25;

pub struct Client {
    http: VendorHttp,
    base: Url,
    authorization: HeaderValue,
    version: Version,
    signature: SignatureMode,
    keys: Vec<SignatureKey>,
}

const REQUEST_SYNC: HeaderName = HeaderName::from_static("request-sync");

impl Client {
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let bearer = format!("Bearer {}", settings.api_key.expose_secret());
        let mut authorization = HeaderValue::from_str(&bearer).map_err(|_| SettingsError::ApiKey)?;
        authorization.set_sensitive(true);
        Ok(Self {
            http: VendorHttp::new(),
            base: settings.base_url.clone(),
            authorization,
            version: settings.version,
            signature: settings.signature,
            keys: settings.signature_keys.clone(),
        })
    }

    /// Makes an order. All kinds answer as soon as it is made, but the employer search, which is synchronous: it answers when
    /// the search is over, usually within seconds, so it has the whole deadline.
    pub async fn create(&self, ctx: &CallContext, mode: Mode, body: Vec<u8>) -> Result<VendorAnswer, CallError> {
        let is_search = matches!(mode, Mode::EmployerSearch { .. });
        let request = if self.version.has_orders() {
            let kind = match mode {
                Mode::TargetEmployer => "target-employer",
                Mode::EmployerSearch { .. } => "employer-search",
                Mode::Direct => "truework-direct",
            };
            let mut url = self.url(&["orders", kind])?;
            if let Mode::EmployerSearch { analytics } = mode {
                url.query_pairs_mut().append_pair("include_report_annotations", "true");
                if analytics {
                    url.query_pairs_mut().append_pair("include_income_analytics", "true");
                }
            }
            self.request(Method::POST, url)
        } else if mode == Mode::Direct {
            self.request(Method::POST, self.url(&["credentials", "session"])?)
        } else {
            // In older versions one call makes both, and a header says whether it waits.
            let sync = HeaderValue::from_static(if is_search { "sync" } else { "async" });
            self.request(Method::POST, self.url(&["verification-requests"])?).header(REQUEST_SYNC, sync)
        };
        let request = request.body("application/json", body);
        if is_search { self.send(ctx, request).await } else { self.send(&quick(ctx), request).await }
    }

    /// A new verification of what a report says. Asynchronous here: the report's own way may have been a slow one.
    pub async fn reverify(&self, ctx: &CallContext, parent: &str, body: Vec<u8>) -> Result<VendorAnswer, CallError> {
        let request = if self.version.has_orders() {
            self.request(Method::POST, self.url(&["orders", "reverification"])?)
        } else {
            self.request(Method::PUT, self.url(&["verification-requests", parent, "reverify"])?)
        };
        let request = request.header(REQUEST_SYNC, HeaderValue::from_static("async"));
        self.send(&quick(ctx), request.body("application/json", body)).await
    }

    /// One order, or the verification request that an older version has in its place, with all that the call can give.
    pub async fn order(&self, ctx: &CallContext, id: &str) -> Result<VendorAnswer, CallError> {
        let mut url = self.url(&[self.collection(), id])?;
        let extra = if self.version.has_orders() { "include_report_annotations" } else { "income_analytics" };
        url.query_pairs_mut().append_pair(extra, "true");
        self.send(&quick(ctx), self.request(Method::GET, url)).await
    }

    /// The order that a verification belongs to, as a list.
    pub async fn orders_of(&self, ctx: &CallContext, verification: &str) -> Result<VendorAnswer, CallError> {
        let mut url = self.url(&["orders"])?;
        url.query_pairs_mut()
            .append_pair("verification_id", verification)
            .append_pair("include_report_annotations", "true");
        self.send(&quick(ctx), self.request(Method::GET, url)).await
    }

    /// What the vendor did for an order, step by step.
    pub async fn events(
        &self,
        ctx: &CallContext,
        id: &str,
        limit: u32,
        offset: u32,
    ) -> Result<VendorAnswer, CallError> {
        let mut url = self.url(&["orders", id, "events"])?;
        url.query_pairs_mut().append_pair("limit", &limit.to_string()).append_pair("offset", &offset.to_string());
        self.send(&quick(ctx), self.request(Method::GET, url)).await
    }

    /// The offset counts orders, though the vendor's page calls it a page offset.
    pub async fn orders(
        &self,
        ctx: &CallContext,
        search_key: Option<&str>,
        limit: u32,
        offset: u32,
    ) -> Result<VendorAnswer, CallError> {
        self.send(&quick(ctx), self.list(search_key, limit, offset)?).await
    }

    /// One row of the list, and what is wrong with the answer's signature. The answer is given whatever that is.
    pub async fn probe(&self, ctx: &CallContext) -> Result<(VendorAnswer, Option<SignatureFault>), CallError> {
        let answer = self.http.send(&quick(ctx), self.list(None, 1, 0)?).await?;
        let fault = match self.signature {
            SignatureMode::Off => None,
            _ => signature::verify(&self.keys, &answer.headers, &answer.body).err(),
        };
        Ok((answer, fault))
    }

    fn list(&self, search_key: Option<&str>, limit: u32, offset: u32) -> Result<VendorRequest, CallError> {
        let mut url = self.url(&[self.collection()])?;
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("limit", &limit.to_string()).append_pair("offset", &offset.to_string());
            if let Some(key) = search_key {
                query.append_pair("search_key", key);
            }
        }
        Ok(self.request(Method::GET, url))
    }

    pub async fn cancel(&self, ctx: &CallContext, id: &str, body: Vec<u8>) -> Result<VendorAnswer, CallError> {
        let url = self.url(&[self.collection(), id, "cancel"])?;
        self.send(&quick(ctx), self.request(Method::PUT, url).body("application/json", body)).await
    }

    /// One report with its income analytics, which an order's GET does not give, and the annotations that it does.
    pub async fn report(&self, ctx: &CallContext, id: &str) -> Result<VendorAnswer, CallError> {
        let mut url = self.url(&["reports", id])?;
        url.query_pairs_mut()
            .append_pair("include_income_analytics", "true")
            .append_pair("include_report_annotations", "true");
        self.send(&quick(ctx), self.request(Method::GET, url)).await
    }

    pub async fn report_pdf(&self, ctx: &CallContext, id: &str) -> Result<ByteStream, CallError> {
        self.pdf(ctx, &["reports", id]).await
    }

    /// As older versions have it: under the verification.
    pub async fn older_report_pdf(
        &self,
        ctx: &CallContext,
        verification: &str,
        report: &str,
    ) -> Result<ByteStream, CallError> {
        self.pdf(ctx, &["verification-requests", verification, "reports", report]).await
    }

    async fn pdf(&self, ctx: &CallContext, segments: &[&str]) -> Result<ByteStream, CallError> {
        let accept = format!("application/pdf; version={}", self.version.as_str());
        let request = self.request(Method::GET, self.url(segments)?).header(ACCEPT, ascii(&accept)?);
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

    /// What orders are called in the paths.
    const fn collection(&self) -> &'static str {
        if self.version.has_orders() { "orders" } else { "verification-requests" }
    }

    fn request(&self, method: Method, url: Url) -> VendorRequest {
        VendorRequest::new(method, url)
            .header(ACCEPT, HeaderValue::from_static(self.version.accept()))
            .header(AUTHORIZATION, self.authorization.clone())
    }

    async fn send(&self, ctx: &CallContext, request: VendorRequest) -> Result<VendorAnswer, CallError> {
        let answer = self.http.send(ctx, request).await?;
        if self.signature == SignatureMode::Off {
            return Ok(answer);
        }
        match signature::verify(&self.keys, &answer.headers, &answer.body) {
            Ok(()) => Ok(answer),
            Err(fault) if self.signature == SignatureMode::Warn => {
                tracing::warn!(status = answer.status.as_u16(), %fault, "an answer of Truework is not what it signs");
                Ok(answer)
            }
            // Whoever wrote it, it says nothing about what the vendor did.
            Err(_) => Err(CallError::Lost { why: provider::LostReason::Unreadable }),
        }
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
