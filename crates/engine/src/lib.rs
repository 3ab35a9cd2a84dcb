//! How an order is carried out and reconciled, whatever fails.
