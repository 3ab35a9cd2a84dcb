//! A simulator of Truework.

use std::io;
use std::sync::Arc;

use axum::Router;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::books::BookEntry;
use crate::clock::SimClock;
use crate::server::{self, Running};
use crate::vendor::{Behavior, Switches, Vendor};

/// The credentials it takes and gives.
#[derive(Debug, Clone)]
pub struct Config {
    pub api_key: String,
    /// Sent with its hooks.
    pub hook_token: String,
}

impl Default for Config {
    fn default() -> Self {
        Self { api_key: "sandbox-truework-key".to_owned(), hook_token: "sandbox-truework-hook-token".to_owned() }
    }
}

/// Starts it on this port (0: a free one).
pub async fn start(port: u16, clock: SimClock, config: Config) -> io::Result<Running> {
    server::start(port, clock, |_| Simulator { _config: config, switches: Switches::default() }).await
}

struct Simulator {
    _config: Config,
    switches: Switches<()>,
}

impl Vendor for Simulator {
    fn router(self: Arc<Self>) -> Router {
        Router::new()
    }

    fn classify(&self, _: &Method, _: &str) -> &'static str {
        "other"
    }

    fn error_body(&self, status: StatusCode) -> Value {
        json!({ "message": status.canonical_reason() })
    }

    fn objects(&self) -> Vec<BookEntry> {
        Vec::new()
    }

    fn behavior(&self) -> &dyn Behavior {
        &self.switches
    }

    fn make_strangers(&self, _: usize, _: &Value) -> Vec<String> {
        Vec::new()
    }
}
