//! The demo, as it is called from a shell.

use std::process::Command;

use crate::support::{VENDORS, VETGATE};
use serde_json::Value;

#[test]
fn the_demo_adds_up() {
    let output = Command::new(VETGATE).args(["demo", "--json"]).env_remove("DATABASE_URL").output().expect("it runs");
    let told = String::from_utf8_lossy(&output.stderr);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no JSON: {told}"));
    assert!(output.status.success(), "{document:#}\n{told}");
    for vendor in VENDORS {
        let tally = &document["vendors"][vendor];
        let count = |key: &str| tally[key].as_u64().unwrap_or_else(|| panic!("{vendor} has no {key}"));
        // Theary loses the answer to a batch call as well.
        let cases = if vendor == "theary" { 4 } else { 3 };
        assert_eq!((count("lost"), count("duplicated"), count("cases")), (0, 0, cases), "{vendor}");
        assert_eq!(
            (count("checks_sent"), count("vendor_objects")),
            (count("completed"), count("completed")),
            "{vendor}"
        );
        assert!(count("completed") >= 9, "{vendor}");
    }
    let batches = document["batches"].as_array().expect("batches");
    assert_eq!(batches.iter().map(|batch| &batch["status"]).collect::<Vec<_>>(), ["completed"; 2]);
    let failed_call = &document["failed_batch_call"];
    let orders = failed_call["orders"].as_array().expect("the orders of the call that failed");
    assert_eq!(orders.len(), 8);
    assert_eq!(orders.iter().filter(|order| order["resent"] == true).count(), 1);
    assert!(orders.iter().any(|order| order["made_after_ms"].as_i64().is_some_and(|after| after > 1_000)));
    assert_eq!(failed_call["cost"]["calls"], failed_call["cost"]["least"], "no call that was not needed");
}
