use domain::{Outcome, Standing, VerificationResult};
use provider::{CancelAnswer, Provider as _, Share};
use sandbox::{Fault, FaultKind};
use serde_json::json;
use truework::Version;

use crate::bench::{employment, income};
use crate::site::{Site, context};

/// Everything that a report can hold arrives, and what was only said stays apart.
#[tokio::test]
async fn a_full_report_is_told_whole() {
    let site = Site::of(Version::V2023_10_30).await;
    let (outcome, result) = site.result("000-99-0012", &income(Some("Fake Company"), true)).await;
    assert_eq!(outcome, Outcome::Clear);
    let details = result.details.as_ref().expect("details");
    assert_eq!(details.method.as_deref(), Some("smart-outreach"));
    assert_eq!(details.paystubs[0].net.as_deref(), Some("4375.10"));
    assert_eq!(details.employer_ids[0].value, "12-3456789");
    assert_eq!(details.eligibilities[0].reference.as_deref(), Some("DU-5afe"));
    assert_eq!(details.documents[0].examinations.len(), 2);
    assert_eq!(details.income_volatility.as_deref(), Some("0.05"));
    assert_eq!(details.accounts[0].number_ends_in.as_deref(), Some("6789"));
    assert_eq!(details.accounts[0].income_streams[0].periods[0].amount.as_deref(), Some("4375.1"));
    // Said by the applicant: another employer, another title, another pay. None of it shows anywhere else.
    assert_eq!(result.unverified.len(), 1, "said at the verification and in its report, and told once");
    assert_eq!(result.unverified[0].employer.as_deref(), Some("Said Company"));
    let verified = VerificationResult { unverified: Vec::new(), ..result };
    let verified = serde_json::to_string(&verified).expect("JSON");
    assert!(!verified.contains("Said Company") && !verified.contains("999999") && !verified.contains("Chief"));
    assert!(!verified.contains("000123456789"), "no whole account number");
}

/// A report that was read by itself stands in for the one inside the order, and says all that that one said.
#[tokio::test]
async fn a_report_that_is_read_for_its_analytics_keeps_what_was_said() {
    let site = Site::of(Version::V2023_10_30).await;
    let accepted = site.accepted("000-99-0012", &income(Some("Fake Company"), true)).await;
    site.finish();
    let payload: serde_json::Value =
        serde_json::from_slice(site.look(&accepted.vendor).await.payload.expose()).expect("JSON");
    let report = &payload["reports"][0];
    assert!(report["income_analytics"].is_object(), "read by itself");
    assert_eq!(report["annotations"], payload["order"]["verification_requests"][0]["reports"][0]["annotations"]);
    assert!(report["annotations"].is_object());
}

#[tokio::test]
async fn an_older_report_says_the_same_in_other_places() {
    for version in [Version::V2020_12_07, Version::V2022_08_01] {
        for form in ["text", "object", "lines"] {
            let site = Site::of(version).await;
            site.switch(json!({ "address_form": form }));
            let check = income(Some("Fake Company"), true);
            let (outcome, result) = site.result("000-99-0012", &check).await;
            assert_eq!(outcome, Outcome::Clear);
            let income = result.income.as_ref().expect("an income");
            assert_eq!(income.pay_rate.as_ref().map(|pay| pay.amount.as_str()), Some("150000.00"));
            assert_eq!(income.pay_rate_unit.as_deref(), Some("annually"));
            assert_eq!(income.pay_frequency, None, "the old word is the unit of the pay");
            assert!(income.annualized_base.is_some());
            assert_eq!(result.price.as_ref().map(|price| price.amount.as_str()), Some("42.95"));
            let details = result.details.as_ref().expect("details");
            let line = details.employer_address.as_ref().and_then(|address| address.line1.as_deref());
            assert!(line.is_some_and(|line| line.starts_with("1 Example Street")), "{form}");
            assert_eq!(details.paid_through.as_deref(), Some("2022-02-28"));
            assert_eq!(details.eligibilities[0].is_eligible, Some(true));
            assert_eq!(details.paystubs.len(), 1);
        }
    }
}

/// Analytics that nobody asked for are not shown, though an older version gives them in the same call.
#[tokio::test]
async fn analytics_are_for_those_who_asked() {
    for version in Version::ALL {
        let site = Site::of(*version).await;
        let (_, result) = site.result("000-00-0000", &income(Some("Fake Company"), false)).await;
        assert!(result.income.is_some_and(|income| income.annualized_base.is_none()), "{}", version.as_str());
    }
}

#[tokio::test]
async fn amounts_as_numbers_are_amounts() {
    for version in Version::ALL {
        let site = Site::of(*version).await;
        site.switch(json!({ "number_amounts": true }));
        let (outcome, result) = site.result("000-00-0000", &income(Some("Fake Company"), false)).await;
        assert_eq!(outcome, Outcome::Clear);
        let income = result.income.expect("an income");
        assert_eq!(income.earnings.len(), 3);
        assert_eq!(income.earnings[0].year, "2022");
        assert!(income.pay_rate.is_some_and(|pay| pay.amount.starts_with("150000")));
    }
}

/// The subject can freeze their number at any time, and lift that again.
#[tokio::test]
async fn a_number_that_was_frozen_meanwhile_waits_for_its_owner() {
    for version in Version::ALL {
        let site = Site::of(*version).await;
        let check = employment("Fake Company");
        let accepted = site.accepted("000-00-0000", &check).await;
        site.simulator.control().arm(Fault::new("get", FaultKind::StatusBefore).status(451));
        let frozen = site.adapter.compare(&check, site.look(&accepted.vendor).await);
        let Standing::Waiting { action } = &frozen.standing else { panic!("not waiting: {frozen:?}") };
        assert!(action.message.as_ref().is_some_and(|message| message.contains("frozen")));
        site.simulator.control().arm(Fault::new("cancel", FaultKind::StatusBefore).status(451));
        let refused = site.cancel(&accepted.vendor).await;
        assert!(matches!(refused, CancelAnswer::Refused(why) if why.code == "ssn_frozen"));
        site.finish();
        assert!(site.look(&accepted.vendor).await.standing.is_final());
    }
}

#[tokio::test]
async fn reports_of_every_version_are_read_as_pdf() {
    for version in Version::ALL {
        let site = Site::of(*version).await;
        let accepted = site.accepted("000-99-0012", &employment("Fake Company")).await;
        site.finish();
        let documents = site.look(&accepted.vendor).await.documents;
        assert_eq!(documents.len(), 2, "a report, and a paper of the applicant");
        for document in &documents {
            assert!(site.adapter.document(&context(Share::Poll), document).await.is_ok(), "{}", version.as_str());
        }
    }
}
