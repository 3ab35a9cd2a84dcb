use domain::{FieldPlace, IdentifierType};
use serde_json::{Value, json};

use super::*;
use crate::countries::ROWS;
use crate::fixtures::{check, colombian, order};

/// The order and check of a row with these inputs and no more than it takes to fall under that row.
fn with(row: &Row, inputs: &[Input]) -> (Value, Value) {
    let is_foreigner = row.residence == Some(Residence::Foreigner);
    let mut documents = Vec::new();
    let mut person = json!({});
    let mut subject = json!({ "type": row.kind.as_str() });
    let mut check = json!({ "country": row.country });
    if is_foreigner {
        // Says that it is a foreigner, even where the foreigner's paper is left out.
        documents.push(json!({ "type": "national_id", "country": "VE", "value": "18765432" }));
    }
    for input in inputs {
        match input {
            Input::FirstName => person["first_name"] = json!("Lucía"),
            Input::LastName => person["last_name"] = json!("Prueba"),
            Input::DateOfBirth => person["date_of_birth"] = json!("1990-05-15"),
            Input::Gender => person["gender"] = json!("female"),
            Input::PhoneNumber => person["phone"] = json!("+573001234567"),
            Input::NativeCountry => person["nationality"] = json!("VE"),
            Input::LicensePlate => subject["license_plate"] = json!("ABC123"),
            Input::CompanyName => subject["name"] = json!("Ejemplo SAS"),
            Input::Region => check["region"] = json!("sp"),
            Input::IssueDate => {}
            _ => {
                let kind = input.document().expect("a document").as_str();
                documents.push(json!({ "type": kind, "country": row.country, "value": "1032456701" }));
            }
        }
    }
    if inputs.contains(&Input::IssueDate) {
        for document in &mut documents {
            document["issued_on"] = json!("2008-06-01");
        }
    }
    match row.kind {
        Kind::Company => subject["identifiers"] = json!(documents),
        Kind::Person => {
            subject.as_object_mut().expect("an object").extend(person.as_object().expect("an object").clone());
            subject["identifiers"] = json!(documents);
        }
        Kind::Vehicle => {
            person["identifiers"] = json!(documents);
            subject["driver"] = person;
        }
    }
    (subject, check)
}

fn faults_of((subject, fields): &(Value, Value)) -> Vec<FieldError> {
    faults(&order(subject), &check(fields))
}

fn pointers(faults: &[FieldError]) -> Vec<&str> {
    faults.iter().map(|FieldError { place: FieldPlace::Order(p) | FieldPlace::Check(p), .. }| p.as_str()).collect()
}

fn expected(input: Input, row: &Row, left: &Value) -> String {
    let person = if row.kind == Kind::Vehicle { "/subject/driver" } else { "/subject" };
    match input {
        Input::Region => "/region".to_owned(),
        Input::LicensePlate => "/subject/license_plate".to_owned(),
        Input::CompanyName => "/subject/name".to_owned(),
        Input::FirstName | Input::LastName | Input::DateOfBirth | Input::Gender => format!("{person}/{}", input.ours()),
        Input::PhoneNumber => format!("{person}/phone"),
        Input::NativeCountry => format!("{person}/nationality"),
        Input::IssueDate => {
            let person = if row.kind == Kind::Vehicle { &left["driver"] } else { left };
            let is_paper = |id: &Value| id["country"] == row.country && id["type"] != "national_id";
            let papers = person["identifiers"].as_array().expect("a list");
            let at = papers.iter().position(is_paper).expect("the paper");
            format!(
                "{}/identifiers/{at}/issued_on",
                if row.kind == Kind::Vehicle { "/subject/driver" } else { "/subject" }
            )
        }
        _ => format!("{person}/identifiers"),
    }
}

#[test]
fn every_complete_set_of_inputs_of_every_row_validates() {
    for row in ROWS {
        for way in row.ways {
            let given = with(row, way);
            let faults = faults_of(&given);
            assert!(faults.is_empty(), "{}: {faults:?}", row.describe());
        }
    }
}

#[test]
fn every_missing_input_of_every_row_is_named() {
    for row in ROWS {
        for way in row.ways {
            for lacking in *way {
                let left: Vec<_> = way.iter().copied().filter(|input| input != lacking).collect();
                let given = with(row, &left);
                let faults = faults_of(&given);
                let case = format!("{} without {lacking:?}: {faults:?}", row.describe());
                // Where two sets lack equally little, the first is asked for, and the other is told of.
                let shortest =
                    row.ways.iter().find(|other| other.iter().filter(|input| !left.contains(input)).count() == 1);
                let lacks = shortest.and_then(|way| way.iter().find(|input| !left.contains(input))).unwrap_or(lacking);
                assert_eq!(pointers(&faults), [expected(*lacks, row, &given.0)], "{case}");
                assert!(faults.iter().all(|fault| fault.code == "required"), "{case}");
                let told = row.ways.len() == 1 || faults[0].detail.contains(lacking.ours());
                assert!(told, "{case}");
            }
        }
    }
}

#[test]
fn all_that_is_missing_is_named_at_once() {
    let bare = (json!({ "type": "person" }), json!({ "country": "BR" }));
    assert_eq!(pointers(&faults_of(&bare)), ["/subject/identifiers", "/subject/date_of_birth", "/region"]);
    let vehicle = (json!({ "type": "vehicle" }), json!({ "country": "CO" }));
    assert_eq!(pointers(&faults_of(&vehicle)), ["/subject/driver/identifiers", "/subject/license_plate"]);
}

#[test]
fn a_person_of_unknown_residence_hears_of_both() {
    let faults = faults_of(&(json!({ "type": "person" }), json!({ "country": "CL" })));
    assert_eq!(pointers(&faults), ["/subject/identifiers"]);
    assert!(
        faults[0].detail.contains("national_id") && faults[0].detail.contains("foreign_id"),
        "{}",
        faults[0].detail
    );
}

#[test]
fn where_the_vendor_has_no_such_check_the_country_is_wrong() {
    for (kind, country) in
        [("company", "CL"), ("company", "PE"), ("company", "CR"), ("vehicle", "ALL"), ("person", "EC")]
    {
        let faults = faults_of(&(json!({ "type": kind }), json!({ "country": country })));
        assert_eq!(pointers(&faults), ["/country"], "{kind} in {country}");
        assert_eq!(faults[0].code, "not_supported");
    }
}

#[test]
fn a_country_may_be_written_in_small_letters() {
    assert!(faults_of(&(colombian(), json!({ "country": "co" }))).is_empty());
}

#[test]
fn documents_of_other_countries_do_not_count() {
    let mut subject = colombian();
    subject["identifiers"] = json!([{ "type": "national_id", "country": "PE", "value": "12345678" }]);
    let faults = faults_of(&(subject, json!({ "country": "CO" })));
    // A Peruvian in Colombia: asked for as a foreigner.
    assert_eq!(pointers(&faults), ["/subject/identifiers"]);
    assert!(faults[0].detail.contains("with its date of issue"), "{}", faults[0].detail);
    assert!(faults[0].detail.contains(IdentifierType::ForeignId.as_str()), "{}", faults[0].detail);
}

#[test]
fn an_empty_value_is_a_missing_one() {
    let mut subject = colombian();
    subject["identifiers"] = json!([{ "type": "national_id", "country": "CO", "value": "  " }]);
    assert_eq!(pointers(&faults_of(&(subject, json!({ "country": "CO" })))), ["/subject/identifiers"]);
}

#[test]
fn a_mexican_is_searched_by_names_only_as_male_or_female() {
    let subject = json!({
        "type": "person", "first_name": "Ximena", "last_name": "Muestra", "date_of_birth": "1985-01-02", "gender": "other",
        "identifiers": [{ "type": "state_id", "country": "MX", "value": "JALISCO" }],
    });
    // The number would do as well, and is asked for first.
    let faults = faults_of(&(subject, json!({ "country": "MX" })));
    assert_eq!(pointers(&faults), ["/subject/identifiers"]);
    assert!(faults[0].detail.contains("gender"), "{}", faults[0].detail);
}

#[test]
fn a_foreigner_in_chile_comes_from_a_country_that_the_vendor_knows() {
    let row =
        ROWS.iter().find(|row| row.country == "CL" && row.residence == Some(Residence::Foreigner)).expect("a row");
    let (mut subject, check) = with(row, row.ways[0]);
    subject["nationality"] = json!("DE");
    let faults = faults_of(&(subject, check));
    assert_eq!(pointers(&faults), ["/subject/nationality"]);
    assert_eq!(faults[0].code, "not_supported");
}

#[test]
fn an_owner_is_known_by_certain_documents() {
    let mut vehicle = json!({ "type": "vehicle", "license_plate": "ABC123", "driver": colombian() });
    vehicle["driver"].as_object_mut().expect("an object").remove("type");
    let mut with_owner = |kind: &str| {
        vehicle["owner"] = json!({ "identifier": { "type": kind, "country": "CO", "value": "900123456" } });
        faults_of(&(vehicle.clone(), json!({ "country": "CO" })))
    };
    for kind in ["national_id", "foreign_id", "tax_id", "passport"] {
        assert!(with_owner(kind).is_empty(), "{kind}");
    }
    assert_eq!(pointers(&with_owner("ssn")), ["/subject/owner/identifier/type"]);
}

#[test]
fn fields_of_one_country_are_refused_in_others() {
    let faults_with = |fields: Value| {
        let faults = faults_of(&(colombian(), fields));
        pointers(&faults).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(faults_with(json!({ "country": "CO", "region": "SP" })), ["/region"]);
    assert_eq!(faults_with(json!({ "country": "CO", "payment_date": "2026-01-01" })), ["/payment_date"]);
    assert_eq!(faults_with(json!({ "country": "CO", "certificate_folio": "1" })), ["/certificate_folio"]);
    let brazilian = json!({
        "type": "person", "date_of_birth": "1979-12-31",
        "identifiers": [{ "type": "national_id", "country": "BR", "value": "12345678901" }],
    });
    for (region, is_good) in [("SP", true), ("df", true), ("ALL", true), ("XX", false)] {
        let faults = faults_of(&(brazilian.clone(), json!({ "country": "BR", "region": region })));
        assert_eq!(faults.is_empty(), is_good, "{region}: {faults:?}");
        assert!(is_good || pointers(&faults) == ["/region"], "said once");
    }
}

#[test]
fn custom_types_have_names_of_their_own_and_countries() {
    let faults_with = |name: &str, country: &str| {
        let subject = json!({
            "type": "person", "first_name": "Lucía", "last_name": "Prueba",
            "identifiers": [{ "type": "national_id", "country": country, "value": "1032456701" }],
        });
        faults_of(&(subject, json!({ "country": country, "custom_type": name })))
    };
    assert!(faults_with("hiring", "CO").is_empty());
    for name in ["", " ", "person", "company", "vehicle"] {
        assert_eq!(pointers(&faults_with(name, "CO")), ["/custom_type"], "{name:?}");
    }
    assert_eq!(pointers(&faults_with("hiring", "CR")), ["/custom_type"]);
}

#[test]
fn options_are_on_a_list() {
    let faults_with = |options: Value| {
        let faults = faults_of(&(colombian(), json!({ "country": "CO", "vendor_options": options })));
        pointers(&faults).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(faults_with(json!({ "priority": "high", "imei": "123456789012345", "report_id": "RPT1" })).is_empty());
    assert_eq!(faults_with(json!({ "priority": "urgent" })), ["/vendor_options/priority"]);
    assert_eq!(faults_with(json!({ "imei": "12" })), ["/vendor_options/imei"]);
    assert_eq!(faults_with(json!({ "escrow": 5 })), ["/vendor_options/escrow"]);
    for forbidden in ["custom_input", "force_creation", "user_authorized", "watch", "type", "a/b~c"] {
        let escaped = forbidden.replace('~', "~0").replace('/', "~1");
        assert_eq!(faults_with(json!({ forbidden: "true" })), [format!("/vendor_options/{escaped}")]);
    }
}

#[test]
fn other_products_are_not_offered() {
    let identity = json!({ "spec": { "type": "identity_verification", "country": "CO" } });
    let check: CheckInput = serde_json::from_value(identity).expect("a check");
    let faults = faults(&order(&colombian()), &check);
    assert_eq!(pointers(&faults), ["/type"]);
}
