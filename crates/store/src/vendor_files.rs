//! Files of many checks at vendors that take them: where each stands, and who is at it.

use domain::{AccountKey, BatchId, Sensitive, SubmissionId, TenantId, Timestamp};
use provider::BulkStage;
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::{Result, StoreError};
use crate::sealed::{from_json, to_json};
use crate::tx::{Store, Tx};

/// A file that is about to be made; its checks are those of the submission.
#[derive(Debug, Clone)]
pub struct NewFile {
    pub submission: SubmissionId,
    pub tenant: TenantId,
    pub account: AccountKey,
    pub batch: BatchId,
    pub rows: usize,
    pub created_at: Timestamp,
}

/// A file that a worker has taken: a call of its stage may be made now, once.
#[derive(Debug, Clone)]
pub struct FileClaim {
    pub submission: SubmissionId,
    pub batch: BatchId,
    pub stage: BulkStage,
    pub entered_at: Timestamp,
    pub memory: Sensitive<Value>,
    /// When the latest call whose outcome is not known ended, or its lease did.
    pub doubtful_since: Option<Timestamp>,
    /// The number of this claim.
    pub call: i64,
    pub tries: u32,
    pub stop: Stop,
    pub created_at: Timestamp,
}

/// How far the wish is that the vendor stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stop {
    pub tries: u32,
    /// Not asked again before that.
    pub due_at: Option<Timestamp>,
    pub answered_at: Option<Timestamp>,
}

/// What a call came to.
#[derive(Debug, Clone)]
pub struct FileNews {
    pub stage: BulkStage,
    pub entered_at: Timestamp,
    /// `None`: as it was, and the id as well.
    pub memory: Option<Sensitive<Value>>,
    pub vendor_batch_id: Option<String>,
    pub doubtful_since: Option<Timestamp>,
    pub tries: u32,
    pub stop: Stop,
    pub due_at: Timestamp,
}

/// A file as it is shown, and as it is judged at its deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    pub submission: SubmissionId,
    pub account: AccountKey,
    pub rows: u32,
    pub stage: BulkStage,
    pub vendor_batch_id: Option<String>,
    /// A call of the stage was made, or is being made, and what came of it is not known.
    pub in_doubt: bool,
    pub created_at: Timestamp,
    pub stop_answered_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
}

impl StoredFile {
    /// Whether the vendor may have begun to make checks of its rows.
    pub fn may_have_begun(&self) -> bool {
        self.stage > BulkStage::Start || (self.stage == BulkStage::Start && self.in_doubt)
    }
}

/// See [`Tx::vendor_files`].
pub struct VendorFiles<'t> {
    pub(crate) tx: &'t mut Tx,
}

const MEMORY: &str = "vendor_files.memory";

impl VendorFiles<'_> {
    /// A file at its first stage, due at once. Its submission is written before.
    pub async fn insert(&mut self, new: &NewFile) -> Result<()> {
        let memory = self.seal(new.submission, &Sensitive::new(Value::Null))?;
        sqlx::query!(
            r#"INSERT INTO vendor_files (submission_id, tenant, account, batch_id, rows, stage, entered_at, memory, due_at,
                                         created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $7, $7)"#,
            new.submission.uuid(),
            new.tenant.as_str(),
            new.account.to_string(),
            new.batch.uuid(),
            i32::try_from(new.rows).map_err(|_| StoreError::Corrupt("the size of a file"))?,
            BulkStage::Create.as_str(),
            new.created_at.get(),
            memory
        )
        .execute(self.tx.connection())
        .await?;
        Ok(())
    }

    /// Writes down what the call came to. `false`: its lease was over and somebody else has taken the file since, or it
    /// has ended; then nothing is written.
    pub async fn record(&mut self, submission: SubmissionId, call: i64, news: &FileNews) -> Result<bool> {
        let memory = news.memory.as_ref().map(|memory| self.seal(submission, memory)).transpose()?;
        let done = sqlx::query!(
            r#"UPDATE vendor_files
               SET stage = $3, entered_at = $4, memory = coalesce($5, memory),
                   vendor_batch_id = CASE WHEN $5::bytea IS NULL THEN vendor_batch_id ELSE $6 END, doubtful_since = $7, tries = $8, stop_tries = $9,
                   stop_due_at = $10, stop_answered_at = $11, due_at = $12, calling_until = NULL
               WHERE submission_id = $1 AND calls = $2 AND ended_at IS NULL"#,
            submission.uuid(),
            call,
            news.stage.as_str(),
            news.entered_at.get(),
            memory,
            news.vendor_batch_id,
            news.doubtful_since.map(Timestamp::get),
            signed(news.tries),
            signed(news.stop.tries),
            news.stop.due_at.map(Timestamp::get),
            news.stop.answered_at.map(Timestamp::get),
            news.due_at.get()
        )
        .execute(self.tx.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Prolongs the lease. `false`: somebody else has taken the file since.
    pub async fn hold(&mut self, submission: SubmissionId, call: i64, until: Timestamp) -> Result<bool> {
        let done = sqlx::query!(
            r#"UPDATE vendor_files SET due_at = $3, calling_until = $3
               WHERE submission_id = $1 AND calls = $2 AND ended_at IS NULL"#,
            submission.uuid(),
            call,
            until.get()
        )
        .execute(self.tx.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// All that there is to know of its rows is taken in, or nothing more will be.
    pub async fn end(&mut self, submission: SubmissionId, now: Timestamp) -> Result<()> {
        sqlx::query!(
            r#"UPDATE vendor_files SET ended_at = $2, calling_until = NULL, memory = ''
               WHERE submission_id = $1 AND ended_at IS NULL"#,
            submission.uuid(),
            now.get()
        )
        .execute(self.tx.connection())
        .await?;
        Ok(())
    }

    /// The file of a submission, if it has one; nobody takes it until the transaction ends. Lock the orders of its
    /// checks before.
    pub async fn lock(&mut self, submission: SubmissionId) -> Result<Option<StoredFile>> {
        let row = sqlx::query_as!(
            Row,
            r#"SELECT submission_id, account, rows, stage, vendor_batch_id, created_at, stop_answered_at, ended_at,
                      (calling_until IS NOT NULL OR doubtful_since IS NOT NULL) AS "in_doubt!"
               FROM vendor_files WHERE submission_id = $1 FOR NO KEY UPDATE"#,
            submission.uuid()
        )
        .fetch_optional(self.tx.connection())
        .await?;
        row.map(StoredFile::try_from).transpose()
    }

    /// The files of a batch of ours, in the order in which they were made.
    pub async fn of_batch(&mut self, batch: BatchId, limit: u32) -> Result<Vec<StoredFile>> {
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT submission_id, account, rows, stage, vendor_batch_id, created_at, stop_answered_at, ended_at,
                      (calling_until IS NOT NULL OR doubtful_since IS NOT NULL) AS "in_doubt!"
               FROM vendor_files WHERE batch_id = $1 ORDER BY created_at, submission_id LIMIT $2"#,
            batch.uuid(),
            i64::from(limit)
        )
        .fetch_all(self.tx.connection())
        .await?;
        rows.into_iter().map(StoredFile::try_from).collect()
    }

    /// Brings the next look at the files of a batch forward, but for those at which somebody is just now.
    pub async fn look_now(&mut self, batch: BatchId, now: Timestamp) -> Result<()> {
        sqlx::query!(
            r#"UPDATE vendor_files SET due_at = $2
               WHERE batch_id = $1 AND ended_at IS NULL AND calling_until IS NULL AND due_at > $2"#,
            batch.uuid(),
            now.get()
        )
        .execute(self.tx.connection())
        .await?;
        Ok(())
    }

    fn seal(&self, submission: SubmissionId, memory: &Sensitive<Value>) -> Result<Vec<u8>> {
        Ok(self.tx.vault.seal_row(MEMORY, submission.uuid(), &to_json(memory.expose())?, &*self.tx.entropy))
    }
}

impl Store {
    /// Takes files of the account that are due, the longest due first. Until `lease_until` nobody else gets them. That a
    /// call is about to be made is durable when this returns; what an earlier call came to that was not recorded is in
    /// doubt since its lease ended.
    ///
    /// Without `begin` only those that the vendor was told to begin. One that cannot be read is given as the error that says why.
    pub async fn claim_files(
        &self,
        account: &AccountKey,
        limit: i64,
        begin: bool,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<(SubmissionId, Result<FileClaim>)>> {
        let rows = sqlx::query!(
            r#"WITH due AS (
                   SELECT submission_id, due_at FROM vendor_files
                   WHERE account = $1 AND ended_at IS NULL AND due_at <= $2 AND ($5 OR stage IN ('run', 'report', 'read'))
                   ORDER BY due_at LIMIT $3
                   FOR UPDATE SKIP LOCKED
               ), taken AS (
                   UPDATE vendor_files f
                   SET doubtful_since = coalesce(f.calling_until, f.doubtful_since), calling_until = $4, due_at = $4,
                       calls = f.calls + 1
                   FROM due WHERE f.submission_id = due.submission_id
                   RETURNING f.submission_id, f.batch_id, f.stage, f.entered_at, f.memory, f.doubtful_since, f.calls, f.tries,
                             f.stop_tries, f.stop_due_at, f.stop_answered_at, f.created_at, due.due_at AS was_due_at
               )
               SELECT submission_id, batch_id, stage, entered_at, memory, doubtful_since, calls, tries, stop_tries,
                      stop_due_at, stop_answered_at, created_at
               FROM taken ORDER BY was_due_at, submission_id"#,
            account.to_string(),
            now.get(),
            limit,
            lease_until.get(),
            begin
        )
        .fetch_all(&self.pool)
        .await?;
        let claims = rows.into_iter().map(|row| {
            let submission = SubmissionId::from_uuid(row.submission_id);
            let claim = || {
                Ok(FileClaim {
                    submission,
                    batch: BatchId::from_uuid(row.batch_id),
                    stage: stage(&row.stage)?,
                    entered_at: Timestamp::new(row.entered_at),
                    memory: Sensitive::new(from_json(&self.vault.open_row(MEMORY, row.submission_id, &row.memory)?)?),
                    doubtful_since: row.doubtful_since.map(Timestamp::new),
                    call: row.calls,
                    tries: u32::try_from(row.tries).unwrap_or(0),
                    stop: Stop {
                        tries: u32::try_from(row.stop_tries).unwrap_or(0),
                        due_at: row.stop_due_at.map(Timestamp::new),
                        answered_at: row.stop_answered_at.map(Timestamp::new),
                    },
                    created_at: Timestamp::new(row.created_at),
                })
            };
            (submission, claim())
        });
        Ok(claims.collect())
    }
}

struct Row {
    submission_id: Uuid,
    account: String,
    rows: i32,
    stage: String,
    vendor_batch_id: Option<String>,
    created_at: OffsetDateTime,
    stop_answered_at: Option<OffsetDateTime>,
    ended_at: Option<OffsetDateTime>,
    in_doubt: bool,
}

impl TryFrom<Row> for StoredFile {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            submission: SubmissionId::from_uuid(row.submission_id),
            account: AccountKey::try_from(row.account).map_err(|_| StoreError::Corrupt("a file's account"))?,
            rows: u32::try_from(row.rows).map_err(|_| StoreError::Corrupt("the size of a file"))?,
            stage: stage(&row.stage)?,
            vendor_batch_id: row.vendor_batch_id,
            in_doubt: row.in_doubt,
            created_at: Timestamp::new(row.created_at),
            stop_answered_at: row.stop_answered_at.map(Timestamp::new),
            ended_at: row.ended_at.map(Timestamp::new),
        })
    }
}

fn stage(word: &str) -> Result<BulkStage> {
    BulkStage::parse(word).ok_or(StoreError::Corrupt("the stage of a file"))
}

fn signed(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
