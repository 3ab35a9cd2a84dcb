//! What the vendors say beside the results, where it was asked for.

use domain::Finding;

use super::super::FindingsView;
use super::super::paper::{Entries, Section, Table};
use super::super::words::{self, Names};
use super::{plain, title_of};

pub fn sections(found: &FindingsView, names: &Names<'_>) -> Vec<Section> {
    let mut section = Section::chapter(format!("Beside the result of check {}", names.full(found.check_id)));
    section.note("As the vendor and its sources say it, unmasked.");
    section.entries(Entries::default().with("Summary", found.summary.as_deref()));
    if let Some(variables) = &found.variables {
        let mut table = Table::new("Variables", &["Variable", "Value"]);
        for (name, value) in &variables.values {
            table.row([name.clone(), plain(value)]);
        }
        section.table(table);
    }
    let details = found.details.as_deref().unwrap_or_default();
    section.table(overview(details));
    if found.details_truncated {
        section.note("There are more details than are shown here.");
    }
    for part in &found.failed {
        section.note(format!("Could not be had: {}. {}", part.part, part.detail));
    }
    let mut sections = vec![section];
    sections.extend(details.iter().filter(|finding| !finding.tables.is_empty()).map(shown));
    sections
}

fn overview(details: &[Finding]) -> Table {
    let titles = ["Source", "Records", "Result", "Severity", "#Score", "Group", "Found", "Changed"];
    let mut table = Table::new("Details", &titles);
    for finding in details {
        let found = finding.found.as_ref();
        let found = found.map(|found| {
            let parts = [&found.first_name, &found.last_name, &found.company_name, &found.date_of_birth, &found.tax_id];
            words::joined(parts.map(|part| part.as_deref()), " ")
        });
        let word = |word: &Option<String>| word.as_deref().map(words::label).unwrap_or_default();
        table.row([
            title_of(finding),
            word(&finding.dataset),
            word(&finding.result),
            word(&finding.severity),
            finding.score.map(words::number).unwrap_or_default(),
            word(&finding.group),
            found.unwrap_or_default(),
            finding.updated_at.clone().unwrap_or_default(),
        ]);
    }
    table
}

/// What one source showed.
fn shown(finding: &Finding) -> Section {
    let mut section = Section::part(title_of(finding));
    for table in &finding.tables {
        if let Some(title) = &table.title {
            section.note(title.as_str());
        }
        for row in &table.rows {
            let entries = row.iter().fold(Entries::default(), |all, (name, value)| all.with(name, Some(value)));
            section.entries(entries);
        }
    }
    section
}
