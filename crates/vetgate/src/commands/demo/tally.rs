//! Holding what the gateway believes against the simulators' own books.

use std::collections::BTreeMap;

use sandbox::Books;
use serde::Serialize;
use serde_json::Value;

/// One vendor's counts. A check that gave way from one vendor to the next is counted at each that it was sent to.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Orders with a check at this vendor.
    pub orders: usize,
    /// Checks with a result.
    pub completed: usize,
    /// Checks that were accepted for this vendor. Each is to be made there once.
    pub checks_sent: usize,
    /// Objects in the vendor's own books.
    pub vendor_objects: usize,
    /// Checks that the vendor has no object for.
    pub lost: usize,
    /// Objects beyond one for each check.
    pub duplicated: usize,
    /// Create calls whose outcome was unknown.
    pub cases: usize,
}

/// Counts one vendor. `orders` and `cases` are the gateway's answers.
pub fn count(vendor: &str, orders: &[Value], cases: &[Value], books: &Books) -> Tally {
    let turns: Vec<_> = orders.iter().flat_map(checks_of).flat_map(turns_of).collect();
    let turns: Vec<_> = turns.iter().filter(|turn| turn.provider == vendor).collect();
    let mut objects_of: BTreeMap<&str, usize> = turns.iter().map(|turn| (turn.reference.as_str(), 0)).collect();
    let mut nobodys = 0;
    let objects = books.objects.iter().filter(|object| !object.stranger);
    for object in objects.clone() {
        match object.references.iter().find(|reference| objects_of.contains_key(reference.as_str())) {
            Some(reference) => *objects_of.entry(reference).or_default() += 1,
            None => nobodys += 1,
        }
    }
    let is_here = |order: &&Value| checks_of(order).flat_map(turns_of).any(|turn| turn.provider == vendor);
    Tally {
        orders: orders.iter().filter(is_here).count(),
        completed: turns.iter().filter(|turn| turn.status == "completed").count(),
        checks_sent: turns.len(),
        vendor_objects: objects.count(),
        lost: objects_of.values().filter(|count| **count == 0).count(),
        duplicated: nobodys + objects_of.values().map(|count| count.saturating_sub(1)).sum::<usize>(),
        cases: cases.iter().filter(|case| case["provider"] == vendor).count(),
    }
}

/// A check at one of the vendors that it was sent to.
struct Turn<'c> {
    provider: &'c str,
    status: &'c str,
    /// By which it is known there.
    reference: String,
}

/// The vendors that gave way, and the one that the check is at.
fn turns_of(check: &Value) -> Vec<Turn<'_>> {
    let id = check["id"].as_str().unwrap_or_default();
    let attempts = check["attempts"].as_array().into_iter().flatten();
    let all = attempts.chain(std::iter::once(check)).enumerate();
    all.map(|(before, turn)| Turn {
        provider: turn["provider"].as_str().unwrap_or_default(),
        status: turn["status"].as_str().unwrap_or_default(),
        reference: if before == 0 { id.to_owned() } else { format!("{id}_{}", before + 1) },
    })
    .collect()
}

/// What does not add up, in sentences. `spoiled`: how many calls were spoiled at each vendor.
pub fn complaints(
    tallies: &BTreeMap<&str, Tally>,
    orders: &[Value],
    cases: &[Value],
    spoiled: impl Fn(&str) -> usize,
) -> Vec<String> {
    let mut complaints = Vec::new();
    for (vendor, tally) in tallies {
        let Tally { completed, checks_sent, vendor_objects, lost, duplicated, cases, .. } = tally;
        if completed != checks_sent {
            complaints.push(format!("{vendor}: {completed} of {checks_sent} checks completed"));
        }
        if vendor_objects != checks_sent || *lost > 0 || *duplicated > 0 {
            complaints.push(format!("{vendor}: {checks_sent} checks and {vendor_objects} vendor objects: {lost} lost, {duplicated} duplicated"));
        }
        let spoiled = spoiled(vendor);
        if *cases != spoiled {
            complaints.push(format!("{vendor}: {cases} reconciliation cases where {spoiled} answers were lost"));
        }
    }
    for order in orders.iter().filter(|order| order["status"] != "completed") {
        complaints.push(format!("order {} is {}", order["external_id"], order["status"]));
    }
    for case in cases.iter().filter(|case| case["state"] != "resolved") {
        complaints.push(format!("case {} is {}", case["id"], case["state"]));
    }
    for check in orders.iter().flat_map(checks_of) {
        if check["status"] == "completed" && check["vendor"]["order_id"].is_null() {
            complaints.push(format!("check {} is completed without a vendor's object", check["id"]));
        }
    }
    complaints
}

/// The checks of an order.
pub fn checks_of(order: &Value) -> impl Iterator<Item = &Value> {
    order["checks"].as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn books(references: &[&[&str]]) -> Books {
        let object = |(number, references): (usize, &&[&str])| json!({ "id": format!("v{number}"), "references": references, "state": "open", "created_at": "2026-01-05T10:00:00Z" });
        let objects: Vec<_> = references.iter().enumerate().map(object).collect();
        serde_json::from_value(json!({ "objects": objects, "calls": {} })).unwrap()
    }

    fn order(checks: &[&str]) -> Value {
        let check =
            |id: &&str| json!({ "id": id, "provider": "theary", "status": "completed", "vendor": { "order_id": "v" } });
        json!({ "external_id": "D", "status": "completed", "checks": checks.iter().map(check).collect::<Vec<_>>() })
    }

    #[test]
    fn losses_and_doubles_do_not_make_up_for_each_other() {
        let orders = [order(&["a", "b"]), order(&["c"])];
        let tally = count("theary", &orders, &[], &books(&[&["a"], &["a"], &["b"]]));
        assert_eq!((tally.orders, tally.checks_sent, tally.vendor_objects), (2, 3, 3));
        assert_eq!((tally.lost, tally.duplicated), (1, 1));
        assert_eq!(complaints(&BTreeMap::from([("theary", tally)]), &orders, &[], |_| 0).len(), 1);
    }

    #[test]
    fn an_object_of_nobody_is_one_too_many() {
        let tally = count("theary", &[order(&["a"])], &[], &books(&[&["a"], &["x"], &[]]));
        assert_eq!((tally.lost, tally.duplicated), (0, 2));
    }

    #[test]
    fn a_check_is_counted_at_each_vendor_that_it_was_sent_to() {
        let mut order = order(&["a"]);
        order["checks"][0]["attempts"] = json!([{ "provider": "truework", "status": "completed" }]);
        let orders = [order];
        let (first, second) =
            (count("truework", &orders, &[], &books(&[&["a"]])), count("theary", &orders, &[], &books(&[&["a_2"]])));
        assert_eq!((first.orders, first.completed, first.checks_sent, first.lost), (1, 1, 1, 0));
        assert_eq!((second.orders, second.completed, second.checks_sent, second.lost), (1, 1, 1, 0));
        assert_eq!(count("theary", &orders, &[], &books(&[&["a"]])).lost, 1, "that is the first vendor's reference");
    }

    #[test]
    fn what_adds_up_is_not_complained_about() {
        let orders = [order(&["a"])];
        let tally = count("theary", &orders, &[], &books(&[&["a"]]));
        assert_eq!(complaints(&BTreeMap::from([("theary", tally)]), &orders, &[], |_| 0), Vec::<String>::new());
    }
}
