//! Every fault as a client on the other end of the socket meets it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use sandbox::clock::{SimClock, rfc3339};
use sandbox::{Behavior, BookEntry, Books, Fault, FaultKind, Hook, Running, Switches, Tools, Vendor, server};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Habits {
    long_names: bool,
}

struct Shop {
    tools: Tools,
    habits: Switches<Habits>,
    made: Mutex<Vec<BookEntry>>,
}

impl Shop {
    fn make(&self, reference: Option<String>) -> String {
        let mut made = self.made.lock().expect("a sound lock");
        let id = format!("item-{}", made.len());
        made.push(BookEntry {
            id: id.clone(),
            parts: Vec::new(),
            stranger: reference.is_none(),
            references: reference.into_iter().collect(),
            state: "open".to_owned(),
            created_at: rfc3339(self.tools.clock.now()),
            canceled: false,
        });
        id
    }
}

impl Vendor for Shop {
    fn router(self: Arc<Self>) -> Router {
        let make = |State(shop): State<Arc<Self>>, body: String| async move {
            let id = shop.make(Some(body));
            (StatusCode::CREATED, json!({ "id": id, "padding": "x".repeat(1000) }).to_string())
        };
        let list =
            |State(shop): State<Arc<Self>>| async move { shop.made.lock().expect("a sound lock").len().to_string() };
        Router::new().route("/items", post(make)).route("/items", get(list)).with_state(self)
    }

    fn classify(&self, method: &Method, _: &str) -> &'static str {
        if method == Method::POST { "create" } else { "list" }
    }

    fn error_body(&self, status: StatusCode) -> Value {
        json!({ "oops": status.as_u16() })
    }

    fn objects(&self) -> Vec<BookEntry> {
        self.made.lock().expect("a sound lock").clone()
    }

    fn behavior(&self) -> &dyn Behavior {
        &self.habits
    }

    fn make_strangers(&self, count: usize, _: &Value) -> Vec<String> {
        (0..count).map(|_| self.make(None)).collect()
    }

    /// Tells of each item once it is a minute old, by the simulator's clock.
    fn tick(&self) {
        let Some(url) = self.tools.hooks.target() else { return };
        for item in self.made.lock().expect("a sound lock").iter_mut().filter(|item| item.state == "open") {
            let made = time::OffsetDateTime::parse(&item.created_at, &time::format_description::well_known::Rfc3339);
            if self.tools.clock.elapsed_since(made.expect("a time")) >= Duration::from_mins(1) {
                "done".clone_into(&mut item.state);
                let body = Bytes::from(item.id.clone());
                self.tools.hooks.send(Hook { url: url.clone(), headers: HeaderMap::new(), body });
            }
        }
    }
}

async fn shop() -> Running {
    let make = |tools| Shop { tools, habits: Switches::default(), made: Mutex::default() };
    server::start(0, SimClock::wall(), make).await.expect("a shop")
}

/// Makes one call on a connection of its own. Gives what came back until the connection ended, or until `most` bytes.
async fn call(shop: &Running, method: &str, path: &str, body: &str, most: usize) -> String {
    let mut socket = TcpStream::connect(shop.base_url().authority()).await.expect("a connection");
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    socket.write_all(request.as_bytes()).await.expect("written");
    let mut answer = Vec::new();
    // A connection that is cut may end with a reset: what came before it counts.
    let _ = socket.take(most as u64).read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn create(shop: &Running) -> String {
    call(shop, "POST", "/items", "mine", 1 << 20).await
}

async fn control(shop: &Running, method: &str, path: &str, body: Value) -> (u16, Value) {
    let answer = call(shop, method, path, &body.to_string(), 1 << 20).await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    (head[9..12].parse().expect("a status"), serde_json::from_str(body).unwrap_or(Value::Null))
}

fn made(shop: &Running) -> usize {
    shop.control().books().objects.len()
}

#[tokio::test]
async fn without_faults_work_is_done_and_answered() {
    let shop = shop().await;
    let answer = create(&shop).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(made(&shop), 1);
    shop.shutdown().await;
}

#[tokio::test]
async fn a_dropped_connection_gives_no_answer() {
    let shop = shop().await;
    shop.control().arm(Fault::new("create", FaultKind::DropBefore));
    assert_eq!(create(&shop).await, "");
    assert_eq!(made(&shop), 0);
    shop.control().arm(Fault::new("create", FaultKind::DropAfter));
    assert_eq!(create(&shop).await, "");
    assert_eq!(made(&shop), 1);
}

#[tokio::test]
async fn a_status_is_worded_as_the_vendor_does() {
    let shop = shop().await;
    shop.control().arm(Fault::new("create", FaultKind::StatusBefore).status(503));
    let answer = create(&shop).await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.ends_with(r#"{"oops":503}"#), "{answer}");
    assert_eq!(made(&shop), 0);
    shop.control().arm(Fault::new("create", FaultKind::StatusAfter).status(504));
    assert!(create(&shop).await.starts_with("HTTP/1.1 504"));
    assert_eq!(made(&shop), 1);
}

#[tokio::test]
async fn a_truncated_answer_promises_more_than_it_gives() {
    let shop = shop().await;
    shop.control().arm(Fault::new("create", FaultKind::Truncate));
    let answer = create(&shop).await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let promised = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    let promised: usize = promised.parse().expect("a number");
    assert!(head.starts_with("HTTP/1.1 201"));
    assert_eq!(body.len(), promised / 2);
    assert_eq!(made(&shop), 1);
}

#[tokio::test]
async fn half_an_answer_looks_whole() {
    let shop = shop().await;
    let whole = create(&shop).await;
    shop.control().arm(Fault::new("create", FaultKind::Halve));
    let half = create(&shop).await;
    let body = |answer: &str| answer.split_once("\r\n\r\n").expect("a head").1.to_owned();
    assert!(half.starts_with("HTTP/1.1 201") && body(&half).starts_with(r#"{"id":"item-1""#), "{half}");
    assert_eq!(body(&half).len(), body(&whole).len() / 2);
    assert!(half.contains(&format!("content-length: {}\r\n", body(&half).len())), "{half}");
    assert_eq!(made(&shop), 2);
}

#[tokio::test]
async fn garbage_is_no_json_and_may_be_chosen() {
    let shop = shop().await;
    shop.control().arm(Fault::new("create", FaultKind::Garbage));
    let answer = create(&shop).await;
    assert!(answer.starts_with("HTTP/1.1 201") && answer.contains("<html>"), "{answer}");
    shop.control().arm(Fault { body: Some("[[[".to_owned()), ..Fault::new("create", FaultKind::Garbage) });
    assert!(create(&shop).await.ends_with("\r\n\r\n[[["));
    assert_eq!(made(&shop), 2);
}

#[tokio::test]
async fn a_flood_never_ends() {
    let shop = shop().await;
    shop.control().arm(Fault::new("create", FaultKind::Flood));
    let answer = call(&shop, "POST", "/items", "mine", 20 << 20).await;
    assert_eq!(answer.len(), 20 << 20);
    assert_eq!(made(&shop), 1);
}

#[tokio::test]
async fn a_stalled_answer_never_comes_and_holds_nothing_up() {
    let shop = shop().await;
    shop.control().arm(Fault::new("create", FaultKind::Stall));
    tokio::select! {
        answer = create(&shop) => panic!("answered: {answer}"),
        () = async { while made(&shop) == 0 { tokio::task::yield_now().await } } => {}
    }
    shop.shutdown().await;
}

#[tokio::test]
async fn a_delayed_answer_is_the_real_one() {
    let shop = shop().await;
    shop.control().arm(Fault::new("create", FaultKind::Delay).delay(Duration::from_millis(5)));
    assert!(create(&shop).await.starts_with("HTTP/1.1 201"));
}

#[tokio::test]
async fn a_rate_limit_says_when_to_come_back() {
    let shop = shop().await;
    shop.control().arm(Fault::new("any", FaultKind::RateLimit));
    let answer = create(&shop).await;
    assert!(answer.starts_with("HTTP/1.1 429") && answer.contains("retry-after: 2\r\n"), "{answer}");
    assert_eq!(made(&shop), 0);
}

#[tokio::test]
async fn everything_is_controlled_over_http() {
    let shop = shop().await;
    let fault = json!({ "on": "create", "fault": "status_before", "status": 502 });
    assert_eq!(control(&shop, "POST", "/_sandbox/faults", fault.clone()).await.0, 201);
    assert!(create(&shop).await.starts_with("HTTP/1.1 502"));
    control(&shop, "POST", "/_sandbox/faults", fault).await;
    assert_eq!(control(&shop, "DELETE", "/_sandbox/faults", json!({})).await.0, 204);
    assert!(create(&shop).await.starts_with("HTTP/1.1 201"));

    let (status, strangers) = control(&shop, "POST", "/_sandbox/strangers", json!({ "count": 2 })).await;
    assert_eq!((status, strangers), (201, json!({ "ids": ["item-1", "item-2"] })));
    let (_, books) = control(&shop, "GET", "/_sandbox/books", json!({})).await;
    let books: Books = serde_json::from_value(books).expect("books");
    assert_eq!(books.with_reference("mine").count(), 1);
    assert_eq!(books.objects.iter().filter(|object| object.stranger).count(), 2);
    assert_eq!((books.calls_of("create"), books.calls_of("list")), (2, 0));

    let patch = json!({ "long_names": true, "hooks": { "lose_every": 3 } });
    let (status, shown) = control(&shop, "PUT", "/_sandbox/behavior", patch).await;
    assert_eq!((status, &shown["long_names"], &shown["hooks"]["lose_every"]), (200, &json!(true), &json!(3)));
    assert_eq!(control(&shop, "PUT", "/_sandbox/behavior", json!({ "lnog_names": true })).await.0, 422);
    assert_eq!(control(&shop, "GET", "/_sandbox/behavior", json!({})).await.1, shown);
}

#[tokio::test]
async fn hooks_are_tried_again_doubled_and_lost_as_told() {
    let (receiver, shop) = (shop().await, shop().await);
    let target = receiver.base_url().join("items").expect("a URL");
    // The receiver refuses the first hook once.
    receiver.control().arm(Fault::new("create", FaultKind::StatusBefore));
    let told = json!({ "hooks": { "target": target, "retry_ms": 1, "lose_every": 2, "duplicate_every": 3 } });
    control(&shop, "PUT", "/_sandbox/behavior", told).await;
    shop.control().make_strangers(3, &Value::Null);
    assert!(shop.control().hook_reports().is_empty());
    control(&shop, "POST", "/_sandbox/advance", json!({ "ms": 61_000 })).await;

    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while shop.control().hook_reports().len() < 4 {
        assert!(tokio::time::Instant::now() < deadline, "{:?}", shop.control().hook_reports());
        tokio::task::yield_now().await;
    }
    let reports = shop.control().hook_reports();
    assert_eq!(reports.iter().filter(|report| report.lost).count(), 1);
    assert_eq!(reports.iter().map(|report| report.attempts).sum::<u32>(), 4);
    let got = receiver.control().books();
    let of = |id| got.with_reference(id).count();
    assert_eq!((of("item-0"), of("item-1"), of("item-2")), (1, 0, 2));
}

#[tokio::test]
async fn hooks_can_arrive_last_first() {
    let (receiver, shop) = (shop().await, shop().await);
    let target = receiver.base_url().join("items").expect("a URL");
    shop.control().set_behavior(json!({ "hooks": { "target": target, "reorder": 4 } })).expect("told");
    shop.control().make_strangers(3, &Value::Null);
    shop.control().advance(Duration::from_mins(2));
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while made(&receiver) < 3 {
        assert!(tokio::time::Instant::now() < deadline, "{:?}", shop.control().hook_reports());
        tokio::task::yield_now().await;
    }
    let got: Vec<_> = receiver.control().books().objects.into_iter().flat_map(|hook| hook.references).collect();
    assert_eq!(got, ["item-2", "item-1", "item-0"]);
}

#[tokio::test]
async fn nothing_runs_on_after_a_stop() {
    let shop = shop().await;
    let address = shop.base_url().authority().to_owned();
    let idle = TcpStream::connect(&address).await.expect("a connection");
    shop.shutdown().await;
    assert!(TcpStream::connect(&address).await.is_err());
    drop(idle);
}
