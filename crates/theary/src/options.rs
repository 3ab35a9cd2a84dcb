//! `vendor_options` of a Theary check: the harmless bits of `searchConfig`, under the vendor's own names.
//!
//! References, webhooks, QA destinations and destination lists are not among them and never can be.

use domain::FieldError;
use serde_json::{Map, Value};

/// The vendor's limit for `thirdPartyBan`.
const MOST_BANS: usize = 50;

/// Everything that is wrong with these options.
pub fn validate(options: &Map<String, Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (name, value) in options {
        match name.as_str() {
            "thirdPartyBan" => bans(value, &mut errors),
            "channels" => fields(name, value, &mut errors, |field, value| match field {
                "preferredChannel" => {
                    Some(one_of(value, &["EMAIL", "VOICE", "FAX"]).then_some(()).ok_or("one of EMAIL, VOICE and FAX"))
                }
                _ => None,
            }),
            "timing" => fields(name, value, &mut errors, |field, value| match field {
                "searchSlaMinutes" | "outboundWindowMinutes" => Some(
                    value
                        .as_u64()
                        .is_some_and(|minutes| minutes >= 1)
                        .then_some(())
                        .ok_or("a whole number of minutes, at least 1"),
                ),
                "businessHours" => Some(value.is_object().then_some(()).ok_or("an object with a time zone")),
                _ => None,
            }),
            "research" => fields(name, value, &mut errors, |field, value| match field {
                "skipResearch" => Some(value.is_boolean().then_some(()).ok_or("true or false")),
                _ => None,
            }),
            _ => errors.push(unknown(&[name])),
        }
    }
    errors
}

fn one_of(value: &Value, words: &[&str]) -> bool {
    value.as_str().is_some_and(|word| words.contains(&word))
}

/// Looks at each field of an object. `known` gives `None` for a field it does not know, else what the value should be.
fn fields(
    name: &str,
    value: &Value,
    errors: &mut Vec<FieldError>,
    known: impl Fn(&str, &Value) -> Option<Result<(), &'static str>>,
) {
    let Some(object) = value.as_object() else {
        errors.push(invalid(&[name], "an object"));
        return;
    };
    for (field, value) in object {
        match known(field, value) {
            None => errors.push(unknown(&[name, field])),
            Some(Err(expected)) => errors.push(invalid(&[name, field], expected)),
            Some(Ok(())) => {}
        }
    }
}

fn bans(value: &Value, errors: &mut Vec<FieldError>) {
    let fine = value.as_array().is_some_and(|codes| {
        codes.len() <= MOST_BANS
            && codes.iter().all(|code| {
                let code = code.as_str().map(str::trim).unwrap_or_default();
                !code.is_empty() && !code.eq_ignore_ascii_case("UNKNOWN")
            })
    });
    if !fine {
        errors.push(invalid(&["thirdPartyBan"], "a list of at most 50 codes, none of them empty or UNKNOWN"));
    }
}

fn pointer(path: &[&str]) -> String {
    path.iter()
        .fold("/vendor_options".to_owned(), |pointer, name| pointer + "/" + &name.replace('~', "~0").replace('/', "~1"))
}

fn unknown(path: &[&str]) -> FieldError {
    let detail = "Theary checks take only thirdPartyBan, channels.preferredChannel, timing.searchSlaMinutes, \
                  timing.outboundWindowMinutes, timing.businessHours and research.skipResearch.";
    FieldError::check(pointer(path), "unknown_field", detail)
}

fn invalid(path: &[&str], expected: &str) -> FieldError {
    FieldError::check(pointer(path), "invalid", format!("Expected {expected}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faults(options: Value) -> Vec<String> {
        let Value::Object(options) = options else { panic!("an object") };
        validate(&options).iter().map(|error| format!("{} {}", error.code, error.pointer(0))).collect()
    }

    #[test]
    fn takes_the_harmless_and_nothing_else() {
        let harmless = json!({
            "thirdPartyBan": ["TWN", " nsc "], "channels": {"preferredChannel": "FAX"},
            "timing": {"searchSlaMinutes": 1, "outboundWindowMinutes": 60, "businessHours": {"timezone": "America/New_York"}},
            "research": {"skipResearch": true},
        });
        assert_eq!(faults(harmless), Vec::<String>::new());
        for key in ["externalSearchId", "notifications", "qaDestinations", "webhookConfig", "outbound", "a/b"] {
            let escaped = key.replace('/', "~1");
            let expected = format!("unknown_field /checks/0/vendor_options/{escaped}");
            assert_eq!(faults(json!({ key: {} })), [expected]);
        }
        assert_eq!(
            faults(
                json!({"channels": {"allowedDestinations": ["a@b.example"], "email": true, "preferredChannel": "PIGEON"}})
            ),
            [
                "unknown_field /checks/0/vendor_options/channels/allowedDestinations",
                "unknown_field /checks/0/vendor_options/channels/email",
                "invalid /checks/0/vendor_options/channels/preferredChannel",
            ]
        );
    }

    #[test]
    fn keeps_the_vendors_limits() {
        for wrong in [
            json!({"thirdPartyBan": "TWN"}),
            json!({"thirdPartyBan": ["unknown"]}),
            json!({"thirdPartyBan": vec!["A"; 51]}),
            json!({"timing": {"searchSlaMinutes": 0}}),
            json!({"timing": []}),
            json!({"research": {"skipResearch": "yes"}}),
        ] {
            assert_eq!(faults(wrong.clone()).len(), 1, "{wrong}");
        }
    }
}
