//! Dying in the middle of something.

use std::pin::pin;
use std::task::Poll;

/// Carries a future on for so many steps at most, then drops it where it stands, as a process that is killed drops what
/// it is about. `None`: it was dropped.
pub async fn for_polls<T>(steps: u32, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut left = steps;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        work.as_mut().poll(context).map(Some)
    })
    .await
}
