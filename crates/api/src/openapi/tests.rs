//! The document is complete, and leads nowhere that does not exist.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::scope::Scope;

fn document() -> Value {
    serde_json::to_value(super::openapi()).expect("json")
}

/// Every operation as (method, path, operation).
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let all = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("a path item").iter();
        methods.map(|(method, operation)| (method.clone(), path.clone(), operation))
    });
    all.collect()
}

#[test]
fn is_openapi_3_1() {
    assert!(document()["openapi"].as_str().expect("a version").starts_with("3.1"));
}

#[test]
fn every_operation_is_described_whole() {
    let document = document();
    let tags: BTreeSet<_> =
        document["tags"].as_array().expect("tags").iter().map(|tag| &tag["name"]).map(Value::to_string).collect();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let place = format!("{method} {path}");
        let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{place} has no operationId"));
        assert!(ids.insert(id.to_owned()), "{place}: {id} is used twice");
        assert!(
            operation["tags"].as_array().is_some_and(|own| own.len() == 1 && tags.contains(&own[0].to_string())),
            "{place}: tags"
        );
        assert!(operation["summary"].is_string(), "{place}: summary");
        let security = operation["security"].as_array().unwrap_or_else(|| panic!("{place} has no security"));
        if path.starts_with("/v1/") {
            let scope = security[0]["bearer"][0].as_str().unwrap_or_else(|| panic!("{place} names no scope"));
            assert!(Scope::ALL.iter().any(|known| known.as_str() == scope), "{place}: {scope}");
            // Whoever adds a method must let its answers be registered, too.
            assert!(matches!(method.as_str(), "get" | "post" | "put" | "patch" | "delete"), "{place}");
            for status in ["401", "403", "429", "500", "503"] {
                assert!(operation["responses"][status].is_object(), "{place}: no {status}");
            }
        }
        judge_contents(&place, &document, operation);
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["schema"].is_object(), "{place}: {parameter}");
        }
    }
    assert!(ids.len() >= 24, "{ids:?}");
}

/// What a value stands for: itself, or what it refers to.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap_or_else(|| panic!("{reference} leads nowhere")),
        None => value,
    }
}

fn judge_contents(place: &str, document: &Value, operation: &Value) {
    let body = operation["requestBody"]["content"].as_object();
    for content in body.into_iter().flat_map(|content| content.values()) {
        assert!(has_example(content), "{place}: the body has no example");
    }
    for (status, response) in operation["responses"].as_object().expect("responses") {
        let response = resolved(document, response);
        assert!(response["description"].as_str().is_some_and(|text| !text.is_empty()), "{place} {status}: description");
        let is_error = status.starts_with(['4', '5']);
        for (kind, content) in response["content"].as_object().into_iter().flatten() {
            assert!(has_example(content) || kind == "text/html", "{place} {status}: no example");
            if is_error {
                assert_eq!(kind, "application/problem+json", "{place} {status}");
                assert_eq!(content["schema"]["$ref"], "#/components/schemas/Problem", "{place} {status}");
            }
        }
        assert!(!is_error || response["content"].is_object(), "{place} {status}: an error without a body");
    }
}

fn has_example(content: &Value) -> bool {
    content["example"].is_object() || content["examples"].as_object().is_some_and(|examples| !examples.is_empty())
}

#[test]
fn no_reference_leads_nowhere() {
    let document = document();
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    assert!(references.len() > 40);
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("a reference within the document");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            references.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
            object.values().for_each(|value| collect(value, references));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}

#[test]
fn an_order_is_told_apart_by_type() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    assert_eq!(schemas["Subject"]["discriminator"]["propertyName"], "type");
    assert_eq!(schemas["NewCheck"]["oneOf"].as_array().map(Vec::len), Some(5));
    let check = &schemas["EmploymentVerificationCheck"];
    assert_eq!(check["additionalProperties"], false);
    assert_eq!(check["properties"]["type"]["enum"][0], "employment_verification");
    for field in ["employer", "provider", "account", "vendor_options"] {
        assert!(check["properties"][field].is_object(), "{field}");
    }
    let fields: BTreeSet<_> =
        schemas["NewOrder"]["properties"].as_object().expect("fields").keys().map(String::as_str).collect();
    assert_eq!(fields, crate::draft::FIELDS.iter().copied().collect());
}

/// Every example of the document is what its schema says.
#[test]
fn every_example_fits_its_schema() {
    let document = document();
    let mut judged = 0;
    for (method, path, operation) in operations(&document) {
        let bodies = operation["requestBody"]["content"].as_object().into_iter().flatten();
        let answers = operation["responses"].as_object().expect("responses").values();
        let answers = answers.filter_map(|answer| resolved(&document, answer)["content"].as_object()).flatten();
        for (_, content) in bodies.chain(answers) {
            let named = content["examples"].as_object().into_iter().flat_map(|examples| examples.values());
            let all = named.map(|example| &example["value"]).chain(content.get("example"));
            for example in all {
                let fault = misfit(&document, &content["schema"], example, "");
                assert_eq!(fault, None, "{method} {path}: {example}");
                judged += 1;
            }
        }
    }
    assert!(judged > 100, "{judged}");
}

/// Where and why the value is not what the schema says: as much of JSON Schema as the document uses.
fn misfit(document: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    let schema = resolved(document, schema);
    let fails = |schema: &Value| misfit(document, schema, value, at);
    if let Some(all) = schema["allOf"].as_array()
        && let Some(fault) = all.iter().find_map(fails)
    {
        return Some(fault);
    }
    if let Some(one) = schema["oneOf"].as_array() {
        let faults: Vec<_> = one.iter().map(fails).collect();
        if faults.iter().filter(|fault| fault.is_none()).count() != 1 {
            return Some(format!("{at} fits not exactly one of {faults:?}"));
        }
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = kinds.is_empty() || kinds.contains(&kind) || (kind == "integer" && kinds.contains(&"number"));
    if !fits {
        return Some(format!("{at} is {kind}, not {kinds:?}"));
    }
    if schema["enum"].as_array().is_some_and(|known| !known.contains(value)) {
        return Some(format!("{at} is none of the known words"));
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        if let Some(fault) = misfit(document, &schema["items"], item, &format!("{at}/{index}")) {
            return Some(fault);
        }
    }
    let object = value.as_object()?;
    if let Some(missing) = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|key| !object.contains_key(key.as_str().unwrap_or_default()))
    {
        return Some(format!("{at} has no {missing}"));
    }
    object.iter().find_map(|(key, value)| match schema["properties"].get(key) {
        Some(schema) => misfit(document, schema, value, &format!("{at}/{key}")),
        None if schema["additionalProperties"] == false => Some(format!("{at} must not have {key}")),
        None => None,
    })
}
