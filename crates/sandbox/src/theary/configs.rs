//! What the vendor demands of a search's config. Pure.

use serde_json::{Map, Value};

use super::habits::Habits;

/// The fields of a config and of its parts, as far as any page shows them.
const FIELDS: &[(&str, &[&str])] = &[
    ("", &["thirdPartyBan", "channels", "timing", "research", "outbound", "notifications", "qaDestinations"]),
    ("channels", &["email", "voice", "fax", "preferredChannel", "allowedDestinations", "blockedDestinations"]),
    ("timing", &["searchSlaMinutes", "outboundWindowMinutes", "businessHours"]),
    ("research", &["skipResearch"]),
    ("outbound", &["contactHints"]),
    ("notifications", &["webhookOverride"]),
    ("qaDestinations", &["email", "phone", "fax"]),
];

/// Everything wrong with a config, which may be left out.
pub fn faults(config: &Value, habits: &Habits, faults: &mut Vec<String>) {
    if config.is_null() {
        return;
    }
    if habits.strict_fields {
        for (part, known) in FIELDS {
            let object = if part.is_empty() { config } else { &config[*part] };
            let names = object.as_object().into_iter().flat_map(Map::keys);
            let unknown = names.filter(|name| !known.contains(&name.as_str()));
            faults.extend(unknown.map(|name| format!("searchConfig.{part}.{name} should not exist")));
        }
    }
    let is_code = |code: &Value| code.as_str().is_some_and(|code| !matches!(code.trim(), "" | "UNKNOWN" | "unknown"));
    demand(&config["thirdPartyBan"], "thirdPartyBan must hold at most 50 codes", faults, |ban| {
        is_list(ban, 50, is_code)
    });
    channels(&config["channels"], faults);
    let timing = &config["timing"];
    for name in ["searchSlaMinutes", "outboundWindowMinutes"] {
        demand(&timing[name], "minutes must be an integer of at least 1", faults, |value| {
            value.as_u64().is_some_and(|minutes| minutes > 0)
        });
    }
    demand(&timing["businessHours"], "businessHours.timezone should not be empty", faults, |hours| {
        hours["timezone"].is_string()
    });
    demand(&config["research"]["skipResearch"], "skipResearch must be a boolean", faults, Value::is_boolean);
    demand(&config["outbound"]["contactHints"], "contactHints must be contacts with an email", faults, |hints| {
        is_list(hints, 100, |hint| hint["email"].is_string())
    });
    if habits.production && !config["qaDestinations"].is_null() {
        faults.push("qaDestinations are not taken in production".to_owned());
    }
}

fn channels(channels: &Value, faults: &mut Vec<String>) {
    for name in ["email", "voice", "fax"] {
        demand(&channels[name], "channels must be booleans", faults, Value::is_boolean);
    }
    demand(&channels["preferredChannel"], "preferredChannel must be EMAIL, VOICE or FAX", faults, |word| {
        ["EMAIL", "VOICE", "FAX"].iter().any(|known| word == known)
    });
    let lists = ["allowedDestinations", "blockedDestinations"].map(|name| &channels[name]);
    for list in lists {
        demand(list, "at most 100 destinations", faults, |list| is_list(list, 100, Value::is_string));
    }
    if lists.iter().all(|list| !list.is_null()) {
        faults.push("allowedDestinations and blockedDestinations exclude each other".to_owned());
    }
}

/// What is there must be right.
fn demand(value: &Value, fault: &str, faults: &mut Vec<String>, is_right: impl Fn(&Value) -> bool) {
    if !value.is_null() && !is_right(value) {
        faults.push(fault.to_owned());
    }
}

fn is_list(value: &Value, most: usize, is_right: impl Fn(&Value) -> bool) -> bool {
    value.as_array().is_some_and(|entries| entries.len() <= most && entries.iter().all(is_right))
}
