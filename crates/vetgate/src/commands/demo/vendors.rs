//! Somebody who sees behind the scenes of the simulated vendors: their faults, their switches, their books.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use reqwest::{Method, RequestBuilder};
use sandbox::{Books, Sandbox};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

/// The longest that one answer may take.
const PATIENCE: Duration = Duration::from_secs(15);

pub struct Vendors {
    http: reqwest::Client,
    addresses: BTreeMap<&'static str, Url>,
}

impl Vendors {
    #[expect(clippy::disallowed_methods, reason = "it looks behind the simulators' scenes, and calls no vendor")]
    pub fn of(sandbox: &Sandbox) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(PATIENCE).build()?;
        let addresses = sandbox.all().map(|(vendor, simulator)| (vendor, simulator.base_url().clone())).into();
        Ok(Self { http, addresses })
    }

    /// Arms a fault for a vendor's next create call.
    pub async fn arm(&self, vendor: &str, fault: &Value) -> anyhow::Result<()> {
        let mut armed = fault.clone();
        armed["on"] = "create".into();
        answer::<Value>(self.request(Method::POST, vendor, "faults")?.json(&armed)).await.map(drop)
    }

    /// How many faults still wait for their calls.
    pub async fn armed(&self, vendor: &str) -> anyhow::Result<usize> {
        Ok(answer::<Vec<Value>>(self.request(Method::GET, vendor, "faults")?).await?.len())
    }

    /// Sets some of a vendor's switches.
    pub async fn behave(&self, vendor: &str, switches: &Value) -> anyhow::Result<()> {
        answer::<Value>(self.request(Method::PUT, vendor, "behavior")?.json(switches)).await.map(drop)
    }

    /// Orders of other clients of the account, as old as this.
    pub async fn make_strangers(&self, vendor: &str, count: usize, age: Duration) -> anyhow::Result<()> {
        let age = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        let asked = json!({ "count": count, "kind": "foreign", "age_ms": age });
        answer::<Value>(self.request(Method::POST, vendor, "strangers")?.json(&asked)).await.map(drop)
    }

    pub async fn books(&self, vendor: &str) -> anyhow::Result<Books> {
        answer(self.request(Method::GET, vendor, "books")?).await
    }

    fn request(&self, method: Method, vendor: &str, what: &str) -> anyhow::Result<RequestBuilder> {
        let address = self.addresses.get(vendor).context("there is no such vendor")?;
        Ok(self.http.request(method, address.join("_sandbox/")?.join(what)?))
    }
}

async fn answer<T: DeserializeOwned>(request: RequestBuilder) -> anyhow::Result<T> {
    let answer = request.send().await?;
    let (status, url) = (answer.status(), answer.url().path().to_owned());
    let body = answer.bytes().await?;
    anyhow::ensure!(status.is_success(), "{url} answered {status}: {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).with_context(|| format!("{url} answered what cannot be read"))
}
