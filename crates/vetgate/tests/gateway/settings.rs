//! Bad settings, and what is said about them.

use std::time::Duration;

use domain::TenantId;
use secrecy::ExposeSecret as _;
use vetgate::settings::{Loaded, Settings, Sources};

const KEY: &str = "a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// What is said about a file of this text.
fn told(text: &str) -> Vec<String> {
    match Settings::parse("vetgate.toml", text) {
        Ok(_) => Vec::new(),
        Err(error) => error.0.iter().map(ToString::to_string).collect(),
    }
}

fn load(variables: &[(&str, &str)]) -> Result<Loaded, Vec<String>> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    // A folder without a settings file: cargo runs tests in the crate's own.
    Settings::load(&Sources { file: None, variables })
        .map_err(|error| error.0.iter().map(ToString::to_string).collect())
}

/// A file, and what is said about it.
const FAULTS: &[(&str, &str)] = &[
    (
        "listen = \"localhost\"",
        "vetgate.toml, listen: \"localhost\" is not right here: expected an IP address and port, such as 127.0.0.1:8080 or [::]:8080.",
    ),
    ("listen = \"\"", "vetgate.toml, listen: is empty. Give a value, or leave the line out."),
    ("listen = [1]", "vetgate.toml, listen: expected one value. Write it as key = \"value\"."),
    ("public_url = \"ftp://x\"", "vetgate.toml, public_url: expected an address that begins with https:// or http://."),
    (
        "[database]\nmax_connections = 1",
        "vetgate.toml, database.max_connections: expected a whole number from 2 to 1000.",
    ),
    (
        "[database]\nmax_connections = \"many\"",
        "vetgate.toml, database.max_connections: \"many\" is not right here: expected a whole number from 2 to 1000.",
    ),
    (
        "[auth]\nhs256_secret = \"short\"",
        "vetgate.toml, auth.hs256_secret: is shorter than 32 bytes. Set it to the output of `openssl rand -hex 32`.",
    ),
    (
        "[auth]\nhs256_secret = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
        "vetgate.toml, auth.hs256_secret: is too easy to guess. Set it to the output of `openssl rand -hex 32`.",
    ),
    (
        "[auth]\nhs256_secret = \"change-me\"",
        "vetgate.toml, auth.hs256_secret: is still the example's value. Put the real one there, or leave the key out.",
    ),
    (
        "[encryption]\nkeys = \"abc\"",
        "vetgate.toml, encryption.keys: encryption key number 1 is not of the form id:base64.",
    ),
    (
        "[encryption]\nkeys = \"a:AAECAwQFBgcICQoLDA0ODw==\"",
        "vetgate.toml, encryption.keys: encryption key a has 16 bytes instead of 32; make one by `openssl rand -base64 32`.",
    ),
    (
        "[encryption]\nkeys = \"a:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"",
        "vetgate.toml, encryption.keys: holds an example's key. Make one by `openssl rand -base64 32`.",
    ),
    ("[encryption]\nkeys = 5", "vetgate.toml, encryption.keys: expected a list of texts, such as [\"one\", \"two\"]."),
    (
        "[truora]\nsettle = \"15\"",
        "vetgate.toml, truora.settle: \"15\" is not a time: expected one above zero such as 30s, 15m or 2h.",
    ),
    (
        "[truora]\ntimeout = \"0s\"",
        "vetgate.toml, truora.timeout: \"0s\" is not a time: expected one above zero such as 30s, 15m or 2h.",
    ),
    (
        "[truora]\nrate = -1",
        "vetgate.toml, truora.rate: expected requests a second as a number above zero, such as 10 or 0.5.",
    ),
    (
        "[truora]\npoll_min = \"2m\"\npoll_max = \"1m\"",
        "vetgate.toml, truora.poll_max: is shorter than poll_min. Make it as long, or longer.",
    ),
    (
        "[truora]\nchecks_url = \"https://api.checks.truora.com/v1\"",
        "vetgate.toml, truora.checks_url: expected scheme and host only, such as https://api.checks.truora.com.",
    ),
    ("[truora.outcome]\nclear_score = 2", "vetgate.toml, truora.outcome.clear_score: expected a number from 0 to 1."),
    (
        "[truework]\nversion = \"2019-10-15\"",
        "vetgate.toml, truework.version: \"2019-10-15\" is not known here: expected 2023-10-30 or 2022-08-01 or 2020-12-07.",
    ),
    (
        "[truework]\nsignature = \"yes\"",
        "vetgate.toml, truework.signature: \"yes\" is not known here: expected off or warn or require.",
    ),
    (
        "[truework]\nsignature_keys = [\"tw-2021-11-11:AAAA\"]",
        "vetgate.toml, truework.signature_keys: number 1 cannot be read: expected the key's id and its 32 bytes in base64, \
         such as tw-2021-11-11:Ad14e4K+….",
    ),
    (
        "[theary]\nenvironment = \"test\"",
        "vetgate.toml, theary.environment: \"test\" is not known here: expected production or sandbox.",
    ),
    (
        "[reconcile]\ncancel_duplicates = \"never\"",
        "vetgate.toml, reconcile.cancel_duplicates: \"never\" is not known here: expected ask or auto.",
    ),
    (
        "[reconcile]\nsweep = \"daily\"",
        "vetgate.toml, reconcile.sweep: \"daily\" is not a time: expected one above zero such as 1h or 24h, or off.",
    ),
    ("[theary]\nbatch_size = 101", "vetgate.toml, theary.batch_size: expected a whole number from 1 to 100."),
    (
        "[[truora.accounts]]\napi_key = \"k\"",
        "vetgate.toml, truora.accounts[0].id: is not set. Give the account a name of its own.",
    ),
    (
        "[[truora.accounts]]\nid = \"a/b\"\napi_key = \"k\"",
        "vetgate.toml, truora.accounts[0].id: must be 1 to 64 letters, digits, - or _; it is part of the hooks' address.",
    ),
    (
        "[[truora.accounts]]\nid = \"mx\"",
        "vetgate.toml, truora.accounts[0].api_key: is not set; an account needs credentials of its own. Set it, or remove the account.",
    ),
    (
        "[databse]\nurl = \"x\"",
        "vetgate.toml, databse.url: there is no such key. Did you mean database.url? Correct it, or remove it.",
    ),
    (
        "[truora]\napikey = \"x\"",
        "vetgate.toml, truora.apikey: there is no such key. Did you mean truora.api_key? Correct it, or remove it.",
    ),
    (
        "[[theary.accounts]]\nid = \"a\"\ntoken = \"t\"\ntenant = [\"x\"]",
        "vetgate.toml, theary.accounts[0].tenant: there is no such key. Did you mean theary.accounts[].tenants? Correct it, or remove it.",
    ),
    ("[zzz]", "vetgate.toml, zzz: there is no such key. Correct it, or remove it."),
    ("listen = \"x", "vetgate.toml, line 1: this is not TOML"),
];

#[test]
fn every_fault_says_where_it_is_and_what_to_do() {
    for (text, expected) in FAULTS {
        let told = told(text);
        assert_eq!(told.len(), 1, "{text}: {told:?}");
        assert!(
            told[0].starts_with(expected) || told[0] == *expected,
            "{text}\nsaid:     {}\nexpected: {expected}",
            told[0]
        );
    }
}

#[test]
fn theary_is_reached_with_a_token_or_a_client_and_not_with_both() {
    let at = |lines: &str| told(&format!("[theary]\n{lines}"));
    let client = "client_id = \"c\"\nclient_secret = \"s\"";
    for good in [
        client.to_owned(),
        format!("{client}\nbase_url = \"https://sandbox.theary.com\"\nqa_email = \"qa@example.com\""),
        format!(
            "{client}\nbase_url = \"https://eu.theary.ai\"\nenvironment = \"production\"\naudience = \"a\"\ntoken_url = \"https://a.example/t\""
        ),
        format!("token = \"t\"\n[[theary.accounts]]\nid = \"a\"\n{client}"),
        "token_url = \"https://a.example/t\"".to_owned(),
    ] {
        assert_eq!(at(&good), Vec::<String>::new(), "{good}");
    }
    let elsewhere = format!("{client}\nbase_url = \"https://eu.theary.ai\"\nenvironment = \"production\"");
    assert_eq!(at(&elsewhere).len(), 2, "neither token_url nor audience is known there");
    for (lines, said) in [
        (format!("token = \"t\"\n{client}"), "vetgate.toml, theary.token: is set beside client_id"),
        ("client_id = \"c\"".to_owned(), "theary.client_secret (variable VETGATE_THEARY__CLIENT_SECRET): is not set"),
        ("client_secret = \"s\"".to_owned(), "theary.client_id (variable VETGATE_THEARY__CLIENT_ID): is not set"),
        (format!("{client}\ntoken_url = \"nowhere\""), "vetgate.toml, theary.token_url: expected an address"),
        (
            format!("[[theary.accounts]]\nid = \"a\"\ntoken = \"t\"\n{client}"),
            "vetgate.toml, theary.accounts[0].token: is set beside client_id",
        ),
        (
            "[[theary.accounts]]\nid = \"a\"\nclient_id = \"c\"".to_owned(),
            "vetgate.toml, theary.accounts[0].client_secret: is not set",
        ),
        (
            "[[theary.accounts]]\nid = \"a\"".to_owned(),
            "vetgate.toml, theary.accounts[0].token: is not set; an account needs credentials of its own",
        ),
    ] {
        let told = at(&lines);
        assert!(told.len() == 1 && told[0].starts_with(said), "{lines}: {told:?}");
    }
}

#[test]
fn a_host_that_is_not_production_needs_somewhere_to_send_to() {
    let at = |lines: &str| told(&format!("[theary]\ntoken = \"t\"\n{lines}"));
    assert_eq!(at(""), Vec::<String>::new());
    assert_eq!(at("base_url = \"https://sandbox.theary.com\"\nqa_email = \"qa@example.com\""), Vec::<String>::new());
    assert_eq!(at("base_url = \"https://eu.theary.ai\"\nenvironment = \"production\""), Vec::<String>::new());
    for lines in [
        "base_url = \"https://sandbox.theary.com\"",
        "base_url = \"http://127.0.0.1:4020\"",
        "environment = \"sandbox\"",
    ] {
        let told = at(lines);
        assert!(
            told.len() == 1 && told[0].starts_with("theary.qa_email (variable VETGATE_THEARY__QA_EMAIL): is not set"),
            "{lines}: {told:?}"
        );
    }
    assert_eq!(at("qa_email = \"nobody\"").len(), 1);
}

#[test]
fn every_fault_is_told_at_once_and_no_secret_is() {
    let text = "listen = \"x\"\nlisten_on = 1\n[auth]\nhs256_secret = \"hush\"\n[encryption]\nkeys = \"a:hushhush\"\n[truora]\nhook_key = 1";
    let told = told(text);
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(!told.join("").contains("hush"), "{told:?}");
    assert!(!self::told("[truora]\napi_key = \"hush").join("").contains("hush"));
}

#[test]
fn variables_go_before_the_file_and_are_named_in_faults() {
    let loaded = load(&[
        ("VETGATE_LISTEN", "127.0.0.1:1"),
        ("DATABASE_URL", "postgres://one"),
        ("VETGATE_DATABASE__URL", "postgres://two"),
        ("VETGATE_DATABASE__MAX_CONNECTIONS", "7"),
        ("VETGATE_TRUEWORK__HOOK_TOKEN", "old, new"),
        ("VETGATE_TRUEWORK__API_KEY", "1234567890"),
        ("VETGATE_TRUORA__PAUSED", "true"),
        ("VETGATE_TRUORA__SETTLE", "1h 30m"),
        ("VETGATE_PUBLIC_URL", ""),
        ("PATH", "/bin"),
    ]);
    let settings = loaded.expect("good settings").settings;
    assert_eq!(settings.listen.port(), 1);
    assert_eq!(settings.database.max_connections, 7);
    assert_eq!(settings.database.url.expect("a URL").expose_secret(), "postgres://two");
    assert_eq!(settings.truework.accounts[0].adapter.hook_tokens.len(), 2);
    assert_eq!(settings.truework.accounts[0].adapter.api_key.expose_secret(), "1234567890");
    assert_eq!(settings.truora.paused, Some(true));
    assert_eq!(settings.truora.timing.settle, Some(Duration::from_mins(90)));
    assert!(settings.public_url.is_none(), "an empty variable is as good as none");

    let faults = load(&[("VETGATE_LISTEN", "here")]).err().expect("a fault");
    assert!(faults[0].starts_with("VETGATE_LISTEN: "), "{faults:?}");
}

#[test]
fn catching_up_and_hints_are_as_they_are_said() {
    let settings = |name: &str, said: &str| {
        load(&[("VETGATE_TRUORA__API_KEY", "k"), (name, said)]).expect("good settings").settings
    };
    let catch_up = |said| settings("VETGATE_RECONCILE__CATCH_UP", said).engine.catch_up_every;
    assert_eq!(catch_up(""), Some(Duration::from_mins(15)));
    assert_eq!((catch_up("1h"), catch_up("off")), (Some(Duration::from_hours(1)), None));
    let unsigned = |said| settings("VETGATE_TRUORA__UNSIGNED_HOOKS", said).truora.accounts[0].adapter.unsigned_hooks;
    assert_eq!(unsigned(""), truora::UnsignedHooks::Refuse);
    assert_eq!(unsigned("hint"), truora::UnsignedHooks::Hint);
    assert!(load(&[("VETGATE_TRUORA__UNSIGNED_HOOKS", "believe")]).is_err());
}

#[test]
fn the_sweep_is_daily_or_as_it_is_said_or_off() {
    let sweep =
        |said: &str| load(&[("VETGATE_RECONCILE__SWEEP", said)]).expect("good settings").settings.engine.sweep_every;
    assert_eq!(sweep(""), Some(Duration::from_hours(24)));
    assert_eq!(sweep("90m"), Some(Duration::from_mins(90)));
    assert_eq!(sweep("off"), None);
}

#[test]
fn how_a_gateway_is_called_is_no_setting_of_it() {
    let loaded = load(&[("VETGATE_URL", "https://vetgate.example.com"), ("VETGATE_TOKEN", "x.y.z")]);
    assert_eq!(loaded.expect("good settings").warnings, Vec::<String>::new());
}

#[test]
fn unknown_variables_are_warned_of() {
    let warnings = load(&[("VETGATE_TRUORA__APIKEY", "x"), ("VETGATE_QQQ", "x")]).expect("good settings").warnings;
    assert_eq!(
        warnings,
        [
            "VETGATE_QQQ: there is no such setting; it is not used.",
            "VETGATE_TRUORA__APIKEY: there is no such setting; it is not used. Did you mean VETGATE_TRUORA__API_KEY?",
        ]
    );
}

#[test]
fn serving_needs_a_database_a_key_for_tokens_and_a_key_to_encrypt_with() {
    let serving = |variables: &[(&str, &str)]| match load(variables).expect("good settings").settings.for_serving() {
        Ok(_) => Vec::new(),
        Err(error) => error.0.into_iter().map(|fault| fault.place).collect(),
    };
    assert_eq!(
        serving(&[]),
        [
            "database.url (variable DATABASE_URL)",
            "auth.hs256_secret (variable VETGATE_AUTH__HS256_SECRET)",
            "encryption.keys (variable VETGATE_ENCRYPTION__KEYS)"
        ]
    );
    let all =
        [("DATABASE_URL", "postgres://db"), ("VETGATE_AUTH__HS256_SECRET", SECRET), ("VETGATE_ENCRYPTION__KEYS", KEY)];
    assert_eq!(serving(&all), Vec::<String>::new());
    let by_issuer = [all[0], ("VETGATE_AUTH__JWKS_URL", "https://login.example.com/jwks"), all[2]];
    assert_eq!(serving(&by_issuer), Vec::<String>::new());
}

#[test]
fn accounts_share_what_they_do_not_say() {
    let text = "[theary]\ntoken = \"one\"\nbase_url = \"https://sandbox.theary.com\"\nqa_email = \"qa@example.com\"\nbatch_size = 3\n\
                [[theary.accounts]]\nid = \"eu\"\ntoken = \"two\"\ntenants = [\"acme\"]\n\
                [[theary.accounts]]\nid = \"us\"\ntoken = \"three\"\nbatch_size = 5\nbase_url = \"https://api.theary.ai\"";
    let theary = Settings::parse("vetgate.toml", text).unwrap_or_else(|error| panic!("{error}")).settings.theary;
    let [default, eu, us] = theary.accounts.as_slice() else { panic!("three accounts") };
    assert_eq!([&default.id, &eu.id, &us.id], ["default", "eu", "us"]);
    assert_eq!((&default.tenants, &eu.tenants), (&None, &Some(vec![TenantId::new("acme")])));
    assert_eq!(eu.adapter.base_url, default.adapter.base_url);
    assert_eq!([default, eu, us].map(|account| account.adapter.batch_size), [3, 3, 5]);
    let theary::Credentials::Token(token) = &eu.adapter.credentials else { panic!("a token") };
    assert_eq!(token.expose_secret(), "two");
    assert_eq!(us.adapter.environment, theary::Environment::Production);
    assert!(told(&text.replace("\"us\"", "\"default\""))[0].contains("there is another account \"default\""));
}

#[test]
fn a_vendor_without_credentials_is_off_and_says_why() {
    let settings = load(&[("VETGATE_TRUORA__API_KEY", "k")]).expect("good settings").settings;
    let providers = vetgate::wiring::providers(&settings).unwrap_or_else(|error| panic!("{error}"));
    let off = |id: &str| providers.off(&domain::ProviderId::new(id)).map(str::to_owned);
    assert_eq!(off("truora"), None);
    assert_eq!(off("theary").as_deref(), Some("no credentials are set (theary.token, or VETGATE_THEARY__TOKEN)"));
    assert_eq!(
        off("truework").as_deref(),
        Some("no credentials are set (truework.api_key, or VETGATE_TRUEWORK__API_KEY)")
    );
}

/// What adapters say to these variables.
fn objections(variables: &[(&str, &str)]) -> String {
    let settings = load(variables).expect("good settings").settings;
    match vetgate::wiring::providers(&settings) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn an_adapters_objection_is_told_with_its_account() {
    let told = objections(&[("VETGATE_TRUEWORK__API_KEY", "tw_sk_test_1")]);
    assert!(told.contains("truework (account default): truework.api_key is a sandbox key"), "{told}");
}

#[test]
fn only_the_hosts_own_keys_sign_its_answers() {
    const PRODUCTION: &str = "tw-2021-11-11:Ad14e4K+/6At51wUH2B3M4ONNlRmLiSpI4NUAl+IcyA=";
    const SANDBOX: &str = "tw-sandbox-2021-11-11:yJBzPH0p+gdRuj4qnjU1+ob0AH52gHRDXxnDW1xGaYk=";
    let told = |url: &str, key: &str, named: Option<&str>| {
        let mut variables = vec![
            ("VETGATE_TRUEWORK__API_KEY", key),
            ("VETGATE_TRUEWORK__BASE_URL", url),
            ("VETGATE_TRUEWORK__SIGNATURE", "require"),
        ];
        variables.extend(named.map(|keys| ("VETGATE_TRUEWORK__SIGNATURE_KEYS", keys)));
        objections(&variables)
    };
    let (production, sandbox) = ("https://api.truework.com", "https://api.truework-sandbox.com");
    assert_eq!(told(production, "tw_sk_1", None), "");
    assert_eq!(told(sandbox, "tw_sk_test_1", None), "");
    assert_eq!(told("https://relay.example.com", "tw_sk_1", Some(PRODUCTION)), "");
    let unknown = told("https://relay.example.com", "tw_sk_1", None);
    assert!(unknown.contains("name them in truework.signature_keys"), "{unknown}");
    let both = told(production, "tw_sk_1", Some(&format!("{PRODUCTION},{SANDBOX}")));
    assert!(both.contains("holds the key of Truework's sandbox"), "{both}");
}
