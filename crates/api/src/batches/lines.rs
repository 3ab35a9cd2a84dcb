//! The lines of a batch's report: one per check.

use std::borrow::Cow;

use domain::{
    Check, CheckId, CheckResult, CheckStatus, CheckType, Order, OrderId, OrderStatus, Outcome, ProviderId, Timestamp,
    Verdict,
};
use tabular::Cell;
use utoipa::ToSchema;

/// The headings, in the order of [`Line::cells`].
pub const COLUMNS: &[&str] = &[
    "order_id",
    "order_external_id",
    "order_status",
    "order_outcome",
    "first_name",
    "last_name",
    "check_id",
    "check_type",
    "provider",
    "check_status",
    "check_outcome",
    "verdict",
    "status_reason",
    "vendor_order_id",
    "submitted_at",
    "completed_at",
];

/// A check of a batch, as its report shows it.
#[derive(ToSchema)]
#[schema(as = BatchReportLine)]
pub struct Line<'a> {
    order_id: OrderId,
    #[schema(required)]
    order_external_id: Option<&'a str>,
    order_status: OrderStatus,
    #[schema(required)]
    order_outcome: Option<Outcome>,
    /// Of a person; so is the next.
    #[schema(required)]
    first_name: Option<&'a str>,
    #[schema(required)]
    last_name: Option<&'a str>,
    check_id: CheckId,
    check_type: CheckType,
    #[schema(value_type = String)]
    provider: &'a ProviderId,
    check_status: CheckStatus,
    #[schema(required)]
    check_outcome: Option<Outcome>,
    /// Of verifications.
    #[schema(required)]
    verdict: Option<Verdict>,
    /// The word for why it stands where it does.
    #[schema(required)]
    status_reason: Option<&'a str>,
    #[schema(required)]
    vendor_order_id: Option<&'a str>,
    #[schema(required)]
    submitted_at: Option<Timestamp>,
    #[schema(required)]
    completed_at: Option<Timestamp>,
}

impl<'a> Line<'a> {
    pub fn of_order(order: &'a Order) -> impl Iterator<Item = Self> {
        order.checks.iter().map(move |check| Self::of(order, check))
    }

    fn of(order: &'a Order, check: &'a Check) -> Self {
        let person = order.input.expose().subject.as_person();
        let state = &check.state;
        Self {
            order_id: order.id,
            order_external_id: order.external_id.as_deref(),
            order_status: order.status(),
            order_outcome: order.outcome(),
            first_name: person.and_then(|person| person.first_name.as_deref()),
            last_name: person.and_then(|person| person.last_name.as_deref()),
            check_id: check.id,
            check_type: check.kind,
            provider: &check.account.provider,
            check_status: check.status(),
            check_outcome: state.outcome(),
            verdict: match state.result() {
                Some(CheckResult::Verification(found)) => found.verdict,
                _ => None,
            },
            status_reason: state.status_reason().map(|reason| reason.code.as_str()),
            vendor_order_id: state.binding().map(|binding| binding.vendor.order_id.as_str()),
            submitted_at: state.submitted_at,
            completed_at: state.ended_at,
        }
    }

    pub fn cells(&self) -> [Cell<'_>; COLUMNS.len()] {
        let time = |at: Option<Timestamp>| at.map_or(Cell::Empty, |at| Cell::Text(at.to_string().into()));
        let id = |id: &dyn std::fmt::Display| Cell::Text(id.to_string().into());
        [
            id(&self.order_id),
            text(self.order_external_id),
            text(Some(self.order_status.as_str())),
            text(self.order_outcome.map(Outcome::as_str)),
            text(self.first_name),
            text(self.last_name),
            id(&self.check_id),
            text(Some(self.check_type.as_str())),
            text(Some(self.provider.as_str())),
            text(Some(self.check_status.as_str())),
            text(self.check_outcome.map(Outcome::as_str)),
            text(self.verdict.map(Verdict::as_str)),
            text(self.status_reason),
            text(self.vendor_order_id),
            time(self.submitted_at),
            time(self.completed_at),
        ]
    }
}

fn text(text: Option<&str>) -> Cell<'_> {
    text.map_or(Cell::Empty, |text| Cell::Text(Cow::Borrowed(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_its_column() {
        let line = crate::examples::batch_report_line();
        let mut fields: Vec<_> = line.as_object().expect("an object").keys().map(String::as_str).collect();
        let mut columns = COLUMNS.to_vec();
        fields.sort_unstable();
        columns.sort_unstable();
        assert_eq!(fields, columns);
    }
}
