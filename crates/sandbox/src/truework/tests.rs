use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::*;

/// A simulator whose time stands still unless it is moved, and a caller.
pub struct Site {
    pub simulator: Running,
    http: reqwest::Client,
    pub config: Config,
}

impl Site {
    pub async fn new() -> Self {
        Self::with(Config::default()).await
    }

    #[expect(clippy::disallowed_methods, reason = "a test's calls to a simulator have no budget")]
    async fn with(config: Config) -> Self {
        let clock = SimClock::of(Arc::new(|| time::macros::datetime!(2026-11-20 10:00 UTC)));
        let simulator = start(0, clock, config.clone()).await.expect("a simulator");
        Self { simulator, http: reqwest::Client::new(), config }
    }

    pub fn switch(&self, switches: Value) {
        self.simulator.control().set_behavior(switches).expect("known switches");
    }

    pub fn advance(&self, seconds: u64) {
        self.simulator.control().advance(Duration::from_secs(seconds));
    }

    pub async fn answer(&self, request: reqwest::RequestBuilder) -> (StatusCode, Value) {
        let answer = request.send().await.expect("an answer");
        (answer.status(), answer.json().await.unwrap_or_default())
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.request_as(method, path, &self.config.api_key, "2023-10-30")
    }

    pub fn request_as(&self, method: Method, path: &str, key: &str, version: &str) -> reqwest::RequestBuilder {
        let url = self.simulator.base_url().join(path).expect("a URL");
        let accept = format!("application/json; version={version}");
        self.http.request(method, url).bearer_auth(key).header("accept", accept)
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.answer(self.request(Method::GET, path)).await
    }

    pub async fn create(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        self.answer(self.request(Method::POST, path).json(body)).await
    }

    async fn cancel(&self, id: &Value, body: &Value) -> (StatusCode, Value) {
        let path = format!("orders/{}/cancel", id.as_str().unwrap_or_default());
        self.answer(self.request(Method::PUT, &path).json(body)).await
    }

    /// An order by target employer that was taken.
    async fn order(&self, ssn: &str) -> Value {
        let (status, order) = self.create("orders/target-employer", &body(ssn)).await;
        assert_eq!(status, 201, "{order}");
        order
    }

    async fn state(&self, order: &Value) -> Value {
        let (_, order) = self.get(&format!("orders/{}", order["id"].as_str().unwrap_or_default())).await;
        order["verification_requests"][0]["state"]["canonical_value"].clone()
    }
}

pub fn body(ssn: &str) -> Value {
    json!({
        "type": "employment-income",
        "permissible_purpose": "employment",
        "use_case": "background",
        "search_key": "key-1",
        "metadata": { "a": "b" },
        "target": {
            "first_name": "Jane", "last_name": "Sample", "social_security_number": ssn, "date_of_birth": "1990-05-15",
            "company": { "name": "Asked Inc" },
        },
    })
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().map(|fields| fields.keys().map(String::as_str).collect()).unwrap_or_default()
}

/// Every key that the vendor's contract calls required, in alphabetical order.
const ORDER: &[&str] = &[
    "employer_search",
    "id",
    "loan_id",
    "reverification",
    "search_key",
    "target_employer",
    "truework_direct",
    "truework_direct_session_link",
    "verification_requests",
];
const VERIFICATION: &[&str] = &[
    "additional_information",
    "applicant_documents",
    "cancellation_details",
    "cancellation_reason",
    "created",
    "date_of_completion",
    "documents",
    "id",
    "loan_id",
    "metadata",
    "permissible_purpose",
    "reports",
    "reseller_originating_party",
    "state",
    "target",
    "turnaround_time",
    "type",
    "unverified_information",
    "use_case",
];
const REPORT: &[&str] = &[
    "additional_notes",
    "annotations",
    "applicant_documents",
    "completed",
    "completed_by_method",
    "created",
    "current_as_of",
    "disputes",
    "eligibilities",
    "employee",
    "employer",
    "financial_institution_accounts",
    "id",
    "income_analytics",
    "paystubs",
    "respondent",
    "verification_request",
];

#[tokio::test]
async fn an_order_walks_to_its_end_with_all_the_contracts_keys() {
    let site = Site::new().await;
    let order = site.order("000-00-0007").await;
    assert_eq!(keys(&order), ORDER);
    assert_eq!(order["id"].as_str().map(str::len), Some(56));
    assert_eq!(site.state(&order).await, "pending-approval");
    site.advance(1);
    assert_eq!(site.state(&order).await, "processing");
    site.advance(2);
    let (_, order) = site.get(&format!("orders/{}/", order["id"].as_str().expect("an id"))).await;
    let verification = &order["verification_requests"][0];
    assert_eq!(keys(verification), VERIFICATION);
    assert_eq!(verification["state"], json!({ "canonical_value": "completed", "raw_value": "completed" }));
    assert_eq!(verification["target"]["social_security_number"], "***-**-0007");
    let reports = verification["reports"].as_array().expect("reports");
    assert_eq!(reports.len(), 2);
    assert_eq!(keys(&reports[0]), REPORT);
    assert_eq!(reports[0]["employee"]["first_name"], "Jane");
    assert_eq!(reports[0]["employee"]["earnings"][0]["total"], "150000.00");
    assert_eq!(reports[1]["employer"]["name"], "Fake Company 2");
    assert_eq!(reports[1]["employee"]["salary"], Value::Null);
    assert_eq!(reports[0]["income_analytics"], Value::Null, "not in an order's GET");

    let path = format!("reports/{}?include_income_analytics=true", reports[0]["id"].as_str().expect("an id"));
    let (status, report) = site.get(&path).await;
    assert_eq!(status, 200);
    assert_eq!(report["income_analytics"]["annualized_income"]["base_amount"]["amount"], "200000.00");
}

#[tokio::test]
async fn each_test_ssn_comes_to_its_end() {
    for (ssn, state) in [
        ("000-00-0000", "completed"),
        ("000000006", "completed"),
        ("000-01-0000", "canceled"),
        ("000-03-0000", "action-required"),
        ("000-11-0000", "canceled"),
        ("000-99-0001", "invalid"),
        ("000-99-0003", "canceled"),
        ("000-99-0004", "processing"),
        ("000-99-0005", "completed"),
        ("000-99-0006", "other"),
    ] {
        let site = Site::new().await;
        let order = site.order(ssn).await;
        site.advance(60);
        assert_eq!(site.state(&order).await, state, "{ssn}");
    }
    let site = Site::new().await;
    let (status, error) = site.create("orders/target-employer", &body("000-99-0002")).await;
    assert_eq!((status.as_u16(), &error["error"]["message"]), (451, &json!("Frozen SSN")));
    assert!(site.simulator.control().books().objects.is_empty());
}

#[tokio::test]
async fn a_search_is_over_when_it_is_answered() {
    for (ssn, state) in [("000-00-0000", "completed"), ("000-03-0000", "canceled"), ("000-99-0004", "canceled")] {
        let site = Site::new().await;
        let path = "orders/employer-search?include_income_analytics=true";
        let (status, order) = site.create(path, &body(ssn)).await;
        assert_eq!(status, 201, "{order}");
        let verification = &order["verification_requests"][0];
        assert_eq!(verification["state"]["canonical_value"], state, "{ssn}");
        assert_eq!(order["target_employer"], Value::Null);
        let analytics = !verification["reports"][0]["income_analytics"].is_null();
        assert_eq!(analytics, state == "completed");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_named() {
    let site = Site::new().await;
    let refused = |path: &'static str, pointer: &'static str, value: Value, field: &'static str| {
        let mut body = body("000-00-0000");
        *body.pointer_mut(pointer).expect("there") = value;
        let site = &site;
        async move {
            let (status, error) = site.create(path, &body).await;
            assert_eq!(status, 400, "{pointer}: {error}");
            assert_eq!(error["error"]["message"], "Invalid field values provided");
            assert!(error["error"]["invalid_fields"].pointer(field).is_some(), "{pointer}: {error}");
        }
    };
    let (target, search) = ("orders/target-employer", "orders/employer-search");
    refused(target, "/type", Value::Null, "/type").await;
    refused(target, "/permissible_purpose", json!("curiosity"), "/permissible_purpose").await;
    refused(target, "/target/company", Value::Null, "/target/company/name").await;
    refused(target, "/target/social_security_number", json!("12"), "/target/social_security_number").await;
    refused(target, "/target/social_security_number", json!("123-45-6789"), "/target/social_security_number").await;
    refused(target, "/metadata", json!({ "a": 1 }), "/metadata").await;
    refused(search, "/target/date_of_birth", Value::Null, "/target/date_of_birth").await;
    refused(search, "/target", Value::Null, "/target").await;
    assert!(site.simulator.control().books().objects.is_empty());
}

#[tokio::test]
async fn keys_and_versions_are_checked() {
    let config =
        Config { further_keys: vec![("tw_sk_test_old".to_owned(), "2020-12-07".to_owned())], ..Config::default() };
    let site = Site::with(config).await;
    let status = async |key: &str, accept: &str| {
        let url = site.simulator.base_url().join("orders").expect("a URL");
        site.answer(site.http.get(url).bearer_auth(key).header("accept", accept)).await.0.as_u16()
    };
    let key = &site.config.api_key;
    assert_eq!(status("tw_sk_test_wrong", "application/json").await, 401);
    assert_eq!(status(key, "application/json").await, 200);
    assert_eq!(status(key, "application/json; version=2023-10-30").await, 200);
    assert_eq!(status(key, "application/json; version=2020-12-07").await, 406);
    assert_eq!(status(key, "application/json; version=2042-01-01").await, 406);
    assert_eq!(status(key, "application/pdf; version=2023-10-30").await, 406);
    assert_eq!(status("tw_sk_test_old", "application/json; version=2023-10-30").await, 200);
    assert_eq!(status("tw_sk_test_old", "application/json").await, 404, "its own version has no orders");
    site.switch(json!({ "absent_path": 501 }));
    assert_eq!(status("tw_sk_test_old", "application/json; version=2022-08-01").await, 501);
    let without_key = site.http.get(site.simulator.base_url().join("orders").expect("a URL"));
    assert_eq!(site.answer(without_key).await.0, 401);
}

#[tokio::test]
async fn the_list_is_paged_and_filtered() {
    let site = Site::new().await;
    let ours = site.order("000-00-0000").await;
    site.simulator.control().make_strangers(30, &json!({}));
    let (_, page) = site.get("orders").await;
    assert_eq!(keys(&page), ["count", "next", "previous", "results"]);
    assert_eq!((&page["count"], page["results"].as_array().map(Vec::len)), (&json!(31), Some(25)));
    assert_eq!(page["previous"], Value::Null);
    let next = page["next"].as_str().expect("a next page");
    assert!(next.starts_with(site.simulator.base_url().as_str()) && next.ends_with("?limit=25&offset=25"), "{next}");
    let (_, page) = site.get("orders?offset=25").await;
    assert_eq!((page["results"].as_array().map(Vec::len), &page["next"]), (Some(6), &Value::Null));
    assert!(page["previous"].as_str().is_some_and(|previous| previous.ends_with("?limit=25")));
    assert_eq!(page["results"][5]["id"], ours["id"], "newest first");

    let (_, page) = site.get("orders?search_key=key-1").await;
    assert_eq!((&page["count"], &page["results"][0]["id"]), (&json!(1), &ours["id"]));
    let verification = ours["verification_requests"][0]["id"].as_str().expect("an id");
    let (_, page) = site.get(&format!("orders?verification_id={verification}")).await;
    assert_eq!(page["results"][0]["id"], ours["id"]);
    let (status, _) = site.get("orders?limit=many").await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_cancellation_stops_what_has_not_ended() {
    let site = Site::new().await;
    let order = site.order("000-00-0000").await;
    let reason = json!({ "cancellation_reason": "wrong-info", "cancellation_details": "typo" });
    assert_eq!(site.cancel(&order["id"], &json!({})).await.0, 400);
    assert_eq!(site.cancel(&json!("nobody"), &reason).await.0, 404);
    let (status, answer) = site.cancel(&order["id"], &reason).await;
    assert_eq!(status, 200);
    assert_eq!(keys(&answer), ["id", "loan_id", "verification_requests"]);
    assert_eq!(answer["verification_requests"][0]["cancellation_reason"]["canonical_value"], "wrong-info");
    site.advance(60);
    assert_eq!(site.state(&order).await, "canceled");
    assert_eq!(site.cancel(&order["id"], &reason).await.0, 400);
    site.switch(json!({ "cancel_ended_status": 403, "two_day_rule": true }));
    assert_eq!(site.cancel(&order["id"], &reason).await.0, 403);
    let young = site.order("000-00-0000").await;
    assert_eq!(site.cancel(&young["id"], &reason).await.0, 403);
    assert_eq!(site.cancel(&young["id"], &json!({ "cancellation_reason": "immediate" })).await.0, 200);
}

#[tokio::test]
async fn empty_fields_and_wrappers_go_where_the_switches_say() {
    let site = Site::new().await;
    site.switch(json!({ "omit_empty": true, "plain_words": true, "completion_dates": true, "echo_employer": true }));
    let order = site.order("000-00-0000").await;
    site.advance(60);
    let (_, order) = site.get(&format!("orders/{}", order["id"].as_str().expect("an id"))).await;
    let verification = &order["verification_requests"][0];
    assert_eq!(verification["state"], "completed");
    assert_eq!(verification["date_of_completion"], "2026-11-20T10:00:03Z");
    assert_eq!(verification.get("cancellation_reason"), None);
    assert_eq!(order.get("employer_search"), None);
    assert_eq!(verification["reports"][0]["employer"]["name"], "Asked Inc");
}

#[tokio::test]
async fn too_many_requests_are_throttled_where_the_switch_says() {
    let site = Site::new().await;
    site.switch(json!({ "rate_limit": 2, "retry_after": 1 }));
    for status in [200, 200, 429, 429] {
        assert_eq!(site.get("orders").await.0, status);
    }
    site.advance(1);
    assert_eq!(site.get("orders").await.0, 200);
}

#[tokio::test]
async fn reports_wait_for_completion_and_come_as_pdf() {
    let site = Site::new().await;
    site.order("000-00-0000").await;
    site.advance(60);
    let (_, page) = site.get("orders").await;
    let id = page["results"][0]["verification_requests"][0]["reports"][0]["id"].as_str().expect("a report").to_owned();
    let url = site.simulator.base_url().join(&format!("reports/{id}")).expect("a URL");
    let request = site.http.get(url).bearer_auth(&site.config.api_key);
    let answer = request.header("accept", "application/pdf; version=2023-10-30").send().await.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "application/pdf");
    let bytes = answer.bytes().await.expect("a body");
    assert!(bytes.starts_with(b"%PDF-1.4") && bytes.ends_with(b"%%EOF\n"));
    assert_eq!(site.get("reports/nothing").await.0, 404);
}
