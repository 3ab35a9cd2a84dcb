//! Where the simulators' hooks arrive. They wait there until the trial decides what becomes of each.

use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use domain::{AccountKey, ProviderId, Timestamp};
use provider::HookRequest;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

/// A hook as it came over the wire.
#[derive(Clone)]
pub struct Letter {
    pub account: AccountKey,
    pub headers: HeaderMap,
    pub body: axum::body::Bytes,
}

impl Letter {
    pub fn received_at(self, at: Timestamp) -> HookRequest {
        HookRequest { headers: self.headers, body: self.body, received_at: at }
    }

    /// The same with other contents and the old signature, as somebody sends it who knows no secret.
    #[must_use]
    pub fn forged(mut self) -> Self {
        let mut body = self.body.to_vec();
        let middle = body.len() / 2;
        if let Some(byte) = body.get_mut(middle) {
            *byte = if *byte == b'A' { b'B' } else { b'A' };
        }
        self.body = body.into();
        // A token that is not bound to the body is not to be had either.
        for value in self.headers.values_mut() {
            let other = value.to_str().ok().map(|text| text.chars().rev().collect::<String>());
            if let Some(other) = other.and_then(|text| text.parse().ok()) {
                *value = other;
            }
        }
        self
    }
}

type Waiting = Arc<Mutex<Vec<Letter>>>;

/// Takes hooks in and answers each 200 at once. Closes when it is dropped.
pub struct PostRoom {
    address: Url,
    waiting: Waiting,
    serving: JoinHandle<()>,
}

impl PostRoom {
    pub async fn open() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = format!("http://{}/", listener.local_addr()?).parse().map_err(io::Error::other)?;
        let waiting = Waiting::default();
        let router = Router::new().route("/{vendor}", post(take)).with_state(Arc::clone(&waiting));
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                eprintln!("hooks are taken in no more: {error}");
            }
        });
        Ok(Self { address, waiting, serving })
    }

    /// Where hooks are sent, each under its vendor's id.
    pub const fn address(&self) -> &Url {
        &self.address
    }

    /// What has come in since it was asked last.
    pub fn collect(&self) -> Vec<Letter> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for PostRoom {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(
    State(waiting): State<Waiting>,
    Path(vendor): Path<String>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> StatusCode {
    let account = AccountKey::default_of(ProviderId::new(vendor));
    waiting.lock().unwrap_or_else(PoisonError::into_inner).push(Letter { account, headers, body });
    StatusCode::OK
}
