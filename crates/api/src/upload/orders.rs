//! The JSON form of an upload: one object with all orders.

use std::io::Read as _;

use serde_json::Value;
use tabular::{Row, json};

use super::{Incoming, Rows};
use crate::faults::Faults;
use crate::problem::{Kind, Problem};

/// The most orders of a JSON body.
pub const MOST_ORDERS: usize = 1_000;

/// Reads the body and gives its orders as rows, numbered from 1.
pub fn read(incoming: &mut Incoming, rows: &mut Rows) -> Result<(), Problem> {
    let mut bytes = Vec::new();
    if incoming.read_to_end(&mut bytes).is_err() {
        // Why, the body itself knows better.
        return Err(Problem::new(Kind::Malformed, "The body broke off."));
    }
    if bytes.is_empty() {
        return Err(Problem::new(Kind::Malformed, "The body is empty; this operation needs a JSON object."));
    }
    let body = json::read(&bytes).map_err(|fault| Problem::new(Kind::Malformed, fault.0))?;
    drop(bytes);
    let mut faults = Faults::default();
    let Value::Object(mut body) = body else {
        faults.push("", "invalid", "Expected an object.");
        return faults.settle();
    };
    let orders = match body.remove("orders") {
        Some(Value::Array(orders)) if (1..=MOST_ORDERS).contains(&orders.len()) => orders,
        Some(Value::Array(orders)) if orders.is_empty() => {
            faults.push("/orders", "required", "A batch holds at least one order.");
            orders
        }
        Some(Value::Array(_)) => {
            let detail = format!("At most {MOST_ORDERS} orders are taken as JSON; send more as NDJSON, CSV or xlsx.");
            faults.push("/orders", "too_many", detail);
            Vec::new()
        }
        Some(_) => {
            faults.push("/orders", "invalid", "Expected an array of orders.");
            Vec::new()
        }
        None => {
            faults.push("/orders", "required", "This field is required.");
            Vec::new()
        }
    };
    if rows.open(Some((body, faults))).is_break() {
        return Ok(());
    }
    for (number, order) in (1..).zip(orders) {
        let content = match order {
            Value::Object(order) => Ok(order),
            _ => Err(vec![super::rows::fault("", "invalid", "Expected an object.")]),
        };
        if rows.take(Row { number, content }).is_break() {
            break;
        }
    }
    Ok(())
}
