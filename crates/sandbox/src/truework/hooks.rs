//! The simulator's webhooks: one per step of a verification, and one when the order is done. Authenticated by a static
//! token; the body is not signed.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::order::{Mode, Order, Verification};
use super::{Habits, Simulator};
use crate::clock::rfc3339;
use crate::hooks::Hook;

/// The numbers of the webhooks, as an account's settings would show them. Not of their deliveries, which have none.
const STATE_CHANGE: u32 = 101;
const ORDER_COMPLETED: u32 = 102;
const SESSION: u32 = 103;

/// Sends the hooks that have fallen due.
pub fn announce(simulator: &Simulator) {
    let habits = simulator.habits.get();
    let mut state = simulator.state();
    let mut waiting = std::mem::take(&mut state.unannounced);
    waiting.retain(|place| !announce_order(simulator, &habits, &mut state.orders[*place]));
    state.unannounced = waiting;
}

/// Whether there is nothing left to tell of it.
fn announce_order(simulator: &Simulator, habits: &Habits, order: &mut Order) -> bool {
    let clock = &simulator.tools.clock;
    let metadata = order.request.metadata.clone().unwrap_or_default();
    let session = (order.mode == Mode::Direct).then_some(&order.session_token);
    for verification in order.verifications.iter_mut().filter(|verification| verification.created <= clock.now()) {
        // What became of an older session; this event is retired.
        let is_first = verification.place == 0 && verification.announced == 0;
        if habits.older_hooks && session.is_some() && is_first {
            let data = json!({ "state": "success", "verification_request_id": verification.id, "metadata": metadata });
            send(simulator, habits, SESSION, "credentials_session.state.change", data);
        }
        let steps = verification.steps(clock);
        // Steps are only ever added at the end, except that a cancellation replaces those that would have come. The first
        // is where a verification begins: no change, unless it is an applicant who began it.
        let first = usize::from(session.is_none());
        for step in steps.iter().skip(verification.announced.max(first)) {
            let misspelt = habits.misspell_action_required && *step == "action-required";
            let data = json!({
                "order_id": (!habits.hooks_without_order_id).then_some(&order.id),
                "verification_request_id": verification.id,
                "credentials_session_token": session,
                "state": if misspelt { "action-requred" } else { Verification::raw_state(step) },
                "metadata": metadata,
            });
            send(simulator, habits, STATE_CHANGE, "verification_request.state.change", data);
        }
        verification.announced = steps.len();
    }
    let mut all = order.verifications.iter().map(|verification| verification.state(clock));
    // Told when everything in the order is completed or canceled; `invalid` is neither.
    let is_done = !order.verifications.is_empty() && all.all(|state| matches!(state, "completed" | "canceled"));
    if is_done && !order.completion_announced {
        order.completion_announced = true;
        let data = json!({ "order_id": order.id, "metadata": metadata });
        send(simulator, habits, ORDER_COMPLETED, "order.completed", data);
    }
    order.is_over(clock)
}

fn send(simulator: &Simulator, habits: &Habits, id: u32, event: &str, mut data: Value) {
    let Some(url) = simulator.tools.hooks.target() else {
        return;
    };
    let Ok(token) = HeaderValue::from_str(&simulator.config.hook_token) else {
        return;
    };
    if let Some(fields) = data.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    let triggered_at = rfc3339(simulator.tools.clock.now());
    let mut body = json!({
        "version": "2023-10-30",
        "hook": { "id": id, "event": event, "target": url, "triggered_at": triggered_at },
        "data": data,
    });
    if habits.older_hooks {
        body = json!({ "hook": { "id": id.to_string(), "event": event, "target": url }, "data": body["data"] });
        body["data"].as_object_mut().map(|data| data.remove("order_id"));
    }
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("x-truework-token", token);
    simulator.tools.hooks.send(Hook { url, headers, body: body.to_string().into() });
}
