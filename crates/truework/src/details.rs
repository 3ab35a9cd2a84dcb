//! What a report holds besides the facts that are compared and the income by year, in our words. Pure.
//!
//! What the applicant or the client said of the employment (the vendor's annotations) becomes [`Statement`]s, and never
//! goes anywhere else: nobody verified it.

use domain::Money;
use domain::result::{
    AccountBalance, CheckedDocument, Dispute, Eligibility, EmployerAddress, EmployerId, Examination, FinancialAccount,
    HeldPosition, IncomePeriod, IncomeStream, Paystub, ReportDetails, Statement,
};

use crate::wire::report::{self, Annotation, Annotations, Employee, Employer, IncomeAnalytics, Report};
use crate::wire::{ApplicantDocument, Text, Word};

/// `None`: there is nothing more to tell.
pub fn of_report(report: &Report) -> Option<Box<ReportDetails>> {
    let (nobody, nowhere) = (Employee::default(), Employer::default());
    let person = report.employee.as_ref().unwrap_or(&nobody);
    let company = report.employer.as_ref().unwrap_or(&nowhere);
    let details = ReportDetails {
        method: report.completed_by_method.as_ref().and_then(word),
        positions: positions(person),
        first_hired_on: person.original_hired_date.clone(),
        on_leave_since: person.on_leave_date.clone(),
        paid_through: report.paid_through_date.clone(),
        employer_address: company
            .address
            .as_ref()
            .map(address)
            .filter(|address| *address != EmployerAddress::default()),
        employer_ids: each(company.government_ids.as_ref(), employer_id).into_iter().flatten().collect(),
        paystubs: paystubs(report),
        income_warnings: report.income_analytics.as_ref().map(warnings).unwrap_or_default(),
        income_volatility: report.income_analytics.as_ref().and_then(volatility),
        disputes: each(report.disputes.as_ref(), dispute),
        eligibilities: each(report.eligibilities.as_ref(), eligibility),
        documents: each(report.applicant_documents.as_ref(), document),
        accounts: each(report.financial_institution_accounts.as_ref(), account),
    };
    (details != ReportDetails::default()).then(|| Box::new(details))
}

fn each<T, U>(list: Option<&Vec<T>>, turn: impl Fn(&T) -> U) -> Vec<U> {
    list.into_iter().flatten().map(turn).collect()
}

fn word(word: &Word) -> Option<String> {
    Some(word.telling().to_owned()).filter(|word| !word.is_empty())
}

fn text(text: Option<&Text>) -> Option<String> {
    text.map(|text| text.as_str().to_owned())
}

/// A count. One that is none is left out; the payload keeps it.
fn count(text: Option<&Text>) -> Option<u32> {
    text?.as_str().parse().ok()
}

/// The latest first; the vendor names no order.
fn positions(employee: &Employee) -> Vec<HeldPosition> {
    let mut positions = each(employee.positions.as_ref(), |position| HeldPosition {
        title: position.title.clone(),
        start_date: position.start_date.clone(),
        end_date: position.end_date.clone(),
        employment_type: position.employment_type.as_ref().and_then(word),
    });
    positions.sort_by(|a, b| b.start_date.cmp(&a.start_date));
    positions
}

fn address(theirs: &report::Address) -> EmployerAddress {
    EmployerAddress {
        line1: theirs.street.clone(),
        line2: theirs.addition.clone(),
        city: theirs.city.clone(),
        region: theirs.country_subdivision_code.clone(),
        postal_code: text(theirs.postal_code.as_ref()),
        country: theirs.country_code.clone(),
    }
}

fn employer_id(id: &report::GovernmentId) -> Option<EmployerId> {
    Some(EmployerId { kind: id.kind.as_ref().and_then(word), value: text(id.id.as_ref())? })
}

/// The vendor sends the newest first, and says so.
fn paystubs(report: &Report) -> Vec<Paystub> {
    each(report.paystubs.as_ref(), |stub| Paystub {
        pay_date: stub.pay_date.clone(),
        period_start: stub.pay_period_start_date.clone(),
        period_end: stub.pay_period_end_date.clone(),
        hours: text(stub.pay_period_hours.as_ref()),
        base: text(stub.base.as_ref()),
        bonus: text(stub.bonus.as_ref()),
        commission: text(stub.commission.as_ref()),
        overtime: text(stub.overtime.as_ref()),
        other: text(stub.other.as_ref()),
        gross: text(stub.gross.as_ref()),
        net: text(stub.net.as_ref()),
        reference: text(stub.reference_id.as_ref()),
    })
}

fn warnings(analytics: &IncomeAnalytics) -> Vec<String> {
    let Some(income) = &analytics.annualized_income else {
        return Vec::new();
    };
    let warnings = [
        ("short_employment", income.short_employment_warning),
        ("stale_data", income.stale_data_warning),
        ("variable_income", income.variable_income_warning),
    ];
    warnings.into_iter().filter(|(_, given)| *given == Some(true)).map(|(name, _)| name.to_owned()).collect()
}

fn volatility(analytics: &IncomeAnalytics) -> Option<String> {
    text(analytics.income_volatility.as_ref()?.gross_income_volatility.as_ref())
}

fn dispute(dispute: &report::Dispute) -> Dispute {
    Dispute {
        reference: text(dispute.reference_id.as_ref()),
        opened_at: dispute.created.clone(),
        description: dispute.description.clone(),
    }
}

fn eligibility(eligibility: &report::Eligibility) -> Eligibility {
    Eligibility {
        kind: eligibility.kind.as_ref().and_then(word),
        is_eligible: eligibility.is_eligible,
        provider: eligibility.provider.as_ref().and_then(word),
        reference: text(eligibility.reference_id.as_ref()),
    }
}

/// Without the link, which is for us only: the paper itself is among the check's documents.
fn document(document: &ApplicantDocument) -> CheckedDocument {
    let examinations = each(document.detections.as_ref(), |detection| Examination {
        kind: detection.kind.as_ref().and_then(word),
        outcome: detection.outcome.as_ref().and_then(word),
        count: count(detection.count.as_ref()),
    });
    CheckedDocument { id: document.id.clone(), examinations }
}

fn account(account: &report::FinancialAccount) -> FinancialAccount {
    FinancialAccount {
        institution: account.financial_institution_name.clone(),
        name: account.account_name.clone(),
        kind: account.account_type.clone(),
        owner: account.owner_name.clone(),
        number_ends_in: account.number.as_ref().map(|number| end_of(number.as_str())),
        oldest_transaction: account.oldest_transaction_date.clone(),
        balances: each(account.snapshots.as_ref(), |snapshot| AccountBalance {
            date: snapshot.balance_date.clone(),
            currency: snapshot.currency_code.clone(),
            balance: text(snapshot.balance.as_ref()),
            available: text(snapshot.available_balance.as_ref()),
            monthly_average: text(snapshot.average_monthly_balance.as_ref()),
            insufficient_funds_fees: count(snapshot.fees.as_ref()),
            insufficient_funds_fees_of_two_months: count(snapshot.fees_of_two_months.as_ref()),
            days_since_insufficient_funds_fee: count(snapshot.days_since_fee.as_ref()),
        }),
        income_streams: each(account.income_streams.as_ref(), stream),
    }
}

/// The last four letters or digits, and never more than half of them.
fn end_of(number: &str) -> String {
    let plain: Vec<char> = number.chars().filter(|c| c.is_alphanumeric()).collect();
    plain[plain.len() - (plain.len() / 2).min(4)..].iter().collect()
}

fn stream(stream: &report::IncomeStream) -> IncomeStream {
    IncomeStream {
        name: stream.name.clone(),
        status: stream.status.clone(),
        confidence: count(stream.confidence.as_ref()),
        confidence_level: text(stream.confidence_level.as_ref()),
        start_date: stream.start_date.clone(),
        end_date: stream.end_date.clone(),
        every_days: count(stream.frequency_days.as_ref()),
        age_in_months: count(stream.age_in_months.as_ref()),
        net_annual: text(stream.net_annual.as_ref()),
        net_monthly_average: text(stream.average_monthly_net_income.as_ref()),
        gross_annual_estimate: text(stream.estimated_gross_annual.as_ref()),
        periods: each(stream.periods.as_ref(), period),
    }
}

fn period(period: &report::IncomePeriod) -> IncomePeriod {
    let gross = period.estimated_gross_income.as_ref();
    IncomePeriod {
        start_date: period.start_day.clone(),
        amount: text(period.amount.as_ref()),
        amount_type: period.amount_type.clone(),
        amount_duration: text(period.amount_duration.as_ref()),
        net_annual: gross.and_then(|gross| text(gross.net_annual.as_ref())),
        net_monthly_average: gross.and_then(|gross| text(gross.average_monthly_net_income.as_ref())),
        gross_annual_estimate: gross.and_then(|gross| text(gross.estimated_gross_annual.as_ref())),
    }
}

/// What was said in these annotations, and is not verified.
pub fn statements(annotations: &Annotations) -> impl Iterator<Item = Statement> {
    let by = [("applicant", &annotations.applicant), ("verifier", &annotations.verifier)];
    by.into_iter().filter_map(|(who, said)| statement(who, said.as_ref()?))
}

fn statement(by: &str, said: &Annotation) -> Option<Statement> {
    let employee = said.employee.as_ref();
    let rate = employee.and_then(|employee| employee.salary.as_ref()?.pay_rate.as_ref());
    let status = employee.and_then(|employee| employee.status_detail.as_ref().or(employee.status.as_ref()));
    let statement = Statement {
        by: by.to_owned(),
        employer: said.employer.as_ref().and_then(|employer| employer.name.clone()),
        employment_status: status.and_then(word),
        positions: employee.map(positions).unwrap_or_default(),
        pay_rate: rate
            .and_then(|rate| text(rate.amount.as_ref()))
            .map(|amount| Money { amount, currency: "USD".to_owned() }),
        pay_rate_unit: rate.and_then(|rate| word(rate.unit.as_ref()?)),
    };
    (statement != Statement { by: by.to_owned(), ..Statement::default() }).then_some(statement)
}

#[cfg(test)]
mod tests;
