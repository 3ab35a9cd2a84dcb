//! What vendors' sources say of a check beside its result. Read when it is asked for, and never kept.

use domain::{Check, CheckId, Finding, FindingVariables, Order, Sensitive};
use futures::{StreamExt as _, stream};
use provider::{CallContext, DetailsPage, Findings, FindingsError, Language, findings};
use store::StoreError;

use crate::Engine;
use crate::asked::{AT_ONCE, AskError, NotFinished, Patience, finished};

/// The most details of one check that go into a report.
const MOST_DETAILS: usize = 500;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingsPart {
    Details,
    Summary,
    Variables,
}

impl FindingsPart {
    pub const ALL: [Self; 3] = [Self::Details, Self::Summary, Self::Variables];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Details => "details",
            Self::Summary => "summary",
            Self::Variables => "variables",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.as_str() == word)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("the vendor does not give findings")]
    NotSupported,
    #[error(transparent)]
    NotFinished(#[from] NotFinished),
    /// The check is completed, and the vendor has not got this far.
    #[error("the vendor is not ready: it says {status}")]
    NotReady { status: String },
    #[error("the vendor has no such check any more")]
    Missing,
    #[error("that is no cursor of this list")]
    BadCursor,
    #[error(transparent)]
    Ask(#[from] AskError),
}

/// What was asked for about one check of an order.
pub struct CheckFindings {
    pub check_id: CheckId,
    pub details: Option<Sensitive<Vec<Finding>>>,
    /// There are more details than a report takes.
    pub truncated: bool,
    pub summary: Option<Sensitive<String>>,
    pub variables: Option<Sensitive<FindingVariables>>,
    /// What could not be had, and why.
    pub failed: Vec<(FindingsPart, ReadError)>,
}

impl Engine {
    /// A page of what the sources say of a check.
    pub async fn details(
        &self,
        check: &Check,
        language: Option<Language>,
        cursor: Option<&str>,
    ) -> Result<DetailsPage, ReadError> {
        let (findings, ctx) = self.findings_of(check, language).await?;
        Ok(findings.details(&ctx, finished(check)?, cursor).await?)
    }

    pub async fn summary(&self, check: &Check, language: Option<Language>) -> Result<Sensitive<String>, ReadError> {
        let (findings, ctx) = self.findings_of(check, language).await?;
        Ok(findings.summary(&ctx, finished(check)?).await?)
    }

    pub async fn variables(&self, check: &Check) -> Result<Sensitive<FindingVariables>, ReadError> {
        let (findings, ctx) = self.findings_of(check, None).await?;
        Ok(findings.variables(&ctx, finished(check)?).await?)
    }

    /// These parts of every check of an order, as far as they can be had.
    pub async fn findings(
        &self,
        order: &Order,
        parts: &[FindingsPart],
        language: Option<Language>,
    ) -> Vec<CheckFindings> {
        let patience = Patience::begin();
        let mut read = Vec::new();
        for check in &order.checks {
            read.push(self.findings_for(check, parts, language, patience));
        }
        stream::iter(read).buffered(AT_ONCE).collect().await
    }

    async fn findings_for(
        &self,
        check: &Check,
        parts: &[FindingsPart],
        language: Option<Language>,
        patience: Patience,
    ) -> CheckFindings {
        let mut found = CheckFindings {
            check_id: check.id,
            details: None,
            truncated: false,
            summary: None,
            variables: None,
            failed: Vec::new(),
        };
        for part in parts {
            if let Err(error) = patience.with(self.read_part(check, *part, language, &mut found)).await {
                tracing::info!(check = %check.id, part = part.as_str(), %error, "a part of a report could not be had");
                found.failed.push((*part, error));
            }
        }
        found
    }

    async fn read_part(
        &self,
        check: &Check,
        part: FindingsPart,
        language: Option<Language>,
        found: &mut CheckFindings,
    ) -> Result<(), ReadError> {
        match part {
            FindingsPart::Details => {
                let (findings, ctx) = self.findings_of(check, language).await?;
                let all = findings::all(findings, &ctx, finished(check)?, MOST_DETAILS).await?;
                (found.details, found.truncated) = (Some(all.details), all.truncated);
            }
            FindingsPart::Summary => found.summary = Some(self.summary(check, language).await?),
            FindingsPart::Variables => found.variables = Some(self.variables(check).await?),
        }
        Ok(())
    }

    async fn findings_of(
        &self,
        check: &Check,
        language: Option<Language>,
    ) -> Result<(&dyn Findings, CallContext), ReadError> {
        let account = self.account(&check.account).ok_or_else(|| AskError::NoAccount(check.account.clone()))?;
        let findings = account.provider.findings().ok_or(ReadError::NotSupported)?;
        finished(check)?;
        let (_, ctx) = self.asking(&check.account, language).await?;
        Ok((findings, ctx))
    }
}

impl ReadError {
    /// A stable word for it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotSupported => "not_supported",
            Self::NotFinished(_) => "not_finished",
            Self::NotReady { .. } => "not_ready",
            Self::Missing => "missing",
            Self::BadCursor => "invalid",
            Self::Ask(error) => error.code(),
        }
    }
}

impl From<FindingsError> for ReadError {
    fn from(error: FindingsError) -> Self {
        match error {
            FindingsError::NotReady { status } => Self::NotReady { status },
            FindingsError::Missing => Self::Missing,
            FindingsError::BadCursor => Self::BadCursor,
            FindingsError::Call(error) => Self::Ask(error.into()),
        }
    }
}

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> Self {
        Self::Ask(error.into())
    }
}
