use domain::result::Facts;

use super::*;
use crate::samples::date;

fn claim() -> Claim<'static> {
    Claim {
        employer: Some("Tech Corp"),
        title: Some("Senior Software Engineer"),
        start: Some(date("2020-01-15")),
        end: Some(date("2023-06-30")),
    }
}

fn found() -> Found {
    Found {
        facts: Facts {
            employer: Some("Tech Corporation".to_owned()),
            title: Some("Sr. Software Engineer".to_owned()),
            start_date: Some("2020-02-01".to_owned()),
            end_date: Some("2023-06-15".to_owned()),
            employment_status: Some("inactive".to_owned()),
            ..Facts::default()
        },
        titles: vec!["Sr. Software Engineer".to_owned()],
        starts: vec!["2020-02-01".to_owned()],
        ..Found::default()
    }
}

fn verdict_of(claim: &Claim, found: Found) -> (Option<Verdict>, Outcome, Vec<String>) {
    let judged = judge(Some(claim), vec![found]);
    let fields = judged.result.discrepancies.into_iter().map(|differs| differs.field);
    (judged.result.verdict, judged.outcome, fields.collect())
}

#[test]
fn small_differences_are_none() {
    assert_eq!(verdict_of(&claim(), found()), (Some(Verdict::Verified), Outcome::Clear, vec![]));
}

#[test]
fn each_field_can_differ() {
    let day = "2019-06-01".to_owned();
    let cases = [
        ("employer", Found { facts: Facts { employer: Some("Bakery".to_owned()), ..found().facts }, ..found() }),
        ("title", Found { titles: vec!["Software Engineer".to_owned()], ..found() }),
        ("start_date", Found { starts: vec![day.clone()], ..found() }),
        ("end_date", Found { facts: Facts { end_date: Some(day), ..found().facts }, ..found() }),
    ];
    for (field, found) in cases {
        let expected = (Some(Verdict::Discrepancy), Outcome::Consider, vec![field.to_owned()]);
        assert_eq!(verdict_of(&claim(), found), expected);
    }
}

#[test]
fn who_is_said_to_have_left_and_has_not_differs() {
    let facts = Facts { end_date: None, employment_status: Some("active (on-leave)".to_owned()), ..found().facts };
    let (verdict, outcome, fields) = verdict_of(&claim(), Found { facts, ..found() });
    assert_eq!((verdict, outcome), (Some(Verdict::Discrepancy), Outcome::Consider));
    assert_eq!(fields, ["end_date"]);
}

#[test]
fn what_is_not_reported_is_never_clear() {
    let silent = Found { titles: vec![], ..found() };
    assert_eq!(verdict_of(&claim(), silent), (Some(Verdict::Verified), Outcome::Unresolved, vec![]));
    assert_eq!(verdict_of(&claim(), Found::default()), (Some(Verdict::UnableToVerify), Outcome::Unresolved, vec![]));
}

#[test]
fn what_is_not_claimed_is_not_compared() {
    let claim = Claim { employer: None, title: None, start: None, end: None };
    assert_eq!(verdict_of(&claim, found()), (Some(Verdict::Verified), Outcome::Clear, vec![]));
}

#[test]
fn a_rehire_began_twice_and_a_title_may_be_an_earlier_one() {
    let twice = Found {
        starts: vec!["2022-01-01".to_owned(), "2020-01-15".to_owned()],
        titles: vec!["Manager".to_owned(), "Senior Software Engineer".to_owned()],
        ..found()
    };
    assert_eq!(verdict_of(&claim(), twice).1, Outcome::Clear);
}

#[test]
fn of_several_employments_the_claimed_one_is_chosen() {
    let other = |name: &str, start: &str| Found {
        facts: Facts { employer: Some(name.to_owned()), start_date: Some(start.to_owned()), ..Facts::default() },
        ..Found::default()
    };
    let all = vec![other("Bakery", "2024-01-01"), found(), other("Tech Corp Labs", "2010-01-01")];
    let judged = judge(Some(&claim()), all);
    assert_eq!(judged.outcome, Outcome::Clear);
    let employer = |facts: &Facts| facts.employer.clone().unwrap_or_default();
    assert_eq!(judged.result.verified.as_ref().map(employer).as_deref(), Some("Tech Corporation"));
    let further: Vec<String> = judged.result.further.iter().map(|other| employer(&other.facts)).collect();
    assert_eq!(further, ["Bakery", "Tech Corp Labs"]);
}

#[test]
fn no_record_is_told_apart_from_no_report() {
    let judged = judge(Some(&claim()), vec![Found { never_employed: true, ..Found::default() }]);
    assert_eq!((judged.result.verdict, judged.outcome), (Some(Verdict::NoRecord), Outcome::Consider));
    let judged = judge(Some(&claim()), vec![]);
    assert_eq!((judged.result.verdict, judged.outcome), (Some(Verdict::NoRecord), Outcome::Unresolved));
}

#[test]
fn employers_are_the_same_but_for_form_and_spelling() {
    for (claimed, reported) in [
        ("Tech Corp", "TECH CORPORATION"),
        ("The Acme Company", "Acme, Inc."),
        ("Wal-Mart", "Walmart Inc"),
        ("Café Zürich", "Cafe Zurich LLC"),
        ("Johnson & Johnson", "Johnson and Johnson"),
        ("Acme", "Acme Holdings"),
        ("Mc Donald's", "McDonalds Corp"),
        ("Starbucks Coffee", "Starbuks Coffee"),
        ("Company", "Company"),
    ] {
        assert!(distance(claimed, reported) < 2, "{claimed} / {reported}");
    }
    for (claimed, reported) in
        [("Tech Corp", "Bakery"), ("Delta Air Lines", "Delta Faucet"), ("IBM", "IKEA"), ("", "Acme")]
    {
        assert_eq!(distance(claimed, reported), 2, "{claimed} / {reported}");
    }
}

#[test]
fn titles_are_the_same_but_for_short_forms() {
    for (claimed, reported) in [
        ("Sr. Software Engineer", "software engineer, senior"),
        ("VP of Sales", "Vice President Sales"),
        ("HR Mgr", "Manager HR"),
    ] {
        assert!(same_title(claimed, reported), "{claimed} / {reported}");
    }
    for (claimed, reported) in [("Senior Engineer", "Engineer"), ("Director", "Assistant Director")] {
        assert!(!same_title(claimed, reported), "{claimed} / {reported}");
    }
}

#[test]
fn days_are_compared_to_a_month() {
    let day = date("2020-01-31");
    for reported in ["2020-01-01", "2020-02-29", "2020-01", "2020-03-02"] {
        assert!(near(day, reported), "{reported}");
    }
    for reported in ["2020-03-03", "2019-12-30", "2019-12", "", "January"] {
        assert!(!near(day, reported), "{reported}");
    }
}
