//! `vendor_options` of a Theary check: what a caller may say in the search and its `searchConfig`, under the vendor's own
//! names; and one of ours, [`ONE_ORDER`].
//!
//! References, webhooks and QA destinations are not among them and never can be: whom an order belongs to, where its news
//! goes, and that nobody real is contacted outside production is not for callers to say.

use domain::FieldError;
use serde_json::{Map, Value};
use url::Url;

/// The vendor's limits for `thirdPartyBan` and for lists of destinations.
const MOST_BANS: usize = 50;
const MOST_DESTINATIONS: usize = 100;
/// No limit is documented for these; nobody needs more.
const MOST_HINTS: usize = 100;
const LONGEST_CODE: usize = 100;

const CHANNELS: [(&str, &str); 3] = [("email", "EMAIL"), ("voice", "VOICE"), ("fax", "FAX")];

/// Ours, not the vendor's: the check may share its order with others of the same order of ours that ask for it too.
pub const ONE_ORDER: &str = "one_order";

/// The options that stand beside `searchConfig` in the search.
pub const OF_THE_SEARCH: [&str; 2] = ["questionnaireUrl", "questionnaireAccessCode"];

/// Whether the caller asked for a shared order.
pub fn ask_for_one_order(options: &Map<String, Value>) -> bool {
    options.get(ONE_ORDER) == Some(&Value::Bool(true))
}

/// Everything that is wrong with these options.
pub fn validate(options: &Map<String, Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    for (name, value) in options {
        match name.as_str() {
            "questionnaireUrl" if !is_https(value) => faults.invalid(&[name], "an https:// link"),
            "questionnaireAccessCode" if !is_text(value, LONGEST_CODE) => {
                faults.invalid(&[name], "a text of at most 100 characters");
            }
            "questionnaireUrl" | "questionnaireAccessCode" => {}
            ONE_ORDER if !value.is_boolean() => faults.invalid(&[name], "true or false"),
            ONE_ORDER => {}
            "thirdPartyBan" => {
                if !is_list(value, MOST_BANS, |code| is_text(code, LONGEST_CODE) && !is_unknown(code)) {
                    faults.invalid(&[name], "a list of at most 50 codes, none of them empty or UNKNOWN");
                }
            }
            "channels" => faults.channels(value),
            "timing" => faults.timing(value),
            "research" => faults.fields(&[name], value, |faults, path, field, value| match field {
                "skipResearch" if !value.is_boolean() => faults.invalid(path, "true or false"),
                "skipResearch" => {}
                _ => faults.unknown(path),
            }),
            "outbound" => faults.fields(&[name], value, |faults, path, field, value| match field {
                "contactHints" => faults.contact_hints(path, value),
                _ => faults.unknown(path),
            }),
            _ => faults.unknown(&[name]),
        }
    }
    faults.0
}

fn is_text(value: &Value, longest: usize) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty() && text.chars().count() <= longest)
}

fn is_unknown(code: &Value) -> bool {
    code.as_str().is_some_and(|code| code.trim().eq_ignore_ascii_case("UNKNOWN"))
}

fn is_https(value: &Value) -> bool {
    value.as_str().and_then(|link| Url::parse(link).ok()).is_some_and(|url| url.scheme() == "https")
}

fn is_list(value: &Value, most: usize, is_fine: impl Fn(&Value) -> bool) -> bool {
    value.as_array().is_some_and(|entries| entries.len() <= most && entries.iter().all(is_fine))
}

#[derive(Default)]
struct Faults(Vec<FieldError>);

impl Faults {
    fn unknown(&mut self, path: &[&str]) {
        let detail = "Theary checks take only thirdPartyBan, channels (email, voice, fax, preferredChannel, \
                      allowedDestinations or blockedDestinations), timing (searchSlaMinutes, outboundWindowMinutes, \
                      businessHours), research.skipResearch, outbound.contactHints (email, priority), questionnaireUrl, \
                      questionnaireAccessCode and one_order.";
        self.0.push(FieldError::check(pointer(path), "unknown_field", detail));
    }

    fn invalid(&mut self, path: &[&str], expected: &str) {
        self.0.push(FieldError::check(pointer(path), "invalid", format!("Expected {expected}.")));
    }

    /// Looks at each field of an object.
    fn fields(&mut self, path: &[&str], value: &Value, mut look: impl FnMut(&mut Self, &[&str], &str, &Value)) {
        let Some(object) = value.as_object() else {
            self.invalid(path, "an object");
            return;
        };
        for (field, value) in object {
            look(self, &[path, &[field.as_str()]].concat(), field, value);
        }
    }

    fn channels(&mut self, value: &Value) {
        let is_off = |name: &str| value[name] == false;
        self.fields(&["channels"], value, |faults, path, field, value| match field {
            "email" | "voice" | "fax" if !value.is_boolean() => faults.invalid(path, "true or false"),
            "email" | "voice" | "fax" => {}
            "preferredChannel" => match CHANNELS.iter().find(|(_, word)| value == word) {
                None => faults.invalid(path, "one of EMAIL, VOICE and FAX"),
                Some((name, _)) if is_off(name) => faults.invalid(path, "a channel that is not turned off"),
                Some(_) => {}
            },
            "allowedDestinations" | "blockedDestinations" => {
                if !is_list(value, MOST_DESTINATIONS, |destination| is_text(destination, usize::MAX)) {
                    faults.invalid(path, "a list of at most 100 destinations, none of them empty");
                }
            }
            _ => faults.unknown(path),
        });
        if CHANNELS.iter().all(|(name, _)| is_off(name)) {
            self.invalid(&["channels"], "at least one channel that is not turned off");
        }
        if ["allowedDestinations", "blockedDestinations"].iter().all(|list| value.get(list).is_some()) {
            self.invalid(&["channels"], "allowedDestinations or blockedDestinations, not both");
        }
    }

    fn timing(&mut self, value: &Value) {
        self.fields(&["timing"], value, |faults, path, field, value| match field {
            "searchSlaMinutes" | "outboundWindowMinutes" => {
                if value.as_u64().is_none_or(|minutes| minutes == 0) {
                    faults.invalid(path, "a whole number of minutes, at least 1");
                }
            }
            // What else stands in it is not known; the vendor judges that.
            "businessHours" => {
                if !is_text(&value["timezone"], LONGEST_CODE) {
                    faults.invalid(path, "an object with a time zone: {\"timezone\": \"America/New_York\", …}");
                }
            }
            _ => faults.unknown(path),
        });
    }

    fn contact_hints(&mut self, path: &[&str], value: &Value) {
        let Some(hints) = value.as_array().filter(|hints| hints.len() <= MOST_HINTS) else {
            self.invalid(path, "a list of at most 100 contacts");
            return;
        };
        for (at, hint) in hints.iter().enumerate() {
            let at = at.to_string();
            let path = [path, &[at.as_str()]].concat();
            self.fields(&path, hint, |faults, path, field, value| match field {
                "email" if !value.as_str().is_some_and(crate::validate::is_email) => {
                    faults.invalid(path, "an e-mail address");
                }
                // The only priority that any page shows.
                "priority" if value != "HIGH" => faults.invalid(path, "HIGH, or no priority"),
                "email" | "priority" => {}
                _ => faults.unknown(path),
            });
            if hint.is_object() && hint.get("email").is_none() {
                self.invalid(&path, "a contact with an email");
            }
        }
    }
}

fn pointer(path: &[&str]) -> String {
    path.iter()
        .fold("/vendor_options".to_owned(), |pointer, name| pointer + "/" + &name.replace('~', "~0").replace('/', "~1"))
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
    fn takes_what_is_allowed_and_nothing_else() {
        let allowed = json!({
            "thirdPartyBan": ["TWN", " nsc "],
            "channels": {"email": true, "voice": false, "preferredChannel": "FAX", "blockedDestinations": ["a@b.example"]},
            "timing": {"searchSlaMinutes": 1, "outboundWindowMinutes": 60, "businessHours": {"timezone": "America/New_York"}},
            "research": {"skipResearch": true},
            "outbound": {"contactHints": [{"email": "hr@former.example", "priority": "HIGH"}, {"email": "x@former.example"}]},
            "questionnaireUrl": "https://forms.example/q", "questionnaireAccessCode": "1234", "one_order": true,
        });
        assert_eq!(faults(allowed), Vec::<String>::new());
        for key in [
            "externalSearchId",
            "notifications",
            "qaDestinations",
            "webhookConfig",
            "searchConfig",
            "defaultSearchConfig",
            "searchType",
            "a/b",
        ] {
            let escaped = key.replace('/', "~1");
            let expected = format!("unknown_field /checks/0/vendor_options/{escaped}");
            assert_eq!(faults(json!({ key: {} })), [expected]);
        }
        for (options, at) in [
            (json!({"outbound": {"qaDestinations": {}}}), "outbound/qaDestinations"),
            (json!({"channels": {"qaDestinations": {}}}), "channels/qaDestinations"),
            (json!({"research": {"depth": 1}}), "research/depth"),
            (json!({"timing": {"deadline": 1}}), "timing/deadline"),
            (
                json!({"outbound": {"contactHints": [{"email": "a@b.example"}, {"email": "a@b.example", "name": "Ada"}]}}),
                "outbound/contactHints/1/name",
            ),
        ] {
            assert_eq!(faults(options), [format!("unknown_field /checks/0/vendor_options/{at}")]);
        }
    }

    #[test]
    fn keeps_the_vendors_limits() {
        let many = |count: usize| vec!["a@b.example"; count];
        for (wrong, at) in [
            (json!({"one_order": "yes"}), "one_order"),
            (json!({"thirdPartyBan": "TWN"}), "thirdPartyBan"),
            (json!({"thirdPartyBan": ["unknown"]}), "thirdPartyBan"),
            (json!({"thirdPartyBan": [" "]}), "thirdPartyBan"),
            (json!({"thirdPartyBan": vec!["A"; 51]}), "thirdPartyBan"),
            (json!({"timing": {"searchSlaMinutes": 0}}), "timing/searchSlaMinutes"),
            (json!({"timing": {"outboundWindowMinutes": 1.5}}), "timing/outboundWindowMinutes"),
            (json!({"timing": {"businessHours": {}}}), "timing/businessHours"),
            (json!({"timing": {"businessHours": "9-5"}}), "timing/businessHours"),
            (json!({"timing": []}), "timing"),
            (json!({"research": {"skipResearch": "yes"}}), "research/skipResearch"),
            (json!({"channels": {"fax": "no"}}), "channels/fax"),
            (json!({"channels": {"preferredChannel": "PIGEON"}}), "channels/preferredChannel"),
            (json!({"channels": {"preferredChannel": "FAX", "fax": false}}), "channels/preferredChannel"),
            (json!({"channels": {"email": false, "voice": false, "fax": false}}), "channels"),
            (json!({"channels": {"allowedDestinations": [], "blockedDestinations": []}}), "channels"),
            (json!({"channels": {"allowedDestinations": many(101)}}), "channels/allowedDestinations"),
            (json!({"channels": {"blockedDestinations": [""]}}), "channels/blockedDestinations"),
            (json!({"outbound": {"contactHints": many(101)}}), "outbound/contactHints"),
            (json!({"outbound": {"contactHints": [{"priority": "HIGH"}]}}), "outbound/contactHints/0"),
            (json!({"outbound": {"contactHints": ["a@b.example"]}}), "outbound/contactHints/0"),
            (json!({"outbound": {"contactHints": [{"email": "nobody"}]}}), "outbound/contactHints/0/email"),
            (
                json!({"outbound": {"contactHints": [{"email": "a@b.example", "priority": "TOP"}]}}),
                "outbound/contactHints/0/priority",
            ),
            (json!({"questionnaireUrl": "http://forms.example"}), "questionnaireUrl"),
            (json!({"questionnaireUrl": 1}), "questionnaireUrl"),
            (json!({"questionnaireAccessCode": ""}), "questionnaireAccessCode"),
            (json!({"questionnaireAccessCode": "x".repeat(101)}), "questionnaireAccessCode"),
        ] {
            assert_eq!(faults(wrong.clone()), [format!("invalid /checks/0/vendor_options/{at}")], "{wrong}");
        }
        assert_eq!(faults(json!({"channels": {"allowedDestinations": many(100)}})), Vec::<String>::new());
    }
}
