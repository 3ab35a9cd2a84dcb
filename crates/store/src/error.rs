//! What can go wrong with the database, told without a word of what is in it.

use std::fmt;

pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Neither `Display` nor `Debug` shows a value of a row or of a statement: Postgres quotes both in its messages.
#[derive(thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is full, is starting, or gave this transaction up for another. Trying again
    /// later can help; callers are told 503.
    #[error("the database is not available: {}", describe(.0))]
    Unavailable(sqlx::Error),
    /// A row cannot be decrypted or read.
    #[error("a stored row cannot be read: {0}")]
    Corrupt(&'static str),
    /// An update did not change the rows that it must.
    #[error("a row was changed by someone else: {0}")]
    Conflict(&'static str),
    /// A statement failed for a reason that trying again does not mend.
    #[error("the database refused a statement: {}", describe(.0))]
    Database(sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the migration failed: {0}")]
    Migration(String),
}

impl StoreError {
    /// Whether the same call may succeed later.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if is_outage(&error) { Self::Unavailable(error) } else { Self::Database(error) }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        match error {
            sqlx::migrate::MigrateError::Execute(error) => Self::from(error),
            sqlx::migrate::MigrateError::ExecuteMigration(error, version) => match Self::from(error) {
                Self::Database(error) => Self::Migration(format!("version {version}: {}", describe(&error))),
                other => other,
            },
            // Texts about versions and checksums; there is no data in them.
            other => Self::Migration(other.to_string()),
        }
    }
}

fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| is_outage_code(&code)),
        _ => false,
    }
}

/// By the classes of <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn is_outage_code(code: &str) -> bool {
    match code.get(..2) {
        // Connection exceptions, resources (disk full, too many connections), the server's own files.
        Some("08" | "53" | "58") => true,
        // Shutting down, crashed, starting up; but not a statement cancelled by hand.
        Some("57") => code.starts_with("57P"),
        // Serialization failure, deadlock; lock not available; a standby that was not promoted yet.
        _ => matches!(code, "40001" | "40P01" | "55P03" | "25006"),
    }
}

/// Says what happened by code and constraint. The server's message and detail may quote values.
fn describe(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            match error.constraint() {
                Some(constraint) => format!("SQLSTATE {code} on {constraint}"),
                None => format!("SQLSTATE {code}"),
            }
        }
        sqlx::Error::PoolTimedOut => "no connection was free in time".to_owned(),
        sqlx::Error::PoolClosed => "the pool is closed".to_owned(),
        sqlx::Error::Configuration(_) => "the connection URL cannot be used".to_owned(),
        sqlx::Error::Tls(_) => "TLS could not be set up".to_owned(),
        sqlx::Error::RowNotFound => "a row is missing".to_owned(),
        sqlx::Error::ColumnDecode { index, .. } => format!("column {index} has an unexpected type or value"),
        sqlx::Error::Protocol(_) => "the connection broke the protocol".to_owned(),
        _ => "an unexpected error of the driver".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outages_are_told_from_faults() {
        for code in ["08006", "53100", "53300", "57P01", "57P03", "40001", "40P01", "25006", "58030"] {
            assert!(is_outage_code(code), "{code}");
        }
        for code in ["23505", "22P02", "42601", "57014", ""] {
            assert!(!is_outage_code(code), "{code}");
        }
    }

    #[test]
    fn no_connection_is_transient_and_says_so() {
        let error = StoreError::from(sqlx::Error::PoolTimedOut);
        assert!(error.is_transient());
        assert_eq!(format!("{error:?}"), "the database is not available: no connection was free in time");
    }
}
