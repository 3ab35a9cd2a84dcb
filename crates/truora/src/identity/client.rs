//! Digital Identity's calls: links are made on the account host, processes are read on one of their own.

use http::{HeaderValue, Method};
use provider::{ByteStream, CallContext, CallError, VendorAnswer, VendorHttp, VendorRequest};
use url::Url;

use crate::client::{FORM, KEY, bad_request};

pub struct IdentityClient {
    http: VendorHttp,
    key: HeaderValue,
    account: Url,
    identity: Url,
}

impl IdentityClient {
    pub const fn new(http: VendorHttp, key: HeaderValue, account: Url, identity: Url) -> Self {
        Self { http, key, account, identity }
    }

    /// `POST /v1/api-keys`: a token for one applicant.
    pub async fn create(&self, ctx: &CallContext, form: &[(&'static str, String)]) -> Result<VendorAnswer, CallError> {
        let mut url = self.account.clone();
        url.set_path("/v1/api-keys");
        let body = serde_urlencoded::to_string(form).map_err(|_| bad_request())?;
        self.http.send(ctx, self.request(Method::POST, url).body(FORM, body)).await
    }

    /// Where the list of processes begins: of one of the subject's accounts, or of all.
    pub fn list_url(&self, account_id: Option<&str>) -> Url {
        let mut url = self.identity.clone();
        url.set_path("/v1/processes");
        if let Some(account_id) = account_id {
            url.query_pairs_mut().append_pair("account_id", account_id);
        }
        url
    }

    /// A page of the list of processes, or one process.
    pub async fn get(&self, ctx: &CallContext, url: Url) -> Result<VendorAnswer, CallError> {
        self.http.send(ctx, self.request(Method::GET, url)).await
    }

    pub async fn pdf(&self, ctx: &CallContext, process_id: &str) -> Result<ByteStream, CallError> {
        let url = self.process_url(process_id, &["pdf"])?;
        self.http.stream(ctx, self.request(Method::GET, url)).await
    }

    /// `/v1/processes/{id}/…`. Ids are opaque, but one that would name another path is none.
    pub fn process_url(&self, process_id: &str, rest: &[&str]) -> Result<Url, CallError> {
        if matches!(process_id, "" | "." | "..") {
            return Err(bad_request());
        }
        let mut url = self.list_url(None);
        url.path_segments_mut().map_err(|()| bad_request())?.push(process_id).extend(rest);
        Ok(url)
    }

    fn request(&self, method: Method, url: Url) -> VendorRequest {
        VendorRequest::new(method, url).header(KEY, self.key.clone())
    }
}
