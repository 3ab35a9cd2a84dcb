use std::time::Duration;

use crate::support::{Bench, account, at};

#[tokio::test]
async fn a_sweep_goes_on_where_the_last_one_ended_and_one_at_a_time() {
    let bench = Bench::new().await;
    let store = &bench.store;
    let lease = async |now: u64| store.lease_sweep(&account(), at(now), at(now + 60)).await.unwrap();
    assert_eq!(lease(0).await, None, "an account that is not in the settings");
    store.register_accounts(&[account()]).await.unwrap();
    let day_before = at(0) - Duration::from_hours(24);
    assert_eq!(lease(0).await, Some(day_before));
    assert_eq!(lease(1).await, None);
    assert_eq!(lease(59).await, None, "somebody sweeps it");
    assert_eq!(lease(60).await, Some(at(60) - Duration::from_hours(24)), "it died");

    store.sweep_done(&account(), at(0), at(100)).await.unwrap();
    assert_eq!(store.next_due(at(1)).await.unwrap(), Some(at(100)));
    assert_eq!(lease(99).await, None);
    assert_eq!(lease(100).await, Some(at(0)));
    // One that failed takes nothing back.
    store.sweep_done(&account(), day_before, at(110)).await.unwrap();
    assert_eq!(lease(110).await, Some(at(0)));
}
