//! The examples of the contract. All people, companies and numbers in them are made up.

use serde_json::{Value, json};

use crate::problem::Kind;

pub const ORDER_ID: &str = "ord_01jd5z0x9gf0r8w1v4m2h7k3ta";
pub const CHECK_ID: &str = "chk_01jd5z0x9gf0r8w1v4m2h7k3tb";
pub const BATCH_ID: &str = "bat_01jd5z0x9gf0r8w1v4m2h7k3th";
pub const MONITOR_ID: &str = "mon_01jd5z0x9gf0r8w1v4m2h7k3tj";
pub const CASE_ID: &str = "rec_01jd5z0x9gf0r8w1v4m2h7k3tc";

/// A new order.
pub fn order() -> Value {
    json!({
        "external_id": "ATS-4711",
        "subject": {
            "type": "person",
            "first_name": "John", "middle_name": null, "last_name": "Smith",
            "aliases": [{"first_name": "Johnny", "last_name": "Smith"}],
            "date_of_birth": "1990-05-15", "gender": "male",
            "email": "john.smith@example.com", "phone": "+15551234567",
            "identifiers": [{"type": "ssn", "country": "US", "value": "123-45-6789"}],
            "addresses": [{
                "type": "home", "line1": "456 Oak Avenue", "line2": null, "city": "Los Angeles", "region": "CA",
                "postal_code": "90210", "country": "US", "from": "2021-01-01", "to": null
            }]
        },
        "position": {
            "title": "Senior Software Engineer", "company": "Example Inc.", "city": "San Francisco", "region": "CA",
            "country": "US", "salary": {"amount": "100000.00", "currency": "USD"}, "level": "standard",
            "industry": "TECHNOLOGY", "security_clearance_required": false
        },
        "purpose": "employment",
        "consent": {
            "obtained_at": "2026-11-20T10:00:00Z",
            "document": {"url": "https://example.com/signed-release.pdf"}
        },
        "checks": [{
            "type": "employment_verification", "provider": "theary",
            "employer": {
                "name": "Tech Corp", "location": "San Francisco, CA", "email": "hr@techcorp.example",
                "phone": "+15551234567"
            },
            "title": "Software Engineer", "start_date": "2020-01-15", "end_date": "2023-06-30"
        }],
        "metadata": {"requisition": "R-12"}
    })
}

/// A new order in another country.
pub fn background_order() -> Value {
    json!({
        "subject": {
            "type": "person", "first_name": "Ana", "last_name": "Gómez",
            "identifiers": [{"type": "national_id", "country": "CO", "value": "1020304050"}]
        },
        "consent": {"obtained_at": "2026-11-20T10:00:00Z"},
        "checks": [{"type": "background_check", "country": "CO"}]
    })
}

/// The same order as it is answered.
pub fn order_view() -> Value {
    json!({
        "id": ORDER_ID, "external_id": "ATS-4711", "status": "in_progress", "outcome": null, "incomplete_checks": 0,
        "batch_id": null, "parent_order_id": null,
        "subject": {
            "type": "person", "first_name": "John", "middle_name": null, "last_name": "Smith",
            "aliases": [{"first_name": "Johnny", "middle_name": null, "last_name": "Smith", "suffix": null}],
            "date_of_birth": "1990-**-**", "gender": "male", "email": "j***@example.com", "phone": "+*******4567",
            "nationality": null,
            "identifiers": [{"type": "ssn", "country": "US", "value": "***-**-6789", "issued_on": null}],
            "addresses": [{
                "type": "home", "line1": "***", "line2": null, "city": "Los Angeles", "region": "CA",
                "postal_code": "***", "country": "US", "from": "2021-01-01", "to": null
            }]
        },
        "purpose": "employment",
        "checks": [check_view()],
        "metadata": {"requisition": "R-12"},
        "version": 4, "created_at": "2026-11-21T09:00:00Z", "updated_at": "2026-11-21T09:00:04Z", "completed_at": null
    })
}

pub fn check_view() -> Value {
    json!({
        "id": CHECK_ID, "order_id": ORDER_ID, "type": "employment_verification", "provider": "theary",
        "account": "default", "product": null, "status": "in_progress", "status_reason": null,
        "vendor": {"order_id": "ord_123", "check_id": "search_456", "status": "IN_PROGRESS"},
        "action": null, "outcome": null, "result": null, "price": null, "revision": 0, "estimated_completion_at": null,
        "reverifies": null, "reverification": null,
        "attempts": [], "next_providers": [], "cancel_requested_at": null, "created_at": "2026-11-21T09:00:00Z", "submitted_at": "2026-11-21T09:00:02Z",
        "completed_at": null
    })
}

/// What of an order is to be verified again.
pub fn reverification() -> Value {
    json!({
        "checks": [CHECK_ID], "if_unavailable": "refuse",
        "consent": {"obtained_at": "2027-01-15T08:30:00Z", "document": {"url": "https://example.com/signed-again.pdf"}}
    })
}

/// An order that verifies another's result again.
pub fn reverification_view() -> Value {
    let mut order = order_view();
    let id = json!("ord_01jhm2c3xqe7c9w4k1n8t5r6vb");
    order["id"] = id.clone();
    order["parent_order_id"] = json!(ORDER_ID);
    order["status"] = json!("queued");
    order["version"] = json!(1);
    let at = json!("2027-01-15T09:00:00Z");
    (order["created_at"], order["updated_at"]) = (at.clone(), at.clone());
    let check = &mut order["checks"][0];
    check["id"] = json!("chk_01jhm2c3xqe7c9w4k1n8t5r6vc");
    check["order_id"] = id;
    check["provider"] = json!("truework");
    check["status"] = json!("queued");
    (check["vendor"], check["submitted_at"]) = (Value::Null, Value::Null);
    check["created_at"] = at;
    (check["reverifies"], check["reverification"]) = (json!(CHECK_ID), json!("vendor"));
    order
}

/// A check that waits for its applicant.
pub fn waiting_check_view() -> Value {
    let mut check = check_view();
    check["type"] = json!("identity_verification");
    check["provider"] = json!("truora");
    check["status"] = json!("action_required");
    check["vendor"] = json!({"order_id": CHECK_ID, "check_id": null, "status": "no_process"});
    check["action"] = json!({
        "type": "applicant_link", "url": "https://identity.truora.com/?token=eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl",
        "token": "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl", "expires_at": "2026-11-21T11:00:00Z",
        "message": "The applicant must follow the link and show who they are."
    });
    check
}

pub fn order_list() -> Value {
    json!({"data": [order_view()], "next_cursor": null})
}

pub fn search() -> Value {
    json!({
        "status": "in_progress",
        "subject": {"identifier": {"type": "ssn", "country": "US", "value": "123-45-6789"}, "last_name": "Smith"},
        "limit": 20
    })
}

pub fn event() -> Value {
    json!({
        "id": "evt_01jd5z0x9gf0r8w1v4m2h7k3td", "type": "check.submitted", "order_id": ORDER_ID, "check_id": CHECK_ID,
        "version": 3, "at": "2026-11-21T09:00:02Z",
        "data": {"status": "in_progress", "provider": "theary", "type": "employment_verification"}
    })
}

pub fn event_list() -> Value {
    json!({"data": [event()], "next_cursor": null})
}

pub fn report() -> Value {
    json!({
        "generated_at": "2026-11-21T09:10:00Z", "order": order_view(),
        "ground": {
            "purpose": "employment",
            "consent": {
                "obtained_at": "2026-11-20T10:00:00Z", "text_version": null, "expires_at": null, "document": "link"
            },
            "position": {
                "title": "Senior Software Engineer", "company": "Example Inc.", "city": "San Francisco", "region": "CA",
                "country": "US"
            }
        },
        "asked": [{
            "check_id": CHECK_ID, "type": "employment_verification",
            "facts": {
                "employer": "Tech Corp", "title": "Software Engineer", "start_date": "2020-01-15", "end_date": "2023-06-30"
            },
            "country": null, "region": null
        }],
        "costs": {
            "attempts": [{
                "check_id": CHECK_ID, "type": "employment_verification", "attempt": 1, "provider": "theary",
                "product": null, "status": "in_progress", "price": null, "submitted_at": "2026-11-21T09:00:02Z",
                "ended_at": null, "took_seconds": null
            }],
            "totals": [], "unpriced": 1
        },
        "documents": [],
        "timeline": [event()]
    })
}

pub fn report_with_findings() -> Value {
    let mut report = report();
    report["findings"] = json!([{
        "check_id": CHECK_ID, "details": [finding()], "details_truncated": false,
        "summary": "The background check is completed.", "variables": null,
        "failed": [{"part": "variables", "code": "not_ready", "detail": "The vendor is not ready: it says in_progress."}]
    }]);
    report
}

pub fn document_list() -> Value {
    let document = |id: &str, kind: &str, filename: &str| {
        json!({
            "id": id, "check_id": CHECK_ID, "kind": kind, "media_type": "application/pdf", "filename": filename,
            "seen_at": "2026-11-21T09:03:00Z"
        })
    };
    json!({
        "data": [
            document("doc_01jd5z0x9gf0r8w1v4m2h7k3tj", "report", "truora-report.pdf"),
            document("doc_01jd5z0x9gf0r8w1v4m2h7k3tk", "attachment", "***.pdf")
        ],
        "unasked": [{
            "check_id": "chk_01jd5z0x9gf0r8w1v4m2h7k3tm", "code": "timed_out",
            "detail": "The vendor could not be asked: no answer: the time-out was over."
        }]
    })
}

fn finding() -> Value {
    json!({
        "id": "DTL1", "source": {"id": "DBI1", "name": "Policía Nacional"}, "dataset": "criminal_record",
        "result": "found", "severity": "high", "score": 0.199, "group": "legal",
        "identity": {"document_type": "national-id", "result": "found", "state": null},
        "found": {
            "first_name": "Ana", "last_name": "Gómez", "company_name": null, "date_of_birth": null, "tax_id": null
        },
        "tables": [{"title": "Procesos", "rows": [{"Estado": "Activo"}]}], "updated_at": "2026-11-21T09:02:00Z"
    })
}

pub fn finding_list() -> Value {
    json!({"data": [finding()], "next_cursor": null})
}

pub fn summary() -> Value {
    json!({"text": "The background check is completed."})
}

pub fn variables() -> Value {
    json!({"status": "completed", "values": {"country": "CO", "person": {"criminal_records": {"count": 0}}}})
}

pub fn pass_request() -> Value {
    json!({"method": "GET", "path": "/v1/config/credentials", "query": {}})
}

pub fn passed_answer() -> Value {
    json!({
        "status": 200, "headers": {"content-type": "application/json"}, "body": {"credentials": []}, "body_base64": null
    })
}

pub fn provider() -> Value {
    json!({
        "id": "theary", "name": "Theary", "enabled": true, "off_reason": null,
        "products": [{
            "check_type": "employment_verification", "countries": [], "required_inputs": ["subject.first_name"]
        }],
        "batch_size": 10, "can_cancel": true, "hook_authentication": "signed_body",
        "accounts": [{
            "id": "default", "paused": null, "circuit": "closed", "circuit_until": null, "rest_until": null,
            "rate": null, "last_error": null,
            "hook_url": "https://vetgate.example.com/vendor-hooks/theary"
        }]
    })
}

pub fn provider_list() -> Value {
    json!({"data": [provider()]})
}

pub fn case() -> Value {
    json!({
        "id": CASE_ID, "state": "needs_review", "provider": "theary", "account": "default",
        "submission_id": "sub_01jd5z0x9gf0r8w1v4m2h7k3te",
        "reason": {"code": "timed_out", "message": "no answer: the time-out was over"},
        "sent_at": "2026-11-21T09:00:00Z", "settle_until": "2026-11-21T09:15:00Z", "deadline": "2026-11-21T10:00:00Z",
        "next_scan_at": null, "opened_at": "2026-11-21T09:00:30Z", "resolved_at": null,
        "items": [{
            "check_id": CHECK_ID, "order_id": ORDER_ID, "reference": CHECK_ID, "state": "unknown", "bound": null,
            "duplicates": [], "review": {"code": "look_alike", "message": "An order without a reference looks the same."},
            "resent_at": null
        }]
    })
}

pub fn case_list() -> Value {
    json!({"data": [case()], "next_cursor": null})
}

pub fn case_detail() -> Value {
    let mut detail = case();
    let more = json!({
        "submission": {
            "state": "unknown", "started_at": "2026-11-21T09:00:00Z", "ended_at": "2026-11-21T09:00:30Z",
            "http_status": null
        },
        "scans": [{
            "id": "scn_01jd5z0x9gf0r8w1v4m2h7k3tf", "started_at": "2026-11-21T09:16:00Z",
            "ended_at": "2026-11-21T09:16:03Z", "complete": true, "incomplete_because": null, "stopped_early": false,
            "pages": 3, "read": 2, "objects": 250, "cost": {"calls": 5, "least": 5}, "found": [],
            "look_alikes": [{
                "reference": CHECK_ID, "vendor_order_id": "ord_789", "created_at": "2026-11-21T09:00:05Z",
                "agrees_in": ["last_name", "employer"]
            }]
        }],
        "decisions": []
    });
    if let (Value::Object(detail), Value::Object(more)) = (&mut detail, more) {
        detail.extend(more);
    }
    detail
}

pub fn resolution() -> Value {
    json!({
        "items": [{"check_id": CHECK_ID, "decision": "bind", "vendor_order_id": "ord_789"}],
        "cancel_vendor_orders": [], "note": "Confirmed with the vendor's support."
    })
}

pub fn audit_list() -> Value {
    json!({
        "data": [{
            "id": "aud_01jd5z0x9gf0r8w1v4m2h7k3tg", "at": "2026-11-21T09:20:00Z", "tenant": "acme",
            "actor": "ops@example.com", "action": "order.revealed", "target": ORDER_ID,
            "data": {"fields": ["identifiers"]}, "position": 17,
            "hash": "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
        }],
        "next_cursor": null
    })
}

/// A new batch.
pub fn batch() -> Value {
    let order = |external_id, first_name, employer| {
        json!({
            "external_id": external_id,
            "subject": {"first_name": first_name, "last_name": "Smith", "date_of_birth": "1990-05-15"},
            "checks": [{"employer": {"name": employer}}]
        })
    };
    json!({
        "external_id": "hires-2026-11",
        "defaults": {
            "subject": {"type": "person"},
            "consent": {"obtained_at": "2026-11-20T10:00:00Z", "document": {"url": "https://example.com/signed-release.pdf"}},
            "checks": [{"type": "employment_verification"}]
        },
        "orders": [order("ATS-4711", "John", "Tech Corp"), order("ATS-4712", "Jane", "Example Inc.")],
        "on_invalid": "reject"
    })
}

/// The same as NDJSON.
pub fn batch_ndjson() -> String {
    let mut batch = batch();
    let orders = batch["orders"].take();
    let mut lines = vec![json!({"external_id": batch["external_id"], "defaults": batch["defaults"]})];
    lines.extend(orders.as_array().cloned().unwrap_or_default());
    lines.iter().fold(String::new(), |text, line| text + &line.to_string() + "\n")
}

/// A batch as CSV.
pub fn batch_csv() -> String {
    "external_id,subject.type,subject.first_name,subject.last_name,consent.obtained_at,consent.document.url,checks.0.type,checks.0.employer.name\r\n\
     ATS-4711,person,John,Smith,2026-11-20T10:00:00Z,https://example.com/signed-release.pdf,employment_verification,Tech Corp\r\n"
        .to_owned()
}

pub fn batch_template() -> String {
    let columns = crate::batches::columns::columns_of(domain::CheckType::BackgroundCheck);
    let headings: Vec<_> = columns.iter().map(|column| column.heading).collect();
    format!("{}\r\n", headings.join(","))
}

/// A batch as it is answered.
pub fn batch_view() -> Value {
    json!({
        "id": BATCH_ID, "external_id": "hires-2026-11", "status": "in_progress", "orders": 2, "checks": 2,
        "counts": {
            "queued": 0, "submitting": 0, "unconfirmed": 0, "in_progress": 1, "action_required": 0, "needs_review": 0,
            "completed": 1, "canceled": 0, "failed": 0
        },
        "progress": 0.5, "rejected_count": 1, "cancel_requested_at": null, "created_at": "2026-11-21T09:00:00Z",
        "completed_at": null
    })
}

pub fn batch_list() -> Value {
    json!({"data": [batch_view()], "next_cursor": null})
}

pub fn batch_detail() -> Value {
    let mut batch = batch_view();
    batch["rejected_rows"] = json!([{
        "row": 4,
        "errors": [{
            "pointer": "/subject/first_name", "column": "subject.first_name", "code": "required",
            "detail": "This field is required."
        }]
    }]);
    batch["files"] = json!([{
        "provider": "truora", "account": "default", "vendor_batch_id": "BCH0123456789abcdef0123456789abcdef", "rows": 2,
        "stage": "read", "created_at": "2026-11-21T09:00:01Z", "stopped_at": null,
        "completed_at": "2026-11-21T09:20:00Z"
    }]);
    batch
}

pub fn batch_report_line() -> Value {
    json!({
        "order_id": ORDER_ID, "order_external_id": "ATS-4711", "order_status": "in_progress", "order_outcome": null,
        "first_name": "John", "last_name": "Smith", "check_id": CHECK_ID, "check_type": "employment_verification",
        "provider": "theary", "check_status": "in_progress", "check_outcome": null, "verdict": null,
        "status_reason": null, "vendor_order_id": "ord_123", "submitted_at": "2026-11-21T09:00:02Z",
        "completed_at": null
    })
}

pub fn batch_report_csv() -> String {
    let (line, columns) = (batch_report_line(), crate::batches::lines::COLUMNS);
    let cells: Vec<_> = columns.iter().map(|column| line[*column].as_str().unwrap_or_default()).collect();
    format!("{}\r\n{}\r\n", columns.join(","), cells.join(","))
}

pub fn orphan_list() -> Value {
    json!({
        "data": [{
            "account": "theary/default", "provider": "theary", "vendor_order_id": "ord_790", "kind": "duplicate",
            "check_id": CHECK_ID, "case_id": CASE_ID, "created_at": "2026-11-21T09:00:07Z",
            "seen_at": "2026-11-21T09:16:03Z", "canceled": "wanted"
        }],
        "next_cursor": null
    })
}

/// A new monitor.
pub fn monitor() -> Value {
    json!({"order": background_order(), "frequency": "monthly", "end_date": "2027-11-30"})
}

pub fn monitor_of_order() -> Value {
    json!({"from_order_id": ORDER_ID, "frequency": "P6M", "end_date": "2028-11-30"})
}

pub fn monitor_view() -> Value {
    json!({
        "id": MONITOR_ID, "order_id": ORDER_ID, "status": "enabled", "status_reason": null, "frequency": "P1M",
        "end_date": "2027-11-30", "method": "vendor",
        "vendor": {"provider": "truora", "account": "default", "monitor_id": "CCK0123456789abcdef0123456789abcdef"},
        "runs": 1, "next_run_at": "2027-01-21T00:00:00Z", "created_at": "2026-11-21T09:00:00Z",
        "updated_at": "2026-12-21T00:05:00Z"
    })
}

pub fn monitor_list() -> Value {
    json!({"data": [monitor_view()], "next_cursor": null})
}

pub fn monitor_runs() -> Value {
    let run = |number, order_id, due_at, ended_at, changed: Option<bool>| {
        json!({
            "number": number, "state": "ended", "order_id": order_id, "due_at": due_at, "ended_at": ended_at,
            "changed": changed
        })
    };
    json!({
        "data": [
            run(1, "ord_01jd5z0x9gf0r8w1v4m2h7k3tk", "2026-12-21T00:00:00Z", "2026-12-21T00:05:10Z", Some(true)),
            run(0, ORDER_ID, "2026-11-21T09:00:00Z", "2026-11-21T09:03:00Z", None)
        ],
        "next_cursor": null
    })
}

pub fn source_list() -> Value {
    json!({
        "data": [{
            "id": "DBI0f3a", "name": "Registro Nacional", "datasets": ["personal_identity"],
            "hourly_status": [
                {"at": "2026-11-21T08:00:00Z", "status": "operational"},
                {"at": "2026-11-21T09:00:00Z", "status": "degraded_performance"}
            ]
        }]
    })
}

pub fn custom_type() -> Value {
    json!({
        "country": "CO", "name": "drivers",
        "weights": {"criminal_record": 0.5, "traffic_fines": 0.3, "driving_licenses": 0.2, "alert_in_media": 0.0}
    })
}

pub fn custom_type_weights() -> Value {
    json!({"weights": custom_type()["weights"]})
}

pub fn custom_type_list() -> Value {
    json!({"data": [custom_type()]})
}

pub fn provider_settings() -> Value {
    json!({
        "set_here": {"names_matching": "exact", "max_duration": "48h"},
        "changed_at": "2026-11-21T09:00:00Z", "changed_by": "jane"
    })
}

pub fn credentials() -> Value {
    json!({"credentials": {"username": "example", "password": "an example, not a password"}})
}

pub fn database() -> Value {
    json!({"database_id": "DBI0f3a"})
}

pub fn credentials_list() -> Value {
    json!({"data": [database()]})
}

/// A problem of this kind.
pub fn problem(kind: Kind) -> Value {
    let mut problem = json!({
        "type": kind.type_uri(), "title": kind.title(), "status": kind.status().as_u16(), "detail": kind.advice(),
        "instance": "/v1/orders", "request_id": "req_8b1a9953c4611296a827abf8c47804d7"
    });
    if kind == Kind::Invalid {
        problem["errors"] = json!([{
            "pointer": "/subject/last_name", "code": "required", "detail": "This field is required."
        }]);
    }
    problem
}
