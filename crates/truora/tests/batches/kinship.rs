//! Which checks share a file.

use provider::{Kinship, Provider as _};
use secrecy::SecretString;
use serde_json::{Value, json};
use truora::{Settings, Truora};

use crate::support::{check, colombian, order};

fn adapter(from: usize) -> Truora {
    let settings = Settings { native_batch_min: from, ..Settings::new(SecretString::from("key")) };
    Truora::new(settings).expect("good settings")
}

fn kinship(subject: &Value, fields: &Value, options: &Value) -> Option<Kinship> {
    let mut check = check(fields);
    check.vendor_options = serde_json::from_value(options.clone()).expect("options");
    adapter(0).bulk().expect("it has batches").kinship(&order(subject), &check)
}

fn plain(subject: &Value, country: &str) -> Option<Kinship> {
    kinship(subject, &json!({ "country": country }), &json!({}))
}

#[test]
fn a_setting_says_from_how_many_on() {
    assert_eq!(adapter(0).bulk().expect("batches").used_from(), None);
    assert_eq!(adapter(25).bulk().expect("batches").used_from(), Some(25));
}

#[test]
fn like_checks_share_a_file_and_no_other() {
    let one = plain(&colombian("1032456701"), "CO").expect("it can");
    let other = plain(&colombian("1032456702"), "co").expect("it can");
    assert_eq!(one.file, other.file);
    assert_ne!(one.identity, other.identity);
    assert!(!one.asked_for);
    let custom = json!({ "country": "CO", "custom_type": "driver_screening" });
    let custom = kinship(&colombian("1032456703"), &custom, &json!({})).expect("it can");
    let abroad = json!({ "type": "person", "first_name": "Ana", "last_name": "Muestra" });
    let abroad = plain(&abroad, "ALL").expect("it can");
    assert!(one.file != custom.file && one.file != abroad.file && custom.file != abroad.file);
}

#[test]
fn the_same_subject_is_never_twice_in_a_file() {
    let identity = |number: &str| plain(&colombian(number), "CO").expect("it can").identity;
    assert_eq!(identity("1032456701"), identity("1.032.456-701"));
    assert_eq!(identity("0032456701"), identity("32456701"), "a sheet of numbers would lose the zeros");
    let named = |first: &str, born: &str| {
        let subject = json!({ "type": "person", "first_name": first, "last_name": "Muestra", "date_of_birth": born });
        plain(&subject, "ALL").expect("it can").identity
    };
    assert_eq!(named("Ana  María", "1990-01-01"), named("ana maría", "1990-01-01"));
    assert_ne!(named("Ana", "1990-01-01"), named("Ana", "1990-01-02"));
}

#[test]
fn what_a_file_has_no_column_for_goes_singly() {
    let subject = colombian("1032456701");
    let fields = json!({ "country": "CO" });
    for options in [json!({ "priority": "high" }), json!({ "report_id": "RPT1" }), json!({ "native_batch": false })] {
        assert_eq!(kinship(&subject, &fields, &options), None, "{options}");
    }
    assert_eq!(kinship(&subject, &json!({ "country": "CO", "force_new": true }), &json!({})), None);
    let mut odd = subject.clone();
    odd["first_name"] = json!("Lu\u{1}cía");
    assert_eq!(plain(&odd, "CO"), None, "a workbook cannot hold it");
    let asked = kinship(&subject, &fields, &json!({ "native_batch": true, "imei": "123456789012345" }));
    assert!(asked.is_some_and(|kinship| kinship.asked_for));
}

#[test]
fn the_wish_is_true_or_false() {
    let faults = |wish: Value| {
        let mut check = check(&json!({ "country": "CO" }));
        check.vendor_options.insert("native_batch".to_owned(), wish);
        adapter(0).validate(&order(&colombian("1032456701")), &check)
    };
    assert!(faults(json!(true)).is_empty() && faults(json!(false)).is_empty());
    assert_eq!(faults(json!("yes"))[0].code, "invalid");
}
