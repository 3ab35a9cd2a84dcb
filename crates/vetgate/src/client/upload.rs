//! Sending what may be large, and what makes sending it twice harmless.

use std::io::{self, Read as _};
use std::path::Path;

use futures::stream;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Body, Method};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

use super::{Client, Query, json_of};

/// How much is sent at once, in bytes.
const PIECE: usize = 64 * 1024;

/// What is sent.
pub struct Upload {
    pub media_type: &'static str,
    /// What the first request with it made is given back to every later one, for 24 hours.
    pub idempotency_key: String,
    pub body: Body,
    /// In bytes.
    pub length: u64,
}

impl Upload {
    /// What is in hand as a whole.
    pub fn whole(media_type: &'static str, idempotency_key: String, body: Vec<u8>) -> Self {
        Self { media_type, idempotency_key, length: body.len() as u64, body: body.into() }
    }
}

/// What came of it.
pub struct Uploaded {
    pub answer: Value,
    /// An earlier request with the same key had made it.
    pub replayed: bool,
}

impl Client {
    /// Posts it. It may take as long as it takes: the gateway answers when everything is stored.
    pub async fn upload(&self, path: &[&str], query: Query<'_>, upload: Upload) -> anyhow::Result<Uploaded> {
        let request = self.request(Method::POST, path, query)?;
        let request = request.header(CONTENT_TYPE, upload.media_type).header(CONTENT_LENGTH, upload.length);
        let request = request.header("Idempotency-Key", upload.idempotency_key).body(upload.body);
        let answer = self.send(request).await?;
        let replayed = answer.headers().get("idempotent-replayed").is_some_and(|replayed| replayed == "true");
        Ok(Uploaded { answer: json_of(answer).await?, replayed })
    }
}

/// A head and then a file, read while it is sent. `sent` is told of each piece that goes out, in bytes.
pub fn streamed(head: Vec<u8>, file: File, sent: impl Fn(u64) + Send + Sync + 'static) -> Body {
    Body::wrap_stream(stream::try_unfold((head, file, sent), async |(head, mut file, sent)| {
        let piece = if head.is_empty() { next_piece(&mut file).await? } else { head };
        sent(piece.len() as u64);
        Ok::<_, io::Error>((!piece.is_empty()).then_some((piece, (Vec::new(), file, sent))))
    }))
}

async fn next_piece(file: &mut File) -> io::Result<Vec<u8>> {
    let mut piece = vec![0; PIECE];
    let length = file.read(&mut piece).await?;
    piece.truncate(length);
    Ok(piece)
}

/// The SHA-256 of a file, in hexadecimal.
pub fn digest(path: &Path) -> io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hex::encode(hash.finalize())),
            length => hash.update(&piece[..length]),
        }
    }
}
