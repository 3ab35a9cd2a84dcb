//! What vendors noted of their work for a check: which of it the timeline has, and what is still to be read.

use std::collections::HashSet;

use domain::CheckId;
use sha2::{Digest as _, Sha256};

use crate::error::Result;
use crate::tx::Tx;

/// See [`Tx::vendor_notes`].
pub struct VendorNotes<'t> {
    pub(crate) tx: &'t mut Tx,
}

impl VendorNotes<'_> {
    /// For each of these notes of a check, by its key, whether it was never seen before; from now on it was. Unlike the
    /// memory of hooks, this one lasts as long as the check.
    pub async fn first_sights(&mut self, check: CheckId, keys: &[&str]) -> Result<Vec<bool>> {
        let hashes: Vec<Vec<u8>> = keys.iter().map(|key| Sha256::digest(key).to_vec()).collect();
        let new = sqlx::query_scalar!(
            r#"INSERT INTO vendor_notes (check_id, key_sha256) SELECT $1, unnest($2::bytea[])
               ON CONFLICT DO NOTHING RETURNING key_sha256"#,
            check.uuid(),
            &hashes
        )
        .fetch_all(self.tx.connection())
        .await?;
        let mut new: HashSet<Vec<u8>> = new.into_iter().collect();
        Ok(hashes.iter().map(|hash| new.remove(hash)).collect())
    }

    /// The vendor of a check that has ended is to be asked for its notes.
    pub async fn owe(&mut self, check: CheckId) -> Result<()> {
        sqlx::query!(
            "INSERT INTO unread_notes (check_id, failures) VALUES ($1, 0) ON CONFLICT DO NOTHING",
            check.uuid()
        )
        .execute(self.tx.connection())
        .await?;
        Ok(())
    }

    /// It was asked for them, to no avail. Gives how often by now.
    pub async fn failed(&mut self, check: CheckId) -> Result<u32> {
        let failures = sqlx::query_scalar!(
            r#"INSERT INTO unread_notes (check_id, failures) VALUES ($1, 1)
               ON CONFLICT (check_id) DO UPDATE SET failures = unread_notes.failures + 1
               RETURNING failures"#,
            check.uuid()
        )
        .fetch_one(self.tx.connection())
        .await?;
        Ok(u32::try_from(failures).unwrap_or(u32::MAX))
    }

    /// Whether the vendor of the check is still to be asked.
    pub async fn is_owed(&mut self, check: CheckId) -> Result<bool> {
        let owed = sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT FROM unread_notes WHERE check_id = $1) AS "owed!""#,
            check.uuid()
        )
        .fetch_one(self.tx.connection())
        .await?;
        Ok(owed)
    }

    /// They were read, since the check had ended.
    pub async fn read(&mut self, check: CheckId) -> Result<()> {
        sqlx::query!("DELETE FROM unread_notes WHERE check_id = $1", check.uuid())
            .execute(self.tx.connection())
            .await?;
        Ok(())
    }
}
