//! Reconciliation cases and what was decided in them.

use domain::{
    AccountKey, AfterAbsence, Case, CaseId, CaseItem, CaseState, CheckId, ItemState, OrderId, ProviderId, Reason,
    Reference, SubmissionId, TenantId, Timestamp, VendorRef,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::{Result, StoreError};
use crate::sealed::{from_json, to_json};
use crate::tx::{At, Scope, Tx};

#[derive(Debug, Clone, Default)]
pub struct CaseFilter {
    pub state: Option<CaseState>,
    pub provider: Option<ProviderId>,
    /// Opened at this time or later.
    pub created_after: Option<Timestamp>,
}

/// An entry of a case's log.
#[derive(Clone)]
pub struct Decision {
    pub at: Timestamp,
    /// Who: a token's subject, or `vetgate`.
    pub actor: String,
    /// What, in a word: `bind`, `resend`, `fail`, …
    pub what: String,
    /// In the actor's own words. Kept encrypted, and so is `data`.
    pub note: Option<String>,
    pub data: Value,
}

/// See [`Tx::cases`].
pub struct Cases<'t> {
    pub(crate) tx: &'t mut Tx,
}

const CASE: &str = "cases.details";
const DECISION: &str = "case_decisions.details";

impl Cases<'_> {
    pub async fn insert(&mut self, case: &Case) -> Result<()> {
        let details = self.seal(case)?;
        let items = ItemColumns::of(case);
        sqlx::query!(
            r#"WITH new_case AS (
                   INSERT INTO cases (id, tenant, account, submission_id, state, why_code, details, sent_at,
                                      window_ends_at, deadline, next_scan_at, opened_at, resolved_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
               )
               INSERT INTO case_items (case_id, position, check_id, state)
               SELECT $1, n.position - 1, n.check_id, n.state
               FROM unnest($14::uuid[], $15::text[]) WITH ORDINALITY AS n (check_id, state, position)"#,
            case.id.uuid(),
            case.tenant.as_str(),
            case.account.to_string(),
            case.submission.uuid(),
            case.state.as_str(),
            case.why.code,
            details,
            case.sent_at.get(),
            case.window_ends_at.get(),
            case.deadline.get(),
            case.next_scan_at.map(Timestamp::get),
            case.opened_at.get(),
            case.resolved_at.map(Timestamp::get),
            &items.check_id,
            &items.state as _
        )
        .execute(self.tx.connection())
        .await?;
        Ok(())
    }

    pub async fn get(&mut self, scope: &Scope, id: CaseId) -> Result<Option<Case>> {
        let row = sqlx::query_as!(
            Row,
            r#"SELECT id, tenant, account, submission_id, state, details, sent_at, window_ends_at, deadline, next_scan_at,
                      opened_at, resolved_at
               FROM cases WHERE id = $1 AND ($2::text IS NULL OR tenant = $2)"#,
            id.uuid(),
            scope.tenant()
        )
        .fetch_optional(self.tx.connection())
        .await?;
        row.map(|row| self.open(row)).transpose()
    }

    /// Locks the case's row until the transaction ends. Lock the orders of its items before.
    pub async fn lock(&mut self, id: CaseId) -> Result<Option<Case>> {
        let row = sqlx::query_as!(
            Row,
            r#"SELECT id, tenant, account, submission_id, state, details, sent_at, window_ends_at, deadline, next_scan_at,
                      opened_at, resolved_at
               FROM cases WHERE id = $1 FOR NO KEY UPDATE"#,
            id.uuid()
        )
        .fetch_optional(self.tx.connection())
        .await?;
        row.map(|row| self.open(row)).transpose()
    }

    /// Writes down how the case and its items stand.
    pub async fn save(&mut self, case: &Case) -> Result<()> {
        let details = self.seal(case)?;
        let items = ItemColumns::of(case);
        let done = sqlx::query!(
            r#"WITH changed AS (
                   UPDATE cases
                   SET state = $2, why_code = $3, details = $4, window_ends_at = $5, deadline = $6, next_scan_at = $7,
                       resolved_at = $8
                   WHERE id = $1 RETURNING id
               ), items AS (
                   INSERT INTO case_items AS i (case_id, position, check_id, state)
                   SELECT $1, n.position - 1, n.check_id, n.state
                   FROM unnest($9::uuid[], $10::text[]) WITH ORDINALITY AS n (check_id, state, position)
                   WHERE EXISTS (SELECT FROM changed)
                   ON CONFLICT (case_id, position) DO UPDATE SET check_id = excluded.check_id, state = excluded.state
                   WHERE (i.check_id, i.state) IS DISTINCT FROM (excluded.check_id, excluded.state)
               )
               SELECT count(*) AS "changed!" FROM changed"#,
            case.id.uuid(),
            case.state.as_str(),
            case.why.code,
            details,
            case.window_ends_at.get(),
            case.deadline.get(),
            case.next_scan_at.map(Timestamp::get),
            case.resolved_at.map(Timestamp::get),
            &items.check_id,
            &items.state as _
        )
        .fetch_one(self.tx.connection())
        .await?;
        if done.changed == 1 { Ok(()) } else { Err(StoreError::Conflict("the case is gone")) }
    }

    /// Puts the next look at a case off, without reading what is sealed of it. Its settle window ends no earlier: scans
    /// that go without the case until then prove nothing of absence.
    pub async fn put_off(&mut self, id: CaseId, until: Timestamp) -> Result<()> {
        sqlx::query!(
            r#"UPDATE cases SET next_scan_at = $2, window_ends_at = greatest(window_ends_at, $2)
               WHERE id = $1 AND state <> 'resolved'"#,
            id.uuid(),
            until.get()
        )
        .execute(self.tx.connection())
        .await?;
        Ok(())
    }

    /// Newest first, from below `before`.
    pub async fn list(
        &mut self,
        scope: &Scope,
        filter: &CaseFilter,
        limit: u32,
        before: Option<CaseId>,
    ) -> Result<Vec<Case>> {
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT id, tenant, account, submission_id, state, details, sent_at, window_ends_at, deadline, next_scan_at,
                      opened_at, resolved_at
               FROM cases
               WHERE ($1::text IS NULL OR tenant = $1) AND ($2::text IS NULL OR state = $2)
                 AND ($3::text IS NULL OR provider = $3) AND ($4::timestamptz IS NULL OR opened_at >= $4)
                 AND id < $5
               ORDER BY id DESC LIMIT $6"#,
            scope.tenant(),
            filter.state.map(CaseState::as_str),
            filter.provider.as_ref().map(ProviderId::as_str),
            filter.created_after.map(Timestamp::get),
            before.map_or(Uuid::max(), CaseId::uuid),
            i64::from(limit)
        )
        .fetch_all(self.tx.connection())
        .await?;
        rows.into_iter().map(|row| self.open(row)).collect()
    }

    /// The account's cases that are not resolved, oldest first, each as it is or why it cannot be read.
    pub async fn open_of(&mut self, account: &AccountKey) -> Result<Vec<(CaseId, Result<Case>)>> {
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT id, tenant, account, submission_id, state, details, sent_at, window_ends_at, deadline, next_scan_at,
                      opened_at, resolved_at
               FROM cases WHERE account = $1 AND state <> 'resolved' ORDER BY id"#,
            account.to_string()
        )
        .fetch_all(self.tx.connection())
        .await?;
        Ok(rows.into_iter().map(|row| (CaseId::from_uuid(row.id), self.open(row))).collect())
    }

    /// The latest case about the check that is not resolved.
    pub async fn of_check(&mut self, check: CheckId) -> Result<Option<Case>> {
        let row = sqlx::query_as!(
            Row,
            r#"SELECT c.id, c.tenant, c.account, c.submission_id, c.state, c.details, c.sent_at, c.window_ends_at,
                      c.deadline, c.next_scan_at, c.opened_at, c.resolved_at
               FROM case_items i JOIN cases c ON c.id = i.case_id
               WHERE i.check_id = $1 AND c.state <> 'resolved' ORDER BY c.id DESC LIMIT 1"#,
            check.uuid()
        )
        .fetch_optional(self.tx.connection())
        .await?;
        row.map(|row| self.open(row)).transpose()
    }

    /// The latest case about the create call that is not resolved.
    pub async fn open_of_submission(&mut self, submission: SubmissionId) -> Result<Option<Case>> {
        let row = sqlx::query_as!(
            Row,
            r#"SELECT id, tenant, account, submission_id, state, details, sent_at, window_ends_at, deadline, next_scan_at,
                      opened_at, resolved_at
               FROM cases WHERE submission_id = $1 AND state <> 'resolved' ORDER BY id DESC LIMIT 1"#,
            submission.uuid()
        )
        .fetch_optional(self.tx.connection())
        .await?;
        row.map(|row| self.open(row)).transpose()
    }

    /// Adds to the case's log.
    pub async fn log(&mut self, id: CaseId, decision: &Decision) -> Result<()> {
        let row_id = CaseId::generate(&At(decision.at), &*self.tx.entropy).uuid();
        let details = to_json(&Said { note: decision.note.clone(), data: decision.data.clone() })?;
        let details = self.tx.vault.seal_row(DECISION, row_id, &details, &*self.tx.entropy);
        sqlx::query!(
            "INSERT INTO case_decisions (row_id, case_id, at, actor, what, details) VALUES ($1, $2, $3, $4, $5, $6)",
            row_id,
            id.uuid(),
            decision.at.get(),
            decision.actor,
            decision.what,
            details
        )
        .execute(self.tx.connection())
        .await?;
        Ok(())
    }

    /// The case's log, oldest first.
    pub async fn decisions(&mut self, id: CaseId) -> Result<Vec<Decision>> {
        let rows = sqlx::query!(
            "SELECT row_id, at, actor, what, details FROM case_decisions WHERE case_id = $1 ORDER BY id",
            id.uuid()
        )
        .fetch_all(self.tx.connection())
        .await?;
        rows.into_iter()
            .map(|row| {
                let said: Said = from_json(&self.tx.vault.open_row(DECISION, row.row_id, &row.details)?)?;
                let at = Timestamp::new(row.at);
                Ok(Decision { at, actor: row.actor, what: row.what, note: said.note, data: said.data })
            })
            .collect()
    }

    fn seal(&self, case: &Case) -> Result<Vec<u8>> {
        let details = Details { why: case.why.clone(), items: case.items.iter().map(Item::from).collect() };
        Ok(self.tx.vault.seal_row(CASE, case.id.uuid(), &to_json(&details)?, &*self.tx.entropy))
    }

    fn open(&self, row: Row) -> Result<Case> {
        let details: Details = from_json(&self.tx.vault.open_row(CASE, row.id, &row.details)?)?;
        let mut case = Case {
            id: CaseId::from_uuid(row.id),
            tenant: TenantId::new(row.tenant),
            account: AccountKey::try_from(row.account).map_err(|_| StoreError::Corrupt("a case's account"))?,
            submission: SubmissionId::from_uuid(row.submission_id),
            state: CaseState::parse(&row.state).ok_or(StoreError::Corrupt("a case's state"))?,
            why: details.why,
            sent_at: Timestamp::new(row.sent_at),
            window_ends_at: Timestamp::new(row.window_ends_at),
            deadline: Timestamp::new(row.deadline),
            next_scan_at: row.next_scan_at.map(Timestamp::new),
            opened_at: Timestamp::new(row.opened_at),
            resolved_at: row.resolved_at.map(Timestamp::new),
            items: details.items.into_iter().map(CaseItem::from).collect(),
        };
        let window = case.window();
        for item in &mut case.items {
            // As it was counted before it was written down.
            item.late_scan_at = item.late_scan_at.or_else(|| item.resent_at.map(|at| at + window));
        }
        Ok(case)
    }
}

struct Row {
    id: Uuid,
    tenant: String,
    account: String,
    submission_id: Uuid,
    state: String,
    details: Vec<u8>,
    sent_at: OffsetDateTime,
    window_ends_at: OffsetDateTime,
    deadline: OffsetDateTime,
    next_scan_at: Option<OffsetDateTime>,
    opened_at: OffsetDateTime,
    resolved_at: Option<OffsetDateTime>,
}

/// What of the items stands in columns.
struct ItemColumns {
    check_id: Vec<Uuid>,
    state: Vec<&'static str>,
}

impl ItemColumns {
    fn of(case: &Case) -> Self {
        let items = case.items.iter();
        let (check_id, state) = items.map(|item| (item.check_id.uuid(), item.state.as_str())).unzip();
        Self { check_id, state }
    }
}

/// The sealed part of a decision.
#[derive(Serialize, Deserialize)]
struct Said {
    note: Option<String>,
    data: Value,
}

/// The sealed part of a case: reasons may quote a vendor's words about a person.
#[derive(Serialize, Deserialize)]
struct Details {
    why: Reason,
    items: Vec<Item>,
}

#[derive(Serialize, Deserialize)]
struct Item {
    check_id: CheckId,
    order_id: OrderId,
    reference: Reference,
    state: ItemState,
    after_absence: AfterAbsence,
    bound: Option<VendorRef>,
    duplicates: Vec<VendorRef>,
    review: Option<Reason>,
    resent_at: Option<Timestamp>,
    #[serde(default)]
    late_scan_at: Option<Timestamp>,
    late_scanned: bool,
}

impl From<&CaseItem> for Item {
    fn from(item: &CaseItem) -> Self {
        let CaseItem {
            check_id,
            order_id,
            reference,
            state,
            after_absence,
            bound,
            duplicates,
            review,
            resent_at,
            late_scan_at,
            late_scanned,
        } = item.clone();
        Self {
            check_id,
            order_id,
            reference,
            state,
            after_absence,
            bound,
            duplicates,
            review,
            resent_at,
            late_scan_at,
            late_scanned,
        }
    }
}

impl From<Item> for CaseItem {
    fn from(item: Item) -> Self {
        let Item {
            check_id,
            order_id,
            reference,
            state,
            after_absence,
            bound,
            duplicates,
            review,
            resent_at,
            late_scan_at,
            late_scanned,
        } = item;
        Self {
            check_id,
            order_id,
            reference,
            state,
            after_absence,
            bound,
            duplicates,
            review,
            resent_at,
            late_scan_at,
            late_scanned,
        }
    }
}
