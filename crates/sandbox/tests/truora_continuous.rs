//! The simulator of Truora's continuous checks, held against what its documents say.

use std::sync::Arc;
use std::time::Duration;

use sandbox::truora::{self, Config};
use sandbox::{Running, SimClock};
use serde_json::{Value, json};
use time::macros::datetime;

const DAY: u64 = 24 * 60 * 60;

struct Site {
    simulator: Running,
    client: reqwest::Client,
}

impl Site {
    #[expect(clippy::disallowed_methods, reason = "a test of the simulator itself")]
    async fn start() -> Self {
        let clock = SimClock::of(Arc::new(|| datetime!(2026-03-10 10:00 UTC)));
        let simulator = truora::start(0, clock, Config::default()).await.expect("a simulator");
        Self { simulator, client: reqwest::Client::builder().no_proxy().build().expect("a client") }
    }

    async fn send(&self, method: &str, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let url = format!("{}{path}", self.simulator.base_url().as_str().trim_end_matches('/'));
        let mut request = self
            .client
            .request(method.parse().expect("a method"), url)
            .header("Truora-API-Key", Config::default().api_key);
        if matches!(method, "POST" | "PUT") {
            let form = serde_urlencoded::to_string(form).expect("a form");
            request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON"))
    }

    async fn get(&self, path: &str) -> Value {
        self.send("GET", path, &[]).await.1
    }

    fn advance(&self, seconds: u64) {
        self.simulator.control().advance(Duration::from_secs(seconds));
    }

    /// A finished check of somebody with this number.
    async fn check(&self, number: &str) -> String {
        let form = [("type", "person"), ("country", "CO"), ("user_authorized", "true"), ("national_id", number)];
        let (status, body) = self.send("POST", "/v1/checks", &form).await;
        assert_eq!(status, 201, "{body}");
        self.advance(60);
        body["check"]["check_id"].as_str().expect("an id").to_owned()
    }

    async fn repeat(&self, check: &str, frequency: &str, end: &str) -> (u16, Value) {
        let form = [("check_id", check), ("frequency", frequency), ("end_date", end)];
        self.send("POST", "/v1/continuous-checks", &form).await
    }
}

#[tokio::test]
async fn runs_come_at_midnight_and_are_in_the_history_with_what_changed() {
    let site = Site::start().await;
    let check = site.check("1032456789").await;
    let (status, made) = site.repeat(&check, "2d", "2026-03-16").await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(
        (&made["counter"], &made["score_status"], &made["status"]),
        (&json!(0), &json!("new"), &json!("enabled"))
    );
    assert_eq!(
        (&made["next_run_date"], &made["end_date"]),
        (&json!("2026-03-12T00:00:00Z"), &json!("2026-03-16T00:00:00Z"))
    );
    assert_eq!(made["check"]["check_id"], check.as_str());
    let path = format!("/v1/continuous-checks/{}", made["continuous_check_id"].as_str().expect("an id"));
    site.advance(2 * DAY);
    let one = site.get(&path).await;
    assert_eq!((&one["counter"], &one["next_run_date"]), (&json!(1), &json!("2026-03-14T00:00:00Z")));
    assert_eq!(one["score_status"], "equal");
    site.advance(2 * DAY);
    assert_eq!(site.get(&path).await["score_status"], "down");
    site.advance(4 * DAY);
    let one = site.get(&path).await;
    assert_eq!((&one["counter"], &one["status"]), (&json!(3), &json!("disabled")), "its end date is over");

    let history = site.get(&format!("{path}/history")).await;
    let entries = history["history"].as_array().expect("entries");
    assert_eq!((entries.len(), &history["next"]), (3, &json!("")));
    assert_eq!(entries[2]["previous_check_id"], check.as_str());
    assert_eq!(entries[1]["previous_check_id"], entries[2]["check_id"]);
    assert_eq!(
        (&entries[2]["changes"], entries[1]["changes"]["score_changes"].as_array().map(Vec::len)),
        (&json!({}), Some(2))
    );
    let run = site.get(&format!("/v1/checks/{}", entries[1]["check_id"].as_str().expect("an id"))).await;
    assert_eq!((&run["check"]["watch"], &run["check"]["status"]), (&json!("2d"), &json!("completed")));
    assert_eq!(run["check"]["creation_date"], "2026-03-14T00:00:00Z");
}

#[tokio::test]
async fn what_cannot_be_repeated_is_refused() {
    let site = Site::start().await;
    let check = site.check("1032456701").await;
    assert_eq!(site.repeat("CHKnone", "daily", "2026-04-01").await.0, 404);
    for (frequency, end) in [
        ("often", "2026-04-01"),
        ("0d", "2026-04-01"),
        ("daily", "soon"),
        ("daily", "2026-03-10"),
        ("weekly", "2026-03-16"),
    ] {
        let (status, body) = site.repeat(&check, frequency, end).await;
        assert_eq!((status, &body["code"]), (400, &json!(10_400)), "{frequency} {end}");
    }
    assert_eq!(site.repeat(&check, "weekly", "2026-03-17").await.0, 201);
    let (status, body) = site.send("DELETE", &format!("/v1/checks/{check}"), &[]).await;
    assert_eq!((status, &body["code"]), (400, &json!(10_400)), "the first check cannot be deleted");
}

#[tokio::test]
async fn one_is_switched_off_and_on_and_never_moves_its_end() {
    let site = Site::start().await;
    let check = site.check("1032456701").await;
    let (_, made) = site.repeat(&check, "daily", "2026-03-20").await;
    let path = format!("/v1/continuous-checks/{}", made["continuous_check_id"].as_str().expect("an id"));
    let (status, off) = site.send("PUT", &path, &[("status", "disabled"), ("end_date", "2027-01-01")]).await;
    assert_eq!((status, &off["status"], &off["end_date"]), (200, &json!("disabled"), &made["end_date"]));
    site.advance(4 * DAY);
    let (_, on) = site.send("PUT", &path, &[("status", "enabled"), ("frequency", "1w"), ("version", "1")]).await;
    assert_eq!((&on["counter"], &on["next_run_date"]), (&json!(0), &json!("2026-03-17T00:00:00Z")));
    for form in [[("status", "on")], [("frequency", "x")], [("version", "2")]] {
        assert_eq!(site.send("PUT", &path, &form).await.0, 400, "{form:?}");
    }
    assert_eq!(site.send("PUT", "/v1/continuous-checks/CCKnone", &[]).await.0, 404);
    let list = site.get("/v1/continuous-checks").await;
    assert_eq!((list["continuous_checks"].as_array().map(Vec::len), &list["next"]), (Some(1), &json!("")));
}
