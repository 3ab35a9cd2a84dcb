//! Details, summary and variables of a check, in our words.
//!
//! A cursor is the vendor's `start_key` and nothing more: host, path and the rest of the query are ours, so that whatever a
//! caller sends as a cursor can only choose a page of the same list.

use async_trait::async_trait;
use domain::{
    Finding, FindingFound, FindingIdentity, FindingRow, FindingSource, FindingTable, FindingVariables, Sensitive,
    VendorRef,
};
use provider::{
    CallContext, CallError, DetailsPage, Findings, FindingsError, Language, LostReason, VendorAnswer, native_status,
};
use serde_json::Value;

use crate::outcome::score;
use crate::pages::Pages;
use crate::wire::{Detail, DetailPage, Summarized, Table, Variables};
use crate::{Truora, client};

/// The longest cursor that is taken from the vendor or a caller.
const LONGEST_CURSOR: usize = 340;

#[async_trait]
impl Findings for Truora {
    async fn details(
        &self,
        ctx: &CallContext,
        vendor: &VendorRef,
        cursor: Option<&str>,
    ) -> Result<DetailsPage, FindingsError> {
        if cursor.is_some_and(|cursor| !is_cursor(cursor)) {
            return Err(FindingsError::BadCursor);
        }
        let query = [("lang", ctx.language.map(Language::as_str)), ("start_key", cursor)];
        let answer = self.client.part(ctx, &vendor.order_id, "details", &query).await?;
        if cursor.is_some() && answer.status.as_u16() == 400 {
            return Err(FindingsError::BadCursor);
        }
        let page: DetailPage = there(answer)?.json()?;
        let details = page.details.ok_or(client::unreadable())?;
        let next = self.next_cursor(&vendor.order_id, page.next.as_deref(), cursor)?;
        Ok(DetailsPage { details: Sensitive::new(details.into_iter().map(finding).collect()), next })
    }

    /// Written by a machine, in English by default; that it heeds the language is inferred.
    async fn summary(&self, ctx: &CallContext, vendor: &VendorRef) -> Result<Sensitive<String>, FindingsError> {
        let query = [("lang", ctx.language.map(Language::as_str))];
        let answer = self.client.part(ctx, &vendor.order_id, "summarize", &query).await?;
        let summarized: Summarized = there(answer)?.json()?;
        Ok(Sensitive::new(summarized.summary.trim().to_owned()))
    }

    /// They are computed after the check is finished, and have a status of their own.
    async fn variables(
        &self,
        ctx: &CallContext,
        vendor: &VendorRef,
    ) -> Result<Sensitive<FindingVariables>, FindingsError> {
        let answer = self.client.part(ctx, &vendor.order_id, "variables", &[]).await?;
        let Variables { variables_status: status, rest: mut values } = there(answer)?.json()?;
        let status = native_status(&status);
        if status != "completed" {
            return Err(FindingsError::NotReady { status });
        }
        // Links of the vendor's, and what the check itself says.
        for key in ["check_id", "check", "details", "check_status", "self"] {
            values.remove(key);
        }
        Ok(Sensitive::new(FindingVariables { status, values }))
    }
}

impl Truora {
    /// What of the link to the next page is the cursor. `None` on the last page.
    fn next_cursor(
        &self,
        check_id: &str,
        next: Option<&str>,
        current: Option<&str>,
    ) -> Result<Option<String>, CallError> {
        let mut pages = Pages::from(self.client.list_of(check_id, "details")?);
        let Some(url) = pages.follow(next).map_err(|_| client::unreadable())? else { return Ok(None) };
        let key = url.query_pairs().find(|(name, _)| name == "start_key").map(|(_, value)| value.into_owned());
        match key {
            Some(key) if key.len() > LONGEST_CURSOR => Err(CallError::Lost { why: LostReason::TooLarge }),
            Some(key) if is_cursor(&key) && Some(key.as_str()) != current => Ok(Some(key)),
            // A link to the first page or to this one is a circle.
            _ => Err(client::unreadable()),
        }
    }
}

fn is_cursor(text: &str) -> bool {
    (1..=LONGEST_CURSOR).contains(&text.len()) && !text.chars().any(char::is_control)
}

fn there(answer: VendorAnswer) -> Result<VendorAnswer, FindingsError> {
    client::found(answer)?.ok_or(FindingsError::Missing)
}

fn finding(detail: Detail) -> Finding {
    let identity = FindingIdentity {
        document_type: said(detail.document_type),
        result: said(detail.identity_result),
        state: said(detail.identity_state),
    };
    let found = FindingFound {
        first_name: said(detail.found_first_name),
        last_name: said(detail.found_last_name),
        company_name: said(detail.found_company_name),
        date_of_birth: said(detail.found_date_of_birth),
        tax_id: said(detail.found_rfc),
    };
    Finding {
        id: said(detail.id),
        source: FindingSource { id: said(detail.database_id), name: said(detail.database_name) },
        dataset: said(detail.data_set),
        result: said(detail.result),
        severity: said(detail.severity),
        score: score(detail.score),
        group: said(detail.group),
        identity: Some(identity).filter(|identity| *identity != FindingIdentity::default()),
        found: Some(found).filter(|found| *found != FindingFound::default()),
        tables: detail.tables.into_iter().flatten().map(table).collect(),
        updated_at: said(detail.update_date),
    }
}

fn table(table: Table) -> FindingTable {
    let rows = table.rows.into_iter().flatten().map(|row| {
        let mut cells = FindingRow::default();
        for cell in row.cells.into_iter().flatten() {
            let value = match cell.value {
                Value::String(text) => text,
                Value::Null => String::new(),
                other => other.to_string(),
            };
            cells.push(cell.label.as_deref().unwrap_or_default(), value);
        }
        cells
    });
    FindingTable { title: said(table.title), rows: rows.collect() }
}

/// An empty text says nothing.
fn said(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(detail: Value) -> Value {
        let detail = serde_json::from_value(detail).expect("a detail");
        serde_json::to_value(finding(detail)).expect("json")
    }

    #[test]
    fn both_forms_of_a_detail_are_read() {
        insta::assert_json_snapshot!(read(json!({
            "id": "DTL1", "check_id": "CHK1", "data_set": "criminal_record", "database_name": "Policía", "database_id": "DBI1",
            "result": "found", "severity": "very_high", "score": 0, "group": "legal", "route": "person", "depth": 0,
            "document_type": "national-id", "found_first_name": "LUCIA", "found_last_name": "PRUEBA", "found_rfc": "",
            "found_date_of_birth": "1990-05-15T00:00:00Z", "identity_result": "found", "identity_state": "",
            "tables": [
                { "title": "Procesos", "rows": [
                    { "cells": [{ "label": "Estado", "value": "Activo" }, { "label": "Estado", "value": 3 }] },
                    { "cells": [{ "label": "Causa" }] },
                ] },
                { "rows": null },
            ],
            "update_date": "2026-11-20T10:00:00Z",
        })));
    }

    #[test]
    fn what_cannot_be_read_of_a_detail_hides_nothing_else() {
        let odd = read(json!({
            "id": 5, "result": "found", "score": -1, "severity": ["high"], "tables": "none", "found_first_name": {},
        }));
        assert_eq!((&odd["result"], &odd["score"], &odd["severity"]), (&json!("found"), &Value::Null, &Value::Null));
        assert_eq!((&odd["tables"], &odd["found"], &odd["identity"]), (&json!([]), &Value::Null, &Value::Null));
    }
}
