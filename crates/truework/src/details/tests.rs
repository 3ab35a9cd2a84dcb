use serde_json::{Value, json};

use super::*;
use crate::samples::{report, word};

fn read(report: &Value) -> Report {
    serde_json::from_str(&report.to_string()).expect("a report")
}

/// A text, so that no number goes through a float before it is read.
fn account_json() -> &'static str {
    r#"{"id": "report-1", "financial_institution_accounts": [{
        "account_name": "Checking", "account_type": "depository", "financial_institution_name": "Bank",
        "number": "000123456789", "owner_name": "Jane Sample", "oldest_transaction_date": "2020-01-01",
        "snapshots": [{"id": "s", "balance": 1234.50, "available_balance": 1.2e3, "currency_code": "USD",
            "balance_date": "2022-02-28", "average_monthly_balance": null,
            "tot_number_insufficient_funds_fee_debit_tx_account": 2}],
        "income_streams": [{"id": "i", "name": "PAYROLL", "status": "active", "confidence": 95, "confidence_level": "high",
            "net_annual": 105002.40, "estimated_gross_annual": 123456789012345678.90, "frequency_days": 15,
            "periods": [{"id": "p", "start_day": "2022-02-15", "amount": 4375.10, "amount_type": "net",
                "amount_duration": "monthly", "estimated_gross_income": {"net_annual": 0.1}}]}]}]}"#
}

#[test]
fn numbers_of_accounts_keep_their_digits_and_its_number_is_cut() {
    let report: Report = serde_json::from_str(account_json()).expect("a report");
    let details = of_report(&report).expect("details");
    insta::assert_json_snapshot!(details.accounts);
    assert!(!serde_json::to_string(&details).expect("JSON").contains("000123456789"));
    assert_eq!(["12345", "1", "", "AB-12"].map(end_of), ["45", "", "", "12"]);
}

#[test]
fn everything_that_a_report_holds_is_told() {
    let mut full = report();
    full["completed_by_method"] = json!({ "canonical_value": "other", "raw_value": "carrier-pigeon" });
    full["employee"]["original_hired_date"] = json!("2012-01-01");
    full["employee"]["on_leave_date"] = json!("2022-01-01");
    full["employee"]["positions"] = json!([
        { "title": "Junior", "start_date": "2012-01-01", "end_date": "2018-12-31", "employment_type": null },
        { "title": "Senior", "start_date": "2019-01-01", "end_date": null, "employment_type": word("regular-full-time") },
    ]);
    full["employer"]["address"] = json!({ "address": "1 Street", "city": "Oakland", "country_subdivision_code": "CA",
        "extended_address": null, "postal_code": "94105", "country_code": "US" });
    full["employer"]["government_ids"] = json!([{ "id": "12-3456789", "type": word("us-fein") }, { "id": null }]);
    full["paystubs"] = json!([{ "id": "p", "reference_id": "STUB-1", "pay_date": "2022-02-28", "pay_period_hours": "80.00",
        "base": "6250.00", "gross": "6250.00", "net": "4375.10" }]);
    full["income_analytics"] = json!({
        "annualized_income": { "short_employment_warning": true, "stale_data_warning": false, "variable_income_warning": true },
        "income_volatility": { "gross_income_volatility": "0.05" },
    });
    full["disputes"] =
        json!([{ "id": "d", "reference_id": "5afe", "created": "2022-01-01T00:00:00Z", "description": "No." }]);
    full["eligibilities"] = json!([{ "type": word("d1c"), "is_eligible": true, "reference_id": "DU-1",
        "provider": word("truework") }]);
    full["applicant_documents"] = json!([{ "id": "doc-1", "url": "https://api.truework.com/x",
        "detections": [{ "count": 2, "type": word("page-edited"), "outcome": word("failed") }] }]);
    let details = of_report(&read(&full)).expect("details");
    insta::assert_json_snapshot!(details);
}

#[test]
fn a_report_that_tells_nothing_more_has_no_details() {
    assert!(of_report(&read(&json!({ "id": "r" }))).is_none());
    let nulls = json!({ "id": "r", "employee": { "positions": null }, "employer": { "address": {}, "government_ids": [] },
        "paystubs": null, "disputes": [], "income_analytics": { "annualized_income": null, "income_volatility": null } });
    assert!(of_report(&read(&nulls)).is_none());
}

#[test]
fn what_was_said_is_told_by_whom() {
    let said: Annotations = serde_json::from_value(json!({
        "applicant": {
            "employee": { "positions": [{ "title": "Chief", "start_date": "2018-01-01", "end_date": null }],
                "salary": { "pay_rate": { "amount": "999999.00", "unit": word("annually") } }, "status": word("active"),
                "status_detail": null },
            "employer": { "name": "Said Company", "email": "said@example.com", "phone_number": "1" },
        },
        "verifier": { "employee": null, "employer": null },
    }))
    .expect("annotations");
    let statements: Vec<Statement> = statements(&said).collect();
    insta::assert_json_snapshot!(statements);
}
