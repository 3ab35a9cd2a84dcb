//! `/consent`: the subject's agreement, without which nobody is checked.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use domain::{Consent, ConsentDocument, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::rules;
use crate::faults::Faults;
use crate::{section, texts};

/// How far a caller's clock may be before ours.
const SKEW: Duration = Duration::from_mins(5);

/// The largest inline document, in bytes.
const LARGEST: usize = 10 * 1024 * 1024;

const AT: &str = "/consent/document";

/// A document as it comes: which of its two forms it is shows in its fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    url: Option<String>,
    filename: Option<String>,
    content_base64: Option<String>,
}

pub fn read(mut value: Value, now: Timestamp, faults: &mut Faults) -> Option<Consent> {
    let document =
        value.as_object_mut().and_then(|consent| consent.remove("document")).filter(|value| !value.is_null());
    let mut consent: Consent = section::parse(value, "/consent", faults)?;
    if consent.obtained_at > now + SKEW {
        faults.push("/consent/obtained_at", "invalid", "The consent must have been obtained before the order.");
    }
    if let Some(expiry) = consent.expires_at {
        if expiry <= now {
            faults.push("/consent/expires_at", "expired", "The consent has expired; obtain it anew.");
        } else if expiry <= consent.obtained_at {
            faults.push("/consent/expires_at", "invalid", "This time lies before the one it must follow.");
        }
    }
    consent.document = document.and_then(|value| read_document(value, faults));
    Some(consent)
}

fn read_document(value: Value, faults: &mut Faults) -> Option<ConsentDocument> {
    let document: Document = section::parse(value, AT, faults)?;
    match document {
        Document { url: Some(url), filename: None, content_base64: None } => link(url, faults),
        Document { url: None, filename: Some(filename), content_base64: Some(content) } => {
            inline(filename, content, faults)
        }
        Document { url: None, filename, content_base64 } => {
            let missing = match (filename, content_base64) {
                (Some(_), None) => "content_base64",
                (None, Some(_)) => "filename",
                _ => "url",
            };
            faults.push(format!("{AT}/{missing}"), "required", "Give either url, or filename and content_base64.");
            None
        }
        Document { .. } => {
            faults.push(AT, "invalid", "Give either url, or filename and content_base64, not both.");
            None
        }
    }
}

fn link(url: String, faults: &mut Faults) -> Option<ConsentDocument> {
    let is_link = Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "https" | "gs") && url.has_host());
    if !is_link {
        faults.push(format!("{AT}/url"), "invalid", "Expected a link that begins with https:// or gs://.");
        return None;
    }
    Some(ConsentDocument::Link { url })
}

fn inline(filename: String, content_base64: String, faults: &mut Faults) -> Option<ConsentDocument> {
    rules::filled(&filename, &format!("{AT}/filename"), faults);
    texts::longest(&filename, &format!("{AT}/filename"), 255, faults);
    if filename.contains(['/', '\\']) {
        faults.push(format!("{AT}/filename"), "invalid", "Expected the name of a file, without folders.");
    }
    let pointer = format!("{AT}/content_base64");
    if content_base64.len() > LARGEST.div_ceil(3) * 4 {
        faults.push(pointer, "too_long", "The document is larger than 10 MB.");
        return None;
    }
    match BASE64_STANDARD.decode(&content_base64) {
        Ok(bytes) if bytes.len() > LARGEST => faults.push(pointer, "too_long", "The document is larger than 10 MB."),
        Ok(bytes) if !bytes.starts_with(b"%PDF") => faults.push(pointer, "invalid", "The document is not a PDF."),
        Ok(_) => return Some(ConsentDocument::Inline { filename, content_base64 }),
        Err(_) => faults.push(pointer, "invalid", "Expected base64 with padding (RFC 4648, section 4)."),
    }
    None
}
