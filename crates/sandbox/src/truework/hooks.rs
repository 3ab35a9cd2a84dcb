//! The simulator's webhooks: one per step of a verification, and one when the order is done. Authenticated by a static
//! token; the body is not signed.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::order::Order;
use super::{Habits, Simulator};
use crate::clock::rfc3339;
use crate::hooks::Hook;

/// The numbers of the two webhooks, as an account's settings would show them. Not of their deliveries, which have none.
const STATE_CHANGE: u32 = 101;
const ORDER_COMPLETED: u32 = 102;

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
    let steps = order.steps(&simulator.tools.clock);
    // Steps are only ever added at the end, except that a cancellation replaces those that would have come. The first
    // is where an order begins, which is no change.
    for step in steps.iter().skip(order.announced.max(1)) {
        let misspelt = habits.misspell_action_required && *step == "action-required";
        let data = json!({
            "order_id": (!habits.hooks_without_order_id).then_some(&order.id),
            "verification_request_id": order.verification_id,
            "state": if misspelt { "action-requred" } else { Order::raw_state(step) },
            "metadata": order.request.metadata.clone().unwrap_or_default(),
        });
        send(simulator, STATE_CHANGE, "verification_request.state.change", data);
    }
    order.announced = steps.len();
    let last = steps.last().copied().unwrap_or_default();
    // Told when everything in the order is completed or canceled; `invalid` is neither.
    if matches!(last, "completed" | "canceled") && !order.completion_announced {
        order.completion_announced = true;
        let data = json!({ "order_id": order.id, "metadata": order.request.metadata.clone().unwrap_or_default() });
        send(simulator, ORDER_COMPLETED, "order.completed", data);
    }
    Order::is_ended(last)
}

fn send(simulator: &Simulator, id: u32, event: &str, mut data: Value) {
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
    let body = json!({
        "version": "2023-10-30",
        "hook": { "id": id, "event": event, "target": url, "triggered_at": triggered_at },
        "data": data,
    });
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("x-truework-token", token);
    simulator.tools.hooks.send(Hook { url, headers, body: body.to_string().into() });
}
