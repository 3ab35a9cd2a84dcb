use std::time::Duration;

use crate::support::{Bench, account, at};

#[tokio::test]
async fn a_sweep_goes_on_where_the_last_one_ended_and_one_at_a_time() {
    let bench = Bench::new().await;
    let store = &bench.store;
    assert_eq!(store.sweep_due(&account(), at(0)).await.unwrap(), None, "an account that is not in the settings");
    store.register_accounts(&[account()]).await.unwrap();
    let day_before = at(0) - Duration::from_hours(24);
    assert_eq!(store.sweep_due(&account(), at(0)).await.unwrap(), Some(day_before));
    assert!(store.lease_sweep(&account(), at(0), at(60)).await.unwrap());
    assert!(!store.lease_sweep(&account(), at(1), at(61)).await.unwrap());
    assert_eq!(store.sweep_due(&account(), at(59)).await.unwrap(), None, "somebody sweeps it");
    assert_eq!(store.sweep_due(&account(), at(60)).await.unwrap(), Some(at(60) - Duration::from_hours(24)), "it died");

    store.sweep_done(&account(), at(0), at(100)).await.unwrap();
    assert_eq!(store.next_due(at(1)).await.unwrap(), Some(at(100)));
    assert_eq!(store.sweep_due(&account(), at(99)).await.unwrap(), None);
    assert_eq!(store.sweep_due(&account(), at(100)).await.unwrap(), Some(at(0)));
    // One that failed takes nothing back.
    store.sweep_done(&account(), day_before, at(110)).await.unwrap();
    assert_eq!(store.sweep_due(&account(), at(110)).await.unwrap(), Some(at(0)));
}
