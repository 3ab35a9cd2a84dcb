//! How an order is carried out and reconciled, whatever fails.
//!
//! Read it in the order of an order's way:
//!
//! 1. [`accept`]: one transaction makes order, checks, event and work.
//! 2. [`dispatch`]: claims due checks, records the intent, makes the create call, records its outcome.
//! 3. [`reconcile`]: looks for what a lost answer was about, and settles it by the rule of [`domain::settle`].
//! 4. [`follow`]: looks at the vendor's objects (polling), and asks the vendor to cancel.
//! 5. [`inbox`]: takes the vendors' hooks; [`catch_up`] those that were lost, from the vendor's own log.
//! 6. [`sweep`]: looks whether a vendor has anything of ours that nobody here knows of; [`cancellations`] asks it to
//!    cancel what is one too many.
//!
//! [`act`] answers what a vendor waits for, when a caller asks for it. [`mod@reverify`] asks vendors whether what they found
//! still holds.
//!
//! [`batches`] take many orders in at once; [`plan`] shares the calls out, so that none of them holds the others up.
//! Where a vendor takes files of many checks, [`bulk`] sends them in place of [`dispatch`]. [`monitors`] run an order again
//! and again.
//!
//! [`documents`], [`findings`] and [`passthrough`] ask a vendor what somebody wants to see now; [`asked`] has what they
//! share. Nothing of them changes an order.
//!
//! All news goes through [`Order::tell`](domain::Order::tell), and so through the one reducer. [`workers`] runs the
//! loops; [`gate`] (pauses, circuits) and [`budget`] (rates) say when a vendor may be called. [`administration`] is what an
//! account's owner sets up at a vendor.

pub mod accept;
pub mod act;
pub mod administration;
pub mod asked;
pub mod batches;
mod bell;
pub mod budget;
pub mod bulk;
pub mod cancel;
pub mod cancellations;
pub mod catch_up;
pub mod dispatch;
pub mod documents;
pub mod findings;
pub mod follow;
pub mod gate;
pub mod inbox;
mod joint;
pub mod monitors;
pub mod ops;
pub mod passthrough;
pub mod plan;
pub mod providers;
pub mod reconcile;
pub mod reverify;
pub mod sweep;
pub mod system;
mod timeline;
pub mod workers;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use domain::{AccountKey, Clock, Entropy, Order, OrderId, Timestamp};
use provider::{CallContext, Share};
use store::Store;
use tokio::sync::Notify;

pub use crate::accept::AcceptError;
pub use crate::act::ActError;
pub use crate::administration::AdministrationError;
pub use crate::asked::{AskError, NotFinished};
pub use crate::batches::BatchIntake;
pub use crate::documents::Documents;
pub use crate::findings::{CheckFindings, FindingsPart, ReadError};
pub use crate::inbox::HookError;
pub use crate::monitors::{MonitorChanges, MonitorError, MonitorWish};
pub use crate::ops::{Choice, Resolution, ResolveError, Vetted};
pub use crate::passthrough::PassError;
pub use crate::providers::{Account, Providers, Route};
pub use crate::reconcile::ScanError;
pub use crate::reverify::{IfUnavailable, ReverifyError, ReverifyWish};
pub use crate::system::{OsEntropy, SystemClock};

/// What is done about further vendor objects for a check that is bound already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CancelDuplicates {
    /// Record and announce them; an operator cancels them.
    #[default]
    Ask,
    /// Cancel them at the vendor at once.
    Auto,
}

#[derive(Debug, Clone)]
pub struct EngineSettings {
    /// How many create calls a check gets before a person must look.
    pub max_sends: u32,
    /// How long a lease outlives the call it is for.
    pub lease_margin: Duration,
    /// How many create calls a worker prepares at once, or checks it claims to look at.
    pub claim_size: i64,
    pub cancel_duplicates: CancelDuplicates,
    /// How long a worker sleeps at most when nothing wakes it.
    pub backstop: Duration,
    /// How often a vendor account is swept for objects that nobody here knows of; `None`: never.
    pub sweep_every: Option<Duration>,
    /// After so long a silence of an account's hooks the vendor's log of them is read; `None`: never.
    pub catch_up_every: Option<Duration>,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            max_sends: 10,
            lease_margin: Duration::from_secs(5),
            claim_size: 50,
            cancel_duplicates: CancelDuplicates::Ask,
            backstop: Duration::from_secs(5),
            sweep_every: Some(Duration::from_hours(24)),
            catch_up_every: Some(Duration::from_mins(15)),
        }
    }
}

/// The engine. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Parts>);

/// What the engine is made of.
pub struct Parts {
    store: Store,
    providers: Providers,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    settings: EngineSettings,
    gate: gate::Gate,
    turns: plan::Turns,
    /// The same for files.
    file_turns: plan::Turns,
    caught_up: catch_up::Begun,
    woken: Notify,
    bell: bell::Bell,
}

impl Deref for Engine {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Engine {
    pub fn new(
        store: Store,
        providers: Providers,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        settings: EngineSettings,
    ) -> Self {
        let gate = gate::Gate::new();
        Self(Arc::new(Parts {
            store,
            providers,
            clock,
            entropy,
            settings,
            gate,
            turns: plan::Turns::default(),
            file_turns: plan::Turns::default(),
            caught_up: catch_up::Begun::default(),
            woken: Notify::new(),
            bell: bell::Bell::default(),
        }))
    }

    /// Wakes the workers of every process. Call it after a commit that made work: a NOTIFY inside the transaction would
    /// make all commits wait for each other.
    pub fn wake(&self) {
        self.woken.notify_waiters();
        self.bell.ring(&self.store);
    }
}

impl Parts {
    pub const fn store(&self) -> &Store {
        &self.store
    }

    pub const fn providers(&self) -> &Providers {
        &self.providers
    }

    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The context of one vendor call: the account's time-out and its share of the rate budget.
    fn call_context(&self, account: &Account, share: Share) -> CallContext {
        let budget = budget::SharedBudget::new(self.store.clone(), self.clock.clone(), account);
        CallContext::new(share, account.timing.timeout, Arc::new(budget))
    }

    /// A number between 0 and 1.
    fn random(&self) -> f64 {
        let mut bytes = [0; 4];
        self.entropy.fill(&mut bytes);
        f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
    }

    /// The time until the next try: doubling from a second, at most five minutes, with jitter so that many do not come back at once.
    fn back_off(&self, tries: u32) -> Duration {
        let seconds = 2_f64.powi(i32::try_from(tries.saturating_sub(1)).unwrap_or(8).min(8)).min(300.0);
        Duration::from_secs_f64(seconds * 0.2_f64.mul_add(self.random(), 0.9))
    }

    fn account(&self, key: &AccountKey) -> Option<&Account> {
        self.providers.account(key)
    }
}

/// The order with this id, among orders by ascending id, as the store gives them.
fn find_mut(orders: &mut [Order], id: OrderId) -> Option<&mut Order> {
    let at = orders.binary_search_by_key(&id, |order| order.id).ok()?;
    orders.get_mut(at)
}

fn find(orders: &[Order], id: OrderId) -> Option<&Order> {
    let at = orders.binary_search_by_key(&id, |order| order.id).ok()?;
    orders.get(at)
}
