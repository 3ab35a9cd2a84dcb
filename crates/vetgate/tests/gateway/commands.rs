//! The commands that print something, as they are called from a shell.

use std::process::{Command, Output};

use crate::support::{VENDORS, VETGATE, World};
use serde_json::Value;

fn vetgate(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(VETGATE);
    command
        .args(arguments)
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.envs(variables.iter().copied()).output().expect("it runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const SECRET: (&str, &str) =
    ("VETGATE_AUTH__HS256_SECRET", "3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b");

#[test]
fn a_token_says_what_it_was_asked_to() {
    use base64::Engine as _;

    let arguments =
        ["token", "--tenant", "acme", "--scopes", "orders:read,audit:read", "--ttl", "10m", "--subject", "me"];
    let output = vetgate(&arguments, &[SECRET, ("VETGATE_AUTH__AUDIENCE", "vetgate")]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let token = text(&output.stdout);
    let body = token.trim().split('.').nth(1).expect("three parts");
    let body = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(body).expect("base64");
    let claims: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(
        [&claims["sub"], &claims["tenant"], &claims["scope"], &claims["aud"]],
        ["me", "acme", "orders:read audit:read", "vetgate"]
    );
    assert_eq!(claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(end, start)| end - start), Some(600));
}

#[test]
fn a_token_needs_a_secret_and_known_scopes() {
    let output = vetgate(&["token"], &[]);
    assert!(!output.status.success() && text(&output.stderr).contains("auth.hs256_secret"), "{}", text(&output.stderr));
    let output = vetgate(&["token", "--scopes", "order:read"], &[SECRET]);
    assert!(
        !output.status.success() && text(&output.stderr).contains("Did you mean orders:read?"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn the_committed_contract_is_what_is_served() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi/vetgate.json");
    let output = vetgate(&["openapi", "--check", path], &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn a_contract_that_differs_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("openapi.json").display().to_string();
    assert!(vetgate(&["openapi", "--write", &path], &[]).status.success());
    assert!(vetgate(&["openapi", "--check", &path], &[]).status.success());
    let other = std::fs::read_to_string(&path).expect("written").replacen("vetgate", "gatevet", 1);
    std::fs::write(&path, other).expect("written");
    let output = vetgate(&["openapi", "--check", &path], &[]);
    assert!(!output.status.success() && text(&output.stderr).contains("differs"), "{}", text(&output.stderr));
}

#[test]
fn serving_without_settings_says_all_that_is_missing() {
    let output = vetgate(&["serve"], &[]);
    let told = text(&output.stderr);
    assert!(!output.status.success());
    for what in ["for 3 reasons", "DATABASE_URL", "VETGATE_AUTH__HS256_SECRET", "VETGATE_ENCRYPTION__KEYS"] {
        assert!(told.contains(what), "{what} is missing in: {told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_doctor_finds_what_is_wrong() {
    let mut world = World::new().await;
    let ask = |world: &World| {
        let variables: Vec<_> = world.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let output = vetgate(&["doctor", "--json"], &variables);
        let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        (output.status.success(), document)
    };
    let (is_well, document) = ask(&world);
    assert!(is_well && document["ok"] == true, "{document:#}");
    world.variables.insert("VETGATE_TRUEWORK__API_KEY".into(), "tw_sk_test_wrong".into());
    world.variables.insert("VETGATE_THEARY__BASE_URL".into(), "http://127.0.0.1:1".into());
    world.variables.remove("VETGATE_TRUORA__API_KEY");
    world.variables.remove("VETGATE_ENCRYPTION__KEYS");
    let (is_well, document) = ask(&world);
    assert!(!is_well && document["ok"] == false);
    let findings = document["findings"].as_array().expect("findings");
    let state =
        |about: &str| findings.iter().find(|finding| finding["about"] == about).map(|finding| &finding["state"]);
    let states = ["settings", "database", "clock", "truework/default", "theary/default", "truora"].map(state);
    assert_eq!(
        states.map(|state| state.and_then(Value::as_str)),
        [Some("wrong"), Some("ok"), Some("ok"), Some("wrong"), Some("wrong"), Some("note")]
    );
}

#[tokio::test]
async fn a_gateway_ends_in_good_order_when_it_is_told_to() {
    let world = World::new().await;
    let mut gateway = world.start(&["serve"]).await;
    let id = world.post(&world.new_order(&VENDORS), "first").await;
    let pid = nix::unistd::Pid::from_raw(i32::try_from(gateway.id()).expect("a process id"));
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("signalled");
    assert!(gateway.ended().await.success(), "{}", gateway.log());
    assert!(gateway.log().contains("\"stopped\""), "{}", gateway.log());
    let _gateway = world.start(&["serve"]).await;
    world.assert_settled(&[id]).await;
}

#[tokio::test]
async fn a_vendor_is_paused_for_as_long_as_the_settings_say() {
    const PAUSED: &str = "SELECT count(*) FROM vendor_accounts WHERE provider = 'theary' AND paused_by = 'settings'";
    let mut world = World::new().await;
    world.variables.insert("VETGATE_THEARY__PAUSED".into(), "true".into());
    let gateway = world.start(&["serve"]).await;
    let id = world.post(&world.new_order(&VENDORS), "first").await;
    assert_eq!(world.count(PAUSED).await, 1);
    gateway.kill();
    assert!(world.books("theary").objects.is_empty(), "nothing was sent");
    world.variables.remove("VETGATE_THEARY__PAUSED");
    let _gateway = world.start(&["serve"]).await;
    assert_eq!(world.count(PAUSED).await, 0);
    world.assert_settled(&[id]).await;
}

#[tokio::test]
async fn a_worker_does_the_work_of_an_api_alone() {
    let mut world = World::new().await;
    let unmigrated = std::process::Command::new(VETGATE).arg("worker").env_clear().envs(&world.variables).output();
    let unmigrated = unmigrated.expect("it runs");
    assert!(!unmigrated.status.success() && text(&unmigrated.stderr).contains("vetgate migrate"));
    let _api = world.start(&["serve", "--no-workers"]).await;
    world.variables.insert("VETGATE_METRICS_LISTEN".into(), "127.0.0.1:0".into());
    let mut worker = world.spawn(&["worker"]);
    let id = world.post(&world.new_order(&VENDORS), "first").await;
    world.assert_settled(&[id]).await;
    let pid = nix::unistd::Pid::from_raw(i32::try_from(worker.id()).expect("a process id"));
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).expect("signalled");
    assert!(worker.ended().await.success(), "{}", worker.log());
}

/// The writing end of a pipe that nobody reads any more.
fn closed_pipe() -> std::io::PipeWriter {
    std::io::pipe().expect("a pipe").1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_seen_enough_is_no_failure() {
    let world = World::new().await;
    let command = |arguments: &[&str]| {
        let mut command = tokio::process::Command::new(VETGATE);
        command.args(arguments).current_dir(world.folder()).env_clear().envs(&world.variables).kill_on_drop(true);
        command.stdout(closed_pipe()).stderr(closed_pipe());
        command
    };
    let mut gateway = command(&["serve"]).env("RUST_LOG", "debug").spawn().expect("it runs");
    let order = world.post(&world.new_order(&VENDORS), "first").await;
    world.assert_settled(std::slice::from_ref(&order)).await;
    assert_eq!(gateway.try_wait().expect("a child"), None, "it goes on without a log");
    // How it ends is told by what it did, not by who read it.
    let calls: [(i32, &[&str]); 12] = [
        (0, &["orders", "list"]),
        (0, &["orders", "list", "--json"]),
        (0, &["orders", "show", &order]),
        (0, &["cases", "list"]),
        (0, &["batches", "list"]),
        (0, &["batches", "template", "background_check"]),
        (0, &["migrate"]),
        (0, &["doctor"]),
        (0, &["token"]),
        (0, &["openapi"]),
        (1, &["orders", "show", "ord_1", "--json"]),
        (1, &["orders", "list", "--url", "http://127.0.0.1:1"]),
    ];
    for (code, arguments) in calls {
        let ended = command(arguments).status().await.expect("it runs");
        assert_eq!(ended.code(), Some(code), "{arguments:?}");
    }
}
