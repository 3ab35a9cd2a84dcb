//! Reports with everything in them, for tests. All people, companies and numbers are made up.

use std::collections::BTreeMap;

use domain::observation::{Certainty, Standing, VendorRef};
use domain::{
    AccountKey, Check, CheckId, CheckInput, CheckResult, CheckState, Event, EventId, EventType, Leg, Money, News,
    Observation, ObservedAt, Order, OrderId, OrderInput, Outcome, ProviderId, Sensitive, SubmissionId, TenantId,
    Timestamp,
};
use provider::DocumentRef;
use serde_json::{Value, json};
use store::{StoredDocument, StoredEvent};
use uuid::Uuid;

use super::{AskedView, CostsView, DocumentView, EventView, GroundView, Report};
use crate::views::OrderView;

pub fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(0x0193_4f00_0000_7000_8000_0000_0000_0000 + number)
}

/// A check with the vendors that it is tried at in turn, and what each comes to.
fn check(order_id: OrderId, position: u16, spec: &Value, tries: &[(&str, Option<&str>, Option<Value>)]) -> Check {
    let input: CheckInput = serde_json::from_value(json!({"spec": spec, "vendor_options": {}})).expect("an input");
    let leg = |(provider, product, _): &(&str, Option<&str>, Option<Value>)| Leg {
        account: AccountKey::default_of(ProviderId::new(*provider)),
        product: product.map(str::to_owned),
        input: input.clone(),
    };
    let legs: Vec<_> = tries.iter().map(leg).collect();
    Check {
        id: CheckId::from_uuid(uuid(100 + u128::from(position))),
        order_id,
        position,
        kind: input.spec.kind(),
        account: legs[0].account.clone(),
        attempt: 1,
        input: Sensitive::new(input),
        state: CheckState::with_legs(legs),
        created_at: at("2026-11-21T09:00:00Z"),
    }
}

/// Lets a check go its way.
fn play(order: &mut Order, id: CheckId, tries: &[(&str, Option<&str>, Option<Value>)]) {
    for (turn, (_, _, result)) in tries.iter().enumerate() {
        let turn = u32::try_from(turn).expect("few");
        let sent = at("2026-11-21T09:00:02Z") + std::time::Duration::from_hours(1) * turn;
        let submission = SubmissionId::from_uuid(uuid(500 + u128::from(turn)));
        let vendor = VendorRef::order(format!("v-{}-{turn}", id.uuid().as_u128() % 1_000));
        order.tell(id, &News::Sending { submission }, sent);
        order.tell(id, &News::Accepted { submission, vendor: vendor.clone(), provisional: false, at: sent }, sent);
        let Some(result) = result else { return };
        let result: CheckResult = serde_json::from_value(result.clone()).expect("a result");
        let outcome = match &result {
            CheckResult::Verification(found) if found.verdict == Some(domain::Verdict::NoRecord) => Outcome::Unresolved,
            CheckResult::Verification(found) if !found.discrepancies.is_empty() => Outcome::Consider,
            _ => Outcome::Clear,
        };
        let ended = sent + std::time::Duration::from_secs(1_865);
        let standing = Standing::Completed { outcome, result: Some(result), reason: None, certainty: Certainty::Full };
        let observed = ObservedAt { at: ended, sequence: 1 };
        let observation = Observation { vendor, observed, native_status: "COMPLETED".to_owned(), standing };
        order.tell(id, &News::Observed(observation), ended);
    }
}

fn no_record() -> Value {
    json!({
        "type": "verification", "verdict": "no_record", "price": {"amount": "23.00", "currency": "USD"},
        "claimed": {"employer": "Żółty Łoś Sp. z o.o.", "title": "Инженер"}
    })
}

fn employment() -> Value {
    json!({
        "type": "verification", "verdict": "discrepancy",
        "claimed": {"employer": "Żółty Łoś Sp. z o.o.", "title": "Инженер", "start_date": "2020-01-15", "end_date": "2023-06-30"},
        "verified": {"employer": "Żółty Łoś Sp. z o.o.", "title": "Junior engineer", "start_date": "2020-03-01",
                     "end_date": "2023-06-30", "employment_status": "inactive", "eligible_for_rehire": "yes"},
        "discrepancies": [
            {"field": "title", "claimed": "Инженер", "verified": "Junior engineer"},
            {"field": "start_date", "claimed": "2020-01-15", "verified": "2020-03-01"},
            {"field": "reason_for_leaving", "claimed": "resigned", "verified": "dismissed"}
        ],
        "respondent": {"name": "Hanna Rossi", "title": "HR manager", "email": "hanna@example.com"},
        "comments": "Asked twice.\nThe second answer is the one that counts: she had begun in March, as a junior, and was promoted a year later. <b>Nothing else</b> & nothing \"more\".",
        "as_of": "2026-11-20", "price": {"amount": "42.95", "currency": "USD"}
    })
}

fn income() -> Value {
    let earnings = |year: &str, base: &str, bonus: &str, total: &str| json!({"year": year, "base": base, "bonus": bonus, "commission": null, "overtime": null, "other": "0.00", "total": total});
    let stub = |day: u32| {
        json!({
            "pay_date": format!("2026-10-{day:02}"), "period_start": "2026-09-16", "period_end": "2026-09-30", "hours": "80.00",
            "base": "5769.23", "bonus": "0.00", "commission": "0.00", "overtime": "12.50", "other": "0.00",
            "gross": "5781.73", "net": "4011.02", "reference": format!("ps-{day}")
        })
    };
    json!({
        "type": "verification", "verdict": "verified",
        "claimed": {"employer": "Fake Company"},
        "verified": {"employer": "Fake Company", "title": "Software Engineer", "start_date": "2019-01-01", "employment_status": "active"},
        "income": {
            "pay_rate": {"amount": "150000.00", "currency": "USD"}, "pay_rate_unit": "annually", "pay_frequency": "biweekly",
            "hours_per_week": "40", "annualized_base": {"amount": "150000.00", "currency": "USD"},
            "annualized_gross": {"amount": "175000.00", "currency": "USD"},
            "earnings": [earnings("2026", "50000.00", "0.00", "50000.00"), earnings("2025", "150000.00", "50000.00", "200000.00")]
        },
        "details": {
            "method": "instant",
            "positions": [
                {"title": "Software Engineer", "start_date": "2021-01-01", "employment_type": "full-time"},
                {"title": "Associate", "start_date": "2019-01-01", "end_date": "2020-12-31", "employment_type": "full-time"}
            ],
            "employer_address": {"line1": "1 Example Street", "city": "Springfield", "region": "IL", "postal_code": "62701", "country": "US"},
            "employer_ids": [{"type": "us-fein", "value": "12-3456789"}],
            "paystubs": [stub(1), stub(15)], "income_warnings": ["variable_income"], "income_volatility": "0.12",
            "eligibilities": [{"type": "rent", "is_eligible": true, "provider": "Sample Housing"}],
            "documents": [{"id": "d1", "examinations": [{"type": "page-edited", "outcome": "passed"}, {"type": "ssn-mismatch", "outcome": "failed", "count": 2}]}],
            "accounts": [{
                "institution": "Sample Bank", "name": "Checking 0042", "type": "checking", "owner": "Somebody", "number_ends_in": "42",
                "balances": [{"date": "2026-11-01", "currency": "USD", "balance": "1200.00", "available": "1100.00", "insufficient_funds_fees": 0}],
                "income_streams": [{"name": "Payroll", "status": "active", "confidence_level": "high", "start_date": "2024-01-01", "net_annual": "104000.00", "net_monthly_average": "8666.67", "gross_annual_estimate": "150000.00", "periods": []}]
            }]
        },
        "further": [{"facts": {"employer": "Ελληνική Εταιρεία", "title": "Αναλυτής", "start_date": "2016-05-01", "end_date": "2018-12-31"}, "income": {"earnings": [earnings("2018", "70000.00", "1000.00", "71000.00")]}}],
        "unverified": [{"by": "applicant", "employer": "Said Company", "positions": [{"title": "Chief"}], "pay_rate": {"amount": "999999.00", "currency": "USD"}, "pay_rate_unit": "annually"}],
        "inquiries": [
            {"id": "vr_1", "status": "completed", "employers": ["Fake Company"], "completed_at": "2026-11-21", "price": {"amount": "0.10", "currency": "USD"}},
            {"id": "vr_2", "status": "canceled", "reason": "employer_refused", "employers": ["Other Company"], "price": {"amount": "0.20", "currency": "USD"}}
        ]
    })
}

fn background() -> Value {
    json!({
        "type": "background", "score": 0.94, "score_by_id": 1.0, "score_by_name": 0.5, "homonym_probability": 0.8,
        "datasets": [
            {"name": "criminal_record", "status": "not_found", "score": 1.0, "by_id": {"status": "not_found", "score": 1.0}, "by_name": {"status": "found", "score": 0.5, "severity": "low"}},
            {"name": "personal_identity", "status": "found", "score": 1.0}
        ],
        "sources": {"total": 12, "completed": 10, "failed": 1, "skipped": 1},
        "sources_missed": [{"name": "Policía Nacional", "status": "error", "invalid_inputs": ["date_of_birth"]}],
        "identity": {"status": "found", "gender": "female", "date_of_birth": "1990-05-15"},
        "names_found": [{"first_name": "Ana", "last_name": "Gómez", "company_name": null, "count": 7}],
        "wrong_inputs": ["last_name"]
    })
}

fn identity() -> Value {
    json!({
        "type": "identity", "status": "success", "methods": ["document", "face"],
        "validations": [
            {"type": "document", "status": "success", "score": null, "declined": null},
            {"type": "face", "status": "failure", "score": 0.41, "declined": {"code": "face_mismatch", "message": "The faces differ.", "vendor_code": "V17"}}
        ],
        "document": {"type": "national-id", "country": "CO", "number": "1032456701", "first_name": "Ana", "last_name": "Gómez", "date_of_birth": "1990-05-15", "expires_on": "2031-01-31"},
        "declined": [{"code": "face_mismatch", "message": "The faces differ.", "vendor_code": "V17"}],
        "override": {"status": "success", "instead_of": "failure", "by": "reviewer@example.com"}
    })
}

/// An order about somebody of this first name, with so many rounds of four checks (employment at two vendors, income,
/// background, identity), and as many events.
pub fn report(first_name: &str, rounds: u16, events: u16) -> Report {
    let mut input = crate::examples::order();
    input["subject"]["first_name"] = json!(first_name);
    let input: OrderInput = serde_json::from_value(json!({
        "subject": input["subject"], "position": input["position"], "purpose": "employment", "consent": input["consent"]
    }))
    .expect("an input");
    let id = OrderId::from_uuid(uuid(1));
    let mut order = Order {
        id,
        tenant: TenantId::new("acme"),
        external_id: Some("ATS-4711".to_owned()),
        batch_id: None,
        parent_order_id: None,
        input: Sensitive::new(input),
        metadata: BTreeMap::from([("requisition".to_owned(), "R-12".to_owned())]),
        checks: Vec::new(),
        version: 4,
        created_at: at("2026-11-21T09:00:00Z"),
        updated_at: at("2026-11-21T10:31:07Z"),
        completed_at: Some(at("2026-11-21T10:31:07Z")),
    };
    let employer = json!({"type": "employment_verification", "employer": {"name": "Żółty Łoś Sp. z o.o."}, "title": "Инженер", "start_date": "2020-01-15", "end_date": "2023-06-30"});
    let round = [
        (employer, vec![("acme", Some("search"), Some(no_record())), ("zenith", None, Some(employment()))]),
        (
            json!({"type": "income_verification", "employer": {"name": "Fake Company"}}),
            vec![("acme", None, Some(income()))],
        ),
        (
            json!({"type": "background_check", "country": "BR", "region": "SP"}),
            vec![("orbit", None, Some(background()))],
        ),
        (json!({"type": "identity_verification", "country": "CO"}), vec![("orbit", None, Some(identity()))]),
    ];
    let round: Vec<_> = (0..rounds).flat_map(|_| round.clone()).collect();
    for (position, (spec, tries)) in round.iter().enumerate() {
        order.checks.push(check(id, u16::try_from(position).expect("few"), spec, tries));
    }
    for (position, (_, tries)) in round.iter().enumerate() {
        let check = order.checks[position].id;
        play(&mut order, check, tries);
    }
    let checks: Vec<_> = order.checks.iter().map(|check| check.id).collect();
    let event = |number: u16| StoredEvent {
        id: EventId::from_uuid(uuid(10_000 + u128::from(number))),
        position: None,
        event: Event {
            order_id: id,
            check_id: (number > 0).then(|| checks[usize::from(number) % checks.len()]),
            kind: if number == 0 { EventType::OrderCreated } else { EventType::CheckUpdated },
            version: i64::from(number) + 1,
            at: at("2026-11-21T09:00:00Z") + std::time::Duration::from_secs(number.into()),
            data: json!({"status": "in_progress", "provider": "acme", "number": number})
                .as_object()
                .expect("an object")
                .clone(),
        },
    };
    let document = |number: u128, kind: &str, filename: &str| StoredDocument {
        id: domain::DocumentId::from_uuid(uuid(2_000 + number)),
        check_id: checks[0],
        order_id: id,
        document: DocumentRef {
            locator: "nowhere".to_owned(),
            kind: kind.to_owned(),
            media_type: "application/pdf".to_owned(),
            filename: filename.to_owned(),
        },
        seen_at: at("2026-11-21T10:00:00Z"),
    };
    let shown = OrderView::masked(&order);
    Report {
        generated_at: at("2026-11-21T11:00:00Z"),
        ground: GroundView::of(order.input.expose()),
        asked: order.checks.iter().map(AskedView::of).collect(),
        costs: CostsView::of(&shown),
        documents: [document(1, "report", "report.pdf"), document(2, "attachment", "Ana Gómez.pdf")]
            .map(DocumentView::of)
            .into(),
        timeline: (0..events).map(|number| EventView::of(event(number))).collect(),
        findings: None,
        order: shown,
    }
}

pub fn usd(amount: &str) -> Money {
    Money { amount: amount.to_owned(), currency: "USD".to_owned() }
}
