//! What came of a subject showing who they are.

use domain::IdentityResult;
use domain::result::Declined;

use super::super::paper::{Entries, Section, Table};
use super::super::words;

pub fn into(section: &mut Section, found: &IdentityResult) {
    let methods: Vec<_> = found.methods.iter().map(|method| words::label(method)).collect();
    let mut entries = Entries::default().with("Looked at", Some(methods.join(", ")));
    if let Some(document) = &found.document {
        let name = [&document.first_name, &document.last_name].map(|part| part.as_deref());
        entries = entries
            .with("Document shown", document.kind.as_deref().map(words::label))
            .with("Document's country", document.country.as_deref())
            .with("Document's number", document.number.as_deref())
            .with("Name on the document", words::some_joined(name, " "))
            .with("Date of birth on the document", document.date_of_birth.as_deref())
            .with("Issued on", document.issued_on.as_deref())
            .with("Expires on", document.expires_on.as_deref());
    }
    for reason in &found.declined {
        entries = entries.with("Declined", Some(declined(reason)));
    }
    if let Some(other) = &found.overridden {
        let instead = other.instead_of.as_deref().map(|word| format!("instead of {word}"));
        let by = other.by.as_deref().map(|by| format!("by {by}"));
        let parts = [Some(other.status.as_str()), instead.as_deref(), by.as_deref()];
        entries = entries.with("Decided otherwise", Some(words::joined(parts, " ")));
    }
    section.entries(entries);

    let mut table = Table::new("What was asked for, in turn", &["Asked for", "Status", "#Likeness", "Declined"]);
    for validation in &found.validations {
        table.row([
            words::label(&validation.kind),
            validation.status.as_deref().map(words::label).unwrap_or_default(),
            validation.score.map(words::number).unwrap_or_default(),
            validation.declined.as_ref().map(declined).unwrap_or_default(),
        ]);
    }
    section.table(table);
}

fn declined(reason: &Declined) -> String {
    let code = reason.vendor_code.as_deref().map(|code| format!("({code})"));
    words::joined([Some(reason.message.as_str()), code.as_deref()], " ")
}
