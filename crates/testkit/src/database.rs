//! A database for each test, made from a template that is migrated once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, mpsc};

use anyhow::{Context as _, Result};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tokio::sync::OnceCell;
use url::Url;

use crate::cluster::{DataDir, PrivatePostgres};

/// A database of one test's own. It is dropped with this.
pub struct TestDatabase {
    pub url: String,
    name: String,
    server: &'static Server,
}

/// A new database that `migrate` was run on: once per test process and kind of `migrate`, whoever asks for it.
///
/// The server is that of `DATABASE_URL` or, where that is not set, a private one that ends with the test process.
///
/// # Panics
///
/// If there is no Postgres, or the migration fails: no test can go on then.
pub async fn database<M, F>(migrate: M) -> TestDatabase
where
    M: FnOnce(String) -> F,
    F: Future<Output = Result<()>>,
{
    match Server::of_this_process().await.new_database(migrate).await {
        Ok(database) => database,
        Err(error) => panic!("no test database: {error:#}"),
    }
}

struct Server {
    /// The URL of its database `postgres`.
    admin: Url,
    /// Ours alone, or one that must be left as it was found.
    private: Option<PrivatePostgres>,
    templates: Mutex<HashMap<&'static str, Arc<OnceCell<String>>>>,
}

impl Server {
    async fn of_this_process() -> &'static Self {
        // Never dropped: the guard of the server notices the end of this process.
        static SERVER: OnceCell<Server> = OnceCell::const_new();
        match SERVER.get_or_try_init(Self::start).await {
            Ok(server) => server,
            Err(error) => panic!("no Postgres for tests: {error:#}"),
        }
    }

    async fn start() -> Result<Self> {
        let (admin, private) = match std::env::var("DATABASE_URL") {
            Ok(url) if !url.is_empty() => (url, None),
            _ => {
                let postgres = PrivatePostgres::start(DataDir::Temporary).await?;
                (postgres.url().to_owned(), Some(postgres))
            }
        };
        // The URL itself is not shown: it may hold a password.
        let admin = Url::parse(&admin).context("DATABASE_URL is not a URL")?;
        Ok(Self { admin, private, templates: Mutex::default() })
    }

    async fn new_database<M, F>(&'static self, migrate: M) -> Result<TestDatabase>
    where
        M: FnOnce(String) -> F,
        F: Future<Output = Result<()>>,
    {
        let name = new_name("test");
        if self.private.is_none() {
            // A template would have to outlive each test, and would be left behind on a server that is not ours.
            self.execute(format!("CREATE DATABASE {name}")).await?;
            let database = TestDatabase { url: self.url_of(&name), name, server: self };
            migrate(database.url.clone()).await?;
            return Ok(database);
        }
        let template = {
            let mut templates = self.templates.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(templates.entry(std::any::type_name::<M>()).or_default())
        };
        let template = template.get_or_try_init(|| self.new_template(migrate)).await?;
        self.execute(format!("CREATE DATABASE {name} TEMPLATE {template}")).await?;
        Ok(TestDatabase { url: self.url_of(&name), name, server: self })
    }

    async fn new_template<M, F>(&self, migrate: M) -> Result<String>
    where
        M: FnOnce(String) -> F,
        F: Future<Output = Result<()>>,
    {
        let name = new_name("template");
        self.execute(format!("CREATE DATABASE {name}")).await?;
        migrate(self.url_of(&name)).await.context("the migration failed")?;
        // A template can only be copied while nobody is connected to it.
        self.execute(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await?;
        let hang_up = format!("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{name}'");
        self.execute(hang_up).await?;
        Ok(name)
    }

    async fn execute(&self, statement: String) -> Result<()> {
        let mut connection = PgConnection::connect(self.admin.as_str()).await.context("Postgres does not answer")?;
        connection.execute(AssertSqlSafe(statement)).await?;
        Ok(connection.close().await?)
    }

    fn url_of(&self, database: &str) -> String {
        let mut url = self.admin.clone();
        url.set_path(database);
        url.into()
    }
}

/// Names are unique in this process, and among processes that share a server.
fn new_name(what: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    static RUN: LazyLock<String> = LazyLock::new(|| hex::encode(rand::random::<[u8; 6]>()));
    format!("vetgate_{what}_{}_{}", *RUN, COUNT.fetch_add(1, Ordering::Relaxed))
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (done, is_done) = mpsc::sync_channel(1);
        let name = std::mem::take(&mut self.name);
        let _ = DROPPED.send(Dropped { server: self.server, name, done });
        // What is left on a private server in the end goes with it; a foreign one is left as it was found.
        if self.server.private.is_none() {
            let _ = is_done.recv();
        }
    }
}

struct Dropped {
    server: &'static Server,
    name: String,
    done: mpsc::SyncSender<()>,
}

/// Drops databases one after the other, in a thread that belongs to no test's runtime.
static DROPPED: LazyLock<mpsc::Sender<Dropped>> = LazyLock::new(|| {
    let (sender, waiting) = mpsc::channel::<Dropped>();
    std::thread::spawn(move || -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        for Dropped { server, name, done } in waiting {
            let dropped = runtime.block_on(server.execute(format!("DROP DATABASE {name} WITH (FORCE)")));
            if let Err(error) = dropped {
                tracing::warn!(error = format!("{error:#}"), "a test database was left behind");
            }
            let _ = done.send(());
        }
        Ok(())
    });
    sender
});
