//! What the vendor demands of a create call, as its pages say. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::habits::Habits;

/// Everything wrong with an order, in the vendor's manner: one sentence per fault.
pub fn faults(order: &Value, habits: &Habits) -> Vec<String> {
    let mut faults = Vec::new();
    let Some(fields) = order.as_object() else { return vec!["order must be an object".to_owned()] };
    if habits.strict_fields {
        unknown_fields(fields, &mut faults);
    }
    applicant(&order["applicant"], habits, &mut faults);
    business_context(&order["businessContext"], habits, &mut faults);
    search_types(order, habits, &mut faults);
    webhooks("webhookConfig", &order["webhookConfig"], &mut faults);
    faults
}

fn unknown_fields(fields: &Map<String, Value>, faults: &mut Vec<String>) {
    const TOP: &[&str] =
        &["applicant", "businessContext", "searchTypes", "history", "webhookConfig", "defaultSearchConfig"];
    const APPLICANT: &[&str] = &[
        "firstName",
        "lastName",
        "ssn",
        "birthday",
        "phone",
        "email",
        "signedReleaseFileUrl",
        "addresses",
        "applicantAlias",
    ];
    const CONTEXT: &[&str] = &[
        "entityName",
        "appliedJobTitle",
        "worksiteCity",
        "worksiteState",
        "proposedSalary",
        "positionLevel",
        "securityClearanceRequired",
        "industrySector",
    ];
    const SEARCH: &[&str] =
        &["searchType", "externalSearchId", "questionnaireUrl", "questionnaireAccessCode", "searchConfig"];
    const JOB: &[&str] =
        &["employerName", "position", "employerLocation", "employerEmail", "employerPhone", "startDate", "endDate"];
    const SCHOOL: &[&str] = &[
        "institutionName",
        "qualification",
        "fieldOfStudy",
        "graduationDate",
        "institutionContactEmail",
        "institutionContactPhone",
    ];
    let mut check = |at: &str, value: Option<&Value>, known: &[&str]| {
        let names = value.and_then(Value::as_object).into_iter().flat_map(Map::keys);
        faults.extend(
            names.filter(|name| !known.contains(&name.as_str())).map(|name| format!("{at}{name} should not exist")),
        );
    };
    check("", Some(&Value::Object(fields.clone())), TOP);
    check("applicant.", fields.get("applicant"), APPLICANT);
    check("businessContext.", fields.get("businessContext"), CONTEXT);
    for search in list(fields.get("searchTypes")) {
        check("searchTypes.", Some(search), SEARCH);
    }
    let history = fields.get("history");
    check("history.", history, &["employment", "education"]);
    list(history.and_then(|history| history.get("employment"))).for_each(|job| check("employment.", Some(job), JOB));
    list(history.and_then(|history| history.get("education"))).for_each(|one| check("education.", Some(one), SCHOOL));
}

fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.trim().is_empty())
}

fn demand(at: &str, object: &Value, names: &[&str], faults: &mut Vec<String>) {
    for name in names {
        if text(&object[*name]).is_none() {
            faults.push(format!("{at}.{name} should not be empty"));
        }
    }
}

fn is_date(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        text.len() == 10
            && text.bytes().enumerate().all(|(at, b)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() })
    })
}

fn dates(at: &str, object: &Value, names: &[&str], faults: &mut Vec<String>) {
    for name in names {
        if !object[*name].is_null() && !is_date(&object[*name]) {
            faults.push(format!("{at}.{name} must be YYYY-MM-DD"));
        }
    }
}

fn applicant(applicant: &Value, habits: &Habits, faults: &mut Vec<String>) {
    demand("applicant", applicant, &["firstName", "lastName", "ssn"], faults);
    let ssn = applicant["ssn"].as_str().unwrap_or_default();
    let form: String = ssn.chars().map(|letter| if letter.is_ascii_digit() { 'X' } else { letter }).collect();
    if form != "XXX-XX-XXXX" {
        faults.push("applicant.ssn must match XXX-XX-XXXX".to_owned());
    }
    dates("applicant", applicant, &["birthday"], faults);
    if applicant.get("email").is_some_and(|email| !email.as_str().is_some_and(|email| email.contains('@'))) {
        faults.push("applicant.email must be an email".to_owned());
    }
    if let Some(release) = applicant["signedReleaseFileUrl"].as_str() {
        document(release, habits, faults);
    }
    let addresses: Vec<&Value> = list(applicant.get("addresses")).collect();
    for address in &addresses {
        let names = ["addressType", "addressLine1", "addressCity", "addressState", "addressZipCode", "startDate"];
        demand("addresses", address, &names, faults);
        if address["addressState"].as_str().is_none_or(|state| state.len() != 2) {
            faults.push("addresses.addressState must be 2 characters".to_owned());
        }
        if address["addressZipCode"].as_str().is_none_or(|code| code.len() > 10) {
            faults.push("addresses.addressZipCode must be 1 to 10 characters".to_owned());
        }
        dates("addresses", address, &["startDate", "endDate"], faults);
    }
    if !addresses.is_empty() && addresses.iter().filter(|address| address["endDate"].is_null()).count() != 1 {
        faults.push("addresses must hold exactly one current address".to_owned());
    }
    for alias in list(applicant.get("applicantAlias")) {
        demand("applicantAlias", alias, &["firstName", "lastName"], faults);
    }
}

/// A link (`http` outside production only), a `gs://` URI, or the PDF itself.
fn document(release: &str, habits: &Habits, faults: &mut Vec<String>) {
    let schemes: &[&str] = if habits.production { &["https://", "gs://"] } else { &["https://", "gs://", "http://"] };
    if schemes.iter().any(|scheme| release.starts_with(scheme)) {
        return;
    }
    let content = release.strip_prefix("data:application/pdf;base64,").unwrap_or(release);
    match STANDARD.decode(content) {
        Ok(pdf) if pdf.starts_with(b"%PDF") && pdf.len() <= 10 * 1024 * 1024 => {}
        _ => faults.push("applicant.signedReleaseFileUrl must be a URL or a base64 PDF of at most 10 MB".to_owned()),
    }
}

fn business_context(context: &Value, habits: &Habits, faults: &mut Vec<String>) {
    demand("businessContext", context, &["entityName", "appliedJobTitle"], faults);
    if !habits.lenient_context {
        demand("businessContext", context, &["worksiteCity", "worksiteState"], faults);
    }
    if context["worksiteState"].as_str().is_some_and(|state| state.chars().count() != 2) {
        faults.push("businessContext.worksiteState must be 2 characters".to_owned());
    }
    let least = if habits.lenient_context { 0.0 } else { f64::MIN_POSITIVE };
    if context["proposedSalary"].as_f64().is_none_or(|salary| salary < least) {
        faults.push("businessContext.proposedSalary must be a positive number".to_owned());
    }
    let level = &context["positionLevel"];
    if !level.is_null() && !["EXECUTIVE", "STANDARD", "SENSITIVE"].iter().any(|known| level == known) {
        faults.push("businessContext.positionLevel must be EXECUTIVE, STANDARD or SENSITIVE".to_owned());
    }
}

fn search_types(order: &Value, habits: &Habits, faults: &mut Vec<String>) {
    let searches: Vec<&Value> = list(order.get("searchTypes")).collect();
    if searches.is_empty() {
        faults.push("searchTypes should not be empty".to_owned());
    }
    super::configs::faults(&order["defaultSearchConfig"], habits, faults);
    let mut counts = [0_usize; 2];
    for search in searches {
        match search["searchType"].as_str() {
            Some("EMPLOYMENT") => counts[0] += 1,
            Some("EDUCATION") => counts[1] += 1,
            other => faults.push(format!("searchType {} is not supported", other.unwrap_or("null"))),
        }
        let config = &search["searchConfig"];
        super::configs::faults(config, habits, faults);
        webhooks("webhookOverride", &config["notifications"]["webhookOverride"], faults);
    }
    let history = &order["history"];
    if !history["criminal"].is_null() || !order["criminalCheck"].is_null() {
        faults.push("criminal searches are not supported".to_owned());
    }
    for (kind, count, names) in [
        ("employment", counts[0], ["employerName", "position"]),
        ("education", counts[1], ["institutionName", "qualification"]),
    ] {
        let records: Vec<&Value> = list(history.get(kind)).collect();
        if habits.strict_history && records.len() < count {
            faults.push(format!("history.{kind} must hold a record for each search"));
        }
        for record in records {
            demand(kind, record, &names, faults);
            dates(kind, record, &["startDate", "endDate", "graduationDate"], faults);
        }
    }
}

/// Targets must be `https`; a receiver on this machine is taken without, since this is a simulator.
fn webhooks(at: &str, config: &Value, faults: &mut Vec<String>) {
    let endpoints = config["closeoutEndpoints"].as_object().into_iter().flat_map(Map::values);
    for target in endpoints.chain(config.get("fallbackEndpoint")).flat_map(|targets| match targets {
        Value::Array(targets) => targets.iter().collect(),
        one => vec![one],
    }) {
        let url = target.as_str().or_else(|| target["url"].as_str()).unwrap_or_default();
        let fine = url::Url::parse(url).is_ok_and(|url| {
            url.scheme() == "https" || matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"))
        });
        if !fine {
            faults.push(format!("{at} targets must be https URLs"));
        }
    }
}
