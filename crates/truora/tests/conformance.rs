//! The suite that every adapter passes, against the simulator; and what is particular to this vendor, in `behaviors` and
//! `batches`.

mod batches;
mod behaviors;
mod support;

use std::sync::Arc;

use domain::{Outcome, Timestamp};
use provider::conformance::{self, Bench, Control, Ends, HookSamples, Sample};
use sandbox::SimClock;
use sandbox::truora::Config;
use serde_json::{Value, json};
use support::{check, colombian, hook, hs256, order, sign, truora};

fn samples() -> Vec<Sample> {
    use Ends::Completed;
    use Outcome::{Clear, Consider, Unresolved};
    let in_colombia = |name, number, outcome| sample(name, &colombian(number), &json!({ "country": "CO" }), outcome);
    let document = |kind: &str, country: &str, value: &str| json!({ "type": kind, "country": country, "value": value });
    let named = |first: &str, last: &str| json!({ "type": "person", "first_name": first, "last_name": last });
    let with = |mut subject: Value, fields: Value| {
        let fields = fields.as_object().expect("an object").clone();
        subject.as_object_mut().expect("an object").extend(fields);
        subject
    };
    vec![
        in_colombia("clean", "1032456701", Completed(Clear)),
        in_colombia("records", "1032456790", Completed(Consider)),
        in_colombia("error", "1032456793", Completed(Unresolved)),
        sample(
            "custom type",
            &colombian("1032456702"),
            &json!({ "country": "CO", "custom_type": "driver_screening" }),
            Completed(Clear),
        ),
        sample(
            "Mexican by names",
            &with(
                named("Ximena", "Muestra"),
                json!({ "date_of_birth": "1985-01-02", "gender": "female", "identifiers": [document("state_id", "MX", "JALISCO")] }),
            ),
            &json!({ "country": "MX" }),
            Completed(Clear),
        ),
        sample(
            "foreigner in Peru",
            &with(
                named("Mateo", "Ejemplo"),
                json!({ "phone": "+51911234567", "nationality": "VE", "identifiers": [document("foreign_id", "PE", "001234501")] }),
            ),
            &json!({ "country": "PE" }),
            Completed(Clear),
        ),
        sample(
            "Brazilian",
            &with(
                named("Joana", "Exemplo"),
                json!({ "date_of_birth": "1979-12-31", "identifiers": [document("national_id", "BR", "12345678901")] }),
            ),
            &json!({ "country": "BR", "region": "SP" }),
            Completed(Clear),
        ),
        sample(
            "Brazilian company",
            &json!({ "type": "company", "name": "Exemplo Ltda", "identifiers": [document("tax_id", "BR", "11222333000181")] }),
            &json!({ "country": "BR" }),
            Completed(Clear),
        ),
        sample(
            "cancelled company",
            &json!({ "type": "company", "name": "Ejemplo SAS", "identifiers": [document("tax_id", "CO", "900123495")] }),
            &json!({ "country": "CO" }),
            Completed(Consider),
        ),
        sample(
            "Colombian vehicle",
            &json!({
                "type": "vehicle", "license_plate": "ABC101", "vin": "9BWZZZ377VT004251",
                "owner": { "name": "Ejemplo SAS", "identifier": document("tax_id", "CO", "900123456") },
                "driver": with(
                    json!({ "first_name": "Lucía", "last_name": "Prueba" }),
                    json!({ "identifiers": [document("national_id", "CO", "1032456703")] }),
                ),
            }),
            &json!({ "country": "CO" }),
            Completed(Clear),
        ),
        sample("international", &named("Ana María", "Muestra"), &json!({ "country": "ALL" }), Completed(Clear)),
    ]
}

fn sample(name: &'static str, subject: &Value, fields: &Value, ends: Ends) -> Sample {
    Sample { name, order: order(subject), check: check(fields), ends }
}

#[expect(clippy::disallowed_methods, reason = "the simulator runs by the wall clock")]
fn hooks(config: &Config) -> HookSamples {
    let now = Timestamp::new(time::OffsetDateTime::now_utc());
    let claims = |seconds_ago: i64| {
        json!({
            "iss": "Truora", "iat": now.get().unix_timestamp() - seconds_ago,
            "events": [{
                "id": "HKE0011", "event_type": "check", "event_action": "started", "timestamp": "2026-11-20T10:00:00Z",
                "object": { "check_id": "CHK0011", "status": "in_progress", "score": -1 },
            }],
        })
    };
    let (key, good) = (config.hook_key.as_bytes(), claims(10));
    let token = hs256(&good, key);
    let (unsigned, _) = token.rsplit_once('.').expect("three parts");
    HookSamples {
        authentic: vec![hook(token.clone(), now), hook(hs256(&claims(6 * 86_400), key), now)],
        forged: vec![
            hook(hs256(&good, b"another key"), now),
            hook(hs256(&good, b""), now),
            hook(sign(&json!({ "alg": "none" }), &good, key), now),
            hook(sign(&json!({ "alg": "HS512" }), &good, key), now),
            hook(format!("{unsigned}."), now),
            hook(unsigned.to_owned(), now),
            hook(good.to_string(), now),
            hook(hs256(&claims(8 * 86_400), key), now),
            hook(hs256(&claims(-3600), key), now),
            hook(hs256(&json!("no claims"), key), now),
        ],
    }
}

async fn bench() -> Bench {
    let config = Config::default();
    let simulator = sandbox::truora::start(0, SimClock::wall(), config.clone()).await.expect("a simulator");
    Bench {
        provider: Arc::new(truora(simulator.base_url(), &config.api_key, &config.hook_key)),
        with_bad_credentials: Arc::new(truora(simulator.base_url(), "another key", &config.hook_key)),
        unreachable: Arc::new(truora(&conformance::nowhere(), &config.api_key, &config.hook_key)),
        control: Control::at(simulator.base_url().clone()),
        samples: samples(),
        hooks: hooks(&config),
        rate_limit_is_proof: true,
        keep: Box::new(simulator),
    }
}

provider::conformance_suite!(bench);
