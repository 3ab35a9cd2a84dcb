//! Create calls: the intent, made durable before the wire is touched, and how it ended.

use std::time::Duration;

use bytes::Bytes;
use domain::{AccountKey, CheckId, OrderId, Reference, Sensitive, SubmissionId, TenantId, Timestamp};

use uuid::Uuid;

use crate::error::{Result, StoreError};
use crate::tx::{Store, Tx};

/// A create call that is about to be made.
#[derive(Debug, Clone)]
pub struct NewSubmission {
    pub id: SubmissionId,
    pub tenant: TenantId,
    pub account: AccountKey,
    pub started_at: Timestamp,
    /// When the caller must have ended; whoever comes later finds it dead.
    pub lease_until: Timestamp,
    pub items: Vec<SubmissionPart>,
}

/// One check of a create call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionPart {
    pub check_id: CheckId,
    pub order_id: OrderId,
    pub reference: Reference,
}

/// How a create call stands, over all of its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SubmissionState {
    /// In flight, or its process died.
    Sending,
    Accepted,
    Rejected,
    NotSent,
    Unknown,
    /// Its items ended in different ways.
    Mixed,
}

impl SubmissionState {
    const ALL: [Self; 6] = [Self::Sending, Self::Accepted, Self::Rejected, Self::NotSent, Self::Unknown, Self::Mixed];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::NotSent => "not_sent",
            Self::Unknown => "unknown",
            Self::Mixed => "mixed",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// How a create call ended.
#[derive(Clone)]
pub struct Finished<'a> {
    pub state: SubmissionState,
    pub ended_at: Timestamp,
    pub http_status: Option<u16>,
    /// The answer's first bytes. Kept encrypted.
    pub answer: Option<&'a [u8]>,
}

#[derive(Debug, Clone)]
pub struct StoredSubmission {
    pub id: SubmissionId,
    pub tenant: TenantId,
    pub account: AccountKey,
    pub state: SubmissionState,
    pub started_at: Timestamp,
    pub lease_until: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub http_status: Option<u16>,
    pub answer: Option<Sensitive<Bytes>>,
    /// In the order of the call.
    pub parts: Vec<SubmissionPart>,
}

/// See [`Tx::submissions`].
pub struct Submissions<'t> {
    pub(crate) tx: &'t mut Tx,
}

const ANSWER: &str = "submissions.answer";

/// How long a dead submission is left to the one that found it.
const BURIAL: Duration = Duration::from_mins(1);

impl Submissions<'_> {
    /// The intent to make a call, in state `sending`.
    pub async fn insert(&mut self, new: &NewSubmission) -> Result<()> {
        let checks: Vec<Uuid> = new.items.iter().map(|part| part.check_id.uuid()).collect();
        let orders: Vec<Uuid> = new.items.iter().map(|part| part.order_id.uuid()).collect();
        let attempts: Vec<i32> = new.items.iter().map(|part| part.reference.attempt.into()).collect();
        sqlx::query!(
            r#"WITH submission AS (
                   INSERT INTO submissions (id, tenant, account, state, started_at, lease_until)
                   VALUES ($1, $2, $3, 'sending', $4, $5)
               )
               INSERT INTO submission_checks (submission_id, position, check_id, order_id, attempt)
               SELECT $1, n.position - 1, n.check_id, n.order_id, n.attempt
               FROM unnest($6::uuid[], $7::uuid[], $8::integer[]) WITH ORDINALITY
                    AS n (check_id, order_id, attempt, position)"#,
            new.id.uuid(),
            new.tenant.as_str(),
            new.account.to_string(),
            new.started_at.get(),
            new.lease_until.get(),
            &checks,
            &orders,
            &attempts
        )
        .execute(self.tx.connection())
        .await?;
        Ok(())
    }

    /// Writes down how the call ended. `false`: somebody else did before (the lease was over).
    pub async fn finish(&mut self, id: SubmissionId, finished: &Finished<'_>) -> Result<bool> {
        let seal = |answer| self.tx.vault.seal_row(ANSWER, id.uuid(), answer, &*self.tx.entropy);
        let answer = finished.answer.filter(|answer| !answer.is_empty()).map(seal);
        let done = sqlx::query!(
            r#"UPDATE submissions SET state = $2, ended_at = $3, http_status = $4, answer = $5
               WHERE id = $1 AND state = 'sending'"#,
            id.uuid(),
            finished.state.as_str(),
            finished.ended_at.get(),
            finished.http_status.map(i32::from),
            answer
        )
        .execute(self.tx.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    pub async fn get(&mut self, id: SubmissionId) -> Result<Option<StoredSubmission>> {
        let rows = sqlx::query!(
            r#"SELECT s.tenant, s.account, s.state, s.started_at, s.lease_until, s.ended_at, s.http_status,
                      CASE WHEN c.position = 0 THEN s.answer END AS answer, c.check_id, c.order_id, c.attempt
               FROM submissions s JOIN submission_checks c ON c.submission_id = s.id
               WHERE s.id = $1 ORDER BY c.position"#,
            id.uuid()
        )
        .fetch_all(self.tx.connection())
        .await?;
        let mut submission: Option<StoredSubmission> = None;
        for row in rows {
            let check_id = CheckId::from_uuid(row.check_id);
            let attempt = u16::try_from(row.attempt).map_err(|_| StoreError::Corrupt("a submission's attempt"))?;
            let part = SubmissionPart {
                check_id,
                order_id: OrderId::from_uuid(row.order_id),
                reference: Reference { check: check_id, attempt },
            };
            if let Some(submission) = &mut submission {
                submission.parts.push(part);
                continue;
            }
            let open = |sealed: Vec<u8>| self.tx.vault.open_row(ANSWER, id.uuid(), &sealed);
            let answer = row.answer.map(open).transpose()?;
            let http_status = row.http_status.map(u16::try_from).transpose();
            submission = Some(StoredSubmission {
                id,
                tenant: TenantId::new(row.tenant),
                account: AccountKey::try_from(row.account)
                    .map_err(|_| StoreError::Corrupt("a submission's account"))?,
                state: SubmissionState::parse(&row.state).ok_or(StoreError::Corrupt("a submission's state"))?,
                started_at: Timestamp::new(row.started_at),
                lease_until: Timestamp::new(row.lease_until),
                ended_at: row.ended_at.map(Timestamp::new),
                http_status: http_status.map_err(|_| StoreError::Corrupt("a submission's HTTP status"))?,
                answer: answer.map(|plain| Sensitive::new(Bytes::copy_from_slice(&plain))),
                parts: vec![part],
            });
        }
        Ok(submission)
    }
}

impl Store {
    /// Forgets the vendors' answers to create calls that ended before this time. Gives how many.
    pub async fn purge_answers(&self, ended_before: Timestamp) -> Result<u64> {
        let done = sqlx::query!(
            "UPDATE submissions SET answer = NULL WHERE answer IS NOT NULL AND ended_at < $1",
            ended_before.get()
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }

    /// Create calls in flight whose lease is over: their process died, and nobody knows how they ended. Each is given
    /// to one caller alone for a minute.
    pub async fn claim_dead(&self, now: Timestamp, limit: i64) -> Result<Vec<SubmissionId>> {
        let ids = sqlx::query_scalar!(
            r#"WITH dead AS (
                   SELECT id FROM submissions WHERE state = 'sending' AND lease_until <= $1
                   ORDER BY lease_until LIMIT $2
                   FOR UPDATE SKIP LOCKED
               )
               UPDATE submissions s SET lease_until = $3 FROM dead WHERE s.id = dead.id RETURNING s.id"#,
            now.get(),
            limit,
            (now + BURIAL).get()
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(ids.into_iter().map(SubmissionId::from_uuid).collect())
    }
}
