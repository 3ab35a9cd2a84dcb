//! What an employer or a school said.

use domain::VerificationResult;
use domain::result::{Discrepancy, Facts, HeldPosition, Income, ReportDetails, Statement};

use super::super::paper::{Entries, Section, Table};
use super::super::words;

pub fn into(section: &mut Section, found: &VerificationResult) -> Vec<Section> {
    section.table(comparison(found));
    let respondent = found.respondent.as_ref();
    let respondent = respondent
        .and_then(|one| words::some_joined([&one.name, &one.title, &one.email].map(|part| part.as_deref()), ", "));
    section.entries(
        Entries::default()
            .with("Answered by", respondent)
            .with("Comments", found.comments.as_deref())
            .with("Right as of", found.as_of.as_deref()),
    );
    if let Some(income) = &found.income {
        income_into(section, income);
    }
    if let Some(details) = found.details.as_deref() {
        details_into(section, details);
    }
    section.table(inquiries(found));
    section.table(statements(&found.unverified));
    let further = found.further.iter().map(|employment| {
        let employer = employment.facts.employer.as_deref().unwrap_or("an employer that is not named");
        let mut further = Section::part(format!("Also found: {employer}"));
        further.entries(facts(&employment.facts));
        if let Some(income) = &employment.income {
            income_into(&mut further, income);
        }
        if let Some(details) = employment.details.as_deref() {
            details_into(&mut further, details);
        }
        further
    });
    further.collect()
}

/// What was claimed beside what was found, and where the two differ.
fn comparison(found: &VerificationResult) -> Table {
    let (claimed, verified) = (found.claimed.clone().unwrap_or_default(), found.verified.clone().unwrap_or_default());
    let mut table = Table::new("What was claimed, and what was found", &["Fact", "Claimed", "Verified", "Finding"]);
    let differs = |name: &str| found.discrepancies.iter().find(|discrepancy| discrepancy.field == name);
    for ((name, claimed), (_, verified)) in claimed.named().zip(verified.named()) {
        let discrepancy = differs(name);
        if claimed.is_some() || verified.is_some() || discrepancy.is_some() {
            table.row(compared(name, claimed, verified, discrepancy));
        }
    }
    let is_a_fact = |name: &str| Facts::default().named().any(|(known, _)| known == name);
    for discrepancy in found.discrepancies.iter().filter(|discrepancy| !is_a_fact(&discrepancy.field)) {
        table.row(compared(&discrepancy.field, None, None, Some(discrepancy)));
    }
    table
}

fn compared(name: &str, claimed: Option<&str>, verified: Option<&str>, differs: Option<&Discrepancy>) -> [String; 4] {
    let claimed = claimed.or(differs.and_then(|differs| differs.claimed.as_deref()));
    let verified = verified.or(differs.and_then(|differs| differs.verified.as_deref()));
    let finding = if differs.is_some() { "Discrepancy" } else { "" };
    [words::label(name), claimed.unwrap_or("–").to_owned(), verified.unwrap_or("–").to_owned(), finding.to_owned()]
}

fn facts(facts: &Facts) -> Entries {
    facts.named().fold(Entries::default(), |entries, (name, value)| entries.with(words::label(name), value))
}

fn income_into(section: &mut Section, income: &Income) {
    let rate = income
        .pay_rate
        .as_ref()
        .map(|rate| words::joined([Some(words::money(rate).as_str()), income.pay_rate_unit.as_deref()], " "));
    section.entries(
        Entries::default()
            .with("Pay", rate)
            .with("Paid", income.pay_frequency.as_deref())
            .with("Hours per week", income.hours_per_week.as_deref())
            .with("Annualized base pay", income.annualized_base.as_ref().map(words::money))
            .with("Annualized gross pay", income.annualized_gross.as_ref().map(words::money)),
    );
    let titles = ["Year", "#Base", "#Bonus", "#Commission", "#Overtime", "#Other", "#Total"];
    let mut table = Table::new("Earnings by year", &titles);
    for year in &income.earnings {
        let amount = |amount: &Option<String>| amount.clone().unwrap_or_default();
        table.row([
            year.year.clone(),
            amount(&year.base),
            amount(&year.bonus),
            amount(&year.commission),
            amount(&year.overtime),
            amount(&year.other),
            amount(&year.total),
        ]);
    }
    section.table(table);
}

fn details_into(section: &mut Section, details: &ReportDetails) {
    let address = details.employer_address.as_ref().and_then(|address| {
        let parts =
            [&address.line1, &address.line2, &address.city, &address.region, &address.postal_code, &address.country];
        words::some_joined(parts.map(|part| part.as_deref()), ", ")
    });
    let mut entries = Entries::default()
        .with("How it was found out", details.method.as_deref().map(words::label))
        .with("First hired on", details.first_hired_on.as_deref())
        .with("On leave since", details.on_leave_since.as_deref())
        .with("Paid through", details.paid_through.as_deref())
        .with("Employer's address", address);
    for id in &details.employer_ids {
        entries = entries.with("Employer's number", Some(words::joined([id.kind.as_deref(), Some(&id.value)], " ")));
    }
    let warnings: Vec<_> = details.income_warnings.iter().map(|warning| words::label(warning)).collect();
    entries = entries
        .with("Income warnings", Some(warnings.join(", ")))
        .with("Income volatility", details.income_volatility.as_deref());
    for eligibility in &details.eligibilities {
        let is_eligible = eligibility.is_eligible.map(words::yes_or_no);
        let parts = [eligibility.kind.as_deref(), eligibility.provider.as_deref(), is_eligible];
        entries = entries.with("Eligibility", Some(words::joined(parts, ", ")));
    }
    for dispute in &details.disputes {
        let parts = [&dispute.reference, &dispute.opened_at, &dispute.description].map(|part| part.as_deref());
        entries = entries.with("Open dispute", Some(words::joined(parts, ", ")));
    }
    section.entries(entries);
    section.table(positions("Positions held, the latest first", &details.positions));
    section.table(paystubs(details));
    section.table(examinations(details));
    section.table(accounts(details));
    section.table(streams(details));
}

fn positions(caption: &str, all: &[HeldPosition]) -> Table {
    let mut table = Table::new(caption, &["Title", "From", "To", "Type"]);
    for position in all {
        let parts = [&position.title, &position.start_date, &position.end_date, &position.employment_type];
        table.row(parts.map(|part| part.clone().unwrap_or_default()));
    }
    table
}

fn paystubs(details: &ReportDetails) -> Table {
    let titles = [
        "Paid on",
        "From",
        "To",
        "#Hours",
        "#Base",
        "#Bonus",
        "#Commission",
        "#Overtime",
        "#Other",
        "#Gross",
        "#Net",
        "Reference",
    ];
    let mut table = Table::new("Paystubs, the newest first", &titles);
    for stub in &details.paystubs {
        let parts = [
            &stub.pay_date,
            &stub.period_start,
            &stub.period_end,
            &stub.hours,
            &stub.base,
            &stub.bonus,
            &stub.commission,
            &stub.overtime,
            &stub.other,
            &stub.gross,
            &stub.net,
            &stub.reference,
        ];
        table.row(parts.map(|part| part.clone().unwrap_or_default()));
    }
    table
}

fn examinations(details: &ReportDetails) -> Table {
    let mut table = Table::new(
        "Papers that were handed in, and how they were examined",
        &["Paper", "Looked for", "Result", "#Places"],
    );
    for document in &details.documents {
        for examination in &document.examinations {
            table.row([
                document.id.clone().unwrap_or_default(),
                examination.kind.as_deref().map(words::label).unwrap_or_default(),
                examination.outcome.as_deref().map(words::label).unwrap_or_default(),
                examination.count.map(|count| count.to_string()).unwrap_or_default(),
            ]);
        }
    }
    table
}

fn accounts(details: &ReportDetails) -> Table {
    let titles = [
        "Bank",
        "Account",
        "Ends in",
        "Type",
        "Owner",
        "On",
        "#Balance",
        "#Available",
        "#Monthly average",
        "#Fees for want of funds",
    ];
    let mut table = Table::new("Accounts that show income", &titles);
    for account in &details.accounts {
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        let own = || {
            let parts = [&account.institution, &account.name, &account.number_ends_in, &account.kind, &account.owner];
            parts.map(text)
        };
        let [bank, name, ends_in, kind, owner] = own();
        if account.balances.is_empty() {
            table.row([bank, name, ends_in, kind, owner]);
            continue;
        }
        for balance in &account.balances {
            let [bank, name, ends_in, kind, owner] = own();
            let currency = balance.currency.as_deref();
            let amount = |part: &Option<String>| {
                part.as_deref().map(|amount| words::joined([Some(amount), currency], " ")).unwrap_or_default()
            };
            table.row([
                bank,
                name,
                ends_in,
                kind,
                owner,
                text(&balance.date),
                amount(&balance.balance),
                amount(&balance.available),
                amount(&balance.monthly_average),
                balance.insufficient_funds_fees.map(|count| count.to_string()).unwrap_or_default(),
            ]);
        }
    }
    table
}

fn streams(details: &ReportDetails) -> Table {
    let titles = [
        "Account",
        "Stream",
        "Status",
        "Confidence",
        "From",
        "To",
        "#Net per year",
        "#Net per month",
        "#Gross per year, estimated",
    ];
    let mut table = Table::new("Payments that come in again and again", &titles);
    for account in &details.accounts {
        for stream in &account.income_streams {
            let confidence = stream.confidence.map(|confidence| confidence.to_string());
            let parts = [
                &account.name,
                &stream.name,
                &stream.status,
                &stream.confidence_level.clone().or(confidence),
                &stream.start_date,
                &stream.end_date,
                &stream.net_annual,
                &stream.net_monthly_average,
                &stream.gross_annual_estimate,
            ];
            table.row(parts.map(|part| part.clone().unwrap_or_default()));
        }
    }
    table
}

fn inquiries(found: &VerificationResult) -> Table {
    let titles = ["Inquiry", "Employers", "Vendor's word", "Reason", "Completed", "#Price"];
    let mut table = Table::new("The vendor's inquiries", &titles);
    for inquiry in &found.inquiries {
        table.row([
            inquiry.id.clone().unwrap_or_default(),
            inquiry.employers.join(", "),
            inquiry.status.clone(),
            inquiry.reason.as_deref().map(words::label).unwrap_or_default(),
            inquiry.completed_at.clone().unwrap_or_default(),
            inquiry.price.as_ref().map(words::money).unwrap_or_default(),
        ]);
    }
    table
}

fn statements(all: &[Statement]) -> Table {
    let mut table = Table::new(
        "Said, and not verified; it took no part in the verdict",
        &["By", "Employer", "Status", "Positions", "#Pay"],
    );
    for statement in all {
        let positions = statement.positions.iter().map(|position| {
            let parts = [&position.title, &position.start_date, &position.end_date].map(|part| part.as_deref());
            words::joined(parts, ", ")
        });
        let pay = statement.pay_rate.as_ref().map(words::money);
        table.row([
            words::label(&statement.by),
            statement.employer.clone().unwrap_or_default(),
            statement.employment_status.clone().unwrap_or_default(),
            positions.collect::<Vec<_>>().join("; "),
            words::joined([pay.as_deref(), statement.pay_rate_unit.as_deref()], " "),
        ]);
    }
    table
}
