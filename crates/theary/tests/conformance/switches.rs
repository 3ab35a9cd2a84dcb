//! The suite under every switch of the simulator: whichever reading of the vendor's documents is the right one, the
//! adapter keeps the rules.
//!
//! Each row turns one fact around and runs the rules that see most of the vendor's answers; one world that turns all of them
//! around at once runs the whole suite. A switch that makes the vendor lie or keeps something back has tests of its own.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::OnceLock;

use provider::VendorHttp;
use provider::conformance::{Bench, rules};
use serde_json::{Value, json};

use crate::bench::{bench_with, simulator};

/// The other reading of each fact that no document settles, and each harmless way in which the vendor can differ.
fn table() -> Vec<Value> {
    vec![
        json!({"post_status_200": true}),
        json!({"lenient_context": true}),
        json!({"strict_history": false}),
        json!({"strict_fields": false}),
        json!({"release_must_exist": false}),
        json!({"search_per_record": true}),
        json!({"search_ids_backwards": true}),
        json!({"bare_ids": true}),
        json!({"bare_search_ids": true}),
        json!({"unordered": true}),
        json!({"list_cap": 7}),
        json!({"no_pagination": true}),
        json!({"deleted_vanish": true}),
        json!({"delete_again_ok": true}),
        json!({"delete_refuses_ended": true}),
        json!({"delete_tells": true}),
        json!({"general_404": true}),
        json!({"searches_wrapped": true}),
        json!({"results_swapped": true}),
        json!({"start_after_ms": 0}),
        json!({"complete_after_ms": 86_400_000}),
        json!({"complete_apart_ms": 60_000}),
        json!({"searches_apart_ms": 60_000}),
        json!({"override_needed": false}),
        json!({"redeliver": true}),
        json!({"all_notifications": true}),
        json!({"action_reason": "SLA_REACHED"}),
        json!({"batch_validates_first": true}),
        json!({"batch_body_bytes": 4_194_304}),
        json!({"batch_cap": 50}),
    ]
}

/// Switches under which a rule cannot hold as it is written, each with the file that has its tests: creates that throw, answers
/// that lie, what shows late, a list that moves, references that are not given back, tokens, what only the hook says, and how
/// hooks fare.
const ELSEWHERE: &[(&str, &[&str])] = &[
    (
        "theary/tests/conformance/batches.rs",
        &[
            "batch_throw_at",
            "batch_throw_status",
            "siblings_after_error_ms",
            "siblings_before_error",
            "batch_miscounts",
            "batch_shuffle",
            "batch_omits",
            "batch_repeats_id",
            "batch_names_older",
            "batch_denies",
            "list_lag_ms",
        ],
    ),
    ("theary/tests/conformance/one_order.rs", &["create_dies_after", "create_leaves_out"]),
    ("engine/tests/engine/thousands.rs", &["batch_throw_every"]),
    (
        "theary/tests/conformance/locating.rs",
        &["searches_lag_ms", "strangers_per_list", "vanish_per_list", "drop_external_ids"],
    ),
    (
        "theary/tests/conformance/tokens.rs",
        &["token_life_s", "token_tenant", "tenantless_status", "token_endpoint_status", "refuse_calls"],
    ),
    ("theary/tests/conformance/orders.rs", &["production"]),
    ("theary/tests/conformance/releases.rs", &["upload_link"]),
    ("theary/tests/conformance/hooks.rs", &["action_keeps_status", "hooks"]),
];

fn http() -> VendorHttp {
    static HTTP: OnceLock<VendorHttp> = OnceLock::new();
    HTTP.get_or_init(VendorHttp::new).clone()
}

#[tokio::test]
async fn every_switch_is_in_the_table_or_tested_elsewhere() {
    let shown = simulator().await.control().behavior();
    let switches: BTreeSet<String> = shown.as_object().expect("switches").keys().cloned().collect();
    let elsewhere = ELSEWHERE.iter().flat_map(|(_, names)| names.iter().map(|name| (*name).to_owned()));
    let rows = table();
    let rows = rows.iter().flat_map(|row| row.as_object().expect("a switch").keys().cloned());
    assert_eq!(rows.chain(elsewhere).collect::<BTreeSet<_>>(), switches);
    for (file, names) in ELSEWHERE {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
        let text = std::fs::read_to_string(path).expect("the file is there");
        for name in *names {
            assert!(text.contains(&format!("\"{name}\"")), "{file} does not turn {name}");
        }
    }
}

#[tokio::test]
async fn the_rules_hold_under_every_switch() {
    for switches in table() {
        let defaults = simulator().await.control().behavior();
        for (name, value) in switches.as_object().expect("a switch") {
            assert_ne!(&defaults[name], value, "{name} is not turned");
        }
        // Shown where a rule fails.
        println!("under {switches}");
        let make = async || bench_with(&switches, &http()).await;
        rules::create::every_sample_comes_to_its_end(make).await;
        rules::create::a_batch_is_accepted_whole(make).await;
        rules::locate::ours_are_found_among_strangers(make).await;
        rules::locate::every_copy_is_found(make).await;
        rules::sweep::a_sweep_tells_ours_from_the_rest(make).await;
        rules::fetch::an_unknown_object_is_missing(make).await;
        rules::cancel::a_cancel_does_what_the_descriptor_says(make).await;
    }
}

/// Everything turned around at once, under the whole suite.
mod turned_around {
    use super::*;

    async fn turned() -> Bench {
        let mut all = json!({});
        for row in table() {
            for (name, value) in row.as_object().expect("a switch") {
                all[name] = value.clone();
            }
        }
        bench_with(&all, &http()).await
    }

    provider::conformance_suite!(turned);
}
