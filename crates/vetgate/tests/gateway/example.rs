//! `vetgate.example.toml` shows every key there is, with its default.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use provider::Timing;
use vetgate::settings::Settings;
use vetgate::wiring;

const NAME: &str = "vetgate.example.toml";

fn example() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(NAME);
    std::fs::read_to_string(path).expect("the example is there")
}

/// With every key that is commented out set to what is shown.
fn uncommented() -> String {
    let on = |line: &str| match line.strip_prefix('#') {
        Some(key) if !key.is_empty() && !key.starts_with(' ') => key.to_owned(),
        _ => line.to_owned(),
    };
    example().lines().map(on).collect::<Vec<_>>().join("\n")
}

/// The same, with secrets in place of the example's, and without what is there in place of something else.
fn switched_on() -> String {
    let key = "2026-01:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let is_alternative = |line: &&str| ["client_id =", "client_secret ="].iter().any(|key| line.starts_with(key));
    let lines: Vec<_> = uncommented().lines().filter(|line| !is_alternative(line)).map(str::to_owned).collect();
    lines.join("\n").replace("2026-01:change-me", key).replace("change-me", "0123456789abcdef0123456789abcdef")
}

#[test]
fn as_it_is_it_says_what_holds_without_it() {
    let with = Settings::parse(NAME, &example()).expect("it can be read");
    let without = Settings::parse("nothing", "").expect("nothing can be read");
    assert_eq!(with.known, without.known);
    assert_eq!(with.settings.listen, without.settings.listen);
    assert!(with.settings.for_serving().is_err(), "it holds no secrets");
}

#[test]
fn it_shows_every_key() {
    let text = switched_on();
    let loaded = Settings::parse(NAME, &text).unwrap_or_else(|error| panic!("{error}"));
    assert!(loaded.settings.for_serving().is_ok(), "switched on, it is enough to serve");
    let shown = keys(&uncommented().parse().expect("TOML"));
    let known: BTreeSet<_> = loaded.known.iter().map(|known| known.path.clone()).collect();
    assert_eq!(known.difference(&shown).collect::<Vec<_>>(), Vec::<&String>::new(), "missing in the example");
    for known in &loaded.known {
        let Some(default) = &known.default else { continue };
        let key = known.path.rsplit('.').next().expect("a last part");
        let line = format!("#{key} = {default}");
        assert!(example().lines().any(|line_| line_ == line), "the default of {} should read {line}", known.path);
    }
}

#[test]
fn it_shows_the_adapters_own_times() {
    let settings = Settings::parse(NAME, &switched_on()).unwrap_or_else(|error| panic!("{error}")).settings;
    let said = [settings.truora.timing, settings.theary.timing, settings.truework.timing];
    let providers = wiring::providers(&settings).unwrap_or_else(|error| panic!("{error}"));
    for (vendor, said) in ["truora", "theary", "truework"].into_iter().zip(said) {
        let account = providers.accounts().find(|account| account.key.provider.as_str() == vendor).expect("an account");
        // Truework's adapter is told the times; what it has by itself is asked of another.
        let own = if vendor == "truework" { truework_own() } else { account.provider.descriptor().timing };
        let said: [Option<Duration>; 4] = [said.settle, said.timeout, said.poll_min, said.poll_max];
        assert_eq!(said, [own.settle, own.timeout, own.poll_min, own.poll_max].map(Some), "{vendor}");
    }
}

fn truework_own() -> Timing {
    truework::Settings::new("https://api.truework.com".parse().expect("a URL"), "tw_sk_1".into()).timing
}

#[test]
fn its_secrets_are_refused() {
    let told = match Settings::parse(NAME, &uncommented()) {
        Ok(_) => panic!("the example's secrets were taken"),
        Err(error) => error.to_string(),
    };
    for key in ["auth.hs256_secret", "encryption.keys", "truora.api_key", "truework.api_key"] {
        assert!(told.contains(&format!("{NAME}, {key}: ")), "{key} is missing in: {told}");
    }
}

fn keys(table: &toml::Table) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for (key, value) in table {
        let inner: Vec<(String, &toml::Table)> = match value {
            toml::Value::Table(table) => vec![(key.clone(), table)],
            toml::Value::Array(items) => {
                items.iter().filter_map(toml::Value::as_table).map(|table| (format!("{key}[]"), table)).collect()
            }
            _ => Vec::new(),
        };
        if inner.is_empty() {
            keys.insert(key.clone());
        }
        for (path, table) in inner {
            keys.extend(self::keys(table).into_iter().map(|key| format!("{path}.{key}")));
        }
    }
    keys
}
