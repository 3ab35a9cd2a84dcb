//! What public records say.

use domain::BackgroundResult;
use domain::result::{DatasetSide, NameFound};

use super::super::paper::{Entries, Section, Table};
use super::super::words;

pub fn into(section: &mut Section, found: &BackgroundResult) {
    let score = |score: Option<f64>| score.map(words::number);
    let sources = &found.sources;
    let identity = found.identity.as_ref();
    let labels = |all: &[String]| all.iter().map(|name| words::label(name)).collect::<Vec<_>>().join(", ");
    let mut entries = Entries::default()
        .with("Score, 0 (high risk) to 1 (low risk)", score(found.score))
        .with("Score by number", score(found.score_by_id))
        .with("Score by name, which may be a namesake's", score(found.score_by_name))
        .with("How likely it is a namesake's", score(found.homonym_probability))
        .with(
            "Sources",
            Some(format!(
                "{} asked: {} answered, {} failed, {} skipped",
                sources.total, sources.completed, sources.failed, sources.skipped
            )),
        )
        .with("Identity", identity.and_then(|identity| identity.status.as_deref()).map(words::label))
        .with("Gender found", identity.and_then(|identity| identity.gender.as_deref()))
        .with("Date of birth found", identity.and_then(|identity| identity.date_of_birth.as_deref()))
        .with("Inputs that contradict the sources", Some(labels(&found.wrong_inputs)))
        .with("Inputs that some sources lacked or refused", Some(labels(&found.invalid_inputs)));
    for name in &found.names_found {
        entries = entries.with("Name found", Some(named(name)));
    }
    section.entries(entries);
    section.table(datasets(found));
    section.table(missed(found));
}

fn named(name: &NameFound) -> String {
    let parts = [&name.first_name, &name.last_name, &name.company_name].map(|part| part.as_deref());
    let count = name.count.map(|count| format!("({count} sources)"));
    words::joined([Some(words::joined(parts, " ").as_str()), count.as_deref()], " ")
}

fn datasets(found: &BackgroundResult) -> Table {
    let titles = ["Records", "Status", "#Score", "Severity", "By number", "By name"];
    let mut table = Table::new("What each kind of record says", &titles);
    for dataset in &found.datasets {
        table.row([
            words::label(&dataset.name),
            dataset.status.as_deref().map(words::label).unwrap_or_default(),
            dataset.score.map(words::number).unwrap_or_default(),
            dataset.severity.as_deref().map(words::label).unwrap_or_default(),
            dataset.by_id.as_ref().map(side).unwrap_or_default(),
            dataset.by_name.as_ref().map(side).unwrap_or_default(),
        ]);
    }
    table
}

fn side(side: &DatasetSide) -> String {
    let (status, severity) = (side.status.as_deref().map(words::label), side.severity.as_deref().map(words::label));
    let score = side.score.map(words::number);
    words::joined([status.as_deref(), score.as_deref(), severity.as_deref()], ", ")
}

fn missed(found: &BackgroundResult) -> Table {
    let mut table = Table::new("Sources that gave nothing", &["Source", "Status", "Inputs it lacked or refused"]);
    for source in &found.sources_missed {
        let inputs: Vec<_> = source.invalid_inputs.iter().map(|name| words::label(name)).collect();
        table.row([
            source.name.as_deref().unwrap_or("not named").to_owned(),
            words::label(&source.status),
            inputs.join(", "),
        ]);
    }
    table
}
