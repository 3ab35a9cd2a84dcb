//! What was done for an order, step by step. Neither types nor strategies are published; these are ours.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::order::{Order, Verification};
use super::report_views::method;
use super::{Habits, Simulator};
use crate::clock::rfc3339;

impl Simulator {
    pub fn events_of(&self, habits: &Habits, order: &Order) -> Vec<Value> {
        let clock = &self.tools.clock;
        let mut events = vec![event(habits, order, None, 0, ("order-created", order.created))];
        for verification in order.begun(clock) {
            let steps = verification.steps(clock).into_iter().enumerate();
            events.extend(steps.map(|(place, step)| {
                event(habits, order, Some(verification), place, (step, verification.time_of(step)))
            }));
        }
        // As they happened, whichever verification they are of; one that happened at the same time stays behind the other.
        events.sort_by_key(|(at, _)| *at);
        if habits.events_newest_first {
            events.reverse();
        }
        events.into_iter().map(|(_, event)| event).collect()
    }
}

fn event(
    habits: &Habits,
    order: &Order,
    verification: Option<&Verification>,
    place: usize,
    (step, at): (&str, OffsetDateTime),
) -> (OffsetDateTime, Value) {
    let of = verification.map_or(&order.id, |verification| &verification.id);
    let field = |name: &str| order.request.target.get(name).and_then(Value::as_str).unwrap_or_default();
    let sentence =
        format!("{} {} ({}): {step}", field("first_name"), field("last_name"), field("social_security_number"));
    let strategy = (step == "processing").then(|| method(order));
    let event = json!({
        "id": format!("{of}-{place}"),
        "created": rfc3339(at),
        "type": if habits.event_sentences { &sentence } else { step },
        "message": sentence,
        "strategy": if habits.event_sentences { Some(sentence.as_str()) } else { strategy },
        "verification_request_id": verification.map(|verification| &verification.id),
    });
    (at, event)
}
