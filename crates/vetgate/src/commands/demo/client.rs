//! A caller of the gateway, and somebody who looks into the simulators' books.

use std::time::Duration;

use anyhow::Context as _;
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

/// The longest that one answer may take.
const PATIENCE: Duration = Duration::from_secs(15);

#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    gateway: Url,
    token: String,
}

impl Client {
    #[expect(clippy::disallowed_methods, reason = "it calls the gateway and the simulators, not a vendor")]
    pub fn new(gateway: Url, token: String) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(PATIENCE).build()?;
        Ok(Self { http, gateway, token })
    }

    /// Posts an order. Gives its id and its checks' ids.
    pub async fn post_order(&self, order: &Value) -> anyhow::Result<Value> {
        let request = self.http.request(Method::POST, self.gateway.join("v1/orders")?).json(order);
        answer(request.bearer_auth(&self.token), 201).await
    }

    pub async fn order(&self, id: &str) -> anyhow::Result<Value> {
        self.get(&format!("v1/orders/{id}")).await
    }

    /// Every reconciliation case.
    pub async fn cases(&self) -> anyhow::Result<Vec<Value>> {
        let mut cases = Vec::new();
        let mut cursor = String::new();
        loop {
            let page: Value = self.get(&format!("v1/reconciliation/cases?limit=200{cursor}")).await?;
            cases.extend(page["data"].as_array().context("a list of cases was expected")?.iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(cases),
            }
        }
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let request = self.http.request(Method::GET, self.gateway.join(path)?);
        answer(request.bearer_auth(&self.token), 200).await
    }

    /// Arms a fault for the next create call of a simulator.
    pub async fn arm(&self, simulator: &Url, fault: &Value) -> anyhow::Result<()> {
        let mut armed = json!({ "on": "create" });
        for (key, value) in fault.as_object().into_iter().flatten() {
            armed[key] = value.clone();
        }
        let request = self.http.request(Method::POST, simulator.join("_sandbox/faults")?).json(&armed);
        answer::<Value>(request, 201).await.map(drop)
    }

    /// The faults that still wait for their calls.
    pub async fn armed(&self, simulator: &Url) -> anyhow::Result<usize> {
        let armed: Vec<Value> = answer(self.http.request(Method::GET, simulator.join("_sandbox/faults")?), 200).await?;
        Ok(armed.len())
    }

    pub async fn books(&self, simulator: &Url) -> anyhow::Result<sandbox::Books> {
        answer(self.http.request(Method::GET, simulator.join("_sandbox/books")?), 200).await
    }
}

async fn answer<T: DeserializeOwned>(request: reqwest::RequestBuilder, expected: u16) -> anyhow::Result<T> {
    let answer = request.send().await?;
    let (status, url) = (answer.status().as_u16(), answer.url().path().to_owned());
    let body = answer.bytes().await?;
    anyhow::ensure!(status == expected, "{url} answered {status}: {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).with_context(|| format!("{url} answered what cannot be read"))
}
