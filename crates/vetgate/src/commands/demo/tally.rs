//! Holding what the gateway believes against the simulators' own books.

use std::collections::BTreeMap;

use sandbox::Books;
use serde::Serialize;
use serde_json::Value;

/// One vendor's counts.
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
    let of_vendor = |check: &&Value| check["provider"] == vendor;
    let checks: Vec<&Value> = orders.iter().flat_map(checks_of).filter(of_vendor).collect();
    let mut objects_of: BTreeMap<&str, usize> =
        checks.iter().filter_map(|check| check["id"].as_str()).map(|id| (id, 0)).collect();
    let mut nobodys = 0;
    let objects = books.objects.iter().filter(|object| !object.stranger);
    for object in objects.clone() {
        match object.references.iter().find(|reference| objects_of.contains_key(reference.as_str())) {
            Some(reference) => *objects_of.entry(reference).or_default() += 1,
            None => nobodys += 1,
        }
    }
    Tally {
        orders: orders.iter().filter(|order| checks_of(order).any(|check| of_vendor(&check))).count(),
        completed: checks.iter().filter(|check| check["status"] == "completed").count(),
        checks_sent: checks.len(),
        vendor_objects: objects.count(),
        lost: objects_of.values().filter(|count| **count == 0).count(),
        duplicated: nobodys + objects_of.values().map(|count| count.saturating_sub(1)).sum::<usize>(),
        cases: cases.iter().filter(|case| case["provider"] == vendor).count(),
    }
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
    fn what_adds_up_is_not_complained_about() {
        let orders = [order(&["a"])];
        let tally = count("theary", &orders, &[], &books(&[&["a"]]));
        assert_eq!(complaints(&BTreeMap::from([("theary", tally)]), &orders, &[], |_| 0), Vec::<String>::new());
    }
}
