//! `[[routes]]`: which vendors are asked for a kind of check, in which order.

use domain::{CheckType, Wish};
use engine::Route;

use super::keys::Keys;

/// Reads the routes. One with a fault is left out.
pub fn take(keys: &mut Keys) -> Vec<Route> {
    let mut routes: Vec<Route> = Vec::new();
    for table in keys.tables("routes") {
        let Some(route) = take_route(keys, &table) else { continue };
        if routes.iter().any(|other| (other.check_type, &other.country) == (route.check_type, &route.country)) {
            keys.fault(&format!("{table}.check_type"), "there is another route for this kind and country. Keep one.");
        }
        routes.push(route);
    }
    // Read where nothing is, so that the keys of a route are known without one.
    let _ = take_route(keys, &Keys::probe("routes"));
    routes
}

fn take_route(keys: &mut Keys, table: &str) -> Option<Route> {
    let at = |key: &str| format!("{table}.{key}");
    let is_there = !table.ends_with("[]");
    let kind = keys.text(&at("check_type"), None);
    let check_type = kind.as_deref().and_then(CheckType::parse);
    if check_type.is_none() && is_there {
        let known = CheckType::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
        keys.fault(&at("check_type"), format!("expected one of {known}."));
    }
    let country = keys.text(&at("country"), None);
    if country.as_ref().is_some_and(|country| country != "ALL" && !is_country(country)) {
        keys.fault(&at("country"), "expected the two capital letters of a country (ISO 3166-1), such as US, or ALL.");
    }
    let names = keys.list(&at("providers"));
    if names.is_none() && is_there {
        keys.fault(&at("providers"), "is not set. Name the vendors in the order in which they are to be asked.");
    }
    let waterfall = keys.value(&at("waterfall"), Some("false"), "true or false");
    let providers: Option<Vec<Wish>> = names?.iter().map(|name| Wish::parse(name)).collect();
    if providers.is_none() {
        keys.fault(&at("providers"), "expected names such as theary, or truework:employer-search.");
    }
    Some(Route { check_type: check_type?, country, providers: providers?, waterfall: waterfall? })
}

fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}
