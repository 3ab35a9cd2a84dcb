//! A private Postgres, and databases for tests.
//!
//! [`PrivatePostgres`] runs a real Postgres of the machine, for `dev`, `demo` and the benchmarks. [`database`] gives each
//! test a database of its own, migrated already:
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! async fn migrate(url: String) -> anyhow::Result<()> {
//!     // Open the store at `url`, and migrate it.
//! #   let _ = url;
//!     Ok(())
//! }
//!
//! let database = testkit::database(migrate).await;
//! println!("{}", database.url);
//! # Ok(())
//! # }
//! ```

mod account;
mod cluster;
mod database;
mod guard;
mod installation;

pub use cluster::{DataDir, Durability, PrivatePostgres};
pub use database::{TestDatabase, database};
