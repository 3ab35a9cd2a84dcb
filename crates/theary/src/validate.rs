//! Everything that Theary demands, checked before an order is accepted, so that its own 400 stays rare: in a batch a
//! 400 leaves open what was made.

use domain::input::{EducationVerification, EmploymentVerification};
use domain::subject::Address;
use domain::{CheckInput, CheckSpec, ConsentDocument, FieldError, IdentifierType, Money, OrderInput, Person, Position};
use url::Url;

use crate::mapping::order::{amount, format_ssn};
use crate::{options, releases};

/// The vendor's limit for an inline release, decoded.
const MOST_OF_A_DOCUMENT: usize = 10 * 1024 * 1024;

const REQUIRED: &str = "required";
const INVALID: &str = "invalid";

/// All faults of this check for Theary. `production`: the vendor refuses links without TLS there.
pub fn validate(order: &OrderInput, check: &CheckInput, production: bool) -> Vec<FieldError> {
    let mut faults = Faults::default();
    match order.subject.as_person() {
        Some(person) => faults.person(person),
        None => faults.order("/subject/type", "not_supported", "Theary verifies people only."),
    }
    faults.position(order.position.as_ref());
    if let Some(document) = &order.consent.document {
        faults.document(document, production);
    }
    match &check.spec {
        CheckSpec::EmploymentVerification(check) => faults.employment(check),
        CheckSpec::EducationVerification(check) => faults.education(check),
        _ => faults.check("/type", "not_supported", "Theary verifies employments and educations only."),
    }
    faults.0.extend(options::validate(&check.vendor_options));
    faults.0
}

#[derive(Default)]
struct Faults(Vec<FieldError>);

fn is_blank(text: Option<&String>) -> bool {
    text.is_none_or(|text| text.trim().is_empty())
}

/// Two letters, as the vendor wants states and countries.
fn is_two_letters(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|letter| letter.is_ascii_alphabetic())
}

/// Whether it has the outer form of an address; whether it takes mail is not for us to find out.
pub fn is_email(text: &str) -> bool {
    let letters = !text.chars().any(|letter| letter.is_whitespace() || letter.is_control());
    letters
        && text.split_once('@').is_some_and(|(user, host)| {
            !user.is_empty()
                && !host.contains('@')
                && host.contains('.')
                && !host.starts_with('.')
                && !host.ends_with('.')
        })
}

impl Faults {
    fn order(&mut self, pointer: &str, code: &'static str, detail: &str) {
        self.0.push(FieldError::order(pointer, code, detail));
    }

    fn check(&mut self, pointer: &str, code: &'static str, detail: &str) {
        self.0.push(FieldError::check(pointer, code, detail));
    }

    fn demand(&mut self, pointer: &str, text: Option<&String>, what: &str) {
        if is_blank(text) {
            self.order(pointer, REQUIRED, &format!("Theary needs {what}."));
        }
    }

    fn demand_of_check(&mut self, pointer: &str, text: Option<&String>, what: &str) {
        if is_blank(text) {
            self.check(pointer, REQUIRED, &format!("Theary needs {what}."));
        }
    }

    fn person(&mut self, person: &Person) {
        self.demand("/subject/first_name", person.first_name.as_ref(), "the first name");
        self.demand("/subject/last_name", person.last_name.as_ref(), "the last name");
        let ssn = |id: &domain::Identifier| id.kind == IdentifierType::Ssn && id.country.eq_ignore_ascii_case("US");
        match person.identifiers.iter().position(ssn) {
            None => {
                let detail = "Theary needs an identifier of type ssn and country US.";
                self.order("/subject/identifiers", REQUIRED, detail);
            }
            Some(at) if format_ssn(&person.identifiers[at].value).is_none() => {
                let pointer = format!("/subject/identifiers/{at}/value");
                self.order(&pointer, INVALID, "Expected nine digits, such as 900-45-0001.");
            }
            Some(_) => {}
        }
        if person.email.as_deref().is_some_and(|email| !is_email(email)) {
            self.order("/subject/email", INVALID, "Expected an e-mail address.");
        }
        for (at, alias) in person.aliases.iter().enumerate() {
            self.demand(&format!("/subject/aliases/{at}/first_name"), Some(&alias.first_name), "the alias' first name");
            self.demand(&format!("/subject/aliases/{at}/last_name"), Some(&alias.last_name), "the alias' last name");
        }
        for (at, address) in person.addresses.iter().enumerate() {
            self.address(&format!("/subject/addresses/{at}"), address);
        }
        let current = person.addresses.iter().filter(|address| address.to.is_none()).count();
        if !person.addresses.is_empty() && current != 1 {
            let detail = "Theary needs exactly one current address, one without `to`, or no address at all.";
            self.order("/subject/addresses", INVALID, detail);
        }
    }

    fn address(&mut self, at: &str, address: &Address) {
        self.demand(&format!("{at}/line1"), address.line1.as_ref(), "the street");
        self.demand(&format!("{at}/city"), address.city.as_ref(), "the city");
        self.demand(&format!("{at}/region"), address.region.as_ref(), "the state");
        self.demand(&format!("{at}/postal_code"), address.postal_code.as_ref(), "the postal code");
        if address.from.is_none() {
            self.order(&format!("{at}/from"), REQUIRED, "Theary needs to know since when.");
        }
        if address.region.as_deref().is_some_and(|region| !region.trim().is_empty() && !is_two_letters(region)) {
            self.order(&format!("{at}/region"), INVALID, "Expected a state of two letters, such as CA.");
        }
        if address.postal_code.as_ref().is_some_and(|code| code.chars().count() > 10) {
            self.order(&format!("{at}/postal_code"), "too_long", "At most 10 characters.");
        }
        if address.country.as_deref().is_some_and(|country| !is_two_letters(country)) {
            self.order(&format!("{at}/country"), INVALID, "Expected a country of two letters, such as US.");
        }
    }

    /// The vendor's own examples leave some of these out; its schema demands them all, and none may be made up.
    fn position(&mut self, position: Option<&Position>) {
        let none = Position::default();
        let position = position.unwrap_or(&none);
        self.demand("/position/company", position.company.as_ref(), "the hiring company");
        self.demand("/position/title", position.title.as_ref(), "the job title");
        self.demand("/position/city", position.city.as_ref(), "the city of the workplace");
        self.demand("/position/region", position.region.as_ref(), "the state of the workplace");
        if position.region.as_deref().is_some_and(|region| !region.trim().is_empty() && !is_two_letters(region)) {
            self.order("/position/region", INVALID, "Expected a state of two letters, such as CA.");
        }
        match &position.salary {
            None => self.order("/position/salary", REQUIRED, "Theary needs the proposed salary."),
            Some(salary) => self.salary(salary),
        }
    }

    fn salary(&mut self, salary: &Money) {
        if amount(salary).is_none() {
            self.order("/position/salary/amount", INVALID, "Expected an amount above zero, such as 100000.00.");
        }
        // The vendor takes a bare number; in another currency it would mislead.
        if salary.currency != "USD" {
            self.order("/position/salary/currency", "not_supported", "Theary takes the salary in USD only.");
        }
    }

    fn document(&mut self, document: &ConsentDocument, production: bool) {
        match document {
            ConsentDocument::Link { url } => {
                let scheme = Url::parse(url).map(|url| url.scheme().to_owned()).unwrap_or_default();
                let taken = match scheme.as_str() {
                    "https" | "gs" => true,
                    "http" => !production,
                    _ => false,
                };
                if !taken {
                    let detail = "Theary takes https:// and gs:// links to the signed release.";
                    self.order("/consent/document/url", INVALID, detail);
                }
            }
            ConsentDocument::Inline { content_base64, .. } => {
                let pointer = "/consent/document/content_base64";
                match releases::decode(content_base64) {
                    Some(pdf) if pdf.len() > MOST_OF_A_DOCUMENT => self.order(pointer, "too_long", "At most 10 MB."),
                    Some(pdf) if pdf.starts_with(b"%PDF") => {}
                    _ => self.order(pointer, INVALID, "Expected a PDF in base64."),
                }
            }
        }
    }

    fn employment(&mut self, check: &EmploymentVerification) {
        match &check.employer {
            None => self.check("/employer", REQUIRED, "Theary does not search for employers; name one."),
            Some(employer) => {
                self.demand_of_check("/employer/name", Some(&employer.name), "the employer's name");
                if employer.email.as_deref().is_some_and(|email| !is_email(email)) {
                    self.check("/employer/email", INVALID, "Expected an e-mail address.");
                }
            }
        }
        self.demand_of_check("/title", check.title.as_ref(), "the title held there");
    }

    fn education(&mut self, check: &EducationVerification) {
        self.demand_of_check("/institution/name", Some(&check.institution.name), "the institution's name");
        if check.institution.email.as_deref().is_some_and(|email| !is_email(email)) {
            self.check("/institution/email", INVALID, "Expected an e-mail address.");
        }
        self.demand_of_check("/qualification", check.qualification.as_ref(), "the qualification");
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::samples::{education_check, employment_check, order, person};
    use domain::{Subject, input::BackgroundCheck};

    fn faults(order: &OrderInput, check: &CheckInput) -> Vec<String> {
        validate(order, check, true).iter().map(|error| format!("{} {}", error.code, error.pointer(3))).collect()
    }

    fn faults_of(change: impl FnOnce(&mut OrderInput)) -> Vec<String> {
        let mut order = order();
        change(&mut order);
        faults(&order, &employment_check())
    }

    #[test]
    fn a_full_order_has_no_fault() {
        for check in [employment_check(), education_check()] {
            assert_eq!(faults(&order(), &check), Vec::<String>::new());
        }
    }

    #[test]
    fn each_field_of_the_position_is_demanded_by_name() {
        let expected = [
            "required /position/company",
            "required /position/title",
            "required /position/city",
            "required /position/region",
            "required /position/salary",
        ];
        assert_eq!(faults_of(|order| order.position = None), expected);
        assert_eq!(faults_of(|order| order.position = Some(Position::default())), expected);
        let with = |change: fn(&mut Position)| faults_of(|order| change(order.position.as_mut().expect("a position")));
        assert_eq!(with(|p| p.region = Some("Illinois".to_owned())), ["invalid /position/region"]);
        assert_eq!(
            with(|p| p.salary = Some(Money { amount: "0".to_owned(), currency: "USD".to_owned() })),
            ["invalid /position/salary/amount"]
        );
        assert_eq!(
            with(|p| p.salary = Some(Money { amount: "5".to_owned(), currency: "EUR".to_owned() })),
            ["not_supported /position/salary/currency"]
        );
    }

    #[test]
    fn the_person_must_be_known_well() {
        let with = |change: fn(&mut Person)| faults_of(|order| change(person(order)));
        assert_eq!(with(|p| p.first_name = None), ["required /subject/first_name"]);
        assert_eq!(with(|p| p.last_name = Some("  ".to_owned())), ["required /subject/last_name"]);
        assert_eq!(with(|p| p.identifiers.clear()), ["required /subject/identifiers"]);
        assert_eq!(with(|p| p.identifiers[0].country = "MX".to_owned()), ["required /subject/identifiers"]);
        assert_eq!(with(|p| p.identifiers[0].value = "123".to_owned()), ["invalid /subject/identifiers/0/value"]);
        assert_eq!(with(|p| p.email = Some("nobody".to_owned())), ["invalid /subject/email"]);
        assert_eq!(with(|p| p.aliases[0].last_name.clear()), ["required /subject/aliases/0/last_name"]);
        assert_eq!(with(|p| p.addresses.clear()), Vec::<String>::new(), "addresses may be left out");
        assert_eq!(
            with(|p| p.addresses[0].to = Some("2026-01-01".parse().expect("a date"))),
            ["invalid /subject/addresses"]
        );
        assert_eq!(with(|p| p.addresses.push(p.addresses[0].clone())), ["invalid /subject/addresses"]);
        assert_eq!(
            with(|p| p.addresses[0] = Address { postal_code: Some("12345678901".to_owned()), ..Address::default() }),
            [
                "required /subject/addresses/0/line1",
                "required /subject/addresses/0/city",
                "required /subject/addresses/0/region",
                "required /subject/addresses/0/from",
                "too_long /subject/addresses/0/postal_code",
            ]
        );
        assert_eq!(
            faults_of(|order| order.subject = Subject::Company(domain::Company::default())),
            ["not_supported /subject/type"]
        );
    }

    #[test]
    fn releases_are_links_or_real_pdfs() {
        let with = |document: ConsentDocument| faults_of(|order| order.consent.document = Some(document));
        let link = |url: &str| with(ConsentDocument::Link { url: url.to_owned() });
        assert_eq!(link("https://forms.example/r.pdf"), Vec::<String>::new());
        assert_eq!(link("gs://bucket/r.pdf"), Vec::<String>::new());
        for url in ["http://forms.example/r.pdf", "file:///etc/passwd", "r.pdf", ""] {
            assert_eq!(link(url), ["invalid /consent/document/url"], "{url}");
        }
        let mut plain = order();
        plain.consent.document = Some(ConsentDocument::Link { url: "http://forms.example/r.pdf".to_owned() });
        assert!(validate(&plain, &employment_check(), false).is_empty(), "outside production http is taken");

        let inline = |content: String| {
            with(ConsentDocument::Inline { filename: "release.pdf".to_owned(), content_base64: content })
        };
        let pdf = STANDARD.encode(b"%PDF-1.7 synthetic");
        assert_eq!(inline(pdf.clone()), Vec::<String>::new());
        assert_eq!(inline(format!("data:application/pdf;base64,{pdf}")), Vec::<String>::new());
        assert_eq!(inline(STANDARD.encode(b"GIF89a")), ["invalid /consent/document/content_base64"]);
        assert_eq!(inline("%PDF".to_owned()), ["invalid /consent/document/content_base64"]);
        let mut large = b"%PDF".to_vec();
        large.resize(MOST_OF_A_DOCUMENT + 1, 0);
        assert_eq!(inline(STANDARD.encode(large)), ["too_long /consent/document/content_base64"]);
    }

    #[test]
    fn the_record_must_be_named() {
        let check = |spec: CheckSpec| faults(&order(), &CheckInput::new(spec, serde_json::Map::new()));
        assert_eq!(
            check(CheckSpec::EmploymentVerification(EmploymentVerification::default())),
            ["required /checks/3/employer", "required /checks/3/title"]
        );
        assert_eq!(
            check(CheckSpec::EducationVerification(EducationVerification::default())),
            ["required /checks/3/institution/name", "required /checks/3/qualification"]
        );
        assert_eq!(
            check(CheckSpec::BackgroundCheck(BackgroundCheck::default())),
            ["not_supported /checks/3/type"],
            "criminal searches are in the vendor's older pages only"
        );
    }

    proptest::proptest! {
        /// What passes here can be built.
        #[test]
        fn nothing_that_is_valid_lacks_anything(first in "\\PC{0,3}", region in "\\PC{0,3}", salary in "-?[0-9.]{0,8}", ssn in "[0-9 -]{0,12}") {
            let mut item = crate::samples::employment(1);
            crate::samples::edit(&mut item, |order, _| {
                person(order).first_name = Some(first);
                person(order).identifiers[0].value = ssn;
                person(order).addresses[0].region = Some(region.clone());
                let position = order.position.as_mut().expect("a position");
                position.region = Some(region);
                position.salary = Some(Money { amount: salary, currency: "USD".to_owned() });
            });
            if validate(&item.order, &item.check, true).is_empty() {
                let built = crate::mapping::order::search(&item, &crate::Environment::Production, None)
                    .and_then(|search| crate::mapping::order::new_order(&item.order, vec![search], None));
                proptest::prop_assert!(built.is_ok());
            }
        }
    }
}
