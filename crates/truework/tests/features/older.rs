use std::sync::Arc;
use std::time::Duration;

use domain::{Outcome, Standing, Timestamp, VendorRef, Verdict};
use provider::{Accepted, CancelAnswer, Fetched, ItemOutcome, LocateQuery, ProbeFault, Provider as _, Share, Sought};
use sandbox::truework::Config;
use sandbox::{Fault, FaultKind};
use serde_json::json;
use truework::{Settings, Truework, Version};

use crate::bench::{employment, income, order, settings, simulator};
use crate::site::{Site, context, found, reference};

const OLDER: [Version; 2] = [Version::V2020_12_07, Version::V2022_08_01];

#[tokio::test]
async fn a_search_waits_for_its_end_and_its_analytics_are_fetched() {
    for version in OLDER {
        let site = Site::of(version).await;
        let plain = site.accepted("000-00-0007", &income(None, false)).await;
        let snapshot = plain.snapshot.expect("the end is in the answer");
        assert!(matches!(snapshot.standing, Standing::Completed { outcome: Outcome::Clear, .. }));
        let with_analytics = site.accepted("000-00-0007", &income(None, true)).await;
        assert!(with_analytics.snapshot.is_none(), "the answer lacks what was asked for");
        let (_, result) = site.result("000-00-0007", &income(None, true)).await;
        assert!(result.income.is_some_and(|income| income.annualized_gross.is_some()));
        assert_eq!(result.price.map(|price| price.amount).as_deref(), Some("23.00"));
    }
}

#[tokio::test]
async fn a_search_that_was_canceled_without_a_reason_found_nothing() {
    for version in OLDER {
        let site = Site::of(version).await;
        for ssn in ["000-11-0000", "000-99-0003"] {
            let (outcome, result) = site.result(ssn, &income(None, false)).await;
            assert_eq!((outcome, result.verdict), (Outcome::Unresolved, Some(Verdict::NoRecord)), "{ssn}");
        }
        // But not where somebody stopped it, and not at an employer.
        let named = site.accepted("000-01-0000", &employment("Fake Company")).await;
        site.finish();
        let standing = site.look(&named.vendor).await.standing;
        assert!(matches!(standing, Standing::Canceled { reason } if reason.code == "canceled"));
        let stopped = site.accepted("000-00-0000", &employment("Fake Company")).await;
        assert_eq!(site.cancel(&stopped.vendor).await, CancelAnswer::Agreed);
        let standing = site.look(&stopped.vendor).await.standing;
        assert!(matches!(standing, Standing::Canceled { reason } if reason.code == "immediate"));
    }
}

/// Without a search key the metadata tell, and the whole list is read once for all.
#[tokio::test]
async fn a_lost_request_is_found_by_its_metadata() {
    for version in OLDER {
        let site = Site::of(version).await;
        site.simulator.control().make_strangers(40, &json!({}));
        let (ours, never) = (reference(), reference());
        site.simulator.control().arm(Fault::new("create", FaultKind::DropAfter));
        let lost = site.submit(ours, "000-00-0000", employment("Fake Company")).await;
        assert!(matches!(lost, ItemOutcome::Unknown { .. }));
        let sought = |reference| Sought {
            reference,
            sent_at: Timestamp::EPOCH,
            order: Arc::new(order("000-00-0000")),
            check: Arc::new(employment("Fake Company")),
        };
        let until = Timestamp::EPOCH + Duration::from_hours(24 * 365 * 200);
        let query = LocateQuery {
            sought: vec![sought(ours), sought(never)],
            since: Timestamp::EPOCH,
            until,
            started_at: until,
            settled: [].into(),
        };
        let seen = site.adapter.locate(&context(Share::LookUp), &query).await;
        assert!(seen.complete, "{:?}", seen.incomplete_because);
        assert_eq!((seen.calls, seen.objects, seen.found.len()), (2, 41, 1));
        assert_eq!(seen.found[0].reference, ours);

        // A vendor that gives no metadata back proves nothing, and nothing is bound.
        site.switch(json!({ "hide_metadata": true }));
        let seen = site.adapter.locate(&context(Share::LookUp), &query).await;
        assert!(seen.found.is_empty() && !seen.echoes);
    }
}

/// A key's pin can be raised. Checks that were made before are known by their verification, and stay within reach.
#[tokio::test]
async fn checks_outlive_the_change_to_the_newest_version() {
    for version in OLDER {
        let site = Site::of(version).await;
        let check = employment("Fake Company");
        let Accepted { vendor, .. } = site.accepted("000-99-0012", &check).await;
        let newest = site.speaking(Version::V2023_10_30);
        let stopped = site.accepted("000-00-0000", &check).await.vendor;
        let reason = domain::Reason::new("withdrawn", "The candidate withdrew.");
        assert_eq!(newest.cancel(&context(Share::Poll), &stopped, &reason).await, Ok(CancelAnswer::Agreed));
        site.finish();
        let before = site.look(&vendor).await;
        let after = newest.compare(&check, found(&newest, &vendor).await);
        assert!(matches!(after.standing, Standing::Completed { outcome: Outcome::Clear, .. }), "{after:?}");
        assert_eq!(after.part_id.as_ref(), Some(&vendor.order_id));
        for document in before.documents.iter().chain(&after.documents) {
            assert!(newest.document(&context(Share::Poll), document).await.is_ok());
        }
        let unknown = newest.fetch(&context(Share::Poll), &VendorRef::order("nobody")).await;
        assert!(matches!(unknown, Ok(Fetched::Missing)), "{unknown:?}");
    }
}

/// What an operator is told when the key is pinned to a newer version than the one that is set.
#[tokio::test]
async fn a_refused_version_is_explained() {
    for version in OLDER {
        let simulator = simulator(Config::default()).await;
        let settings = settings(simulator.base_url(), &Config::default().api_key);
        let adapter = Truework::new(Settings { version, ..settings }).expect("good settings");
        let probed = adapter.probe(&context(Share::LookUp)).await;
        let Err(ProbeFault::Credentials(told)) = probed else { panic!("{probed:?}") };
        assert!(told.contains("406") && told.contains(version.as_str()) && told.contains("truework.version"), "{told}");
    }
}
