//! What is looked at before a vendor's document is handed on.

use bytes::BytesMut;
use futures::{StreamExt as _, stream};

use crate::call::{CallError, LostReason};
use crate::http::ByteStream;
use crate::snapshot::DocumentRef;

/// The document once its first bytes are here. One that calls itself a PDF and is none (an error page, an empty body) is
/// refused by them, before anything of it is handed on; so is one without any bytes.
pub async fn opened(document: &DocumentRef, mut stream: ByteStream) -> Result<ByteStream, CallError> {
    const UNREADABLE: CallError = CallError::Lost { why: LostReason::Unreadable };
    let magic: &[u8] = if document.media_type == "application/pdf" { b"%PDF" } else { b"" };
    let mut head = BytesMut::new();
    while head.len() < magic.len().max(1) {
        head.extend_from_slice(&stream.next().await.ok_or(UNREADABLE)??);
    }
    if !head.starts_with(magic) {
        return Err(UNREADABLE);
    }
    Ok(Box::pin(stream::once(async { Ok(head.freeze()) }).chain(stream)))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn stream_of(pieces: &'static [&'static [u8]]) -> ByteStream {
        Box::pin(stream::iter(pieces.iter().map(|piece| Ok(Bytes::from_static(piece)))))
    }

    fn document(media_type: &str) -> DocumentRef {
        let (locator, kind, filename) = (String::new(), "report".to_owned(), "report".to_owned());
        DocumentRef { locator, kind, media_type: media_type.to_owned(), filename }
    }

    #[tokio::test]
    async fn only_a_pdf_passes_for_one() {
        let pdf = document("application/pdf");
        let passed = opened(&pdf, stream_of(&[b"%P", b"", b"DF-1.4", b" rest"])).await;
        let bytes = passed.expect("a PDF").map(|piece| piece.expect("a piece").to_vec()).concat().await;
        assert_eq!(bytes, b"%PDF-1.4 rest");
        for bad in [&[b"<html>" as &[u8]] as &[&[u8]], &[b"%P"], &[]] {
            assert!(opened(&pdf, stream_of(bad)).await.is_err(), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn anything_else_is_what_it_is_but_not_empty() {
        let image = document("image/png");
        assert!(opened(&image, stream_of(&[b"", b"<html>"])).await.is_ok());
        assert!(opened(&image, stream_of(&[b""])).await.is_err());
    }
}
