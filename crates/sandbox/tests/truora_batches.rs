//! The simulator of Truora's batches, held against what its documents say.

use std::io::Cursor;
use std::time::Duration;

use calamine::{Data, Reader as _, Xlsx};
use rust_xlsxwriter::Workbook;
use sandbox::truora::{self, Config};
use sandbox::{Running, SimClock};
use serde_json::{Value, json};

struct Site {
    simulator: Running,
    client: reqwest::Client,
}

struct Batch {
    id: String,
    link: String,
    columns: Vec<String>,
}

impl Site {
    #[expect(clippy::disallowed_methods, reason = "a test of the simulator itself")]
    async fn start() -> Self {
        let simulator = truora::start(0, SimClock::wall(), Config::default()).await.expect("a simulator");
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { simulator, client }
    }

    fn behave(&self, behavior: &Value) {
        self.simulator.control().set_behavior(json!({ "batches": behavior })).expect("known switches");
    }

    fn advance(&self, seconds: u64) {
        self.simulator.control().advance(Duration::from_secs(seconds));
    }

    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.simulator.base_url().as_str().trim_end_matches('/'));
        self.client.request(method.parse().expect("a method"), url).header("Truora-API-Key", Config::default().api_key)
    }

    async fn call(&self, method: &str, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let form = serde_urlencoded::to_string(form).expect("a form");
        let request = self.request(method, path).header("content-type", "application/x-www-form-urlencoded");
        read(request.body(form)).await
    }

    async fn create(&self, more: &[(&str, &str)]) -> (u16, Value) {
        let form = [&[("type", "person"), ("country", "co"), ("service", "checks")], more].concat();
        self.call("POST", "/v1/batches", &form).await
    }

    async fn batch(&self) -> Batch {
        let mapping = [("columns_mapping.custom_input", "0"), ("columns_mapping.national_id", "1")];
        let (status, body) = self.create(&mapping).await;
        assert_eq!(status, 200, "{body}");
        let text = |name: &str| body[name].as_str().expect("a text").to_owned();
        let columns = serde_json::from_value(body["columns"].clone()).expect("columns");
        Batch { id: text("batch_id"), link: text("file_upload_link"), columns }
    }

    /// Without the account's key: the link is all it takes.
    async fn put(&self, link: &str, file: Vec<u8>) -> u16 {
        self.client.put(link).body(file).send().await.expect("an answer").status().as_u16()
    }

    async fn started(&self, rows: &[[&str; 2]]) -> Batch {
        let batch = self.batch().await;
        assert_eq!(self.put(&batch.link, workbook(rows)).await, 200);
        let (status, body) = self.call("POST", &format!("/v1/batches/{}/start", batch.id), &[]).await;
        assert_eq!((status, &body), (200, &json!({ "message": "batch started successfully" })));
        batch
    }

    async fn look(&self, batch: &Batch) -> Value {
        self.call("GET", &format!("/v1/batches/{}", batch.id), &[]).await.1
    }

    async fn report(&self, batch: &Batch) -> Xlsx<Cursor<Vec<u8>>> {
        let path = format!("/v1/batches/{}/report", batch.id);
        assert_eq!(self.call("POST", &path, &[("format", "xlsx")]).await, (201, json!({})));
        self.advance(5);
        let (status, body) = self.call("GET", &path, &[]).await;
        assert_eq!(status, 200, "{body}");
        let link = body["batch_report_url"].as_str().expect("a link").to_owned();
        let file = self.client.get(link).send().await.expect("an answer").bytes().await.expect("a file");
        Xlsx::new(Cursor::new(file.to_vec())).expect("a workbook")
    }

    fn references(&self) -> Vec<String> {
        let books = self.simulator.control().books();
        books.objects.into_iter().flat_map(|object| object.references).collect()
    }
}

async fn read(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON"))
}

fn workbook(rows: &[[&str; 2]]) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (line, row) in (0..).zip([["reference", "number"]].iter().chain(rows)) {
        sheet.write_string(line, 0, row[0]).and_then(|sheet| sheet.write_string(line, 1, row[1])).expect("a cell");
    }
    workbook.save_to_buffer().expect("a workbook")
}

fn sheet(report: &mut Xlsx<Cursor<Vec<u8>>>, name: &str) -> Vec<Vec<String>> {
    let range = report.worksheet_range(name).expect("a sheet");
    range.rows().map(|row| row.iter().map(Data::to_string).collect()).collect()
}

#[tokio::test]
async fn rows_become_checks_of_the_account_in_the_course_of_time() {
    let site = Site::start().await;
    site.behave(&json!({ "rows_per_moment": 1, "moment_ms": 60_000 }));
    let batch = site.started(&[["ref-1", "0010324567"], ["ref-2", "1032456790"]]).await;
    assert_eq!(batch.columns, ["custom_input", "national_id"]);
    let body = site.look(&batch).await;
    assert_eq!((&body["status"], &body["size"], &body["country"]), (&json!("in_progress"), &json!(2), &json!("CO")));
    assert!(body["creation_date"].as_str().is_some_and(|date| date.ends_with("-05:00")), "{body}");
    site.advance(61);
    assert_eq!(site.references(), ["ref-1"]);
    site.advance(120);
    assert_eq!(site.look(&batch).await["status"], "finished");
    let (_, list) = site.call("GET", "/v1/checks", &[]).await;
    assert_eq!(
        (&list["checks"][1]["national_id"], &list["checks"][1]["custom_input"]),
        (&json!("0010324567"), &json!("ref-1"))
    );
    let books = site.simulator.control().books();
    assert_eq!((books.batches[0].starts, books.batches[0].rows, books.calls_of("batch_create")), (1, 2, 1));
    assert_eq!(books.calls_of("create"), 0);
}

#[tokio::test]
async fn the_same_rules_hold_as_for_single_checks() {
    let site = Site::start().await;
    let single = [
        ("type", "person"),
        ("country", "CO"),
        ("national_id", "1032456701"),
        ("user_authorized", "true"),
        ("custom_input", "single"),
    ];
    let (_, made) = site.call("POST", "/v1/checks", &single).await;
    let batch = site.started(&[["ref-1", "1032456701"], ["ref-2", "1032456796"], ["ref-3", "1032456703"]]).await;
    site.advance(60);
    assert_eq!(site.references(), ["single", "ref-3"]);
    let mut report = site.report(&batch).await;
    let results = sheet(&mut report, "Results");
    assert_eq!(results[0][..4], ["custom_input", "national_id", "check_id", "status"]);
    // The dedupe gave the single check back, whose own reference is shown.
    assert_eq!(
        results[1][..4],
        ["single", "1032456701", made["check"]["check_id"].as_str().expect("an id"), "completed"]
    );
    let errors = sheet(&mut report, "Errors");
    assert_eq!(errors[1][..3], ["3", "ref-2", "1032456796"]);
    assert_eq!((results.len(), errors.len()), (3, 2));
}

#[tokio::test]
async fn a_link_takes_the_first_file_and_for_half_an_hour() {
    let site = Site::start().await;
    let batch = site.batch().await;
    assert_eq!(site.put(&format!("{}x", batch.link.replace("token=", "token=0")), workbook(&[])).await, 403);
    assert_eq!(site.put(&batch.link, workbook(&[["ref-1", "1"]])).await, 200);
    assert_eq!(site.put(&batch.link, workbook(&[["ref-1", "1"]])).await, 403);
    let late = site.batch().await;
    site.advance(30 * 60);
    assert_eq!(site.put(&late.link, workbook(&[["ref-1", "1"]])).await, 403);
}

#[tokio::test]
async fn a_batch_without_a_file_is_not_started_and_stays_so() {
    let site = Site::start().await;
    let batch = site.batch().await;
    for path in ["/v1/batches", "/account-api/v1/batches"] {
        let (status, body) = site.call("POST", &format!("{path}/{}/start", batch.id), &[]).await;
        let expected = json!({ "code": 10_404, "http_code": 404, "message": "Batch File not found" });
        assert_eq!((status, body), (404, expected));
    }
    let body = site.look(&batch).await;
    assert_eq!((&body["status"], &body["size"]), (&json!("not_started"), &json!(0)));
    let (status, body) = site.call("GET", "/v1/batches/BCH0", &[]).await;
    assert_eq!((status, &body["message"]), (404, &json!("Batch not found")));
}

#[tokio::test]
async fn bad_mappings_and_dates_are_refused() {
    let site = Site::start().await;
    for more in [
        &[("columns_mapping.colour", "0")][..],
        &[("columns_mapping.user_authorized", "0")],
        &[("columns_mapping.national_id", "1")],
        &[("columns_mapping.national_id", "0"), ("columns_mapping.foreign_id", "0")],
        &[("columns_mapping.national_id", "first")],
        &[("frequency", "1w")],
        &[("end_date", "2027-01-31")],
    ] {
        let (status, body) = site.create(more).await;
        assert_eq!((status, &body["code"]), (400, &json!(10_400)), "{more:?}");
    }
    let (_, body) = site.create(&[]).await;
    let columns = body["columns"].as_array().expect("columns");
    assert!(columns.len() > 15 && columns[0] == "national_id" && !columns.contains(&json!("license_plate")), "{body}");
}

#[tokio::test]
async fn whether_references_can_be_mapped_is_a_switch() {
    let site = Site::start().await;
    site.behave(&json!({ "custom_input": "refused" }));
    assert_eq!(site.create(&[("columns_mapping.custom_input", "0")]).await.0, 400);
    site.behave(&json!({ "custom_input": "lost" }));
    let batch = site.started(&[["ref-1", "1032456701"]]).await;
    site.advance(60);
    assert!(site.references().is_empty());
    assert_eq!(sheet(&mut site.report(&batch).await, "Results")[1][0], "");
}

#[tokio::test]
async fn too_many_rows_end_a_batch_and_so_does_an_unreadable_file() {
    let site = Site::start().await;
    site.behave(&json!({ "max_rows": 1 }));
    let large = site.started(&[["ref-1", "1"], ["ref-2", "2"]]).await;
    let body = site.look(&large).await;
    assert_eq!((&body["status"], body["failure_reason"].is_string()), (&json!("error"), true));
    let odd = site.batch().await;
    assert_eq!(site.put(&odd.link, b"no workbook".to_vec()).await, 200);
    assert_eq!(site.call("POST", &format!("/v1/batches/{}/start", odd.id), &[]).await.0, 200);
    assert_eq!(site.look(&odd).await["status"], "error");
    assert!(site.references().is_empty());
}

#[tokio::test]
async fn a_second_start_makes_nothing_twice_unless_it_is_told_to() {
    let site = Site::start().await;
    for (second_start, status, made) in [("refused", 400, 1), ("ignored", 200, 1), ("repeats", 200, 2)] {
        site.behave(&json!({ "second_start": second_start }));
        let batch = site.started(&[["ref-1", &format!("10324567{made}{}", status % 7)]]).await;
        let before = site.references().len();
        assert_eq!(site.call("POST", &format!("/v1/batches/{}/start", batch.id), &[]).await.0, status);
        site.advance(60);
        assert_eq!(site.references().len() - before, made, "{second_start}");
    }
}

#[tokio::test]
async fn a_stopped_batch_makes_no_more_rows() {
    let site = Site::start().await;
    site.behave(&json!({ "rows_per_moment": 1, "moment_ms": 60_000 }));
    let batch = site.started(&[["ref-1", "1032456701"], ["ref-2", "1032456702"]]).await;
    site.advance(61);
    let path = format!("/v1/batches/{}", batch.id);
    let (status, body) = site.call("PUT", &path, &[]).await;
    assert_eq!((status, &body["status"]), (200, &json!("stopped")));
    site.advance(300);
    assert_eq!(site.references(), ["ref-1"]);
    assert_eq!(site.call("PUT", &path, &[]).await.0, 400);
}

#[tokio::test]
async fn a_report_is_asked_for_and_takes_its_time() {
    let site = Site::start().await;
    let batch = site.started(&[["ref-1", "1032456701"]]).await;
    let path = format!("/v1/batches/{}/report", batch.id);
    site.advance(60);
    assert_eq!(site.call("GET", &path, &[]).await.0, 404);
    assert_eq!(site.call("POST", &path, &[]).await.0, 400, "without a format");
    assert_eq!(site.call("POST", &format!("{path}?format=xlsx"), &[]).await, (201, json!({})));
    let (status, body) = site.call("GET", &path, &[]).await;
    let expected = json!({ "code": 10_404, "http_code": 404, "message": "Batch not found" });
    assert_eq!((status, body), (404, expected));
    site.advance(5);
    let (_, body) = site.call("GET", &path, &[]).await;
    let link = body["batch_report_url"].as_str().expect("a link").to_owned();
    site.advance(30 * 60);
    assert_eq!(site.client.get(link).send().await.expect("an answer").status(), 403);
}

#[tokio::test]
async fn reports_come_in_every_shape_that_is_told() {
    let site = Site::start().await;
    site.behave(&json!({
        "report_prefix": "Input ", "report_titles": true, "report_reversed": true, "report_shift": 1,
        "report_omits": ["score", "id_score", "name_score"], "report_lacks": ["Errors"], "double_slash": true,
    }));
    let batch = site.started(&[["ref-1", "1032456701"]]).await;
    site.advance(60);
    let mut report = site.report(&batch).await;
    assert_eq!(report.sheet_names(), ["Results"]);
    let rows = sheet(&mut report, "Results");
    assert_eq!(rows[1], ["", "Creation Date", "Status", "Check ID", "Input National ID", "Input Custom Input"]);
    assert_eq!(rows[2][4..], ["1032456701", "ref-1"]);
    site.behave(&json!({ "report_base": "https://files.example.org" }));
    let (_, body) = site.call("GET", &format!("/v1/batches/{}/report", batch.id), &[]).await;
    assert!(body["batch_report_url"].as_str().is_some_and(|link| link.starts_with("https://files.example.org//batch")));
}
