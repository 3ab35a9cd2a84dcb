//! JSON read strictly: what two readers could take for two things is refused.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Deeper nesting is refused; nothing in the contract comes near it.
pub const DEEPEST: usize = 64;

/// The most bytes of a key. A fault names its place by keys, so that long ones would make long answers.
pub const LONGEST_KEY: usize = 200;

/// Why a body is not JSON that is taken here, with where. Quotes nothing of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonFault(pub String);

/// Reads one JSON document: at most [`DEEPEST`] levels deep, keys of at most [`LONGEST_KEY`] bytes, none twice in one
/// object, nothing behind it.
pub fn read(bytes: &[u8]) -> Result<Value, JsonFault> {
    parse(bytes).map_err(|error| {
        JsonFault(describe(&error, "body", &format!("line {}, column {}", error.line(), error.column())))
    })
}

/// Like [`read`], of a document that is a line of a file.
pub fn read_line(line: &[u8]) -> Result<Value, JsonFault> {
    parse(line).map_err(|error| JsonFault(describe(&error, "line", &format!("column {}", error.column()))))
}

fn parse(bytes: &[u8]) -> serde_json::Result<Value> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: 0 }.deserialize(&mut reader)?;
    reader.end().map(|()| value)
}

fn describe(error: &serde_json::Error, whole: &str, place: &str) -> String {
    use serde_json::error::Category;
    match error.classify() {
        Category::Eof => format!("The JSON ends too early, at {place}."),
        Category::Data => {
            let text = error.to_string();
            // Our own texts, which the library only adds the place to.
            let own = [TOO_DEEP, TOO_LONG, TWICE]
                .into_iter()
                .find(|own| text.starts_with(own))
                .unwrap_or("a value cannot be read");
            format!("The JSON cannot be taken: {own}, at {place}.")
        }
        // The texts of syntax errors name what was expected, never what was there.
        _ => {
            let text = error.to_string();
            let what = text.split(" at line ").next().unwrap_or("syntax error");
            format!("The {whole} is not JSON: {what}, at {place}.")
        }
    }
}

const TOO_DEEP: &str = "it nests more than 64 levels deep";
const TOO_LONG: &str = "an object has a key of more than 200 bytes";
const TWICE: &str = "an object has the same key twice";

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        if self.depth >= DEEPEST { Err(E::custom(TOO_DEEP)) } else { Ok(Self { depth: self.depth + 1 }) }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if key.len() > LONGEST_KEY {
                return Err(de::Error::custom(TOO_LONG));
            }
            let value = entries.next_value_seed(inner)?;
            if object.insert(key, value).is_some() {
                return Err(de::Error::custom(TWICE));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        read(text.as_bytes()).expect_err("a fault").0
    }

    #[test]
    fn reads_what_is_json() {
        let text = r#" {"a": [1, -2, 3.5, true, null, "ü\u00e9\ud83d\ude00"], "b": {}} "#;
        assert_eq!(read(text.as_bytes()).expect("json"), serde_json::from_str::<Value>(text).expect("json"));
    }

    #[test]
    fn says_where_it_stops_being_json() {
        assert_eq!(fault("{\"a\": 1,}"), "The body is not JSON: trailing comma, at line 1, column 9.");
        assert_eq!(fault("{\"a\": \n\"b"), "The JSON ends too early, at line 2, column 2.");
        assert_eq!(fault("{} {}"), "The body is not JSON: trailing characters, at line 1, column 4.");
        assert_eq!(
            fault("{\"a\":1,\"a\":2}"),
            "The JSON cannot be taken: an object has the same key twice, at line 1, column 13."
        );
        assert!(fault("[1e999]").contains("number out of range"), "{}", fault("[1e999]"));
        assert!(fault("\"\\ud800\"").starts_with("The "), "{}", fault("\"\\ud800\""));
        let told = read_line(b"{\"a\" 1}").expect_err("a fault").0;
        assert_eq!(told, "The line is not JSON: expected `:`, at column 6.");
    }

    #[test]
    fn refuses_long_keys_and_does_not_repeat_them() {
        let with = |key: &str| format!("{{\"a\": {{\"{key}\": 1}}}}");
        assert!(read(with(&"k".repeat(200)).as_bytes()).is_ok());
        for key in ["k".repeat(201), "ü".repeat(101), "k".repeat(1_000_000)] {
            let told = fault(&with(&key));
            assert!(told.contains("a key of more than 200 bytes, at line 1, column ") && told.len() < 120, "{told}");
        }
    }

    #[test]
    fn refuses_what_nests_too_deeply() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(nested(64).as_bytes()).is_ok());
        for depth in [65, 100, 127, 128, 129, 100_000] {
            assert!(fault(&nested(depth)).contains(if depth < 129 { "64 levels" } else { "" }), "{depth}");
        }
    }
}
