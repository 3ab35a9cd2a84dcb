//! Digital Identity's calls: links are made on the account host, processes are read on one of their own.

use http::Method;
use provider::{ByteStream, CallContext, CallError, VendorAnswer};
use url::Url;

use crate::client::{Client, bad_request};

pub struct IdentityClient {
    client: Client,
    account: Url,
    identity: Url,
}

impl IdentityClient {
    pub const fn new(client: Client, account: Url, identity: Url) -> Self {
        Self { client, account, identity }
    }

    /// `POST /v1/api-keys`: a token for one applicant.
    pub async fn create(&self, ctx: &CallContext, form: &[(&'static str, String)]) -> Result<VendorAnswer, CallError> {
        let mut url = self.account.clone();
        url.set_path("/v1/api-keys");
        self.client.write(ctx, Method::POST, url, form).await
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
        self.client.read(ctx, url).await
    }

    pub async fn pdf(&self, ctx: &CallContext, process_id: &str) -> Result<ByteStream, CallError> {
        let url = self.process_url(process_id, &["pdf"])?;
        self.client.http().stream(ctx, self.client.request(Method::GET, url)).await
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
}
