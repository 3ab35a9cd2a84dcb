//! The loops that carry everything out. Each does one kind of work until there is none, then sleeps until it is woken,
//! until something falls due, or until the backstop.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use domain::AccountKey;
use futures::FutureExt as _;
use store::StoreError;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::gate::Passage;
use crate::{Account, Engine};

/// The shortest sleep, so that work that cannot be done yet does not keep a loop spinning.
const SHORTEST_SLEEP: Duration = Duration::from_millis(20);
/// How long a loop rests after the database failed it.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// Idempotency records are kept this long.
const IDEMPOTENCY_KEPT: Duration = Duration::from_hours(24);
/// Hooks that are through, and the memory of their news: longer than any vendor repeats one.
const HOOKS_KEPT: Duration = Duration::from_hours(8 * 24);
/// The vendors' answers to create calls.
const ANSWERS_KEPT: Duration = Duration::from_hours(30 * 24);
/// Scans of vendor accounts, but for the objects they listed: those are evidence only while a case is open.
const SCANS_KEPT: Duration = Duration::from_hours(90 * 24);
const HOUSEKEEPING: Duration = Duration::from_mins(10);

impl Engine {
    /// Runs every worker until `shutdown`; then finishes the calls that are under way.
    pub async fn run_workers(&self, shutdown: CancellationToken) {
        let keys: Vec<_> = self.providers().accounts().map(|account| account.key.clone()).collect();
        let mut loops = JoinSet::new();
        loops.spawn(register(self.clone(), keys.clone(), shutdown.clone()));
        for key in keys {
            loops.spawn(dispatcher(self.clone(), key.clone(), shutdown.clone()));
            loops.spawn(filer(self.clone(), key.clone(), shutdown.clone()));
            loops.spawn(follower(self.clone(), key.clone(), shutdown.clone()));
            // One for each account: a long scan of one vendor holds up no other.
            let (engine, of) = (self.clone(), key.clone());
            let reconcile = async move || engine.reconcile_account(&of).await.map(usize::from);
            loops.spawn(repeat(self.clone(), shutdown.clone(), "reconcile", reconcile));
            loops.spawn(canceler(self.clone(), key.clone(), shutdown.clone()));
            loops.spawn(tender(self.clone(), key.clone(), shutdown.clone()));
            loops.spawn(sweeper(self.clone(), key.clone(), shutdown.clone()));
            loops.spawn(catcher(self.clone(), key, shutdown.clone()));
        }
        loops.spawn(listener(self.clone(), shutdown.clone()));
        loops.spawn(housekeeper(self.clone(), shutdown.clone()));
        let engine = self.clone();
        loops.spawn(repeat(self.clone(), shutdown.clone(), "inbox", async move || engine.read_inbox().await));
        let engine = self.clone();
        loops.spawn(repeat(self.clone(), shutdown.clone(), "dead calls", async move || engine.find_dead_calls().await));
        let engine = self.clone();
        let cancel_batches = async move || engine.cancel_batches().await;
        loops.spawn(repeat(self.clone(), shutdown.clone(), "batch cancel", cancel_batches));
        let engine = self.clone();
        loops.spawn(repeat(self.clone(), shutdown.clone(), "batch counts", async move || engine.count_batches().await));
        let engine = self.clone();
        let run_monitors = async move || engine.run_monitors().await;
        loops.spawn(repeat(self.clone(), shutdown.clone(), "monitor runs", run_monitors));
        let engine = self.clone();
        loops.spawn(repeat(self.clone(), shutdown, "sequencer", async move || {
            engine.store().assign_positions().await.map(|count| usize::try_from(count).unwrap_or(usize::MAX))
        }));
        while let Some(ended) = loops.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a worker ended by itself");
            }
        }
    }

    async fn purge(&self) -> Result<(), StoreError> {
        let now = self.now();
        self.store().purge_idempotency(now - IDEMPOTENCY_KEPT).await?;
        self.store().purge_inbox(now - HOOKS_KEPT).await?;
        self.store().purge_answers(now - ANSWERS_KEPT).await?;
        self.store().purge_scans(now - SCANS_KEPT).await?;
        Ok(())
    }

    /// Says aloud that checks wait for an account that the settings do not define (any more): no loop works for it.
    async fn look_for_strangers(&self) -> Result<(), StoreError> {
        let keys = self.store().accounts_with_work().await?;
        let strangers: Vec<_> = keys.iter().filter(|key| self.account(key).is_none()).collect();
        let count = u32::try_from(strangers.len()).unwrap_or(u32::MAX);
        metrics::gauge!("vetgate_accounts_without_settings").set(f64::from(count));
        for key in strangers {
            tracing::error!(account = %key, "checks wait for a vendor account that the settings do not define");
        }
        Ok(())
    }

    /// Sleeps until woken, until something falls due, or until the backstop.
    async fn idle(&self, shutdown: &CancellationToken, woken: impl Future<Output = ()>) {
        let now = self.now();
        let nap = match self.store().next_due(now).await {
            Ok(Some(due)) => due.since(now).clamp(SHORTEST_SLEEP, self.settings.backstop),
            Ok(None) => self.settings.backstop,
            Err(_) => AFTER_FAILURE,
        };
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = woken => {}
            () = tokio::time::sleep(nap) => {}
        }
    }

    async fn rest_after(&self, error: &StoreError, worker: &str, shutdown: &CancellationToken) {
        tracing::warn!(%error, worker, "the database failed a worker; it goes on shortly");
        self.rest(shutdown).await;
    }

    async fn rest(&self, shutdown: &CancellationToken) {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(AFTER_FAILURE) => {}
        }
    }
}

/// Does one kind of work again and again.
async fn repeat<F>(engine: Engine, shutdown: CancellationToken, worker: &'static str, work: F)
where
    F: AsyncFn() -> Result<usize, StoreError>,
{
    while !shutdown.is_cancelled() {
        // Made before the work is looked for: a wake-up in between is not missed.
        let mut woken = pin!(engine.woken.notified());
        woken.as_mut().enable();
        match AssertUnwindSafe(work()).catch_unwind().await {
            Ok(Ok(0)) => engine.idle(&shutdown, woken).await,
            Ok(Ok(_)) => {}
            Ok(Err(error)) => engine.rest_after(&error, worker, &shutdown).await,
            // A bug. What it held is freed with its lease; the loop must not end with it.
            Err(_) => {
                tracing::error!(worker, "a worker panicked; it goes on shortly");
                metrics::counter!("vetgate_worker_panics_total", "worker" => worker).increment(1);
                engine.rest(&shutdown).await;
            }
        }
    }
}

/// Makes sure that the accounts of the settings have rows, so that pauses and circuits have a place.
async fn register(engine: Engine, keys: Vec<AccountKey>, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        match engine.store().register_accounts(&keys).await {
            Ok(()) => return,
            Err(error) => engine.rest_after(&error, "register", &shutdown).await,
        }
    }
}

/// Sends for one account: as many calls at once as the account allows, so that a slow call holds up no other.
async fn dispatcher(engine: Engine, key: AccountKey, shutdown: CancellationToken) {
    let Some(account) = engine.account(&key).cloned() else { return };
    let account = Arc::new(account);
    let slots = Arc::new(Semaphore::new(account.max_in_flight));
    let calls = TaskTracker::new();
    let (engine_, account_, slots_, calls_) = (engine.clone(), account.clone(), slots.clone(), calls.clone());
    repeat(engine, shutdown, "dispatch", async move || dispatch_some(&engine_, &account_, &slots_, &calls_).await)
        .await;
    calls.close();
    calls.wait().await;
}

async fn dispatch_some(
    engine: &Engine,
    account: &Arc<Account>,
    slots: &Arc<Semaphore>,
    calls: &TaskTracker,
) -> Result<usize, StoreError> {
    match engine.passage(&account.key).await? {
        Passage::Open => {}
        // If it is back, what may be done now is asked anew: it may be paused as well.
        Passage::Probe => return Ok(usize::from(engine.probe(account).await)),
        Passage::Paused | Passage::Resting(_) => return Ok(0),
    }
    let free = slots.available_permits();
    if free == 0 {
        // The end of any call wakes this loop.
        return Ok(0);
    }
    let most = usize::try_from(engine.settings.claim_size).unwrap_or(1);
    let round = engine.take_tickets(account, free.min(most)).await?;
    let progress = round.progress();
    for ticket in round.tickets {
        let Ok(slot) = slots.clone().acquire_owned().await else { break };
        let (engine, account) = (engine.clone(), account.clone());
        calls.spawn(async move {
            engine.send(&account, ticket).await;
            drop(slot);
            engine.woken.notify_waiters();
        });
    }
    Ok(progress)
}

/// Sends files for one account, where its vendor takes them.
async fn filer(engine: Engine, key: AccountKey, shutdown: CancellationToken) {
    let Some(account) = engine.account(&key).cloned() else { return };
    let engine_ = engine.clone();
    repeat(engine, shutdown, "files", async move || engine_.files(&account).await).await;
}

/// Looks at the vendor's objects of one account.
async fn follower(engine: Engine, key: AccountKey, shutdown: CancellationToken) {
    let Some(account) = engine.account(&key).cloned() else { return };
    let engine_ = engine.clone();
    repeat(engine, shutdown, "follow", async move || match engine_.passage(&account.key).await? {
        Passage::Open | Passage::Paused => engine_.follow(&account, engine_.settings.claim_size).await,
        Passage::Probe | Passage::Resting(_) => Ok(0),
    })
    .await;
}

/// Asks for cancellations of what a check has one too many of at one account.
async fn canceler(engine: Engine, key: AccountKey, shutdown: CancellationToken) {
    let Some(account) = engine.account(&key).cloned() else { return };
    let engine_ = engine.clone();
    repeat(engine, shutdown, "cancellations", async move || match engine_.passage(&account.key).await? {
        Passage::Open | Passage::Paused => engine_.cancellations(&account).await,
        Passage::Probe | Passage::Resting(_) => Ok(0),
    })
    .await;
}

/// Tends the vendor's own monitors of one account.
async fn tender(engine: Engine, key: AccountKey, shutdown: CancellationToken) {
    let Some(account) = engine.account(&key).cloned() else { return };
    if account.provider.monitoring().is_none() {
        return;
    }
    let engine_ = engine.clone();
    repeat(engine, shutdown, "monitors", async move || engine_.monitors(&account).await).await;
}

/// Sweeps one account when it is time.
async fn sweeper(engine: Engine, key: AccountKey, shutdown: CancellationToken) {
    let Some(account) = engine.account(&key).cloned() else { return };
    let engine_ = engine.clone();
    repeat(engine, shutdown, "sweep", async move || engine_.sweep(&account).await.map(usize::from)).await;
}

/// Reads one account's log of hooks where hooks were lost.
async fn catcher(engine: Engine, key: AccountKey, shutdown: CancellationToken) {
    let Some(account) = engine.account(&key).cloned() else { return };
    if account.provider.hook_log().is_none() {
        return;
    }
    let engine_ = engine.clone();
    repeat(engine, shutdown, "catch up", async move || engine_.catch_up(&account).await.map(usize::from)).await;
}

/// Hears what other processes have to say.
async fn listener(engine: Engine, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        let mut ears = match engine.store().listen().await {
            Ok(ears) => ears,
            Err(error) => {
                engine.rest_after(&error, "listener", &shutdown).await;
                continue;
            }
        };
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                heard = ears.recv() => match heard {
                    Ok(()) => engine.woken.notify_waiters(),
                    Err(error) => {
                        engine.rest_after(&error, "listener", &shutdown).await;
                        break;
                    }
                },
            }
        }
    }
}

async fn housekeeper(engine: Engine, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        if let Err(error) = engine.purge().await {
            tracing::warn!(%error, "could not remove what is kept no longer");
        }
        if let Err(error) = engine.look_for_strangers().await {
            tracing::warn!(%error, "could not look for work that nobody does");
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(HOUSEKEEPING) => {}
        }
    }
}
