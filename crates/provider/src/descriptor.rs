//! What a vendor can do and how, as `/v1/providers` shows it and the engine plans by it.

use std::time::Duration;

use domain::{CheckType, ProviderId};

#[derive(Debug, Clone)]
pub struct Descriptor {
    pub id: ProviderId,
    pub display_name: &'static str,
    pub products: Vec<Product>,
    /// The most checks that one create call may carry; 1: the vendor has no batches that this adapter uses.
    pub batch_size: usize,
    pub cancel: CancelSupport,
    pub hooks: HookAuthentication,
    /// The vendor may answer a create with an object that it made before, for the same subject (its own dedupe).
    pub reuses_objects: bool,
    /// What holds where the settings say nothing.
    pub timing: Timing,
}

impl Descriptor {
    pub fn product(&self, kind: CheckType) -> Option<&Product> {
        self.products.iter().find(|product| product.check_type == kind)
    }
}

/// One kind of check that a vendor offers.
#[derive(Debug, Clone)]
pub struct Product {
    pub check_type: CheckType,
    /// ISO 3166-1 alpha-2 (or `ALL`), where the vendor is bound to countries; empty: not bound.
    pub countries: Vec<&'static str>,
    /// What the vendor demands, one line per rule, for people: `CO person: subject.identifiers[national_id]`.
    pub required_inputs: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelSupport {
    /// The vendor can stop an order that is not final.
    Yes,
    /// The vendor has no way to stop a check.
    No,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookAuthentication {
    /// The whole body is signed: its content is an observation.
    SignedBody,
    /// A static token: the content only says what to fetch.
    StaticToken,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timing {
    /// How long an object may take to appear after a create call whose outcome is unknown.
    pub settle: Duration,
    /// The deadline of one call.
    pub timeout: Duration,
    pub poll_min: Duration,
    pub poll_max: Duration,
    /// Requests per second and account; `None`: not limited.
    pub rate: Option<f64>,
}
