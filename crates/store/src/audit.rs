//! Who did what: append-only, chained by hashes once the sequencer has placed it.

use std::collections::BTreeMap;

use domain::{AuditId, TenantId, Timestamp};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::Result;
use crate::tx::{Scope, Tx};

#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    pub at: Timestamp,
    /// Whose data it is about; `None`: the gateway's own (pausing a vendor).
    pub tenant: Option<TenantId>,
    /// A token's subject, or `gateway`.
    pub actor: String,
    /// Such as `order.revealed`.
    pub action: String,
    /// The id of what it was done to.
    pub target: String,
    /// Ids and words; no personal data.
    pub data: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub struct StoredAuditEntry {
    pub id: AuditId,
    pub entry: AuditEntry,
    /// Its place in the chain; `None` until the sequencer gave it one, and so for `hash`.
    pub position: Option<i64>,
    /// SHA-256 over the entry before and this one.
    pub hash: Option<Vec<u8>>,
}

/// See [`Tx::audit`].
pub struct Audit<'t> {
    pub(crate) tx: &'t mut Tx,
}

impl Audit<'_> {
    pub async fn append(&mut self, id: AuditId, entry: &AuditEntry) -> Result<()> {
        sqlx::query!(
            r#"INSERT INTO audit_entries (id, at, tenant, actor, action, target, data)
               VALUES ($1, $2, $3, $4, $5, $6, $7)"#,
            id.uuid(),
            entry.at.get(),
            entry.tenant.as_ref().map(TenantId::as_str),
            entry.actor,
            entry.action,
            entry.target,
            entry.data
        )
        .execute(self.tx.connection())
        .await?;
        Ok(())
    }

    /// The last change of a vendor account's settings that was carried out.
    pub async fn last_change_of_settings(&mut self, target: &str) -> Result<Option<StoredAuditEntry>> {
        let row = sqlx::query_as!(
            Row,
            r#"SELECT id, at, tenant, actor, action, target, data, position, hash FROM audit_entries
               WHERE action = 'provider.settings.change' AND data ->> 'outcome' = 'done' AND target = $1
               ORDER BY serial DESC LIMIT 1"#,
            target
        )
        .fetch_optional(self.tx.connection())
        .await?;
        Ok(row.map(StoredAuditEntry::from))
    }

    /// Newest first, from below `before`. A tenant sees what is about its own data.
    pub async fn list(&mut self, scope: &Scope, limit: u32, before: Option<AuditId>) -> Result<Vec<StoredAuditEntry>> {
        let before = before.map_or(Uuid::max(), AuditId::uuid);
        let limit = i64::from(limit);
        // Two texts: each reads off one index.
        let rows = match scope {
            Scope::Tenant(tenant) => {
                sqlx::query_as!(
                    Row,
                    r#"SELECT id, at, tenant, actor, action, target, data, position, hash FROM audit_entries
                       WHERE tenant = $1 AND id < $2 ORDER BY id DESC LIMIT $3"#,
                    tenant.as_str(),
                    before,
                    limit
                )
                .fetch_all(self.tx.connection())
                .await?
            }
            Scope::All => {
                sqlx::query_as!(
                    Row,
                    r#"SELECT id, at, tenant, actor, action, target, data, position, hash FROM audit_entries
                       WHERE id < $1 ORDER BY id DESC LIMIT $2"#,
                    before,
                    limit
                )
                .fetch_all(self.tx.connection())
                .await?
            }
        };
        Ok(rows.into_iter().map(StoredAuditEntry::from).collect())
    }
}

struct Row {
    id: Uuid,
    at: OffsetDateTime,
    tenant: Option<String>,
    actor: String,
    action: String,
    target: String,
    data: Value,
    position: Option<i64>,
    hash: Option<Vec<u8>>,
}

impl From<Row> for StoredAuditEntry {
    fn from(row: Row) -> Self {
        let entry = AuditEntry {
            at: Timestamp::new(row.at),
            tenant: row.tenant.map(TenantId::new),
            actor: row.actor,
            action: row.action,
            target: row.target,
            data: row.data,
        };
        Self { id: AuditId::from_uuid(row.id), entry, position: row.position, hash: row.hash }
    }
}

/// The value with the keys of its objects in ascending order, whatever order Postgres or the JSON library keeps them in.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<_, _> = map.iter().map(|(key, value)| (key.clone(), canonical(value))).collect();
            Value::Object(sorted.into_iter().collect())
        }
        Value::Array(values) => Value::Array(values.iter().map(canonical).collect()),
        plain => plain.clone(),
    }
}

/// The hash that chains an entry to the one before it: SHA-256 over the earlier hash, the position, and each field with
/// its length before it (`data` as JSON without spaces, keys ascending). Whoever has an export can compute it again.
pub fn chain(before: &[u8], position: i64, id: AuditId, entry: &AuditEntry) -> Vec<u8> {
    let mut hash = Sha256::new();
    let tenant = entry.tenant.as_ref().map_or("", TenantId::as_str);
    let data = canonical(&entry.data).to_string();
    hash.update(before);
    hash.update(position.to_be_bytes());
    let (id, at) = (id.to_string(), entry.at.to_string());
    for part in [&id, &at, tenant, &entry.actor, &entry.action, &entry.target, &data] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().to_vec()
}
