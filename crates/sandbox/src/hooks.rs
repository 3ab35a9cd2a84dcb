//! The vendors' outgoing hooks, which can be lost, doubled, shuffled and late.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::vendor::Switches;

/// A hook on its way. It is posted as it is, signature included, at every attempt.
#[derive(Debug, Clone)]
pub struct Hook {
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// How hooks fare. Shown and changed under the key `hooks` of `/_sandbox/behavior`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HookSwitches {
    /// Where hooks go that are not told so by an order.
    pub target: Option<Url>,
    /// Every n-th hook is lost; 1: each, 0: none.
    pub lose_every: u32,
    /// Every n-th hook is sent twice; 1: each, 0: none.
    pub duplicate_every: u32,
    /// So many hooks are held back and then sent last first. Fewer than that go out, in reverse, after a quiet moment.
    pub reorder: usize,
    /// Each hook waits so long before it is sent.
    pub delay_ms: u64,
    /// How often a hook is tried until an answer is 2xx.
    pub attempts: u32,
    /// The wait before the second attempt; it doubles with each.
    pub retry_ms: u64,
}

impl Default for HookSwitches {
    fn default() -> Self {
        Self { target: None, lose_every: 0, duplicate_every: 0, reorder: 0, delay_ms: 0, attempts: 6, retry_ms: 250 }
    }
}

/// What became of a hook; `GET /_sandbox/hooks` lists them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookReport {
    pub url: String,
    pub attempts: u32,
    /// The last answer's status, where there was one.
    pub status: Option<u16>,
    pub lost: bool,
}

/// Sends hooks in the background. Cheap to clone.
#[derive(Clone)]
pub struct HookSender {
    queue: mpsc::UnboundedSender<Queued>,
    shared: Arc<Shared>,
}

/// A hook that waits to be sent, and who wants to know what becomes of it.
#[derive(Clone)]
struct Queued {
    hook: Hook,
    fate: Option<HookFate>,
}

/// What became of one hook, once that is known.
#[derive(Debug, Clone, Default)]
pub struct HookFate(Arc<Mutex<Option<HookReport>>>);

impl HookFate {
    pub fn report(&self) -> Option<HookReport> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Shared {
    switches: Switches<HookSwitches>,
    reports: Mutex<VecDeque<HookReport>>,
    client: reqwest::Client,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// The most reports that are kept.
const REPORTS: usize = 10_000;

/// How long a receiver may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// After so long without a new hook, those held back for reordering go out.
const QUIET: Duration = Duration::from_millis(150);

impl HookSender {
    #[expect(clippy::disallowed_methods, reason = "a vendor's hooks are not calls to a vendor")]
    pub(crate) fn start(tasks: &TaskTracker, stop: &CancellationToken) -> Self {
        // A process-wide choice; whoever came first made the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .user_agent("vendor-simulator")
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .timeout(PATIENCE)
            .build()
            .expect("the provider of cryptography is installed, which is all that can be missing");
        let (queue, waiting) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            switches: Switches::default(),
            reports: Mutex::default(),
            client,
            tasks: tasks.clone(),
            stop: stop.clone(),
        });
        tasks.spawn(stop.clone().run_until_cancelled_owned(work(Arc::clone(&shared), waiting)));
        Self { queue, shared }
    }

    /// Sends a hook, unless the switches have it otherwise.
    pub fn send(&self, hook: Hook) {
        // The queue is closed only once the simulator is stopped.
        let _ = self.queue.send(Queued { hook, fate: None });
    }

    /// Sends a hook as well, and gives what will tell its fate.
    pub fn send_watched(&self, hook: Hook) -> HookFate {
        let fate = HookFate::default();
        let _ = self.queue.send(Queued { hook, fate: Some(fate.clone()) });
        fate
    }

    /// Where hooks go that are not told so by an order.
    pub fn target(&self) -> Option<Url> {
        self.shared.switches.get().target
    }

    pub fn set_target(&self, target: Option<Url>) {
        self.shared.switches.change(|switches| switches.target = target);
    }

    pub fn reports(&self) -> Vec<HookReport> {
        self.shared.reports.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    pub(crate) fn switches(&self) -> &Switches<HookSwitches> {
        &self.shared.switches
    }
}

/// Takes hooks from the queue, decides their fate, and hands them to tasks of their own.
async fn work(shared: Arc<Shared>, mut waiting: mpsc::UnboundedReceiver<Queued>) {
    let mut count = 0_u32;
    let mut held = Vec::new();
    loop {
        let next = match tokio::time::timeout(QUIET, waiting.recv()).await {
            Ok(Some(hook)) => Some(hook),
            Ok(None) => return,
            Err(_) if held.is_empty() => waiting.recv().await,
            Err(_) => None,
        };
        let switches = shared.switches.get();
        if let Some(hook) = next {
            count = count.wrapping_add(1);
            if is_nth(count, switches.lose_every) {
                let report = HookReport { url: hook.hook.url.into(), attempts: 0, status: None, lost: true };
                shared.report(report, hook.fate.as_ref());
            } else {
                if is_nth(count, switches.duplicate_every) {
                    held.push(hook.clone());
                }
                held.push(hook);
            }
            if held.len() < switches.reorder {
                continue;
            }
        }
        let hooks = std::mem::take(&mut held);
        if switches.reorder > 0 {
            shared.run(Arc::clone(&shared).deliver_in_turn(hooks.into_iter().rev().collect(), switches));
        } else {
            for hook in hooks {
                shared.run(Arc::clone(&shared).deliver(hook, switches.clone()));
            }
        }
    }
}

const fn is_nth(count: u32, every: u32) -> bool {
    every > 0 && count.is_multiple_of(every)
}

impl Shared {
    fn run(&self, delivery: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(self.stop.clone().run_until_cancelled_owned(delivery));
    }

    async fn deliver_in_turn(self: Arc<Self>, hooks: Vec<Queued>, switches: HookSwitches) {
        for hook in hooks {
            Arc::clone(&self).deliver(hook, switches.clone()).await;
        }
    }

    async fn deliver(self: Arc<Self>, Queued { hook, fate }: Queued, switches: HookSwitches) {
        tokio::time::sleep(Duration::from_millis(switches.delay_ms)).await;
        let mut pause = Duration::from_millis(switches.retry_ms);
        let mut report = HookReport { url: hook.url.to_string(), attempts: 0, status: None, lost: false };
        while report.attempts < switches.attempts.max(1) {
            if report.attempts > 0 {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            report.attempts += 1;
            let call = self.client.post(hook.url.clone()).headers(hook.headers.clone()).body(hook.body.clone());
            report.status = call.send().await.ok().map(|answer| answer.status().as_u16());
            if report.status.is_some_and(|status| (200..300).contains(&status)) {
                break;
            }
        }
        self.report(report, fate.as_ref());
    }

    fn report(&self, report: HookReport, fate: Option<&HookFate>) {
        if let Some(HookFate(known)) = fate {
            *known.lock().unwrap_or_else(PoisonError::into_inner) = Some(report.clone());
        }
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        if reports.len() == REPORTS {
            reports.pop_front();
        }
        reports.push_back(report);
    }
}
