//! `vetgate batches` and `vetgate orders`, against a running gateway.

use std::fs;

use serde_json::{Value, json};
use tabular::{Cell, Format, Table, TableWriter};

use crate::support::{Called, World};

const COLUMNS: [&str; 10] = [
    "external_id",
    "subject.type",
    "subject.first_name",
    "subject.last_name",
    "subject.identifiers.0.type",
    "subject.identifiers.0.country",
    "subject.identifiers.0.value",
    "consent.obtained_at",
    "checks.0.type",
    "checks.0.country",
];

/// A row for a person of their own: Truora gives equal people the same check.
fn row(number: u32) -> [String; COLUMNS.len()] {
    let id = format!("{}10", 20_000_000 + number);
    let row = [
        &format!("F-{number}"),
        "person",
        "Lucia",
        "Prueba",
        "national_id",
        "CO",
        &id,
        "2026-01-05T10:00:00Z",
        "background_check",
        "CO",
    ];
    row.map(str::to_owned)
}

/// The same as an order.
fn order(number: u32) -> Value {
    let [external_id, kind, first_name, last_name, id_type, country, value, obtained_at, check_type, check_country] =
        row(number);
    json!({
        "external_id": external_id,
        "subject": {
            "type": kind, "first_name": first_name, "last_name": last_name,
            "identifiers": [{ "type": id_type, "country": country, "value": value }],
        },
        "consent": { "obtained_at": obtained_at },
        "checks": [{ "type": check_type, "country": check_country }],
    })
}

fn table(format: Format, rows: &[[String; COLUMNS.len()]]) -> Vec<u8> {
    let mut writer = TableWriter::new(format, &Table { name: "orders", columns: &COLUMNS }).expect("a table");
    for row in rows {
        writer.row(&row.each_ref().map(|cell| Cell::Text(cell.into()))).expect("a row");
    }
    writer.finish().expect("a file")
}

fn csv(numbers: impl IntoIterator<Item = u32>) -> Vec<u8> {
    table(Format::Csv, &numbers.into_iter().map(row).collect::<Vec<_>>())
}

impl World {
    /// Writes a file, and gives its name.
    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.folder().join(name);
        fs::write(&path, content).expect("written");
        path.display().to_string()
    }

    async fn import(&self, file: &str, more: &[&str]) -> Called {
        self.call(&[&["batches", "import", file, "--tenant", "acme"], more].concat()).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_format_is_imported_watched_and_reported() {
    let world = World::new().await;
    let _gateway = world.start(&["serve"]).await;
    let lines = [order(3), order(4)].map(|order| order.to_string()).join("\n");
    let files = [
        world.file("orders.csv", csv([1, 2])),
        world.file("orders.ndjson", lines),
        world.file("orders.xlsx", table(Format::Xlsx, &[row(5), row(6)])),
        world.file("orders.json", json!({ "orders": [order(7), order(8)] }).to_string()),
    ];
    for file in &files {
        let watched = world.import(file, &["--external-id", file, "--watch", "--json"]).await;
        assert_eq!(watched.code, Some(0), "{watched:#?}");
        let batch = watched.json();
        assert_eq!([&batch["status"], &batch["external_id"]], ["completed", file], "{batch:#}");
        assert_eq!([&batch["orders"], &batch["counts"]["completed"]], [2, 2], "{batch:#}");
    }
    let ids: Vec<_> =
        world.all("v1/orders").await.iter().map(|order| order["id"].as_str().expect("an id").to_owned()).collect();
    assert_eq!(ids.len(), 8);
    world.assert_settled(&ids).await;

    let listed = world.call(&["batches", "list", "--json"]).await.json();
    let batch = listed["data"][0]["id"].as_str().expect("an id");
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(files.len()));
    assert!(world.call(&["batches", "list", "--limit", "1"]).await.line(batch).contains("100%"));
    let shown = world.call(&["batches", "show", batch]).await;
    assert_eq!(shown.code, Some(0), "{shown:#?}");
    assert!(shown.printed.contains("Checks\n completed  2"), "{shown:#?}");

    let report = world.folder().join("report.xlsx").display().to_string();
    let called = world.call(&["batches", "report", batch, "--output", &report]).await;
    assert_eq!(called.code, Some(0), "{called:#?}");
    assert!(fs::read(&report).expect("a report").starts_with(b"PK"));
    let report = world.call(&["batches", "report", batch, "--format", "ndjson"]).await;
    let lines: Vec<Value> = report.printed.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.iter().map(|line| &line["check_status"]).collect::<Vec<_>>(), ["completed"; 2]);
    let template = world.call(&["batches", "template", "background_check"]).await;
    assert!(template.printed.contains("checks.0.country"), "{template:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_one_batch_unless_it_is_imported_again() {
    let world = World::new().await;
    let _gateway = world.start(&["serve", "--no-workers"]).await;
    let file = world.file("orders.csv", csv([1]));
    let first = world.import(&file, &["--json"]).await.json();
    let repeated = world.import(&file, &[]).await;
    assert_eq!(repeated.code, Some(0), "{repeated:#?}");
    assert!(repeated.told.contains("within the last 24 hours"), "{repeated:#?}");
    repeated.line(first["id"].as_str().expect("an id"));
    // Under another name it is the same file.
    let copy = world.file("copy.csv", csv([1]));
    assert_eq!(world.import(&copy, &["--json"]).await.json()["id"], first["id"]);
    let other = world.import(&file, &["--external-id", "other"]).await;
    assert_eq!(other.code, Some(1), "{other:#?}");
    assert!(other.told.contains("--again"), "{other:#?}");
    let again = world.import(&file, &["--again", "--json"]).await.json();
    assert_ne!(again["id"], first["id"]);
    assert_eq!(world.all("v1/batches").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_are_told_row_by_row_and_rows_can_be_left_out() {
    let world = World::new().await;
    let _gateway = world.start(&["serve", "--no-workers"]).await;
    let mut wrong = row(2);
    wrong[7] = "yesterday".to_owned();
    let file = world.file("orders.csv", table(Format::Csv, &[row(1), wrong, row(3)]));
    let refused = world.import(&file, &[]).await;
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    assert!(refused.told.contains("row 3, column consent.obtained_at: "), "{refused:#?}");
    assert!(refused.printed.is_empty() && !refused.told.contains("yesterday"), "{refused:#?}");
    let problem = world.import(&file, &["--json"]).await;
    assert_eq!((problem.code, &problem.json()["errors"][0]["row"]), (Some(1), &json!(3)));
    assert!(world.all("v1/batches").await.is_empty(), "all or nothing");

    let skipped = world.import(&file, &["--skip-invalid"]).await;
    assert_eq!(skipped.code, Some(0), "{skipped:#?}");
    assert!(skipped.line("row 3").contains("column consent.obtained_at: "), "{skipped:#?}");
    let batches = world.all("v1/batches").await;
    assert_eq!([&batches[0]["orders"], &batches[0]["rejected_count"]], [2, 1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn defaults_go_under_every_order_and_orders_are_listed_and_shown() {
    let mut world = World::new().await;
    world.variables.insert("VETGATE_TRUORA__PAUSED".into(), "true".into());
    let _gateway = world.start(&["serve"]).await;
    let mut lines = [order(1), order(2)];
    for line in &mut lines {
        line.as_object_mut().expect("an order").remove("consent");
    }
    let file = world.file("orders.ndjson", lines.map(|line| line.to_string()).join("\n"));
    let defaults = json!({ "consent": { "obtained_at": "2026-01-05T10:00:00Z" } });
    let defaults = world.file("defaults.json", defaults.to_string());
    let batch = world.import(&file, &["--defaults", &defaults, "--json"]).await.json();
    let batch = batch["id"].as_str().expect("an id");

    let listed = world.call(&["orders", "list", "--batch", batch, "--json"]).await.json();
    let orders = listed["data"].as_array().expect("orders");
    assert_eq!(orders.len(), 2);
    let first = orders.iter().find(|order| order["external_id"] == "F-1").expect("the first");
    let id = first["id"].as_str().expect("an id");
    assert!(world.call(&["orders", "list", "--external-id", "F-1"]).await.line(id).contains("truora queued"));

    let shown = world.call(&["orders", "show", id]).await;
    assert_eq!(shown.code, Some(0), "{shown:#?}");
    shown.line("truora/default is paused by settings");
    shown.line("order.created");
    assert!(!shown.printed.contains("Prueba"), "{shown:#?}");
    let document = world.call(&["orders", "show", id, "--json"]).await.json();
    assert_eq!([&document["order"]["id"], &document["events"][0]["type"]], [id, "order.created"]);

    let canceled = world.call(&["batches", "cancel", batch, "--reason", "wrong-info", "--json"]).await.json();
    assert!(!canceled["cancel_requested_at"].is_null(), "{canceled:#}");
    let ended = world.call(&["batches", "show", batch, "--watch", "--json"]).await;
    assert_eq!((ended.code, &ended.json()["status"]), (Some(0), &json!("canceled")), "{ended:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stops_watching_leaves_the_batch_alone() {
    use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

    let mut world = World::new().await;
    world.variables.insert("VETGATE_TRUORA__PAUSED".into(), "true".into());
    let _gateway = world.start(&["serve"]).await;
    let file = world.file("orders.csv", csv([1]));
    let batch = world.import(&file, &["--json"]).await.json();
    let id = batch["id"].as_str().expect("an id");
    let mut watching = tokio::process::Command::new(crate::support::VETGATE);
    watching.args(["batches", "show", id, "--watch"]).current_dir(world.folder()).env_clear().envs(&world.variables);
    let mut watching = watching.stderr(std::process::Stdio::piped()).spawn().expect("it runs");
    let mut told = BufReader::new(watching.stderr.take().expect("its standard error"));
    let mut line = String::new();
    told.read_line(&mut line).await.expect("a line");
    assert_eq!(line.trim_end(), "0 of 1 checks done: 1 queued");
    let pid = watching.id().and_then(|id| i32::try_from(id).ok()).expect("a process id");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGINT).expect("signalled");
    assert_eq!(watching.wait().await.expect("its end").code(), Some(130));
    let mut rest = String::new();
    told.read_to_string(&mut rest).await.expect("its last words");
    assert!(rest.contains(&format!("vetgate batches show {id} --watch")), "{rest}");
    assert!(world.get(&format!("v1/batches/{id}")).await["cancel_requested_at"].is_null());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_calls_end_with_2_and_refusals_with_1() {
    let world = World::new().await;
    let _gateway = world.start(&["serve", "--no-workers"]).await;
    let (csv, text) = (world.file("orders.csv", csv([1])), world.file("orders.txt", "?"));
    let wrong: &[(&[&str], &str)] = &[
        (&["batches", "import", &csv], "--tenant"),
        (&["batches", "import", &text, "--tenant", "acme"], "--format"),
        (&["batches", "import", &csv, "--tenant", "acme", "--defaults", "x.json"], "--defaults"),
        (&["batches", "report", "bat_1", "--output", "x.pdf"], "--format"),
        (&["cases", "resolve", "rec_1"], "--bind"),
        (&["cases", "resolve", "rec_1", "--bind", "chk_1"], "expected the check's id"),
        (&["orders", "list", "--status", "stuck"], "needs_review"),
        (&["orders", "list", "--url", "here"], "https://"),
        (&["orders", "list", "--token", "x", "--tenant", "acme"], "--tenant is for tokens made"),
    ];
    for (arguments, said) in wrong {
        let called = world.call(arguments).await;
        assert_eq!(called.code, Some(2), "{arguments:?}: {called:#?}");
        assert!(called.told.contains(said), "{arguments:?}: {called:#?}");
    }
    let refused: &[(&[&str], &str)] = &[
        (&["orders", "show", "ord_1"], "(404)"),
        (&["orders", "show", "../../healthz"], "(404)"),
        (&["orders", "list", "--token", "x"], "A valid token is needed (401)"),
        (&["orders", "list", "--created-after", "noon"], "parameter created_after: "),
        (&["orders", "list", "--url", "http://127.0.0.1:1"], "gave no answer"),
        (&["batches", "import", "missing.csv", "--tenant", "acme"], "missing.csv cannot be read"),
    ];
    for (arguments, said) in refused {
        let called = world.call(arguments).await;
        assert_eq!(called.code, Some(1), "{arguments:?}: {called:#?}");
        assert!(called.told.contains(said), "{arguments:?}: {called:#?}");
    }
}
