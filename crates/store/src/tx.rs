//! The database, one transaction of it, and whose rows a reader may see.

use std::borrow::Cow;
use std::collections::HashMap;
use std::str::FromStr as _;
use std::sync::Arc;

use domain::{Clock, Entropy, OrderId, TenantId, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions};
use sqlx::{PgConnection, Postgres, Transaction};
use uuid::Uuid;

use crate::accounts::Accounts;
use crate::audit::Audit;
use crate::batches::Batches;
use crate::cases::Cases;
use crate::documents::Documents;
use crate::error::{Result, StoreError};
use crate::idempotency::Idempotency;
use crate::inbox::Inbox;
use crate::monitors::Monitors;
use crate::orders::Orders;
use crate::payloads::Payloads;
use crate::scans::Scans;
use crate::submissions::Submissions;
use crate::vault::{OrderKey, Vault};
use crate::vendor_files::VendorFiles;
use crate::vendor_notes::VendorNotes;
use crate::vendor_objects::VendorObjects;

/// The schema, forward only.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations");

/// What workers of every process are woken by.
const WAKE_CHANNEL: &str = "vetgate_work";

/// Whose rows a reader sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// One tenant's own; another's do not exist for it.
    Tenant(TenantId),
    /// Everybody's: operators, and the engine itself.
    All,
}

impl Scope {
    /// The tenant that rows must be of; `None`: any.
    pub fn tenant(&self) -> Option<&str> {
        match self {
            Self::Tenant(tenant) => Some(tenant.as_str()),
            Self::All => None,
        }
    }
}

/// The database. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Store {
    pub(crate) pool: PgPool,
    pub(crate) vault: Arc<Vault>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

impl Store {
    /// Opens up to `max_connections`, and one more for each listener. Fails if the database cannot be reached.
    pub async fn connect(
        url: &SecretString,
        max_connections: u32,
        vault: Vault,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self> {
        let options = PgConnectOptions::from_str(url.expose_secret())?.application_name("vetgate");
        let pool = PgPoolOptions::new()
            .max_connections(max_connections)
            // A request that cannot get a connection in this time is told 503, rather than piling up.
            .acquire_timeout(std::time::Duration::from_secs(5))
            // A broken connection shows at its first statement; asking before each would double the round trips.
            .test_before_acquire(false)
            .connect_with(options)
            .await?;
        Ok(Self { pool, vault: Arc::new(vault), entropy })
    }

    /// Brings the schema up to date. Processes that start together wait for one another.
    pub async fn migrate(&self) -> Result<()> {
        let migrator = Migrator {
            migrations: Cow::Borrowed(&MIGRATOR.migrations),
            // While a newer version is rolled out, an older process may start again: migrations expand before they
            // contract, so it can work with a schema that is ahead of it.
            ignore_missing: true,
            ..Migrator::DEFAULT
        };
        Ok(migrator.run(&self.pool).await?)
    }

    /// How many migrations of this version are not applied yet.
    pub async fn pending_migrations(&self) -> Result<usize> {
        let is_new: bool =
            sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NULL").fetch_one(&self.pool).await?;
        if is_new {
            return Ok(MIGRATOR.iter().count());
        }
        let applied: Vec<i64> =
            sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success").fetch_all(&self.pool).await?;
        Ok(MIGRATOR.iter().filter(|migration| !applied.contains(&migration.version)).count())
    }

    pub async fn ping(&self) -> Result<()> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// A transaction of a connection, begun in a task of its own: were whoever waits for it to go away half-way (a caller
    /// hangs up), the connection would go back to the pool with a transaction open, and what the next one to get it writes
    /// would not be committed.
    pub(crate) async fn transaction(&self) -> sqlx::Result<Transaction<'static, Postgres>> {
        let pool = self.pool.clone();
        tokio::spawn(async move { pool.begin().await }).await.unwrap_or(Err(sqlx::Error::WorkerCrashed))
    }

    pub async fn begin(&self) -> Result<Tx> {
        // Connections that broke while they lay idle (the server was restarted) show only now. Nothing was done yet, so
        // each is thrown away and the next one tried, a new one in the end.
        let mut left = self.pool.size();
        let inner = loop {
            match self.transaction().await {
                Err(sqlx::Error::Io(_) | sqlx::Error::Database(_)) if left > 0 => left -= 1,
                begun => break begun?,
            }
        };
        Ok(Tx {
            inner,
            vault: Arc::clone(&self.vault),
            entropy: Arc::clone(&self.entropy),
            wrapped_keys: HashMap::new(),
        })
    }

    /// Wakes the workers of every process. Called after a commit, never within one: a notification in a transaction
    /// would serialise every commit behind it.
    pub async fn wake(&self) -> Result<()> {
        sqlx::query("SELECT pg_notify($1, '')").bind(WAKE_CHANNEL).execute(&self.pool).await?;
        Ok(())
    }

    pub async fn listen(&self) -> Result<WakeListener> {
        // A connection of its own: it is held for as long as the process lives.
        let options = (*self.pool.connect_options()).clone();
        let own = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
        let mut inner = PgListener::connect_with(&own.connect_with(options).await?).await?;
        inner.listen(WAKE_CHANNEL).await?;
        Ok(WakeListener { inner })
    }

    /// Waits until connections are given back and closes them.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Hears [`Store::wake`].
pub struct WakeListener {
    inner: PgListener,
}

impl WakeListener {
    /// Waits for a wake-up. A lost connection is made again, and counts as one: something may have been missed. After
    /// an error the next call tries to connect again.
    pub async fn recv(&mut self) -> Result<()> {
        match self.inner.try_recv().await {
            Ok(_) => Ok(()),
            Err(error) => Err(StoreError::from(error)),
        }
    }
}

/// One transaction. Dropped without [`Tx::save`], it never happened.
pub struct Tx {
    pub(crate) inner: Transaction<'static, Postgres>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) entropy: Arc<dyn Entropy>,
    /// Data keys of orders that were read here, sealed as they are in their rows: saves a round trip.
    wrapped_keys: HashMap<Uuid, Vec<u8>>,
}

impl Tx {
    /// Commits. On an error nobody knows whether it was committed, unless the error is the database's own.
    pub async fn save(self) -> Result<()> {
        Ok(self.inner.commit().await?)
    }

    pub async fn cancel(self) -> Result<()> {
        Ok(self.inner.rollback().await?)
    }

    pub fn orders(&mut self) -> Orders<'_> {
        Orders { tx: self }
    }

    pub fn batches(&mut self) -> Batches<'_> {
        Batches { tx: self }
    }

    pub fn monitors(&mut self) -> Monitors<'_> {
        Monitors { tx: self }
    }

    pub fn submissions(&mut self) -> Submissions<'_> {
        Submissions { tx: self }
    }

    pub fn cases(&mut self) -> Cases<'_> {
        Cases { tx: self }
    }

    pub fn scans(&mut self) -> Scans<'_> {
        Scans { tx: self }
    }

    pub fn vendor_files(&mut self) -> VendorFiles<'_> {
        VendorFiles { tx: self }
    }

    pub fn vendor_objects(&mut self) -> VendorObjects<'_> {
        VendorObjects { tx: self }
    }

    pub fn accounts(&mut self) -> Accounts<'_> {
        Accounts { tx: self }
    }

    pub fn inbox(&mut self) -> Inbox<'_> {
        Inbox { tx: self }
    }

    pub fn vendor_notes(&mut self) -> VendorNotes<'_> {
        VendorNotes { tx: self }
    }

    pub fn idempotency(&mut self) -> Idempotency<'_> {
        Idempotency { tx: self }
    }

    pub fn audit(&mut self) -> Audit<'_> {
        Audit { tx: self }
    }

    pub fn payloads(&mut self) -> Payloads<'_> {
        Payloads { tx: self }
    }

    pub fn documents(&mut self) -> Documents<'_> {
        Documents { tx: self }
    }

    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.inner
    }

    pub(crate) fn remember_key(&mut self, order: Uuid, wrapped: &[u8]) {
        self.wrapped_keys.insert(order, wrapped.to_vec());
    }

    /// The order's data key.
    pub(crate) async fn order_key(&mut self, order: OrderId) -> Result<OrderKey> {
        if !self.wrapped_keys.contains_key(&order.uuid()) {
            let wrapped = sqlx::query_scalar!("SELECT data_key FROM orders WHERE id = $1", order.uuid())
                .fetch_optional(self.connection())
                .await?
                .ok_or(StoreError::Conflict("the order is gone"))?
                .ok_or(StoreError::Corrupt("the order's data key was destroyed"))?;
            self.remember_key(order.uuid(), &wrapped);
        }
        Ok(self.vault.unwrap_order_key(order, &self.wrapped_keys[&order.uuid()])?)
    }
}

/// A clock that stands at a row's own time, for ids that the store makes.
pub(crate) struct At(pub Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}
