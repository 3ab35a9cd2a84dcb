use provider::{Fetched, ItemOutcome, ProbeFault, Provider as _, Share};
use sandbox::truework::signature_key;
use serde_json::json;
use truework::{Settings, SignatureKey, SignatureMode, Version};

use crate::bench::employment;
use crate::site::{Site, context, reference};

async fn site(mode: SignatureMode) -> Site {
    let keys = vec![signature_key().parse().expect("the simulator's key")];
    Site::with(Version::V2023_10_30, |settings| Settings { signature: mode, signature_keys: keys, ..settings }).await
}

#[tokio::test]
async fn good_signatures_are_enough_in_every_version() {
    for version in Version::ALL {
        let keys = vec![signature_key().parse().expect("the simulator's key")];
        let change = |settings| Settings { signature: SignatureMode::Require, signature_keys: keys, ..settings };
        let site = Site::with(*version, change).await;
        let accepted = site.accepted("000-00-0000", &employment("Fake Company")).await;
        site.finish();
        let snapshot = site.look(&accepted.vendor).await;
        assert!(snapshot.standing.is_final());
        assert!(site.adapter.document(&context(Share::Poll), &snapshot.documents[0]).await.is_ok(), "never signed");
        assert_eq!(site.adapter.probe(&context(Share::LookUp)).await, Ok(()));
    }
}

#[tokio::test]
async fn where_signatures_are_required_anything_else_is_as_good_as_no_answer() {
    for sign in ["wrong", "no"] {
        let site = site(SignatureMode::Require).await;
        let accepted = site.accepted("000-00-0000", &employment("Fake Company")).await;
        site.switch(json!({ "sign": sign }));
        let unknown = site.submit(reference(), "000-00-0000", employment("Fake Company")).await;
        assert!(matches!(unknown, ItemOutcome::Unknown { .. }), "{sign}: {unknown:?}");
        assert_eq!(site.simulator.control().books().objects.len(), 2, "made all the same");
        assert!(site.adapter.fetch(&context(Share::Poll), &accepted.vendor).await.is_err(), "{sign}");
        let probed = site.adapter.probe(&context(Share::LookUp)).await;
        let Err(ProbeFault::Unexpected(told)) = probed else { panic!("{sign}: {probed:?}") };
        assert!(told.contains("truework.signature_keys"), "{told}");
    }
}

#[tokio::test]
async fn otherwise_answers_are_used() {
    for mode in [SignatureMode::Off, SignatureMode::Warn] {
        for sign in ["right", "wrong", "no"] {
            let site = site(mode).await;
            site.switch(json!({ "sign": sign }));
            let accepted = site.accepted("000-00-0000", &employment("Fake Company")).await;
            let found = site.adapter.fetch(&context(Share::Poll), &accepted.vendor).await;
            assert!(matches!(found, Ok(Fetched::Found(_))), "{mode:?}, {sign}");
            assert_eq!(site.adapter.probe(&context(Share::LookUp)).await, Ok(()), "{mode:?}, {sign}");
        }
    }
}

#[tokio::test]
async fn another_key_of_the_same_name_signs_nothing() {
    let id = signature_key().split(':').next().expect("an id").to_owned();
    let published = "https://api.truework.com".parse().expect("a URL");
    let published = SignatureKey::published_for(&published);
    let other = format!("{id}:Ad14e4K+/6At51wUH2B3M4ONNlRmLiSpI4NUAl+IcyA=").parse().expect("a key");
    let keys = published.into_iter().chain([other]).collect();
    let change = |settings| Settings { signature: SignatureMode::Require, signature_keys: keys, ..settings };
    let site = Site::with(Version::V2023_10_30, change).await;
    assert!(site.adapter.probe(&context(Share::LookUp)).await.is_err());
}

#[tokio::test]
async fn a_host_whose_keys_nobody_named_is_not_taken_for_one_of_the_vendors() {
    let simulator = crate::bench::simulator(sandbox::truework::Config::default()).await;
    let settings = crate::bench::settings(simulator.base_url(), &sandbox::truework::Config::default().api_key);
    for (mode, is_taken) in [(SignatureMode::Off, true), (SignatureMode::Warn, false), (SignatureMode::Require, false)]
    {
        let made = truework::Truework::new(Settings { signature: mode, ..settings.clone() });
        assert_eq!(made.is_ok(), is_taken, "{mode:?}");
    }
}
