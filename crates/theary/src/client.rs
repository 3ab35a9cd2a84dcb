//! The calls. Nothing here knows what an answer means.

use ::http::Method;
use ::http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use provider::{CallContext, CallError, NotSentReason, VendorAnswer, VendorHttp, VendorRequest};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

pub struct Client {
    http: VendorHttp,
    base_url: Url,
    token: SecretString,
}

impl Client {
    pub const fn new(http: VendorHttp, base_url: Url, token: SecretString) -> Self {
        Self { http, base_url, token }
    }

    pub async fn create_order(&self, ctx: &CallContext, order: Vec<u8>) -> Result<VendorAnswer, CallError> {
        let request = self.request(Method::POST, &["orders"])?.body("application/json", order);
        self.http.send(ctx, request).await
    }

    pub async fn create_batch(&self, ctx: &CallContext, batch: Vec<u8>) -> Result<VendorAnswer, CallError> {
        let request = self.request(Method::POST, &["batches"])?.body("application/json", batch);
        self.http.send(ctx, request).await
    }

    /// One page of the account's orders, from page 1. The older pages call both parameters required; always sent.
    pub async fn list_orders(&self, ctx: &CallContext, page: u64, limit: u64) -> Result<VendorAnswer, CallError> {
        let mut request = self.request(Method::GET, &["orders"])?;
        request.url.query_pairs_mut().append_pair("page", &page.to_string()).append_pair("limit", &limit.to_string());
        self.http.send(ctx, request).await
    }

    pub async fn order(&self, ctx: &CallContext, id: &str) -> Result<VendorAnswer, CallError> {
        self.http.send(ctx, self.request(Method::GET, &["orders", id])?).await
    }

    pub async fn searches(&self, ctx: &CallContext, id: &str) -> Result<VendorAnswer, CallError> {
        self.http.send(ctx, self.request(Method::GET, &["orders", id, "searches"])?).await
    }

    pub async fn delete_order(&self, ctx: &CallContext, id: &str) -> Result<VendorAnswer, CallError> {
        self.http.send(ctx, self.request(Method::DELETE, &["orders", id])?).await
    }

    /// Any reading call, by its path below the API's address.
    pub async fn read(
        &self,
        ctx: &CallContext,
        path: &str,
        query: &[(String, String)],
    ) -> Result<VendorAnswer, CallError> {
        let segments: Vec<_> = path.split('/').skip(1).collect();
        let mut request = self.request(Method::GET, &segments)?;
        for (name, value) in query {
            request.url.query_pairs_mut().append_pair(name, value);
        }
        self.http.send(ctx, request).await
    }

    fn request(&self, method: Method, path: &[&str]) -> Result<VendorRequest, CallError> {
        // The URL library leaves such segments out, and `DELETE /orders/..` would be another call altogether.
        if path.iter().any(|segment| matches!(*segment, "" | "." | "..")) {
            return Err(unbuildable());
        }
        let mut url = self.base_url.clone();
        url.path_segments_mut()
            .map_err(|()| unbuildable())?
            .pop_if_empty()
            .extend(["background-check", "v1"])
            .extend(path);
        let mut bearer =
            HeaderValue::from_str(&format!("Bearer {}", self.token.expose_secret())).map_err(|_| unbuildable())?;
        bearer.set_sensitive(true);
        Ok(VendorRequest::new(method, url)
            .header(AUTHORIZATION, bearer)
            .header(ACCEPT, HeaderValue::from_static("application/json")))
    }
}

const fn unbuildable() -> CallError {
    CallError::NotSent { why: NotSentReason::BadRequest, retry_after: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> Client {
        Client::new(
            VendorHttp::new(),
            "https://sandbox.theary.com".parse().expect("a url"),
            SecretString::from("token"),
        )
    }

    #[test]
    fn ids_stay_one_segment() {
        let request = client().request(Method::GET, &["orders", "a/../b?c", "searches"]).expect("a request");
        assert_eq!(
            request.url.as_str(),
            "https://sandbox.theary.com/background-check/v1/orders/a%2F..%2Fb%3Fc/searches"
        );
        for id in ["", ".", ".."] {
            assert!(client().request(Method::DELETE, &["orders", id]).is_err(), "{id:?}");
        }
    }
}
