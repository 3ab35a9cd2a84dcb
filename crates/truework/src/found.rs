//! What a report of the vendor tells of one employment, in our words. Pure.

use domain::input::Money;
use domain::result::{Earnings, Facts, Income, ReportDetails, Respondent};

use crate::details;
use crate::wire::report::{self, Employee};
use crate::wire::{ApplicantDocument, Order, Report, Text, Verification, Word};

/// One employment that the vendor found, with all that a claim can be held against.
#[derive(Default)]
pub struct Found {
    pub facts: Facts,
    pub income: Option<Income>,
    pub details: Option<Box<ReportDetails>>,
    /// Every title the person had there.
    pub titles: Vec<String>,
    /// Every day that can be meant by the beginning: a rehire has two, and positions begin later than employments.
    pub starts: Vec<String>,
    pub respondent: Option<Respondent>,
    pub comments: Option<String>,
    pub as_of: Option<String>,
    /// The source says that the person never worked there.
    pub never_employed: bool,
    /// Somebody disputes the report, and the dispute is open.
    pub disputed: bool,
}

pub fn of_report(report: Report) -> Found {
    let details = details::of_report(&report);
    let employee = report.employee.unwrap_or_default();
    let status = employee.status.as_ref().map(Word::canonical);
    let never_employed = status == Some("non-employee");
    let ended = status == Some("inactive");
    let positions = by_start(&employee);
    let current = positions.first();
    let starts: Vec<String> = [&employee.hired_date, &employee.original_hired_date]
        .into_iter()
        .flatten()
        .cloned()
        .chain(positions.last().and_then(|first| first.start_date.clone()))
        .collect();
    let last_day = current.and_then(|position| position.end_date.clone()).filter(|_| ended);
    let facts = Facts {
        employer: report.employer.and_then(|employer| employer.name),
        title: current.and_then(|position| position.title.clone()),
        start_date: starts.first().cloned(),
        end_date: employee.termination_date.clone().or(last_day),
        employment_status: employment_status(&employee),
        employment_type: current
            .and_then(|position| position.employment_type.as_ref())
            .map(|word| word.telling().to_owned()),
        ..Facts::default()
    };
    Found {
        titles: positions.iter().filter_map(|position| position.title.clone()).collect(),
        starts,
        income: income(employee, report.income_analytics),
        details,
        facts,
        respondent: report.respondent.map(respondent).filter(|respondent| *respondent != Respondent::default()),
        comments: report.additional_notes.filter(|notes| !notes.is_empty()),
        as_of: report.current_as_of,
        never_employed,
        disputed: report.disputes.is_some_and(|disputes| !disputes.is_empty()),
    }
}

/// The positions, the latest first; the vendor names no order.
fn by_start(employee: &Employee) -> Vec<report::Position> {
    let mut positions = employee.positions.clone().unwrap_or_default();
    positions.sort_by(|a, b| b.start_date.cmp(&a.start_date));
    positions
}

/// `active`, or with what the vendor adds to it: `active (on-leave)`.
fn employment_status(employee: &Employee) -> Option<String> {
    let status = employee.status.as_ref()?.telling();
    let detail = employee.status_detail.as_ref().map(Word::telling);
    Some(match detail.filter(|detail| !detail.is_empty() && *detail != status) {
        Some(detail) => format!("{status} ({detail})"),
        None => status.to_owned(),
    })
}

fn respondent(respondent: report::Respondent) -> Respondent {
    Respondent { name: respondent.full_name, title: respondent.title, email: respondent.email }
}

/// Amounts pass through as the vendor wrote them, totals included: nothing is computed.
fn income(employee: Employee, analytics: Option<report::IncomeAnalytics>) -> Option<Income> {
    let annualized = analytics.and_then(|analytics| analytics.annualized_income);
    let (base, gross) = annualized.map_or((None, None), |income| (income.base_amount, income.gross_amount));
    let (rate, frequency, hours) = employee
        .salary
        .map_or((None, None, None), |salary| (salary.pay_rate, salary.pay_frequency, salary.hours_per_week));
    let (rate_amount, unit) = rate.map_or((None, None), |rate| (rate.amount, rate.unit));
    let income = Income {
        pay_rate: rate_amount.and_then(|amount| money(amount, None)),
        pay_rate_unit: unit.map(|word| word.telling().to_owned()),
        pay_frequency: frequency.map(|word| word.telling().to_owned()),
        hours_per_week: hours.map(Text::into_string),
        earnings: employee.earnings.unwrap_or_default().into_iter().map(earnings).collect(),
        annualized_base: base.and_then(amount),
        annualized_gross: gross.and_then(amount),
    };
    (income != Income::default()).then_some(income)
}

fn earnings(year: report::Earnings) -> Earnings {
    let text = |value: Option<Text>| value.map(Text::into_string);
    Earnings {
        year: text(year.year).unwrap_or_default(),
        base: text(year.base),
        bonus: text(year.bonus),
        commission: text(year.commission),
        overtime: text(year.overtime),
        other: text(year.other),
        total: text(year.total),
    }
}

fn amount(theirs: report::MoneyAmount) -> Option<Money> {
    money(theirs.amount?, theirs.currency)
}

/// Everything is in US dollars where nothing else is said: the vendor knows no other currency. An empty amount is none.
pub fn money(amount: Text, currency: Option<String>) -> Option<Money> {
    let amount = Some(amount.into_string()).filter(|amount| !amount.is_empty())?;
    Some(Money { amount, currency: currency.unwrap_or_else(|| "USD".to_owned()) })
}

/// Whether a check of the applicant's documents failed, at the verification or inside its reports. A check that is not
/// listed passed or was not run.
pub fn has_failed_detection(verification: &Verification) -> bool {
    documents_of(verification)
        .flat_map(|document| document.detections.iter().flatten())
        .any(|detection| detection.outcome.as_ref().is_some_and(|outcome| outcome.canonical() == "failed"))
}

/// The links to all documents of the applicant.
pub fn applicant_documents(order: &Order) -> impl Iterator<Item = &str> {
    let verifications = order.verification_requests.iter().flatten();
    verifications.flat_map(documents_of).filter_map(|document| document.url.as_deref())
}

fn documents_of(verification: &Verification) -> impl Iterator<Item = &ApplicantDocument> {
    let reports = verification.reports.iter().flatten();
    let inside = reports.flat_map(|report| report.applicant_documents.iter().flatten());
    verification.applicant_documents.iter().flatten().chain(inside)
}
