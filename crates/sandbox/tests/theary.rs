//! The simulator of Theary: what its batches do, and what its books and lists say of many orders.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sandbox::theary::{self, Config};
use sandbox::{Fault, FaultKind, Running, SimClock};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::datetime;

struct Site {
    simulator: Running,
    client: reqwest::Client,
    /// The simulator's time, which moves when it is told to.
    now: Arc<Mutex<OffsetDateTime>>,
}

impl Site {
    #[expect(clippy::disallowed_methods, reason = "a test of the simulator itself")]
    async fn with(behavior: Value) -> Self {
        let now = Arc::new(Mutex::new(datetime!(2026-11-20 10:00 UTC)));
        let source = Arc::clone(&now);
        let clock = SimClock::of(Arc::new(move || *source.lock().expect("the time")));
        let simulator = theary::start(0, clock, Config::default()).await.expect("a simulator");
        simulator.control().set_behavior(behavior).expect("known switches");
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { simulator, client, now }
    }

    fn wait(&self, seconds: u64) {
        *self.now.lock().expect("the time") += Duration::from_secs(seconds);
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> Option<(u16, Value)> {
        let url = format!("{}{path}", self.simulator.base_url());
        let request = self.client.request(method.parse().expect("a method"), url).bearer_auth(Config::default().token);
        let answer = request.json(body).send().await.ok()?;
        let status = answer.status().as_u16();
        Some((status, serde_json::from_slice(&answer.bytes().await.ok()?).unwrap_or_default()))
    }

    async fn batch(&self, references: &[&str]) -> Option<(u16, Value)> {
        let orders: Vec<Value> = references.iter().map(|reference| order("Ada", reference)).collect();
        self.send("POST", "background-check/v1/batches", &json!({ "orders": orders })).await
    }

    async fn page(&self, page: usize) -> Value {
        let path = format!("background-check/v1/orders?page={page}&limit=100");
        self.send("GET", &path, &Value::Null).await.expect("a page").1
    }

    /// The references in the books, in the order the orders were made.
    fn made(&self) -> Vec<String> {
        self.simulator.control().books().objects.into_iter().flat_map(|order| order.references).collect()
    }

    async fn listed(&self) -> u64 {
        self.page(1).await["pagination"]["total"].as_u64().expect("a total")
    }
}

fn order(first_name: &str, reference: &str) -> Value {
    json!({
        "applicant": {"firstName": first_name, "lastName": "Sample", "ssn": "900-45-0001"},
        "businessContext": {
            "entityName": "Hiring Works", "appliedJobTitle": "Clerk", "worksiteCity": "Reno", "worksiteState": "NV",
            "proposedSalary": 50_000,
        },
        "searchTypes": [{"searchType": "EMPLOYMENT", "externalSearchId": reference}],
        "history": {"employment": [{"employerName": "Past Works", "position": "Clerk"}]},
    })
}

#[tokio::test]
async fn every_third_batch_throws_and_its_siblings_come_late_and_are_listed_later_still() {
    let site = Site::with(json!({
        "batch_throw_every": 3, "batch_throw_status": 500, "siblings_after_error_ms": 20_000,
        "siblings_before_error": 1, "list_lag_ms": 10_000,
    }))
    .await;
    for (call, status) in [(1, 201), (2, 201), (3, 500), (4, 201), (5, 201), (6, 500)] {
        let references = ["a", "b", "c"].map(|name| format!("{call}{name}"));
        let references: Vec<&str> = references.iter().map(String::as_str).collect();
        assert_eq!(site.batch(&references).await.expect("an answer").0, status, "batch {call}");
    }
    let at_once = 4 * 3 + 2;
    assert_eq!(site.made().len(), at_once);
    assert!(site.made().contains(&"3a".to_owned()) && !site.made().contains(&"3b".to_owned()), "the middle one threw");
    assert_eq!(site.listed().await, 0, "nothing is listed yet");
    site.wait(10);
    assert_eq!((site.made().len(), site.listed().await), (at_once, at_once as u64));
    site.wait(10);
    assert_eq!((site.made().len(), site.listed().await), (at_once + 2, at_once as u64), "made, and not listed yet");
    site.wait(10);
    assert_eq!(site.listed().await, at_once as u64 + 2);
    assert!(!site.made().iter().any(|reference| reference == "3b" || reference == "6b"));

    let books = site.simulator.control().books();
    let asked: Vec<_> = books.creates.iter().flat_map(|call| call.references.iter().flatten()).collect();
    assert_eq!(asked.len(), 18, "in the order they came: {asked:?}");
    assert!(asked.is_sorted());
    assert_eq!((books.calls_of("batch"), books.calls_of("create"), books.calls_of("list")), (6, 6, 4));
}

/// Late siblings were made when they were due, however late somebody looks.
#[tokio::test]
async fn late_siblings_bear_the_time_at_which_they_were_made() {
    let site = Site::with(json!({"batch_throw_at": 0, "siblings_after_error_ms": 20_000})).await;
    assert_eq!(site.batch(&["a", "b"]).await.expect("an answer").0, 400);
    site.wait(3_600);
    assert_eq!(site.page(1).await["data"][0]["createdAt"], "2026-11-20T10:00:20Z");
}

#[tokio::test]
async fn successes_lie_as_they_are_told_to() {
    let references = ["a", "b", "c"];
    let ids = |answer: &Value| -> Vec<String> {
        let orders = answer["orders"].as_array().expect("orders").iter();
        orders.map(|order| order["verificationOrderId"].as_str().expect("an id").to_owned()).collect()
    };
    for (switches, listed) in [
        (json!({}), vec!["a", "b", "c"]),
        (json!({"batch_shuffle": true}), vec!["c", "b", "a"]),
        (json!({"batch_omits": 1}), vec!["a", "b"]),
        (json!({"batch_repeats_id": true}), vec!["a", "b", "a"]),
        (json!({"batch_names_older": true}), vec!["older", "b", "c"]),
        (json!({"batch_shuffle": true, "batch_omits": 2}), vec!["c"]),
    ] {
        let site = Site::with(json!({})).await;
        site.send("POST", "background-check/v1/orders", &order("Ada", "older")).await.expect("an answer");
        site.simulator.control().set_behavior(switches.clone()).expect("known switches");
        let (status, answer) = site.batch(&references).await.expect("an answer");
        assert_eq!(
            (status, &answer["success"], &answer["ordersCreated"]),
            (201, &json!(true), &json!(3)),
            "{switches}"
        );
        let books = site.simulator.control().books();
        let expected: Vec<_> = listed.iter().map(|name| books.by_reference()[name][0].id.clone()).collect();
        assert_eq!(ids(&answer), expected, "{switches}");
        assert_eq!(site.made().len(), 4, "{switches}: all were made");
        assert_eq!(books.creates.iter().map(|call| call.operation.as_str()).collect::<Vec<_>>(), ["create", "batch"]);
    }
    let site = Site::with(json!({"batch_denies": true})).await;
    assert_eq!(site.batch(&references).await.expect("an answer").1["success"], json!(false));
}

#[tokio::test]
async fn faults_meet_batches_alone_or_every_create() {
    let site = Site::with(json!({})).await;
    let control = site.simulator.control();
    control.arm(Fault::new("batch", FaultKind::DropAfter));
    control.arm(Fault::new("create", FaultKind::StatusAfter).status(504));
    control.arm(Fault::new("batch", FaultKind::Halve));
    let single = order("Ada", "single");
    let path = "background-check/v1/orders";
    assert_eq!(site.send("POST", path, &single).await.expect("an answer").0, 504, "a fault for batches passed over");
    assert_eq!(site.batch(&["a", "b"]).await, None, "cut");
    assert_eq!(site.batch(&["c", "d"]).await, Some((201, Value::Null)), "half an answer");
    assert_eq!(site.made(), ["single", "a", "b", "c", "d"]);
    let books = site.simulator.control().books();
    assert_eq!((books.calls_of("create"), books.calls_of("batch")), (3, 2));
    control.arm(Fault::new("batch", FaultKind::StatusBefore));
    site.batch(&["e", "f"]).await.expect("an answer");
    assert_eq!(site.simulator.control().books().creates.len(), 3, "no work was begun");
}

#[tokio::test]
async fn strangers_are_like_whom_they_are_told_to() {
    let site = Site::with(json!({})).await;
    for (name, reference) in [("Ada", "1"), ("Bea", "2")] {
        let path = "background-check/v1/orders";
        site.send("POST", path, &order(name, reference)).await.expect("an answer");
    }
    let names = json!([["Ada", "Sample"], ["Cleo", "Sample"]]);
    let (_, answer) = site
        .send(
            "POST",
            "_sandbox/strangers",
            &json!({"count": 4, "kind": "mixed", "names": names, "references": ["x", "y"]}),
        )
        .await
        .expect("an answer");
    assert_eq!(answer["ids"].as_array().map(Vec::len), Some(4));
    let books = site.simulator.control().books();
    let strangers: Vec<_> = books.objects.iter().filter(|order| order.stranger).collect();
    let references: Vec<_> = strangers.iter().map(|order| order.references.first().map(String::as_str)).collect();
    assert_eq!(references, [None, Some("y"), None, Some("y")]);
    let page = site.page(1).await;
    let shown: Vec<_> =
        page["data"].as_array().expect("rows").iter().map(|row| &row["applicant"]["firstName"]).collect();
    assert_eq!(shown, ["Cleo", "Ada", "Cleo", "Ada", "Bea", "Ada"], "newest first");
}

/// Thousands of orders: each page holds what it should, in both orders, and the books answer for each reference.
#[tokio::test]
async fn large_accounts_are_listed_page_by_page() {
    const ALL: usize = 12_000;
    let site = Site::with(json!({})).await;
    site.batch(&["a", "b"]).await.expect("an answer");
    site.simulator.control().make_strangers(ALL / 2 - 1, &json!({"kind": "foreign", "age_ms": 60_000}));
    site.wait(60);
    site.simulator.control().make_strangers(ALL / 2 - 1, &json!({}));
    for unordered in [false, true] {
        site.simulator.control().set_behavior(json!({ "unordered": unordered })).expect("a switch");
        let mut ids = BTreeSet::new();
        let mut times = Vec::new();
        for page in 1..=ALL / 100 {
            let page = site.page(page).await;
            assert_eq!(page["pagination"]["total"], json!(ALL));
            for row in page["data"].as_array().expect("rows") {
                ids.insert(row["id"].as_str().expect("an id").to_owned());
                times
                    .push(OffsetDateTime::parse(row["createdAt"].as_str().expect("a time"), &Rfc3339).expect("a time"));
            }
        }
        assert_eq!((ids.len(), times.len()), (ALL, ALL), "each once");
        assert_eq!(times.is_sorted_by(|one, next| one >= next), !unordered);
        assert!(site.page(ALL / 100 + 1).await["data"].as_array().is_some_and(Vec::is_empty));
    }
    let books = site.simulator.control().books();
    let held = books.by_reference();
    assert_eq!((held["a"].len(), held["b"].len()), (1, 1));
    assert_eq!(held.len(), 2 + ALL / 2 - 1 + (ALL / 2 - 1) / 2);
}
