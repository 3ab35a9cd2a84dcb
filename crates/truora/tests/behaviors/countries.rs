//! The table of required inputs, row by row: what the adapter asks for is what the vendor needs, in every country, for
//! people, companies and vehicles, with keys of both versions.

use domain::{CheckResult, CheckType, Outcome, Standing};
use provider::{Fetched, ItemOutcome, Provider as _, Share, SubmissionItem};
use serde_json::{Map, Value, json};

use super::{Site, context, item};

/// A row as `GET /v1/providers/truora` shows it.
struct Row {
    line: String,
    country: String,
    kind: String,
    ways: Vec<Vec<String>>,
    helpful: Vec<String>,
}

impl Row {
    fn read(line: &str) -> Self {
        let inputs = |text: &str| text.split(" + ").map(str::to_owned).collect::<Vec<_>>();
        let (whom, needs) = line.split_once(": ").expect("whom: what");
        let (required, helpful) = needs.split_once("; helps: ").unwrap_or((needs, ""));
        let (country, kind) = whom.split_once(' ').expect("a country and a kind");
        Self {
            line: line.to_owned(),
            country: country.to_owned(),
            kind: kind.split(',').next().expect("a kind").to_owned(),
            ways: required.split(", or ").map(inputs).collect(),
            helpful: if helpful.is_empty() { Vec::new() } else { inputs(helpful) },
        }
    }

    /// An item with these inputs and no others. `number` makes it one of its own.
    fn item(&self, inputs: &[String], number: u32, custom_type: Option<&str>) -> SubmissionItem {
        let given = |input: &str| inputs.iter().any(|given| given == input);
        let mut person = Map::new();
        for (input, value) in [
            ("first_name", "Lucía"),
            ("last_name", "Prueba"),
            ("date_of_birth", "1990-05-15"),
            ("gender", "female"),
            ("phone", "+573001234567"),
            ("nationality", "VE"),
        ] {
            if given(input) {
                person.insert(input.to_owned(), json!(value));
            }
        }
        let documents: Vec<_> = inputs.iter().filter_map(|input| self.document(input, given, number)).collect();
        let mut subject = match self.kind.as_str() {
            "vehicle" => {
                let mut vehicle = Map::new();
                for (input, value) in [("license_plate", format!("AB{number}01")), ("vin", format!("9BW{number}01"))] {
                    if given(input) {
                        vehicle.insert(input.to_owned(), json!(value));
                    }
                }
                if given("owner.identifier.value") {
                    let owner = json!({ "type": "tax_id", "country": self.country, "value": "90012345601" });
                    vehicle.insert("owner".to_owned(), json!({ "name": "Ejemplo SAS", "identifier": owner }));
                }
                person.insert("identifiers".to_owned(), documents.into());
                vehicle.insert("driver".to_owned(), person.into());
                vehicle
            }
            "company" => {
                person.insert("identifiers".to_owned(), documents.into());
                if given("name") {
                    person.insert("name".to_owned(), json!(format!("Ejemplo {number} SAS")));
                }
                person
            }
            _ => {
                person.insert("identifiers".to_owned(), documents.into());
                person
            }
        };
        subject.insert("type".to_owned(), json!(self.kind));
        let mut check = json!({ "country": self.country, "custom_type": custom_type });
        if given("region") {
            check["region"] = json!("SP");
        }
        item(&subject.into(), &check)
    }

    fn document(&self, input: &str, given: impl Fn(&str) -> bool, number: u32) -> Option<Value> {
        let kind = input.strip_prefix("identifiers[")?.strip_suffix(']')?;
        let value = if kind == "state_id" { "JALISCO".to_owned() } else { format!("10{number}01") };
        let mut document = json!({ "type": kind, "country": self.country, "value": value });
        if matches!(kind, "national_id" | "foreign_id" | "residence_permit") {
            if given("identifiers.issued_on") {
                document["issued_on"] = json!("2008-06-01");
            }
            if given("identifiers.serial") {
                document["serial"] = json!("A0012345");
            }
        }
        Some(document)
    }
}

/// Orders what is wanted and sees it through.
async fn must_be_checked(site: &Site, item: &SubmissionItem, case: &str) {
    let faults = site.truora.validate(&item.order, &item.check);
    assert!(faults.is_empty(), "{case}: does not validate: {faults:?}");
    let ItemOutcome::Accepted(accepted) = site.submit(item).await else { panic!("{case}: refused by the vendor") };
    site.advance(60);
    let Ok(Fetched::Found(snapshot)) = site.truora.fetch(&context(Share::Poll), &accepted.vendor).await else {
        panic!("{case}: not found")
    };
    let Standing::Completed { outcome, result: Some(CheckResult::Background(result)), reason, .. } = snapshot.standing
    else {
        panic!("{case}: not completed")
    };
    assert_eq!(outcome, Outcome::Clear, "{case}: {reason:?}");
    let scores = [result.score, result.score_by_id, result.score_by_name];
    assert!(scores.iter().all(|score| score.is_some_and(|score| score > 0.99)), "{case}: {scores:?}");
    assert!(result.sources.total > 0 && !result.datasets.is_empty(), "{case}");
}

#[tokio::test]
async fn every_row_of_the_table_is_ordered_and_finished() {
    for key_version in [0, 1] {
        let site = Site::with(json!({ "strict_inputs": true, "key_version": key_version })).await;
        let product = site.truora.descriptor().product(CheckType::BackgroundCheck).expect("it is offered");
        let rows: Vec<_> = product.required_inputs.iter().map(|line| Row::read(line)).collect();
        assert_eq!(rows.len(), 25, "the vendor's table");
        let mut number = 100_000;
        let mut ordered = 0;
        for row in &rows {
            let custom = (row.country != "CR").then_some("driver_screening");
            for way in &row.ways {
                let with_help = [way.as_slice(), row.helpful.as_slice()].concat();
                for (inputs, custom_type) in [(way, None), (&with_help, None), (way, custom)] {
                    number += 1;
                    let case = format!("key version {key_version}, {}, as {custom_type:?}: {inputs:?}", row.line);
                    must_be_checked(&site, &row.item(inputs, number, custom_type), &case).await;
                    ordered += 1;
                }
                // Without any one of them it is refused here, and would be there.
                for missing in way {
                    let inputs: Vec<_> = way.iter().filter(|input| *input != missing).cloned().collect();
                    number += 1;
                    let lacking = row.item(&inputs, number, None);
                    let case = format!("{}, without {missing}", row.line);
                    assert!(!site.truora.validate(&lacking.order, &lacking.check).is_empty(), "{case}");
                    let outcome = site.submit(&lacking).await;
                    assert!(!matches!(outcome, ItemOutcome::Accepted(_)), "{case}: the vendor takes it all the same");
                }
            }
        }
        assert!(ordered > 75, "{ordered}");
    }
}

#[tokio::test]
async fn countries_may_be_written_in_lower_case() {
    let site = Site::with(json!({ "strict_inputs": true })).await;
    let mut subject = crate::support::colombian("1032456701");
    subject["identifiers"][0]["country"] = json!("co");
    must_be_checked(&site, &item(&subject, &json!({ "country": "co" })), "in lower case").await;
}

#[tokio::test]
async fn every_region_of_brazil_is_taken() {
    let regions = [
        "AC", "AL", "AM", "AP", "BA", "CE", "DF", "ES", "GO", "MA", "MG", "MS", "MT", "PA", "PB", "PE", "PI", "PR",
        "RJ", "RN", "RO", "RR", "RS", "SC", "SE", "SP", "TO", "ALL",
    ];
    let site = Site::with(json!({ "strict_inputs": true })).await;
    for (at, region) in regions.into_iter().enumerate() {
        let document = json!({ "type": "national_id", "country": "BR", "value": format!("123456{at:02}01") });
        let subject = json!({
            "type": "person", "first_name": "Joana", "last_name": "Exemplo", "date_of_birth": "1979-12-31",
            "identifiers": [document],
        });
        must_be_checked(&site, &item(&subject, &json!({ "country": "BR", "region": region })), region).await;
    }
}

#[tokio::test]
async fn sources_that_gave_nothing_are_named_with_what_they_lacked() {
    let site = Site::start().await;
    let mut subject = crate::support::colombian("1032456701");
    subject["phone"] = Value::Null;
    let accepted = site.order(&item(&subject, &json!({ "country": "CO" }))).await;
    site.advance(60);
    let Ok(Fetched::Found(snapshot)) = site.truora.fetch(&context(Share::Poll), &accepted.vendor).await else {
        panic!("not found")
    };
    let Standing::Completed { result: Some(CheckResult::Background(result)), .. } = snapshot.standing else {
        panic!("not completed")
    };
    let skipped: Vec<_> = result.sources_missed.iter().filter(|source| source.status == "skipped").collect();
    let [source] = skipped.as_slice() else { panic!("one lacks the phone") };
    assert_eq!(source.name.as_deref(), Some("CO registry by phone number"));
    assert_eq!(source.invalid_inputs, ["phone"], "in our words, and once");
    assert_eq!(
        result.sources_missed.len(),
        usize::try_from(result.sources.skipped + result.sources.failed).expect("few")
    );
}
