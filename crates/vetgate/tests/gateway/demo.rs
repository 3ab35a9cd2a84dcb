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
        assert_eq!((count("lost"), count("duplicated"), count("cases")), (0, 0, 3), "{vendor}");
        assert_eq!(
            (count("checks_sent"), count("vendor_objects")),
            (count("completed"), count("completed")),
            "{vendor}"
        );
        assert!(count("completed") >= 5, "{vendor}");
    }
}
