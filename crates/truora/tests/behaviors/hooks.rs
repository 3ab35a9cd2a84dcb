//! The simulator's hooks, as they arrive.

use std::time::Duration;

use domain::{Standing, VendorRef};
use provider::{HookNews, HookRefused, HookSays, MonitorCreated, Monitoring as _, Provider as _, Share};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::{Site, context, in_colombia, now};
use crate::support::hook;

/// Takes hooks on a port of its own and gives their bodies.
async fn receiver() -> (String, mpsc::UnboundedReceiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/hooks", listener.local_addr().expect("an address"));
    let (send, bodies) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = Vec::new();
            while body(&request).is_none() && socket.read_buf(&mut request).await.is_ok_and(|read| read > 0) {}
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
            if body(&request).is_some_and(|body| send.send(body).is_err()) {
                return;
            }
        }
    });
    (url, bodies)
}

/// The whole body, once it is there.
fn body(request: &[u8]) -> Option<Vec<u8>> {
    let end = request.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
    let length: usize = head.lines().find_map(|line| line.strip_prefix("content-length:"))?.trim().parse().ok()?;
    let body = &request[end + 4..];
    (body.len() >= length).then(|| body[..length].to_vec())
}

/// What the adapter reads in the next `count` hooks of one check, in order of their times.
async fn news_of_one_check(behavior: Value, number: &str, count: usize) -> (VendorRef, Vec<HookNews>) {
    let site = Site::with(behavior).await;
    let (url, mut bodies) = receiver().await;
    site.behave(json!({ "hooks": { "target": url } }));
    let accepted = site.order(&in_colombia(number)).await;
    site.advance(300);
    let mut news = Vec::new();
    while news.len() < count {
        let body = tokio::time::timeout(Duration::from_mins(1), bodies.recv()).await.expect("in time").expect("a hook");
        // The simulator's clock was moved ahead of ours.
        let received_at = now() + Duration::from_mins(5);
        news.extend(site.truora.receive_hook(&hook(body, received_at)).expect("an authentic hook"));
    }
    (accepted.vendor, news)
}

fn words(news: &[HookNews]) -> Vec<String> {
    let word = |news: &HookNews| match &news.says {
        HookSays::Snapshot(snapshot) => snapshot.native_status.clone(),
        other => format!("{other:?}"),
    };
    let mut words: Vec<_> = news.iter().map(word).collect();
    words.sort();
    words
}

#[tokio::test]
async fn every_step_of_a_check_is_told_and_signed() {
    for behavior in [
        json!({}),
        json!({ "hook_format": "wrapped", "hook_event_type": "checks.check" }),
        json!({ "hook_key_hex": true }),
    ] {
        let (vendor, news) = news_of_one_check(behavior, "1032456792", 4).await;
        assert_eq!(words(&news), ["completed", "delayed", "in_progress", "not_started"]);
        assert!(news.iter().all(|news| news.vendor.as_ref() == Some(&vendor) && news.reference.is_some()));
        let last = news.iter().find_map(|news| match &news.says {
            HookSays::Snapshot(snapshot) if snapshot.standing.is_final() => Some(&snapshot.standing),
            _ => None,
        });
        assert!(matches!(last, Some(Standing::Completed { outcome: domain::Outcome::Clear, .. })), "{last:?}");
    }
}

#[tokio::test]
async fn finished_tells_of_an_error_too() {
    let (_, news) = news_of_one_check(json!({}), "1032456793", 3).await;
    assert_eq!(words(&news), ["error", "in_progress", "not_started"]);
}

#[tokio::test]
async fn a_run_that_differs_is_told_and_names_its_continuous_check() {
    for kind in ["check", "checks.check"] {
        let site = Site::with(json!({ "hook_event_type": kind })).await;
        let (url, mut bodies) = receiver().await;
        // Clean, and with records from the second run on.
        let check = site.order(&in_colombia("1032456789")).await.vendor;
        site.advance(60);
        site.behave(json!({ "hooks": { "target": url } }));
        let end_date = (now() + Duration::from_hours(30 * 24)).date();
        let every = "daily".parse().expect("a frequency");
        let made = site.truora.create(&context(Share::Create), &check, every, end_date).await;
        let MonitorCreated::Made(made) = made else { panic!("not made: {made:?}") };
        site.advance(4 * 24 * 60 * 60);
        let changed = loop {
            let body =
                tokio::time::timeout(Duration::from_mins(1), bodies.recv()).await.expect("in time").expect("a hook");
            let received_at = now() + Duration::from_hours(4 * 24);
            let news = site.truora.receive_hook(&hook(body, received_at)).expect("an authentic hook");
            let id = news.into_iter().find_map(|news| match news.says {
                HookSays::MonitorChanged { monitor_id } => Some(monitor_id),
                _ => None,
            });
            if let Some(id) = id {
                break id;
            }
        };
        assert_eq!(changed, made.id, "{kind}");
    }
}

#[tokio::test]
async fn unsigned_hooks_are_refused() {
    let site = Site::with(json!({ "hook_format": "json" })).await;
    let (url, mut bodies) = receiver().await;
    site.behave(json!({ "hooks": { "target": url } }));
    site.order(&in_colombia("1032456701")).await;
    let body = tokio::time::timeout(Duration::from_mins(1), bodies.recv()).await.expect("in time").expect("a hook");
    assert_eq!(site.truora.receive_hook(&hook(body, now())).err(), Some(HookRefused::NotAuthentic));
}
