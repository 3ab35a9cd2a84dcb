//! Continuous checks, over sockets.

use std::time::Duration;

use domain::{Date, Frequency, VendorRef};
use provider::{CallError, MonitorChange, MonitorCreated, MonitorUpdated, Monitoring as _, Share, VendorMonitor};
use sandbox::{Fault, FaultKind};
use serde_json::json;

use super::{Site, context, now};

const DAY: u64 = 24 * 60 * 60;

fn every(text: &str) -> Frequency {
    text.parse().expect("a frequency")
}

/// A day a good while from now.
fn later() -> Date {
    (now() + Duration::from_hours(100 * 24)).date()
}

impl Site {
    async fn repeat(&self, check: &VendorRef, frequency: &str) -> MonitorCreated {
        self.truora.create(&context(Share::Create), check, every(frequency), later()).await
    }

    async fn made(&self, check: &VendorRef, frequency: &str) -> VendorMonitor {
        match self.repeat(check, frequency).await {
            MonitorCreated::Made(made) => made,
            other => panic!("not made: {other:?}"),
        }
    }
}

#[tokio::test]
async fn one_is_made_found_changed_and_followed() {
    let site = Site::start().await;
    site.behave(json!({ "page_size": 1 }));
    let ctx = context(Share::LookUp);
    let (check, other) = (site.finished("1032456701").await, site.finished("1032456702").await);
    let made = site.made(&check, "P2D").await;
    assert_eq!((made.check_id.as_deref(), made.frequency), (Some(check.order_id.as_str()), Some(every("P2D"))));
    assert_eq!((made.end_date, made.enabled), (Some(later()), true));
    site.made(&other, "daily").await;
    assert_eq!(site.truora.find(&ctx, &check).await, Ok(vec![made.clone()]), "on the second page");
    assert_eq!(site.truora.get(&ctx, &made.id).await, Ok(Some(made.clone())));
    assert_eq!(site.truora.get(&ctx, "CCKnone").await, Ok(None));
    assert_eq!(site.truora.runs(&ctx, &made.id).await, Ok(Vec::new()));

    site.advance(5 * DAY);
    let runs = site.truora.runs(&ctx, &made.id).await.expect("runs");
    assert_eq!(runs.len(), 2);
    assert!(runs[0].made_at < runs[1].made_at && runs.iter().all(|run| run.vendor != check));
    let change = MonitorChange { frequency: every("P3M"), enabled: false };
    let changed = site.truora.update(&ctx, &made.id, change).await.expect("an answer");
    assert!(matches!(&changed, MonitorUpdated::Changed(one) if one.frequency == Some(every("P3M")) && !one.enabled));
    assert_eq!(site.truora.update(&ctx, "CCKnone", change).await, Ok(MonitorUpdated::Missing));
}

#[tokio::test]
async fn the_ends_of_a_create_call_are_told_apart() {
    let site = Site::start().await;
    let check = site.finished("1032456701").await;
    let refused = site.repeat(&VendorRef::order("CHKnone"), "daily").await;
    assert!(matches!(refused, MonitorCreated::Refused(_)), "{refused:?}");
    let refused = site.repeat(&check, "P1Y").await;
    assert!(matches!(refused, MonitorCreated::Refused(_)), "{refused:?}");
    for kind in
        [FaultKind::DropBefore, FaultKind::DropAfter, FaultKind::StatusBefore, FaultKind::Halve, FaultKind::Garbage]
    {
        site.simulator.control().arm(Fault::new("monitor", kind));
        let unknown = site.repeat(&check, "daily").await;
        assert!(matches!(unknown, MonitorCreated::Unknown(_)), "{kind:?}: {unknown:?}");
    }
    site.simulator.control().arm(Fault::new("monitor", FaultKind::RateLimit));
    let busy = site.repeat(&check, "daily").await;
    assert!(matches!(busy, MonitorCreated::NotSent { retry_after: Some(_), .. }), "{busy:?}");
    site.behave(json!({ "key_state": "expired" }));
    let expired = site.repeat(&check, "daily").await;
    assert!(matches!(expired, MonitorCreated::NotSent { .. }), "{expired:?}");
}

#[tokio::test]
async fn a_list_that_cannot_be_read_to_its_end_shows_nothing() {
    let site = Site::start().await;
    let check = site.finished("1032456701").await;
    site.made(&check, "daily").await;
    let ctx = context(Share::LookUp);
    for behavior in
        [json!({ "next_loops": true }), json!({ "next_loops": false, "next_prefix": "https://evil.example" })]
    {
        site.behave(behavior);
        site.behave(json!({ "page_size": 1 }));
        site.made(&check, "daily").await;
        let found = site.truora.find(&ctx, &check).await;
        assert!(matches!(found, Err(CallError::Lost { .. })), "{found:?}");
    }
    site.behave(json!({ "next_prefix": "" }));
    assert_eq!(site.truora.find(&ctx, &check).await.expect("a list").len(), 3);
    site.simulator.control().arm(Fault::new("monitor_history", FaultKind::StatusBefore).status(500));
    let id = site.truora.find(&ctx, &check).await.expect("a list")[0].id.clone();
    assert!(site.truora.runs(&ctx, &id).await.is_err());
}
