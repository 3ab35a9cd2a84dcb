use domain::{CaseId, InboxId};
use serde_json::json;
use sqlx::Row as _;
use store::{Decision, Finished, NewSubmission, Plan, Scope, StoredAnswer, SubmissionPart, SubmissionState};
use store::{KeyHash, RequestHash};

use crate::support::{Bench, SECRETS, Standstill, account, at, bind, complete};

/// Writes something of everything, then reads every column of every table as bytes.
#[tokio::test]
async fn nothing_personal_lies_in_the_clear() {
    let bench = Bench::new().await;
    let order = bench.order(at(0));
    bench.insert(&order).await;
    let said = SECRETS.join(" ");
    let check = order.checks[0].id;
    let submission = bench.submission_id();

    let mut tx = bench.store.begin().await.unwrap();
    let mut order = tx.orders().lock(order.id).await.unwrap().unwrap();
    let part = SubmissionPart { check_id: check, order_id: order.id, reference: order.checks[0].reference() };
    let new = NewSubmission {
        id: submission,
        tenant: order.tenant.clone(),
        account: account(),
        started_at: at(1),
        lease_until: at(2),
        items: vec![part],
    };
    tx.submissions().insert(&new).await.unwrap();
    let answer = Some(said.as_bytes());
    let finished = Finished { state: SubmissionState::Accepted, ended_at: at(2), http_status: Some(200), answer };
    assert!(tx.submissions().finish(submission, &finished).await.unwrap());
    let mut events = bind(&mut order, submission, "v1", at(2));
    events.extend(complete(&mut order, "v1", at(3)));
    tx.orders().save(&order, &[Plan { check_id: check, work: None }], &events).await.unwrap();
    tx.payloads().put(check, order.id, said.as_bytes(), at(3)).await.unwrap();
    let document = provider::DocumentRef {
        locator: said.clone(),
        kind: "report".into(),
        media_type: "application/pdf".into(),
        filename: said.clone(),
    };
    tx.documents().put(check, order.id, &[document], at(3)).await.unwrap();
    let mut case = crate::cases::case(&bench, &order);
    case.why.message.clone_from(&said);
    case.items[0].review = Some(domain::Reason::new("look_alike", said.clone()));
    tx.cases().insert(&case).await.unwrap();
    let decision =
        Decision { at: at(4), actor: "ops".into(), what: "bind".into(), note: Some(said.clone()), data: json!([said]) };
    tx.cases().log(case.id, &decision).await.unwrap();
    let answer =
        StoredAnswer { status: 201, headers: vec![("x".into(), said.clone())], body: said.clone().into_bytes().into() };
    tx.idempotency().keep(&KeyHash([1; 32]), &RequestHash([2; 32]), &answer, at(4)).await.unwrap();
    tx.inbox().first_sight(&account(), &said, at(4)).await.unwrap();
    tx.save().await.unwrap();
    let hook = InboxId::generate(&Standstill(at(5)), &*bench.entropy);
    let headers = [("authorization".to_owned(), said.clone())];
    bench.store.receive(hook, &account(), &headers, said.as_bytes(), at(5)).await.unwrap();
    bench.store.assign_positions().await.unwrap();

    let (dump, tables) = dump(&bench).await;
    let lower = dump.to_lowercase();
    for secret in SECRETS {
        assert!(!lower.contains(&secret.to_lowercase()), "{secret} lies in the clear");
    }
    // The dump is one: what may be seen is in it.
    for plain in ["ATS-1", "R-12", "theary/default", "order.created", "v1"] {
        assert!(dump.contains(plain), "{plain} is missing in the dump");
    }
    assert!(tables > 20);
    // And what was written can be read.
    let mut tx = bench.store.begin().await.unwrap();
    let id: CaseId = case.id;
    assert_eq!(tx.cases().decisions(id).await.unwrap()[0].note, Some(said.clone()));
    assert_eq!(tx.cases().get(&Scope::All, id).await.unwrap().unwrap().why.message, said);
}

/// Every value of every table, bytes as the characters that they are.
async fn dump(bench: &Bench) -> (String, usize) {
    let mut raw = bench.raw().await;
    let sql = "SELECT table_name::text, string_agg(
                   CASE data_type WHEN 'bytea' THEN format('encode(%I, ''escape'')', column_name)
                                  ELSE format('%I::text', column_name) END, ', ')
               FROM information_schema.columns WHERE table_schema = 'public' GROUP BY table_name";
    let tables: Vec<(String, String)> = sqlx::query_as(sql).fetch_all(&mut raw).await.unwrap();
    let count = tables.len();
    let mut dump = String::new();
    for (table, columns) in tables {
        let sql = format!("SELECT concat_ws(E'\\n', {columns}) FROM {table}");
        for row in sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut raw).await.unwrap() {
            dump.push_str(&row.get::<String, _>(0));
            dump.push('\n');
        }
    }
    (dump, count)
}
