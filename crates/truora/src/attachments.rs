//! The files that sources gave the vendor about a check.
//!
//! The vendor lists them with links that end soon and open the file for whoever holds them. So a file is known here by its
//! source and its name, and its link is asked for anew each time.

use provider::{ByteStream, CallContext, CallError, DocumentRef, LostReason, NotSentReason};

use crate::client::{self, Client};
use crate::links::FileHosts;
use crate::pages::Pages;
use crate::wire::{Attachment, AttachmentPage};

const PREFIX: &str = "attachment/";

/// The most files and pages that are read of one check.
const MOST_FILES: usize = 500;
const MOST_PAGES: usize = 50;

/// The longest name of a file, in bytes.
const LONGEST_NAME: usize = 1_000;

/// A file's place: its check, its source, its name, and which of those with the same name it is.
#[derive(Debug, PartialEq, Eq)]
pub struct Place(String, String, String, usize);

/// Reads the locator that [`list`] wrote.
pub fn place(locator: &str) -> Option<Place> {
    let (check, source, name, nth) = serde_json::from_str(locator.strip_prefix(PREFIX)?).ok()?;
    Some(Place(check, source, name, nth))
}

/// What is attached to a check.
pub async fn list(client: &Client, ctx: &CallContext, check_id: &str) -> Result<Vec<DocumentRef>, CallError> {
    let files = read(client, ctx, check_id).await?;
    let refs = placed(&files).map(|(source, name, nth, file)| DocumentRef {
        locator: format!("{PREFIX}{}", serde_json::json!([check_id, source, name, nth])),
        kind: "attachment".to_owned(),
        media_type: media_type(file),
        filename: if name.is_empty() { "attachment".to_owned() } else { name.to_owned() },
    });
    Ok(refs.collect())
}

/// The bytes of one, by a link that is asked for now.
pub async fn open(
    client: &Client,
    hosts: &FileHosts,
    ctx: &CallContext,
    Place(check_id, source, name, nth): &Place,
) -> Result<ByteStream, CallError> {
    let files = read(client, ctx, check_id).await?;
    let wanted = (source.as_str(), name.as_str(), *nth);
    let found = placed(&files).find(|(source, name, nth, _)| (*source, *name, *nth) == wanted);
    let (.., file) = found.ok_or(CallError::Lost { why: LostReason::Status(404) })?;
    let link = hosts.follow(file.link.as_deref().unwrap_or_default()).map_err(|fault| {
        tracing::warn!(check = check_id, %fault, "an attachment cannot be fetched");
        CallError::NotSent { why: NotSentReason::LinkRefused, retry_after: None }
    })?;
    client.file(ctx, link).await
}

async fn read(client: &Client, ctx: &CallContext, check_id: &str) -> Result<Vec<Attachment>, CallError> {
    let too_large = CallError::Lost { why: LostReason::TooLarge };
    let mut pages = Pages::from(client.list_of(check_id, "attachments")?);
    let mut next = Some(pages.first().clone());
    let mut files = Vec::new();
    for _ in 0..MOST_PAGES {
        let Some(url) = next else { return Ok(files) };
        let page: AttachmentPage = client::ok(client.page(ctx, url).await?)?.json()?;
        files.extend(page.files.ok_or(client::unreadable())?);
        let is_too_long = |file: &Attachment| file.file_name.as_ref().is_some_and(|name| name.len() > LONGEST_NAME);
        if files.len() > MOST_FILES || files.iter().any(is_too_long) {
            return Err(too_large);
        }
        next = pages.follow(page.next.as_deref()).map_err(|_| client::unreadable())?;
    }
    Err(too_large)
}

/// Each file with its source, its name, and how many before it had both the same.
fn placed(files: &[Attachment]) -> impl Iterator<Item = (&str, &str, usize, &Attachment)> {
    let key = |file: &'_ Attachment| (file.database_id.clone(), file.file_name.clone());
    files.iter().enumerate().map(move |(at, file)| {
        let nth = files[..at].iter().filter(|before| key(before) == key(file)).count();
        (file.database_id.as_deref().unwrap_or_default(), file.file_name.as_deref().unwrap_or_default(), nth, file)
    })
}

/// The vendor's word for the type, if it is one.
fn media_type(file: &Attachment) -> String {
    let word = file.mime_type.as_deref().unwrap_or_default().trim().to_ascii_lowercase();
    let is_token =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.+_".contains(&b));
    let is_type =
        word.len() <= 100 && word.split_once('/').is_some_and(|(kind, rest)| is_token(kind) && is_token(rest));
    if is_type { word } else { "application/octet-stream".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(source: &str, name: &str, mime_type: &str) -> Attachment {
        let text = |text: &str| Some(text.to_owned());
        Attachment { database_id: text(source), file_name: text(name), link: None, mime_type: text(mime_type) }
    }

    #[test]
    fn files_of_the_same_name_are_told_apart() {
        let files = [file("A", "x.pdf", ""), file("B", "x.pdf", ""), file("A", "x.pdf", ""), file("A", "y.pdf", "")];
        let places: Vec<_> = placed(&files).map(|(source, name, nth, _)| (source, name, nth)).collect();
        assert_eq!(places, [("A", "x.pdf", 0), ("B", "x.pdf", 0), ("A", "x.pdf", 1), ("A", "y.pdf", 0)]);
    }

    #[test]
    fn only_a_media_type_is_called_one() {
        for (given, kept) in [
            ("application/pdf", "application/pdf"),
            (" Image/PNG ", "image/png"),
            ("text/html; charset=x", "application/octet-stream"),
            ("pdf", "application/octet-stream"),
            ("a/b\r\nx: y", "application/octet-stream"),
            ("", "application/octet-stream"),
        ] {
            assert_eq!(media_type(&file("A", "x", given)), kept, "{given:?}");
        }
    }

    #[test]
    fn a_locator_is_read_as_it_was_written() {
        let of = |text: &str| place(&format!("attachment/{text}"));
        let there = Some(Place("CHK1".into(), "DBI\"1".into(), "a/b.pdf".into(), 2));
        assert_eq!(of(r#"["CHK1","DBI\"1","a/b.pdf",2]"#), there);
        for bad in ["", "CHK1", "[]", r#"["CHK1","DBI1"]"#] {
            assert_eq!(of(bad), None, "{bad}");
        }
        assert_eq!(place("pdf/CHK1"), None);
    }
}
