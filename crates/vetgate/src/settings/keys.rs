//! The keys of the settings as they were found, and how each is taken and judged.
//!
//! Every key is asked for by name exactly once. What was asked for is what is known; what was found and never asked for
//! is unknown. So there is no second list of keys that could differ from the first.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use secrecy::SecretString;
use toml::Value;
use url::Url;

/// What the variables of this program begin with.
pub const PREFIX: &str = "VETGATE_";

/// Variables under the prefix that say how a running gateway is called. They set nothing.
const OF_CALLERS: [&str; 2] = ["VETGATE_URL", "VETGATE_TOKEN"];

/// Where a value was found.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    File(String),
    Variable(String),
}

impl Origin {
    fn name(&self, path: &str) -> String {
        match self {
            Self::File(file) => format!("{file}, {path}"),
            Self::Variable(name) => name.clone(),
        }
    }
}

/// One thing that is wrong: where, what, and what to do. Never quotes a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub place: String,
    pub problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

/// A key that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Such as `theary.accounts[].id`.
    pub path: String,
    /// As it is written in the file.
    pub default: Option<String>,
}

struct Found {
    value: Value,
    origin: Origin,
}

/// Everything found in the file and the environment, by path.
#[derive(Default)]
pub struct Keys {
    found: BTreeMap<String, Found>,
    known: BTreeMap<String, Option<String>>,
    taken: BTreeSet<String>,
    faults: Vec<Fault>,
}

impl Keys {
    /// Lays a file's keys out. `name` is how faults speak of the file.
    pub fn add_file(&mut self, name: &str, text: &str) {
        match text.parse::<toml::Table>() {
            Ok(table) => self.flatten("", Value::Table(table), &Origin::File(name.to_owned())),
            Err(error) => {
                // The error's own text shows the line, which may hold a secret.
                let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
                let problem = format!("this is not TOML: {}. Correct the line.", error.message().trim_end_matches('.'));
                self.faults.push(Fault { place: format!("{name}, line {line}"), problem });
            }
        }
    }

    /// Lays the environment over it. An empty variable counts as not set.
    pub fn add_variables(&mut self, variables: impl IntoIterator<Item = (String, String)>) {
        for (name, value) in variables {
            let path = match name.strip_prefix(PREFIX) {
                Some(_) if OF_CALLERS.contains(&name.as_str()) => continue,
                Some(rest) => rest.to_ascii_lowercase().replace("__", "."),
                None if name == "DATABASE_URL" && !self.is_from_variable("database.url") => "database.url".to_owned(),
                None => continue,
            };
            if !value.is_empty() {
                self.found.insert(path, Found { value: Value::String(value), origin: Origin::Variable(name) });
            }
        }
    }

    fn is_from_variable(&self, path: &str) -> bool {
        self.found.get(path).is_some_and(|found| matches!(found.origin, Origin::Variable(_)))
    }

    fn flatten(&mut self, path: &str, value: Value, origin: &Origin) {
        match value {
            Value::Table(table) if !table.is_empty() || path.is_empty() => {
                for (key, value) in table {
                    let path = if path.is_empty() { key } else { format!("{path}.{key}") };
                    self.flatten(&path, value, origin);
                }
            }
            Value::Array(items) if items.iter().any(Value::is_table) => {
                for (index, item) in items.into_iter().enumerate() {
                    self.flatten(&format!("{path}[{index}]"), item, origin);
                }
            }
            value => {
                self.found.insert(path.to_owned(), Found { value, origin: origin.clone() });
            }
        }
    }

    /// The paths of a list of tables: `theary.accounts` gives `theary.accounts[0]`, … To make the keys of such a table
    /// known where there is none, one more is read by the path that [`Keys::probe`] gives.
    pub fn tables(&self, path: &str) -> Vec<String> {
        let tables = (0..).map(|index| format!("{path}[{index}]"));
        tables.take_while(|table| self.found.keys().any(|key| is_under(key, table))).collect()
    }

    /// A path below a list of tables at which nothing can be found.
    pub fn probe(path: &str) -> String {
        format!("{path}[]")
    }

    /// A fault at a key, whether it was found or is missing.
    pub fn fault(&mut self, path: &str, problem: impl Into<String>) {
        let place = self.place(path);
        self.faults.push(Fault { place, problem: problem.into() });
    }

    /// How a fault speaks of a key: where it was found, or how it can be set.
    pub fn place(&self, path: &str) -> String {
        match self.found.get(path) {
            Some(found) => found.origin.name(path),
            None if path.contains('[') => {
                // As the rest of its table.
                let table = path.rsplit_once('.').map_or(path, |(table, _)| table);
                let origin = self.found.iter().find(|(key, _)| is_under(key, table)).map(|(_, found)| &found.origin);
                origin.map_or_else(|| path.to_owned(), |origin| origin.name(path))
            }
            None => format!("{path} (variable {})", variable(path)),
        }
    }

    /// Whether the key was given at all.
    pub fn is_set(&self, path: &str) -> bool {
        self.found.contains_key(path)
    }

    /// The text of a key. Numbers and switches of the file are texts too, so that a variable can say the same.
    pub fn text(&mut self, path: &str, default: Option<&str>) -> Option<String> {
        self.note(path, default.map(as_written));
        let Some(found) = self.found.get(path) else { return default.map(str::to_owned) };
        let text = match &found.value {
            Value::String(text) => text.trim().to_owned(),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Boolean(switch) => switch.to_string(),
            Value::Table(_) | Value::Array(_) | Value::Datetime(_) => {
                self.fault(path, "expected one value. Write it as key = \"value\".");
                return None;
            }
        };
        if text.is_empty() {
            self.fault(path, "is empty. Give a value, or leave the line out.");
            return None;
        }
        Some(text)
    }

    /// A value of its own kind. `expected` says what is right, after "expected".
    pub fn value<T: FromStr>(&mut self, path: &str, default: Option<&str>, expected: &str) -> Option<T> {
        let text = self.text(path, default)?;
        let value = text.parse().ok();
        if value.is_none() {
            self.fault(path, format!("\"{text}\" is not right here: expected {expected}."));
        }
        value
    }

    /// A time such as `15m` or `2h 30m`.
    pub fn duration(&mut self, path: &str) -> Option<Duration> {
        let text = self.text(path, None)?;
        match humantime::parse_duration(&text) {
            Ok(duration) if !duration.is_zero() => Some(duration),
            _ => {
                self.fault(path, format!("\"{text}\" is not a time: expected one above zero such as 30s, 15m or 2h."));
                None
            }
        }
    }

    /// A time, or `off`: `Some(None)`.
    pub fn duration_or_off(&mut self, path: &str, default: &str) -> Option<Option<Duration>> {
        let text = self.text(path, Some(default))?;
        match humantime::parse_duration(&text) {
            _ if text == "off" => Some(None),
            Ok(duration) if !duration.is_zero() => Some(Some(duration)),
            _ => {
                self.fault(
                    path,
                    format!("\"{text}\" is not a time: expected one above zero such as 1h or 24h, or off."),
                );
                None
            }
        }
    }

    /// An address of the web. Not quoted in faults: it may hold a password.
    pub fn url(&mut self, path: &str, default: Option<&str>) -> Option<Url> {
        let url = self.text(path, default)?.parse::<Url>().ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if url.is_none() {
            self.fault(path, "expected an address that begins with https:// or http://.");
        }
        url
    }

    /// The address of a host alone; the adapters add the paths.
    pub fn host(&mut self, path: &str, default: &str) -> Option<Url> {
        let url = self.url(path, Some(default))?;
        if url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty() {
            return Some(url);
        }
        self.fault(path, format!("expected scheme and host only, such as {default}."));
        None
    }

    /// One of several words.
    pub fn word<T: Copy>(&mut self, path: &str, default: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(path, Some(default))?;
        let word = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if word.is_none() {
            let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            self.fault(path, format!("\"{text}\" is not known here: expected {}.", known.join(" or ")));
        }
        word
    }

    /// A list: an array, or one text with commas.
    pub fn list(&mut self, path: &str) -> Option<Vec<String>> {
        self.note(path, None);
        let items = match &self.found.get(path)?.value {
            Value::Array(items) => {
                items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
            }
            Value::String(text) => Some(text.split(',').map(str::to_owned).collect()),
            _ => None,
        };
        let items = items.map(|items| items.iter().map(|item| item.trim().to_owned()).collect::<Vec<_>>());
        match items {
            Some(items) if !items.is_empty() && items.iter().all(|item| !item.is_empty()) => Some(items),
            _ => {
                self.fault(path, "expected a list of texts, such as [\"one\", \"two\"].");
                None
            }
        }
    }

    /// A key or password. One that is written in the examples is refused.
    pub fn secret(&mut self, path: &str) -> Option<SecretString> {
        let text = self.text(path, None)?;
        if is_placeholder(&text) {
            self.fault(path, "is still the example's value. Put the real one there, or leave the key out.");
            return None;
        }
        Some(text.into())
    }

    /// Notes that a key is known and was looked at.
    fn note(&mut self, path: &str, default: Option<String>) {
        self.taken.insert(path.to_owned());
        self.known.insert(generic(path), default);
    }

    /// Ends the reading: what is known, the faults, and the warnings.
    pub fn finish(mut self) -> (Vec<Known>, Vec<Fault>, Vec<String>) {
        let mut warnings = Vec::new();
        for (path, found) in &self.found {
            if self.taken.contains(path) {
                continue;
            }
            match &found.origin {
                Origin::Variable(name) => {
                    let near = self.nearest(path).map(|near| format!(" Did you mean {}?", variable(&near)));
                    warnings
                        .push(format!("{name}: there is no such setting; it is not used.{}", near.unwrap_or_default()));
                }
                Origin::File(_) if is_empty_table(&found.value) && self.known.keys().any(|key| is_under(key, path)) => {
                }
                Origin::File(_) => {
                    let near = self.nearest(path).map(|near| format!(" Did you mean {near}?"));
                    let problem =
                        format!("there is no such key.{} Correct it, or remove it.", near.unwrap_or_default());
                    self.faults.push(Fault { place: found.origin.name(path), problem });
                }
            }
        }
        let known = self.known.into_iter().map(|(path, default)| Known { path, default }).collect();
        (known, self.faults, warnings)
    }

    /// The known key that is most like this one, if one is like it at all.
    fn nearest(&self, path: &str) -> Option<String> {
        let path = generic(path);
        let likeness = |known: &&String| {
            // A key in the wrong place is like the one of its name, too.
            let of_name = strsim::jaro_winkler(last(known), last(&path)) * 0.95;
            strsim::jaro_winkler(known, &path).max(of_name)
        };
        let best = self.known.keys().max_by(|one, other| likeness(one).total_cmp(&likeness(other)))?;
        (likeness(&best) > 0.8).then(|| best.clone())
    }
}

/// A value as the file has it: numbers and switches without quotes.
fn as_written(value: &str) -> String {
    let is_bare = value.parse::<f64>().is_ok() || value.parse::<bool>().is_ok();
    if is_bare { value.to_owned() } else { format!("{value:?}") }
}

/// Whether a value is one of those that examples are written with.
pub fn is_placeholder(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["change-me", "changeme", "change_me", "replace-me"].iter().any(|word| text.contains(word))
        || (text.starts_with('<') && text.ends_with('>'))
        || text.ends_with("...")
}

/// Whether the bytes are so few different ones that nobody drew them at random.
pub fn is_trivial(bytes: &[u8]) -> bool {
    bytes.iter().collect::<BTreeSet<_>>().len() < 8
}

/// The variable that sets a key.
pub fn variable(path: &str) -> String {
    format!("{PREFIX}{}", path.to_ascii_uppercase().replace('.', "__"))
}

/// The path with every `[3]` as `[]`.
fn generic(path: &str) -> String {
    let mut generic = String::with_capacity(path.len());
    let mut inside = false;
    for character in path.chars() {
        inside = inside && character != ']';
        if !inside {
            generic.push(character);
        }
        inside |= character == '[';
    }
    generic
}

fn is_under(key: &str, parent: &str) -> bool {
    key.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

fn is_empty_table(value: &Value) -> bool {
    value.as_table().is_some_and(toml::Table::is_empty)
}

fn last(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(_, last)| last)
}
