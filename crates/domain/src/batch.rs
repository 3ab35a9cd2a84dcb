//! A batch: many orders that were accepted together, all of them or none.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::BatchId;
use crate::party::TenantId;
use crate::result::Reason;
use crate::status::{CheckStatus, words};
use crate::time::Timestamp;

/// Where a batch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BatchStatus {
    /// Some check is not final yet, or the last one has only just become so: `batch.completed` comes with the change.
    InProgress,
    /// Every check is final.
    Completed,
    /// The caller canceled it, and every check is final: canceled, or further than that already.
    Canceled,
}

words!(BatchStatus { InProgress = "in_progress", Completed = "completed", Canceled = "canceled" });

#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    pub id: BatchId,
    pub tenant: TenantId,
    pub external_id: Option<String>,
    /// Orders that were accepted.
    pub orders: u32,
    /// Rows that were left out, because the caller asked to skip what is invalid.
    pub rejected: u32,
    pub counts: CheckCounts,
    /// Set once, never taken back.
    pub cancel: Option<BatchCancel>,
    pub created_at: Timestamp,
    /// When its last check became final.
    pub completed_at: Option<Timestamp>,
}

/// The caller wants the whole batch stopped. Nothing of it is sent from then on.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchCancel {
    pub requested_at: Timestamp,
    pub reason: Reason,
}

impl Batch {
    pub const fn status(&self) -> BatchStatus {
        match (&self.completed_at, &self.cancel) {
            (None, _) => BatchStatus::InProgress,
            (Some(_), None) => BatchStatus::Completed,
            (Some(_), Some(_)) => BatchStatus::Canceled,
        }
    }

    /// The share of its checks that are final, from 0 to 1.
    pub fn progress(&self) -> f64 {
        match self.counts.total() {
            0 => 1.0,
            total => f64::from(self.counts.ended()) / f64::from(total),
        }
    }
}

/// How many checks stand where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckCounts(BTreeMap<&'static str, u32>);

impl CheckCounts {
    pub fn of(&self, status: CheckStatus) -> u32 {
        self.0.get(status.as_str()).copied().unwrap_or(0)
    }

    pub fn set(&mut self, status: CheckStatus, count: u32) {
        self.0.insert(status.as_str(), count);
    }

    /// Every status with its count, zeros included, in the order of a check's way.
    pub fn iter(&self) -> impl Iterator<Item = (CheckStatus, u32)> {
        CheckStatus::ALL.iter().map(|status| (*status, self.of(*status)))
    }

    pub fn total(&self) -> u32 {
        self.iter().map(|(_, count)| count).sum()
    }

    pub fn ended(&self) -> u32 {
        self.iter().filter(|(status, _)| status.is_final()).map(|(_, count)| count).sum()
    }
}

/// A row of an upload that could not be accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedRow {
    /// From 1, as a person counts: the line of an NDJSON or CSV file, the row of a sheet, the place in a JSON array.
    pub row: u64,
    pub faults: Vec<RowFault>,
}

/// What is wrong with a row. Says what and where, never the value itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowFault {
    /// A JSON Pointer into the order that the row stands for; empty for the row as a whole.
    pub pointer: String,
    /// The heading of the column, in formats that have columns.
    pub column: Option<String>,
    pub code: String,
    pub detail: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_the_share_of_what_is_final() {
        let mut counts = CheckCounts::default();
        counts.set(CheckStatus::Queued, 1);
        counts.set(CheckStatus::NeedsReview, 1);
        counts.set(CheckStatus::Completed, 1);
        counts.set(CheckStatus::Failed, 1);
        let mut batch = Batch {
            id: BatchId::from_uuid(uuid::Uuid::nil()),
            tenant: TenantId::new("t"),
            external_id: None,
            orders: 4,
            rejected: 0,
            counts,
            cancel: None,
            created_at: Timestamp::EPOCH,
            completed_at: None,
        };
        assert_eq!((batch.counts.total(), batch.counts.ended()), (4, 2));
        assert!((batch.progress() - 0.5).abs() < f64::EPSILON);
        assert_eq!(batch.status(), BatchStatus::InProgress);
        batch.completed_at = Some(Timestamp::EPOCH);
        assert_eq!(batch.status(), BatchStatus::Completed);
    }
}
