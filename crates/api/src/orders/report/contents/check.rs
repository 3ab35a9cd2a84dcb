//! A check, what came of it, and the vendors that were tried before.

use domain::CheckResult;

use super::super::AskedView;
use super::super::paper::{Entries, Section, Table};
use super::super::words;
use super::{background, identity, verification};
use crate::views::check::{AttemptView, VendorView};
use crate::views::{CheckView, OrderView};

/// All checks at a glance.
pub fn overview(order: &OrderView) -> Section {
    let mut section = Section::chapter("Checks");
    let mut table = Table::new("All checks at a glance", &["#No.", "Check", "Vendor", "Status", "Outcome", "Verdict"]);
    for (at, check) in order.checks.iter().enumerate() {
        table.row([
            (at + 1).to_string(),
            words::label(check.kind.as_str()),
            words::vendor(check.provider.as_str(), check.product.as_deref()),
            words::label(check.status.as_str()),
            check.outcome.map(|outcome| words::label(outcome.as_str())).unwrap_or_default(),
            check.result.as_ref().and_then(verdict).unwrap_or_default(),
        ]);
    }
    section.table(table);
    section
}

/// One check in full.
pub fn sections(number: usize, check: &CheckView, asked: Option<&AskedView>) -> Vec<Section> {
    let mut own = Section::chapter(format!("Check {number}: {}", words::label(check.kind.as_str()).to_lowercase()));
    own.entries(facts(check));
    if let Some(asked) = asked {
        own.entries(question(asked, check.result.is_some()));
    }
    let parts = check.result.as_ref().map(|result| into(&mut own, result));
    let mut sections = vec![own];
    sections.extend(parts.unwrap_or_default());
    for (at, attempt) in check.attempts.iter().enumerate() {
        let vendor = words::vendor(attempt.provider.as_str(), attempt.product.as_deref());
        let mut tried = Section::part(format!("Attempt {} of check {number}, at {vendor}", at + 1));
        tried.entries(attempt_facts(attempt));
        let parts = attempt.result.as_ref().map(|result| into(&mut tried, result));
        sections.push(tried);
        sections.extend(parts.unwrap_or_default());
    }
    sections
}

/// Puts a result into its check's section; what needs headings of its own comes back.
fn into(section: &mut Section, result: &CheckResult) -> Vec<Section> {
    match result {
        CheckResult::Verification(found) => return verification::into(section, found),
        CheckResult::Background(found) => background::into(section, found),
        CheckResult::Identity(found) => identity::into(section, found),
    }
    Vec::new()
}

fn verdict(result: &CheckResult) -> Option<String> {
    match result {
        CheckResult::Verification(found) => found.verdict.map(|verdict| words::label(verdict.as_str())),
        CheckResult::Background(found) => found.score.map(|score| format!("Score {}", words::number(score))),
        CheckResult::Identity(found) => found.status.as_deref().map(words::label),
    }
}

fn facts(check: &CheckView) -> Entries {
    let action = check.action.as_ref().map(|action| {
        let kind = words::label(action.kind.as_str());
        words::joined([Some(kind.as_str()), action.message.as_deref()], ": ")
    });
    let entries = Entries::default()
        .with("Status", Some(words::label(check.status.as_str())))
        .with("Reason", check.status_reason.as_ref().map(|reason| reason.message.as_str()))
        .with("Outcome", check.outcome.map(|outcome| words::label(outcome.as_str())))
        .with("Verdict", check.result.as_ref().and_then(verdict))
        .with("Waits for", action)
        .with("Vendor", Some(words::vendor(check.provider.as_str(), check.product.as_deref())))
        .with("Vendor account", Some(check.account.as_str()));
    vendor(entries, check.vendor.as_ref())
        .with("Tried next", Some(check.next_providers.join(", ")))
        .with("Check id", Some(check.id.to_string()))
        .with("Revision of the result", Some(check.revision).filter(|count| *count > 1).map(|count| count.to_string()))
        .with("Ordered", Some(words::utc(check.created_at)))
        .with("Submitted", check.submitted_at.map(words::utc))
        .with("Expected by", check.estimated_completion_at.map(words::utc))
        .with("Cancellation asked for", check.cancel_requested_at.map(words::utc))
        .with("Ended", check.completed_at.map(words::utc))
        .with("Price, as the vendor quotes it", check.price.as_ref().map(words::money))
}

fn attempt_facts(attempt: &AttemptView) -> Entries {
    let entries = Entries::default()
        .with("Status", Some(words::label(attempt.status.as_str())))
        .with("Reason", attempt.status_reason.as_ref().map(|reason| reason.message.as_str()))
        .with("Outcome", attempt.outcome.map(|outcome| words::label(outcome.as_str())))
        .with("Verdict", attempt.result.as_ref().and_then(verdict))
        .with("Vendor account", Some(attempt.account.as_str()));
    vendor(entries, attempt.vendor.as_ref())
        .with("Submitted", attempt.submitted_at.map(words::utc))
        .with("Ended", attempt.completed_at.map(words::utc))
        .with("Price, as the vendor quotes it", attempt.price.as_ref().map(words::money))
}

fn vendor(entries: Entries, vendor: Option<&VendorView>) -> Entries {
    let of = |part: fn(&VendorView) -> Option<&str>| vendor.and_then(part);
    entries
        .with("Vendor's order", of(|vendor| Some(&vendor.order_id)))
        .with("Vendor's check", of(|vendor| vendor.check_id.as_deref()))
        .with("Vendor's word", of(|vendor| vendor.status.as_deref()))
}

/// What was asked. Of a verification with a result, that shows what was claimed beside what was found.
fn question(asked: &AskedView, has_result: bool) -> Entries {
    let mut entries = Entries::default()
        .with("Country asked about", asked.country.as_deref())
        .with("Region asked about", asked.region.as_deref());
    for (name, value) in asked.facts.iter().filter(|_| !has_result).flat_map(domain::result::Facts::named) {
        entries = entries.with(format!("Asked about: {}", words::label(name).to_lowercase()), value);
    }
    entries
}
