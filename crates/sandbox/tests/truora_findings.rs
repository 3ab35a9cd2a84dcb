//! What is beside a check's result at the simulator of Truora, held against what its documents say.

use std::time::Duration;

use sandbox::truora::{self, Config};
use sandbox::{Running, SimClock};
use serde_json::{Value, json};

struct Site {
    simulator: Running,
    client: reqwest::Client,
    check: String,
}

impl Site {
    /// With a check that was just made.
    #[expect(clippy::disallowed_methods, reason = "a test of the simulator itself")]
    async fn start(behavior: Value) -> Self {
        let simulator = truora::start(0, SimClock::wall(), Config::default()).await.expect("a simulator");
        simulator.control().set_behavior(behavior).expect("known switches");
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let mut site = Self { simulator, client, check: String::new() };
        let form = "type=person&country=CO&national_id=1032456701&user_authorized=true&first_name=Ana";
        let request = site.request("POST", "v1/checks").body(form);
        let made = request.header("content-type", "application/x-www-form-urlencoded").send().await.expect("an answer");
        let made: Value = serde_json::from_slice(&made.bytes().await.expect("a body")).expect("json");
        made["check"]["check_id"].as_str().expect("an id").clone_into(&mut site.check);
        site
    }

    fn advance(&self, seconds: u64) {
        self.simulator.control().advance(Duration::from_secs(seconds));
    }

    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = self.simulator.base_url().join(path).expect("a URL");
        let method = method.parse().expect("a method");
        self.client.request(method, url).header("Truora-API-Key", Config::default().api_key)
    }

    async fn part(&self, part: &str) -> Value {
        let answer = self.request("GET", &format!("v1/checks/{}/{part}", self.check)).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 200, "{part}");
        serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("json")
    }

    /// By a link alone.
    async fn file(&self, link: &str) -> u16 {
        self.client.get(link).send().await.expect("an answer").status().as_u16()
    }
}

#[tokio::test]
async fn links_to_attachments_need_no_key_and_end() {
    let site = Site::start(json!({ "link_ms": 60_000 })).await;
    assert_eq!(site.part("attachments").await["files"], json!([]), "nothing yet");
    site.advance(30);
    let listed = site.part("attachments").await;
    assert_eq!((&listed["total"], &listed["next"]), (&json!(2), &json!("")));
    let link = listed["files"][0]["link"].as_str().expect("a link");
    assert_eq!(site.file(link).await, 200);
    let keyed = site.client.get(link).header("Truora-API-Key", Config::default().api_key).send().await;
    assert_eq!(keyed.expect("an answer").status().as_u16(), 400, "a link and a key are one proof too many");
    assert_eq!(site.file(&link.replace("Expires=", "Expires=9")).await, 403, "its end is signed");
    site.advance(120);
    assert_eq!(site.file(link).await, 403);
    let fresh = site.part("attachments").await;
    assert_eq!(site.file(fresh["files"][0]["link"].as_str().expect("a link")).await, 200);
}

#[tokio::test]
async fn details_and_reports_are_in_the_language_asked_for() {
    let site = Site::start(json!({ "page_size": 3 })).await;
    site.advance(30);
    let page = site.part("details?lang=en").await;
    assert_eq!(page["details"][0]["tables"][0]["title"], "Result");
    assert_eq!(site.part("details").await["details"][0]["tables"][0]["title"], "Resultado");
    assert!(page["next"].as_str().is_some_and(|next| next.contains("/details?start_key=")), "{page}");
}

#[tokio::test]
async fn variables_come_after_the_end_and_a_hook_may_tell() {
    let site = Site::start(json!({ "variables_ms": 60_000, "variables_hook": true, "hook_format": "json" })).await;
    let (told, mut hooks) = tokio::sync::mpsc::unbounded_channel();
    let sink = axum::Router::new().fallback(async move |body: String| {
        let event: Value = serde_json::from_str(&body).expect("json");
        told.send(event["events"][0]["event_action"].as_str().expect("an action").to_owned()).expect("a reader");
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, sink).await });
    site.simulator.control().set_behavior(json!({ "hooks": { "target": url } })).expect("known switches");

    site.advance(30);
    assert_eq!(site.part("variables").await["variables_status"], "in_progress");
    site.advance(61);
    let variables = site.part("variables").await;
    assert_eq!(
        (&variables["variables_status"], &variables["check_status"]),
        (&json!("completed"), &json!("completed"))
    );
    let told = async { while hooks.recv().await.expect("a hook") != "decision_variables_finished" {} };
    tokio::time::timeout(Duration::from_mins(1), told).await.expect("it is told");
}
