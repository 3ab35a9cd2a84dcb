//! Stopping what can be stopped.

use domain::{Reason, VendorRef};

use super::super::bench::{Bench, Ends, LONG, Sample, context};
use super::super::faults;
use crate::{CallError, CancelAnswer, CancelSupport, Share};

async fn cancel(bench: &Bench, vendor: &VendorRef) -> Result<CancelAnswer, CallError> {
    let reason = Reason::new("client_request", "The order was canceled.");
    bench.provider.cancel(&context(Share::Poll, LONG), vendor, &reason).await
}

/// A vendor that can cancel does, and can be asked again; one that cannot refuses, and nothing is canceled.
pub async fn a_cancel_does_what_the_descriptor_says(make: impl AsyncFn() -> Bench) {
    let bench = make().await;
    let sample = bench.plain().clone();
    let (_, accepted) = bench.order(&sample).await;
    let answer = cancel(&bench, &accepted.vendor).await;
    match bench.provider.descriptor().cancel {
        CancelSupport::No => {
            assert!(matches!(answer, Ok(CancelAnswer::Refused(_))), "{answer:?}");
            assert!(bench.control.books().await.objects.iter().all(|object| !object.canceled), "canceled all the same");
        }
        CancelSupport::Yes => {
            assert!(matches!(answer, Ok(CancelAnswer::Agreed)), "{answer:?}");
            let again = cancel(&bench, &accepted.vendor).await;
            assert!(matches!(again, Ok(CancelAnswer::Agreed | CancelAnswer::AlreadyEnded)), "asked again: {again:?}");
            let ended = bench.settle(&Sample { ends: Ends::Canceled, ..sample }, &accepted.vendor).await;
            assert!(Ends::Canceled.are_reached(&ended.standing), "ended {:?}", ended.standing);
            assert!(
                bench.control.books().await.objects.iter().all(|object| object.canceled),
                "not canceled in the books"
            );
        }
    }
    ended_cannot_be_canceled(&make().await).await;
}

async fn ended_cannot_be_canceled(bench: &Bench) {
    let sample = bench.plain();
    let (_, accepted) = bench.order(sample).await;
    let before = bench.settle(sample, &accepted.vendor).await;
    let answer = cancel(bench, &accepted.vendor).await;
    if before.standing.is_final() {
        let nothing_to_stop = matches!(answer, Ok(CancelAnswer::AlreadyEnded | CancelAnswer::Refused(_)));
        assert!(nothing_to_stop, "what had ended: {answer:?}");
        let after = bench.look(sample, &accepted.vendor).await;
        assert!(after.standing == before.standing, "what had ended was changed to {:?}", after.standing);
    }
}

/// A cancel without a readable answer is never taken for the vendor's consent.
pub async fn a_failed_cancel_is_an_error(make: impl AsyncFn() -> Bench) {
    for spoiled in faults::of_any_answer() {
        // An empty or odd body under a good status may be consent at a vendor whose status says it all.
        if spoiled.fault["fault"] == "garbage" {
            continue;
        }
        let bench = make().await;
        let (_, accepted) = bench.order(bench.plain()).await;
        bench.control.arm(&spoiled.on("any", 0)).await;
        let reason = Reason::new("client_request", "The order was canceled.");
        let ctx = context(Share::Poll, spoiled.timeout());
        let answer = bench.provider.cancel(&ctx, &accepted.vendor, &reason).await;
        bench.control.clear_faults().await;
        match bench.provider.descriptor().cancel {
            CancelSupport::No => {
                assert!(matches!(answer, Ok(CancelAnswer::Refused(_))), "{}: {answer:?}", spoiled.name);
            }
            CancelSupport::Yes => assert!(answer.is_err(), "{}: {answer:?}", spoiled.name),
        }
    }
}
