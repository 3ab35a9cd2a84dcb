//! Whether every switch of the simulator is turned, one by one and with others; and the rules under each alone.

use std::collections::BTreeSet;
use std::path::Path;

use provider::conformance::rules;
use sandbox::truework::Config;
use serde_json::{Value, json};
use truework::Version;

use super::{awkward, bare, forgetful, make};
use crate::bench::simulator;

/// Switches under which a rule cannot hold as it is written, each with the file that has its test: time stands still here, so
/// that nothing that lags shows and no limit ends; how hooks fare; and what no rule asks for.
const ELSEWHERE: &[(&str, &[&str])] = &[
    ("at_the_simulator.rs", &["list_lag_ms", "rate_limit", "retry_after", "hooks"]),
    ("features/timeline.rs", &["events_newest_first", "event_sentences"]),
];

fn names(switches: &Value) -> Vec<String> {
    switches.as_object().expect("switches").keys().cloned().collect()
}

async fn defaults() -> Value {
    simulator(Config::default()).await.control().behavior()
}

#[tokio::test]
async fn every_switch_is_turned_here_or_tested_elsewhere() {
    let elsewhere = ELSEWHERE.iter().flat_map(|(_, names)| names.iter().map(|name| (*name).to_owned()));
    let turned = [bare(), awkward(), forgetful()].into_iter().flat_map(|switches| names(&switches));
    assert_eq!(turned.chain(elsewhere).collect::<BTreeSet<_>>(), names(&defaults().await).into_iter().collect());
    for (file, switches) in ELSEWHERE {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(file);
        let text = std::fs::read_to_string(path).expect("the file is there");
        for switch in *switches {
            assert!(text.contains(&format!("\"{switch}\"")), "{file} does not turn {switch}");
        }
    }
}

/// Each switch of the suites alone, where the others there could hide what it does. In the older versions the suites are
/// enough: what they turn is read by the same code.
#[tokio::test]
async fn the_rules_hold_under_each() {
    let defaults = defaults().await;
    for (name, value) in [bare(), awkward(), forgetful()].iter().flat_map(|suite| suite.as_object().expect("switches"))
    {
        assert_ne!(&defaults[name], value, "{name} is not turned");
        let switches = json!({ name: value });
        // Shown where a rule fails.
        println!("under {switches}");
        let make = async || make(Version::V2023_10_30, switches.clone()).await;
        rules::create::every_sample_comes_to_its_end(make).await;
        rules::locate::ours_are_found_among_strangers(make).await;
        rules::locate::every_copy_is_found(make).await;
        rules::sweep::a_sweep_tells_ours_from_the_rest(make).await;
        rules::fetch::an_unknown_object_is_missing(make).await;
        rules::cancel::a_cancel_does_what_the_descriptor_says(make).await;
    }
}
