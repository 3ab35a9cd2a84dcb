//! Bounds on times as bounds on ids: ids are UUIDv7 and sort by the time at which they were made.

use std::time::Duration;

use domain::Timestamp;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

/// Between which ids a page lies.
pub struct IdRange {
    from: Option<Uuid>,
    below: Option<Uuid>,
}

impl IdRange {
    /// Of rows made at `after` or later and earlier than `before`, whose ids were made at most `slack` from that time;
    /// and below the last id of the page before.
    pub fn new(after: Option<Timestamp>, before: Option<Timestamp>, slack: Duration, last: Option<Uuid>) -> Self {
        let first_at =
            |at: Timestamp| uuid::Builder::from_unix_timestamp_millis(at.unix_millis(), &[0; 10]).into_uuid();
        Self {
            from: after.map(|at| first_at(at - slack)),
            below: before.map(|at| first_at(at + slack)).into_iter().chain(last).min(),
        }
    }

    pub fn push(&self, query: &mut QueryBuilder<Postgres>, column: &'static str) {
        if let Some(from) = self.from {
            query.push(" AND ").push(column).push(" >= ").push_bind(from);
        }
        if let Some(below) = self.below {
            query.push(" AND ").push(column).push(" < ").push_bind(below);
        }
    }
}
