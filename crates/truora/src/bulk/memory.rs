//! What is kept from one step to the next.

use domain::{Sensitive, Timestamp};
use provider::BulkState;
use serde::{Deserialize, Serialize};

/// Links are as good as keys, and are kept encrypted by the engine.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    pub batch: Option<String>,
    pub upload_link: Option<String>,
    /// When the batch was made, by our clock.
    pub made_at: Option<Timestamp>,
    /// The same by the vendor's.
    pub made_at_vendor: Option<Timestamp>,
    /// The input of each column, in order.
    pub columns: Vec<String>,
    /// The vendor has refused a column for our reference.
    pub without_reference: bool,
    /// How many batches of this file were abandoned before they were started.
    pub abandoned: u32,
    /// How many looks found a batch not started after a start whose answer was lost.
    pub idle_looks: u32,
    /// How many starts such looks have shown to be without effect.
    pub idle_starts: u32,
    /// A look said that the vendor is done with the batch.
    pub has_ended: bool,
    /// How often the report was asked for.
    pub asked: u32,
}

impl Memory {
    /// Of a state that holds none, or none that can be read: empty.
    pub fn of(state: &BulkState) -> Self {
        serde_json::from_value(state.memory.expose().clone()).unwrap_or_default()
    }

    pub fn kept(&self) -> Sensitive<serde_json::Value> {
        Sensitive::new(serde_json::to_value(self).unwrap_or_default())
    }

    /// What is left of it once the batch is abandoned.
    pub fn anew(&self) -> Self {
        Self { without_reference: self.without_reference, abandoned: self.abandoned + 1, ..Self::default() }
    }
}
