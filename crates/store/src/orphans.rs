//! Objects of vendors that belong to no check here: one too many for a check, or a stranger's.

use domain::{AccountKey, CaseId, CheckId, ProviderId, Reference, Timestamp};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::{Result, StoreError};
use crate::tx::{At, Tx};
use crate::vendor_objects::VendorObjects;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrphanKind {
    /// It carries no reference, or one that is of no check here.
    Stranger,
    /// It carries the reference of a check here, which is bound to another object or to none.
    Duplicate,
}

impl OrphanKind {
    pub const ALL: [Self; 2] = [Self::Stranger, Self::Duplicate];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stranger => "stranger",
            Self::Duplicate => "duplicate",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The word for it in the table.
    const fn standing(self) -> &'static str {
        match self {
            Self::Stranger => "orphan",
            Self::Duplicate => "duplicate",
        }
    }
}

/// What became of asking the vendor to cancel a duplicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectCancel {
    /// It is to be asked, or was asked without an answer.
    Wanted,
    /// It agreed, or the object had ended already.
    Canceled,
    Refused,
}

impl ObjectCancel {
    pub const ALL: [Self; 3] = [Self::Wanted, Self::Canceled, Self::Refused];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wanted => "wanted",
            Self::Canceled => "canceled",
            Self::Refused => "refused",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cancel| cancel.as_str() == word)
    }
}

#[derive(Debug, Clone, Default)]
pub struct OrphanFilter {
    pub provider: Option<ProviderId>,
    pub account: Option<AccountKey>,
    pub kind: Option<OrphanKind>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// Its place in the list.
    pub id: Uuid,
    pub account: AccountKey,
    pub vendor_order_id: String,
    pub kind: OrphanKind,
    /// The check whose reference it carries; of a stranger's, one that is not here.
    pub check_id: Option<CheckId>,
    /// The case that it was found in; `None`: by a sweep.
    pub case_id: Option<CaseId>,
    /// When the vendor made it, where it says so.
    pub created_at: Option<Timestamp>,
    pub seen_at: Timestamp,
    pub cancel: Option<ObjectCancel>,
}

impl VendorObjects<'_> {
    /// Records an object that no check is bound to. It is a duplicate if `reference` is of a check here, else a
    /// stranger. `false`: it was known already, or a check is bound to it. That a scan dismissed it does not count as
    /// known: nobody was told of it.
    pub async fn add_orphan(
        &mut self,
        account: &AccountKey,
        vendor_order_id: &str,
        reference: Option<Reference>,
        created_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<bool> {
        let done = sqlx::query!(
            r#"INSERT INTO vendor_objects AS v (account, vendor_order_id, id, standing, check_id, attempt, created_at, seen_at)
               SELECT $1, $2, $3, CASE WHEN EXISTS (SELECT FROM checks WHERE id = $4) THEN 'duplicate' ELSE 'orphan' END,
                      $4, $5, $6, $7
               WHERE NOT EXISTS (SELECT FROM checks
                                 WHERE vendor_order_id IS NOT NULL AND account = $1 AND vendor_order_id = $2)
               ON CONFLICT (account, vendor_order_id) DO UPDATE
               SET id = excluded.id, standing = excluded.standing, check_id = excluded.check_id,
                   attempt = excluded.attempt, created_at = excluded.created_at, seen_at = excluded.seen_at
               WHERE v.standing = 'dismissed'"#,
            account.to_string(),
            vendor_order_id,
            new_id(self.tx, now),
            reference.map(|reference| reference.check.uuid()),
            reference.map(|reference| i32::from(reference.attempt)),
            created_at.map(Timestamp::get),
            now.get()
        )
        .execute(self.tx.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// As [`add_orphan`](Self::add_orphan), for many objects without a reference: each with the time at which the vendor
    /// made it. Gives those that were not known.
    pub async fn add_strangers(
        &mut self,
        account: &AccountKey,
        objects: &[(String, Option<Timestamp>)],
        now: Timestamp,
    ) -> Result<Vec<String>> {
        let names: Vec<&str> = objects.iter().map(|(name, _)| name.as_str()).collect();
        let times: Vec<Option<OffsetDateTime>> = objects.iter().map(|(_, at)| at.map(Timestamp::get)).collect();
        let ids: Vec<Uuid> = objects.iter().map(|_| new_id(self.tx, now)).collect();
        let added = sqlx::query_scalar!(
            r#"INSERT INTO vendor_objects AS v (account, vendor_order_id, id, standing, created_at, seen_at)
               SELECT DISTINCT ON (n.vendor_order_id) $1, n.vendor_order_id, n.id, 'orphan', n.created_at, $5
               FROM unnest($2::text[], $3::uuid[], $4::timestamptz[]) AS n (vendor_order_id, id, created_at)
               WHERE NOT EXISTS (SELECT FROM checks c
                                 WHERE c.vendor_order_id IS NOT NULL AND c.account = $1
                                   AND c.vendor_order_id = n.vendor_order_id)
               ORDER BY n.vendor_order_id
               ON CONFLICT (account, vendor_order_id) DO UPDATE
               SET id = excluded.id, standing = 'orphan', created_at = excluded.created_at, seen_at = excluded.seen_at
               WHERE v.standing = 'dismissed'
               RETURNING vendor_order_id"#,
            account.to_string(),
            &names as _,
            &ids,
            &times as _,
            now.get()
        )
        .fetch_all(self.tx.connection())
        .await?;
        Ok(added)
    }

    /// Duplicates and strangers that no check is bound to, newest first, from below `before`.
    pub async fn orphans(&mut self, filter: &OrphanFilter, limit: u32, before: Option<Uuid>) -> Result<Vec<Orphan>> {
        let standings: Vec<&str> = OrphanKind::ALL
            .into_iter()
            .filter(|kind| filter.kind.is_none_or(|wanted| wanted == *kind))
            .map(OrphanKind::standing)
            .collect();
        // Of each account and standing a page is read off the index, and the newest are taken.
        let rows = sqlx::query!(
            r#"WITH RECURSIVE accounts AS (
                   (SELECT account FROM vendor_objects WHERE standing <> 'dismissed' ORDER BY account LIMIT 1)
                   UNION ALL
                   SELECT (SELECT account FROM vendor_objects WHERE standing <> 'dismissed' AND account > a.account
                           ORDER BY account LIMIT 1)
                   FROM accounts a WHERE a.account IS NOT NULL
               )
               SELECT page.id AS "id!", a.account AS "account!", page.vendor_order_id, page.standing, page.check_id,
                      page.case_id, page.created_at, page.seen_at, page.cancel
               FROM accounts a
               CROSS JOIN unnest($1::text[]) AS k (standing)
               CROSS JOIN LATERAL (
                   SELECT * FROM vendor_objects v
                   WHERE v.account = a.account AND v.standing = k.standing AND v.standing <> 'dismissed' AND v.id < $4
                     AND NOT EXISTS (SELECT FROM checks c
                                     WHERE c.vendor_order_id IS NOT NULL AND c.account = v.account
                                       AND c.vendor_order_id = v.vendor_order_id)
                   ORDER BY v.id DESC LIMIT $5
               ) AS page
               WHERE a.account IS NOT NULL AND ($2::text IS NULL OR a.account = $2)
                 AND ($3::text IS NULL OR split_part(a.account, '/', 1) = $3)
               ORDER BY page.id DESC LIMIT $5"#,
            &standings as _,
            filter.account.as_ref().map(ToString::to_string),
            filter.provider.as_ref().map(ProviderId::as_str),
            before.unwrap_or(Uuid::max()),
            i64::from(limit)
        )
        .fetch_all(self.tx.connection())
        .await?;
        let cancel = |word: String| ObjectCancel::parse(&word).ok_or(StoreError::Corrupt("a vendor object's cancel"));
        let kind = |standing: &str| OrphanKind::ALL.into_iter().find(|kind| kind.standing() == standing);
        rows.into_iter()
            .map(|row| {
                Ok(Orphan {
                    id: row.id,
                    account: AccountKey::try_from(row.account)
                        .map_err(|_| StoreError::Corrupt("a vendor object's account"))?,
                    vendor_order_id: row.vendor_order_id,
                    kind: kind(&row.standing).ok_or(StoreError::Corrupt("a vendor object's standing"))?,
                    check_id: row.check_id.map(CheckId::from_uuid),
                    case_id: row.case_id.map(CaseId::from_uuid),
                    created_at: row.created_at.map(Timestamp::new),
                    seen_at: Timestamp::new(row.seen_at),
                    cancel: row.cancel.map(cancel).transpose()?,
                })
            })
            .collect()
    }
}

/// A place at the top of the list.
pub(crate) fn new_id(tx: &Tx, now: Timestamp) -> Uuid {
    CaseId::generate(&At(now), &*tx.entropy).uuid()
}
