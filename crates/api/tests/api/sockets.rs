//! Refusals over real connections: whoever still sends gets to see the answer.

use http::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::gateway::{Gateway, all_scopes};

/// Less than is read off, and more than fits into what the connection buffers at its beginning.
const LENGTH: usize = 1_000_000;

async fn connect(gateway: &Gateway) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = gateway.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    TcpStream::connect(address).await.expect("a connection")
}

/// The status and text of the next answer.
async fn answer(stream: &mut TcpStream) -> (u16, String) {
    let mut text = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let count = stream.read(&mut piece).await.expect("not reset");
        assert!(count > 0, "closed after {}", String::from_utf8_lossy(&text));
        text.extend_from_slice(&piece[..count]);
        let told = String::from_utf8_lossy(&text);
        let Some((head, body)) = told.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if length.is_some_and(|length| length.parse() == Ok(body.len())) {
            let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
            return (status.expect("a status"), told.into_owned());
        }
    }
}

fn head(gateway: &Gateway, path: &str, media_type: &str, more: &str, length: usize) -> String {
    let token = gateway.token(&all_scopes());
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-type: {media_type}\r\n{more}\
         content-length: {length}\r\n\r\n"
    )
}

/// Each with what it is refused with before its body is looked at.
const REFUSED: [(&str, &str, StatusCode); 4] = [
    ("/v1/batches", "text/plain", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ("/v1/batches?x=1", "text/csv", StatusCode::UNPROCESSABLE_ENTITY),
    ("/v1/batches", "text/csv", StatusCode::SERVICE_UNAVAILABLE),
    ("/v1/orders", "text/csv", StatusCode::UNSUPPORTED_MEDIA_TYPE),
];

#[tokio::test]
async fn a_refusal_is_heard_while_the_body_is_sent_and_after_it() {
    let gateway = Gateway::with(|settings| settings.max_uploads = 0).await;
    for (path, media_type, status) in REFUSED {
        for at_first in [1, LENGTH / 2, LENGTH] {
            let mut stream = connect(&gateway).await;
            let (body, rest) = (vec![b'x'; at_first], vec![b'x'; LENGTH - at_first]);
            stream.write_all(head(&gateway, path, media_type, "", LENGTH).as_bytes()).await.expect("sent");
            stream.write_all(&body).await.expect("sent");
            let (told, text) = answer(&mut stream).await;
            assert_eq!(told, status.as_u16(), "{path}, {at_first}: {text}");
            stream.write_all(&rest).await.expect("sent");
            // All of it was read: the connection serves the next request.
            stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.expect("sent");
            let (told, text) = answer(&mut stream).await;
            assert_eq!(told, 200, "{path}, {at_first}: {text}");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_announced_too_large_is_refused_audibly() {
    let gateway = Gateway::start().await;
    for (path, media_type) in [("/v1/batches", "text/csv"), ("/v1/orders", "application/json")] {
        let mut stream = connect(&gateway).await;
        stream.write_all(head(&gateway, path, media_type, "", 1 << 30).as_bytes()).await.expect("sent");
        stream.write_all(&vec![b'x'; LENGTH]).await.expect("sent");
        assert_eq!(answer(&mut stream).await.0, 413, "{path}");
    }
}

#[tokio::test]
async fn a_body_that_waits_to_be_asked_for_is_not_asked_for_in_vain() {
    let gateway = Gateway::start().await;
    let mut stream = connect(&gateway).await;
    let head = head(&gateway, "/v1/batches", "text/plain", "expect: 100-continue\r\n", LENGTH);
    stream.write_all(head.as_bytes()).await.expect("sent");
    let (told, text) = answer(&mut stream).await;
    assert!(told == 415 && !text.contains("100 Continue"), "{text}");
}
