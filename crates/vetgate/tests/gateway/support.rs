//! Real gateway processes on a database and simulators that outlive them.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use domain::TenantId;
use sandbox::{Books, Running, Sandbox, SandboxConfig};
use secrecy::SecretString;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use testkit::TestDatabase;
use url::Url;
use vetgate::simulators::Credentials;
use vetgate::token::{Claims, mint};

pub const VENDORS: [&str; 3] = ["truora", "theary", "truework"];
/// The program under test.
pub const VETGATE: &str = env!("CARGO_BIN_EXE_vetgate");
/// How long anything may take; only a failure takes so long.
const PATIENCE: Duration = Duration::from_mins(2);
const LOOK: Duration = Duration::from_millis(25);

pub const SECRET: &str = "3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b";
const KEY: &str = "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Waits until `done` gives something.
pub async fn until<T>(what: impl Display, mut done: impl AsyncFnMut() -> Option<T>) -> T {
    let give_up = Instant::now() + PATIENCE;
    loop {
        if let Some(result) = done().await {
            return result;
        }
        assert!(Instant::now() < give_up, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(LOOK).await;
    }
}

/// Database and simulators: what is left when a gateway dies.
pub struct World {
    pub database: TestDatabase,
    pub sandbox: Sandbox,
    /// What gateways are started with.
    pub variables: BTreeMap<String, String>,
    address: SocketAddr,
    folder: tempfile::TempDir,
    http: reqwest::Client,
    token: String,
    orders: AtomicU32,
}

impl World {
    pub async fn new() -> Self {
        // `serve` migrates.
        let database = testkit::database(async |_| Ok(())).await;
        let config = SandboxConfig::default();
        let credentials = Credentials::of(&config);
        let sandbox = vetgate::simulators::start(config).await.expect("the simulators start");
        // Free now, and hardly taken by another before the gateway does; it must be the same after each restart.
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = free.local_addr().expect("an address");
        let mut world = Self {
            database,
            sandbox,
            variables: BTreeMap::new(),
            address,
            folder: tempfile::tempdir().expect("a folder"),
            http: client(),
            token: token(),
            orders: AtomicU32::new(0),
        };
        world.set_up(&credentials);
        vetgate::simulators::send_hooks_to(&world.sandbox, &world.url(""));
        world
    }

    fn set_up(&mut self, credentials: &Credentials) {
        let bases = self.sandbox.all().map(|(_, simulator)| simulator.base_url().to_string());
        let [truora, theary, truework] = &bases;
        let variables = [
            ("DATABASE_URL", self.database.url.as_str()),
            ("VETGATE_AUTH__HS256_SECRET", SECRET),
            ("VETGATE_ENCRYPTION__KEYS", KEY),
            ("VETGATE_DATABASE__MAX_CONNECTIONS", "8"),
            // It lists as scans do, and tests wait for scans.
            ("VETGATE_RECONCILE__SWEEP", "off"),
            ("VETGATE_TRUORA__CHECKS_URL", truora),
            ("VETGATE_TRUORA__ACCOUNT_URL", truora),
            ("VETGATE_TRUORA__IDENTITY_URL", truora),
            ("VETGATE_TRUORA__IDENTITY_PAGE_URL", truora),
            ("VETGATE_TRUORA__IDENTITY_FLOW", sandbox::truora::IDENTITY_FLOW),
            ("VETGATE_TRUORA__API_KEY", &credentials.truora_api_key),
            ("VETGATE_TRUORA__HOOK_KEY", &credentials.truora_hook_key),
            ("VETGATE_THEARY__BASE_URL", theary),
            ("VETGATE_THEARY__TOKEN", &credentials.theary_token),
            ("VETGATE_THEARY__HOOK_SECRET", &credentials.theary_hook_secret),
            ("VETGATE_THEARY__QA_EMAIL", "qa@example.com"),
            ("VETGATE_TRUEWORK__BASE_URL", truework),
            ("VETGATE_TRUEWORK__API_KEY", &credentials.truework_api_key),
            ("VETGATE_TRUEWORK__HOOK_TOKEN", &credentials.truework_hook_token),
        ];
        self.variables.extend(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
        self.variables.insert("VETGATE_LISTEN".into(), self.address.to_string());
        self.set_of_each("SETTLE", "2s");
        self.set_of_each("TIMEOUT", "2s");
        self.set_of_each("POLL_MIN", "200ms");
        self.set_of_each("POLL_MAX", "1s");
    }

    /// Sets a key of every vendor.
    pub fn set_of_each(&mut self, key: &str, value: &str) {
        for vendor in VENDORS {
            self.variables.insert(format!("VETGATE_{}__{key}", vendor.to_uppercase()), value.to_owned());
        }
    }

    pub fn url(&self, path: &str) -> Url {
        format!("http://{}/{path}", self.address).parse().expect("a URL")
    }

    pub fn vendor(&self, id: &str) -> &Running {
        self.sandbox.all().into_iter().find(|(vendor, _)| *vendor == id).expect("a vendor").1
    }

    pub fn books(&self, id: &str) -> Books {
        self.vendor(id).control().books()
    }

    /// Starts a gateway, and waits until it is ready.
    pub async fn start(&self, arguments: &[&str]) -> Gateway {
        let gateway = self.spawn(arguments);
        until("the gateway is ready", async || {
            let answer = self.http.get(self.url("readyz")).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
        gateway
    }

    /// Starts a gateway.
    pub fn spawn(&self, arguments: &[&str]) -> Gateway {
        let log = self.folder.path().join(format!("{}.log", self.orders.fetch_add(1, Ordering::Relaxed)));
        let mut command = Command::new(VETGATE);
        command.args(arguments).current_dir(self.folder.path()).env_clear().envs(&self.variables);
        command.env("RUST_LOG", "info,engine=debug,api=warn").stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(File::create(&log).expect("a log"));
        Gateway { child: command.spawn().expect("the gateway starts"), log }
    }

    /// Runs a command of the program as somebody on the gateway's machine does, with its settings at hand.
    pub async fn call(&self, arguments: &[&str]) -> Called {
        let mut command = tokio::process::Command::new(VETGATE);
        command.args(arguments).current_dir(self.folder.path()).env_clear().envs(&self.variables);
        let output = command.stdin(Stdio::null()).output().await.expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
        let code = output.status.code();
        Called { code, printed: text(&output.stdout), told: text(&output.stderr) }
    }

    /// The folder in which commands run.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Posts an order once. `None`: no answer came, or none that says that it was accepted.
    pub async fn try_post(&self, order: &Value, key: &str) -> Option<Value> {
        let request = self.http.post(self.url("v1/orders")).bearer_auth(&self.token).header("Idempotency-Key", key);
        let answer = request.json(order).send().await.ok()?;
        let status = answer.status();
        let body = answer.text().await.ok()?;
        // While an earlier try with the same key is still running, and while the gateway stops.
        let may_come_back = status == 409 || status == 503;
        assert!(status == 201 || may_come_back, "an order was answered {status}: {body}");
        (status == 201).then(|| serde_json::from_str(&body).expect("an order"))
    }

    /// Posts something once. Gives the status, whether it was answered before, and the body.
    pub async fn send(&self, path: &str, body: &Value, key: &str) -> (u16, bool, Value) {
        let request = self.http.post(self.url(path)).bearer_auth(&self.token).header("Idempotency-Key", key);
        let answer = request.json(body).send().await.expect("an answer");
        let (status, replayed) = (answer.status().as_u16(), answer.headers().contains_key("idempotent-replayed"));
        (status, replayed, answer.json().await.expect("JSON"))
    }

    /// Opens a page as somebody with a browser does. Gives the status.
    pub async fn browse(&self, link: &str) -> u16 {
        self.http.get(link).send().await.expect("a page").status().as_u16()
    }

    /// Posts an order as often as it takes, as callers are told to: with the same key. Gives its id.
    pub async fn post(&self, order: &Value, key: &str) -> String {
        let order = until(format!("order {key} is accepted"), async || self.try_post(order, key).await).await;
        order["id"].as_str().expect("an id").to_owned()
    }

    /// Uploads a batch as NDJSON as often as it takes, with the same key. Gives its id.
    pub async fn post_batch(&self, lines: &str, key: &str) -> String {
        until(format!("batch {key} is accepted"), async || {
            let request =
                self.http.post(self.url("v1/batches")).bearer_auth(&self.token).header("Idempotency-Key", key);
            let request = request.header("Content-Type", "application/x-ndjson").body(lines.to_owned());
            let answer = request.send().await.ok()?;
            let (status, body) = (answer.status(), answer.text().await.ok()?);
            assert!(status == 202 || status == 409 || status == 503, "a batch was answered {status}: {body}");
            let batch: Value = serde_json::from_str(&body).ok()?;
            (status == 202).then(|| batch["id"].as_str().expect("an id").to_owned())
        })
        .await
    }

    /// Reads from the API as often as it takes.
    pub async fn get(&self, path: &str) -> Value {
        until(format!("{path} is answered"), async || {
            let answer = self.http.get(self.url(path)).bearer_auth(&self.token).send().await.ok()?;
            let (status, body) = (answer.status(), answer.text().await.ok()?);
            assert!(status == 200 || status == 503, "{path} answered {status}: {body}");
            (status == 200).then(|| serde_json::from_str(&body).expect("JSON"))
        })
        .await
    }

    pub async fn order(&self, id: &str) -> Value {
        self.get(&format!("v1/orders/{id}")).await
    }

    /// Every row of a list.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("{path}?limit=200{cursor}")).await;
            rows.extend(page["data"].as_array().expect("rows").iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return rows,
            }
        }
    }

    pub async fn cases(&self) -> Vec<Value> {
        self.all("v1/reconciliation/cases").await
    }

    /// Waits until every check of these orders has this status, or any of them.
    pub async fn until_status(&self, id: &str, statuses: &[&str]) {
        until(format!("order {id} is {statuses:?}"), async || {
            let order = self.order(id).await;
            let has = |check: &Value| statuses.iter().any(|status| check["status"] == *status);
            checks_of(&order).iter().all(has).then_some(())
        })
        .await;
    }

    /// Waits until nothing is left to do, then holds what the gateway says against the vendors' books: every accepted
    /// order is there and completed, and each of its checks has exactly one object at its vendor.
    pub async fn assert_settled(&self, ids: &[String]) {
        for id in ids {
            self.until_status(id, &["completed"]).await;
        }
        until("every case is settled", async || {
            self.cases().await.iter().all(|case| case["state"] == "resolved").then_some(())
        })
        .await;
        let mut checks = 0;
        for id in ids {
            for check in checks_of(&self.order(id).await) {
                checks += 1;
                let (id, vendor) =
                    (check["id"].as_str().expect("an id"), check["provider"].as_str().expect("a vendor"));
                let books = self.books(vendor);
                let theirs: Vec<_> = books.with_reference(id).map(|object| object.id.as_str()).collect();
                assert_eq!(
                    theirs,
                    [check["vendor"]["order_id"].as_str().expect("an object")],
                    "check {id} at {vendor}"
                );
            }
        }
        let objects: usize = VENDORS.iter().map(|vendor| self.books(vendor).objects.len()).sum();
        assert_eq!(objects, checks, "objects at the vendors, and checks");
        let known = self.all("v1/orders").await.len();
        assert_eq!(known, ids.len(), "orders here, and orders that were answered");
    }

    /// A connection of the test's own.
    pub async fn sql(&self) -> PgConnection {
        PgConnection::connect(&self.database.url).await.expect("connected")
    }

    pub async fn count(&self, query: &'static str) -> i64 {
        let mut connection = self.sql().await;
        sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&mut connection).await.expect("a count")
    }

    /// Holds every change of a table back, until it is dropped.
    pub async fn hold(&self, table: &str) -> Held {
        let mut connection = self.sql().await;
        let statement = format!("BEGIN; LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE");
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.expect("locked");
        Held(connection)
    }

    /// Waits until a statement is held back.
    pub async fn until_held(&self) {
        until("a statement waits for the lock", async || {
            // Locks are of the whole server, which tests share.
            let waiting =
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
            (self.count(waiting).await > 0).then_some(())
        })
        .await;
    }

    /// An order with one check at each of these vendors, and a person of its own.
    pub fn new_order(&self, vendors: &[&str]) -> Value {
        order(self.orders.fetch_add(1, Ordering::Relaxed), vendors)
    }
}

/// What came of a command.
#[derive(Debug)]
pub struct Called {
    pub code: Option<i32>,
    /// On standard output.
    pub printed: String,
    /// On standard error.
    pub told: String,
}

impl Called {
    /// Its standard output, as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.printed).unwrap_or_else(|_| panic!("no JSON: {self:#?}"))
    }

    /// The line that is about this.
    pub fn line(&self, about: &str) -> &str {
        let line = self.printed.lines().find(|line| line.contains(about));
        line.unwrap_or_else(|| panic!("no line about {about}: {self:#?}"))
    }
}

/// Changes of a table are held back.
pub struct Held(PgConnection);

impl Held {
    pub async fn release(self) {
        self.0.close().await.expect("closed");
    }
}

pub fn checks_of(order: &Value) -> Vec<Value> {
    order["checks"].as_array().expect("checks").clone()
}

/// A gateway process. It is killed when this is dropped.
pub struct Gateway {
    child: Child,
    log: PathBuf,
}

impl Gateway {
    /// SIGKILL: no chance to end anything.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end by itself.
    pub async fn ended(&mut self) -> std::process::ExitStatus {
        until("the gateway ends", async || self.child.try_wait().expect("a child")).await
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let last: Vec<_> = log.lines().rev().take(60).collect();
            eprintln!("the gateway's last words:\n{}", last.into_iter().rev().collect::<Vec<_>>().join("\n"));
        }
        self.end();
    }
}

#[expect(clippy::disallowed_methods, reason = "it calls the gateway, not a vendor")]
pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().timeout(Duration::from_secs(30)).build().expect("a client")
}

fn token() -> String {
    let tenant = TenantId::new("acme");
    let scopes = "orders:read orders:write reconciliation:read";
    let claims =
        Claims { subject: "test", tenant: &tenant, scopes, ttl: Duration::from_hours(1), issuer: None, audience: None };
    mint(&SecretString::from(SECRET), &claims).expect("a token")
}

pub fn order(number: u32, vendors: &[&str]) -> Value {
    let check = |vendor: &&str| match *vendor {
        "truora" => json!({ "type": "background_check", "provider": "truora", "country": "CO" }),
        vendor => json!({
            "type": "employment_verification", "provider": vendor, "title": "Software Engineer", "start_date": "2019-01-01",
            "employer": { "name": "Fake Company", "location": "Springfield, IL", "email": "hr@example.com" },
        }),
    };
    json!({
        "external_id": format!("K-{number}"),
        "subject": {
            "type": "person", "first_name": "Taylor", "last_name": "Curtis", "date_of_birth": "1990-05-15",
            "phone": "+15550100",
            "identifiers": [
                { "type": "ssn", "country": "US", "value": "000-00-0000" },
                // Its own for each order: Truora answers equal people with the same check. The last digits steer the simulator.
                { "type": "national_id", "country": "CO", "value": format!("{}10", 10_000_000 + number) },
            ],
        },
        "position": {
            "title": "Engineer", "company": "Example Hiring Inc", "city": "Springfield", "region": "IL", "country": "US",
            "salary": { "amount": "100000.00", "currency": "USD" },
        },
        "consent": { "obtained_at": "2026-01-05T10:00:00Z", "document": { "url": "https://example.com/release.pdf" } },
        "checks": vendors.iter().map(check).collect::<Vec<_>>(),
    })
}
