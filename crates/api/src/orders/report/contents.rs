//! What stands in a printed report, and in which order. It is made from the JSON report and from nothing else, so that it
//! is masked as that is.

mod background;
mod check;
mod findings;
mod identity;
mod subject;
mod verification;

use domain::{Finding, Timestamp};
use serde_json::Value;

use super::paper::{Entries, Paper, Section, Table};
use super::words::{self, Names};
use super::{CostsView, GroundView, Report};
use crate::orders::documents::DocumentView;
use crate::orders::events::EventView;
use crate::views::OrderView;

impl Report {
    /// The report as it is printed.
    pub(super) fn paper(&self) -> Paper {
        let order = &self.order;
        let names = Names::of(order.checks.iter().map(|check| (check.id, check.kind)));
        let mut sections =
            vec![about(order, self.generated_at), subject::section(&order.subject), ground(&self.ground)];
        sections.push(check::overview(order));
        for (at, check) in order.checks.iter().enumerate() {
            let asked = self.asked.iter().find(|asked| asked.check_id == check.id);
            sections.extend(check::sections(at + 1, check, asked));
        }
        sections.push(documents(&self.documents, &names));
        sections.push(costs(&self.costs, &names));
        for found in self.findings.iter().flatten() {
            sections.extend(findings::sections(found, &names));
        }
        sections.push(timeline(&self.timeline, &names));
        sections.retain(|section| !section.is_empty());
        Paper {
            title: format!("Report on order {}", order.id),
            order: order.id.to_string(),
            generated_at: self.generated_at,
            sections,
        }
    }
}

fn about(order: &OrderView, generated_at: Timestamp) -> Section {
    let mut section = Section::chapter("Order");
    let took = order.completed_at.map(|at| words::took(at.since(order.created_at).as_secs()));
    let mut entries = Entries::default()
        .with("Status", Some(words::label(order.status.as_str())))
        .with("Outcome", order.outcome.map(|outcome| words::label(outcome.as_str())))
        .with("Checks", Some(order.checks.len().to_string()))
        .with("Checks that ended without a result", Some(order.incomplete_checks.to_string()))
        .with("Order id", Some(order.id.to_string()))
        .with("External id", order.external_id.as_deref())
        .with("Batch id", order.batch_id.map(|id| id.to_string()))
        .with("Parent order id", order.parent_order_id.map(|id| id.to_string()))
        .with("Ordered", Some(words::utc(order.created_at)))
        .with("Last change", Some(format!("{} (version {})", words::utc(order.updated_at), order.version)))
        .with("Completed", order.completed_at.map(words::utc))
        .with("From order to completion", took)
        .with("Report generated", Some(words::utc(generated_at)));
    for (name, value) in &order.metadata {
        entries = entries.with(format!("Metadata: {name}"), Some(value.as_str()));
    }
    section.entries(entries);
    section
}

fn ground(ground: &GroundView) -> Section {
    let mut section = Section::chapter("Ground");
    let consent = &ground.consent;
    let mut entries = Entries::default()
        .with("Permissible purpose", Some(words::label(ground.purpose.as_str())))
        .with("Consent obtained", Some(words::utc(consent.obtained_at)))
        .with("Consent expires", consent.expires_at.map(words::utc))
        .with("Wording agreed to", consent.text_version.as_deref())
        .with("Signed release handed in as", consent.document);
    if let Some(position) = &ground.position {
        let place = [&position.city, &position.region, &position.country].map(|part| part.as_deref());
        entries = entries
            .with("Position", position.title.as_deref())
            .with("Hiring company", position.company.as_deref())
            .with("Place of work", words::some_joined(place, ", "));
    }
    section.entries(entries);
    section
}

fn documents(documents: &[DocumentView], names: &Names<'_>) -> Section {
    let mut section = Section::chapter("Documents");
    let mut table = Table::new(
        "Documents that the vendors hold",
        &["Check", "Kind", "File", "Media type", "Seen (UTC)", "Document id"],
    );
    for document in documents {
        table.row([
            names.full(document.check_id),
            words::label(&document.kind),
            document.filename.clone(),
            document.media_type.clone(),
            words::time(document.seen_at),
            document.id.to_string(),
        ]);
    }
    section.table(table);
    if section.is_empty() {
        section.note("The gateway has seen none.");
    }
    section
}

fn costs(costs: &CostsView, names: &Names<'_>) -> Section {
    let mut section = Section::chapter("Cost and time");
    let titles = ["Check", "#Attempt", "Vendor", "Status", "#Price", "Submitted (UTC)", "Ended (UTC)", "#Took"];
    let mut table = Table::new("Each attempt at each vendor", &titles);
    for attempt in &costs.attempts {
        table.row([
            names.full(attempt.check_id),
            attempt.attempt.to_string(),
            words::vendor(attempt.provider.as_str(), attempt.product.as_deref()),
            words::label(attempt.status.as_str()),
            attempt.price.as_ref().map_or_else(|| "not told".to_owned(), words::money),
            attempt.submitted_at.map(words::time).unwrap_or_default(),
            attempt.ended_at.map(words::time).unwrap_or_default(),
            attempt.took_seconds.map(words::took).unwrap_or_default(),
        ]);
    }
    section.table(table);
    let mut totals = Entries::default();
    for total in &costs.totals {
        totals = totals.with(format!("Total in {}", total.currency), Some(words::money(total)));
    }
    let unpriced = (costs.unpriced > 0).then(|| costs.unpriced.to_string());
    section.entries(totals.with("Attempts whose vendor tells no price", unpriced));
    section.note("Prices are the vendors' own quotes. A vendor may charge only for what it completed.");
    section
}

fn timeline(events: &[EventView], names: &Names<'_>) -> Section {
    let mut section = Section::chapter("Timeline");
    let mut table = Table::new("What happened, the oldest first", &["At (UTC)", "Event", "Check", "#Version", "Said"]);
    for event in events {
        let said = event.data.iter().map(|(name, value)| format!("{}: {}", words::label(name), plain(value)));
        table.row([
            words::time(event.at),
            event.kind.as_str().to_owned(),
            event.check_id.map(|id| names.number(id)).unwrap_or_default(),
            event.version.to_string(),
            said.collect::<Vec<_>>().join("; "),
        ]);
    }
    section.table(table);
    section
}

/// A value without the signs of JSON, where it is a single one.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(all) => {
            all.iter().map(|(name, value)| format!("{name} {}", plain(value))).collect::<Vec<_>>().join(", ")
        }
        value => value.to_string(),
    }
}

/// A name for a finding's own table.
fn title_of(finding: &Finding) -> String {
    let source = finding.source.name.as_deref().or(finding.source.id.as_deref());
    source.or(finding.dataset.as_deref()).unwrap_or("A source").to_owned()
}
