//! The requests. Batches are on the account's host; links lead elsewhere, and are followed without the key.

use bytes::Bytes;
use http::{Method, StatusCode};
use provider::{CallContext, CallError, VendorAnswer, VendorRequest};
use tabular::Format;
use url::Url;

use crate::client::{self, Client, FORM};
use crate::links::FileHosts;

/// The largest report that is read: some hundred bytes for each of 1,000 rows would do.
pub const MAX_REPORT: usize = 8 * 1024 * 1024;

pub struct Calls {
    pub client: Client,
    account: Url,
    pub files: FileHosts,
}

impl Calls {
    pub const fn new(client: Client, account: Url, files: FileHosts) -> Self {
        Self { client, account, files }
    }

    pub async fn create(&self, ctx: &CallContext, form: &[(String, String)]) -> Result<VendorAnswer, CallError> {
        self.post(ctx, self.url(&[])?, form).await
    }

    /// `link`: one that [`FileHosts`] let through.
    pub async fn upload(&self, ctx: &CallContext, link: Url, file: Vec<u8>) -> Result<VendorAnswer, CallError> {
        let request = VendorRequest::new(Method::PUT, link).body(Format::Xlsx.media_type(), file);
        self.client.http().send(ctx, request).await
    }

    pub async fn start(&self, ctx: &CallContext, batch: &str) -> Result<VendorAnswer, CallError> {
        self.post(ctx, self.url(&[batch, "start"])?, &[]).await
    }

    pub async fn look(&self, ctx: &CallContext, batch: &str) -> Result<VendorAnswer, CallError> {
        self.client.http().send(ctx, self.client.request(Method::GET, self.url(&[batch])?)).await
    }

    /// Asking to stop what has ended, or is not there, is fine.
    pub async fn stop(&self, ctx: &CallContext, batch: &str) -> Result<(), CallError> {
        let request = self.client.request(Method::PUT, self.url(&[batch])?).body(FORM, Bytes::new());
        let answer = self.client.http().send(ctx, request).await?;
        match client::found(answer.clone()) {
            Err(_) if answer.status == StatusCode::BAD_REQUEST => Ok(()),
            other => other.map(drop),
        }
    }

    /// The format is called a part of the query, and printed as one of the form: it stands in both.
    pub async fn ask_for_report(&self, ctx: &CallContext, batch: &str) -> Result<VendorAnswer, CallError> {
        let mut url = self.url(&[batch, "report"])?;
        url.set_query(Some("format=xlsx"));
        self.post(ctx, url, &[("format".to_owned(), "xlsx".to_owned())]).await
    }

    pub async fn report_link(&self, ctx: &CallContext, batch: &str) -> Result<VendorAnswer, CallError> {
        self.client.http().send(ctx, self.client.request(Method::GET, self.url(&[batch, "report"])?)).await
    }

    pub async fn report(&self, ctx: &CallContext, link: Url) -> Result<VendorAnswer, CallError> {
        let mut request = VendorRequest::new(Method::GET, link);
        request.max_answer = MAX_REPORT;
        self.client.http().send(ctx, request).await
    }

    async fn post(&self, ctx: &CallContext, url: Url, form: &[(String, String)]) -> Result<VendorAnswer, CallError> {
        let body = serde_urlencoded::to_string(form).map_err(|_| client::bad_request())?;
        self.client.http().send(ctx, self.client.request(Method::POST, url).body(FORM, body)).await
    }

    fn url(&self, rest: &[&str]) -> Result<Url, CallError> {
        // An id that would name another path is none.
        if rest.first().is_some_and(|id| matches!(*id, "" | "." | "..")) {
            return Err(client::bad_request());
        }
        let mut url = self.account.clone();
        url.set_path("/v1/batches");
        url.path_segments_mut().map_err(|()| client::bad_request())?.extend(rest);
        Ok(url)
    }
}
