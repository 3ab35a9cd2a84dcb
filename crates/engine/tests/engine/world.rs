//! The gateways, vendors and orders that the tests here work with: those of the trials.

use domain::{BatchId, Check, Order};

pub use trials::world::{Options, VENDORS, World};
pub use trials::{draft, draft_of};

/// A batch's orders, in the order of its rows.
pub async fn orders_of(world: &World, batch: BatchId) -> Vec<Order> {
    let mut tx = world.engine.store().begin().await.expect("a transaction");
    trials::world::orders_of(&mut tx, batch).await
}

pub async fn checks_of(world: &World, batch: BatchId) -> Vec<Check> {
    orders_of(world, batch).await.into_iter().flat_map(|order| order.checks).collect()
}
