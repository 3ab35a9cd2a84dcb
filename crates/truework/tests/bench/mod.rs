//! An adapter at its simulator, and what can be ordered there.

use std::sync::Arc;

use domain::input::{Employer, EmploymentVerification, IncomeVerification};
use domain::{
    CheckInput, CheckSpec, Consent, Identifier, IdentifierType, OrderInput, Person, Purpose, Subject, Timestamp,
};
use sandbox::truework::Config;
use sandbox::{Running, SimClock};
use secrecy::SecretString;
use serde_json::Map;
use truework::Settings;
use url::Url;

pub const HOOK_TOKEN: &str = "sandbox-truework-hook-token";

/// A simulator whose time goes by only where a test moves it.
#[expect(clippy::disallowed_methods, reason = "the simulator's time begins now and then stands still")]
pub async fn simulator(config: Config) -> Running {
    let now = time::OffsetDateTime::now_utc();
    sandbox::truework::start(0, SimClock::of(Arc::new(move || now)), config).await.expect("a simulator")
}

pub fn settings(base_url: &Url, key: &str) -> Settings {
    let mut settings = Settings::new(base_url.clone(), SecretString::from(key));
    settings.hook_tokens = vec![SecretString::from("an-older-token"), SecretString::from(HOOK_TOKEN)];
    settings
}

pub fn order(ssn: &str) -> OrderInput {
    OrderInput {
        subject: Subject::Person(Person {
            first_name: Some("Jacqueline".to_owned()),
            last_name: Some("Sampleperson".to_owned()),
            date_of_birth: Some("1990-05-15".parse().expect("a date")),
            email: Some("jacqueline@sampleperson.example".to_owned()),
            identifiers: vec![Identifier {
                kind: IdentifierType::Ssn,
                country: "US".to_owned(),
                value: ssn.to_owned(),
                issued_on: None,
                serial: None,
                verification_code: None,
            }],
            ..Person::default()
        }),
        position: None,
        purpose: Purpose::Employment,
        consent: Consent { obtained_at: Timestamp::EPOCH, text_version: None, expires_at: None, document: None },
    }
}

/// The employment that the simulator reports of 000-00-0000.
pub fn employment(employer: &str) -> CheckInput {
    check(CheckSpec::EmploymentVerification(EmploymentVerification {
        employer: Some(Employer { name: employer.to_owned(), ..Employer::default() }),
        title: Some("Software Engineer".to_owned()),
        start_date: Some("2019-01-01".parse().expect("a date")),
        end_date: None,
    }))
}

pub fn income(employer: Option<&str>, include_analytics: bool) -> CheckInput {
    check(CheckSpec::IncomeVerification(IncomeVerification {
        employer: employer.map(|name| Employer { name: name.to_owned(), ..Employer::default() }),
        include_analytics,
        ..IncomeVerification::default()
    }))
}

fn check(spec: CheckSpec) -> CheckInput {
    CheckInput::new(spec, Map::new())
}

/// The same check, by way of the applicant.
pub fn direct(mut check: CheckInput) -> CheckInput {
    check.vendor_options.insert("direct".to_owned(), true.into());
    check
}
