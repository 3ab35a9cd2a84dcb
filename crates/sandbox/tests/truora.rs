//! The simulator of Truora, held against what its documents say.

use std::time::Duration;

use http::StatusCode;
use sandbox::truora::{self, Config};
use sandbox::{Running, SimClock};
use serde_json::{Value, json};

struct Site {
    simulator: Running,
    client: reqwest::Client,
}

impl Site {
    #[expect(clippy::disallowed_methods, reason = "a test of the simulator itself")]
    async fn start() -> Self {
        let simulator = truora::start(0, SimClock::wall(), Config::default()).await.expect("a simulator");
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { simulator, client }
    }

    fn behave(&self, behavior: Value) {
        self.simulator.control().set_behavior(behavior).expect("known switches");
    }

    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.simulator.base_url().as_str().trim_end_matches('/'));
        let method = method.parse().expect("a method");
        self.client.request(method, url).header("Truora-API-Key", Config::default().api_key)
    }

    async fn call(&self, method: &str, path: &str) -> (u16, Value) {
        read(self.request(method, path)).await
    }

    async fn create(&self, fields: &[(&str, &str)]) -> (u16, Value) {
        let form = serde_urlencoded::to_string(fields).expect("a form");
        let request = self.request("POST", "/v1/checks").body(form);
        read(request.header("content-type", "application/x-www-form-urlencoded; charset=utf-8")).await
    }

    /// The check as it is at its end.
    async fn finished(&self, fields: &[(&str, &str)]) -> Value {
        let (status, body) = self.create(fields).await;
        assert_eq!(status, 201, "{body}");
        self.simulator.control().advance(Duration::from_mins(1));
        let (_, body) = self.call("GET", body["self"].as_str().expect("a link")).await;
        body["check"].clone()
    }
}

async fn read(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON"))
}

const PERSON: &[(&str, &str)] = &[
    ("type", "person"),
    ("country", "co"),
    ("national_id", "1032456701"),
    ("user_authorized", "True"),
    ("custom_input", "ref-1"),
    ("date_of_birth", "1990-05-15"),
];

fn with<'a>(fields: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = fields.iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name));
    kept.chain(more.iter().filter(|(_, value)| !value.is_empty())).copied().collect()
}

#[tokio::test]
async fn a_new_check_has_no_scores_and_relative_links() {
    let site = Site::start().await;
    let (status, body) = site.create(PERSON).await;
    assert_eq!(status, 201);
    let check = &body["check"];
    let id = check["check_id"].as_str().expect("an id");
    assert!(id.len() == 35 && id.starts_with("CHK"), "{id}");
    assert_eq!(body["self"], format!("/v1/checks/{id}"));
    assert_eq!(body["details"], format!("/v1/checks/{id}/details"));
    assert_eq!((&check["status"], &check["score"], &check["id_score"]), (&json!("not_started"), &json!(-1), &json!(0)));
    assert_eq!(check["country"], "CO", "written in capitals");
    assert_eq!(check["date_of_birth"], "1990-05-15T00:00:00Z");
    assert_eq!(check["custom_input"], "ref-1");
    assert!(check.get("scores").is_none() && check.get("statuses").is_none() && check.get("summary").is_none());
}

#[tokio::test]
async fn a_finished_check_has_every_quirk_of_the_documents() {
    let site = Site::start().await;
    let check = site.finished(PERSON).await;
    assert_eq!(check["status"], "completed");
    for (summary, status) in [("company_summary", "company_status"), ("vehicle_summary", "vehicle_status")] {
        assert_eq!((&check[summary]["result"], &check[summary][status]), (&json!("skipped"), &json!("not_found")));
    }
    let rows = check["statuses"].as_array().expect("rows");
    let skipped: Vec<_> = rows.iter().filter(|row| row["status"] == "skipped").collect();
    assert!(!skipped.is_empty() && skipped.iter().all(|row| row.get("data_set").is_none()));
    let inner = json!(["document_expedition_date", "document_expedition_date"]);
    assert!(skipped.iter().any(|row| row["invalid_inputs"] == inner));
    let ignored = check["scores"].as_array().expect("scores").iter().find(|row| row["data_set"] == "personal_identity");
    assert_eq!(ignored.expect("a row")["by_name"], json!({ "result": "ignored", "score": 1.0, "severity": "unknown" }));
    assert!(check.get("name_score").is_some() && check.get("homonym_score").is_none());
    assert!(check["summary"]["drivers_license"].is_object());
}

#[tokio::test]
async fn scores_follow_the_vendors_arithmetic() {
    let site = Site::start().await;
    let check = site.finished(&with(PERSON, &[("national_id", "1032456790")])).await;
    // 0.3 criminal at 0 and 0.2 legal at 0.6, both by id.
    assert_eq!((&check["score"], &check["id_score"], &check["name_score"]), (&json!(0.62), &json!(0.62), &json!(1.0)));
}

#[tokio::test]
async fn keys_of_version_0_speak_of_homonyms_and_need_no_authorization() {
    let site = Site::start().await;
    site.behave(json!({ "key_version": 0 }));
    let check = site.finished(&with(PERSON, &[("user_authorized", "")])).await;
    assert!(check.get("homonym_score").is_some() && check["homonym_scores"].is_array());
    assert!(check.get("name_score").is_none());
}

#[tokio::test]
async fn the_gateway_answers_with_a_message_only() {
    let site = Site::start().await;
    for (method, path) in [("GET", "/v1/nothing"), ("GET", "/"), ("PATCH", "/v1/checks"), ("PUT", "/v1/checks/CHK1")] {
        let (status, body) = site.call(method, path).await;
        assert_eq!((status, body), (403, json!({ "message": "Missing Authentication Token" })), "{method} {path}");
    }
    let wrong = site.request("GET", "/v1/checks").header("Truora-API-Key", "another");
    let url = wrong.build().expect("a request").url().clone();
    let (status, body) = read(site.client.get(url).header("Truora-API-Key", "another")).await;
    assert_eq!((status, body), (401, json!({ "message": "Unauthorized" })));
    site.behave(json!({ "key_state": "no_permission" }));
    let (status, body) = site.call("GET", "/v1/checks").await;
    assert_eq!((status, &body["code"]), (403, &json!(10_403)));
}

#[tokio::test]
async fn errors_of_the_service_say_code_status_and_message() {
    let site = Site::start().await;
    let (status, body) = site.call("GET", "/v1/checks/CHK0").await;
    assert_eq!((status, body), (404, json!({ "code": 10_404, "http_code": 404, "message": "Resource not found" })));
    let (status, body) = site.create(&with(PERSON, &[("national_id", "1032456796")])).await;
    assert_eq!((status, &body["code"], &body["http_code"]), (429, &json!(10_400), &json!(429)));
}

#[tokio::test]
async fn bad_requests_are_refused_and_make_nothing() {
    let site = Site::start().await;
    let foreigner = [("national_id", ""), ("foreign_id", "1"), ("country", "CL")];
    for more in [
        &[("type", "")][..],
        &[("type", "nonsense")],
        &[("country", "EC")],
        &[("country", "AR")],
        &[("user_authorized", "")],
        &[("user_authorized", "false")],
        &[("national_id", "")],
        &[("date_of_birth", "15.05.1990")],
        &[("gender", "other")],
        &[("native_national_id", "1")],
        &foreigner,
        &[("type", "company"), ("country", "CL")],
        &[("custom_input", &"x".repeat(129))],
    ] {
        let (status, body) = site.create(&with(PERSON, more)).await;
        assert_eq!((status, &body["code"]), (400, &json!(10_400)), "{more:?}");
        assert!(body["message"].as_str().is_some_and(|text| text.starts_with("Invalid request: ")), "{body}");
    }
    let json_body = site.request("POST", "/v1/checks").header("content-type", "application/json").body("{}");
    assert_eq!(read(json_body).await.0, 400);
    assert!(site.simulator.control().books().objects.is_empty());
}

#[tokio::test]
async fn the_whole_table_is_enforced_on_request_only() {
    let site = Site::start().await;
    let peruvian = with(PERSON, &[("country", "PE"), ("date_of_birth", "")]);
    assert_eq!(site.create(&peruvian).await.0, 201);
    site.behave(json!({ "strict_inputs": true }));
    let (status, body) = site.create(&peruvian).await;
    assert_eq!((status, &body["message"]), (400, &json!("Invalid request: date of birth was expected")));
}

#[tokio::test]
async fn the_same_inputs_give_the_earlier_check_back() {
    let site = Site::start().await;
    let (_, first) = site.create(PERSON).await;
    let (status, second) = site.create(&with(PERSON, &[("custom_input", "ref-2")])).await;
    assert_eq!((status, &second["check"]["check_id"]), (201, &first["check"]["check_id"]));
    assert_eq!(second["check"]["custom_input"], "ref-1");
    let (_, forced) = site.create(&with(PERSON, &[("force_creation", "true")])).await;
    assert_ne!(forced["check"]["check_id"], first["check"]["check_id"]);
    assert_eq!(forced["check"]["previous_check"], first["check"]["check_id"]);
    site.simulator.control().advance(Duration::from_hours(24));
    let (_, later) = site.create(PERSON).await;
    assert_eq!(later["check"]["previous_check"], forced["check"]["check_id"]);
}

#[tokio::test]
async fn lists_are_paged_by_links() {
    let site = Site::start().await;
    site.simulator.control().make_strangers(25, &Value::Null);
    let (mut path, mut seen) = ("/v1/checks".to_owned(), Vec::new());
    while !path.is_empty() {
        // As a client does that joins host, slash and link.
        let (status, page) = site.call("GET", &format!("/{path}")).await;
        assert_eq!(status, StatusCode::OK.as_u16());
        let rows = page["checks"].as_array().expect("rows");
        assert!(rows.len() <= 10);
        seen.extend(rows.iter().map(|row| row["check_id"].as_str().expect("an id").to_owned()));
        path = page["next"].as_str().expect("a link").to_owned();
    }
    let books = site.simulator.control().books();
    let newest_first: Vec<_> = books.objects.iter().rev().map(|object| object.id.clone()).collect();
    assert_eq!(seen, newest_first);
    assert!(books.objects.iter().all(|object| object.stranger));
    let (status, body) = site.call("GET", "/v1/checks?start_key=%25").await;
    assert_eq!(status, 400);
    assert!(body["message"].as_str().is_some_and(|text| text.contains("illegal base64 data")));
}

#[tokio::test]
async fn strangers_look_like_the_latest_check_or_as_they_are_told() {
    let site = Site::start().await;
    site.create(PERSON).await;
    let control = site.simulator.control();
    let alike = control.make_strangers(2, &Value::Null);
    let told = control.make_strangers(1, &json!({ "fields": { "national_id": "52000000" }, "age_ms": 3_600_000 }));
    let look = async |id: &String| site.call("GET", &format!("/v1/checks/{id}")).await.1["check"].clone();
    assert_eq!(look(&alike[0]).await["national_id"], "1032456701");
    assert!(look(&alike[0]).await.get("custom_input").is_none());
    assert_ne!(look(&alike[1]).await["national_id"], "1032456701");
    assert_eq!(look(&told[0]).await["national_id"], "52000000");
    assert_eq!(look(&told[0]).await["status"], "completed", "an hour old");
}

#[tokio::test]
async fn a_pdf_is_printed_before_it_is_read_and_a_deleted_check_is_gone() {
    let site = Site::start().await;
    let (_, body) = site.create(PERSON).await;
    let link = body["self"].as_str().expect("a link");
    assert_eq!(site.call("GET", &format!("{link}/pdf")).await.0, 404);
    let (status, printed) = site.call("POST", &format!("{link}/pdf")).await;
    assert_eq!((status, &printed["pdf_path"]), (200, &json!(format!("{link}/pdf/"))));
    let pdf = site.request("GET", &format!("{link}/pdf/")).send().await.expect("an answer");
    assert_eq!(pdf.headers()["content-type"], "application/pdf");
    assert!(pdf.bytes().await.expect("a body").starts_with(b"%PDF"));

    let (status, deleted) = site.call("DELETE", link).await;
    assert_eq!((status, &deleted["check"]["deleted"], &deleted["check"]["score"]), (200, &json!(true), &json!(-1)));
    assert!(deleted.get("details").is_none());
    for method in ["GET", "DELETE"] {
        assert_eq!(site.call(method, link).await.0, 404, "{method}");
    }
}

#[tokio::test]
async fn a_custom_type_is_the_whole_accounts_map_and_can_be_ordered_by() {
    let site = Site::start().await;
    let write = async |method: &str, fields: &[(&str, &str)]| {
        read(site.request(method, "/v1/config").body(serde_urlencoded::to_string(fields).expect("a form"))).await
    };
    let drivers = [("country", "CO"), ("type", "drivers"), ("dataset_criminal_record", "1")];
    assert_eq!(site.create(&with(PERSON, &[("type", "drivers")])).await.0, 400);
    assert_eq!(write("PUT", &drivers).await.1["code"], 10_400, "an unknown one is a bad request");
    let (status, body) = write("POST", &drivers).await;
    assert_eq!(status, 201);
    let configs = &body["score_configs"]["CO"];
    assert_eq!(configs["drivers"], json!([{ "data_set": "criminal_record", "weight": 1.0 }]));
    assert!(configs["company"].is_array(), "the built-in ones are there as well");
    assert_eq!(site.create(&with(PERSON, &[("type", "drivers")])).await.0, 201);
    for bad in [("dataset_criminal_record", "0.5"), ("country", "CR"), ("type", "person")] {
        let fields: Vec<_> = drivers.iter().map(|field| if field.0 == bad.0 { bad } else { *field }).collect();
        assert_eq!(write("POST", &fields).await.0, 400, "{bad:?}");
    }
    let left = site.call("DELETE", "/v1/config?country=CO&type=drivers").await;
    assert_eq!(left, (200, json!({ "CO": {} })));
}

#[tokio::test]
async fn health_wants_all_three_parameters_and_is_a_bare_array() {
    let site = Site::start().await;
    let whole = "/v1/health?country=CO&unixTimestampSeconds=1790000000&unixtimezoneOffsetSeconds=-18000";
    let (status, body) = site.call("GET", whole).await;
    assert_eq!((status, body[0]["hourly_status"].as_array().map(Vec::len)), (200, Some(24)));
    for part in ["country=CO&", "unixTimestampSeconds=1790000000&", "&unixtimezoneOffsetSeconds=-18000"] {
        assert_eq!(site.call("GET", &whole.replace(part, "")).await.0, 400, "{part}");
    }
}

#[tokio::test]
async fn the_event_log_holds_what_was_sent_and_what_was_not() {
    let site = Site::start().await;
    site.finished(PERSON).await;
    let (_, log) = site.call("GET", "/v1/hooks/events").await;
    let events = log["events"].as_array().expect("events");
    assert_eq!((events.len(), &log["next"]), (3, &json!("")));
    let actions: Vec<_> = events.iter().map(|event| event["event_action"].as_str().expect("a word")).collect();
    assert_eq!(actions, ["finished", "started", "created"]);
    assert_eq!((&events[0]["delivery_status"], &events[0]["delivery_attempts"]), (&json!("pending"), &json!(0)));
    let object: Value = serde_json::from_str(events[0]["object"].as_str().expect("a text")).expect("JSON inside");
    assert_eq!(object["status"], "completed");
    let key = events[0]["idempotency_key"].as_str().expect("a key");
    assert!(key.starts_with("HIK") && key.len() == 43, "{key}");
    assert_eq!(site.call("GET", &format!("/v1/hooks/events/{key}")).await.1["event_action"], "finished");
    site.simulator.control().advance(Duration::from_hours(61 * 24));
    assert_eq!(site.call("GET", "/v1/hooks/events").await.1["events"], json!([]), "kept for 60 days");
}
