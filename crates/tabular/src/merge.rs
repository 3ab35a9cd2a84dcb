use serde_json::{Map, Value};

/// Puts `defaults` under a row. What the row says wins, an explicit null too; objects merge, and so do the elements of
/// arrays that stand at the same position. An array is as long as the row says; one that the row does not have is the
/// defaults' own.
pub fn merge(defaults: &Map<String, Value>, mut row: Map<String, Value>) -> Map<String, Value> {
    fill(defaults, &mut row);
    row
}

fn fill(defaults: &Map<String, Value>, row: &mut Map<String, Value>) {
    for (key, default) in defaults {
        match row.get_mut(key) {
            None => {
                row.insert(key.clone(), default.clone());
            }
            Some(own) => under(default, own),
        }
    }
}

fn under(default: &Value, own: &mut Value) {
    match (default, own) {
        (Value::Object(defaults), Value::Object(own)) => fill(defaults, own),
        (Value::Array(defaults), Value::Array(own)) => {
            for (default, own) in defaults.iter().zip(own) {
                under(default, own);
            }
        }
        _ => {}
    }
}
