//! `POST /v1/monitors`

use axum::extract::State;
use axum::response::Response;
use domain::{Date, Frequency, Monitor, OrderDraft, OrderId};
use engine::MonitorWish;
use http::StatusCode;
use serde_json::{Map, Value};
use store::Tx;
use utoipa::ToSchema;

use super::view::MonitorView;
use crate::app::App;
use crate::body::{JsonBody, ORDER};
use crate::caller::Caller;
use crate::faults::{Faults, join};
use crate::idempotency::{Key, Start};
use crate::problem::{Fault, Place, Problem};
use crate::query::NoQuery;
use crate::refusals::refusals;
use crate::schema::OrderRequest;
use crate::scope::{MonitorsManage, Scope};
use crate::{draft, examples};

/// A new monitor. Give either `order` or `from_order_id`. It is read by hand, so that an order's faults are told as on
/// `createOrder`, with `/order` before each pointer; this type only documents it.
#[derive(ToSchema)]
#[schema(as = NewMonitor)]
#[expect(dead_code, reason = "the fields are read by the documentation only")]
pub struct MonitorRequest {
    /// A new order to begin with: run 0. It is accepted together with the monitor, or neither is. Needs the scope
    /// `orders:write` as well.
    order: Option<OrderRequest>,
    /// An order that is there already, under way or completed.
    from_order_id: Option<OrderId>,
    frequency: Frequency,
    /// The last day on which a run may begin (UTC). It must allow one.
    end_date: Date,
}

const FIELDS: &[&str] = &["order", "from_order_id", "frequency", "end_date"];

/// Monitor somebody
///
/// The order is run again and again, and `monitor.changed` tells of a run whose outcome or result differs from the one
/// before. Each run is an order with this one as its parent.
///
/// An order of one check whose vendor can repeat it by itself is left to the vendor (`method` = `vendor`); all checks of any
/// other are ordered again when a run is due (`reorder`), which costs what the order cost. No run begins after the subject's
/// consent has ended.
#[utoipa::path(
    post, path = "/v1/monitors", operation_id = "createMonitor", tag = "monitors",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes repeating the request safe.")),
    request_body(
        content = MonitorRequest, content_type = "application/json",
        examples(
            ("new" = (summary = "A new order", value = json!(examples::monitor()))),
            ("existing" = (summary = "An order that is there already", value = json!(examples::monitor_of_order()))),
        ),
    ),
    responses(
        (status = 201, description = "Accepted.", body = MonitorView,
         headers(("Location" = String, description = "The address of the monitor.")),
         example = json!(examples::monitor_view())),
        Refusals,
    ),
    security(("bearer" = ["monitors:manage"]))
)]
pub async fn create(
    State(app): State<App>,
    caller: Caller<MonitorsManage>,
    key: Key,
    _: NoQuery,
    body: JsonBody<ORDER>,
) -> Result<Response, Problem> {
    let wanted = read(body.value, &app);
    if matches!(wanted, Ok(Wanted { from: From::Draft(_), .. })) {
        caller.must(Scope::OrdersWrite)?;
    }
    let mut attempt = match key.begin(&app, caller.tenant(), &body.bytes).await? {
        Start::Replay(answer) => return Ok(answer),
        Start::Fresh(attempt) => attempt,
    };
    let made = match wanted {
        Ok(wanted) => make(&app, &caller, &mut attempt.tx, wanted).await,
        Err(refusal) => Err(refusal),
    };
    let (attempt, monitor) = attempt.made(made).await?;
    let location = format!("/v1/monitors/{}", monitor.id);
    let answer = attempt.finish(&app, StatusCode::CREATED, Some(location), &MonitorView::of(monitor)).await?;
    app.engine().wake();
    Ok(answer)
}

refusals!(Refusals: ALWAYS | BODY; NotFound, Conflict);

struct Wanted {
    from: From,
    wish: MonitorWish,
}

enum From {
    Draft(Box<OrderDraft>),
    Order(OrderId),
}

async fn make(app: &App, caller: &Caller<MonitorsManage>, tx: &mut Tx, wanted: Wanted) -> Result<Monitor, Problem> {
    match wanted.from {
        From::Draft(draft) => {
            let order = app.engine().accept(tx, caller.tenant(), *draft).await.map_err(|error| within(error.into()))?;
            Ok(app.engine().monitor(tx, &order, wanted.wish).await?)
        }
        From::Order(id) => {
            // Not across tenants: what it orders later is its own tenant's.
            let scope = store::Scope::Tenant(caller.tenant().clone());
            let monitor = app.engine().monitor_existing(tx, &scope, id, wanted.wish).await?;
            monitor.ok_or_else(|| Problem::not_found("order"))
        }
    }
}

fn read(body: Value, app: &App) -> Result<Wanted, Problem> {
    let mut faults = Faults::default();
    let Value::Object(mut body) = body else {
        faults.push("", "invalid", "Expected an object.");
        return Err(faults.settle().err().unwrap_or_else(|| Problem::internal(&"a fault was lost")));
    };
    for key in body.keys().filter(|key| !FIELDS.contains(&key.as_str())) {
        let known = FIELDS.join(", ");
        faults.push(join("", key), "unknown_field", format!("There is no such field. Known here: {known}."));
    }
    let frequency: Option<Frequency> = parsed(
        &mut body,
        "frequency",
        "daily, weekly, monthly, yearly, or an ISO 8601 period of one unit, such as P2W",
        &mut faults,
    );
    let end_date: Option<Date> = parsed(&mut body, "end_date", "a date as YYYY-MM-DD", &mut faults);
    let take = |body: &mut Map<String, Value>, key: &str| body.remove(key).filter(|value| !value.is_null());
    let mut of_order = None;
    let from = match (take(&mut body, "order"), take(&mut body, "from_order_id")) {
        (Some(order), None) => match draft::order(order, app.now()) {
            Ok(draft) => Some(From::Draft(Box::new(draft))),
            Err(refusal) => {
                of_order = Some(within(refusal));
                None
            }
        },
        (None, Some(id)) => {
            let id = id.as_str().and_then(|id| id.parse().ok());
            if id.is_none() {
                faults.push("/from_order_id", "invalid", "Expected an order's id.");
            }
            id.map(From::Order)
        }
        (None, None) => {
            faults.push("/order", "required", "Give either order or from_order_id.");
            None
        }
        (Some(_), Some(_)) => {
            faults.push("/from_order_id", "invalid", "Give either order or from_order_id, not both.");
            None
        }
    };
    let own = faults.settle().err();
    match (own, of_order) {
        (None, None) => {}
        (Some(one), None) | (None, Some(one)) => return Err(one),
        (Some(own), Some(of_order)) => {
            return Err(Problem::invalid([own.into_faults(), of_order.into_faults()].concat()));
        }
    }
    match (from, frequency, end_date) {
        (Some(from), Some(frequency), Some(end_date)) => Ok(Wanted { from, wish: MonitorWish { frequency, end_date } }),
        _ => Err(Problem::internal(&"a monitor could not be read, and no fault was found in it")),
    }
}

/// Takes a required field off and reads it.
fn parsed<T: std::str::FromStr>(
    body: &mut Map<String, Value>,
    key: &str,
    expected: &str,
    faults: &mut Faults,
) -> Option<T> {
    let Some(value) = body.remove(key).filter(|value| !value.is_null()) else {
        faults.push(join("", key), "required", "This field is required.");
        return None;
    };
    let read = value.as_str().and_then(|text| text.parse().ok());
    if read.is_none() {
        faults.push(join("", key), "invalid", format!("Expected {expected}."));
    }
    read
}

/// An order's faults, as parts of the monitor's body.
fn within(problem: Problem) -> Problem {
    if !problem.is_invalid() {
        return problem;
    }
    let inside = |fault: Fault| {
        let place = match fault.place {
            Place::Pointer(pointer) => Place::Pointer(format!("/order{pointer}")),
            other => other,
        };
        Fault { place, ..fault }
    };
    Problem::invalid(problem.into_faults().into_iter().map(inside).collect())
}
