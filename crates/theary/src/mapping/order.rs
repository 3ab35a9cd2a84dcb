//! Checks of ours as an order of theirs: one order per check, with exactly one search about exactly one record, or, where
//! the caller asks for it, one order for several checks of one person, with a search and a record for each.

use domain::input::{EducationVerification, Employer, EmploymentVerification, PositionLevel};
use domain::subject::{Address, Alias};
use domain::{CheckSpec, ConsentDocument, Date, IdentifierType, Money, OrderInput, Person, Reason};
use provider::SubmissionItem;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Number, Value, json};
use url::Url;

use crate::options::{OF_THE_SEARCH, ONE_ORDER};
use crate::settings::Environment;
use crate::wire::{
    BusinessContext, EducationRecord, EmploymentRecord, History, NewAddress, NewAlias, NewApplicant, NewOrder,
    NewSearch, WebhookConfig,
};

/// The three events of a search. Where `events` is left out only `verification.completed` is sent.
const EVENTS: [&str; 3] = ["verification.completed", "verification.action_required", "verification.notification"];

/// Where an order's hooks go, and what signs them.
pub struct HookPlace<'a> {
    pub url: &'a Url,
    pub secret: &'a SecretString,
}

/// A check as a search with the record that it is about.
pub struct Search {
    pub entry: NewSearch,
    pub record: Record,
}

pub enum Record {
    Employment(EmploymentRecord),
    Education(EducationRecord),
}

/// The search of a check. `Err`: the input lacks what [`validate`](crate::validate) demands.
pub fn search(
    item: &SubmissionItem,
    environment: &Environment,
    hook: Option<&HookPlace<'_>>,
) -> Result<Search, Reason> {
    let (search_type, record) = record(&item.check.spec).ok_or_else(incomplete)?;
    let webhooks = hook.map(|hook| webhook_config(&[search_type], hook));
    let entry = NewSearch {
        search_type,
        external_search_id: item.reference.to_string(),
        questionnaire_url: item.check.vendor_options.get("questionnaireUrl").cloned(),
        questionnaire_access_code: item.check.vendor_options.get("questionnaireAccessCode").cloned(),
        search_config: search_config(&item.check.vendor_options, environment, webhooks.as_ref()),
    };
    Ok(Search { entry, record })
}

/// The create call's body: these searches about the order's person.
pub fn new_order(order: &OrderInput, searches: Vec<Search>, hook: Option<&HookPlace<'_>>) -> Result<NewOrder, Reason> {
    let mut history = History::default();
    let mut search_types = Vec::with_capacity(searches.len());
    for search in searches {
        match search.record {
            Record::Employment(record) => history.employment.push(record),
            Record::Education(record) => history.education.push(record),
        }
        search_types.push(search.entry);
    }
    let types: Vec<&str> = search_types.iter().map(|search| search.search_type).collect();
    Ok(NewOrder {
        applicant: applicant(order).ok_or_else(incomplete)?,
        business_context: business_context(order).ok_or_else(incomplete)?,
        webhook_config: hook.map(|hook| webhook_config(&types, hook)),
        search_types,
        history,
    })
}

fn incomplete() -> Reason {
    Reason::new("incomplete_input", "The order lacks something that Theary demands; it was never sent.")
}

fn applicant(order: &OrderInput) -> Option<NewApplicant> {
    let person = order.subject.as_person()?;
    let document = order.consent.document.as_ref().map(|document| match document {
        ConsentDocument::Link { url } => url.clone(),
        ConsentDocument::Inline { content_base64, .. } => content_base64.clone(),
    });
    // A middle name has a place in aliases only.
    Some(NewApplicant {
        first_name: person.first_name.clone()?,
        last_name: person.last_name.clone()?,
        ssn: ssn(person)?,
        birthday: person.date_of_birth.map(|date| date.to_string()),
        phone: person.phone.clone(),
        email: person.email.clone(),
        signed_release_file_url: document,
        addresses: person.addresses.iter().map(address).collect::<Option<_>>()?,
        applicant_alias: person.aliases.iter().map(alias).collect(),
    })
}

/// The social security number as the vendor wants it, `XXX-XX-XXXX`, from however it was written.
pub fn ssn(person: &Person) -> Option<String> {
    format_ssn(&person.identifier(IdentifierType::Ssn, "US")?.value)
}

pub fn format_ssn(value: &str) -> Option<String> {
    let only_separators = value.chars().all(|letter| letter.is_ascii_digit() || matches!(letter, '-' | ' '));
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    (only_separators && digits.len() == 9).then(|| format!("{}-{}-{}", &digits[..3], &digits[3..5], &digits[5..]))
}

fn address(address: &Address) -> Option<NewAddress> {
    Some(NewAddress {
        address_type: address.kind.clone().unwrap_or_else(|| "home".to_owned()),
        address_line1: address.line1.clone()?,
        address_line2: address.line2.clone(),
        address_city: address.city.clone()?,
        address_state: address.region.clone()?,
        address_zip_code: address.postal_code.clone()?,
        address_country: address.country.clone(),
        start_date: text(address.from)?,
        end_date: text(address.to),
    })
}

fn alias(alias: &Alias) -> NewAlias {
    NewAlias {
        first_name: alias.first_name.clone(),
        last_name: alias.last_name.clone(),
        middle_name: alias.middle_name.clone(),
        suffix: alias.suffix.clone(),
    }
}

fn business_context(order: &OrderInput) -> Option<BusinessContext> {
    let position = order.position.as_ref()?;
    Some(BusinessContext {
        entity_name: position.company.clone()?,
        applied_job_title: position.title.clone()?,
        worksite_city: position.city.clone()?,
        worksite_state: position.region.clone()?,
        proposed_salary: amount(position.salary.as_ref()?)?,
        position_level: position.level.map(|level| match level {
            PositionLevel::Executive => "EXECUTIVE",
            PositionLevel::Standard => "STANDARD",
            PositionLevel::Sensitive => "SENSITIVE",
        }),
        security_clearance_required: position.security_clearance_required,
        industry_sector: position.industry.clone(),
    })
}

/// The amount as the JSON number that the vendor wants, which must be positive.
pub fn amount(money: &Money) -> Option<Number> {
    if !money.is_well_formed() {
        return None;
    }
    let (whole, fraction) = money.amount.split_once('.').unwrap_or((&money.amount, ""));
    let number = if fraction.bytes().all(|digit| digit == b'0') {
        Number::from(whole.parse::<u64>().ok()?)
    } else {
        Number::from_f64(money.amount.parse().ok()?)?
    };
    number.as_f64().is_some_and(|value| value > 0.0).then_some(number)
}

fn record(spec: &CheckSpec) -> Option<(&'static str, Record)> {
    match spec {
        CheckSpec::EmploymentVerification(check) => Some(("EMPLOYMENT", Record::Employment(employment(check)?))),
        CheckSpec::EducationVerification(check) => Some(("EDUCATION", Record::Education(education(check)?))),
        _ => None,
    }
}

fn employment(check: &EmploymentVerification) -> Option<EmploymentRecord> {
    let employer = check.employer.as_ref()?;
    Some(EmploymentRecord {
        employer_name: employer.name.clone(),
        position: check.title.clone()?,
        employer_location: location(employer),
        employer_email: employer.email.clone(),
        employer_phone: employer.phone.clone(),
        start_date: text(check.start_date),
        end_date: text(check.end_date),
    })
}

/// As the caller wrote it, else from the address.
fn location(employer: &Employer) -> Option<String> {
    employer.location.clone().or_else(|| {
        let address = employer.address.as_ref()?;
        let parts: Vec<&str> = [&address.city, &address.region].into_iter().filter_map(Option::as_deref).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    })
}

fn education(check: &EducationVerification) -> Option<EducationRecord> {
    Some(EducationRecord {
        institution_name: check.institution.name.clone(),
        qualification: check.qualification.clone()?,
        field_of_study: check.field_of_study.clone(),
        graduation_date: text(check.graduation_date),
        institution_contact_email: check.institution.email.clone(),
        institution_contact_phone: check.institution.phone.clone(),
    })
}

fn text(date: Option<Date>) -> Option<String> {
    date.map(|date| date.to_string())
}

/// A search's own config replaces the order's default wholly, so it is the only one that is ever sent.
fn search_config(
    options: &Map<String, Value>,
    environment: &Environment,
    webhooks: Option<&WebhookConfig>,
) -> Map<String, Value> {
    let mut config = options.clone();
    config.retain(|name, _| name != ONE_ORDER && !OF_THE_SEARCH.contains(&name.as_str()));
    if let Environment::Sandbox { qa_email } = environment {
        config.insert("qaDestinations".to_owned(), json!({ "email": qa_email }));
        // With an address for e-mail only, a call or a fax could still reach a real employer.
        config.insert("channels".to_owned(), json!({"email": true, "voice": false, "fax": false}));
    }
    if let Some(webhooks) = webhooks {
        // The order's own config governs `verification.completed` only; the other two events need it here again.
        config.insert("notifications".to_owned(), json!({ "webhookOverride": webhooks }));
    }
    config
}

fn webhook_config(search_types: &[&str], hook: &HookPlace<'_>) -> WebhookConfig {
    let target = json!({"url": hook.url, "events": EVENTS, "enabled": true});
    WebhookConfig {
        enabled: true,
        secret: hook.secret.expose_secret().to_owned(),
        retry_attempts: 3,
        closeout_endpoints: search_types.iter().map(|kind| ((*kind).to_owned(), target.clone())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    fn shown(item: &SubmissionItem, environment: &Environment, hook: Option<&HookPlace<'_>>) -> Value {
        shown_together(std::slice::from_ref(item), environment, hook)
    }

    fn shown_together(items: &[SubmissionItem], environment: &Environment, hook: Option<&HookPlace<'_>>) -> Value {
        let searches = items.iter().map(|item| search(item, environment, hook)).collect::<Result<_, _>>();
        let order = searches.and_then(|searches| new_order(&items[0].order, searches, hook));
        serde_json::to_value(order.unwrap_or_else(|reason| panic!("{}", reason.message))).expect("json")
    }

    fn sandbox() -> Environment {
        Environment::Sandbox { qa_email: "qa@vetgate.example".to_owned() }
    }

    #[test]
    fn an_employment_check_in_full() {
        let secret = SecretString::from("hook-secret");
        let url: Url = "https://gateway.example/vendor-hooks/theary".parse().expect("a url");
        let hook = HookPlace { url: &url, secret: &secret };
        insta::assert_json_snapshot!(shown(&samples::employment(1), &sandbox(), Some(&hook)));
    }

    #[test]
    fn an_education_check_in_production() {
        let mut item = samples::education(2);
        samples::edit(&mut item, |_, check| {
            let options = json!({
                "channels": {"preferredChannel": "VOICE", "blockedDestinations": ["old@test-university.example"]},
                "research": {"skipResearch": true}, "thirdPartyBan": ["NSC"],
                "outbound": {"contactHints": [{"email": "records@test-university.example", "priority": "HIGH"}]},
                "questionnaireUrl": "https://forms.example/q", "questionnaireAccessCode": "1234",
            });
            check.vendor_options = options.as_object().expect("an object").clone();
        });
        insta::assert_json_snapshot!(shown(&item, &Environment::Production, None));
    }

    #[test]
    fn qa_destinations_are_always_set_outside_production() {
        let mut item = samples::employment(1);
        samples::edit(&mut item, |_, check| {
            let options =
                json!({"channels": {"preferredChannel": "VOICE"}, "qaDestinations": {"email": "x@y.example"}});
            check.vendor_options = options.as_object().expect("an object").clone();
        });
        let config = &shown(&item, &sandbox(), None)["searchTypes"][0]["searchConfig"];
        assert_eq!(config["qaDestinations"], json!({"email": "qa@vetgate.example"}));
        assert_eq!(config["channels"], json!({"email": true, "voice": false, "fax": false}));
        let production = &shown(&samples::employment(1), &Environment::Production, None);
        assert_eq!(production["searchTypes"][0]["searchConfig"], Value::Null);
    }

    #[test]
    fn social_security_numbers_are_brought_into_form() {
        for (written, sent) in [
            ("123456789", Some("123-45-6789")),
            ("123-45-6789", Some("123-45-6789")),
            (" 123 45 6789", Some("123-45-6789")),
            ("12345678", None),
            ("1234567890", None),
            ("123-45-678x", None),
            ("", None),
        ] {
            assert_eq!(format_ssn(written).as_deref(), sent, "{written:?}");
        }
    }

    #[test]
    fn salaries_are_numbers_and_positive() {
        for (written, sent) in [
            ("100000.00", Some("100000")),
            ("100000", Some("100000")),
            ("85000.50", Some("85000.5")),
            ("0", None),
            ("0.00", None),
            ("-5", None),
            ("lots", None),
        ] {
            let money = Money { amount: written.to_owned(), currency: "USD".to_owned() };
            assert_eq!(amount(&money).map(|number| number.to_string()).as_deref(), sent, "{written}");
        }
    }

    #[test]
    fn what_is_missing_is_never_made_up() {
        let mut item = samples::employment(1);
        samples::edit(&mut item, |order, _| order.position = None);
        let searches =
            vec![search(&item, &Environment::Production, None).unwrap_or_else(|why| panic!("{}", why.message))];
        assert!(new_order(&item.order, searches, None).is_err());
    }
}
