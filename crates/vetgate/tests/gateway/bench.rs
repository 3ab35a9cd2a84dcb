//! The measurements, small: that they run and add up. What they come to is not judged here.

use std::process::Command;

use crate::support::VETGATE;
use serde_json::Value;

/// Runs a measurement. Gives its document, and whether it was found good.
fn bench(arguments: &[&str]) -> (Value, bool) {
    let mut command = Command::new(VETGATE);
    let output =
        command.arg("bench").args(arguments).arg("--json").env_remove("DATABASE_URL").output().expect("it runs");
    let told = String::from_utf8_lossy(&output.stderr);
    let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no JSON: {told}"));
    (document, output.status.success())
}

#[test]
fn faults_are_counted_and_promises_examined() {
    let (document, good) = bench(&["faults", "--schedules", "3", "--seed", "5"]);
    assert!(good, "{document:#}");
    assert_eq!((document["schedules"].as_u64(), document["ok"].as_bool()), (Some(3), Some(true)));
    for promise in ["check_ends", "own_object", "object_known", "settle_rule", "events_in_order"] {
        let count = &document["promises"][promise];
        assert!(count["examined"].as_u64() > Some(0) && count["violated"] == 0, "{promise}: {count}");
    }
    assert!(document["injected"].as_object().is_some_and(|faults| !faults.is_empty()));
}

#[test]
fn a_scan_costs_each_page_and_each_order_once() {
    let (document, good) = bench(&["scan", "--unknown", "40", "--listed", "300"]);
    assert!(good, "{document:#}");
    assert_eq!((document["found"].as_u64(), document["least"].as_u64()), (Some(40), Some(303)));
}

#[test]
fn workbooks_are_held_against_the_libraries_own() {
    let (document, good) = bench(&["workbooks", "--rows", "100", "--rounds", "1"]);
    assert_eq!(document["ok"], good, "{document:#}");
    for side in ["write", "read"] {
        let side = &document[side];
        let positive = |number: &Value| number.as_f64().is_some_and(|number| number > 0.0);
        assert!(positive(&side["ratio"]) && positive(&side["ours"]["ms"]) && positive(&side["peers"]["ms"]), "{side}");
        assert!(side["ours"]["peak_kb"].as_u64().is_some_and(|kb| kb < 32 << 10), "{side}");
    }
}

#[test]
fn an_upload_is_held_against_a_copy_of_its_rows() {
    let (document, good) = bench(&["intake", "--rows", "50", "--rounds", "1"]);
    assert_eq!(document["ok"], good, "{document:#}");
    let positive = |key: &str| document[key].as_f64().is_some_and(|number| number > 0.0);
    assert!(
        positive("ratio") && positive("upload_rows_per_second") && positive("copy_rows_per_second"),
        "{document:#}"
    );
    assert!(document["rounds"][0]["copied_bytes"].as_u64() > Some(10_000), "{document:#}");
}
