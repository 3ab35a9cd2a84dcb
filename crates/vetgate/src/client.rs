//! A caller of the gateway's API: what the commands and the demo ask it through.
//!
//! Answers are passed on as the JSON they are, so that a command shows what the API says and nothing of its own.

pub mod access;
pub mod refused;
pub mod upload;

use std::time::Duration;

use anyhow::Context as _;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder, Response};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use url::Url;

pub use self::access::{Access, Tokens};
pub use self::refused::Refused;

/// The longest that one answer may take. A scan takes as long as the vendor does.
const PATIENCE: Duration = Duration::from_secs(150);
const CONNECTING: Duration = Duration::from_secs(10);
/// The most entries of one page.
const MOST_OF_A_PAGE: usize = 200;

/// What a query asks for. What has no value is left out.
pub type Query<'q> = &'q [(&'q str, Option<&'q str>)];

#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    gateway: Url,
    tokens: Tokens,
}

impl Client {
    #[expect(clippy::disallowed_methods, reason = "it calls the gateway, not a vendor")]
    pub fn new(gateway: Url, tokens: Tokens) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().connect_timeout(CONNECTING).build()?;
        Ok(Self { http, gateway, tokens })
    }

    /// An object, by the parts of its path below `/v1`.
    pub async fn get(&self, path: &[&str], query: Query<'_>) -> anyhow::Result<Value> {
        json_of(self.send(self.request(Method::GET, path, query)?.timeout(PATIENCE)).await?).await
    }

    pub async fn post(&self, path: &[&str], body: Option<&Value>) -> anyhow::Result<Value> {
        let request = self.request(Method::POST, path, &[])?.timeout(PATIENCE);
        let request = if let Some(body) = body { request.json(body) } else { request };
        json_of(self.send(request).await?).await
    }

    /// The first `limit` entries of a list, over as many pages as it takes, in the form of a page.
    pub async fn list(&self, path: &[&str], query: Query<'_>, limit: usize) -> anyhow::Result<Value> {
        let mut entries = Vec::new();
        let mut cursor = None::<String>;
        loop {
            let size = (limit - entries.len()).min(MOST_OF_A_PAGE).to_string();
            let paging = [("limit", Some(size.as_str())), ("cursor", cursor.as_deref())];
            let mut page = self.get(path, &[query, &paging].concat()).await?;
            let Value::Array(data) = page["data"].take() else { anyhow::bail!("a list was expected") };
            entries.extend(data);
            cursor = page["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() || entries.len() >= limit {
                return Ok(json!({ "data": entries, "next_cursor": cursor }));
            }
        }
    }

    /// Every entry of a list.
    pub async fn all(&self, path: &[&str], query: Query<'_>) -> anyhow::Result<Vec<Value>> {
        match self.list(path, query, usize::MAX).await?["data"].take() {
            Value::Array(entries) => Ok(entries),
            _ => Ok(Vec::new()),
        }
    }

    /// An answer to be read piece by piece.
    pub async fn download(&self, path: &[&str], query: Query<'_>) -> anyhow::Result<Response> {
        self.send(self.request(Method::GET, path, query)?).await
    }

    /// An answer in this form, as far as it has several, to be read piece by piece.
    pub async fn download_as(&self, path: &[&str], media_type: &str) -> anyhow::Result<Response> {
        self.send(self.request(Method::GET, path, &[])?.header(ACCEPT, media_type).timeout(PATIENCE)).await
    }

    fn request(&self, method: Method, path: &[&str], query: Query<'_>) -> anyhow::Result<RequestBuilder> {
        let mut url = self.gateway.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v1").extend(path);
        }
        let given = query.iter().filter_map(|(name, value)| Some((name, (*value)?)));
        for (name, value) in given {
            url.query_pairs_mut().append_pair(name, value);
        }
        Ok(self.http.request(method, url).bearer_auth(self.tokens.token()?.expose_secret()))
    }

    /// Sends a request, and turns a refusal into an error.
    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let answer = request.send().await.map_err(reqwest::Error::without_url);
        let answer = answer.with_context(|| {
            format!("{} gave no answer. Is the gateway running? --url or VETGATE_URL names another", self.gateway)
        })?;
        if answer.status().is_success() { Ok(answer) } else { Err(Refused::of(answer).await.into()) }
    }
}

async fn json_of(answer: Response) -> anyhow::Result<Value> {
    let media_type = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("nothing");
    let unreadable = format!("the gateway answered with {media_type} where JSON was expected. Is its address right?");
    let body = answer.bytes().await.map_err(reqwest::Error::without_url).context("the answer was cut short")?;
    serde_json::from_slice(&body).context(unreadable)
}
