//! A file that goes well, and files that the vendor does not take.

use std::time::Duration;

use domain::Sensitive;
use provider::{BulkProgress, BulkStage, Carries, RowOutcome};
use serde_json::{Value, json};

use super::{File, Site, context, item, words};
use crate::support::colombian;

#[tokio::test]
async fn a_file_becomes_checks_that_carry_its_references() {
    let site = Site::start().await;
    let mut file = File::of_numbers(&["0010324567", "1032456702", "1032456790"]);
    let rows = site.finish(&mut file).await;
    assert_eq!(words(&rows), ["made"; 3]);
    assert_eq!(site.made(&rows), file.references());
    assert_eq!(file.stages, BulkStage::ALL);
    let books = site.books();
    assert_eq!((books.batches.len(), books.batches[0].starts, books.objects.len()), (1, 1, 3));
    assert_eq!(books.calls_of("create"), 0, "no single check was made");
}

#[tokio::test]
async fn every_input_arrives_as_it_is() {
    let site = Site::start().await;
    let mut subject = colombian("0010324567");
    subject["first_name"] = json!("=HYPERLINK(\"http://x\")");
    subject["last_name"] = json!("_x0041_ O'Prueba & <Söhne>");
    let mut file = File::of(vec![item(&subject, &json!({ "country": "CO" }))]);
    let rows = site.finish(&mut file).await;
    let [RowOutcome::Made(made)] = rows.as_slice() else { panic!("{:?}", words(&rows)) };
    let url = site.simulator.base_url().join(&format!("v1/checks/{}", made.vendor.order_id)).expect("a URL");
    let request = provider::VendorRequest::new(http::Method::GET, url)
        .header(http::HeaderName::from_static("truora-api-key"), http::HeaderValue::from_static("sandbox-truora-key"));
    let answer = provider::VendorHttp::new().send(&context(), request).await.expect("an answer");
    let check = &answer.json::<Value>().expect("JSON")["check"];
    for (field, value) in [
        ("national_id", "0010324567"),
        ("first_name", "=HYPERLINK(\"http://x\") Inés"),
        ("last_name", "_x0041_ O'Prueba & <Söhne>"),
        ("phone_number", "+573001234567"),
        ("date_of_birth", "1990-05-15T00:00:00Z"),
        ("issue_date", "2008-06-01T00:00:00Z"),
        ("country", "CO"),
    ] {
        assert_eq!(check[field], value, "{field}");
    }
}

#[tokio::test]
async fn a_thousand_rows_are_one_file() {
    let site = Site::start().await;
    let numbers: Vec<String> = (0..1_000).map(|number| format!("10{number:06}00")).collect();
    let mut file = File::of_numbers(&numbers.iter().map(String::as_str).collect::<Vec<_>>());
    let rows = site.finish(&mut file).await;
    assert!(words(&rows).iter().all(|word| word == "made"));
    assert_eq!(site.made(&rows), file.references());
}

#[tokio::test]
async fn rows_that_are_errors_of_the_report_are_refused_in_our_words() {
    let site = Site::start().await;
    let mut file = File::of_numbers(&["1032456701", "1032456796"]);
    let rows = site.finish(&mut file).await;
    assert_eq!(words(&rows), ["made", "refused vendor_refused"]);
    let RowOutcome::Refused(why) = &rows[1] else { panic!("refused") };
    assert!(!why.message.contains("high priority"), "{}", why.message);
}

#[tokio::test]
async fn an_earlier_check_that_the_vendor_gives_back_is_marked() {
    let site = Site::start().await;
    let mut earlier = File::of_numbers(&["1032456701"]);
    site.finish(&mut earlier).await;
    let mut file = File::of_numbers(&["1032456701", "1032456702"]);
    let rows = site.finish(&mut file).await;
    assert_eq!(words(&rows), ["reused", "made"]);
    assert_eq!(site.made(&rows)[0], earlier.references()[0]);
    let carried: Vec<_> = rows
        .iter()
        .filter_map(|row| if let RowOutcome::Made(made) = row { Some(made.carries) } else { None })
        .collect();
    assert_eq!(
        carried,
        [Carries::Ours(earlier.items[0].reference), Carries::Ours(file.items[1].reference)],
        "and whose it is"
    );
    // Where no reference is shown, its age tells.
    site.behave(&json!({ "batches": { "custom_input": "lost", "report_omits": ["custom_input"] } }));
    let mut late = File::of_numbers(&["1032456701", "1032456703"]);
    site.simulator.control().advance(Duration::from_mins(10));
    let rows = site.finish(&mut late).await;
    assert_eq!(words(&rows), ["reused", "made"]);
}

#[tokio::test]
async fn a_vendor_that_refuses_our_column_is_asked_without_it() {
    let site = Site::with(json!({ "custom_input": "refused" })).await;
    let mut file = File::of_numbers(&["1032456701", "1032456702"]);
    let rows = site.finish(&mut file).await;
    assert_eq!(words(&rows), ["made", "made"], "by their numbers");
    assert_eq!(file.stages[..3], [BulkStage::Create, BulkStage::Create, BulkStage::Upload]);
    assert_eq!(site.books().calls_of("batch_create"), 2);
}

#[tokio::test]
async fn a_file_that_the_vendor_does_not_take_goes_singly() {
    // Not a country of the simulated account's custom types, so that the batch itself is refused.
    let site = Site::start().await;
    site.behave(&json!({ "custom_types": [] }));
    let fields = json!({ "country": "CO", "custom_type": "driver_screening" });
    let mut file = File::of(vec![item(&colombian("1032456701"), &fields)]);
    let rows = site.finish(&mut file).await;
    assert_eq!(words(&rows), ["not begun vendor_refused"]);
    assert!(site.books().batches.is_empty());
}

#[tokio::test]
async fn a_batch_that_ends_in_error_is_left_to_a_person_or_to_a_search() {
    let site = Site::with(json!({ "max_rows": 1 })).await;
    let mut file = File::of_numbers(&["1032456701", "1032456702"]);
    let rows = site.finish(&mut file).await;
    // Nothing shows that rows keep their references, and the report says nothing.
    assert_eq!(words(&rows), ["ambiguous not_in_report"; 2]);
    assert!(site.books().objects.is_empty());
}

#[tokio::test]
async fn a_stopped_batch_ends_with_what_was_made() {
    let site = Site::with(json!({ "rows_per_moment": 1, "moment_ms": 60_000 })).await;
    let mut file = File::of_numbers(&["1032456701", "1032456702", "1032456703"]);
    site.bring_to(&mut file, BulkStage::Run).await;
    site.pass(&mut file, Duration::from_secs(70));
    site.bulk().stop(&context(), &file.state).await.expect("stopped");
    // Once more, when it has ended, is fine.
    site.bulk().stop(&context(), &file.state).await.expect("stopped");
    let rows = site.finish(&mut file).await;
    assert_eq!(words(&rows), ["made", "missing not_in_report", "missing not_in_report"]);
    assert_eq!(site.books().objects.len(), 1);
}

#[tokio::test]
async fn a_memory_that_cannot_be_read_ends_nothing_twice() {
    let site = Site::start().await;
    let mut file = File::of_numbers(&["1032456701"]);
    site.bring_to(&mut file, BulkStage::Run).await;
    file.state.memory = Sensitive::new(json!(5));
    let rows = site.finish(&mut file).await;
    assert_eq!(words(&rows), ["ambiguous batch_unknown"]);
    let mut early = File::of_numbers(&["1032456702"]);
    early.state.stage = BulkStage::Upload;
    assert!(matches!(site.step(&mut early).await, BulkProgress::Next { stage: BulkStage::Create, .. }));
}

#[tokio::test]
async fn a_key_without_permission_waits_for_an_operator() {
    let site = Site::start().await;
    let mut file = File::of_numbers(&["1032456701"]);
    for state in ["expired", "no_permission"] {
        site.behave(&json!({ "key_state": state }));
        let progress = site.step(&mut file).await;
        assert!(matches!(progress, BulkProgress::NotSent { why, .. } if why.code == "credentials_refused"), "{state}");
    }
    site.behave(&json!({ "key_state": "good" }));
    assert_eq!(words(&site.finish(&mut file).await), ["made"]);
}
