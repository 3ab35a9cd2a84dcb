//! What a simulator of a vendor supplies; the rest is common to all.

use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use http::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::books::{BatchEntry, BookEntry, CreateCall};

/// A vendor, as seen from outside and behind the scenes.
pub trait Vendor: Send + Sync + 'static {
    /// The vendor's API, credentials included. The server puts faults and the control endpoints around it.
    fn router(self: Arc<Self>) -> Router;

    /// Which operation a request is: `create` (or `batch`, which makes many), `list`, `get`, `searches`, `cancel`, `document`, `token`, or a word of the
    /// vendor's own. Faults are armed, and calls are counted, by it.
    fn classify(&self, method: &Method, path: &str) -> &'static str;

    /// How the vendor words an error of this status.
    fn error_body(&self, status: StatusCode) -> Value;

    /// Everything the vendor holds, deleted or hidden objects too, oldest first.
    fn objects(&self) -> Vec<BookEntry>;

    /// The create calls whose work was begun, in the order they came, where the vendor keeps them.
    fn creates(&self) -> Vec<CreateCall> {
        Vec::new()
    }

    /// The batches that the vendor holds, oldest first, where it has such.
    fn batches(&self) -> Vec<BatchEntry> {
        Vec::new()
    }

    /// The vendor's switches, usually a [`Switches`].
    fn behavior(&self) -> &dyn Behavior;

    /// Makes objects of other clients of the same account: look-alikes of what is there, without our references.
    /// `options` is the whole body of the request. Gives the new ids.
    fn make_strangers(&self, count: usize, options: &Value) -> Vec<String>;

    /// Lets the time that went by take effect: moves objects on and sends the hooks that fall due. Called a few times a
    /// second, after each advance of the clock, and before the books are shown.
    fn tick(&self) {}
}

/// Switches that can be shown and changed as JSON.
pub trait Behavior: Send + Sync {
    fn show(&self) -> Value;

    /// Merges a JSON object into the switches (RFC 7396). `Err`: what is wrong with it; nothing was changed then.
    fn merge(&self, patch: &Value) -> Result<(), String>;
}

/// A simulator's switches as a plain struct. Give it `#[serde(deny_unknown_fields, default)]`, so that a misspelt switch
/// is refused.
#[derive(Debug, Default)]
pub struct Switches<T>(RwLock<T>);

impl<T: Clone> Switches<T> {
    pub fn new(switches: T) -> Self {
        Self(RwLock::new(switches))
    }

    /// How the switches stand now.
    pub fn get(&self) -> T {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn change(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl<T: Serialize + DeserializeOwned + Clone + Send + Sync> Behavior for Switches<T> {
    fn show(&self) -> Value {
        serde_json::to_value(self.get()).unwrap_or_default()
    }

    fn merge(&self, patch: &Value) -> Result<(), String> {
        let mut switches = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut merged = serde_json::to_value(&*switches).map_err(|error| error.to_string())?;
        merge(&mut merged, patch);
        *switches = serde_json::from_value(merged).map_err(|error| error.to_string())?;
        Ok(())
    }
}

/// RFC 7396, except that `null` sets a value to `null` rather than removing it: switches always exist.
fn merge(into: &mut Value, patch: &Value) {
    match (into, patch) {
        (Value::Object(into), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, patch) => *into = patch.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Clone, Default, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Example {
        echoes: bool,
        page: Page,
    }

    #[derive(Clone, Default, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Page {
        size: u32,
        lag_ms: Option<u64>,
    }

    #[test]
    fn switches_take_what_is_given_and_keep_the_rest() {
        let switches = Switches::new(Example { echoes: true, page: Page { size: 10, lag_ms: Some(5) } });
        switches.merge(&json!({"page": {"lag_ms": null}})).expect("merged");
        assert_eq!(switches.show(), json!({"echoes": true, "page": {"size": 10, "lag_ms": null}}));
        assert!(switches.merge(&json!({"ecoes": false})).is_err());
        assert!(switches.get().echoes);
    }
}
