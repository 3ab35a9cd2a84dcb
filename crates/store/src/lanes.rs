//! Sending in lanes: each batch is one, and all single orders together are one, so that a batch of 50,000 checks holds
//! nobody up who sends one.

use domain::{AccountKey, BatchId, Timestamp};
use uuid::Uuid;

use crate::claims::{Claim, Row};
use crate::error::Result;
use crate::tx::Store;

/// A batch, or (`None`) all orders that are of none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane(pub Option<BatchId>);

impl Lane {
    pub(crate) fn uuid(self) -> Uuid {
        self.0.map_or(Uuid::nil(), BatchId::uuid)
    }

    pub(crate) fn from_uuid(uuid: Uuid) -> Self {
        Self((!uuid.is_nil()).then(|| BatchId::from_uuid(uuid)))
    }
}

impl Store {
    /// The account's lanes that have something to send now, besides files: single orders first, then batches by age.
    pub async fn lanes(&self, account: &AccountKey, now: Timestamp) -> Result<Vec<Lane>> {
        // From one lane's first row to the next lane's, and one look at each: a few jumps in an index, however long the
        // lanes are. What is due of a lane is asked for as a range of (lane, due_at), in that order: by equality the
        // planner may take the index that goes by due_at alone, and read past all that is due in other lanes.
        let lanes = sqlx::query_scalar!(
            r#"WITH RECURSIVE lanes AS (
                   (SELECT lane FROM work WHERE kind = 'send' AND kin IS NULL AND account = $1 ORDER BY lane LIMIT 1)
                   UNION ALL
                   SELECT (SELECT lane FROM work
                           WHERE kind = 'send' AND kin IS NULL AND account = $1 AND lane > l.lane
                           ORDER BY lane LIMIT 1)
                   FROM lanes l WHERE l.lane IS NOT NULL
               )
               SELECT l.lane AS "lane!" FROM lanes l
               CROSS JOIN LATERAL (
                   SELECT FROM work
                   WHERE kind = 'send' AND kin IS NULL AND account = $1
                     AND (lane, due_at) >= (l.lane, '-infinity') AND (lane, due_at) <= (l.lane, $2)
                   ORDER BY lane, due_at LIMIT 1
               ) AS due
               ORDER BY l.lane"#,
            account.to_string(),
            now.get()
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(lanes.into_iter().map(Lane::from_uuid).collect())
    }

    /// Takes checks of the account that wait to be sent, but for no file, from each lane up to so many, the longest due first, and of a
    /// batch, all of which is due at once, in the order of its rows. Until `lease_until` nobody else gets them; whoever
    /// saves a check with a plan ends the lease.
    pub async fn claim_lanes(
        &self,
        account: &AccountKey,
        lanes: &[(Lane, i64)],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<Claim>> {
        let (lanes, most): (Vec<Uuid>, Vec<i64>) =
            lanes.iter().map(|(lane, most)| (lane.uuid(), (*most).max(0))).unzip();
        // By an array of ids rather than a join: the planner cannot know how few rows the limits leave, and would read
        // the whole table to join it.
        let rows = sqlx::query_as!(
            Row,
            r#"WITH due AS MATERIALIZED (
                   SELECT first.check_id, first.due_at
                   FROM unnest($2::uuid[], $3::bigint[]) AS l (lane, most)
                   CROSS JOIN LATERAL (
                       SELECT check_id, due_at FROM work
                       WHERE kind = 'send' AND kin IS NULL AND account = $1
                         AND (lane, due_at) >= (l.lane, '-infinity') AND (lane, due_at) <= (l.lane, $4)
                       ORDER BY lane, due_at, order_id DESC LIMIT l.most
                       FOR UPDATE SKIP LOCKED
                   ) AS first
               ), taken AS (
                   UPDATE work SET due_at = $5 WHERE check_id = ANY(ARRAY(SELECT check_id FROM due))
                   RETURNING check_id, order_id, tenant, lane
               )
               SELECT taken.check_id, taken.order_id, taken.tenant, taken.lane
               FROM taken JOIN due ON due.check_id = taken.check_id
               ORDER BY due.due_at, taken.order_id DESC, taken.check_id"#,
            account.to_string(),
            &lanes,
            &most,
            now.get(),
            lease_until.get()
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(Claim::from).collect())
    }
}
