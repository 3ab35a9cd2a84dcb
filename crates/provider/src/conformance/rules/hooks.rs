//! Calls that the vendor, or somebody who would like to be it, makes to us.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::super::bench::{Bench, now};
use crate::hook::MOST_NEWS;
use crate::{HookAuthentication, HookNews, HookRequest};

/// Authentic hooks are read, the same each time; everything else is refused.
pub async fn only_authentic_hooks_are_read(make: impl AsyncFn() -> Bench) {
    let bench = make().await;
    let signed = bench.provider.descriptor().hooks == HookAuthentication::SignedBody;
    for (at, hook) in bench.hooks.authentic.iter().enumerate() {
        let read = || bench.provider.receive_hook(hook);
        let news = read().unwrap_or_else(|refused| panic!("authentic hook {at}: {refused}"));
        let keys = |news: &[HookNews]| news.iter().map(|news| news.dedupe_key.clone()).collect::<Vec<_>>();
        assert!(keys(&news).iter().all(|key| !key.is_empty()), "authentic hook {at}: news without a key");
        assert!(news.len() <= MOST_NEWS, "authentic hook {at}: a flood");
        assert_eq!(keys(&news), keys(&read().expect("read again")), "authentic hook {at}: not the same again");
        if signed {
            // A proof in the body survives the loss of headers, one in the headers does not survive a change of the body.
            for index in [0, hook.body.len() / 2, hook.body.len() - 1] {
                let mut body = hook.body.to_vec();
                body[index] ^= 1;
                refused(&bench, &HookRequest { body: body.into(), ..hook.clone() }, "a body with one bit changed");
            }
        } else {
            refused(&bench, &HookRequest { headers: HeaderMap::new(), ..hook.clone() }, "no token");
        }
        for body in bodies() {
            let garbled = HookRequest { body, ..hook.clone() };
            if signed {
                refused(&bench, &garbled, "garbage under good headers");
            } else {
                // A good token makes garbage authentic; it must still be survived, and tell of nothing.
                let news = bench.provider.receive_hook(&garbled).unwrap_or_default();
                assert!(news.iter().all(|news| news.reference.is_none()), "garbage told of a check");
            }
        }
    }
    for (at, hook) in bench.hooks.forged.iter().enumerate() {
        refused(&bench, hook, &format!("forged hook {at}"));
    }
    for headers in headers() {
        for body in bodies() {
            refused(&bench, &HookRequest { headers: headers.clone(), body, received_at: now() }, "garbage");
        }
    }
}

fn refused(bench: &Bench, hook: &HookRequest, case: &str) {
    let taken = bench.provider.receive_hook(hook);
    let start = &hook.body[..hook.body.len().min(40)];
    assert!(taken.is_err(), "{case} was taken: {:?}", String::from_utf8_lossy(start));
}

fn bodies() -> Vec<Bytes> {
    // A token of a well-known form that is signed with nothing.
    let unsigned = "eyJhbGciOiJub25lIn0.eyJldmVudHMiOltdfQ.";
    let mut all: Vec<Bytes> =
        ["", " ", "null", "{}", "[]", "\u{0}", "not json", unsigned, "a.b.c", "..", "{\"data\":{}}"]
            .map(|text| Bytes::from_static(text.as_bytes()))
            .into();
    all.push(Bytes::from("[".repeat(200_000)));
    all.push(Bytes::from("{\"data\":".repeat(100_000)));
    all.push(Bytes::from(vec![0xff; 1 << 20]));
    all
}

fn headers() -> Vec<HeaderMap> {
    let usual = ["authorization", "x-signature", "x-webhook-signature", "x-hub-signature-256", "x-truework-token"];
    let map = |value: &'static str| {
        usual.iter().map(|name| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect::<HeaderMap>()
    };
    vec![HeaderMap::new(), map(""), map("Bearer none"), map("sha256=00"), map("t=0,v1=00")]
}
