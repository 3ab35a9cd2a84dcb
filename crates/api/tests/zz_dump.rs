#[test]
fn dump() { std::fs::write("/tmp/openapi.json", api::openapi().to_pretty_json().unwrap()).unwrap(); }
