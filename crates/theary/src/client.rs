//! The calls. Nothing here knows what an answer means, but for a 401: the token is then replaced, at most once, and a read
//! is repeated with the new one. A call that makes or stops something is never repeated here.

use ::http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use ::http::{Method, StatusCode};
use provider::{CallContext, CallError, NotSentReason, VendorAnswer, VendorHttp, VendorRequest};
use url::Url;

use crate::tokens::{Token, TokenFault, Tokens};

pub struct Client {
    http: VendorHttp,
    base_url: Url,
    tokens: Tokens,
}

/// A create call that did not come to an answer about orders.
pub enum NoAnswer {
    Call(CallError),
    /// There was no token to send it with.
    Token(TokenFault),
    /// The token was refused, as one that has ended is. The next call brings another.
    TokenEnded(VendorAnswer),
}

impl From<CallError> for NoAnswer {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl Client {
    pub const fn new(http: VendorHttp, base_url: Url, tokens: Tokens) -> Self {
        Self { http, base_url, tokens }
    }

    pub async fn create_order(&self, ctx: &CallContext, order: Vec<u8>) -> Result<VendorAnswer, NoAnswer> {
        self.create(ctx, self.request(Method::POST, &["orders"])?.body("application/json", order)).await
    }

    pub async fn create_batch(&self, ctx: &CallContext, batch: Vec<u8>) -> Result<VendorAnswer, NoAnswer> {
        self.create(ctx, self.request(Method::POST, &["batches"])?.body("application/json", batch)).await
    }

    /// One page of the account's orders, from page 1. The older pages call both parameters required; always sent.
    pub async fn list_orders(&self, ctx: &CallContext, page: u64, limit: u64) -> Result<VendorAnswer, CallError> {
        let mut request = self.request(Method::GET, &["orders"])?;
        request.url.query_pairs_mut().append_pair("page", &page.to_string()).append_pair("limit", &limit.to_string());
        self.read(ctx, request).await
    }

    pub async fn order(&self, ctx: &CallContext, id: &str) -> Result<VendorAnswer, CallError> {
        self.read(ctx, self.request(Method::GET, &["orders", id])?).await
    }

    pub async fn searches(&self, ctx: &CallContext, id: &str) -> Result<VendorAnswer, CallError> {
        self.read(ctx, self.request(Method::GET, &["orders", id, "searches"])?).await
    }

    pub async fn delete_order(&self, ctx: &CallContext, id: &str) -> Result<VendorAnswer, CallError> {
        let request = self.request(Method::DELETE, &["orders", id])?;
        let token = self.token(ctx).await?;
        let answer = self.send(ctx, request, &token).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            self.tokens.refuse(&token);
        }
        Ok(answer)
    }

    /// Where a signed release may be put, and under which address the vendor knows it then. Makes no order.
    pub async fn upload_link(&self, ctx: &CallContext) -> Result<VendorAnswer, CallError> {
        let mut request = self.request(Method::GET, &[])?;
        request.url.set_path("/files/release-form/generate-upload-url");
        self.read(ctx, request).await
    }

    /// Puts a release where the vendor's link leads. The link is signed; the token stays here.
    pub async fn put_pdf(&self, ctx: &CallContext, link: Url, pdf: Vec<u8>) -> Result<VendorAnswer, CallError> {
        self.http.send(ctx, VendorRequest::new(Method::PUT, link).body("application/pdf", pdf)).await
    }

    /// The token that calls are made with at present.
    pub async fn token(&self, ctx: &CallContext) -> Result<std::sync::Arc<Token>, TokenFault> {
        self.tokens.get(&self.http, ctx).await
    }

    async fn create(&self, ctx: &CallContext, request: VendorRequest) -> Result<VendorAnswer, NoAnswer> {
        let token = self.token(ctx).await.map_err(NoAnswer::Token)?;
        let answer = self.send(ctx, request, &token).await?;
        if answer.status == StatusCode::UNAUTHORIZED && self.tokens.refuse(&token) {
            return Err(NoAnswer::TokenEnded(answer));
        }
        Ok(answer)
    }

    async fn read(&self, ctx: &CallContext, request: VendorRequest) -> Result<VendorAnswer, CallError> {
        let token = self.token(ctx).await?;
        let answer = self.send(ctx, request.clone(), &token).await?;
        if answer.status != StatusCode::UNAUTHORIZED || !self.tokens.refuse(&token) {
            return Ok(answer);
        }
        match self.token(ctx).await {
            Ok(token) => self.send(ctx, request, &token).await,
            // There is no better answer than the one in hand.
            Err(_) => Ok(answer),
        }
    }

    async fn send(&self, ctx: &CallContext, request: VendorRequest, token: &Token) -> Result<VendorAnswer, CallError> {
        let bearer = token.bearer().ok_or_else(bad_request)?;
        let answer = self.http.send(ctx, request.header(AUTHORIZATION, bearer)).await?;
        if answer.status.is_success() {
            token.prove();
        }
        Ok(answer)
    }

    /// Any reading call, by its path below the API's address.
    pub async fn read_path(
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
        self.read(ctx, request).await
    }

    fn request(&self, method: Method, path: &[&str]) -> Result<VendorRequest, CallError> {
        // The URL library leaves such segments out, and `DELETE /orders/..` would be another call altogether.
        if path.iter().any(|segment| matches!(*segment, "" | "." | "..")) {
            return Err(bad_request());
        }
        let mut url = self.base_url.clone();
        url.path_segments_mut()
            .map_err(|()| bad_request())?
            .pop_if_empty()
            .extend(["background-check", "v1"])
            .extend(path);
        Ok(VendorRequest::new(method, url).header(ACCEPT, HeaderValue::from_static("application/json")))
    }
}

pub const fn bad_request() -> CallError {
    CallError::NotSent { why: NotSentReason::BadRequest, retry_after: None }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use secrecy::SecretString;

    use super::*;
    use crate::settings::Credentials;

    fn client() -> Client {
        let credentials = Credentials::Token(SecretString::from("token"));
        let tokens = Tokens::new(credentials, Arc::new(Instant::now));
        Client::new(VendorHttp::new(), "https://sandbox.theary.com".parse().expect("a url"), tokens)
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
