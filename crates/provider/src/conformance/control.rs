//! The control protocol of the simulators, from the other side.

use std::collections::BTreeMap;

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

/// Behind the scenes of a simulator.
#[derive(Clone)]
pub struct Control {
    base_url: Url,
    http: reqwest::Client,
}

/// One object in the simulator's books.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Entry {
    pub id: String,
    #[serde(default)]
    pub parts: Vec<String>,
    #[serde(default)]
    pub references: Vec<String>,
    pub state: String,
    #[serde(default)]
    pub canceled: bool,
    #[serde(default)]
    pub stranger: bool,
}

/// The simulator's own truth.
#[derive(Debug, Clone, Deserialize)]
pub struct Books {
    pub objects: Vec<Entry>,
    pub calls: BTreeMap<String, u32>,
}

impl Books {
    pub fn with_reference(&self, reference: &str) -> Vec<&Entry> {
        self.objects.iter().filter(|object| object.references.iter().any(|known| known == reference)).collect()
    }

    /// How many calls of an operation came in. A `batch` is a `create`, too.
    pub fn calls_of(&self, operation: &str) -> u32 {
        let is_one = |known: &str| known == operation || known == "batch" && operation == "create";
        self.calls.iter().filter(|(known, _)| is_one(known)).map(|(_, count)| count).sum()
    }

    /// How many calls of each operation came in since then.
    pub fn calls_since(&self, earlier: &Self) -> BTreeMap<String, u32> {
        let since = self.calls.iter().map(|(operation, count)| {
            let before = earlier.calls.get(operation).copied().unwrap_or(0);
            (operation.clone(), count - before)
        });
        since.filter(|(_, count)| *count > 0).collect()
    }
}

impl Control {
    /// The simulator that is reached here.
    #[expect(clippy::disallowed_methods, reason = "a simulator's control is no vendor and has no budget")]
    pub fn at(base_url: Url) -> Self {
        // A process-wide choice; whoever came first made the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { base_url, http }
    }

    pub async fn books(&self) -> Books {
        let books = self.ask(Method::GET, "books", &Value::Null).await;
        serde_json::from_value(books).expect("books")
    }

    /// Arms a fault: the fields of the protocol, `{"on": …, "fault": …}`.
    pub async fn arm(&self, fault: &Value) {
        self.ask(Method::POST, "faults", fault).await;
    }

    pub async fn clear_faults(&self) {
        self.ask(Method::DELETE, "faults", &Value::Null).await;
    }

    pub async fn set_behavior(&self, switches: &Value) {
        self.ask(Method::PUT, "behavior", switches).await;
    }

    pub async fn make_strangers(&self, count: u32) {
        self.ask(Method::POST, "strangers", &json!({ "count": count })).await;
    }

    pub async fn advance(&self, by: std::time::Duration) {
        self.ask(Method::POST, "advance", &json!({ "ms": by.as_millis() })).await;
    }

    async fn ask(&self, method: Method, what: &str, body: &Value) -> Value {
        let url = self.base_url.join(&format!("/_sandbox/{what}")).expect("a URL");
        let answer = self.http.request(method, url).json(body).send().await.expect("an answer of the simulator");
        let status = answer.status();
        let text = answer.text().await.expect("a whole answer");
        assert!(status.is_success(), "the simulator answered {status} to {what}: {text}");
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).expect("JSON") }
    }
}
